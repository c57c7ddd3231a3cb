import type { ReceivedRequest, Receiver, ReceiverAnswer } from '../apiserver/http/receivers.ts'
import type { Client } from '../kube/client.ts'
import { isDeeperThan } from '../kube/schema/walk.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { isObject } from '../lib/json.ts'
import { explain, fail, type Result, succeed } from '../lib/result.ts'
import type { Publish } from './bus/publish.ts'
import type { Sensors } from './sensor/sensor-controller.ts'
import { redact } from './trace/redact.ts'
import { outcomesOf } from './trace/outcome.ts'
import type { TraceBook } from './trace/trace-book.ts'

/** What can be asked of running events. */
export interface DeskParts {
  readonly book: TraceBook
  readonly sensors: Sensors
  readonly publish: Publish
  readonly client: Client
  readonly clock: Clock
  readonly ids: Ids
}

/** Below which the desk is asked; RBAC's nonResourceURLs say by whom. */
export const DESK_PATH = '/idp/events/'

/** What looks into events walks them by recursion. */
const DEEPEST = 500

type Ask = (request: ReceivedRequest, rest: string, parts: DeskParts) => Result<unknown> | Promise<Result<unknown>>

/** Answers questions about events, and takes orders to send and replay them, once `parts` are there. */
export function eventsDesk(parts: () => DeskParts | undefined): Receiver {
  return {
    path: DESK_PATH,
    async receive(request) {
      const [word = '', ...rest] = request.path.slice(DESK_PATH.length).split('/')
      const ask = questions.get(`${request.method} ${word}`)
      const there = parts()
      if (!ask) return json(404, { message: `nobody answers ${request.method} ${request.path}` })
      if (!there) return json(503, { message: 'events are not at work yet' })
      const answer = await ask(request, decoded(rest.join('/')), there)
      if (answer.ok) return json(200, answer.value)
      const isUnknown = answer.error.some(({ code }) => code.endsWith('-unknown'))
      return json(isUnknown ? 404 : 422, { message: answer.error.map(explain).join('; ') })
    },
  }
}

const json = (status: number, body: unknown): ReceiverAnswer => ({
  status,
  body: JSON.stringify(body),
  contentType: 'application/json',
})

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // What is no encoding stands for itself.
    return text
  }
}

const questions: ReadonlyMap<string, Ask> = new Map<string, Ask>([
  ['GET traces', traces],
  ['GET dead-letters', ({ query }, _, { sensors }) => deadLetters(query, sensors)],
  ['DELETE dead-letters', dropDeadLetters],
  ['POST replay', replay],
  ['POST send', send],
])

type Query = ReceivedRequest['query']

const first = (query: Query, name: string): string | undefined => query.get(name)?.[0] || undefined

async function traces(
  { query }: ReceivedRequest,
  eventId: string,
  { book, client }: DeskParts,
): Promise<Result<unknown>> {
  if (eventId === '') {
    const [namespace, source, sensor] = [first(query, 'namespace'), first(query, 'source'), first(query, 'sensor')]
    const limit = Number(first(query, 'limit') ?? 50)
    return succeed(
      book.list({
        ...(namespace === undefined ? {} : { namespace }),
        ...(source === undefined ? {} : { source }),
        ...(sensor === undefined ? {} : { sensor }),
        failed: first(query, 'failed') === 'true',
        afterMs: Number(first(query, 'after') ?? 0) || 0,
        limit: Math.min(Math.max(1, limit || 50), 1_000),
      }),
    )
  }
  const trace = book.get(eventId)
  if (!trace) {
    const cure = 'look at `idp events list`; the traces of old events are forgotten'
    return fail({ code: 'event-unknown', message: `there is no trace of an event ${JSON.stringify(eventId)}`, cure })
  }
  return succeed({ ...trace, outcomes: await outcomesOf(trace, client) })
}

/** Dead letters without what is secret in their events. */
function deadLetters(query: Query, sensors: Sensors): Result<unknown> {
  const namespace = first(query, 'namespace')
  if (namespace === undefined)
    return fail({ code: 'event-request-invalid', message: 'the query must name a namespace' })
  return succeed(sensors.deadLetters.list(namespace, first(query, 'sensor')).map((letter) => redact(letter)))
}

