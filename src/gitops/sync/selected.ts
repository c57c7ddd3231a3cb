import type { SyncOperation } from '../application/application.ts'
import type { ResourceKey } from '../compare/comparison.ts'

type Named = NonNullable<SyncOperation['resources']>[number]

const matches = (wanted: string | undefined, actual: string): boolean => wanted === '*' || (wanted ?? '') === actual

function isNamed(named: Named, key: ResourceKey): boolean {
  return (
    matches(named.group, key.group) &&
    matches(named.kind, key.kind) &&
    matches(named.name, key.name) &&
    (named.namespace === undefined || named.namespace === '' || matches(named.namespace, key.namespace))
  )
}

/** Tells whether a sync of some objects means this one; those that are excluded are told apart after the others. */
export function isSelected(key: ResourceKey, resources: SyncOperation['resources']): boolean {
  if (!resources || resources.length === 0) return true
  const included = resources.filter(({ exclude }) => exclude !== true)
  const excluded = resources.filter(({ exclude }) => exclude === true)
  if (included.length > 0 && !included.some((one) => isNamed(one, key))) return false
  return !excluded.some((one) => isNamed(one, key))
}
