import type { Journal, Logged, Written } from './journal.ts'
import { JournaledStore } from './journaled-store.ts'
import { OrderedMap } from './ordered-map.ts'
import type { Entry, Store } from './store.ts'

/** A store that lives as long as the process and can be copied. */
export interface MemoryStore<V> extends Store<V> {
  /** A store with the same state, history and revision that goes its own way from here. Values are shared. */
  fork(): MemoryStore<V>
}

/** Makes an empty store in memory. */
export function memoryStore<V>(): MemoryStore<V> {
  return build(new MemoryJournal<V>([]), new OrderedMap(), { revision: 0, oldest: 0 })
}

/** A copy in memory of a store's current state at its current revision, without its history. */
export function memoryStoreFrom<V>(store: Store<V>): MemoryStore<V> {
  const now = store.range('')
  if (!now.ok) throw new Error(`cannot read the store at its own revision ${store.revision}: ${now.because}`)
  const index = new OrderedMap<Entry<V>>()
  for (const entry of now.entries) index.set(entry.key, entry)
  return build(new MemoryJournal<V>([]), index, { revision: now.revision, oldest: now.revision })
}

function build<V>(
  journal: MemoryJournal<V>,
  index: OrderedMap<Entry<V>>,
  at: { readonly revision: number; readonly oldest: number },
): MemoryStore<V> {
  const store = new JournaledStore<V, Entry<V>>(journal, { ...at, current: [], index })
  return Object.assign(store, {
    fork: () =>
      build(journal.fork(store.revision), store.forkIndex(), { revision: store.revision, oldest: store.oldest }),
  })
}

/** The log as an array without gaps; the entries themselves are the slots. */
class MemoryJournal<V> implements Journal<V, Entry<V>> {
  #log: Logged<Entry<V>>[]

  constructor(log: Logged<Entry<V>>[]) {
    this.#log = log
  }

  fork(revision: number): MemoryJournal<V> {
    const log = this.#log.slice()
    while ((log.at(-1)?.slot.revision ?? 0) > revision) log.pop()
    return new MemoryJournal(log)
  }

  turn(): Promise<void> {
    return Promise.resolve()
  }

  encode(): undefined {
    return undefined
  }

  slotOf(entry: Entry<V>): Entry<V> {
    return entry
  }

  append(batch: readonly Written<V, Entry<V>>[]): Promise<void> {
    for (const { type, entry, previous } of batch) {
      this.#log.push({ type, slot: entry, ...(previous ? { previous } : {}) })
    }
    return Promise.resolve()
  }

  load(slot: Entry<V>): Entry<V> {
    return slot
  }

  scan(after: number, limit: number): readonly Logged<Entry<V>>[] {
    const first = this.#log[0]
    if (!first) return []
    const start = Math.max(after + 1 - first.slot.revision, 0)
    return this.#log.slice(start, start + limit)
  }

  compact(before: number): Promise<void> {
    const first = this.#log[0]
    if (first) this.#log = this.#log.slice(Math.max(before + 1 - first.slot.revision, 0))
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
