import { setCondition, withoutCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { podPhaseOf, podSpecOf } from '../../kube/pod.ts'
import { matchesLabels } from '../../kube/selector.ts'
import { parseTime } from '../../kube/time.ts'
import { own } from '../../lib/json.ts'
import { selectorOf } from '../pods/claim.ts'
import { conditionOf } from '../../kube/condition.ts'
import { isActive, isAvailable, isReady, nextAvailableInMs, podStatusOf } from '../pods/pod-state.ts'
import type { Observed } from './observe.ts'
import { replicaSetSpecOf, type ReplicaSetStatus, replicaSetStatusOf } from './replicaset.ts'

/** What brings the number of Pods closer to what is asked for. */
export type ReplicaSetPlan =
  | { readonly do: 'create'; readonly count: number; readonly because: string }
  | { readonly do: 'delete'; readonly pods: readonly KubeObject[]; readonly because: string }
  | { readonly do: 'keep'; readonly because: string }

/** At most so many Pods are made or removed in one turn. */
const BURST = 500

/** Compares the Pods that count with the number that is asked for. */
export function planReplicaSet({ set, claims, pods, crowd }: Observed): ReplicaSetPlan {
  if (set.metadata.deletionTimestamp !== undefined) return { do: 'keep', because: 'the ReplicaSet is being deleted' }
  const { replicas: wanted = 1 } = replicaSetSpecOf(set)
  const active = pods.filter(isActive)
  // Orphans that are taken over in this turn count in the next.
  const have = active.length + claims.adopt.length
  const because = `${have} of ${wanted} Pods`
  if (have < wanted) return { do: 'create', count: Math.min(wanted - have, BURST), because }
  if (have > wanted && active.length > 0) {
    const surplus = Math.min(have - wanted, BURST, active.length)
    const ranked = active.toSorted((a, b) => leavesFirst(a, b, crowd))
    return { do: 'delete', pods: ranked.slice(0, surplus), because }
  }
  return { do: 'keep', because }
}

const phaseRank = (pod: KubeObject): number => ['Pending', 'Unknown', 'Running'].indexOf(podPhaseOf(pod))
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'

function deletionCost({ metadata }: KubeObject): number {
  const text = metadata.annotations && own(metadata.annotations, DELETION_COST)
  return text !== undefined && /^-?(?:0|[1-9]\d*)$/.test(text) ? Number(text) : 0
}

const restarts = (pod: KubeObject): number =>
  Math.max(0, ...(podStatusOf(pod).containerStatuses ?? []).map(({ restartCount = 0 }) => restartCount))

const readySinceMs = (pod: KubeObject): number =>
  parseTime(conditionOf(podStatusOf(pod).conditions, 'Ready')?.lastTransitionTime ?? '') ?? 0

const nodeOf = (pod: KubeObject): string => podSpecOf(pod).nodeName ?? ''
const createdMs = ({ metadata }: KubeObject): number => parseTime(metadata.creationTimestamp ?? '') ?? 0

/** In this order; the first in which two Pods differ decides, and the smaller leaves. */
const measures: readonly ((pod: KubeObject, crowd: ReadonlyMap<string, number>) => number)[] = [
  (pod) => Number(nodeOf(pod) !== ''),
  phaseRank,
  (pod) => Number(isReady(pod)),
  deletionCost,
  (pod, crowd) => -(crowd.get(nodeOf(pod)) ?? 0),
  (pod) => -readySinceMs(pod),
  (pod) => -restarts(pod),
  (pod) => -createdMs(pod),
]

/** Which Pod is missed least: unplaced, not running, not ready, cheap, crowded, young, restless. */
export function leavesFirst(a: KubeObject, b: KubeObject, crowd: ReadonlyMap<string, number>): number {
  for (const measure of measures) {
    const difference = measure(a, crowd) - measure(b, crowd)
    if (difference !== 0) return difference
  }
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}

/** A write that was refused, as a condition tells it. */
export interface Failure {
  readonly reason: 'FailedCreate' | 'FailedDelete'
  readonly message: string
}

/** The status that follows from the Pods and from whether the last write was refused. */
export function planReplicaSetStatus(seen: Observed, failure: Failure | undefined): ReplicaSetStatus {
  const { set, nowMs } = seen
  const { minReadySeconds = 0, template } = replicaSetSpecOf(set)
  const pods = seen.pods.filter(isActive)
  const labels = selectorOf({ matchLabels: template?.metadata?.labels ?? {} }) ?? []
  const ready = pods.filter(isReady).length
  const available = pods.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length
  const labeled = pods.filter(({ metadata }) => matchesLabels(labels, metadata.labels)).length
  const before = replicaSetStatusOf(set).conditions
  const told = conditionOf(before, 'ReplicaFailure')
  // The message names a Pod that never was, another one each time: what was told once stays, or there would be no end of it.
  const isTold = failure !== undefined && told?.status === 'True' && told.reason === failure.reason
  const conditions = isTold
    ? (before ?? [])
    : failure
      ? setCondition(before, { type: 'ReplicaFailure', status: 'True', ...failure }, nowMs)
      : withoutCondition(before, 'ReplicaFailure')
  return {
    replicas: pods.length,
    ...(labeled > 0 ? { fullyLabeledReplicas: labeled } : {}),
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(available > 0 ? { availableReplicas: available } : {}),
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(conditions.length > 0 ? { conditions } : {}),
  }
}

/** When a Pod that is ready will count as available. */
export function nextLookMs({ set, pods, nowMs }: Observed): number | undefined {
  return nextAvailableInMs(pods.filter(isActive), replicaSetSpecOf(set).minReadySeconds ?? 0, nowMs)
}
