import { expect, test } from 'vitest'
import { admin, testServer } from '../apiserver/apiserver.testkit.ts'
import { seededIds } from '../lib/ids.ts'
import { silentLog } from '../lib/log.ts'
import { fail, succeed } from '../lib/result.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { EventAddress } from './bus/publish.ts'
import type { DeadLetter } from './bus/record.ts'
import { DeadLetters } from './sensor/dead-letters.ts'
import type { SensorEvent } from './event.ts'
import { type DeskParts, eventsDesk } from './desk.ts'
import type { Trace } from './trace/trace.ts'
import { TraceBook } from './trace/trace-book.ts'

interface Answer {
  readonly status: number
  readonly body: unknown
}

interface Desk {
  readonly book: TraceBook
  readonly published: (readonly [EventAddress, SensorEvent])[]
  readonly ask: (method: string, path: string, body?: unknown) => Promise<Answer>
}

const letter: DeadLetter = {
  is: 'dead-letter',
  id: 'f1',
  namespace: 'team',
  sensor: 'build',
  trigger: 't',
  atMs: 1,
  attempts: 2,
  because: 'no',
  events: [['push', { context: { id: 'e1' }, data: '{}' }]],
}

async function desk(): Promise<Desk> {
  const { client, clock } = await testServer()
  const book = new TraceBook({ store: memoryStore<Trace>(), clock, log: silentLog })
  const published: Desk['published'] = []
  const deadLetters = new DeadLetters(memoryStore())
  await deadLetters.keep(letter)
  const parts: DeskParts = {
    book,
    client,
    clock,
    ids: seededIds(),
    publish: async (to, event) => {
      published.push([to, event])
      return Promise.resolve(succeed({ isRepeat: false }))
    },
    sensors: {
      deadLetters,
      run: () => Promise.resolve(),
      pending: () => [],
      replay: (namespace, eventId) =>
        Promise.resolve(
          eventId === 'e1'
            ? succeed([{ sensor: `${namespace}/build`, trigger: 't', ends: [] }])
            : fail({ code: 'event-unknown', message: 'no such event' }),
        ),
      async replayDead(one) {
        await deadLetters.drop(one)
        return succeed({
          sensor: 'team/build',
          trigger: one.trigger,
          ends: [{ end: 'fired', fired: { because: 'done' } }],
        })
      },
    },
  }
  const receiver = eventsDesk(() => parts)
  return {
    book,
    published,
    async ask(method, path, body = '') {
      const [bare = '', search = ''] = path.split('?')
      const query = new Map<string, string[]>()
      for (const [name, value] of new URLSearchParams(search)) query.set(name, [value])
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const request = { method, path: `/idp/events/${bare}`, query, headers: {}, user: admin, body: Buffer.from(text) }
      const answer = await receiver.receive(request)
      return { status: answer.status, body: JSON.parse(answer.body) as unknown }
    },
  }
}

test('traces are listed and found, and an event that nobody knows is not', async () => {
  const { book, ask } = await desk()
  book.sink({
    atMs: 5,
    eventId: 'a b',
    step: 'received',
    because: 'x',
    values: { namespace: 'team', source: 'github/push' },
  })
  expect(await ask('GET', 'traces?namespace=team')).toMatchObject({ status: 200, body: [{ eventId: 'a b' }] })
  expect(await ask('GET', 'traces?namespace=other')).toEqual({ status: 200, body: [] })
  expect(await ask('GET', 'traces/a%20b')).toMatchObject({ status: 200, body: { source: 'github/push', outcomes: [] } })
  expect(await ask('GET', 'traces/%ZZ')).toMatchObject({ status: 404 })
})

test('an event that is sent is published with all that a CloudEvent has', async () => {
  const { published, ask } = await desk()
  const order = { namespace: 'team', eventSourceName: 'github', eventName: 'push', data: { a: 1 } }
  expect(await ask('POST', 'send', order)).toMatchObject({ status: 200, body: { isRepeat: false } })
  expect(published).toMatchObject([
    [
      { namespace: 'team', busName: 'default', eventSourceName: 'github', eventName: 'push' },
      { context: { source: 'github', subject: 'push', specversion: '1.0' }, data: '{"a":1}' },
    ],
  ])
})

test('events and dead letters are replayed, and dead letters dropped', async () => {
  const { ask } = await desk()
  expect(await ask('POST', 'replay', { namespace: 'team', eventId: 'e1' })).toMatchObject({ status: 200 })
  expect(await ask('POST', 'replay', { namespace: 'team', eventId: 'no' })).toMatchObject({ status: 404 })
  expect(await ask('GET', 'dead-letters?namespace=team')).toMatchObject({ body: [{ id: 'f1', because: 'no' }] })
  expect(await ask('POST', 'replay', { namespace: 'team', sensor: 'build', deadLetter: 'no' })).toMatchObject({
    status: 404,
  })
  expect(await ask('POST', 'replay', { namespace: 'team', sensor: 'build' })).toMatchObject({
    body: [{ deadLetter: 'f1', ends: [{ end: 'fired' }] }],
  })
  expect(await ask('GET', 'dead-letters?namespace=team')).toEqual({ status: 200, body: [] })
  const other = await desk()
  expect(await other.ask('DELETE', 'dead-letters?namespace=team&sensor=build')).toEqual({
    status: 200,
    body: { dropped: ['f1'] },
  })
})

test.each<readonly [string, string, unknown, number, string]>([
  ['POST', 'send', '{', 422, 'the body is not JSON'],
  ['POST', 'send', [], 422, 'must be an object'],
  ['POST', 'send', { eventName: 'a' }, 422, 'must name a namespace'],
  ['POST', 'send', { namespace: 'a' }, 422, 'must name eventSourceName and eventName'],
  [
    'POST',
    'send',
    `{"namespace":"a","data":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
    422,
    'nested deeper than 500 levels',
  ],
  ['POST', 'replay', { namespace: 'a' }, 422, 'must name an eventId, or a sensor'],
  ['GET', 'dead-letters', '', 422, 'must name a namespace'],
  ['DELETE', 'dead-letters?namespace=a', '', 422, 'must name a namespace and a sensor'],
  ['PUT', 'traces', '', 404, 'nobody answers'],
])('%s %s with %j is refused', async (method, path, body, status, message) => {
  const { ask } = await desk()
  const answer = await ask(method, path, body)
  expect(answer).toMatchObject({ status, body: { message: expect.stringContaining(message) as unknown } })
})

test('before events are at work they say so', async () => {
  const answer = await eventsDesk(() => undefined).receive({
    method: 'GET',
    path: '/idp/events/traces',
    query: new Map(),
    headers: {},
    user: admin,
    body: new Uint8Array(),
  })
  expect(answer.status).toBe(503)
})
