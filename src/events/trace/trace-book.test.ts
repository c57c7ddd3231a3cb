import { expect, test } from 'vitest'
import { configMap, testServer } from '../../apiserver/apiserver.testkit.ts'
import { movableClock } from '../../lib/clock.ts'
import { silentLog } from '../../lib/log.ts'
import { memoryStore } from '../../store/memory-store.ts'
import type { TraceStep } from '../sensor/trace-sink.ts'
import { namedIn, outcomesOf, stateOf } from './outcome.ts'
import type { Trace } from './trace.ts'
import { TraceBook } from './trace-book.ts'

const step = (eventId: string, more: Partial<TraceStep> = {}): TraceStep => ({
  atMs: 1_000,
  eventId,
  step: 'filtered',
  because: 'passes',
  ...more,
})
const received = (eventId: string, atMs: number): TraceStep =>
  step(eventId, {
    atMs,
    step: 'received',
    because: 'by its source',
    values: { namespace: 'team', source: 'github/push', bus: 'default' },
  })

test('steps of an event come together, are on disk after a moment, and are read back', async () => {
  const store = memoryStore<Trace>()
  const clock = movableClock()
  const book = new TraceBook({ store, clock, log: silentLog })
  const stopping = new AbortController()
  const running = book.run(stopping.signal)
  book.sink(received('a', 1_000))
  book.sink(step('a', { atMs: 1_001, sensor: 'team/build', trigger: 't', dependency: 'd' }))
  book.sink(received('b', 1_002))
  await clock.advance(300)
  book.sink(
    step('a', { atMs: 1_005, sensor: 'team/build', trigger: 't', step: 'fired', because: 'created Workflow team/x' }),
  )
  stopping.abort()
  await running
  const again = new TraceBook({ store, clock, log: silentLog })
  expect(again.get('a')).toMatchObject({ namespace: 'team', source: 'github/push', firstMs: 1_000, lastMs: 1_005 })
  expect(again.get('a')?.steps.map((one) => one.step)).toEqual(['received', 'filtered', 'fired'])
  expect(again.list()).toMatchObject([
    { eventId: 'b', because: 'by its source' },
    { eventId: 'a', sensors: ['team/build'], fired: 1, because: 'created Workflow team/x' },
  ])
  expect(again.list({ sensor: 'build' })).toHaveLength(1)
  expect(again.list({ source: 'github', namespace: 'team' })).toHaveLength(2)
  expect(again.list({ source: 'gitlab' })).toHaveLength(0)
  expect(again.list({ failed: true })).toHaveLength(0)
  expect(again.list({ afterMs: 1_003 })).toHaveLength(1)
})

test('what traces were before does not stay on disk', async () => {
  const store = memoryStore<Trace>()
  const clock = movableClock()
  const stopping = new AbortController()
  const book = new TraceBook({ store, clock, log: silentLog, kept: 10 })
  const running = book.run(stopping.signal)
  for (let n = 0; n < 3_000; n++) book.sink(step(`e${n}`))
  await clock.advance(300)
  expect(store.oldest).toBe(store.revision)
  stopping.abort()
  await running
})

test('the oldest go when there are too many, and a trace does not grow without end', async () => {
  const book = new TraceBook({ store: memoryStore<Trace>(), clock: movableClock(), log: silentLog, kept: 3 })
  for (let at = 0; at < 10; at++) book.sink(received(`e${at}`, at))
  for (let at = 0; at < 1_000; at++) book.sink(step('e9'))
  await book.flush()
  expect(book.list().map(({ eventId }) => eventId)).toEqual(['e9', 'e8', 'e7'])
  expect(book.get('e0')).toBeUndefined()
  expect(book.get('e9')?.steps).toHaveLength(300)
  expect(book.get('e9')?.left).toBe(701)
})

