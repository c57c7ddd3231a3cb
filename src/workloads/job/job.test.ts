import { afterEach, beforeEach, expect, test } from 'vitest'
import { conditionOf } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { Job, Pod } from '../pods/kinds.ts'
import { workloadWorld, type WorkloadWorld } from '../workload-world.testkit.ts'
import { indexOf, isJobFinished, type JobStatus, jobStatusOf, readIndexes, writeIndexes } from './job.ts'

let world: WorkloadWorld
beforeEach(async () => void (world = await workloadWorld()))
afterEach(() => world.stop())

const job = (spec: object = {}, simulate: string = '', restartPolicy: string = 'Never'): object => ({
  metadata: { name: 'work' },
  spec: {
    template: {
      metadata: { annotations: { 'simulate.idp.dev/main': simulate } },
      spec: { restartPolicy, containers: [{ name: 'main', image: 'work:1' }] },
    },
    ...spec,
  },
})
const read = async (): Promise<KubeObject> => {
  const found = await world.get(Job, 'work')
  if (!found) throw new Error('there is no Job')
  return found
}
const finished = async (): Promise<JobStatus> => {
  await world.until(async () => isJobFinished(await read()), { withinMs: 600_000, stepMs: 1_000 })
  return jobStatusOf(await read())
}
const reason = ({ conditions }: JobStatus, type: string): string | undefined => conditionOf(conditions, type)?.reason

test('as many Pods as wished for succeed, a few at a time', async () => {
  await world.create(Job, job({ completions: 5, parallelism: 2 }, 'exit=0 after=5s'))
  let most = 0
  await world.until(async () => {
    const running = (await world.list(Pod)).filter((pod) => (pod['status'] as { phase: string }).phase === 'Running')
    most = Math.max(most, running.length)
    return isJobFinished(await read())
  })
  const status = await finished()
  expect(most).toBe(2)
  expect(status).toMatchObject({ succeeded: 5, completionTime: expect.stringMatching(/Z$/) as string })
  expect(reason(status, 'Complete')).toBe('CompletionsReached')
  expect(await world.told('Completed')).toEqual(['Job completed'])
})

test('a Job whose Pods fail tries again, later and later, until its limit', async () => {
  await world.create(Job, job({ backoffLimit: 2 }, 'exit=1 after=1s'))
  const status = await finished()
  expect(status.failed).toBe(3)
  expect(reason(status, 'Failed')).toBe('BackoffLimitExceeded')
  const made = (await world.list(Pod))
    .map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? ''))
    .toSorted((a, b) => a - b)
  expect(made.map((at) => at - (made[0] ?? 0))).toEqual([0, 11_000, 32_000])
})

test('a container that is restarted in its Pod until it works lets the Job succeed', async () => {
  await world.create(Job, job({}, 'exit=1 times=2', 'OnFailure'))
  expect(await finished()).toMatchObject({ succeeded: 1 })
  expect(await world.list(Pod)).toHaveLength(1)
})

test('an indexed Job works on every index once', async () => {
  await world.create(Job, job({ completions: 4, parallelism: 4, completionMode: 'Indexed' }))
  const status = await finished()
  expect(status).toMatchObject({ succeeded: 4, completedIndexes: '0-3' })
  const pods = await world.list(Pod)
  expect(new Set(pods.map(indexOf))).toEqual(new Set([0, 1, 2, 3]))
  expect(
    pods.every(({ metadata }) =>
      metadata.name?.startsWith(`work-${metadata.labels?.['batch.kubernetes.io/job-completion-index']}-`),
    ),
  ).toBe(true)
})

test('a deadline ends a Job, and its Pods', async () => {
  await world.create(Job, job({ activeDeadlineSeconds: 20 }, 'exit=0 after=1h'))
  const status = await finished()
  expect(reason(status, 'Failed')).toBe('DeadlineExceeded')
  expect(status.active).toBeUndefined()
  expect(await world.list(Pod)).toEqual([])
})

test('a suspended Job runs nothing until it is resumed', async () => {
  await world.create(Job, job({ suspend: true }))
  await world.clock.advance(2_000)
  expect(await world.list(Pod)).toEqual([])
  expect(reason(jobStatusOf(await read()), 'Suspended')).toBe('JobSuspended')
  await world.change(Job, 'work', { spec: { suspend: false } })
  expect(await finished()).toMatchObject({ succeeded: 1 })
})

