import type { KubeObject } from '../../kube/object.ts'
import { isFinished, podPhaseOf } from '../../kube/pod.ts'
import { amountOf } from '../deployment/deployment.ts'
import { isAvailable, isReady, nextAvailableInMs } from '../pods/pod-state.ts'
import type { Observed } from './observe.ts'
import { statefulSetSpecOf, type StatefulSetStatus, statefulSetStatusOf } from './statefulset.ts'

/** The next small step of a StatefulSet. */
export interface StatefulSetPlan {
  /** Numbers that get a Pod, each from a revision. */
  readonly create: readonly { readonly ordinal: number; readonly revision: string }[]
  readonly remove: readonly KubeObject[]
  /** Numbers whose Pods wait, perhaps for claims that are missing. */
  readonly unclaimed: readonly number[]
  readonly status: StatefulSetStatus
  readonly againAfterMs?: number
  readonly because: string
}

type Step = Pick<StatefulSetPlan, 'create' | 'remove' | 'because'>

const revisionOf = (pod: KubeObject): string => pod.metadata.labels?.['controller-revision-hash'] ?? ''
const isGoing = (pod: KubeObject): boolean => pod.metadata.deletionTimestamp !== undefined
const nothing = (because: string): Step => ({ create: [], remove: [], because })

/** In order, one at a time, unless Pods are managed in parallel: make, then take away, then replace from the top. */
export function planStatefulSet(seen: Observed): StatefulSetPlan {
  const { set, pods, nowMs } = seen
  const { minReadySeconds = 0 } = statefulSetSpecOf(set)
  const status = statusOf(seen)
  const waitMs = nextAvailableInMs([...pods.values()], minReadySeconds, nowMs)
  const later = waitMs === undefined ? {} : { againAfterMs: waitMs }
  if (isGoing(set)) return { ...nothing('the StatefulSet is being deleted'), unclaimed: [], status }
  const unclaimed = [...pods].flatMap(([ordinal, pod]) =>
    podPhaseOf(pod) === 'Pending' && !isGoing(pod) && ordinal < rangeOf(seen).end ? [ordinal] : [],
  )
  const step = grow(seen) ?? shrink(seen) ?? update(seen) ?? nothing('nothing to do')
  return { ...step, unclaimed, status, ...later }
}

interface Range {
  readonly start: number
  readonly end: number
  readonly isParallel: boolean
}

function rangeOf({ set }: Observed): Range {
  const { replicas = 1, ordinals = {}, podManagementPolicy } = statefulSetSpecOf(set)
  const start = ordinals.start ?? 0
  return { start, end: start + replicas, isParallel: podManagementPolicy === 'Parallel' }
}

const serves = (pod: KubeObject | undefined, { set, nowMs }: Observed): boolean =>
  pod !== undefined && !isGoing(pod) && isAvailable(pod, statefulSetSpecOf(set).minReadySeconds ?? 0, nowMs)

/** Below the partition a Pod that is lost comes back as it was. */
function revisionFor(ordinal: number, seen: Observed): string {
  const { set, revisions } = seen
  const { updateStrategy = {} } = statefulSetSpecOf(set)
  const { currentRevision } = statefulSetStatusOf(set)
  const { partition = 0 } = updateStrategy.rollingUpdate ?? {}
  const isKept = updateStrategy.type !== 'OnDelete' && ordinal < rangeOf(seen).start + partition
  const isKnown = currentRevision !== undefined && revisions.templateOf(currentRevision) !== undefined
  return isKept && isKnown ? currentRevision : revisions.name
}

/** Whatever number is wished for, a turn makes no more than these. */
const MOST_AT_ONCE = 500

function grow(seen: Observed): Step | undefined {
  const { pods } = seen
  const { start, end, isParallel } = rangeOf(seen)
  const create: { ordinal: number; revision: string }[] = []
  const remove: KubeObject[] = []
  for (let ordinal = start; ordinal < end && create.length < MOST_AT_ONCE; ordinal++) {
    const pod = pods.get(ordinal)
    if (!pod) create.push({ ordinal, revision: revisionFor(ordinal, seen) })
    else if (isFinished(pod) && !isGoing(pod)) remove.push(pod)
    else if (serves(pod, seen) || isParallel) continue
    else return nothing(`Pod ${pod.metadata.name} must be available before the next`)
    if (!isParallel) break
  }
  if (create.length + remove.length === 0) return undefined
  return { create, remove, because: 'Pods are missing' }
}

