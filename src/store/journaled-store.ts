import type { Journal, Logged, Opened, Slot, Written } from './journal.ts'
import { endOfPrefix, OrderedMap } from './ordered-map.ts'
import type {
  Change,
  Entry,
  Expectation,
  RangeOptions,
  RangeResult,
  Store,
  WatchListener,
  WatchOutcome,
  WriteOutcome,
} from './store.ts'
import { type Watcher, Watchers } from './watchers.ts'

/** One caller that waits: for its write to become durable, or for the write that its refusal rests on. */
interface Waiting<V, S extends Slot> {
  readonly written?: Written<V, S>
  readonly settle: () => void
  readonly reject: (error: unknown) => void
}

/** What a key will hold once everything asked for so far is committed. */
interface Head<V> {
  readonly revision: number
  readonly entry: Entry<V> | undefined
}

const COMMIT_LIMIT = 2_000
const CATCH_UP_SLICE = 1_000
const SNAPSHOTS_KEPT = 4

/**
 * The store's contract over any journal: an index of the committed state in memory, expectations checked against what
 * is already on its way, one commit at a time, and watchers told after each.
 */
export class JournaledStore<V, S extends Slot> implements Store<V> {
  readonly #journal: Journal<V, S>
  readonly #index: OrderedMap<S>
  readonly #heads = new Map<string, Head<V>>()
  readonly #watchers: Watchers<V>
  readonly #catchingUp = new Set<Watcher<V>>()
  readonly #snapshots = new Map<number, OrderedMap<S>>()
  #queue: Waiting<V, S>[] = []
  #running: Promise<void> | undefined
  #revision: number
  #oldest: number
  #next: number
  #closed = false

  constructor(journal: Journal<V, S>, opened: Opened<S> & { readonly index?: OrderedMap<S> }) {
    this.#journal = journal
    this.#revision = opened.revision
    this.#oldest = opened.oldest
    this.#next = opened.revision + 1
    this.#index = opened.index ?? new OrderedMap()
    for (const slot of opened.current) this.#index.set(slot.key, slot)
    this.#watchers = new Watchers(thrownAtLarge)
  }

  get revision(): number {
    return this.#revision
  }

  get oldest(): number {
    return this.#oldest
  }

  get(key: string): Entry<V> | undefined {
    this.#assertOpen()
    const slot = this.#index.get(key)
    return slot && this.#journal.load(slot)
  }

