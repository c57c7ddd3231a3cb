import { isEqual } from '../../lib/json.ts'
import type { KubeObject, ObjectMeta } from '../object.ts'

/** What a kind's own rules change on the way into the store. */
export interface Preparation {
  /** Finishes an object that is to be created; it has its uid and its defaults. */
  readonly create?: (object: KubeObject) => KubeObject
  /** Finishes an object that replaces another. */
  readonly update?: (next: KubeObject, old: KubeObject) => KubeObject
}

/** How a kind behaves when it is written. */
export interface Strategy extends Preparation {
  /** Its status is written through `/status` only. */
  readonly hasStatus: boolean
  /** `metadata.generation` counts the changes of what is wished for. */
  readonly countsGenerations: boolean
  /** Its creator may set its status: a kubelet registers its Node with it. */
  readonly createsWithStatus?: boolean
  /** A write through `/status` leaves labels alone. */
  readonly statusKeepsLabels?: boolean
  /** A write through `/status` leaves everything but status and managed fields alone: custom resources. */
  readonly statusKeepsMetadata?: boolean
}

/** Custom resources: the definition decides about the status; everything but metadata counts. */
export const customResourceStrategy = (hasStatus: boolean): Strategy => ({
  hasStatus,
  countsGenerations: true,
  statusKeepsMetadata: true,
})

/** An object as it is stored first: without a status that is not its writer's to give, and at generation 1. */
export function prepareCreate(object: KubeObject, strategy: Strategy): KubeObject {
  let result = object
  if (strategy.hasStatus && !strategy.createsWithStatus && result['status'] !== undefined) {
    const { status: _, ...rest } = result
    result = rest
  }
  result = withGeneration(result, strategy.countsGenerations ? 1 : undefined)
  return strategy.create ? strategy.create(result) : result
}

function withGeneration(object: KubeObject, generation: number | undefined): KubeObject {
  if (object.metadata.generation === generation) return object
  const { generation: _, ...rest } = object.metadata
  return { ...object, metadata: generation === undefined ? rest : { ...rest, generation } }
}

/** An object as it replaces another through the main resource: the status stays, the generation counts. */
export function prepareUpdate(next: KubeObject, old: KubeObject, strategy: Strategy): KubeObject {
  let result = next
  if (strategy.hasStatus) result = withStatusOf(result, old)
  if (strategy.update) result = strategy.update(result, old)
  const before = old.metadata.generation
  if (!strategy.countsGenerations) return withGeneration(result, before)
  const isChanged = !isEqual(wishOf(result, strategy), wishOf(old, strategy)) || isBeingDeleted(result, old)
  return withGeneration(result, isChanged ? (before ?? 0) + 1 : before)
}

/** The first mark of deletion counts as a change of what is wished for. */
const isBeingDeleted = (next: KubeObject, old: KubeObject): boolean =>
  next.metadata.deletionTimestamp !== undefined && old.metadata.deletionTimestamp === undefined

/** What a generation counts: everything but metadata, and the status where it is written apart. */
function wishOf(object: KubeObject, { hasStatus }: Strategy): unknown {
  const { metadata: _metadata, status, ...rest } = object
  return hasStatus ? rest : { ...rest, status }
}

function withStatusOf(next: KubeObject, old: KubeObject): KubeObject {
  if (next['status'] === old['status']) return next
  if (old['status'] !== undefined) return { ...next, status: old['status'] }
  const { status: _, ...rest } = next
  return rest
}

/** An object as it replaces another through `/status`: nothing but the status, and the metadata that may go with it. */
export function prepareStatusUpdate(next: KubeObject, old: KubeObject, strategy: Strategy): KubeObject {
  const metadata = strategy.statusKeepsMetadata ? statusOnlyMeta(next, old) : statusMeta(next, old, strategy)
  return withStatusOf({ ...old, metadata }, next)
}

/** Fields that identify the write rather than the object. */
function statusOnlyMeta(next: KubeObject, old: KubeObject): ObjectMeta {
  const { managedFields, resourceVersion } = next.metadata
  return {
    ...old.metadata,
    ...(managedFields ? { managedFields } : {}),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  }
}

function statusMeta(next: KubeObject, old: KubeObject, strategy: Strategy): ObjectMeta {
  const { generation, ownerReferences, labels } = old.metadata
  const kept = strategy.statusKeepsLabels ? { labels } : {}
  const entries = Object.entries({ ...next.metadata, generation, ownerReferences, ...kept })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}
