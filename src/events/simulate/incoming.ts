import { createHash } from 'node:crypto'
import type { KubeObject } from '../../kube/object.ts'
import { textOf } from '../../lib/fields.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import type { EventContext } from '../event.ts'
import { busNameOf, type SourceEntry, sourcesOf } from '../eventsource/event-source.ts'
import { webhookContextOf } from '../eventsource/check-webhooks.ts'
import { compileEventFilter } from '../sources/event-filter.ts'
import { headersOf } from '../sources/webhook/delivery.ts'
import { providers } from '../sources/webhook/providers.ts'
import type { IncomingEvent } from './simulate.ts'

/** What is fed into a simulation: what somebody sends to a source, or what an event holds. */
export interface Feed {
  /** `eventsource/event`. */
  readonly source: string
  readonly namespace?: string
  /** The text of a body, or of the data of an event, in JSON or YAML. */
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
  /** `delivery`: as it is sent to the webhook; `data`: as Sensors see it. Without it, what fits the source. */
  readonly as?: 'delivery' | 'data'
  readonly time?: string
  readonly id?: string
}

const invalid = (message: string, cure?: string): Result<never> =>
  fail({ code: 'event-feed-invalid', message, ...(cure === undefined ? {} : { cure }) })

/** Makes the events that Sensors would hear of a feed; none where the source's own filter does not want it. */
export async function incomingEvents(
  feed: Feed,
  sources: readonly KubeObject[],
  nowMs: number,
): Promise<Result<readonly IncomingEvent[]>> {
  const [eventSourceName = '', eventName = '', ...more] = feed.source.split('/')
  if (eventSourceName === '' || eventName === '' || more.length > 0)
    return invalid(
      `${JSON.stringify(feed.source)} names no source`,
      'write EVENTSOURCE/EVENT, such as github/pull-requests',
    )
  const found = sources.filter(
    ({ metadata }) =>
      metadata.name === eventSourceName && (feed.namespace === undefined || metadata.namespace === feed.namespace),
  )
  const [source, other] = found
  if (other)
    return invalid(
      `there are several EventSources named ${JSON.stringify(eventSourceName)}`,
      'name one with --namespace',
    )
  const entry = source && sourcesOf(source).find((one) => one.eventName === eventName)
  if (source && !entry) {
    const known = sourcesOf(source).map((one) => one.eventName)
    return invalid(
      `the EventSource ${JSON.stringify(eventSourceName)} has no event ${JSON.stringify(eventName)}`,
      `it has ${known.join(', ')}`,
    )
  }
  const datas = await dataOf(feed, entry, nowMs)
  if (!datas.ok) return datas
  const wanted = datas.value.filter((data) => isWanted(data, entry, nowMs))
  return succeed(
    wanted.map((data, at) => ({
      namespace: feed.namespace ?? source?.metadata.namespace ?? 'default',
      busName: source ? busNameOf(source) : 'default',
      eventSourceName,
      eventName,
      event: { context: contextOf(feed, entry, { at, eventSourceName, eventName, nowMs }), data },
    })),
  )
}

function contextOf(
  { id, time, text, source }: Feed,
  entry: SourceEntry | undefined,
  { at, eventSourceName, eventName, nowMs }: { at: number; eventSourceName: string; eventName: string; nowMs: number },
): EventContext {
  const made = createHash('sha256').update(source).update(text).digest('hex').slice(0, 32)
  return {
    id: `${id ?? made}${at === 0 ? '' : `-${at}`}`,
    source: eventSourceName,
    specversion: '1.0',
    type: entry?.kind.type ?? 'webhook',
    datacontenttype: 'application/json',
    subject: eventName,
    time: time ?? new Date(nowMs).toISOString(),
  }
}

function isWanted(data: string, entry: SourceEntry | undefined, nowMs: number): boolean {
  const filter = entry?.spec['filter']
  if (!entry || entry.kind.family === 'resource' || !isObject(filter)) return true
  const compiled = compileEventFilter(textOf(filter, 'expression'))
  if (!compiled.ok) return false
  const verdict = compiled.value(data, nowMs)
  return verdict.ok && verdict.value
}

async function dataOf(feed: Feed, entry: SourceEntry | undefined, nowMs: number): Promise<Result<readonly string[]>> {
  const text = jsonText(feed.text)
  if (!text.ok) return text
  const isDelivery = feed.as === 'delivery' || (feed.as === undefined && entry?.kind.family === 'webhook')
  if (!isDelivery) return succeed([text.value])
  const provider = entry && providers.get(entry.kind.field)
  if (!entry || !provider) {
    const cure = 'give the file with the EventSource, or the data as Sensors see it'
    return invalid(`nobody knows how ${JSON.stringify(feed.source)} reads a delivery`, cure)
  }
  const headers = Object.entries({ 'Content-Type': 'application/json', ...feed.headers }).flat()
  const method = textOf(webhookContextOf(entry.kind.field, entry.spec), 'method') || 'POST'
  const delivery = { method, query: new URLSearchParams(), headers: headersOf(headers), body: Buffer.from(text.value) }
  // Who sends is not asked here: whoever simulates may send anything.
  const received = await provider(delivery, { spec: entry.spec, secret: () => succeed(undefined), nowMs })
  if (received.do === 'publish') return succeed(received.events.map(({ data }) => data))
  if (received.refused === undefined) return succeed([])
  return invalid(`the source refuses the delivery: ${received.answer.body}`)
}

function jsonText(text: string): Result<string> {
  try {
    JSON.parse(text)
    return succeed(text)
  } catch {
    // Then it may be YAML.
    const read = parseYaml(text)
    if (read.ok && typeof read.value === 'object' && read.value !== null) return succeed(JSON.stringify(read.value))
    return invalid('the event is neither JSON nor YAML of an object')
  }
}
