import { afterEach, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { events, jobs } from '../collections.ts'
import { type World, world } from '../workloads.testkit.ts'
import { planEvent, planFinishedJob } from './plan.ts'

const now = Date.parse('2026-01-01T02:00:00Z')
const event = (created: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'e', creationTimestamp: created },
  ...more,
})

test.each([
  { name: 'an old one goes', it: event('2026-01-01T01:00:00Z'), want: { do: 'delete' } },
  { name: 'a newer one waits', it: event('2026-01-01T01:30:00Z'), want: { do: 'wait', afterMs: 1_800_000 } },
  {
    name: 'one that was told again waits',
    it: event('2026-01-01T00:00:00Z', { lastTimestamp: '2026-01-01T01:59:00Z' }),
    want: { do: 'wait', afterMs: 3_540_000 },
  },
  {
    name: 'a series waits',
    it: event('2026-01-01T00:00:00Z', { series: { lastObservedTime: '2026-01-01T01:30:00.000000Z' } }),
    want: { do: 'wait' },
  },
  {
    name: 'one from the future goes an hour from now',
    it: event('2027-01-01T00:00:00Z'),
    want: { do: 'wait', afterMs: 3_600_000 },
  },
])('of Events, $name', ({ it, want }) => expect(planEvent(it, now)).toMatchObject(want))

const job = (ttl: number | undefined, conditions: readonly object[]): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j' },
  spec: ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl },
  status: { conditions },
})
const complete = { type: 'Complete', status: 'True', lastTransitionTime: '2026-01-01T01:59:00Z' }

describe('of Jobs', () => {
  test.each([
    { name: 'a running one stays', it: job(0, []), want: { do: 'nothing' } },
    { name: 'one without a time stays', it: job(undefined, [complete]), want: { do: 'nothing' } },
    { name: 'one whose time has come goes', it: job(60, [complete]), want: { do: 'delete' } },
    { name: 'one whose time comes waits', it: job(90, [complete]), want: { do: 'wait', afterMs: 30_000 } },
    { name: 'a failed one goes too', it: job(0, [{ ...complete, type: 'Failed' }]), want: { do: 'delete' } },
    { name: 'one that will fail stays', it: job(0, [{ ...complete, type: 'FailureTarget' }]), want: { do: 'nothing' } },
  ])('$name', ({ it, want }) => expect(planFinishedJob(it, now)).toMatchObject(want))
})

let open: World | undefined
afterEach(() => open?.stop())

test('an Event is gone an hour after it was told last, a finished Job when its time has come', async () => {
  const here = (open = await world({ controllers: 'event-expiry,ttl-after-finished' }))
  const told = { involvedObject: { namespace: 'default' }, reason: 'A', type: 'Normal' }
  await here.create(events, { metadata: { name: 'e', namespace: 'default' }, ...told })
  const containers = [{ name: 'c', image: 'i' }]
  const made = await here.create(jobs, {
    metadata: { name: 'j', namespace: 'default' },
    spec: { ttlSecondsAfterFinished: 100, template: { spec: { restartPolicy: 'Never', containers } } },
  })
  await here.clock.advance(3_500_000)
  const at = new Date(here.clock.now()).toISOString()
  const status = {
    startTime: at,
    completionTime: at,
    conditions: [
      { type: 'SuccessCriteriaMet', status: 'True', lastTransitionTime: at },
      { type: 'Complete', status: 'True', lastTransitionTime: at },
    ],
  }
  const written = await here.client.update(
    { resource: jobs, namespace: 'default', name: 'j', subresource: 'status' },
    { ...made, status },
  )
  expect(written).toMatchObject({ ok: true })
  expect(await here.names(events, 'default')).toEqual(['e'])
  await here.clock.advance(101_000)
  expect(await here.names(events, 'default')).toEqual([])
  expect((await here.get(jobs, 'j', 'default'))?.metadata.deletionTimestamp).toBeDefined()
})
