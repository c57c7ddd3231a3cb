import fc from 'fast-check'
import { expect, test } from 'vitest'
import { movableClock } from '../../lib/clock.ts'
import { seededIds } from '../../lib/ids.ts'
import { silentLog } from '../../lib/log.ts'
import { silentMetrics } from '../../lib/metrics.ts'
import { memoryStore } from '../../store/memory-store.ts'
import type { Store } from '../../store/store.ts'
import type { SensorEvent } from '../event.ts'
import { usualSettings } from './bus-settings.ts'
import { EventLog } from './event-log.ts'
import type { EventAddress } from './publish.ts'
import type { BusRecord } from './record.ts'

const clock = movableClock()
const open = (store: Store<BusRecord>): EventLog =>
  new EventLog({ store, clock, ids: seededIds(), log: silentLog, metrics: silentMetrics })

function logWith(settings: Partial<typeof usualSettings> = {}): {
  readonly log: EventLog
  readonly store: Store<BusRecord>
} {
  const store = memoryStore<BusRecord>()
  const log = open(store)
  log.configure('team-a', 'default', { ...usualSettings, ...settings })
  return { log, store }
}

const at: EventAddress = { namespace: 'team-a', busName: 'default', eventSourceName: 'web', eventName: 'push' }
const event = (id: string, data = '{}'): SensorEvent => ({ context: { id, source: 'web', subject: 'push' }, data })
const idsAfter = (log: EventLog, seq: number): readonly (string | undefined)[] =>
  log.after('team-a', 'default', seq, 10_000).map((logged) => logged.event.context.id)

test('what was accepted is read in the order of acceptance, also after a restart', async () => {
  const { log, store } = logWith()
  await Promise.all(Array.from({ length: 50 }, (_, n) => log.publish(at, event(`e${n}`))))
  const want = Array.from({ length: 50 }, (_, n) => `e${n}`)
  expect(idsAfter(log, 0)).toEqual(want)
  expect(idsAfter(open(store), 0)).toEqual(want)
})

test('an event that comes twice is kept once: at once, later and after a restart', async () => {
  const { log, store } = logWith()
  const both = await Promise.all([log.publish(at, event('a')), log.publish(at, event('a'))])
  expect(both.map((one) => one.ok && one.value.isRepeat)).toEqual([false, true])
  expect(await log.publish(at, event('a'))).toEqual({ ok: true, value: { isRepeat: true } })
  const again = open(store)
  again.configure('team-a', 'default', usualSettings)
  expect(await again.publish(at, event('a'))).toEqual({ ok: true, value: { isRepeat: true } })
  expect(await again.publish({ ...at, eventName: 'other' }, event('a'))).toEqual({
    ok: true,
    value: { isRepeat: false },
  })
  expect(idsAfter(again, 0)).toEqual(['a', 'a'])
})

test('an event without an id gets one', async () => {
  const { log } = logWith()
  await log.publish(at, { context: {} })
  await log.publish(at, { context: {} })
  expect(new Set(idsAfter(log, 0)).size).toBe(2)
})

test.each<readonly [string, Partial<EventAddress>, SensorEvent, string]>([
  ['no such bus', { busName: 'other' }, event('a'), 'event-bus-missing'],
  ['too large', {}, event('a', 'x'.repeat(2 ** 20 + 1)), 'event-too-large'],
])('%s is refused', async (_, to, given, code) => {
  const { log } = logWith()
  expect(await log.publish({ ...at, ...to }, given)).toMatchObject({ ok: false, error: [{ code }] })
})

test('a bus that is full refuses what would cost a running reader an event, and takes it once that is read', async () => {
  const { log } = logWith({ maxMsgs: 3 })
  let position = 0
  log.join('team-a', 'default', 'reader', { position: () => position, wake: () => {} })
  for (const id of ['a', 'b', 'c']) expect(await log.publish(at, event(id))).toMatchObject({ ok: true })
  const refused = await log.publish(at, event('d'))
  expect(refused).toMatchObject({ ok: false, error: [{ code: 'event-bus-full' }] })
  expect(!refused.ok && refused.error[0]?.message).toContain('still to deal with 3')
  position = 1
  expect(await log.publish(at, event('d'))).toMatchObject({ ok: true })
  expect(idsAfter(log, position)).toEqual(['b', 'c', 'd'])
})

test('a reader that has left does not hold others up', async () => {
  const { log } = logWith({ maxMsgs: 2 })
  log.join('team-a', 'default', 'reader', { position: () => 0, wake: () => {} })
  for (const id of ['a', 'b']) expect(await log.publish(at, event(id))).toMatchObject({ ok: true })
  expect(await log.publish(at, event('c'))).toMatchObject({ ok: false })
  log.leave('team-a', 'default', 'reader')
  expect(await log.publish(at, event('c'))).toMatchObject({ ok: true })
})