async function dropDeadLetters(
  { query }: ReceivedRequest,
  _: string,
  { sensors }: DeskParts,
): Promise<Result<unknown>> {
  const [namespace, sensor, id] = [first(query, 'namespace'), first(query, 'sensor'), first(query, 'id')]
  if (namespace === undefined || sensor === undefined)
    return fail({ code: 'event-request-invalid', message: 'the query must name a namespace and a sensor' })
  const chosen = sensors.deadLetters.list(namespace, sensor).filter((letter) => id === undefined || letter.id === id)
  for (const letter of chosen) await sensors.deadLetters.drop(letter)
  return succeed({ dropped: chosen.map((letter) => letter.id) })
}

interface Order {
  readonly namespace: string
  readonly text: (key: string) => string | undefined
  readonly body: Readonly<Record<string, unknown>>
}

function orderIn({ body }: ReceivedRequest): Result<Order> {
  const wrong = (message: string): Result<never> => fail({ code: 'event-request-invalid', message })
  let read: unknown
  try {
    read = JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return wrong('the body is not JSON')
  }
  if (!isObject(read)) return wrong('the body must be an object')
  if (isDeeperThan(read, DEEPEST)) return wrong(`the body is nested deeper than ${DEEPEST} levels`)
  const order = read
  const text = (key: string): string | undefined => {
    const value = Object.hasOwn(order, key) ? order[key] : undefined
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const namespace = text('namespace')
  return namespace === undefined ? wrong('the body must name a namespace') : succeed({ namespace, text, body: order })
}

async function replay(request: ReceivedRequest, _: string, { sensors }: DeskParts): Promise<Result<unknown>> {
  const order = orderIn(request)
  if (!order.ok) return order
  const { namespace, text } = order.value
  const [eventId, sensor, trigger, letterId] = [text('eventId'), text('sensor'), text('trigger'), text('deadLetter')]
  if (eventId !== undefined) {
    const only = { ...(sensor === undefined ? {} : { sensor }), ...(trigger === undefined ? {} : { trigger }) }
    return sensors.replay(namespace, eventId, only)
  }
  if (sensor === undefined)
    return fail({
      code: 'event-request-invalid',
      message: 'the body must name an eventId, or a sensor whose dead letters are replayed',
    })
  const letters = sensors.deadLetters
    .list(namespace, sensor)
    .filter(({ id }) => letterId === undefined || id === letterId)
    .toSorted((a, b) => a.atMs - b.atMs)
  if (letterId !== undefined && letters.length === 0)
    return fail({
      code: 'event-unknown',
      message: `there is no dead letter ${JSON.stringify(letterId)} of ${namespace}/${sensor}`,
    })
  const replayed: unknown[] = []
  for (const letter of letters) {
    const one = await sensors.replayDead(letter)
    replayed.push(
      one.ok
        ? { deadLetter: letter.id, ...one.value }
        : { deadLetter: letter.id, because: one.error.map(explain).join('; ') },
    )
    // A Sensor that does not run fails them all alike.
    if (!one.ok) break
  }
  return succeed(replayed)
}

async function send(request: ReceivedRequest, _: string, { publish, clock, ids }: DeskParts): Promise<Result<unknown>> {
  const order = orderIn(request)
  if (!order.ok) return order
  const { namespace, text, body } = order.value
  const [eventSourceName, eventName] = [text('eventSourceName'), text('eventName')]
  if (eventSourceName === undefined || eventName === undefined)
    return fail({ code: 'event-request-invalid', message: 'the body must name eventSourceName and eventName' })
  const id = text('id') ?? ids.uid().replaceAll('-', '')
  const context = {
    id,
    source: eventSourceName,
    specversion: '1.0',
    type: text('type') ?? 'webhook',
    datacontenttype: 'application/json',
    subject: eventName,
    time: text('time') ?? new Date(clock.now()).toISOString(),
  }
  const to = { namespace, busName: text('busName') ?? 'default', eventSourceName, eventName }
  const kept = await publish(to, { context, data: JSON.stringify(body['data'] ?? {}) })
  return kept.ok ? succeed({ id, isRepeat: kept.value.isRepeat }) : kept
}
