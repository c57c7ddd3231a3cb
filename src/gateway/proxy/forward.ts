import type { Readable } from 'node:stream'
import { describeError } from '../../lib/log.ts'
import { corsHeaders, isCorsHeader } from '../table/cors.ts'
import { changeHeaders } from '../table/headers.ts'
import type { BackendTarget, Filters, RouteAction } from '../table/route.ts'
import { crossOrigin, type Exchange, refuse } from './exchange.ts'
import type { RequestBody } from './request-body.ts'
import type { Endpoint, UpstreamCall, UpstreamListener, UpstreamRequest } from './upstream.ts'
import type { ProxyWorld } from './world.ts'

type ForwardTarget = BackendTarget & { readonly do: 'forward' }

/** A request on its way to a backend. */
export interface ForwardPlan {
  readonly exchange: Exchange
  readonly action: RouteAction
  readonly target: ForwardTarget
  /** The filters of the backend itself. */
  readonly more: Filters | undefined
  readonly path: string
  readonly headers: readonly string[]
  readonly world: ProxyWorld
  /** Told the status once the answer has ended. */
  readonly tell: (status: number, endpoint?: string) => void
}

/** A backend that refuses connections is asked at so many places. */
const PLACES = 3
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
/** The body of a request that may have to be sent again is kept up to this. */
const LARGEST_KEPT = 64 * 1024
/** The client went away: nobody reads this status. */
const GONE = 499

/** Sends one request to a backend, again where that is right, and its answer to the client. */
export class Forwarding implements UpstreamListener {
  readonly #plan: ForwardPlan
  readonly #request: Omit<UpstreamRequest, 'body'>
  readonly #tried: Endpoint[] = []
  #attempts = 0
  #body: RequestBody | undefined
  #kept: Buffer | undefined
  #endpoint: Endpoint | undefined
  #call: UpstreamCall | undefined
  #status = 0
  #isOver = false
  /** What is heard of a call that was given up is about nobody. */
  #generation = 0
  #cancelRequestTimer: (() => void) | undefined
  #cancelBackendTimer: (() => void) | undefined

  constructor(plan: ForwardPlan) {
    this.#plan = plan
    const { exchange, path, headers, target } = plan
    this.#request = { method: exchange.method, path, headers, scheme: target.tls ? 'https' : 'http' }
  }

