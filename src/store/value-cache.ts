import type { Entry } from './store.ts'

interface Held<V> {
  readonly entry: Entry<V>
  readonly bytes: number
}

/**
 * Decoded values by revision, bounded by their encoded size. Two generations: what nobody asked for while the young one
 * filled up goes when it is full. A revision never changes its value, so that nothing has to be invalidated.
 */
export class ValueCache<V> {
  #young = new Map<number, Held<V>>()
  #old = new Map<number, Held<V>>()
  #youngBytes = 0
  readonly #generationBytes: number

  constructor(bytes: number) {
    this.#generationBytes = bytes / 2
  }

  get(revision: number): Entry<V> | undefined {
    const young = this.#young.get(revision)
    if (young) return young.entry
    const old = this.#old.get(revision)
    if (old) this.set(old.entry, old.bytes)
    return old?.entry
  }

  set(entry: Entry<V>, bytes: number): void {
    if (this.#youngBytes + bytes > this.#generationBytes) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngBytes = 0
    }
    if (bytes > this.#generationBytes) return
    this.#young.set(entry.revision, { entry, bytes })
    this.#youngBytes += bytes
  }
}
