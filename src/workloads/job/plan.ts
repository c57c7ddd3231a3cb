import { type Condition, isTrue, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { podPhaseOf } from '../../kube/pod.ts'
import { formatTime, parseTime } from '../../kube/time.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import { isActive, isReady, podStatusOf } from '../pods/pod-state.ts'
import {
  indexOf,
  isJobFinished,
  type JobSpec,
  jobSpecOf,
  type JobStatus,
  jobStatusOf,
  readIndexes,
  writeIndexes,
} from './job.ts'
import type { Observed } from './observe.ts'

/** What a Job needs now, and how it stands before that is done. */
export interface JobPlan {
  /** Pods to make; one with an index works on it. */
  readonly create: readonly { readonly index?: number }[]
  readonly remove: readonly KubeObject[]
  readonly status: JobStatus
  readonly notes: readonly EventNote[]
  readonly againAfterMs?: number
  readonly because: string
}

interface Tally {
  readonly active: readonly KubeObject[]
  readonly succeeded: number
  readonly failed: number
  readonly completed: ReadonlySet<number>
  readonly conditions: readonly Condition[]
  readonly startTime: string | undefined
}

/** Decides from the Pods that are there and from what the status remembers of those that are not. */
export function planJob(seen: Observed): JobPlan {
  const { job } = seen
  const spec = jobSpecOf(job)
  const tally = tallyOf(seen, spec)
  if (isJobFinished(job)) return plan(seen, tally, { because: 'the Job is finished' })
  if (job.metadata.deletionTimestamp !== undefined) return plan(seen, tally, { because: 'the Job is being deleted' })
  const end = failureOf(seen, spec, tally)
  if (end) return failed(seen, tally, end)
  if (isDone(spec, tally)) return complete(seen, tally)
  if (spec.suspend === true) return suspended(seen, tally)
  return run(seen, spec, resumed(seen, tally))
}

function tallyOf({ job, pods, nowMs }: Observed, spec: JobSpec): Tally {
  const before = jobStatusOf(job)
  const ended = (phase: string): readonly KubeObject[] => pods.filter((pod) => podPhaseOf(pod) === phase)
  const completed = new Set(readIndexes(before.completedIndexes ?? '', spec.completions ?? 0))
  if (spec.completionMode === 'Indexed') {
    for (const pod of ended('Succeeded')) {
      const index = indexOf(pod)
      if (index !== undefined && index < (spec.completions ?? 0)) completed.add(index)
    }
  }
  // A Pod that somebody removed stays counted: counts never fall.
  const succeeded =
    spec.completionMode === 'Indexed' ? completed.size : Math.max(before.succeeded ?? 0, ended('Succeeded').length)
  return {
    active: pods.filter(isActive),
    succeeded,
    failed: Math.max(before.failed ?? 0, ended('Failed').length),
    completed,
    conditions: before.conditions ?? [],
    startTime: before.startTime ?? (spec.suspend === true ? undefined : formatTime(nowMs)),
  }
}

interface Failing {
  readonly reason: string
  readonly message: string
}

function failureOf(
  { nowMs }: Observed,
  spec: JobSpec,
  { active, failed: failures, startTime }: Tally,
): Failing | undefined {
  const { backoffLimit = 6, activeDeadlineSeconds } = spec
  const restarts = active.reduce((sum, pod) => sum + restartsOf(pod), 0)
  const isRestless = spec.template?.spec?.['restartPolicy'] === 'OnFailure'
  const tooOften = isRestless && (backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit)
  if (failures > backoffLimit || tooOften)
    return { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
  const startMs = startTime === undefined ? undefined : parseTime(startTime)
  const isLate =
    spec.suspend !== true &&
    activeDeadlineSeconds !== undefined &&
    startMs !== undefined &&
    nowMs - startMs >= activeDeadlineSeconds * 1_000
  return isLate ? { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' } : undefined
}

const restartsOf = (pod: KubeObject): number =>
  [...(podStatusOf(pod).initContainerStatuses ?? []), ...(podStatusOf(pod).containerStatuses ?? [])].reduce(
    (sum, { restartCount = 0 }) => sum + restartCount,
    0,
  )

/** With no number of completions the first success is enough, once the others have ended too. */
function isDone({ completions }: JobSpec, { active, succeeded }: Tally): boolean {
  return completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions
}

function failed(seen: Observed, tally: Tally, { reason, message }: Failing): JobPlan {
  const { nowMs } = seen
  let conditions = setCondition(tally.conditions, { type: 'FailureTarget', status: 'True', reason, message }, nowMs)
  // Failed is final: it is said once nothing runs any more.
  const isOver = tally.active.length === 0 && going(seen).length === 0
  if (isOver) conditions = setCondition(conditions, { type: 'Failed', status: 'True', reason, message }, nowMs)
  return plan(
    seen,
    { ...tally, conditions },
    { remove: tally.active, notes: isOver ? [{ type: 'Warning', reason, message }] : [], because: message },
  )
}

function complete(seen: Observed, tally: Tally): JobPlan {
  const { nowMs } = seen
  const because = { reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
  let conditions = setCondition(tally.conditions, { type: 'SuccessCriteriaMet', status: 'True', ...because }, nowMs)
  const isOver = tally.active.length === 0 && going(seen).length === 0
  if (isOver) conditions = setCondition(conditions, { type: 'Complete', status: 'True', ...because }, nowMs)
  return plan(
    seen,
    { ...tally, conditions },
    {
      remove: tally.active,
      notes: isOver ? [{ type: 'Normal', reason: 'Completed', message: 'Job completed' }] : [],
      because: because.message,
      ...(isOver ? { completionTime: formatTime(nowMs) } : {}),
    },
  )
}

const going = ({ pods }: Observed): readonly KubeObject[] =>
  pods.filter(
    (pod) => pod.metadata.deletionTimestamp !== undefined && !['Succeeded', 'Failed'].includes(podPhaseOf(pod)),
  )

function suspended(seen: Observed, tally: Tally): JobPlan {
  const wasSuspended = isTrue(tally.conditions, 'Suspended')
  const told: Condition = { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' }
  const conditions = setCondition(tally.conditions, told, seen.nowMs)
  return plan(
    seen,
    { ...tally, conditions, startTime: undefined },
    {
      remove: tally.active,
      notes: wasSuspended ? [] : [{ type: 'Normal', reason: 'Suspended', message: 'Job suspended' }],
      because: 'the Job is suspended',
    },
  )
}

function resumed({ nowMs }: Observed, tally: Tally): Tally {
  if (!isTrue(tally.conditions, 'Suspended')) return tally
  const told: Condition = { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' }
  return { ...tally, conditions: setCondition(tally.conditions, told, nowMs), startTime: formatTime(nowMs) }
}

const FIRST_BACKOFF_MS = 10_000
const LONGEST_BACKOFF_MS = 600_000

/** How long the next Pod is held back after failures in a row. */
export function backoffInMs({ pods, nowMs }: Pick<Observed, 'pods' | 'nowMs'>): number {
  const ends = (phase: string): readonly number[] =>
    pods.filter((pod) => podPhaseOf(pod) === phase).map((pod) => endOf(pod, nowMs))
  const lastSuccess = Math.max(0, ...ends('Succeeded'))
  const failures = ends('Failed').filter((end) => end > lastSuccess)
  if (failures.length === 0) return 0
  const delayMs = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures.length - 1, 10), LONGEST_BACKOFF_MS)
  return Math.max(0, Math.max(...failures) + delayMs - nowMs)
}

const endOf = (pod: KubeObject, nowMs: number): number =>
  Math.max(
    0,
    ...(podStatusOf(pod).containerStatuses ?? []).map(
      ({ state }) => parseTime(state?.terminated?.finishedAt ?? '') ?? 0,
    ),
  ) || nowMs

function run(seen: Observed, spec: JobSpec, tally: Tally): JobPlan {
  const { parallelism = 1, completions, activeDeadlineSeconds } = spec
  const { active, succeeded, startTime } = tally
  const wanted =
    completions === undefined
      ? succeeded > 0
        ? active.length
        : parallelism
      : Math.min(parallelism, completions - succeeded)
  const deadlineMs =
    activeDeadlineSeconds === undefined
      ? undefined
      : (parseTime(startTime ?? '') ?? seen.nowMs) + activeDeadlineSeconds * 1_000 - seen.nowMs
  const because = `${active.length} of ${wanted} Pods are active, ${succeeded} have succeeded`
  if (active.length > wanted) {
    const remove = active.toSorted((a, b) => Number(isReady(a)) - Number(isReady(b))).slice(0, active.length - wanted)
    return plan(seen, tally, { remove, because, ...again(deadlineMs) })
  }
  // One that is on its way out is not replaced before it has gone.
  const missing = Math.max(0, wanted - active.length - going(seen).length)
  const waitMs = missing > 0 ? backoffInMs(seen) : 0
  if (waitMs > 0) return plan(seen, tally, { because: `${because}; the last one failed`, ...again(waitMs, deadlineMs) })
  const create =
    spec.completionMode === 'Indexed'
      ? freeIndexes(seen, tally, completions ?? 0, missing).map((index) => ({ index }))
      : Array.from({ length: Math.min(missing, 500) }, () => ({}))
  return plan(seen, tally, { create, because, ...again(deadlineMs) })
}

const again = (...waits: readonly (number | undefined)[]): { againAfterMs?: number } => {
  const known = waits.flatMap((wait) => (wait === undefined ? [] : [Math.max(1, wait)]))
  return known.length > 0 ? { againAfterMs: Math.min(...known) } : {}
}

function freeIndexes({ pods }: Observed, { completed }: Tally, completions: number, count: number): readonly number[] {
  const taken = new Set(pods.filter(isActive).map(indexOf))
  const free: number[] = []
  for (let index = 0; index < completions && free.length < Math.min(count, 500); index++)
    if (!completed.has(index) && !taken.has(index)) free.push(index)
  return free
}

interface Doing extends Partial<Pick<JobPlan, 'create' | 'remove' | 'notes' | 'againAfterMs'>> {
  readonly because: string
  readonly completionTime?: string
}

function plan(seen: Observed, tally: Tally, doing: Doing): JobPlan {
  const { create = [], remove = [], notes = [], because, againAfterMs } = doing
  const before = jobStatusOf(seen.job)
  const active = tally.active.length - remove.length + create.length
  const ready = tally.active.filter((pod) => isReady(pod) && !remove.includes(pod)).length
  const terminating = going(seen).length + remove.length
  const completionTime = doing.completionTime ?? before.completionTime
  const status: JobStatus = {
    ...(tally.conditions.length > 0 ? { conditions: tally.conditions } : {}),
    ...(tally.startTime === undefined ? {} : { startTime: tally.startTime }),
    ...(completionTime === undefined ? {} : { completionTime }),
    ...(active > 0 ? { active } : {}),
    ...(tally.succeeded > 0 ? { succeeded: tally.succeeded } : {}),
    ...(tally.failed > 0 ? { failed: tally.failed } : {}),
    ...(tally.completed.size > 0 ? { completedIndexes: writeIndexes(tally.completed) } : {}),
    terminating,
    ready,
    uncountedTerminatedPods: {},
  }
  return { create, remove, notes, status, because, ...(againAfterMs === undefined ? {} : { againAfterMs }) }
}
