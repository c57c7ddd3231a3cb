import type { AdmissionPlugin, AdmissionRequest } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { deepFreeze } from '../../lib/json.ts'
import type { ClusterReader } from './cluster-reader.ts'

/** A cluster of a few objects, found by plural and name. */
export function clusterOf(objects: Readonly<Record<string, readonly KubeObject[]>>): ClusterReader {
  const inNamespace = (object: KubeObject, namespace: string | undefined): boolean =>
    namespace === undefined || object.metadata.namespace === undefined || object.metadata.namespace === namespace
  const list = (plural: string, namespace?: string): readonly KubeObject[] =>
    (objects[plural] ?? []).filter((object) => inNamespace(object, namespace))
  return {
    list: (_group, plural, namespace) => list(plural, namespace),
    get: (_group, plural, { name, namespace }) =>
      list(plural, namespace).find((object) => object.metadata.name === name),
  }
}

/** A write of one object, by an ordinary user, in the namespace `team`. */
export function writing(plural: string, object: KubeObject, more: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const slash = object.apiVersion.indexOf('/')
  const group = slash < 0 ? '' : object.apiVersion.slice(0, slash)
  const version = object.apiVersion.slice(slash + 1)
  return {
    uid: 'r1',
    operation: 'CREATE',
    kind: { group, version, kind: object.kind },
    resource: { group, version, plural },
    namespace: 'team',
    name: object.metadata.name ?? '',
    user: { username: 'ann', groups: ['system:authenticated'] },
    dryRun: false,
    options: {},
    object: deepFreeze(object),
    ...more,
  }
}

const signal = new AbortController().signal

/** What a plugin makes of a write: the refusal's message, or the object as it becomes. */
export async function outcomeOf(
  plugin: AdmissionPlugin,
  request: AdmissionRequest,
): Promise<string | KubeObject | undefined> {
  if (!plugin.handles(request)) return request.object
  const mutation = await plugin.mutate?.(request, signal)
  if (mutation && !mutation.allowed) return mutation.status.message
  const object = mutation?.object ?? request.object
  const verdict = await plugin.validate?.({ ...request, ...(object ? { object } : {}) }, signal)
  return verdict && !verdict.allowed ? verdict.status.message : object
}
