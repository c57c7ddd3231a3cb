import type { Entry } from './store.ts'

/** Where a committed value is found: its key and the revision that wrote it. A journal may keep more in it. */
export interface Slot {
  readonly key: string
  readonly revision: number
}

/** One write on its way into the journal. */
export interface Written<V, S extends Slot> {
  readonly type: 'put' | 'delete'
  readonly entry: Entry<V>
  /** What the key held before, when it held anything. */
  readonly previous?: S
  /** What `encode` made of it. */
  readonly encoded: Uint8Array | undefined
}

/** One write as the journal remembers it. */
export interface Logged<S extends Slot> {
  readonly type: 'put' | 'delete'
  readonly slot: S
  readonly previous?: S
}

/**
 * Where a store's revisions are kept. The store above decides what is written and in which order; a journal makes it
 * last and reads it back. It is asked only for values that are current or whose revision lies behind the compaction.
 */
export interface Journal<V, S extends Slot> {
  /** Waits for the writes of one turn to come together. */
  turn(): Promise<void>
  /** Turns a write into bytes while its caller still waits, so that a value that cannot be encoded fails alone. */
  encode(type: 'put' | 'delete', entry: Entry<V>, previous: S | undefined): Uint8Array | undefined
  slotOf(entry: Entry<V>): S
  /** Keeps all of the batch or nothing; resolves when it is durable. */
  append(batch: readonly Written<V, S>[]): Promise<void>
  load(slot: S): Entry<V>
  /** What was written after the revision, in order, at most `limit` of it. */
  scan(after: number, limit: number): readonly Logged<S>[]
  /** Forgets what no read or watch from the revision on can need. */
  compact(before: number): Promise<void>
  close(): Promise<void>
}

/** What a journal knows when it is opened. */
export interface Opened<S extends Slot> {
  readonly revision: number
  readonly oldest: number
  readonly current: Iterable<S>
}
