import type { Clock } from '../../../lib/clock.ts'

interface Failures {
  count: number
  lastMs: number
}

const THRESHOLD = 5
const LOCKED_MS = 15 * 60_000
const FORGOTTEN_MS = 15 * 60_000
const MOST_NAMES = 50_000

/** Names that were tried with wrong secrets: after five failures in a row, nobody gets in under that name for a quarter of an hour. */
export class Lockout {
  readonly #clock: Pick<Clock, 'now'>
  readonly #failures = new Map<string, Failures>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  isLocked(mount: string, name: string): boolean {
    const failures = this.#failures.get(keyOf(mount, name))
    return failures !== undefined && failures.count >= THRESHOLD && this.#clock.now() - failures.lastMs < LOCKED_MS
  }

  failed(mount: string, name: string): void {
    const now = this.#clock.now()
    const key = keyOf(mount, name)
    const known = this.#failures.get(key)
    const goesOn = known !== undefined && now - known.lastMs < FORGOTTEN_MS
    if (!known && this.#failures.size >= MOST_NAMES) this.#forgetOldest()
    this.#failures.delete(key)
    this.#failures.set(key, { count: goesOn ? known.count + 1 : 1, lastMs: now })
  }

  succeeded(mount: string, name: string): void {
    this.#failures.delete(keyOf(mount, name))
  }

  /** The names that nobody gets in under at this moment. */
  locked(): readonly { readonly mount: string; readonly name: string }[] {
    return [...this.#failures.keys()].flatMap((key) => {
      const [mount = '', name = ''] = JSON.parse(key) as readonly string[] // what keyOf made
      return this.isLocked(mount, name) ? [{ mount, name }] : []
    })
  }

  unlock(mount: string, name: string): void {
    this.#failures.delete(keyOf(mount, name))
  }

  #forgetOldest(): void {
    const oldest = this.#failures.keys().next().value
    if (oldest !== undefined) this.#failures.delete(oldest)
  }
}

const keyOf = (mount: string, name: string): string => JSON.stringify([mount, name])
