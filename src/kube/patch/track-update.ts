import { isObject } from '../../lib/json.ts'
import type { KubeObject, ManagedFieldsEntry } from '../object.ts'
import { union } from './apply/path-set.ts'
import { objectTypeOf } from './apply/type.ts'
import { trackChange, type VersionedSet } from './apply/updater.ts'
import { validate } from './apply/validate.ts'
import { bare, emptyObject, type FieldWrite, named, validateOnce, withEntries, worldOf } from './field-write.ts'
import { byTime, decodeManaged, encodeManaged, identifierOf, type Managed, nobody } from './managed-entries.ts'
import { attempt } from './refusal.ts'

export interface UpdatedObject extends FieldWrite {
  /** The object as it shall be stored. */
  readonly next: KubeObject
}

/**
 * Brings managedFields up to date for a write that is not an apply: what changed belongs to the manager. Entries that the
 * request carries win over the stored ones, `[]` or `[{}]` clears them, and an untracked object stays untracked. A value
 * that does not fit its type keeps the entries it had.
 */
export function trackUpdate(write: UpdatedObject): KubeObject {
  const { live, next } = write
  const managed = managedOf(write)
  const bareNext = bare(next)
  if (managed.managers.size === 0 && live?.metadata.uid) return bareNext
  const result = attempt(() => tracked(write, live ? bare(live) : emptyObject(write, next.kind), bareNext, managed))
  const before = live?.metadata.managedFields ?? []
  return withEntries(bareNext, result.ok ? encodeManaged(result.value, before) : before)
}

function managedOf({ live, next, subresource }: UpdatedObject): Managed {
  const stored = (): Managed => decodedOrNobody(live?.metadata.managedFields)
  if (subresource) return stored()
  const sent = next.metadata.managedFields
  if (isReset(sent)) return nobody
  const result = attempt(() => decodeManaged(sent ?? undefined))
  return result.ok && result.value.managers.size > 0 ? result.value : stored()
}

function decodedOrNobody(entries: readonly ManagedFieldsEntry[] | undefined): Managed {
  const result = attempt(() => decodeManaged(entries))
  return result.ok ? result.value : nobody
}

function isReset(entries: readonly ManagedFieldsEntry[] | undefined | null): boolean {
  if (!Array.isArray(entries)) return false
  const [first] = entries as readonly unknown[]
  return entries.length === 0 || (entries.length === 1 && isObject(first) && Object.keys(first).length === 0)
}

const self = '{"manager":"current-operation"}'

/** The managers after a change that was not an apply, with the oldest of many united. */
export function tracked(write: FieldWrite, live: KubeObject, next: KubeObject, managed: Managed): Managed {
  const type = objectTypeOf(write.schema)
  validate(type, next, true)
  validateOnce(type, live)
  const changed = trackChange(
    {
      live: { value: live, type },
      next: { value: next, type },
      apiVersion: write.apiVersion,
      managers: managed.managers,
      manager: self,
    },
    worldOf(write, type),
  )
  const managers = new Map(changed)
  const times = new Map(managed.times)
  const mine = managers.get(self)
  if (mine) {
    managers.delete(self)
    const manager = identifierOf({ ...named(write), operation: 'Update' })
    const previous = managers.get(manager)
    managers.set(manager, previous ? { ...mine, set: union(previous.set, mine.set) } : mine)
    times.set(manager, write.now)
  }
  return capped({ managers, times })
}

const mostUpdaters = 10

/** With more updaters than the limit, the oldest of each version are united under `ancient-changes`. */
function capped(managed: Managed): Managed {
  const updaters = [...managed.managers].filter(([, { applied: isApplied }]) => !isApplied).map(([key]) => key)
  if (updaters.length <= mostUpdaters) return managed
  const managers = new Map(managed.managers)
  const times = new Map(managed.times)
  const firstOf = new Map<string, string>()
  let left = updaters.length
  for (const manager of updaters.toSorted(byTime(managed.times))) {
    if (left <= mostUpdaters) break
    const owned = managers.get(manager)
    if (!owned) continue
    const { apiVersion } = owned
    const first = firstOf.get(apiVersion)
    if (first === undefined) {
      firstOf.set(apiVersion, manager)
      continue
    }
    const bucket = identifierOf({ manager: 'ancient-changes', operation: 'Update', apiVersion })
    unite(managers, first, manager, bucket)
    times.set(bucket, managed.times.get(manager))
    left--
  }
  return { managers, times }
}

function unite(managers: Map<string, VersionedSet>, first: string, manager: string, bucket: string): void {
  const collected = managers.get(bucket) ?? managers.get(first)
  const owned = managers.get(manager)
  if (!collected || !owned) return
  if (!managers.has(bucket)) managers.delete(first)
  managers.delete(manager)
  managers.set(bucket, { ...owned, set: union(owned.set, collected.set) })
}
