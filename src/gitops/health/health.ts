import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { HOOK_FINALIZER } from '../sync/hook.ts'
import { applicationHealth } from './application.ts'
import { builtinChecks } from './builtin.ts'
import { customCheck } from './custom.ts'
import { health } from './notation.ts'
import type { HealthStatus } from './status.ts'

/** What a user's check says: a health, or that there is none to speak of; undefined when they have no check of the kind. */
export type Overridden = HealthStatus | 'none' | undefined
export type HealthOverride = (object: KubeObject) => Overridden

/**
 * How an object is: on its way out, or what the user's check says, or the check of its kind. Undefined when nobody judges
 * its kind: it is as good as healthy by being there.
 */
export function healthOf(object: KubeObject, override?: HealthOverride): HealthStatus | undefined {
  const { deletionTimestamp, finalizers } = object.metadata
  if (deletionTimestamp !== undefined && deletionTimestamp !== null && !finalizers?.includes(HOOK_FINALIZER)) {
    return health('Progressing', 'Pending deletion')
  }
  const overridden = override?.(object)
  if (overridden === 'none') return undefined
  return overridden ?? kindHealth(object)
}

/** What the check of an object's kind says of it, without regard to deletion. */
export function kindHealth(object: KubeObject): HealthStatus | undefined {
  const { group } = parseApiVersion(object.apiVersion)
  const custom = customCheck(group, object.kind)
  if (custom) return custom(object)
  const key = group === '' ? object.kind : `${group}/${object.kind}`
  if (key === 'argoproj.io/Application') return applicationHealth(object)
  return builtinChecks.get(key)?.(object)
}
