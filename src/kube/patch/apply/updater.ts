import { isEqual } from '../../../lib/json.ts'
import { type Comparison, compare } from './compare.ts'
import { fieldSetOf } from './field-set.ts'
import { merge } from './merge.ts'
import {
  difference,
  emptySet,
  intersection,
  isSubset,
  type Path,
  type PathSet,
  sameSet,
  union,
  withNamedFields,
} from './path-set.ts'
import { reconcileWithType } from './reconcile.ts'
import { removeItems } from './remove.ts'
import type { Type } from './type.ts'

/** A value and what its parts may be. */
export interface Typed {
  readonly value: unknown
  readonly type: Type
}

/** What one manager owns, in the words of one version. */
export interface VersionedSet {
  readonly set: PathSet
  readonly apiVersion: string
  readonly applied: boolean
}

/** Who owns what. The keys tell managers apart. */
export type Managers = ReadonlyMap<string, VersionedSet>

/** One path that the manager of another value owns. */
export interface Conflict {
  readonly manager: string
  readonly path: Path
}

/** What the engine asks of its surroundings. */
export interface World {
  /** The value in another version; undefined when that version is gone. */
  readonly convert: (object: Typed, apiVersion: string) => Typed | undefined
  /** Leaves out what a request may not own, by version. */
  readonly filter?: (set: PathSet, apiVersion: string) => PathSet
}

export type Applied =
  | { readonly ok: true; readonly object: Typed; readonly managers: Managers }
  | { readonly ok: false; readonly conflicts: readonly Conflict[] }

export interface ApplyRequest {
  readonly live: Typed
  readonly config: Typed
  readonly apiVersion: string
  readonly managers: Managers
  readonly manager: string
  /** Takes fields over from their managers instead of reporting conflicts. */
  readonly force: boolean
}

/**
 * Applies a configuration (structured-merge-diff 6, merge/update.go): merges it, removes what this manager applied before
 * and nobody owns now, and finds whose fields change. An object that does not change is the live one.
 */
export function apply(request: ApplyRequest, world: World): Applied {
  const { live, config, apiVersion, manager, force } = request
  const managers = reconciled(live, request.managers, world)
  const last = managers.get(manager)
  const mentioned = filtered(fieldSetOf(config.type, config.value), apiVersion, world)
  // The same set as before is the same object, so that what is known about it need not be found out again.
  const set = last && sameSet(last.set, mentioned) ? last.set : mentioned
  managers.set(manager, { set, apiVersion, applied: true })
  const merged: Typed = { value: merge(live.type, live.value, config.value), type: live.type }
  const object = last ? prune(merged, { managers, apiVersion, last, set }, world) : merged
  const updated = update({ live, next: object, apiVersion, managers, manager }, world)
  if (!force && updated.conflicts.size > 0) return { ok: false, conflicts: conflictsOf(updated.conflicts) }
  release(managers, updated)
  const isSame = isEqual(live.value, object.value)
  return { ok: true, object: isSame ? live : object, managers }
}

export interface UpdateRequest {
  readonly live: Typed
  readonly next: Typed
  readonly apiVersion: string
  readonly managers: Managers
  readonly manager: string
}

/** Tracks a change that was made by other means: what changed is owned by the manager, and by nobody else. */
export function trackChange(request: UpdateRequest, world: World): Managers {
  const managers = reconciled(request.live, request.managers, world)
  const { manager, apiVersion } = request
  const updated = update({ ...request, managers }, world)
  release(managers, updated)
  const { removed, modified, added } = updated.comparison
  const before = managers.get(manager)?.set ?? emptySet
  const set = filtered(union(union(difference(before, removed), modified), added), apiVersion, world)
  if (set.isEmpty) managers.delete(manager)
  else managers.set(manager, { set, apiVersion, applied: false })
  return managers
}

function filtered(set: PathSet, apiVersion: string, { filter }: World): PathSet {
  return filter ? filter(set, apiVersion) : set
}

/** Sets adapted to the types as they are now; managers of versions that are gone are left out. */
function reconciled(live: Typed, managers: Managers, { convert }: World): Map<string, VersionedSet> {
  const result = new Map<string, VersionedSet>()
  for (const [manager, versioned] of managers) {
    const object = convert(live, versioned.apiVersion)
    if (!object) continue
    const set = reconcileWithType(versioned.set, object.type)
    result.set(manager, set === versioned.set ? versioned : { ...versioned, set })
  }
  return result
}

interface Update {
  readonly comparison: Comparison
  readonly conflicts: ReadonlyMap<string, PathSet>
  readonly removed: ReadonlyMap<string, PathSet>
}

type Mutable = Omit<UpdateRequest, 'managers'> & { readonly managers: Map<string, VersionedSet> }

