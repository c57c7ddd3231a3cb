import { isTrue } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime, parseTime } from '../../kube/time.ts'
import { parseCron, type Schedule } from '../../lib/cron.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import { isJobFinished, jobStatusOf } from '../job/job.ts'
import { cronJobSpecOf, type CronJobStatus, cronJobStatusOf } from './cronjob.ts'
import type { Observed } from './observe.ts'

/** What a CronJob does now. */
export interface CronJobPlan {
  /** The time for which a Job is made. */
  readonly startMs?: number
  readonly remove: readonly KubeObject[]
  readonly status: CronJobStatus
  readonly notes: readonly EventNote[]
  readonly againAfterMs?: number
  readonly because: string
}

/** Starts the latest time that was missed, if it is not too late and nobody is in the way. */
export function planCronJob(seen: Observed): CronJobPlan {
  const { cronJob, jobs, nowMs } = seen
  const { schedule = '', timeZone, suspend, concurrencyPolicy, startingDeadlineSeconds } = cronJobSpecOf(cronJob)
  const active = jobs.filter((job) => !isJobFinished(job))
  const base = { remove: surplus(seen), status: statusOf(seen, active), notes: completions(seen) }
  if (cronJob.metadata.deletionTimestamp !== undefined) return { ...base, because: 'the CronJob is being deleted' }
  if (suspend === true) return { ...base, because: 'the CronJob is suspended' }
  const read = parseCron(schedule, timeZone)
  if (!read.ok) {
    const message = read.error[0]?.message ?? ''
    const note: EventNote = { type: 'Warning', reason: 'UnparseableSchedule', message }
    return { ...base, notes: [...base.notes, note], because: message }
  }
  const nextMs = read.value.next(nowMs)
  const later = nextMs === undefined ? {} : { againAfterMs: nextMs - nowMs }
  const began =
    parseTime(cronJobStatusOf(cronJob).lastScheduleTime ?? cronJob.metadata.creationTimestamp ?? '') ?? nowMs
  const earliest =
    startingDeadlineSeconds === undefined ? began : Math.max(began, nowMs - startingDeadlineSeconds * 1_000)
  const due = latestUntil(read.value, earliest, nowMs)
  if (due === undefined) return { ...base, ...later, because: 'it is not time yet' }
  if (active.length > 0 && concurrencyPolicy === 'Forbid') {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    const note: EventNote = { type: 'Normal', reason: 'JobAlreadyActive', message }
    return { ...base, ...later, notes: [...base.notes, note], because: message }
  }
  const replaced = concurrencyPolicy === 'Replace' ? active : []
  const { dueMs, missed } = due
  const status = { ...base.status, lastScheduleTime: formatTime(dueMs) }
  const notes = missed > MISSED_TOLD ? [...base.notes, tooMany] : base.notes
  const remove = [...base.remove, ...replaced]
  return { ...base, ...later, status, startMs: dueMs, remove, notes, because: 'it is time' }
}

/** More missed times than these are likely to be a mistake. */
const MISSED_TOLD = 100
const tooMany: EventNote = {
  type: 'Warning',
  reason: 'TooManyMissedTimes',
  message: 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
}

/** Jobs that were active when it was last said, and have ended since. */
function completions({ cronJob, jobs }: Observed): readonly EventNote[] {
  const wereActive = new Set(
    (cronJobStatusOf(cronJob).active ?? []).map((one) => (one as { readonly uid?: string }).uid),
  )
  return jobs.flatMap((job): readonly EventNote[] => {
    if (!wereActive.has(job.metadata.uid) || !isJobFinished(job)) return []
    const condition = isTrue(jobStatusOf(job).conditions, 'Complete') ? 'Complete' : 'Failed'
    const message = `Saw completed job: ${job.metadata.name ?? ''}, condition: ${condition}`
    return [{ type: 'Normal', reason: 'SawCompletedJob', message }]
  })
}

const MOST_MISSED = 10_000
const DAY_MS = 86_400_000

/** The last time of the schedule up to now; after a very long pause only the last day is looked at. */
function latestUntil(
  schedule: Schedule,
  afterMs: number,
  nowMs: number,
): { readonly dueMs: number; readonly missed: number } | undefined {
  let dueMs: number | undefined
  let missed = 0
  for (let at = schedule.next(afterMs); at !== undefined && at <= nowMs; missed++) {
    dueMs = at
    at = schedule.next(missed === MOST_MISSED ? Math.max(at, nowMs - DAY_MS) : at)
  }
  return dueMs === undefined ? undefined : { dueMs, missed }
}

function surplus({ cronJob, jobs }: Observed): readonly KubeObject[] {
  const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cronJobSpecOf(cronJob)
  const oldest = (type: string, limit: number): readonly KubeObject[] => {
    const ended = jobs.filter((job) => isTrue(jobStatusOf(job).conditions, type))
    const inOrder = ended.toSorted((a, b) =>
      (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1,
    )
    return inOrder.slice(0, Math.max(0, inOrder.length - limit))
  }
  return [...oldest('Complete', successfulJobsHistoryLimit), ...oldest('Failed', failedJobsHistoryLimit)]
}

function statusOf({ cronJob, jobs }: Observed, active: readonly KubeObject[]): CronJobStatus {
  const before = cronJobStatusOf(cronJob)
  const ends = jobs.flatMap((job) => jobStatusOf(job).completionTime ?? [])
  const last = [before.lastSuccessfulTime ?? '', ...ends].toSorted((a, b) => (a < b ? -1 : 1)).at(-1)
  const { active: _active, ...rest } = before
  return {
    ...rest,
    ...(active.length > 0 ? { active: active.map(referenceTo) } : {}),
    ...(last ? { lastSuccessfulTime: last } : {}),
  }
}

/** How a status names a Job. */
export function referenceTo({ metadata }: KubeObject): object {
  const { name, namespace, uid, resourceVersion } = metadata
  return { apiVersion: 'batch/v1', kind: 'Job', name, namespace, uid, resourceVersion }
}