test('secrets do not reach a trace, and values that are too long are left out', () => {
  const book = new TraceBook({ store: memoryStore<Trace>(), clock: movableClock(), log: silentLog })
  book.sink(step('a', { because: 'sent Bearer abcdefghijk', values: { password: 'p', checks: [{ because: 'x' }] } }))
  book.sink(step('a', { values: { long: Array.from({ length: 1_000 }, () => 'x'.repeat(100)) } }))
  expect(JSON.stringify(book.get('a'))).not.toMatch(/abcdefghijk|"p"/)
  expect(book.get('a')?.steps[1]?.values).toEqual({ left: 'the values are too long to be kept' })
})

test('what became of an object is read from the object', async () => {
  const { client } = await testServer()
  const target = {
    resource: { group: '', version: 'v1', plural: 'configmaps' },
    namespace: 'default',
    name: 'made',
    kind: 'ConfigMap',
  }
  const trace: Trace = {
    eventId: 'a',
    firstMs: 0,
    lastMs: 0,
    left: 0,
    steps: [step('a', { step: 'fired', trigger: 't', values: { object: namedIn(target) } })],
  }
  expect(await outcomesOf(trace, client)).toEqual([{ trigger: 't', object: 'ConfigMap default/made', now: 'is gone' }])
  await client.create({ resource: target.resource, namespace: 'default' }, configMap('made'))
  expect(await outcomesOf(trace, client)).toMatchObject([{ now: 'is there' }])
})

test.each([
  ['Workflow', { phase: 'Failed', message: 'a step failed' }, 'Failed: a step failed'],
  [
    'Application',
    { sync: { status: 'Synced' }, health: { status: 'Healthy' }, operationState: { phase: 'Succeeded' } },
    'Synced, Healthy; operation Succeeded',
  ],
  [
    'ExternalSecret',
    { conditions: [{ type: 'Ready', status: 'False', message: 'no such key' }] },
    'Ready is False: no such key',
  ],
])('a %s says how it stands', (kind, status, want) => {
  expect(stateOf({ apiVersion: 'x/v1', kind, metadata: { name: 'a' }, status })).toBe(want)
})

test('whatever an event is called, its trace is kept and found', async () => {
  const store = memoryStore<Trace>()
  const book = new TraceBook({ store, clock: movableClock(), log: silentLog })
  const ids = ['a/b c', '\ud800', 'x'.repeat(10_000), '__proto__']
  for (const id of ids) book.sink(received(id, 1))
  await book.flush()
  const again = new TraceBook({ store, clock: movableClock(), log: silentLog })
  for (const id of ids) expect(again.get(id)?.source, id.slice(0, 20)).toBe('github/push')
  const found = store.range('trace/')
  expect(found.ok && found.entries.every(({ key }) => key.length < 200)).toBe(true)
})

test('a disk that takes nothing costs traces, and no memory without end', async () => {
  const store = memoryStore<Trace>()
  const broken = new Proxy(store, {
    get(target, name) {
      if (name === 'put') return () => Promise.reject(new Error('the disk is full'))
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
  const book = new TraceBook({ store: broken, clock: movableClock(), log: silentLog, kept: 100_000 })
  for (let at = 0; at < 30_000; at++) book.sink({ ...received(`e${at}`, at), step: 'failed' })
  await expect(book.flush()).rejects.toThrow('the disk is full')
  expect(book.get('e29999')).toBeDefined()
  expect(book.get('e0')).toBeUndefined()
})

test('under load some traces are short, then only what fails has one', () => {
  const book = new TraceBook({ store: memoryStore<Trace>(), clock: movableClock(), log: silentLog })
  for (let at = 0; at < 200; at++) {
    book.sink(received(`e${at}`, 1))
    book.sink(step(`e${at}`))
  }
  expect(book.get('e0')?.steps).toHaveLength(2)
  expect(book.get('e100')).toMatchObject({ left: 1, steps: [{ step: 'received' }] })
  expect(book.get('e199')).toBeUndefined()
  book.sink(step('e199', { step: 'failed', because: 'no' }))
  expect(book.get('e199')?.steps).toMatchObject([{ step: 'failed' }])
})
