import { afterEach, beforeEach, expect, test } from 'vitest'
import { CronJob, Job } from '../pods/kinds.ts'
import { at, workloadWorld, type WorkloadWorld } from '../workload-world.testkit.ts'

let world: WorkloadWorld
beforeEach(async () => void (world = await workloadWorld()))
afterEach(() => world.stop())

const nightly = (spec: object = {}, simulate: string = ''): object => ({
  metadata: { name: 'tidy' },
  spec: {
    schedule: '*/10 * * * *',
    jobTemplate: {
      spec: {
        template: {
          metadata: { annotations: { 'simulate.idp.dev/main': simulate } },
          spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work:1' }] },
        },
      },
    },
    ...spec,
  },
})
const MINUTE = 60_000
const jobs = async (): Promise<number> => (await world.list(Job)).length

test('a Job is started at every time of the schedule, and three that went well are kept', async () => {
  await world.create(CronJob, nightly())
  await world.clock.advance(9 * MINUTE)
  expect(await jobs()).toBe(0)
  await world.clock.advance(2 * MINUTE)
  expect(await jobs()).toBe(1)
  expect(at(await world.get(CronJob, 'tidy'), 'status', 'lastScheduleTime')).toBe('2026-01-01T00:10:00Z')
  await world.clock.advance(50 * MINUTE)
  await world.until(async () => (await jobs()) === 3)
})

test.each([
  ['Forbid', 1],
  ['Allow', 3],
  ['Replace', 1],
])('with %s there are %i Jobs at once', async (concurrencyPolicy, want) => {
  await world.create(CronJob, nightly({ concurrencyPolicy }, 'exit=0 after=5h'))
  await world.clock.advance(31 * MINUTE)
  const active = (at(await world.get(CronJob, 'tidy'), 'status', 'active') ?? []) as readonly object[]
  expect(active).toHaveLength(want)
})

test('nothing is started while it is suspended', async () => {
  await world.create(CronJob, nightly({ suspend: true }))
  await world.clock.advance(30 * MINUTE)
  expect(await jobs()).toBe(0)
})