test('until everybody has begun, what is published waits and nothing is forgotten', async () => {
  const { log, store } = logWith({ maxMsgs: 1 })
  await log.publish(at, event('a'))
  const again = open(store)
  let begin = (): void => {}
  again.hold(new Promise<void>((resolve) => (begin = resolve)))
  const published = again.publish(at, event('b'))
  const ended = new AbortController()
  const running = again.run(ended.signal)
  await clock.advance(usualSettings.maxAgeMs * 2)
  expect(idsAfter(again, 0)).toEqual(['a'])
  again.configure('team-a', 'default', usualSettings)
  begin()
  expect(await published).toMatchObject({ ok: true })
  ended.abort()
  await running
})

test('a reader that is far behind reads on disk what is not at hand any more', async () => {
  const { log } = logWith()
  const ids = Array.from({ length: 5_000 }, (_, n) => `e${n}`)
  for (const id of ids) void log.publish(at, event(id))
  await log.publish(at, event('last', 'x'.repeat(900_000)))
  for (const from of [0, 1, 2_500, 4_000, 4_990]) {
    expect(idsAfter(log, from)).toEqual([...ids, 'last'].slice(from))
  }
})

test('a bus that discards new events refuses them when it is full', async () => {
  const { log } = logWith({ maxMsgs: 1, discardNew: true })
  await log.publish(at, event('a'))
  expect(await log.publish(at, event('b'))).toMatchObject({ ok: false, error: [{ code: 'event-bus-full' }] })
})

test('old events go, but none that a running reader has not read', async () => {
  const { log, store } = logWith({ maxAgeMs: 60_000 })
  let position = 0
  log.join('team-a', 'default', 'reader', { position: () => position, wake: () => {} })
  await log.publish(at, event('a'))
  await log.publish(at, event('b'))
  const ended = new AbortController()
  const running = log.run(ended.signal)
  await clock.advance(120_000)
  expect(idsAfter(log, 0)).toEqual(['a', 'b'])
  position = 1
  await clock.advance(2_000)
  expect(store.count('event/')).toBe(1)
  ended.abort()
  await running
})

test('an event is found by its id, and from a time on', async () => {
  const { log } = logWith()
  await log.publish(at, event('a'))
  await clock.advance(10_000)
  const later = clock.now()
  await log.publish(at, event('b'))
  expect(log.find('team-a', 'b')).toMatchObject([{ eventName: 'push', event: { context: { id: 'b' } } }])
  expect(idsAfter(log, log.placeBefore('team-a', 'default', later))).toEqual(['b'])
  expect(idsAfter(log, log.placeBefore('team-a', 'default', later + 1))).toEqual([])
})

test('law: readers of any pace see every event of their bus once and in order, whatever is forgotten meanwhile', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('publish' as const), bus: fc.constantFrom('default', 'other') }),
    fc.record({ do: fc.constant('read' as const), reader: fc.nat({ max: 2 }), limit: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constant('restart' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const store = memoryStore<BusRecord>()
      const positions = [0, 0, 0]
      const buses = ['default', 'default', 'other']
      const seen: string[][] = [[], [], []]
      const told: Record<string, string[]> = { default: [], other: [] }
      const start = (): EventLog => {
        const log = open(store)
        for (const bus of ['default', 'other']) log.configure('team-a', bus, { ...usualSettings, maxMsgs: 5 })
        for (const [n, bus] of buses.entries())
          log.join('team-a', bus, `reader-${n}`, { position: () => positions[n] ?? 0, wake: () => {} })
        return log
      }
      let log = start()
      let count = 0
      for (const one of steps) {
        if (one.do === 'restart') log = start()
        else if (one.do === 'publish') {
          const id = `e${count++}`
          const answer = await log.publish({ ...at, busName: one.bus }, event(id))
          if (answer.ok) told[one.bus]?.push(id)
        } else {
          const n = one.reader
          for (const { seq, event: found } of log.after('team-a', buses[n] ?? '', positions[n] ?? 0, one.limit)) {
            seen[n]?.push(found.context.id ?? '')
            positions[n] = seq
          }
        }
      }
      for (const [n, bus] of buses.entries()) {
        const rest = log.after('team-a', bus, positions[n] ?? 0, 100).map((logged) => logged.event.context.id ?? '')
        expect([...(seen[n] ?? []), ...rest]).toEqual(told[bus])
      }
    }),
    { numRuns: 100 },
  )
})