  start(): void {
    const { exchange, action, world } = this.#plan
    const { requestTimeoutMs = 0, retry } = action
    exchange.onGone(() => this.#clientGone())
    exchange.onDrain(() => this.#call?.resume())
    if (requestTimeoutMs > 0) {
      this.#cancelRequestTimer = world.clock.after(requestTimeoutMs, () => this.#timedOut('the request took too long'))
    }
    if (exchange.hasBody) this.#body = exchange.body()
    if (action.filters.mirrors.length > 0) this.#mirror(action.filters)
    if (this.#plan.more && this.#plan.more.mirrors.length > 0) this.#mirror(this.#plan.more)
    if (retry && this.#body && Number(exchange.headers['content-length'] ?? Infinity) <= LARGEST_KEPT) {
      void this.#keep(this.#body)
    } else this.#attempt()
  }

  async #keep(body: Readable): Promise<void> {
    try {
      const chunks: Buffer[] = []
      for await (const chunk of body) chunks.push(chunk as Buffer)
      this.#kept = Buffer.concat(chunks)
      if (!this.#isOver) this.#attempt()
    } catch {
      this.#clientGone()
    }
  }

  #attempt(): void {
    const { target, world, action } = this.#plan
    const endpoint = world.upstreams.choose(target.service, this.#tried)
    if (typeof endpoint === 'string') {
      this.#refuse(503, endpoint)
      return
    }
    this.#attempts += 1
    this.#endpoint = endpoint
    this.#tried.push(endpoint)
    const { backendTimeoutMs = 0 } = action
    if (backendTimeoutMs > 0) {
      this.#cancelBackendTimer = world.clock.after(backendTimeoutMs, () => this.#backendTimedOut())
    }
    const generation = ++this.#generation
    const isCurrent = (): boolean => generation === this.#generation && !this.#isOver
    this.#call = undefined
    const listener: UpstreamListener = {
      onHead: (status, headers) => void (isCurrent() && this.onHead(status, headers)),
      onData: (chunk) => !isCurrent() || this.onData(chunk),
      onEnd: (trailers) => void (isCurrent() && this.onEnd(trailers)),
      onError: (error, isUnsent) => void (isCurrent() && this.onError(error, isUnsent)),
    }
    try {
      const call = world.upstreams
        .to(endpoint, target)
        .send({ ...this.#request, body: this.#kept ?? this.#body }, listener)
      if (isCurrent()) this.#call = call
      else call.abort()
    } catch (error) {
      // A connection may break in the very moment in which it is used.
      listener.onError(error instanceof Error ? error : new Error(String(error)), true)
    }
  }

  onHead(status: number, headers: readonly string[]): void {
    const { action, exchange, world, more } = this.#plan
    if (this.#endpoint) world.upstreams.succeeded(this.#endpoint)
    if (action.retry?.codes.has(status) && this.#mayTryAgain()) {
      this.#tryAgain(action.retry.backoffMs)
      return
    }
    this.#status = status
    const { cors, responseHeaders } = action.filters
    let sent = headers
    if (cors) sent = withCors(sent, cors, exchange)
    if (more?.responseHeaders) sent = changeHeaders(sent, more.responseHeaders)
    if (responseHeaders) sent = changeHeaders(sent, responseHeaders)
    try {
      exchange.head(status, sent, false)
    } catch (error) {
      // A backend may answer what cannot be said to a client.
      this.#call?.abort()
      if (exchange.isHeadSent) exchange.destroy()
      else refuse(exchange, 502, 'the backend answered headers that cannot be passed on')
      world.log.debug('a backend answered what cannot be passed on', { because: describeError(error) })
      this.#over(502)
    }
  }

  onData(chunk: Uint8Array): boolean {
    return this.#plan.exchange.write(chunk)
  }

  onEnd(trailers: readonly string[]): void {
    const { exchange, world } = this.#plan
    try {
      exchange.end(trailers)
    } catch (error) {
      world.log.debug('a backend ended with what cannot be passed on', { because: describeError(error) })
      exchange.destroy()
    }
    this.#over(this.#status)
  }

  onError(error: Error, isUnsent: boolean): void {
    const { exchange, action, world, target } = this.#plan
    // That a client breaks off says nothing of the backend.
    if (this.#body?.isAbandoned) {
      this.#clientGone()
      return
    }
    world.figures.upstreamFailed(action.route)
    if (this.#endpoint) world.upstreams.failed(this.#endpoint)
    if (exchange.isHeadSent) {
      exchange.destroy()
      this.#over(this.#status)
      return
    }
    if (action.retry && this.#mayTryAgain()) {
      this.#tryAgain(action.retry.backoffMs)
      return
    }
    const isHarmless = isUnsent || (SAFE.has(exchange.method) && !exchange.hasBody)
    if (isHarmless && this.#tried.length < PLACES && this.#canSendAgain()) {
      this.#tryAgain(0)
      return
    }
    world.log.debug('a backend did not answer', { service: target.service, because: describeError(error) })
    if (isLate(error)) this.#refuse(504, 'the backend did not answer in time')
    else this.#refuse(502, isUnsent ? 'the backend cannot be reached' : 'the backend broke off without an answer')
  }

  #mayTryAgain(): boolean {
    return this.#attempts <= (this.#plan.action.retry?.attempts ?? 0) && this.#canSendAgain()
  }

  #canSendAgain(): boolean {
    return !this.#plan.exchange.isHeadSent && (!this.#body || this.#kept !== undefined || this.#body.isUntouched)
  }

  #tryAgain(afterMs: number): void {
    this.#cancelBackendTimer?.()
    this.#generation += 1
    this.#call?.abort()
    this.#call = undefined
    if (this.#body && this.#kept === undefined) this.#body = this.#plan.exchange.body()
    const { clock } = this.#plan.world
    if (afterMs <= 0) queueMicrotask(() => !this.#isOver && this.#attempt())
    else clock.after(afterMs, () => !this.#isOver && this.#attempt())
  }

  #backendTimedOut(): void {
    const { action, exchange, world } = this.#plan
    world.figures.upstreamFailed(action.route)
    if (!exchange.isHeadSent && action.retry && this.#mayTryAgain()) this.#tryAgain(action.retry.backoffMs)
    else this.#timedOut('the backend took too long')
  }

  #timedOut(because: string): void {
    if (this.#isOver) return
    this.#generation += 1
    this.#call?.abort()
    this.#refuse(504, because)
  }

  #refuse(status: number, because: string): void {
    refuse(this.#plan.exchange, status, because)
    this.#over(status)
  }

  #clientGone(): void {
    if (this.#isOver) return
    this.#generation += 1
    this.#call?.abort()
    this.#body?.destroy()
    this.#over(GONE)
  }

  #over(status: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelRequestTimer?.()
    this.#cancelBackendTimer?.()
    const { address = '', port = '' } = this.#endpoint ?? {}
    this.#plan.tell(status, address === '' ? '' : `${address}:${port}`)
  }

  #mirror({ mirrors }: Filters): void {
    const { world } = this.#plan
    for (const { to, share } of mirrors) {
      if (to.do !== 'forward' || (share < 1 && world.chance() >= share)) continue
      const endpoint = world.upstreams.choose(to.service, [])
      if (typeof endpoint === 'string') continue
      const body = this.#body?.copy()
      const scheme = to.tls ? 'https' : 'http'
      try {
        world.upstreams.to(endpoint, to).send({ ...this.#request, scheme, body }, nobody)
      } catch (error) {
        world.log.debug('a copy of a request cannot be sent', { service: to.service, because: describeError(error) })
      }
    }
  }
}

/** Who reads an answer to a copy. */
const nobody: UpstreamListener = { onHead() {}, onData: () => true, onEnd() {}, onError() {} }

const isLate = (error: Error): boolean => 'code' in error && error.code === 'UND_ERR_HEADERS_TIMEOUT'

function withCors(
  headers: readonly string[],
  cors: NonNullable<Filters['cors']>,
  exchange: Exchange,
): readonly string[] {
  const ours = corsHeaders(cors, crossOrigin(exchange))
  const kept: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? ''
    if (!isCorsHeader(name.toLowerCase())) kept.push(name, headers[at + 1] ?? '')
  }
  return [...kept, ...ours]
}
