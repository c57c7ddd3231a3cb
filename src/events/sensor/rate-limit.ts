import type { Clock } from '../../lib/clock.ts'

/** What was not used may be caught up with, up to so many times (uber-go/ratelimit). */
const SLACK = 10

/** Spaces firings evenly: resolves when the next may happen. */
export class RateLimit {
  readonly #clock: Clock
  readonly #intervalMs: number
  #nextMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock
    this.#intervalMs = intervalMs
  }

  async take(signal: AbortSignal): Promise<void> {
    if (this.#intervalMs === 0) return
    const now = this.#clock.now()
    const isFirst = this.#nextMs === Number.NEGATIVE_INFINITY
    const at = isFirst ? now : Math.max(this.#nextMs, now - SLACK * this.#intervalMs)
    this.#nextMs = at + this.#intervalMs
    if (at > now) await this.#clock.sleep(at - now, { signal })
  }
}