  range(prefix: string, options: RangeOptions = {}): RangeResult<V> {
    this.#assertOpen()
    const revision = options.revision ?? this.#revision
    if (revision > this.#revision || revision < this.#oldest) {
      const because = revision > this.#revision ? 'future' : 'compacted'
      return { ok: false, because, oldest: this.#oldest, revision: this.#revision }
    }
    const index = revision === this.#revision ? this.#index : this.#asOf(revision)
    const end = endOfPrefix(prefix)
    // The first key behind a key is that key with the smallest code unit after it.
    const from = options.after !== undefined && options.after >= prefix ? `${options.after}\0` : prefix
    const slots = index.slice(from, end, options.limit)
    const last = slots.at(-1)
    let remaining = 0
    if (options.limit !== undefined) {
      const behind = last ? `${last.key}\0` : from
      remaining = Math.max((end === undefined ? index.size : index.rank(end)) - index.rank(behind), 0)
    }
    const entries = slots.map((slot) => this.#journal.load(slot))
    return { ok: true, entries, revision, more: remaining > 0, remaining }
  }

  count(prefix: string): number {
    const end = endOfPrefix(prefix)
    return (end === undefined ? this.#index.size : this.#index.rank(end)) - this.#index.rank(prefix)
  }

  put(key: string, value: (revision: number) => V, expect: Expectation): Promise<WriteOutcome<V>> {
    return this.#write('put', key, value, expect)
  }

  delete(key: string, value: (revision: number) => V, expect: Expectation): Promise<WriteOutcome<V>> {
    return this.#write('delete', key, value, expect)
  }

  watch(prefix: string, afterRevision: number, listener: WatchListener<V>): WatchOutcome {
    this.#assertOpen()
    if (afterRevision < this.#oldest) return { ok: false, because: 'compacted', oldest: this.#oldest }
    const watcher: Watcher<V> = { prefix, listener, told: afterRevision, open: true }
    this.#catchingUp.add(watcher)
    // Not at once: the caller has to hold the way to close before it hears anything.
    queueMicrotask(() => this.#catchUp(watcher))
    return { ok: true, close: () => this.#stop(watcher) }
  }

  async compact(before: number): Promise<void> {
    this.#assertOpen()
    let limit = Math.min(before, this.#revision)
    for (const watcher of this.#catchingUp) limit = Math.min(limit, watcher.told)
    if (limit <= this.#oldest) return
    this.#oldest = limit
    for (const revision of this.#snapshots.keys()) if (revision < limit) this.#snapshots.delete(revision)
    await this.#journal.compact(limit)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#running
    for (const watcher of this.#catchingUp) watcher.open = false
    this.#catchingUp.clear()
    this.#watchers.clear()
    await this.#journal.close()
  }

  /** The committed state, to make a copy of it that goes its own way. */
  forkIndex(): OrderedMap<S> {
    return this.#index.fork()
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('the store is closed')
  }

  #write(
    type: 'put' | 'delete',
    key: string,
    make: (revision: number) => V,
    expect: Expectation,
  ): Promise<WriteOutcome<V>> {
    return new Promise((resolve, reject) => {
      this.#assertOpen()
      const pending = this.#heads.get(key)
      const slot = pending ? pending.entry && this.#journal.slotOf(pending.entry) : this.#index.get(key)
      const because = refusal(type, expect, slot)
      if (because) {
        const answer = (): void => {
          const current = pending ? pending.entry : slot && this.#journal.load(slot)
          resolve({ ok: false, because, ...(current ? { current } : {}) })
        }
        // A refusal that rests on a write still on its way may be told only when that write can no longer be lost.
        if (pending) this.#enqueue({ settle: answer, reject })
        else answer()
        return
      }
      const revision = this.#next
      const entry: Entry<V> = { key, value: make(revision), revision }
      const encoded = this.#journal.encode(type, entry, slot)
      this.#next = revision + 1
      this.#heads.set(key, { revision, entry: type === 'put' ? entry : undefined })
      this.#enqueue({
        written: { type, entry, encoded, ...(slot ? { previous: slot } : {}) },
        settle: () => {
          const previous = pending?.entry ?? (slot && this.#journal.load(slot))
          resolve({ ok: true, entry, ...(previous ? { previous } : {}) })
        },
        reject,
      })
    })
  }

  #enqueue(waiting: Waiting<V, S>): void {
    this.#queue.push(waiting)
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#journal.turn()
      const batch = this.#queue.splice(0, COMMIT_LIMIT)
      const written = batch.flatMap((waiting) => waiting.written ?? [])
      try {
        if (written.length > 0) await this.#journal.append(written)
      } catch (error) {
        this.#fail(batch, error)
        continue
      }
      try {
        this.#apply(written)
      } catch (error) {
        // What is committed is answered; that its watchers could not be told is for the whole process to know.
        thrownAtLarge(error)
      }
      for (const waiting of batch) settle(waiting)
    }
    this.#running = undefined
  }

  /** What was decided on top of a commit that failed fails with it, and its revisions are given anew. */
  #fail(batch: readonly Waiting<V, S>[], error: unknown): void {
    const lost = [...batch, ...this.#queue]
    this.#queue = []
    this.#heads.clear()
    this.#next = this.#revision + 1
    for (const waiting of lost) waiting.reject(error)
  }

  #apply(written: readonly Written<V, S>[]): void {
    const last = written.at(-1)
    if (!last) return
    for (const { type, entry } of written) {
      if (type === 'put') this.#index.set(entry.key, this.#journal.slotOf(entry))
      else this.#index.delete(entry.key)
      if (this.#heads.get(entry.key)?.revision === entry.revision) this.#heads.delete(entry.key)
    }
    this.#revision = last.entry.revision
    const built: (Change<V> | undefined)[] = []
    const changeAt = (at: number): Change<V> => {
      const one = written[at] ?? last
      return (built[at] ??= changeOf(one.type, one.entry, one.previous && this.#journal.load(one.previous)))
    }
    this.#watchers.publish(
      written.map(({ entry }) => entry.key),
      changeAt,
      this.#revision,
    )
  }

  /** Tells what the log holds behind the point where a watcher stands; at its end the watcher joins the live ones. */
  #catchUp(watcher: Watcher<V>): void {
    if (!watcher.open || this.#closed) return
    const logged = this.#logAfter(watcher.told)
    const reached = logged.at(-1)?.slot.revision ?? Math.max(watcher.told, this.#revision)
    const changes = logged.flatMap((one) => (one.slot.key.startsWith(watcher.prefix) ? this.#changeOf(one) : []))
    const isLive = reached >= this.#revision
    if (isLive) {
      this.#catchingUp.delete(watcher)
      this.#watchers.add(watcher)
    }
    if (isLive || changes.length > 0) this.#watchers.tell(watcher, changes, reached)
    else watcher.told = reached
    if (!isLive) setImmediate(() => this.#catchUp(watcher))
  }

  /** A slice of the committed log; what is being appended right now is not part of it yet. */
  #logAfter(revision: number): readonly Logged<S>[] {
    const limit = Math.min(CATCH_UP_SLICE, this.#revision - revision)
    return limit > 0 ? this.#journal.scan(revision, limit) : []
  }

  #changeOf(logged: Logged<S>): Change<V> {
    const { type, slot, previous } = logged
    return changeOf(type, this.#journal.load(slot), previous && this.#journal.load(previous))
  }

  #stop(watcher: Watcher<V>): void {
    this.#catchingUp.delete(watcher)
    this.#watchers.remove(watcher)
  }

  /** The state at an older revision: today's, with everything since then undone. The latest few are kept for paging. */
  #asOf(revision: number): OrderedMap<S> {
    const known = this.#snapshots.get(revision)
    if (known) return known
    const index = this.#index.fork()
    const undone = new Set<string>()
    for (let after = revision; after < this.#revision;) {
      const logged = this.#logAfter(after)
      for (const { slot, previous } of logged) {
        after = slot.revision
        if (undone.has(slot.key)) continue
        undone.add(slot.key)
        if (previous) index.set(slot.key, previous)
        else index.delete(slot.key)
      }
      if (logged.length === 0) throw new Error(`the log ends at revision ${after}, before ${this.#revision}`)
    }
    this.#snapshots.set(revision, index)
    const [first] = this.#snapshots.keys()
    if (this.#snapshots.size > SNAPSHOTS_KEPT && first !== undefined) this.#snapshots.delete(first)
    return index
  }
}

function refusal(
  type: 'put' | 'delete',
  expect: Expectation,
  slot: Slot | undefined,
): 'exists' | 'missing' | 'changed' | undefined {
  if (expect === 'absent') return slot ? 'exists' : type === 'delete' ? 'missing' : undefined
  if (expect === 'any') return type === 'delete' && !slot ? 'missing' : undefined
  if (!slot) return 'missing'
  return slot.revision === expect.revision ? undefined : 'changed'
}

function changeOf<V>(type: 'put' | 'delete', entry: Entry<V>, previous: Entry<V> | undefined): Change<V> {
  const { key, revision, value } = entry
  return { type, key, revision, value, ...(previous ? { previous: previous.value } : {}) }
}

/** A bug, or a damaged record: nobody who waits here is to blame for it. */
function thrownAtLarge(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/** A committed write whose answer cannot be read back is the caller's failure, not the next caller's. */
function settle(waiting: { readonly settle: () => void; readonly reject: (error: unknown) => void }): void {
  try {
    waiting.settle()
  } catch (error) {
    waiting.reject(error)
  }
}
