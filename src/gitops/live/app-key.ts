import type { KubeObject } from '../../kube/object.ts'
import { applicationOf, type Tracking } from '../compare/tracking.ts'

/**
 * The Application that an object is marked for, by its instance name; undefined when it is marked for none. What has an owner
 * has its marks from there, where a controller copied them.
 */
export function instanceOf(object: KubeObject, tracking: Tracking): string | undefined {
  if ((object.metadata.ownerReferences ?? []).length > 0) return undefined
  return applicationOf(object, tracking) || undefined
}

/** The key `namespace/name` of the Application that an instance name stands for. */
export function appKeyOf(instance: string, controllerNamespace: string): string {
  const cut = instance.indexOf('_')
  return cut < 0 ? `${controllerNamespace}/${instance}` : `${instance.slice(0, cut)}/${instance.slice(cut + 1)}`
}
