import { type Condition, conditionOf, isTrue, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime, parseTime } from '../../kube/time.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import { isActive, isReady, podStatusOf } from '../pods/pod-state.ts'
import { backoffInMs, indexBackoffInMs } from './backoff.ts'
import { metSuccessRule } from './failure-policy.ts'
import {
  indexOf,
  isJobFinished,
  isTracked,
  type JobSpec,
  jobSpecOf,
  type JobStatus,
  jobStatusOf,
  writeIndexes,
} from './job.ts'
import type { Observed } from './observe.ts'
import { type Tally, tallyOf } from './tally.ts'

/** A Pod to make; one with an index works on it, and carries how often that has failed. */
export interface NewPod {
  readonly index?: number
  readonly failures?: number
  readonly ignored?: number
}

/** What a Job needs now, and how it stands before that is done. */
export interface JobPlan {
  readonly create: readonly NewPod[]
  readonly remove: readonly KubeObject[]
  /** Those of them that do not count as failures: there were too many of them. */
  readonly isExcess: boolean
  readonly status: JobStatus
  /** Pods that lose their finalizer once the status is written. */
  readonly letGo: readonly KubeObject[]
  readonly notes: readonly EventNote[]
  readonly againAfterMs?: number
  readonly because: string
}

/** A Job on its way: its counts, and the conditions that it will have. */
interface Course {
  readonly tally: Tally
  readonly conditions: readonly Condition[]
  readonly startTime: string | undefined
}

/** Decides from the Pods that are there and from what the status remembers of those that are not. */
export function planJob(seen: Observed): JobPlan {
  const { job, pods, nowMs } = seen
  const spec = jobSpecOf(job)
  const before = jobStatusOf(job)
  const conditions = before.conditions ?? []
  const isEnding = isJobFinished(job) || isTrue(conditions, 'FailureTarget') || isTrue(conditions, 'SuccessCriteriaMet')
  const tally = tallyOf(spec, before, pods, isEnding || job.metadata.deletionTimestamp !== undefined)
  const startTime = before.startTime ?? (spec.suspend === true ? undefined : formatTime(nowMs))
  const course: Course = { tally, conditions, startTime }
  if (isJobFinished(job)) return plan(seen, course, { because: 'the Job is finished' })
  if (job.metadata.deletionTimestamp !== undefined) return plan(seen, course, { because: 'the Job is being deleted' })
  const failure = failureOf(seen, spec, course)
  if (failure) return failed(seen, course, failure)
  const success = successOf(spec, course)
  if (success) return complete(seen, course, success)
  if (spec.suspend === true) return suspended(seen, course)
  return run(seen, spec, resumed(seen, course))
}

interface Verdict {
  readonly reason: string
  readonly message: string
}

/** What was said once stays: a Job that began to fail or to succeed goes on with that. */
function toldBefore({ conditions }: Course, type: string): Verdict | undefined {
  const told = conditionOf(conditions, type)
  return told?.status === 'True' ? { reason: told.reason ?? '', message: told.message ?? '' } : undefined
}

