/**
 * A revisioned log of keyed values. Every write gets the next revision; a write that was acknowledged is durable.
 * Reads are synchronous and see committed revisions only, so that nothing observed can be lost by a crash.
 * Keys are `/`-separated paths such as `apps/deployments/team-a/web`; values are opaque here.
 */
export interface Store<V> {
  /** The newest committed revision; 0 in a new store. */
  readonly revision: number
  /** The oldest revision from which a watch or a read can still start. */
  readonly oldest: number

  get(key: string): Entry<V> | undefined
  /** Entries whose key begins with the prefix, in key order, as of a revision (the newest when absent). */
  range(prefix: string, options?: RangeOptions): RangeResult<V>
  count(prefix: string): number

  /** Writes once the expectation holds; resolves when durable. Calls made in one turn may commit together. */
  put(key: string, value: (revision: number) => V, expect: Expectation): Promise<WriteOutcome<V>>
  delete(key: string, value: (revision: number) => V, expect: Expectation): Promise<WriteOutcome<V>>

  /** Every committed change under the prefix after the revision, in order, without a gap; `close` ends it. */
  watch(prefix: string, afterRevision: number, listener: WatchListener<V>): WatchOutcome

  /** Forgets history before the revision; current values stay. */
  compact(before: number): Promise<void>
  close(): Promise<void>
}

/** An absent key, a key at a revision, or whatever there is. */
export type Expectation = 'absent' | { readonly revision: number } | 'any'

export interface Entry<V> {
  readonly key: string
  readonly value: V
  /** The revision that wrote this value. */
  readonly revision: number
}

export interface RangeOptions {
  readonly revision?: number
  /** Start behind this key. */
  readonly after?: string
  readonly limit?: number
}

export type RangeResult<V> =
  | {
      readonly ok: true
      readonly entries: readonly Entry<V>[]
      readonly revision: number
      readonly more: boolean
      readonly remaining: number
    }
  | { readonly ok: false; readonly because: 'compacted' | 'future'; readonly oldest: number; readonly revision: number }

export type WriteOutcome<V> =
  | { readonly ok: true; readonly entry: Entry<V>; readonly previous?: Entry<V> }
  | { readonly ok: false; readonly because: 'exists' | 'missing' | 'changed'; readonly current?: Entry<V> }

export interface Change<V> {
  readonly type: 'put' | 'delete'
  readonly key: string
  readonly revision: number
  /** The new value; for a delete, the last value as the deleter left it. */
  readonly value: V
  readonly previous?: V
}

/** Called in revision order with what one commit changed under the prefix, or with an empty list and the revision reached. */
export type WatchListener<V> = (changes: readonly Change<V>[], revision: number) => void

export type WatchOutcome =
  | { readonly ok: true; readonly close: () => void }
  | { readonly ok: false; readonly because: 'compacted'; readonly oldest: number }
