import type { Clock } from '../../lib/clock.ts'
import type { View } from './barrier.ts'

/** So many requests a time below a path, from one address. */
export interface RateLimit {
  readonly name: string
  /** Empty is everywhere; otherwise the path of a mount, or one below it, with `*` at the end for everything that begins so. */
  readonly path: string
  readonly rate: number
  readonly intervalSeconds: number
  /** For how long an address that came too often is refused altogether. */
  readonly blockSeconds: number
}

interface Window {
  startMs: number
  count: number
  blockedUntilMs: number
}

const MOST_ADDRESSES = 10_000

/** Rate limits, counted in memory by limit and address. */
export class RateLimits {
  readonly #view: View
  readonly #clock: Pick<Clock, 'now'>
  readonly #limits = new Map<string, RateLimit>()
  readonly #windows = new Map<string, Window>()

  constructor(view: View, clock: Pick<Clock, 'now'>) {
    this.#view = view
    this.#clock = clock
    for (const name of view.keysBelow('')) this.#limits.set(name, view.get(name) as RateLimit) // what put wrote
  }

  names(): readonly string[] {
    return [...this.#limits.keys()].toSorted((a, b) => (a < b ? -1 : 1))
  }

  get(name: string): RateLimit | undefined {
    return this.#limits.get(name)
  }

  async put(limit: RateLimit): Promise<void> {
    await this.#view.put(limit.name, limit)
    this.#limits.set(limit.name, limit)
  }

  async delete(name: string): Promise<void> {
    await this.#view.delete(name)
    this.#limits.delete(name)
  }

  /** Counts a request; answers after how many seconds it may be tried again when it is one too many. */
  exceeded(path: string, address: string): number | undefined {
    if (this.#limits.size === 0) return undefined
    const limit = this.#limitFor(path)
    if (!limit) return undefined
    const now = this.#clock.now()
    const key = `${limit.name}\n${address}`
    const window = this.#windows.get(key) ?? this.#open(key, now)
    if (window.blockedUntilMs > now) return Math.ceil((window.blockedUntilMs - now) / 1_000)
    const lengthMs = limit.intervalSeconds * 1_000
    if (now - window.startMs >= lengthMs) {
      window.startMs = now
      window.count = 0
    }
    window.count += 1
    if (window.count <= limit.rate) return undefined
    if (limit.blockSeconds > 0) window.blockedUntilMs = now + limit.blockSeconds * 1_000
    return limit.blockSeconds > 0 ? limit.blockSeconds : Math.ceil((window.startMs + lengthMs - now) / 1_000)
  }

  /** The limit whose path is the longest that covers a request. */
  #limitFor(path: string): RateLimit | undefined {
    let best: RateLimit | undefined
    for (const limit of this.#limits.values()) {
      const prefix = limit.path.replace(/\*$/, '')
      const covers = prefix === '' || path === prefix || path.startsWith(prefix)
      if (covers && (!best || prefix.length > best.path.replace(/\*$/, '').length)) best = limit
    }
    return best
  }

  #open(key: string, now: number): Window {
    // Who comes from everywhere is forgotten all at once, which favours nobody.
    if (this.#windows.size >= MOST_ADDRESSES) this.#windows.clear()
    const window: Window = { startMs: now, count: 0, blockedUntilMs: 0 }
    this.#windows.set(key, window)
    return window
  }
}
