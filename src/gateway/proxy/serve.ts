import { corsHeaders, isPreflight, preflightHeaders } from '../table/cors.ts'
import { changeHeaders } from '../table/headers.ts'
import { type Authority, readAuthority } from '../table/hostname.ts'
import { readTarget, type RequestTarget } from '../table/path.ts'
import { changePath, redirectLocation } from '../table/redirect.ts'
import type { Filters, RouteAction } from '../table/route.ts'
import type { RuleMatch } from '../table/rule-index.ts'
import { chooseBackend, type Listener, type PortTable, targetOf } from '../table/table.ts'
import { answer, crossOrigin, type Exchange, refuse } from './exchange.ts'
import { type ForwardPlan, Forwarding } from './forward.ts'
import { forwardedHeaders } from './forwarded-headers.ts'
import type { ProxyWorld } from './world.ts'

/** A request whose rule is known. */
export interface Arrived {
  readonly exchange: Exchange
  readonly listener: Listener
  readonly authority: Authority
  readonly target: RequestTarget
  readonly match: RuleMatch
}

/** Why a request goes by no rule. */
export interface NotArrived {
  readonly status: number
  readonly because: string
}

/** Finds the listener and the rule of a request. */
export function arrive(exchange: Exchange, table: PortTable): Arrived | NotArrived {
  const authority = exchange.authority === undefined ? undefined : readAuthority(exchange.authority)
  if (!authority) return { status: 400, because: 'the request does not name one host' }
  const target = readTarget(exchange.url)
  if (!target) return { status: 400, because: 'the request has no path that can be understood' }
  const listener = table.listeners.find(authority.host)
  if (!listener) return { status: 404, because: 'no listener is for this host' }
  if (table.isTls && listener !== greeted(exchange, table)) {
    return { status: 421, because: 'this connection was opened for another host' }
  }
  const { method, headers } = exchange
  const match = listener.rules.find(authority.host)?.find({ method, target, headers })
  if (!match) return { status: 404, because: 'no route is for this request' }
  return { exchange, listener, authority, target, match }
}

/** The listener that the greeting of a connection asked for. */
function greeted({ serverName }: Exchange, { listeners }: PortTable): Listener | undefined {
  return serverName === undefined ? listeners.get(undefined) : listeners.find(serverName.toLowerCase())
}

/** Takes a request to its backend. */
type Carry = (plan: ForwardPlan) => void

const carryOn: Carry = (plan) => new Forwarding(plan).start()

/** Answers a request as the table of its port says. What goes to a backend is carried as a request, unless told otherwise. */
export function serve(exchange: Exchange, table: PortTable, world: ProxyWorld, carry: Carry = carryOn): void {
  const beganMs = world.clock.now()
  const arrived = arrive(exchange, table)
  if ('status' in arrived) {
    refuse(exchange, arrived.status, arrived.because)
    told(exchange, '', arrived.status, '', beganMs, world)
    return
  }
  const { match } = arrived
  const { action } = match
  const tell = (status: number, endpoint = ''): void => told(exchange, action.route, status, endpoint, beganMs, world)
  const status = answerHere(arrived, action.filters, world)
  if (status === undefined) forward(arrived, world, tell, carry)
  else tell(status)
}

function told(
  ...[exchange, route, status, endpoint, beganMs, { clock, figures, onAnswer }]: [
    Exchange,
    string,
    number,
    string,
    number,
    ProxyWorld,
  ]
): void {
  const atMs = clock.now()
  figures.answered(route, status, atMs - beganMs)
  if (!onAnswer) return
  const { method, url, authority = '', clientAddress } = exchange
  const tookMs = atMs - beganMs
  onAnswer({ atMs, method, host: authority, path: url, status, tookMs, route, endpoint, client: clientAddress })
}

/** Answers without a backend where filters say so; the status, or undefined. */
function answerHere(
  arrived: Arrived,
  { cors, redirect, refusal, responseHeaders }: Filters,
  world: ProxyWorld,
): number | undefined {
  const { exchange, authority, target, match, listener } = arrived
  if (refusal !== undefined) {
    refuse(exchange, 500, refusal)
    return 500
  }
  const asked = cors && crossOrigin(exchange)
  if (cors && asked && isPreflight(asked)) {
    answer(exchange, 204, preflightHeaders(cors, asked), '')
    return 204
  }
  if (!redirect) return undefined
  const scheme = exchange.isTls ? ('https' as const) : ('http' as const)
  const { reachedAt } = world
  const arrival = { scheme, authority, target, prefix: match.prefix, listenerPort: listener.port, reachedAt }
  let headers = ['location', redirectLocation(redirect, arrival)]
  if (cors && asked) headers.push(...corsHeaders(cors, asked))
  if (responseHeaders) headers = changeHeaders(headers, responseHeaders)
  answer(exchange, redirect.status, headers, '')
  return redirect.status
}

function forward(arrived: Arrived, world: ProxyWorld, tell: ForwardPlan['tell'], carry: Carry): void {
  const { exchange, match } = arrived
  const { action } = match
  const backend = chooseBackend(action.backends, world.chance())
  const target = targetOf(backend)
  if (target.do === 'refuse') {
    refuse(exchange, target.status, target.because)
    tell(target.status)
    return
  }
  const more = backend?.filters
  if (more && (more.redirect || more.refusal !== undefined)) {
    const status = answerHere(arrived, more, world)
    if (status !== undefined) {
      tell(status)
      return
    }
  }
  const { path, headers } = outgoing(arrived, action, more)
  const isGrpc = action.isGrpc && target.protocol === 'h2c'
  if (isGrpc) headers.push('te', 'trailers')
  carry({ exchange, action, target, more, path, headers, world, tell })
}

/** What is asked of a backend: path and headers after the filters. */
export function outgoing(
  arrived: Arrived,
  { filters }: RouteAction,
  more: Filters | undefined,
): { readonly path: string; readonly headers: string[] } {
  const { exchange, authority, target, match, listener } = arrived
  const { rewrite } = filters
  const second = more?.rewrite
  let { path } = target
  path = changePath(path, match.prefix, rewrite?.path)
  if (second) path = changePath(target.path, match.prefix, second.path ?? rewrite?.path)
  const host = second?.hostname ?? rewrite?.hostname ?? exchange.authority ?? authority.host
  let headers = forwardedHeaders(exchange, host, authority.port ?? listener.port)
  if (filters.requestHeaders) headers = changeHeaders(headers, filters.requestHeaders)
  if (more?.requestHeaders) headers = changeHeaders(headers, more.requestHeaders)
  return { path: target.query === undefined ? path : `${path}?${target.query}`, headers }
}
