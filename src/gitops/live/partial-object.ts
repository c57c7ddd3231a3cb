import type { KubeObject } from '../../kube/object.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Objects in a cache that have lost fields; a weak set, so that the objects themselves stay plain data. */
const partials = new WeakSet<KubeObject>()

/** Tells whether the object is in a cache without some of its fields. */
export const isPartial = (object: KubeObject): boolean => partials.has(object)

/** The object without what is large or secret, and only needed by whoever compares it. */
export function withoutBulk(object: KubeObject): KubeObject {
  const { managedFields, annotations, ...metadata } = object.metadata
  const hasLastApplied = annotations !== undefined && Object.hasOwn(annotations, LAST_APPLIED)
  const isData = object.apiVersion === 'v1' && (object.kind === 'Secret' || object.kind === 'ConfigMap')
  if (!managedFields && !hasLastApplied && !isData) return object
  const { [LAST_APPLIED]: _dropped, ...kept } = annotations ?? {}
  const slim: KubeObject = {
    ...(isData ? { apiVersion: object.apiVersion, kind: object.kind } : object),
    metadata: { ...metadata, ...(annotations ? { annotations: kept } : {}) },
  }
  partials.add(slim)
  return slim
}
