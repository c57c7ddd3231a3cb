import type { AdmissionPlugin, AdmissionRequest } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Attributes } from '../auth/attributes.ts'
import type { RbacAuthorizer } from '../auth/authorizer.ts'
import { describeEscalation, escalation } from '../auth/escalation.ts'
import { type PolicyRule, rulesOf } from '../auth/rbac.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { forbidden } from './denials.ts'

const GROUP = 'rbac.authorization.k8s.io'
const roles = new Set(['roles', 'clusterroles'])
const bindings = new Set(['rolebindings', 'clusterrolebindings'])

/** Nobody hands out what they do not hold: by writing a role, or by binding one. */
export function rbacEscalation(reader: ClusterReader, authorizer: RbacAuthorizer): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    handles: ({ operation, resource }) =>
      (operation === 'CREATE' || operation === 'UPDATE') &&
      resource.group === GROUP &&
      (roles.has(resource.plural) || bindings.has(resource.plural)),
    validate(request) {
      const wanted = wantedRules(request, reader)
      if (wanted.length === 0 || isPermitted(request, authorizer)) return Promise.resolve({ allowed: true })
      const missing = escalation(authorizer.index, request.user, request.namespace, wanted)
      if (missing.length === 0) return Promise.resolve({ allowed: true })
      return Promise.resolve({ allowed: false, status: forbidden(request, describeEscalation(request.user, missing)) })
    },
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

function wantedRules(
  { object, oldObject, resource, namespace }: AdmissionRequest,
  reader: ClusterReader,
): readonly PolicyRule[] {
  if (!object) return []
  if (roles.has(resource.plural)) {
    const unchanged =
      oldObject &&
      same(object['rules'], oldObject['rules']) &&
      same(object['aggregationRule'], oldObject['aggregationRule'])
    if (unchanged) return []
    // Aggregation can pull in anything that anybody labels: only who holds everything may set it up.
    const everything: readonly PolicyRule[] = [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ]
    return object['aggregationRule'] ? everything : rulesOf(object)
  }
  if (oldObject && same(object['subjects'], oldObject['subjects']) && same(object['roleRef'], oldObject['roleRef']))
    return []
  const role = boundRole(object, namespace, reader)
  return role ? rulesOf(role) : []
}

function boundRole(binding: KubeObject, namespace: string | undefined, reader: ClusterReader): KubeObject | undefined {
  const { kind, name = '' } = (binding['roleRef'] ?? {}) as { readonly kind?: string; readonly name?: string }
  if (kind === 'ClusterRole') return reader.get(GROUP, 'clusterroles', { name })
  return namespace === undefined ? undefined : reader.get(GROUP, 'roles', { namespace, name })
}

/** The explicit right to escalate or to bind stands in for holding the rules. */
function isPermitted(
  { user, resource, namespace, name, object }: AdmissionRequest,
  authorizer: RbacAuthorizer,
): boolean {
  const base = { user, group: GROUP, version: 'v1', ...(namespace === undefined ? {} : { namespace }) }
  if (roles.has(resource.plural)) {
    return authorizer.authorize({ ...base, verb: 'escalate', plural: resource.plural, name }).allowed
  }
  const { kind, name: role = '' } = (object?.['roleRef'] ?? {}) as { readonly kind?: string; readonly name?: string }
  const asked: Attributes = {
    ...base,
    verb: 'bind',
    plural: kind === 'ClusterRole' ? 'clusterroles' : 'roles',
    name: role,
  }
  return authorizer.authorize(asked).allowed
}