/** Finds what other managers own of what changes. Managers of versions that are gone are dropped. */
function update({ live, next, apiVersion, managers, manager }: Mutable, world: World): Update {
  const comparison = filteredComparison(compare(live.type, live.value, next.value), apiVersion, world)
  const versions = new Map<string, Comparison>([[apiVersion, comparison]])
  const conflicts = new Map<string, PathSet>()
  const removed = new Map<string, PathSet>()
  for (const [other, owned] of managers) {
    if (other === manager) continue
    const known = versions.get(owned.apiVersion) ?? comparisonIn(owned.apiVersion, live, next, world)
    if (!known) {
      managers.delete(other)
      continue
    }
    versions.set(owned.apiVersion, known)
    const conflict = intersection(owned.set, union(known.modified, known.added))
    if (!conflict.isEmpty) conflicts.set(other, conflict)
    if (!known.removed.isEmpty) removed.set(other, known.removed)
  }
  return { comparison, conflicts, removed }
}

function comparisonIn(apiVersion: string, live: Typed, next: Typed, world: World): Comparison | undefined {
  const before = world.convert(live, apiVersion)
  const after = before && world.convert(next, apiVersion)
  return after && filteredComparison(compare(before.type, before.value, after.value), apiVersion, world)
}

function filteredComparison(comparison: Comparison, apiVersion: string, { filter }: World): Comparison {
  if (!filter) return comparison
  return {
    removed: filter(comparison.removed, apiVersion),
    modified: filter(comparison.modified, apiVersion),
    added: filter(comparison.added, apiVersion),
  }
}

/** Takes changed and removed fields away from their managers, and managers without fields from the list. */
function release(managers: Map<string, VersionedSet>, { conflicts, removed }: Update): void {
  for (const lost of [conflicts, removed]) {
    for (const [manager, paths] of lost) {
      const owned = managers.get(manager)
      const set = owned && difference(owned.set, paths)
      if (owned && set && set !== owned.set) managers.set(manager, { ...owned, set })
    }
  }
  for (const [manager, { set }] of managers) if (set.isEmpty) managers.delete(manager)
}

function conflictsOf(conflicts: ReadonlyMap<string, PathSet>): readonly Conflict[] {
  return [...conflicts].flatMap(([manager, set]) => [...set.paths()].map((path) => ({ manager, path })))
}

interface Pruning {
  readonly managers: Managers
  readonly apiVersion: string
  /** What the manager applied the last time. */
  readonly last: VersionedSet
  /** What it applies now. */
  readonly set: PathSet
}

/** Removes what the manager applied the last time, does not apply now, and nobody else owns. */
function prune(merged: Typed, { managers, apiVersion, last, set }: Pruning, world: World): Typed {
  if (last.set.isEmpty || (last.apiVersion === apiVersion && isSubset(last.set, set))) return merged
  const start = world.convert(merged, last.apiVersion)
  if (!start) return merged
  const without: Typed = {
    ...start,
    value: removeItems(start.type, start.value, withNamedFields(last.set, start.type)),
  }
  const owned = restoreOwned(start, without, { managers, apiVersion: last.apiVersion }, world)
  const pruned = restoreDangling(start, owned, last, world)
  return world.convert(pruned, apiVersion) ?? merged
}

/** Brings back what somebody owns, version by version, first in the version that was pruned. */
function restoreOwned(
  merged: Typed,
  pruned: Typed,
  { managers, apiVersion }: { readonly managers: Managers; readonly apiVersion: string },
  world: World,
): Typed {
  const byVersion = new Map<string, PathSet>([[apiVersion, emptySet]])
  for (const { apiVersion: version, set } of managers.values()) {
    byVersion.set(version, union(byVersion.get(version) ?? emptySet, set))
  }
  let [whole, kept] = [merged, pruned]
  for (const [version, managed] of byVersion) {
    if (version === apiVersion && ![...managers.values()].some((owner) => owner.apiVersion === version)) continue
    const wholeThere = world.convert(whole, version)
    const keptThere = wholeThere && world.convert(kept, version)
    if (!keptThere) continue
    const { type } = wholeThere
    const present = withNamedFields(fieldSetOf(type, wholeThere.value), type)
    const stays = union(withNamedFields(fieldSetOf(type, keptThere.value), type), withNamedFields(managed, type))
    whole = wholeThere
    kept = { type, value: removeItems(type, wholeThere.value, difference(present, stays)) }
  }
  return kept
}

/** Brings back what the manager had not applied: what nobody owns is not its to remove. */
function restoreDangling(merged: Typed, pruned: Typed, last: VersionedSet, world: World): Typed {
  const kept = world.convert(pruned, last.apiVersion)
  if (!kept) return merged
  const { type } = merged
  const present = withNamedFields(fieldSetOf(type, merged.value), type)
  const stays = withNamedFields(fieldSetOf(type, kept.value), type)
  const gone = intersection(difference(present, stays), withNamedFields(last.set, type))
  return { type, value: removeItems(type, merged.value, gone) }
}
