import { keyOf } from '../../runtime/object-cache.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { isClaimBound } from '../volumes/volumes.ts'
import type { Demand } from './demand.ts'

/** A place that is kept for a Pod while its volumes are made. */
interface Reservation {
  readonly demand: Demand
  readonly node: string
  readonly untilMs: number
}

/** A reservation that has come to its end, one way or the other. */
export interface Settled {
  readonly demand: Demand
  readonly node: string
  readonly verdict: 'ready' | 'given-up'
  readonly because: string
}

/** So long volumes may take. */
const LONGEST_MS = 600_000

/** The places that are kept. After a restart they are found again: the claims remember their nodes. */
export class Reservations {
  readonly #kept = new Map<string, Reservation>()

  get size(): number {
    return this.#kept.size
  }

  keep(demand: Demand, node: string, nowMs: number): void {
    this.#kept.set(demand.key, { demand, node, untilMs: nowMs + LONGEST_MS })
  }

  drop(key: string): void {
    this.#kept.delete(key)
  }

  /** When the first of them is given up; undefined when there are none. */
  nextTimeoutMs(nowMs: number): number | undefined {
    if (this.#kept.size === 0) return undefined
    return Math.max(1, Math.min(...[...this.#kept.values()].map(({ untilMs }) => untilMs)) - nowMs)
  }

  /** Takes out those whose volumes are all bound, those that took too long, and those whose Pod is gone. */
  settled({ caches, clock }: WorkloadPorts): readonly Settled[] {
    const settled: Settled[] = []
    for (const [key, { demand, node, untilMs }] of this.#kept) {
      const pod = caches.pods.cache.get(key)
      if (pod?.metadata.uid !== demand.pod.metadata.uid || pod?.metadata.deletionTimestamp !== undefined) {
        this.#kept.delete(key)
        continue
      }
      const isReady = demand.claims.every((name) => {
        const claim = caches.claims.cache.get(`${demand.namespace}/${name}`)
        return claim !== undefined && isClaimBound(claim)
      })
      if (!isReady && clock.now() < untilMs) continue
      this.#kept.delete(keyOf(demand.pod))
      settled.push(
        isReady
          ? { demand, node, verdict: 'ready', because: 'its volumes are bound' }
          : { demand, node, verdict: 'given-up', because: 'binding volumes: they were not bound in ten minutes' },
      )
    }
    return settled
  }
}
