import type { Clock } from '../../lib/clock.ts'
import { Http1Upstream } from './http1-upstream.ts'
import { Http2Upstream } from './http2-upstream.ts'
import { type Endpoint, originOf, type UpstreamKind } from './upstream.ts'

/** What answers behind a port of a Service, as far as it is on this machine. */
export interface ServiceEndpoints {
  readonly endpoints: readonly Endpoint[]
  /** Why there are none. */
  readonly because?: string
}

/** The endpoints of Services by `namespace/name:port`. */
export type EndpointTable = ReadonlyMap<string, ServiceEndpoints>

type Upstream = Http1Upstream | Http2Upstream

/** After so many failures in a row an endpoint is passed over for a while. */
const FAILURES = 3
const FIRST_REST_MS = 1_000
const LONGEST_REST_MS = 30_000

interface Health {
  failures: number
  restsUntilMs: number
}

/** Connections to endpoints, and which endpoint is next. Endpoints that fail are passed over while others do not. */
export class Upstreams {
  readonly #clock: Clock
  #services: EndpointTable = new Map()
  readonly #open = new Map<string, Upstream>()
  readonly #placeOf = new Map<string, string>()
  readonly #health = new Map<string, Health>()
  readonly #turns = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes new endpoints; connections to those that are gone end when they have nothing under way. */
  update(services: EndpointTable): void {
    this.#services = services
    const places = new Set<string>()
    for (const { endpoints } of services.values()) for (const endpoint of endpoints) places.add(placeOf(endpoint))
    for (const [origin, upstream] of this.#open) {
      if (places.has(this.#placeOf.get(origin) ?? '')) continue
      this.#open.delete(origin)
      this.#placeOf.delete(origin)
      void upstream.close()
    }
    for (const place of this.#health.keys()) if (!places.has(place)) this.#health.delete(place)
    for (const service of this.#turns.keys()) if (!services.has(service)) this.#turns.delete(service)
  }

  /** The endpoint whose turn it is, without those that were tried already; or why there is none. */
  choose(service: string, tried: readonly Endpoint[]): Endpoint | string {
    const known = this.#services.get(service)
    if (!known) return 'the Service is not known yet'
    const { endpoints, because } = known
    if (endpoints.length === 0) return because ?? 'the Service has no ready endpoints'
    const turn = this.#turns.get(service) ?? 0
    this.#turns.set(service, (turn + 1) % 1_000_003)
    const { length } = endpoints
    let fallback: Endpoint | undefined
    for (let step = 0; step < length; step++) {
      const endpoint = endpoints[(turn + step) % length]
      if (!endpoint || (tried.length > 0 && tried.includes(endpoint))) continue
      if (!this.#rests(endpoint)) return endpoint
      fallback ??= endpoint
    }
    return fallback ?? endpoints[turn % length] ?? 'the Service has no ready endpoints'
  }

  /** The connections of a kind to an endpoint. */
  to(endpoint: Endpoint, kind: UpstreamKind): Upstream {
    const origin = originOf(endpoint, kind)
    const known = this.#open.get(origin)
    if (known) return known
    const made = kind.protocol === 'h2c' ? new Http2Upstream(endpoint, kind) : new Http1Upstream(endpoint, kind)
    this.#open.set(origin, made)
    this.#placeOf.set(origin, placeOf(endpoint))
    return made
  }

  succeeded(endpoint: Endpoint): void {
    if (this.#health.size > 0) this.#health.delete(placeOf(endpoint))
  }

  failed(endpoint: Endpoint): void {
    const place = placeOf(endpoint)
    const health = this.#health.get(place) ?? { failures: 0, restsUntilMs: 0 }
    health.failures += 1
    if (health.failures >= FAILURES) {
      const restMs = Math.min(FIRST_REST_MS * 2 ** (health.failures - FAILURES), LONGEST_REST_MS)
      health.restsUntilMs = this.#clock.now() + restMs
    }
    this.#health.set(place, health)
  }

  #rests(endpoint: Endpoint): boolean {
    if (this.#health.size === 0) return false
    const health = this.#health.get(placeOf(endpoint))
    return health !== undefined && health.restsUntilMs > this.#clock.now()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((upstream) => upstream.destroy()))
    this.#open.clear()
  }
}

const placeOf = ({ address, port }: Endpoint): string => `${address}:${port}`
