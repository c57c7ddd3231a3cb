import type { Clock } from '../../../lib/clock.ts'

interface Due {
  readonly atMs: number
  readonly key: string
}

/** Calls for keys when they fall due, with one timer; whoever is called decides whether the key is really over. */
export class Expiries {
  readonly #clock: Clock
  readonly #onDue: (key: string) => void
  /** A heap, the earliest first. */
  #heap: Due[] = []
  #armed: { readonly atMs: number; readonly cancel: () => void } | undefined

  constructor(clock: Clock, onDue: (key: string) => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  add(key: string, atMs: number): void {
    const heap = this.#heap
    heap.push({ key, atMs })
    for (let at = heap.length - 1; at > 0;) {
      const above = (at - 1) >> 1
      if (this.#due(above) <= this.#due(at)) break
      this.#swap(above, at)
      at = above
    }
    this.#arm()
  }

  clear(): void {
    this.#heap = []
    this.#armed?.cancel()
    this.#armed = undefined
  }

  #due(at: number): number {
    return this.#heap[at]?.atMs ?? Infinity
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]]
    if (!first || !second) return
    this.#heap[a] = second
    this.#heap[b] = first
  }

  #pop(): Due | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (!first || !last || first === last) return first
    heap[0] = last
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const least = this.#due(right) < this.#due(left) ? right : left
      if (this.#due(least) >= this.#due(at)) return first
      this.#swap(least, at)
      at = least
    }
  }

  #arm(): void {
    const atMs = this.#due(0)
    if (atMs === Infinity || (this.#armed && this.#armed.atMs <= atMs)) return
    this.#armed?.cancel()
    const cancel = this.#clock.after(Math.max(0, atMs - this.#clock.now()), () => {
      this.#armed = undefined
      const now = this.#clock.now()
      while (this.#due(0) <= now) {
        const due = this.#pop()
        if (due) this.#onDue(due.key)
      }
      this.#arm()
    })
    this.#armed = { atMs, cancel }
  }
}
