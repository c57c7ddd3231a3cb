import type { AdmissionRequest } from '../../kube/admission.ts'
import type { GroupVersionKind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isObject } from '../../lib/json.ts'

/** The kinds whose subresources take other kinds of objects. */
const parents: ReadonlyMap<string, string> = new Map([
  ['pods', 'Pod'],
  ['serviceaccounts', 'ServiceAccount'],
  ['namespaces', 'Namespace'],
  ['nodes', 'Node'],
  ['services', 'Service'],
])

/** The kind that policies name: for a subresource, the kind that it belongs to. */
export function parentKind({ kind, resource, subresource, object, oldObject }: AdmissionRequest): GroupVersionKind {
  if (subresource === undefined) return kind
  const { group, version, plural } = resource
  const known = group === '' ? parents.get(plural) : undefined
  // Where the whole object is written through a subresource, it says what it is.
  return { group, version, kind: known ?? object?.kind ?? oldObject?.kind ?? kind.kind }
}

/** The object of a request as a policy sees it: the number of replicas is set through a Scale. */
export function subjectFor({ subresource }: AdmissionRequest, object: KubeObject): KubeObject {
  if (subresource !== 'scale' || object.kind === 'Scale') return object
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const spec = isObject(object['spec']) ? object['spec'] : {}
  const status = isObject(object['status']) ? object['status'] : {}
  const { matchLabels } = isObject(spec['selector']) ? spec['selector'] : {}
  const selector = Object.entries(isObject(matchLabels) ? matchLabels : {})
    .map(([key, value]) => `${key}=${String(value)}`)
    .toSorted()
    .join(',')
  const metadata = { name, namespace, uid, resourceVersion, creationTimestamp }
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)),
    spec: spec['replicas'] === 0 ? {} : { replicas: spec['replicas'] ?? 1 },
    status: { replicas: status['replicas'] ?? 0, ...(selector === '' ? {} : { selector }) },
  }
}
