import type { Clock } from '../lib/clock.ts'

/** What one turn on a key led to. */
export type Turn =
  | { readonly do: 'done' }
  /** All is well; look again after the time. */
  | { readonly do: 'again'; readonly afterMs: number; readonly because: string }
  /** Something is in the way; try again, later and later. Quietly, when that is no news. */
  | { readonly do: 'retry'; readonly because: string; readonly quietly?: boolean }

export const done: Turn = { do: 'done' }
export const again = (afterMs: number, because: string): Turn => ({ do: 'again', afterMs, because })
export const retry = (because: string): Turn => ({ do: 'retry', because })

/** A key that is not at rest, and why. */
export interface PendingKey {
  readonly key: string
  readonly state: 'queued' | 'running' | 'waiting'
  /** How often in a row it had to be tried again. */
  readonly failures: number
  readonly because?: string
  /** When a waiting key comes up. */
  readonly dueMs?: number
}

export interface WorkQueueOptions {
  readonly clock: Clock
  /** Does one turn; it must not throw. */
  readonly work: (key: string, signal: AbortSignal) => Promise<Turn>
  /** How many keys are worked on at once. */
  readonly concurrency?: number
  readonly retryDelay?: RetryDelay
}

/** Delays of a key that fails: the first, doubled every time, up to the longest. */
export interface RetryDelay {
  readonly firstMs: number
  readonly longestMs: number
}

const RETRY_DELAY: RetryDelay = { firstMs: 100, longestMs: 300_000 }

interface Waiting {
  readonly dueMs: number
  readonly because: string | undefined
  readonly cancel: () => void
}

interface Failing {
  readonly count: number
  readonly because: string
}

/**
 * Keys that want attention. A key is worked on by one turn at a time; a key that is added during its turn gets another one
 * after it; a key that is added twice gets one.
 */
export class WorkQueue {
  readonly #clock: Clock
  readonly #work: (key: string, signal: AbortSignal) => Promise<Turn>
  readonly #concurrency: number
  readonly #retryDelay: RetryDelay
  /** Keys in the order in which they were added. */
  readonly #queued = new Set<string>()
  readonly #running = new Map<string, { addedAgain: boolean }>()
  readonly #waiting = new Map<string, Waiting>()
  readonly #failing = new Map<string, Failing>()
  #signal: AbortSignal | undefined
  #isPumping = false
  #drained: (() => void) | undefined

  constructor({ clock, work, concurrency = 1, retryDelay = RETRY_DELAY }: WorkQueueOptions) {
    this.#clock = clock
    this.#work = work
    this.#concurrency = concurrency
    this.#retryDelay = retryDelay
  }

  /** How many keys could be worked on now. */
  get depth(): number {
    return this.#queued.size
  }

  /** Nothing is queued or under way; keys may still wait for their time. */
  get isIdle(): boolean {
    return this.#queued.size === 0 && this.#running.size === 0
  }

  add(key: string): void {
    const running = this.#running.get(key)
    if (running) {
      running.addedAgain = true
      return
    }
    this.#stopWaiting(key)
    this.#queued.add(key)
    // Not at once: what is added in one go is told apart first.
    if (!this.#isPumping) queueMicrotask(() => this.#pump())
    this.#isPumping = true
  }

  /** Adds the key after the time, unless it comes up sooner anyway. */
  addAfter(key: string, ms: number, because?: string): void {
    if (ms <= 0) {
      this.add(key)
      return
    }
    const dueMs = this.#clock.now() + ms
    const known = this.#waiting.get(key)
    if ((known && known.dueMs <= dueMs) || this.#queued.has(key)) return
    known?.cancel()
    const cancel = this.#clock.after(ms, () => {
      this.#waiting.delete(key)
      this.add(key)
    })
    this.#waiting.set(key, { dueMs, because, cancel })
  }

  /** Drops what is known about a key that is gone: its failures and its waiting. A turn under way goes on. */
  forget(key: string): void {
    this.#failing.delete(key)
    this.#stopWaiting(key)
    this.#queued.delete(key)
  }

  /** Every key that is not at rest, in key order: what is it waiting for, and what went wrong. */
  pending(): readonly PendingKey[] {
    const keys = new Set([...this.#queued, ...this.#running.keys(), ...this.#waiting.keys()])
    return [...keys].toSorted((a, b) => (a < b ? -1 : 1)).map((key) => this.#pendingOf(key))
  }

  /** Works until the signal is aborted; resolves when the turns under way have ended. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    this.#pump()
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
    if (this.#running.size > 0) await new Promise<void>((resolve) => (this.#drained = resolve))
    for (const { cancel } of this.#waiting.values()) cancel()
    this.#waiting.clear()
  }

  #pump(): void {
    this.#isPumping = false
    const signal = this.#signal
    if (!signal || signal.aborted) return
    while (this.#running.size < this.#concurrency) {
      const [key] = this.#queued
      if (key === undefined) return
      this.#queued.delete(key)
      this.#running.set(key, { addedAgain: false })
      void this.#turn(key, signal)
    }
  }

  async #turn(key: string, signal: AbortSignal): Promise<void> {
    const turn = await this.#work(key, signal)
    const addedAgain = this.#running.get(key)?.addedAgain ?? false
    this.#running.delete(key)
    if (turn.do === 'retry') {
      const count = (this.#failing.get(key)?.count ?? 0) + 1
      this.#failing.set(key, { count, because: turn.because })
      const { firstMs, longestMs } = this.#retryDelay
      this.addAfter(key, Math.min(firstMs * 2 ** (count - 1), longestMs), turn.because)
    } else {
      this.#failing.delete(key)
      if (turn.do === 'again') this.addAfter(key, turn.afterMs, turn.because)
    }
    if (addedAgain) this.add(key)
    if (signal.aborted && this.#running.size === 0) this.#drained?.()
    this.#pump()
  }

  #stopWaiting(key: string): void {
    this.#waiting.get(key)?.cancel()
    this.#waiting.delete(key)
  }

  #pendingOf(key: string): PendingKey {
    const failing = this.#failing.get(key)
    const waiting = this.#waiting.get(key)
    const because = failing?.because ?? waiting?.because
    return {
      key,
      state: this.#running.has(key) ? 'running' : this.#queued.has(key) ? 'queued' : 'waiting',
      failures: failing?.count ?? 0,
      ...(because === undefined ? {} : { because }),
      ...(waiting ? { dueMs: waiting.dueMs } : {}),
    }
  }
}
