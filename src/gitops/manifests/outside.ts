import type { Result } from '../../lib/result.ts'

/**
 * What rendering needs from elsewhere while it runs, such as a remote base or a chart. Rendering is synchronous: what is not
 * here yet is noted as wanted, fetched when that run is over, and there in the next run.
 */
export class Outside {
  readonly #have = new Map<string, Result<unknown>>()
  readonly #wanted = new Map<string, () => Promise<Result<unknown>>>()

  /** What was fetched under a key, or undefined after noting how to fetch it. A key always stands for one type. */
  get<T>(key: string, fetch: () => Promise<Result<T>>): Result<T> | undefined {
    const known = this.#have.get(key)
    // The map holds what the fetch under this key answered.
    if (known) return known as Result<T>
    this.#wanted.set(key, fetch)
    return undefined
  }

  get isComplete(): boolean {
    return this.#wanted.size === 0
  }

  /** Fetches what was wanted. */
  async fetch(): Promise<void> {
    const wanted = [...this.#wanted]
    this.#wanted.clear()
    await Promise.all(wanted.map(async ([key, fetch]) => this.#have.set(key, await fetch())))
  }
}
