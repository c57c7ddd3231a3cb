import { conditionOf } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime, parseTime } from '../../kube/time.ts'
import { replicaSetSpecOf, replicaSetStatusOf } from '../replicaset/replicaset.ts'
import {
  boundsOf,
  type DeploymentCondition,
  deploymentSpecOf,
  type DeploymentStatus,
  deploymentStatusOf,
} from './deployment.ts'
import type { Observed } from './observe.ts'
import { isComplete, type Sets, splitSets } from './plan.ts'

/** What the turn wrote that a status has to tell. */
export interface Outcome {
  /** The set that was made in this turn. */
  readonly created?: string
  /** Why a set could not be made. */
  readonly refused?: string
  readonly collided?: boolean
}

/** The status that follows from the sets, and when it changes by itself. */
export function planStatus(seen: Observed, outcome: Outcome): { status: DeploymentStatus; againAfterMs?: number } {
  const { deployment, sets, nowMs } = seen
  const split = splitSets(deployment, sets)
  const before = deploymentStatusOf(deployment)
  const counts = countsOf(split)
  const conditions = [
    progressing(seen, split, counts, outcome),
    available(deployment, counts),
    replicaFailure(sets, outcome),
  ].flatMap((next) => (next ? timed(next, before.conditions, nowMs) : []))
  const collisions = (before.collisionCount ?? 0) + (outcome.collided ? 1 : 0)
  const status: DeploymentStatus = {
    ...(deployment.metadata.generation === undefined ? {} : { observedGeneration: deployment.metadata.generation }),
    ...nonZero(counts),
    ...(collisions > 0 ? { collisionCount: collisions } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
  }
  const againAfterMs = deadlineInMs(deployment, conditions, nowMs)
  return { status, ...(againAfterMs === undefined ? {} : { againAfterMs }) }
}

type Counts = Required<
  Pick<DeploymentStatus, 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas' | 'unavailableReplicas'>
>

function countsOf({ current, old }: Sets): Counts {
  const all = current ? [...old, current] : old
  const total = (of: (set: KubeObject) => number): number => all.reduce((sum, set) => sum + of(set), 0)
  const availableReplicas = total((set) => replicaSetStatusOf(set).availableReplicas ?? 0)
  const wanted = total((set) => replicaSetSpecOf(set).replicas ?? 1)
  return {
    replicas: total((set) => replicaSetStatusOf(set).replicas ?? 0),
    updatedReplicas: current ? (replicaSetStatusOf(current).replicas ?? 0) : 0,
    readyReplicas: total((set) => replicaSetStatusOf(set).readyReplicas ?? 0),
    availableReplicas,
    unavailableReplicas: Math.max(0, wanted - availableReplicas),
  }
}

function nonZero(counts: Counts): Partial<Counts> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
}

function available(deployment: KubeObject, { availableReplicas }: Counts): DeploymentCondition {
  const spec = deploymentSpecOf(deployment)
  const isEnough = availableReplicas >= (spec.replicas ?? 1) - boundsOf(spec).unavailable
  return isEnough
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
}

function replicaFailure(sets: readonly KubeObject[], { refused }: Outcome): DeploymentCondition | undefined {
  if (refused !== undefined)
    return { type: 'ReplicaFailure', status: 'True', reason: 'ReplicaSetCreateError', message: refused }
  for (const set of sets) {
    const failing = conditionOf(replicaSetStatusOf(set).conditions, 'ReplicaFailure')
    const { reason = '', message = '' } = failing ?? {}
    if (failing?.status === 'True') return { type: 'ReplicaFailure', status: 'True', reason, message }
  }
  return undefined
}

const progress = (status: 'True' | 'False' | 'Unknown', reason: string, message: string): DeploymentCondition => ({
  type: 'Progressing',
  status,
  reason,
  message,
})

/** Without a deadline nobody watches the progress. */
const NEVER = 2_147_483_647

