import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { ProxyFigures } from './proxy-figures.ts'
import type { Upstreams } from './upstreams.ts'

/** One line of the access log. */
export interface AccessRecord {
  readonly atMs: number
  readonly method: string
  readonly host: string
  readonly path: string
  readonly status: number
  readonly tookMs: number
  readonly route: string
  readonly endpoint: string
  readonly client: string
}

/** What the proxy works with. */
export interface ProxyWorld {
  readonly clock: Clock
  readonly log: Log
  readonly upstreams: Upstreams
  readonly figures: ProxyFigures
  /** A number between 0 and 1, for shares. */
  readonly chance: () => number
  /** Where a port of a Gateway is reached on this machine. */
  readonly reachedAt: (port: number) => number
  /** Told of every answer, where somebody wants to know. */
  readonly onAnswer?: (record: AccessRecord) => void
}

/** Chances that are spread evenly over any number of requests, and the same in every run. */
export function evenChances(): () => number {
  let at = 0
  return () => {
    at = (at + 0.618_033_988_749_894_9) % 1
    return at
  }
}