test.each([
  ['0-2,5', [0, 1, 2, 5]],
  ['0,1', [0, 1]],
  ['', []],
])('the indexes %s can be read and written', (text, indexes) => {
  expect([...readIndexes(text, 10)]).toEqual(indexes)
  expect(writeIndexes(new Set(indexes))).toBe(text)
})

test('what ended stays counted when its Pod is deleted, and no Pod is left behind by a deleted Job', async () => {
  await world.create(Job, job({ completions: 3, parallelism: 1 }, 'exit=0 after=20s'))
  await world.until(async () => (jobStatusOf(await read()).succeeded ?? 0) === 1)
  for (const pod of await world.list(Pod)) {
    if ((pod['status'] as { phase: string }).phase === 'Succeeded') await world.remove(Pod, pod.metadata.name ?? '')
  }
  expect(await finished()).toMatchObject({ succeeded: 3, uncountedTerminatedPods: {} })
  expect((await world.list(Pod)).flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([])
})

test('Pods of a Job that was deleted are let go', async () => {
  await world.create(Job, job({}, 'exit=0 after=1h'))
  await world.until(async () => (await world.list(Pod)).length === 1)
  await world.remove(Job, 'work')
  for (const pod of await world.list(Pod)) await world.remove(Pod, pod.metadata.name ?? '')
  await world.until(async () => (await world.list(Pod)).length === 0)
  expect(await world.get(Job, 'work')).toBeUndefined()
})

test('an exit code that cannot be mended ends the Job at once', async () => {
  const rules = [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }]
  await world.create(Job, job({ podFailurePolicy: { rules }, parallelism: 2, completions: 2 }, 'exit=42 after=1s'))
  const status = await finished()
  expect(conditionOf(status.conditions, 'Failed')).toMatchObject({
    reason: 'PodFailurePolicy',
    message: expect.stringMatching(/exit code 42 matching FailJob rule at index 0$/) as string,
  })
  expect(status.failed).toBe(2)
})

test('each index has its own limit; the others go on', async () => {
  const spec = { completions: 3, parallelism: 3, completionMode: 'Indexed', backoffLimitPerIndex: 1 }
  await world.create(Job, job(spec, ''))
  await world.until(async () => (await world.list(Pod)).length === 3)
  expect(await finished()).toMatchObject({ succeeded: 3, failedIndexes: '' })
})

test('a Job in which an index fails for good fails when the others are done', async () => {
  const spec = { completions: 2, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 1 }
  await world.create(Job, job(spec, 'exit=1 after=1s'))
  const status = await finished()
  expect(status).toMatchObject({ failedIndexes: '0,1', failed: 4 })
  expect(reason(status, 'Failed')).toBe('FailedIndexes')
})

test('more failed indexes than allowed end the Job', async () => {
  const spec = {
    completions: 9,
    parallelism: 3,
    completionMode: 'Indexed',
    backoffLimitPerIndex: 0,
    maxFailedIndexes: 1,
  }
  await world.create(Job, job(spec, 'exit=1 after=1s'))
  const status = await finished()
  expect(reason(status, 'Failed')).toBe('MaxFailedIndexesExceeded')
})

test('enough indexes are enough', async () => {
  const successPolicy = { rules: [{ succeededCount: 2 }] }
  const spec = { completions: 10, parallelism: 2, completionMode: 'Indexed', successPolicy }
  await world.create(Job, job(spec, 'exit=0 after=2s'))
  const status = await finished()
  expect(status.succeeded).toBe(2)
  expect(reason(status, 'Complete')).toBe('SuccessPolicy')
  expect(conditionOf(status.conditions, 'Complete')?.message).toBe('Matched rules at index 0')
})

test('a Pod that was deleted is replaced while it still goes, unless the Job waits for its end', async () => {
  for (const [policy, most] of [
    ['TerminatingOrFailed', 2],
    ['Failed', 1],
  ] as const) {
    await world.create(Job, job({ podReplacementPolicy: policy }, 'exit=0 after=1h stop=25s'))
    await world.until(async () => (await world.list(Pod)).length === 1)
    const [pod] = await world.list(Pod)
    await world.remove(Pod, pod?.metadata.name ?? '')
    await world.clock.advance(15_000)
    expect(await world.list(Pod)).toHaveLength(most)
    await world.remove(Job, 'work')
    for (const one of await world.list(Pod)) await world.remove(Pod, one.metadata.name ?? '')
    await world.until(async () => (await world.list(Pod)).length === 0)
  }
})

test('indexes beyond all measure are not written out', () => {
  expect(readIndexes('0-999999999', 1_000_000_000).size).toBe(1_000_000)
})
