import type { Result } from '../../lib/result.ts'
import type { ManagedFieldsEntry } from '../object.ts'
import { fieldElement } from './apply/path-element.ts'
import { difference, type Path, setOf } from './apply/path-set.ts'
import type { VersionedSet } from './apply/updater.ts'
import { decodeManaged, encodeManaged } from './managed-entries.ts'
import { attempt } from './refusal.ts'

const scaleVersion = 'autoscaling/v1'
const replicasInScale: Path = [fieldElement('spec'), fieldElement('replicas')]

/** Where each version of a kind keeps its number of replicas; undefined where it has none. */
export type ReplicasPaths = ReadonlyMap<string, readonly string[] | undefined>

/** Who manages the replicas of an object, in the words of its `scale` subresource. */
export function scaleEntries(
  parent: readonly ManagedFieldsEntry[],
  paths: ReplicasPaths,
): Result<readonly ManagedFieldsEntry[]> {
  return attempt(() => {
    const { managers, times } = decodeManaged(parent)
    const owners = [...managers].filter(([, { set, apiVersion }]) => {
      const path = paths.get(apiVersion)?.map(fieldElement)
      return path !== undefined && set.has(path)
    })
    const scaled = owners.map(([manager, { applied }]): [string, VersionedSet] => [
      manager,
      { set: setOf([replicasInScale]), apiVersion: scaleVersion, applied },
    ])
    return encodeManaged({ managers: new Map(scaled), times })
  })
}

/** The entries of an object after its `scale` was written: the replicas belong to whom the scale's entries say. */
export function parentEntries(
  parent: readonly ManagedFieldsEntry[],
  scale: readonly ManagedFieldsEntry[],
  apiVersion: string,
  paths: ReplicasPaths,
): Result<readonly ManagedFieldsEntry[]> {
  return attempt(() => {
    const before = decodeManaged(parent)
    const scaled = decodeManaged(scale)
    const managers = new Map<string, VersionedSet>()
    const times = new Map(before.times)
    const claims = new Map(scaled.managers)
    for (const [manager, owned] of before.managers) {
      if (!paths.has(owned.apiVersion)) continue
      const path = paths.get(owned.apiVersion)?.map(fieldElement)
      const isOwner = path !== undefined && owned.set.has(path)
      if (!isOwner || claims.delete(manager)) managers.set(manager, owned)
      else {
        const set = difference(owned.set, setOf([path]))
        if (!set.isEmpty) managers.set(manager, { ...owned, set })
      }
    }
    const here = paths.get(apiVersion)?.map(fieldElement)
    for (const [manager, { set, applied }] of claims) {
      if (!here || !set.has(replicasInScale)) continue
      managers.set(manager, { set: setOf([here]), apiVersion, applied })
      if (!times.has(manager)) times.set(manager, scaled.times.get(manager))
    }
    return encodeManaged({ managers, times }, parent)
  })
}
