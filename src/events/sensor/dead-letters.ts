import type { Store } from '../../store/store.ts'
import { type BusRecord, type DeadLetter, gone, keys } from '../bus/record.ts'

/** So many are kept for a Sensor; the oldest go first, some at a time. */
const KEPT = 1_000
const DROPPED_AT_ONCE = 100

/** Events that triggers were given up on, on disk until somebody replays or drops them. */
export class DeadLetters {
  readonly #store: Store<BusRecord>
  readonly #onDrop: (letter: DeadLetter) => void

  constructor(store: Store<BusRecord>, onDrop: (letter: DeadLetter) => void = () => {}) {
    this.#store = store
    this.#onDrop = onDrop
  }

  /** Resolves when it is on disk; answers how many old ones had to go for it. */
  async keep(letter: DeadLetter): Promise<number> {
    const { namespace, sensor, id } = letter
    await this.#store.put(keys.deadLetter(namespace, sensor, id), () => letter, 'any')
    const count = this.#store.count(keys.deadLetters(namespace, sensor))
    if (count <= KEPT + DROPPED_AT_ONCE) return 0
    const oldest = this.list(namespace, sensor)
      .toSorted((a, b) => a.atMs - b.atMs)
      .slice(0, count - KEPT)
    for (const one of oldest) await this.drop(one)
    return oldest.length
  }

  /** Those of a namespace, or of one Sensor. */
  list(namespace: string, sensor?: string): readonly DeadLetter[] {
    const found = this.#store.range(keys.deadLetters(namespace, sensor))
    return found.ok ? found.entries.flatMap(({ value }) => (value.is === 'dead-letter' ? [value] : [])) : []
  }

  get(namespace: string, sensor: string, id: string): DeadLetter | undefined {
    const value = this.#store.get(keys.deadLetter(namespace, sensor, id))?.value
    return value?.is === 'dead-letter' ? value : undefined
  }

  count(namespace: string, sensor: string): number {
    return this.#store.count(keys.deadLetters(namespace, sensor))
  }

  async drop({ namespace, sensor, id }: Pick<DeadLetter, 'namespace' | 'sensor' | 'id'>): Promise<boolean> {
    const letter = this.get(namespace, sensor, id)
    const outcome = await this.#store.delete(keys.deadLetter(namespace, sensor, id), () => gone, 'any')
    if (letter && outcome.ok) this.#onDrop(letter)
    return outcome.ok
  }
}
