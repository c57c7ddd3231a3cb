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

  /**
   * Writes if the expectation holds, which is decided at once against everything asked for before, in the order of the
   * calls; resolves when durable. Calls made in one turn may commit together. `value` is called during the call, with
   * the revision that it gets. Rejects when the disk does; then nothing of it was kept.
   */
  put(key: string, value: (revision: number) => V, expect: Expectation): Promise<WriteOutcome<V>>
  /** As put, but removes; `value` makes the last value, which watchers hear. A missing key answers 'missing'. */
  delete(key: string, value: (revision: number) => V, expect: Expectation): Promise<WriteOutcome<V>>

  /**
   * Every committed change under the prefix after the revision, in order, without a gap; `close` ends it. The listener is
   * never called before this returns. It may throw only because of a bug: it is then closed, and the error is thrown.
   */
  watch(prefix: string, afterRevision: number, listener: WatchListener<V>): WatchOutcome

  /**
   * Forgets history before the revision, which becomes the oldest; current values stay. It never overtakes a watcher that
   * is still being told the past, so it may stop short of what was asked.
   */
  compact(before: number): Promise<void>
  /** Commits what was asked for, then ends all watches. Everything else throws or rejects from then on. */
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
  /** At most this many entries; without it all of them. */
  readonly limit?: number
}

export type RangeResult<V> =
  | {
      readonly ok: true
      readonly entries: readonly Entry<V>[]
      readonly revision: number
      readonly more: boolean
      /** How many entries the limit left out. */
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

/**
 * Called in revision order with changes under the prefix and the revision reached: every change up to it has been told.
 * The list is empty when the listener has caught up and nothing was missed, and again at the latest every 1,000 revisions
 * in which nothing under the prefix changed. When nobody is catching up, all listeners have heard all up to `revision`.
 */
export type WatchListener<V> = (changes: readonly Change<V>[], revision: number) => void

export type WatchOutcome =
  | { readonly ok: true; readonly close: () => void }
  | { readonly ok: false; readonly because: 'compacted'; readonly oldest: number }
