import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { judgeFailure, metSuccessRule } from './failure-policy.ts'
import type { FailureRule, JobSpec, JobStatus, SuccessRule } from './job.ts'
import { tallyOf } from './tally.ts'

interface Told {
  readonly uid: string
  readonly phase?: string
  readonly tracked?: boolean
  readonly index?: number
  readonly failures?: number
  readonly exitCode?: number
  readonly going?: boolean
}
const pod = ({
  uid,
  phase = 'Running',
  tracked = true,
  index,
  failures,
  exitCode = 1,
  going = false,
}: Told): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: uid,
    uid,
    namespace: 'default',
    ...(tracked ? { finalizers: ['batch.kubernetes.io/job-tracking'] } : {}),
    ...(going ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    annotations: {
      ...(index === undefined ? {} : { 'batch.kubernetes.io/job-completion-index': String(index) }),
      ...(failures === undefined ? {} : { 'batch.kubernetes.io/job-index-failure-count': String(failures) }),
    },
  },
  status: {
    phase,
    ...(phase === 'Failed' ? { containerStatuses: [{ name: 'main', state: { terminated: { exitCode } } }] } : {}),
    ...(going ? { conditions: [{ type: 'DisruptionTarget', status: 'True' }] } : {}),
  },
})
const tell = (pods: readonly Told[], spec: JobSpec = {}, before: JobStatus = {}, isEnding = false): string => {
  const { succeeded, failed, counted, uncounted, letGo, completed, failedIndexes } = tallyOf(
    spec,
    before,
    pods.map(pod),
    isEnding,
  )
  return [
    `${succeeded}+${failed}-`,
    `written ${counted.succeeded}+${counted.failed}-`,
    `known ${[...uncounted.succeeded, ...uncounted.failed].join(',')}`,
    `free ${letGo.map(({ metadata }) => metadata.uid).join(',')}`,
    ...(completed.size + failedIndexes.size > 0
      ? [`indexes ${[...completed].join(',')}/${[...failedIndexes].join(',')}`]
      : []),
  ].join(' ')
}
const indexed: JobSpec = { completionMode: 'Indexed', completions: 5 }
const limited: JobSpec = { ...indexed, backoffLimitPerIndex: 1 }

describe('a Pod is counted once', () => {
  test.each([
    {
      name: 'one that has ended is named first',
      got: tell([{ uid: 'a', phase: 'Succeeded' }]),
      want: '1+0- written 0+0- known a free a',
    },
    {
      name: 'one that is named keeps being named while it has its finalizer',
      got: tell([{ uid: 'a', phase: 'Succeeded' }], {}, { uncountedTerminatedPods: { succeeded: ['a'] } }),
      want: '1+0- written 0+0- known a free a',
    },
    {
      name: 'one that has lost its finalizer moves into the count',
      got: tell(
        [{ uid: 'a', phase: 'Failed', tracked: false }],
        {},
        { failed: 2, uncountedTerminatedPods: { failed: ['a'] } },
      ),
      want: '0+3- written 0+3- known  free ',
    },
    {
      name: 'one that is gone moves into the count',
      got: tell([], {}, { succeeded: 1, uncountedTerminatedPods: { succeeded: ['a'], failed: ['b'] } }),
      want: '2+1- written 2+1- known  free ',
    },
    {
      name: 'one without the finalizer is not counted again',
      got: tell([{ uid: 'a', phase: 'Failed', tracked: false }], {}, { failed: 1 }),
      want: '0+1- written 0+1- known  free ',
    },
    {
      name: 'one that was deleted has failed',
      got: tell([{ uid: 'a', going: true }]),
      want: '0+1- written 0+0- known a free a',
    },
    {
      name: 'unless only ended ones are replaced',
      got: tell([{ uid: 'a', going: true }], { podReplacementPolicy: 'Failed' }),
      want: '0+0- written 0+0- known  free ',
    },
    {
      name: 'at the end of its Job it has, in any case',
      got: tell([{ uid: 'a', going: true }], { podReplacementPolicy: 'Failed' }, {}, true),
      want: '0+1- written 0+0- known a free a',
    },
    {
      name: 'indexes remember themselves',
      got: tell(
        [
          { uid: 'a', phase: 'Succeeded', index: 3 },
          { uid: 'b', phase: 'Succeeded', index: 3 },
          { uid: 'c', phase: 'Succeeded', index: 9 },
        ],
        indexed,
        { completedIndexes: '0' },
      ),
      want: '2+0- written 2+0- known  free a,b,c indexes 0,3/',
    },
    {
      name: 'the last failure of an index stays until the next try is there',
      got: tell([{ uid: 'a', phase: 'Failed', index: 1 }], limited),
      want: '0+1- written 0+0- known  free ',
    },
    {
      name: 'then it goes',
      got: tell(
        [
          { uid: 'a', phase: 'Failed', index: 1 },
          { uid: 'b', index: 1, failures: 1 },
        ],
        limited,
      ),
      want: '0+1- written 0+0- known a free a',
    },
    {
      name: 'an index that failed too often has failed',
      got: tell([{ uid: 'b', phase: 'Failed', index: 1, failures: 1 }], limited),
      want: '0+1- written 0+0- known b free b indexes /1',
    },
    {
      name: 'what the policy ignores is not counted',
      got: tell([{ uid: 'a', phase: 'Failed', exitCode: 42 }], {
        podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [42] } }] },
      }),
      want: '0+0- written 0+0- known  free a',
    },
  ])('$name', ({ got, want }) => expect(got).toBe(want))
})

