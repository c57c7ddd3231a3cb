import { audited, type AuditTrail } from './audit/trail.ts'
import type { AdmissionPlugin, UserInfo } from '../kube/admission.ts'
import type { Client } from '../kube/client.ts'
import type { KubeObject } from '../kube/object.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Store } from '../store/store.ts'
import type { WebhookPorts } from './admission/webhooks/webhooks.ts'
import { type Authorizer, MASTERS } from './auth/attributes.ts'
import { allowAll, attributesOf, forbidden } from './auth/permission.ts'
import { createSystemObjects } from './system-objects.ts'
import { cleanUpDefinitions } from './crds/cleanup.ts'
import { type DefinitionLife, followDefinitions } from './crds/follow.ts'
import { handle } from './handle.ts'
import { type Kernel, makeBookmarks } from './kernel.ts'
import { localClient } from './local-client.ts'
import type { ReviewPorts } from './auth/reviews.ts'
import type { TokenKeys } from './auth/service-account-tokens.ts'
import type { PodRuntime } from './pod-runtime.ts'
import { type ApiRequest, type ApiResponse, refused } from './request.ts'
import type { Registry } from './resources/registry.ts'

/** What an API server is made of. */
export interface ApiServerParts {
  readonly store: Store<KubeObject>
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly admission?: (kernel: Kernel) => readonly AdmissionPlugin[]
  readonly authorize?: (kernel: Kernel) => Authorizer
  readonly audit?: AuditTrail
  readonly podRuntime?: PodRuntime
  readonly reviews?: ReviewPorts
  readonly tokenKeys?: TokenKeys
  /** Calls the conversion webhooks of definitions. */
  readonly callWebhook?: WebhookPorts['call']
}

/** A Kubernetes API in this process. Transports and the local client all come in through `handle`. */
export interface ApiServer {
  readonly kernel: Kernel
  registry(): Registry
  /** Answers a request whose sender is known; asks the authorizer first. */
  handle(request: ApiRequest): Promise<ApiResponse>
  readonly authorize: Authorizer
  /** The way in for parts of this process: the same rules, without a wire. */
  client(user: UserInfo): Client
  /** Creates what every cluster has; resolves once requests can be answered. */
  start(): Promise<void>
  close(): Promise<void>
}

/** Who the server itself is, when it writes. */
export const serverUser: UserInfo = { username: 'system:apiserver', groups: [MASTERS] }

/** Builds an API server over a store. Nothing runs before `start`. */
export function makeApiServer(parts: ApiServerParts): ApiServer {
  const { store, clock, ids, log } = parts
  const plugins: AdmissionPlugin[] = []
  let definitions: DefinitionLife | undefined
  let stopCleanup: (() => void) | undefined
  const kernel: Kernel = {
    store,
    clock,
    ids,
    log,
    registry: () => (definitions ??= followDefinitions(kernel)).registry(),
    admission: plugins,
    podRuntime: parts.podRuntime,
    reviews: parts.reviews,
    tokenKeys: parts.tokenKeys,
    callWebhook: parts.callWebhook,
    bookmarks: makeBookmarks(clock),
  }
  plugins.push(...(parts.admission?.(kernel) ?? []))
  const authorize = parts.authorize?.(kernel) ?? allowAll
  const judged = async (request: ApiRequest): Promise<ApiResponse> => {
    const attributes = attributesOf(request)
    const decision = authorize(attributes)
    return decision.allowed ? handle(kernel, request) : refused(forbidden(attributes, decision.because))
  }
  const answer = parts.audit ? audited(judged, parts.audit, { clock, ids, attributesOf }) : judged
  const client = (user: UserInfo): Client => localClient(answer, user, kernel)
  return {
    kernel,
    registry: kernel.registry,
    authorize,
    client,
    handle: answer,
    async start() {
      await createSystemObjects(client(serverUser))
      stopCleanup ??= cleanUpDefinitions(kernel, serverUser)
    },
    async close() {
      stopCleanup?.()
      definitions?.close()
      await Promise.resolve()
    },
  }
}
