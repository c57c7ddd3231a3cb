import type { AdmissionPlugin, UserInfo } from '../kube/admission.ts'
import { parseApiVersion } from '../kube/gvk.ts'
import type { KubeObject } from '../kube/object.ts'
import type { Amounts } from '../kube/pod.ts'
import { formatAmounts } from '../kube/quota.ts'
import type { ApiResult } from '../kube/status.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Store } from '../store/store.ts'
import { admissionChain } from './admission/chain.ts'
import type { ClusterReader } from './admission/cluster-reader.ts'
import { WebhookCaller } from './admission/webhooks/call.ts'
import { serviceResolver } from './admission/webhooks/resolve-service.ts'
import type { AuditTrail } from './audit/trail.ts'
import { authenticate, type AuthenticationPorts, type Credentials } from './auth/authenticate.ts'
import { RbacAuthorizer } from './auth/authorizer.ts'
import type { TokenKeys } from './auth/service-account-tokens.ts'
import type { PodRuntime } from './pod-runtime.ts'
import { type ApiServer, makeApiServer, serverUser } from './server.ts'
import { clusterReader } from './storage/reader.ts'

/** What a whole embedded cluster API is made of. */
export interface ClusterParts {
  readonly store: Store<KubeObject>
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly tokenKeys: TokenKeys
  /** SHA-256 of each static token to the user it stands for. */
  readonly staticTokens?: ReadonlyMap<string, UserInfo>
  /** Admission of features, such as policies. */
  readonly admission?: (reader: ClusterReader) => readonly AdmissionPlugin[]
  readonly podRuntime?: PodRuntime
  readonly audit?: AuditTrail
}

/** An API server with everything that a cluster has around it: accounts, rules, admission. */
export interface Cluster {
  readonly server: ApiServer
  readonly reader: ClusterReader
  readonly authenticate: (credentials: Credentials) => ApiResult<UserInfo>
}

const RBAC = 'rbac.authorization.k8s.io'

/** Wires an API server with RBAC, ServiceAccount tokens and the admission chain. */
export function makeCluster(parts: ClusterParts): Cluster {
  const { store, clock, ids, log } = parts
  const reader = clusterReader(store)
  const authorizer = rbacOver(store, reader)
  const authentication: AuthenticationPorts = {
    staticTokens: parts.staticTokens ?? new Map<string, UserInfo>(),
    tokenKeys: parts.tokenKeys,
    reader,
    nowMs: () => clock.now(),
  }
  const callWebhook = new WebhookCaller(serviceResolver(reader)).call
  const server = makeApiServer({
    store,
    clock,
    ids,
    log,
    authorize: () => authorizer.authorize,
    reviews: { authorizer, authentication },
    tokenKeys: parts.tokenKeys,
    callWebhook,
    ...(parts.audit ? { audit: parts.audit } : {}),
    ...(parts.podRuntime ? { podRuntime: parts.podRuntime } : {}),
    admission: (kernel) =>
      admissionChain({
        reader,
        clock,
        ids,
        authorizer,
        features: parts.admission?.(reader) ?? [],
        findResource(apiVersion, kind) {
          const { group, version } = parseApiVersion(apiVersion)
          const found = kernel.registry().findKind(group, version, kind)
          return found && { group: found.group, plural: found.plural, isNamespaced: found.namespaced }
        },
        schemaOf: ({ group, version, kind }) => kernel.registry().findKind(group, version, kind)?.typing.schema,
        callWebhook,
        quota: {
          counted: () => kernel.registry().resources.filter(({ namespaced, storage }) => namespaced && storage),
          async commit(quota, used) {
            const target = {
              resource: { group: '', version: 'v1', plural: 'resourcequotas' },
              namespace: quota.metadata.namespace ?? '',
              name: quota.metadata.name ?? '',
              subresource: 'status',
            }
            const written = await server.client(serverUser).update(target, withUsed(quota, used))
            if (!written.ok && written.error.reason !== 'Conflict' && written.error.reason !== 'NotFound') {
              throw new Error(`cannot write the status of ResourceQuota ${target.name}: ${written.error.message}`)
            }
            return written.ok
          },
        },
      }),
  })
  return { server, reader, authenticate: (credentials) => authenticate(credentials, authentication) }
}

function withUsed(quota: KubeObject, used: Amounts): KubeObject {
  const { hard } = (quota['spec'] ?? {}) as { readonly hard?: unknown }
  return { ...quota, status: { hard, used: formatAmounts(used) } }
}

/** RBAC over the roles and bindings in the store, compiled anew after any of them has changed. */
function rbacOver(store: Store<KubeObject>, reader: ClusterReader): RbacAuthorizer {
  const authorizer = new RbacAuthorizer(() => ({
    roles: reader.list(RBAC, 'roles'),
    clusterRoles: reader.list(RBAC, 'clusterroles'),
    roleBindings: reader.list(RBAC, 'rolebindings'),
    clusterRoleBindings: reader.list(RBAC, 'clusterrolebindings'),
  }))
  // Read once, so that the reader's own watch is older than this one: lists are fresh by the time the index is dropped.
  void authorizer.index
  store.watch(`${RBAC}/`, store.revision, (changes) => {
    if (changes.length > 0) authorizer.invalidate()
  })
  return authorizer
}
