import { expect, test } from 'vitest'
import { configMap, inDefault, testServer, valueOf } from '../apiserver/apiserver.testkit.ts'
import type { Client } from '../kube/client.ts'
import type { KubeObject } from '../kube/object.ts'
import { failure, type Status } from '../kube/status.ts'
import type { MovableClock } from '../lib/clock.ts'
import { seededIds } from '../lib/ids.ts'
import { type LogRecord, logTo } from '../lib/log.ts'
import { type EventRecorder, eventRecorder } from './event-recorder.ts'

const events = { resource: { group: '', version: 'v1', plural: 'events' }, namespace: 'default' }

interface Bench {
  readonly client: Client
  readonly clock: MovableClock
  readonly recorder: EventRecorder
  readonly about: KubeObject
  readonly logged: LogRecord[]
  readonly writes: () => number
  readonly refuse: (times: number, status: Status) => void
  readonly told: () => Promise<readonly KubeObject[]>
}

async function start(): Promise<Bench> {
  const { client, clock } = await testServer()
  const about = valueOf(await client.create(inDefault, configMap('a')))
  const logged: LogRecord[] = []
  let writes = 0
  let refusals: { times: number; status: Status } | undefined
  const refused = (): { readonly ok: false; readonly error: Status } | undefined => {
    writes += 1
    if (!refusals || refusals.times === 0) return undefined
    refusals.times -= 1
    return { ok: false, error: refusals.status }
  }
  const counted: Client = {
    ...client,
    create: async (...args) => refused() ?? client.create(...args),
    update: async (...args) => refused() ?? client.update(...args),
  }
  const log = logTo(
    (record) => logged.push(record),
    () => clock.now(),
  )
  const recorder = eventRecorder({ client: counted, clock, ids: seededIds(), log, component: 'tester' })
  void recorder.run(new AbortController().signal)
  return {
    client,
    clock,
    recorder,
    about,
    logged,
    writes: () => writes,
    refuse: (times, status) => (refusals = { times, status }),
    told: async () => valueOf(await client.list(events)).items,
  }
}

const failed = { type: 'Warning', reason: 'Failed', message: 'it failed' } as const

test('an event says what happened to which object, and who says so', async () => {
  const { recorder, about, clock, told } = await start()
  recorder.note(about, failed)
  await clock.advance(0)
  expect(await told()).toMatchObject([
    {
      kind: 'Event',
      metadata: { namespace: 'default', name: expect.stringMatching(/^a\.[0-9a-z]+$/) as string },
      involvedObject: { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace: 'default', uid: about.metadata.uid },
      type: 'Warning',
      reason: 'Failed',
      message: 'it failed',
      source: { component: 'tester' },
      count: 1,
    },
  ])
})

test('repetitions are one event with a count, and are written together', async () => {
  const { recorder, about, clock, told, writes } = await start()
  for (let at = 0; at < 100; at++) {
    recorder.note(about, failed)
    await clock.advance(100)
  }
  await clock.advance(10_000)
  const [event, ...more] = await told()
  expect(more).toEqual([])
  expect(event).toMatchObject({
    count: 100,
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:09Z',
  })
  expect(writes()).toBeLessThanOrEqual(4)
})

test('many different messages of one reason become one event', async () => {
  const { recorder, about, clock, told } = await start()
  for (let at = 0; at < 50; at++) recorder.note(about, { ...failed, message: `it failed: ${at}` })
  await clock.advance(10_000)
  const all = await told()
  expect(all).toHaveLength(11)
  expect(all.find(({ count }) => count === 40)).toMatchObject({
    message: '(combined from similar events): it failed: 49',
  })
})

test('an event that has gone is written anew', async () => {
  const { recorder, about, clock, told, client } = await start()
  recorder.note(about, failed)
  await clock.advance(0)
  const [first] = await told()
  valueOf(await client.delete({ ...events, name: first?.metadata.name ?? '' }))
  recorder.note(about, failed)
  await clock.advance(10_000)
  expect(await told()).toMatchObject([{ count: 2 }])
})

test('a server that is busy is asked again; what it will never take is dropped, once', async () => {
  const { recorder, about, clock, told, refuse, logged } = await start()
  refuse(2, failure('ServiceUnavailable', 'busy'))
  recorder.note(about, failed)
  await clock.advance(1_000)
  expect(await told()).toHaveLength(1)
  refuse(1, failure('Forbidden', 'no'))
  recorder.note(about, { ...failed, reason: 'Other' })
  await clock.advance(60_000)
  expect(await told()).toHaveLength(1)
  expect(logged).toMatchObject([{ message: 'an event is dropped', fields: { because: 'no' } }])
})
