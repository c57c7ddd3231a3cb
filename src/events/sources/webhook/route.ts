import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../../lib/clock.ts'
import { textOf } from '../../../lib/fields.ts'
import { own } from '../../../lib/json.ts'
import type { Log } from '../../../lib/log.ts'
import { type Result, succeed } from '../../../lib/result.ts'
import type { Dispatch, Outcome } from '../dispatch.ts'
import type { SourceCounts } from '../source-metrics.ts'
import { type Delivery, headerOf, headersOf } from './delivery.ts'
import type { Endpoint } from './endpoint.ts'
import type { Provider, ProviderContext, ReceivedEvent, WebhookAnswer } from './provider.ts'
import { type BodyBudget, readBody } from './read-body.ts'
import { isSameText } from './signature.ts'

/** One place at which deliveries are taken. */
export interface Route {
  readonly port: number
  readonly endpoint: Endpoint
  /** Only the plain webhook asks for one. */
  readonly method?: string
  readonly mostBytes: number
  readonly spec: Readonly<Record<string, unknown>>
  readonly provider: Provider
  /** The value that a field of the spec, or of where it listens, selects from a Secret. */
  readonly secret: ProviderContext['secret']
  /** The bearer token that senders have to know; undefined where the source asks for none. */
  readonly token: () => Result<string | undefined>
  readonly dispatch: Dispatch
  readonly counts: Pick<SourceCounts, 'refused'>
  readonly hasOpenPullRequest?: ProviderContext['hasOpenPullRequest']
  /** Told of senders who cannot prove themselves. */
  readonly onRefusal: (message: string) => void
}

export interface RoutePorts {
  readonly clock: Clock
  readonly log: Log
  /** Shared by all who listen. */
  readonly budget: BodyBudget
}

const DEFAULT_MOST_BYTES = 1_048_576

/** How large a body may be. */
export function mostBytesOf(context: Readonly<Record<string, unknown>>): number {
  const given = own(context, 'maxPayloadSize')
  return typeof given === 'number' ? given : DEFAULT_MOST_BYTES
}

/** What a sender who is not let in may look for in vain, so that the owner of the source is told. */
const TOLD = new Set(['signature', 'token', 'secret-missing'])

/** Statuses of bodies that were not read. */
const unread: Readonly<Record<'too-large' | 'too-slow' | 'broken-off' | 'too-much', number>> = {
  'too-large': 413,
  'too-slow': 408,
  'broken-off': 400,
  'too-much': 503,
}

/** Answers one request. It is answered with success only when all that it said is on disk. */
export async function answerRequest(
  route: Route,
  {
    request,
    response,
    query,
  }: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly query: string },
  ports: RoutePorts,
): Promise<void> {
  const refuse = (status: number, body: string, because: string): void => {
    route.counts.refused(because)
    ports.log.debug('a delivery was refused', { because, status })
    if (TOLD.has(because)) route.onRefusal(body)
    send(request, response, { status, body })
  }
  const { method = '' } = request
  if (route.method !== undefined && route.method !== method) return refuse(400, 'http method does not match', 'method')
  const headers = headersOf(request.rawHeaders)
  const who = whoSends(route, headerOf(headers, 'Authorization'))
  if (!who.ok) return refuse(...who.error)
  const read = await readBody(request, route.mostBytes, ports)
  try {
    if (!read.ok) return refuse(unread[read.because], `the body is ${read.because.replace('-', ' ')}`, read.because)
    const delivery: Delivery = { method, query: new URLSearchParams(query), headers, body: read.body }
    const refused = await take(route, delivery, ports.clock.now())
    if (refused && 'because' in refused) return refuse(refused.status, refused.body, refused.because)
    send(request, response, refused ?? { status: 200, body: 'success' })
  } finally {
    read.giveBack()
  }
}

type Refused = WebhookAnswer & { readonly because: string }

/** Has a delivery read and its events published; answers what is to be said if that is not just success. */
async function take(route: Route, delivery: Delivery, nowMs: number): Promise<WebhookAnswer | Refused | undefined> {
  const { spec, secret, hasOpenPullRequest } = route
  const context = { spec, secret, nowMs, ...(hasOpenPullRequest ? { hasOpenPullRequest } : {}) }
  const received = await route.provider(delivery, context)
  if (received.do === 'publish') {
    const failed = await publishAll(received.events, route.dispatch)
    return failed && { ...failed, because: 'not-recorded' }
  }
  return received.refused === undefined ? received.answer : { ...received.answer, because: received.refused }
}

type Refusal = readonly [status: number, body: string, because: string]

function whoSends(route: Route, authorization: string): Result<true, Refusal> {
  const token = route.token()
  if (!token.ok) return { ok: false, error: [500, 'Error loading auth token', 'secret-missing'] }
  if (token.value === undefined) return succeed(true)
  if (!authorization.startsWith('Bearer ')) return { ok: false, error: [401, 'Invalid Authorization Header', 'token'] }
  if (isSameText(authorization.slice('Bearer '.length), token.value)) return succeed(true)
  return { ok: false, error: [401, 'Invalid Auth token', 'token'] }
}

async function publishAll(events: readonly ReceivedEvent[], dispatch: Dispatch): Promise<WebhookAnswer | undefined> {
  for (const { data, delivery } of events) {
    const kept: Result<Outcome> = await dispatch({ data, ...(delivery === undefined ? {} : { identity: delivery }) })
    if (kept.ok) continue
    // Whoever is told that it is full, or away, may come back; what is too large stays too large.
    const codes = kept.error.map(({ code }) => code)
    if (codes.includes('event-too-large')) return { status: 413, body: 'the event is too large' }
    return { status: codes.includes('event-bus-full') ? 503 : 500, body: 'failed to record event' }
  }
  return undefined
}

/** Answers, and does not wait for what the sender may still be sending. */
export function send(request: IncomingMessage, response: ServerResponse, { status, body }: WebhookAnswer): void {
  if (response.headersSent || response.destroyed) return
  const isUnread = !request.complete
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(body),
    ...(isUnread ? { connection: 'close' } : {}),
    ...(status === 503 ? { 'retry-after': '5' } : {}),
  })
  response.end(body)
}

/** The path of a URL as endpoints are compared with it. */
export function pathOf(url: string): { readonly path: string; readonly query: string } {
  const at = url.indexOf('?')
  const [path, query] = at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)]
  try {
    return { path: decodeURIComponent(path), query }
  } catch {
    // A percent sign that means nothing is part of the path.
    return { path, query }
  }
}

/** The URL that forges are given: where the EventSource says it is reached. */
export const hookUrlOf = (context: Readonly<Record<string, unknown>>): string =>
  `${textOf(context, 'url').replace(/\/+$/, '')}${textOf(context, 'endpoint').replace(/^\/?/, '/')}`