function failureOf({ nowMs }: Observed, spec: JobSpec, course: Course): Verdict | undefined {
  const before = toldBefore(course, 'FailureTarget')
  if (before) return before
  if (toldBefore(course, 'SuccessCriteriaMet')) return undefined
  const { tally, startTime } = course
  const { backoffLimit = 6, activeDeadlineSeconds } = spec
  if (tally.fatal) return { reason: 'PodFailurePolicy', message: tally.fatal.because }
  const restarts = tally.active.reduce((sum, pod) => sum + restartsOf(pod), 0)
  const isRestless = spec.template?.spec?.['restartPolicy'] === 'OnFailure'
  const tooOften = isRestless && (backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit)
  if (tally.failed > backoffLimit || tooOften)
    return { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
  const startMs = startTime === undefined ? undefined : parseTime(startTime)
  const isLate =
    spec.suspend !== true &&
    activeDeadlineSeconds !== undefined &&
    startMs !== undefined &&
    nowMs - startMs >= activeDeadlineSeconds * 1_000
  if (isLate) return { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
  return indexFailure(spec, tally)
}

function indexFailure(
  { maxFailedIndexes, completions = 0 }: JobSpec,
  { failedIndexes, completed }: Tally,
): Verdict | undefined {
  if (failedIndexes.size === 0) return undefined
  if (maxFailedIndexes !== undefined && failedIndexes.size > maxFailedIndexes) {
    const message = 'Job has exceeded the specified maximal number of failed indexes'
    return { reason: 'MaxFailedIndexesExceeded', message }
  }
  return failedIndexes.size + completed.size >= completions
    ? { reason: 'FailedIndexes', message: 'Job has failed indexes' }
    : undefined
}

const restartsOf = (pod: KubeObject): number =>
  [...(podStatusOf(pod).initContainerStatuses ?? []), ...(podStatusOf(pod).containerStatuses ?? [])].reduce(
    (sum, { restartCount = 0 }) => sum + restartCount,
    0,
  )

/** With no number of completions the first success is enough, once the others have ended too. */
function successOf(spec: JobSpec, course: Course): Verdict | undefined {
  const before = toldBefore(course, 'SuccessCriteriaMet')
  if (before) return before
  const { active, going, succeeded, completed } = course.tally
  const rule = metSuccessRule(spec, completed)
  if (rule !== undefined) return { reason: 'SuccessPolicy', message: `Matched rules at index ${rule}` }
  const { completions } = spec
  const isDone =
    completions === undefined ? succeeded > 0 && active.length + going.length === 0 : succeeded >= completions
  return isDone ? { reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' } : undefined
}

/** The last word is said once nothing runs any more and every Pod is in the counts. */
function isAtRest({ pods }: Observed, { tally }: Course): boolean {
  const { active, going, uncounted } = tally
  const isCounted = uncounted.succeeded.length + uncounted.failed.length === 0 && !pods.some(isTracked)
  return active.length + going.length === 0 && isCounted
}

function failed(seen: Observed, course: Course, { reason, message }: Verdict): JobPlan {
  const { nowMs } = seen
  const told = { status: 'True', reason, message } as const
  let conditions = setCondition(course.conditions, { type: 'FailureTarget', ...told }, nowMs)
  const isOver = isAtRest(seen, course)
  if (isOver) conditions = setCondition(conditions, { type: 'Failed', ...told }, nowMs)
  return plan(
    seen,
    { ...course, conditions },
    { remove: course.tally.active, notes: isOver ? [{ type: 'Warning', reason, message }] : [], because: message },
  )
}

function complete(seen: Observed, course: Course, because: Verdict): JobPlan {
  const { nowMs } = seen
  let conditions = setCondition(course.conditions, { type: 'SuccessCriteriaMet', status: 'True', ...because }, nowMs)
  const isOver = isAtRest(seen, course)
  if (isOver) conditions = setCondition(conditions, { type: 'Complete', status: 'True', ...because }, nowMs)
  return plan(
    seen,
    { ...course, conditions },
    {
      remove: course.tally.active,
      notes: isOver ? [{ type: 'Normal', reason: 'Completed', message: 'Job completed' }] : [],
      because: because.message,
      ...(isOver ? { completionTime: formatTime(nowMs) } : {}),
    },
  )
}

function suspended(seen: Observed, course: Course): JobPlan {
  const { conditions: before, tally } = course
  const told: Condition = { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' }
  return plan(
    seen,
    { ...course, conditions: setCondition(before, told, seen.nowMs), startTime: undefined },
    {
      remove: tally.active,
      isExcess: true,
      notes: isTrue(before, 'Suspended') ? [] : [{ type: 'Normal', reason: 'Suspended', message: 'Job suspended' }],
      because: 'the Job is suspended',
    },
  )
}

function resumed({ nowMs }: Observed, course: Course): Course {
  if (!isTrue(course.conditions, 'Suspended')) return course
  const told: Condition = { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' }
  return { ...course, conditions: setCondition(course.conditions, told, nowMs), startTime: formatTime(nowMs) }
}

function wantedOf({ parallelism = 1, completions }: JobSpec, { active, succeeded, failedIndexes }: Tally): number {
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism
  return Math.min(parallelism, completions - succeeded - failedIndexes.size)
}

function run(seen: Observed, spec: JobSpec, course: Course): JobPlan {
  const { pods, nowMs } = seen
  const { activeDeadlineSeconds, podReplacementPolicy } = spec
  const { tally, startTime } = course
  const { active, going, succeeded } = tally
  const wanted = wantedOf(spec, tally)
  const deadlineMs =
    activeDeadlineSeconds === undefined
      ? undefined
      : (parseTime(startTime ?? '') ?? nowMs) + activeDeadlineSeconds * 1_000 - nowMs
  const because = `${active.length} of ${wanted} Pods are active, ${succeeded} have succeeded`
  if (active.length > wanted) {
    const remove = active.toSorted((a, b) => Number(isReady(a)) - Number(isReady(b))).slice(0, active.length - wanted)
    return plan(seen, course, { remove, isExcess: true, because, ...again(deadlineMs) })
  }
  const occupied = podReplacementPolicy === 'Failed' ? going.length : 0
  const missing = Math.max(0, wanted - active.length - occupied)
  if (missing > 0 && spec.backoffLimitPerIndex !== undefined) {
    const { create, waitMs } = nextTries(seen, spec, tally, missing)
    return plan(seen, course, { create, because, ...again(waitMs, deadlineMs) })
  }
  const waitMs = missing > 0 ? backoffInMs(pods, spec, nowMs) : 0
  if (waitMs > 0)
    return plan(seen, course, { because: `${because}; the last one failed`, ...again(waitMs, deadlineMs) })
  const create =
    spec.completionMode === 'Indexed'
      ? freeIndexes(seen, spec, tally, missing).map((index) => ({ index }))
      : Array.from({ length: Math.min(missing, MOST_AT_ONCE) }, () => ({}))
  return plan(seen, course, { create, because, ...again(deadlineMs) })
}

const again = (...waits: readonly (number | undefined)[]): { againAfterMs?: number } => {
  const known = waits.flatMap((wait) => (wait === undefined ? [] : [Math.max(1, wait)]))
  return known.length > 0 ? { againAfterMs: Math.min(...known) } : {}
}

const MOST_AT_ONCE = 500

function freeIndexes({ pods }: Observed, spec: JobSpec, tally: Tally, count: number): readonly number[] {
  const { completed, failedIndexes } = tally
  const occupies = (pod: KubeObject): boolean =>
    isActive(pod) || (spec.podReplacementPolicy === 'Failed' && tally.going.includes(pod))
  const taken = new Set(pods.filter(occupies).map(indexOf))
  const free: number[] = []
  const most = Math.min(count, MOST_AT_ONCE)
  for (let index = 0; index < (spec.completions ?? 0) && free.length < most; index++)
    if (!completed.has(index) && !failedIndexes.has(index) && !taken.has(index)) free.push(index)
  return free
}

/** Where indexes have limits of their own each waits for itself. */
function nextTries(
  seen: Observed,
  spec: JobSpec,
  tally: Tally,
  missing: number,
): { readonly create: readonly NewPod[]; readonly waitMs: number | undefined } {
  const create: NewPod[] = []
  const waits: number[] = []
  for (const index of freeIndexes(seen, spec, tally, Number.MAX_SAFE_INTEGER)) {
    const last = tally.lastFailed.get(index)
    const waitMs = last ? indexBackoffInMs(last, seen.nowMs) : 0
    if (waitMs > 0) waits.push(waitMs)
    else if (create.length < missing) {
      create.push({ index, failures: last?.failures ?? 0, ...(last?.ignored ? { ignored: last.ignored } : {}) })
    }
  }
  return { create, waitMs: waits.length > 0 ? Math.min(...waits) : undefined }
}

interface Doing extends Partial<Pick<JobPlan, 'create' | 'remove' | 'isExcess' | 'notes' | 'againAfterMs'>> {
  readonly because: string
  readonly completionTime?: string
}

function plan(seen: Observed, { tally, conditions, startTime }: Course, doing: Doing): JobPlan {
  const { create = [], remove = [], isExcess = false, notes = [], because, againAfterMs } = doing
  const { counted, uncounted, letGo } = tally
  const before = jobStatusOf(seen.job)
  const active = tally.active.length - remove.length + create.length
  const ready = tally.active.filter((pod) => isReady(pod) && !remove.includes(pod)).length
  const terminating = tally.going.length + remove.length
  const completionTime = doing.completionTime ?? before.completionTime
  const { backoffLimitPerIndex } = jobSpecOf(seen.job)
  const status: JobStatus = {
    ...(conditions.length > 0 ? { conditions } : {}),
    ...(startTime === undefined ? {} : { startTime }),
    ...(completionTime === undefined ? {} : { completionTime }),
    ...(active > 0 ? { active } : {}),
    ...(counted.succeeded > 0 ? { succeeded: counted.succeeded } : {}),
    ...(counted.failed > 0 ? { failed: counted.failed } : {}),
    ...(tally.completed.size > 0 ? { completedIndexes: writeIndexes(tally.completed) } : {}),
    ...(backoffLimitPerIndex === undefined ? {} : { failedIndexes: writeIndexes(tally.failedIndexes) }),
    terminating,
    ready,
    uncountedTerminatedPods: {
      ...(uncounted.succeeded.length > 0 ? { succeeded: uncounted.succeeded } : {}),
      ...(uncounted.failed.length > 0 ? { failed: uncounted.failed } : {}),
    },
  }
  const later = againAfterMs === undefined ? {} : { againAfterMs }
  return { create, remove, isExcess, letGo, notes, status, because, ...later }
}