describe('a failure policy', () => {
  const judged = (told: Partial<Told>, ...rules: FailureRule[]): string => {
    const { action, because } = judgeFailure(pod({ uid: 'p', phase: 'Failed', ...told }), {
      podFailurePolicy: { rules },
    })
    return `${action}: ${because}`
  }
  const exits = (action: FailureRule['action'], operator: 'In' | 'NotIn', ...values: number[]): FailureRule => ({
    action,
    onExitCodes: { operator, values },
  })
  test.each([
    [
      judged({ exitCode: 42 }, exits('FailJob', 'In', 1, 42)),
      'FailJob: Container main for pod default/p failed with exit code 42 matching FailJob rule at index 0',
    ],
    [
      judged({ exitCode: 2 }, exits('FailJob', 'In', 42), exits('Ignore', 'NotIn', 1)),
      'Ignore: Container main for pod default/p failed with exit code 2 matching Ignore rule at index 1',
    ],
    [judged({ exitCode: 0 }, exits('FailJob', 'NotIn', 42)), 'Count: no rule matches'],
    [
      judged(
        { exitCode: 3 },
        { action: 'FailJob', onExitCodes: { containerName: 'other', operator: 'In', values: [3] } },
      ),
      'Count: no rule matches',
    ],
    [
      judged({ going: true }, { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }),
      'Ignore: Pod default/p has condition DisruptionTarget matching Ignore rule at index 0',
    ],
  ])('%s', (got, want) => expect(got).toBe(want))
})

test.each<{ name: string; rules: SuccessRule[]; done: number[]; want: number | undefined }>([
  { name: 'these indexes', rules: [{ succeededIndexes: '0,2' }], done: [0, 2], want: 0 },
  { name: 'one of them is missing', rules: [{ succeededIndexes: '0-2' }], done: [0, 2], want: undefined },
  { name: 'so many of them', rules: [{ succeededIndexes: '0-2', succeededCount: 2 }], done: [0, 2], want: 0 },
  { name: 'so many of all', rules: [{ succeededCount: 3 }, { succeededCount: 2 }], done: [4, 3], want: 1 },
])('a success policy is met by $name', ({ rules, done, want }) =>
  expect(metSuccessRule({ completions: 5, successPolicy: { rules } }, new Set(done))).toBe(want),
)