function progressing(seen: Observed, split: Sets, counts: Counts, outcome: Outcome): DeploymentCondition | undefined {
  const { deployment } = seen
  const { progressDeadlineSeconds = 600, paused } = deploymentSpecOf(deployment)
  const old = conditionOf(deploymentStatusOf(deployment).conditions, 'Progressing')
  if (progressDeadlineSeconds === NEVER) return undefined
  if (outcome.refused !== undefined) return progress('False', 'ReplicaSetCreateError', outcome.refused)
  if (paused === true) {
    const isTooLate = old?.reason === 'ProgressDeadlineExceeded'
    return isTooLate ? old : progress('Unknown', 'DeploymentPaused', 'Deployment is paused')
  }
  if (outcome.created !== undefined)
    return progress('True', 'NewReplicaSetCreated', `Created new replica set ${JSON.stringify(outcome.created)}`)
  if (old?.reason === 'DeploymentPaused') return progress('Unknown', 'DeploymentResumed', 'Deployment is resumed')
  const { name } = split.current?.metadata ?? deployment.metadata
  const what = `${split.current ? 'ReplicaSet' : 'Deployment'} ${JSON.stringify(name)}`
  if (isComplete(deployment, split))
    return progress('True', 'NewReplicaSetAvailable', `${what} has successfully progressed.`)
  return underWay(seen, { counts, old, what }, progressDeadlineSeconds * 1_000)
}

interface UnderWay {
  readonly counts: Counts
  readonly old: DeploymentCondition | undefined
  readonly what: string
}

function underWay(
  { deployment, nowMs }: Observed,
  { counts, old, what }: UnderWay,
  deadlineMs: number,
): DeploymentCondition {
  const before = deploymentStatusOf(deployment)
  const moved = hasMoved(counts, before)
  const wasDone = old?.reason === 'NewReplicaSetAvailable'
  if (moved || !old || (wasDone && before.observedGeneration !== deployment.metadata.generation)) {
    const updated = progress('True', 'ReplicaSetUpdated', `${what} is progressing.`)
    return moved ? { ...updated, lastUpdateTime: formatTime(nowMs) } : updated
  }
  if (wasDone || old.reason === 'ProgressDeadlineExceeded') return old
  const sinceMs = parseTime(old.lastUpdateTime ?? '') ?? nowMs
  const isTooLate = sinceMs + deadlineMs <= nowMs
  return isTooLate ? progress('False', 'ProgressDeadlineExceeded', `${what} has timed out progressing.`) : old
}

/** More of the present template, or less of the others, than when it was last told. */
function hasMoved(counts: Counts, before: DeploymentStatus): boolean {
  return (
    counts.updatedReplicas > (before.updatedReplicas ?? 0) ||
    counts.readyReplicas > (before.readyReplicas ?? 0) ||
    counts.availableReplicas > (before.availableReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas < (before.replicas ?? 0) - (before.updatedReplicas ?? 0)
  )
}

/** When the rollout has had its time, if it is not over by then. */
function deadlineInMs(
  deployment: KubeObject,
  conditions: readonly DeploymentCondition[],
  nowMs: number,
): number | undefined {
  const { progressDeadlineSeconds = 600, paused } = deploymentSpecOf(deployment)
  const now = conditionOf(conditions, 'Progressing')
  const isOver = !now || now.reason === 'NewReplicaSetAvailable' || now.reason === 'ProgressDeadlineExceeded'
  if (isOver || paused === true) return undefined
  const sinceMs = parseTime(now.lastUpdateTime ?? '') ?? nowMs
  return Math.max(1_000, sinceMs + progressDeadlineSeconds * 1_000 - nowMs)
}

/** Keeps the times of a condition that says the same as before. */
function timed(
  next: DeploymentCondition,
  conditions: readonly DeploymentCondition[] | undefined,
  nowMs: number,
): DeploymentCondition {
  const old = conditionOf(conditions, next.type)
  const now = formatTime(nowMs)
  const isSame = old?.status === next.status && old.reason === next.reason && old.message === next.message
  return {
    ...next,
    lastUpdateTime: next.lastUpdateTime ?? (isSame ? (old.lastUpdateTime ?? now) : now),
    lastTransitionTime: old?.status === next.status ? (old.lastTransitionTime ?? now) : now,
  }
}