function shrink(seen: Observed): Step | undefined {
  const { pods } = seen
  const { start, end, isParallel } = rangeOf(seen)
  const condemned = [...pods].filter(([ordinal]) => ordinal < start || ordinal >= end).toSorted(([a], [b]) => b - a)
  if (condemned.length === 0) return undefined
  const leaving = condemned.flatMap(([, pod]) => (isGoing(pod) ? [] : [pod]))
  if (isParallel) return { create: [], remove: leaving, because: 'fewer Pods are wished for' }
  if (leaving.length < condemned.length) return nothing('a Pod is still leaving')
  return { create: [], remove: leaving.slice(0, 1), because: 'fewer Pods are wished for' }
}

/** From the highest number down to the partition: one after the other, or as many as may be unavailable. */
function update(seen: Observed): Step | undefined {
  const { set, pods, revisions } = seen
  const { updateStrategy = {}, replicas = 1 } = statefulSetSpecOf(set)
  if (updateStrategy.type === 'OnDelete') return undefined
  const { partition = 0, maxUnavailable = 1 } = updateStrategy.rollingUpdate ?? {}
  const { start, end } = rangeOf(seen)
  const ordinals = Array.from({ length: Math.max(0, end - start - partition) }, (_, at) => end - 1 - at)
  const isOld = (pod: KubeObject | undefined): pod is KubeObject =>
    pod !== undefined && revisionOf(pod) !== revisions.name && !isGoing(pod)
  const allowed = Math.max(1, amountOf(maxUnavailable, replicas, Math.ceil))
  if (allowed === 1) {
    const first = ordinals.find((ordinal) => isOld(pods.get(ordinal)) || !serves(pods.get(ordinal), seen))
    const pod = first === undefined ? undefined : pods.get(first)
    if (isOld(pod)) return { create: [], remove: [pod], because: 'the template is new' }
    return first === undefined ? undefined : nothing('an updated Pod must be available before the next')
  }
  let unavailable = 0
  for (let ordinal = start; ordinal < end; ordinal++) if (!serves(pods.get(ordinal), seen)) unavailable++
  const old = ordinals.flatMap((ordinal) => {
    const pod = pods.get(ordinal)
    return isOld(pod) ? [pod] : []
  })
  const remove = old.slice(0, Math.max(0, allowed - unavailable))
  if (remove.length > 0) return { create: [], remove, because: 'the template is new' }
  return old.length > 0 ? nothing('as many Pods are unavailable as may be') : undefined
}

/** Whom the claims of a number belong to, and so with whom they go. */
export type ClaimOwner = 'nobody' | 'set' | 'pod'

/** By the retention policy: the claims of a Pod that is scaled away go with it, those of a deleted set with the set. */
export function claimOwnerOf(seen: Observed, ordinal: number): ClaimOwner {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } =
    statefulSetSpecOf(seen.set).persistentVolumeClaimRetentionPolicy ?? {}
  const { start, end } = rangeOf(seen)
  const isCondemned = (ordinal < start || ordinal >= end) && !isGoing(seen.set)
  if (isCondemned && whenScaled === 'Delete') return 'pod'
  return whenDeleted === 'Delete' ? 'set' : 'nobody'
}

function statusOf(seen: Observed): StatefulSetStatus {
  const { set, revisions } = seen
  const { replicas: wanted = 1 } = statefulSetSpecOf(set)
  const before = statefulSetStatusOf(set)
  const all = [...seen.pods.values()]
  const living = all.filter((pod) => !isGoing(pod))
  const updated = living.filter((pod) => revisionOf(pod) === revisions.name).length
  const ready = all.filter(isReady).length
  const isComplete = updated === wanted && all.length === wanted && ready === wanted
  const currentRevision = isComplete ? revisions.name : (before.currentRevision ?? revisions.name)
  const current = living.filter((pod) => revisionOf(pod) === currentRevision).length
  return {
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    replicas: all.length,
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(current > 0 ? { currentReplicas: current } : {}),
    ...(updated > 0 ? { updatedReplicas: updated } : {}),
    currentRevision,
    updateRevision: revisions.name,
    collisionCount: before.collisionCount ?? 0,
    availableReplicas: all.filter((pod) => serves(pod, seen)).length,
  }
}
