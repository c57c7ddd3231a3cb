import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime, parseTime } from '../../kube/time.ts'
import type { CronJobSpec, CronJobStatus } from './cronjob.ts'
import { planCronJob } from './plan.ts'

interface Told {
  readonly spec?: CronJobSpec
  readonly status?: CronJobStatus
  readonly jobs?: readonly string[]
  readonly created?: string
}

/** A Job by its name and how it stands: `a`, `b Complete`, `c Failed`. */
const jobOf = (words: string, at: number): KubeObject => {
  const [name = '', condition] = words.split(' ')
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, uid: name, creationTimestamp: formatTime(at * 1_000) },
    status: condition ? { conditions: [{ type: condition, status: 'True' }] } : {},
  }
}
function told(now: string, { spec = {}, status = {}, jobs = [], created = '2026-03-01T00:00:00Z' }: Told): string {
  const nowMs = parseTime(now) ?? 0
  const cronJob = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'c', creationTimestamp: created },
    spec: { schedule: '0 * * * *', ...spec },
    status,
  }
  const { startMs, remove, notes, againAfterMs } = planCronJob({ cronJob, jobs: jobs.map(jobOf), nowMs })
  return [
    startMs === undefined ? 'waits' : `starts ${formatTime(startMs).slice(5, 16)}`,
    ...remove.map(({ metadata }) => `removes ${metadata.name}`),
    ...notes.map(({ reason }) => reason),
    ...(againAfterMs === undefined ? ['for good'] : [`again ${formatTime(nowMs + againAfterMs).slice(5, 16)}`]),
  ].join(', ')
}
const berlin: CronJobSpec = { schedule: '30 2 * * *', timeZone: 'Europe/Berlin' }
const at = (lastScheduleTime: string): CronJobStatus => ({ lastScheduleTime })

describe('planCronJob', () => {
  test.each([
    { name: 'waits for its time', got: told('2026-03-01T00:30:00Z', {}), want: 'waits, again 03-01T01:00' },
    {
      name: 'starts at its time',
      got: told('2026-03-01T01:00:00Z', {}),
      want: 'starts 03-01T01:00, again 03-01T02:00',
    },
    {
      name: 'starts only the last of those that were missed',
      got: told('2026-03-01T05:10:00Z', {}),
      want: 'starts 03-01T05:00, again 03-01T06:00',
    },
    {
      name: 'says that many were missed',
      got: told('2026-03-09T00:10:00Z', {}),
      want: 'starts 03-09T00:00, TooManyMissedTimes, again 03-09T01:00',
    },
    {
      name: 'does not start too late',
      got: told('2026-03-01T05:10:00Z', { spec: { startingDeadlineSeconds: 60 } }),
      want: 'waits, again 03-01T06:00',
    },
    {
      name: 'starts within its deadline',
      got: told('2026-03-01T05:00:30Z', { spec: { startingDeadlineSeconds: 60 } }),
      want: 'starts 03-01T05:00, again 03-01T06:00',
    },
    {
      name: 'a suspended one rests',
      got: told('2026-03-01T05:00:30Z', { spec: { suspend: true } }),
      want: 'waits, for good',
    },
    {
      name: 'does not start beside another where that is forbidden',
      got: told('2026-03-01T01:00:00Z', { spec: { concurrencyPolicy: 'Forbid' }, jobs: ['a'] }),
      want: 'waits, JobAlreadyActive, again 03-01T02:00',
    },
    {
      name: 'replaces another where it is told so',
      got: told('2026-03-01T01:00:00Z', { spec: { concurrencyPolicy: 'Replace' }, jobs: ['a'] }),
      want: 'starts 03-01T01:00, removes a, again 03-01T02:00',
    },
    {
      name: 'starts beside another otherwise',
      got: told('2026-03-01T01:00:00Z', { jobs: ['a'] }),
      want: 'starts 03-01T01:00, again 03-01T02:00',
    },
    {
      name: 'keeps so much history',
      got: told('2026-03-01T00:30:00Z', {
        spec: { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 },
        jobs: ['a Complete', 'b Complete', 'c Failed', 'd'],
      }),
      want: 'waits, removes a, removes c, again 03-01T01:00',
    },
    {
      name: 'says that a Job has ended',
      got: told('2026-03-01T00:30:00Z', { status: { active: [{ uid: 'a' }] }, jobs: ['a Complete'] }),
      want: 'waits, SawCompletedJob, again 03-01T01:00',
    },
    {
      name: 'says what it cannot read',
      got: told('2026-03-01T00:30:00Z', { spec: { schedule: 'never' } }),
      want: 'waits, UnparseableSchedule, for good',
    },
    {
      name: 'an hour that is left out in spring has no times',
      got: told('2026-03-29T12:00:00Z', { spec: berlin, status: at('2026-03-28T01:30:00Z') }),
      want: 'waits, again 03-30T00:30',
    },
    {
      name: 'an hour that comes twice in autumn has them twice',
      got: told('2026-10-25T00:30:00Z', { spec: berlin, status: at('2026-10-24T00:30:00Z') }),
      want: 'starts 10-25T00:30, again 10-25T01:30',
    },
  ])('$name', ({ got, want }) => expect(got).toBe(want))
})
