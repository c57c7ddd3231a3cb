import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import { backoffInMs } from './backoff.ts'
import { planJob } from './plan.ts'

const nowMs = Date.UTC(2026, 0, 1, 1)
const pod = (name: string, phase: string, { endedMsAgo = 0, going = false } = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    uid: name,
    finalizers: ['batch.kubernetes.io/job-tracking'],
    ...(going ? { deletionTimestamp: formatTime(nowMs) } : {}),
  },
  status: {
    phase,
    containerStatuses: [
      { name: 'main', state: { terminated: { exitCode: 1, finishedAt: formatTime(nowMs - endedMsAgo) } } },
    ],
  },
})
const told = (spec: object, pods: KubeObject[], status: object = {}): string => {
  const job: KubeObject = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'work' }, spec, status }
  const plan = planJob({ job, claims: { own: pods, adopt: [], release: [] }, pods, nowMs })
  const conditions = (plan.status.conditions ?? []).filter((one) => one.status === 'True').map(({ type }) => type)
  return [`+${plan.create.length} -${plan.remove.length}`, ...conditions].join(' ')
}

test.each([
  { name: 'starts as many as may run at once', got: told({ parallelism: 2, completions: 5 }, []), want: '+2 -0' },
  {
    name: 'starts no more than are still needed',
    got: told({ parallelism: 5, completions: 2 }, [pod('a', 'Succeeded')]),
    want: '+1 -0',
  },
  {
    name: 'a work queue is done when one has succeeded and none runs',
    got: told({ parallelism: 3 }, [pod('a', 'Succeeded')]),
    want: '+0 -0 SuccessCriteriaMet',
  },
  {
    name: 'a work queue lets the others finish',
    got: told({ parallelism: 2 }, [pod('a', 'Succeeded'), pod('b', 'Running')]),
    want: '+0 -0',
  },
  {
    name: 'remembers successes whose Pods are gone',
    got: told({ completions: 2 }, [], { succeeded: 2 }),
    want: '+0 -0 SuccessCriteriaMet Complete',
  },
  {
    name: 'holds the next one back after a failure',
    got: told({ completions: 1 }, [pod('a', 'Failed')]),
    want: '+0 -0',
  },
  {
    name: 'goes on after the wait',
    got: told({ completions: 1 }, [pod('a', 'Failed', { endedMsAgo: 10_000 })]),
    want: '+1 -0',
  },
  {
    name: 'gives up at the limit, first by stopping what runs',
    got: told({ backoffLimit: 0 }, [pod('a', 'Failed'), pod('b', 'Running')]),
    want: '+0 -1 FailureTarget',
  },
  {
    name: 'has failed once nothing runs and everything is counted',
    got: told({ backoffLimit: 0 }, [], { failed: 1 }),
    want: '+0 -0 FailureTarget Failed',
  },
  {
    name: 'does not replace what is still going',
    got: told({ completions: 1, podReplacementPolicy: 'Failed' }, [pod('a', 'Running', { going: true })]),
    want: '+0 -0',
  },
  {
    name: 'stops what is too much',
    got: told({ parallelism: 1, completions: 3 }, [pod('a', 'Running'), pod('b', 'Running')]),
    want: '+0 -1',
  },
  {
    name: 'a suspended Job runs nothing',
    got: told({ suspend: true }, [pod('a', 'Running')]),
    want: '+0 -1 Suspended',
  },
])('$name', ({ got, want }) => expect(got).toBe(want))

test('the wait grows with failures in a row, and a success ends the row', () => {
  const failures = [0, 1_000, 2_000].map((endedMsAgo, at) => pod(String(at), 'Failed', { endedMsAgo }))
  expect(backoffInMs(failures, {}, nowMs)).toBe(40_000)
  expect(backoffInMs([...failures, pod('s', 'Succeeded', { endedMsAgo: 1_000 })], {}, nowMs)).toBe(10_000)
})
