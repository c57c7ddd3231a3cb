import { existsSync } from 'node:fs'
import type { Database } from 'lmdb'
import type { Codec } from './codec.ts'
import type { Journal, Logged, Opened, Slot, Written } from './journal.ts'
import { headOf, packRecord, type RecordHead, valueOf } from './log-record.ts'
import type { Entry } from './store.ts'
import { ValueCache } from './value-cache.ts'

export type Bytes = Database<Buffer, Buffer>

/*
 * One database holds three kinds of keys:
 *   m…            settings: format, oldest, compacted, owner
 *   r<revision>   the log: revision as eight bytes, big-endian -> the record of that write
 *   s<key>        the current state: key -> the revision that wrote it, as eight bytes
 * A value is thus written once. A record stays while its value is current, however old it is.
 */
const LOG = 0x72
const STATE = 0x73

export const oldestKey: Buffer = Buffer.from('moldest')
const compactedKey: Buffer = Buffer.from('mcompacted')

/** At most this much is removed in one transaction, so that a write never waits long behind a compaction. */
const COMPACT_SLICE = 1_000

export function revisionBytes(revision: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeUInt32BE(Math.floor(revision / 2 ** 32), 0)
  bytes.writeUInt32BE(revision >>> 0, 4)
  return bytes
}

const revisionFrom = (bytes: Buffer, at: number): number =>
  bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)

function logKey(revision: number): Buffer {
  const bytes = Buffer.allocUnsafe(9)
  bytes[0] = LOG
  bytes.writeUInt32BE(Math.floor(revision / 2 ** 32), 1)
  bytes.writeUInt32BE(revision >>> 0, 5)
  return bytes
}

function stateKey(key: string): Buffer {
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(key))
  bytes[0] = STATE
  bytes.write(key, 1, 'utf8')
  return bytes
}

interface JournalOptions {
  readonly folder: string
  readonly cacheBytes: number
  /** Gives the database back once nothing is under way. */
  readonly release: () => Promise<void>
}

/** A journal on LMDB. What it has written is in the cache; what was not asked for lately is read from the memory map. */
export class LmdbJournal<V> implements Journal<V, Slot> {
  readonly #db: Bytes
  readonly #codec: Codec<V>
  readonly #cache: ValueCache<V>
  readonly #folder: string
  readonly #release: () => Promise<void>
  /** Runs one at a time, whoever asks for it. */
  #upkeep: Promise<unknown> = Promise.resolve()
  #closing = false
  #committing: Promise<unknown> = Promise.resolve()
  #broken: Error | undefined

  constructor(db: Bytes, codec: Codec<V>, options: JournalOptions) {
    this.#db = db
    this.#codec = codec
    this.#folder = options.folder
    this.#release = options.release
    this.#cache = new ValueCache(options.cacheBytes)
  }

  /** Reads where the journal stands; the state is read as it is iterated. */
  open(): Opened<Slot> {
    const oldest = this.#setting(oldestKey)
    const [last] = this.#db.getKeys({ start: logKey(2 ** 48), end: logKey(0), reverse: true, limit: 1 })
    // The newest record may have been a deletion that is compacted by now.
    const revision = Math.max(oldest, last ? revisionFrom(last, 1) : 0)
    return { revision, oldest, current: this.#state(revision) }
  }

  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }

  encode(type: 'put' | 'delete', entry: Entry<V>, previous: Slot | undefined): Uint8Array {
    return packRecord(type, entry.key, previous?.revision ?? 0, this.#codec.encode(entry.value, entry.key))
  }

  slotOf(entry: Entry<V>): Slot {
    return { key: entry.key, revision: entry.revision }
  }

  async append(batch: readonly Written<V, Slot>[]): Promise<void> {
    if (this.#broken) throw this.#broken
    const first = batch[0]
    if (!first) return
    try {
      await this.#commit(() => {
        for (const { type, entry, encoded } of batch) {
          this.#put(logKey(entry.revision), encoded as Buffer) // packRecord made it
          const key = stateKey(entry.key)
          if (type === 'put') this.#put(key, revisionBytes(entry.revision))
          else this.#remove(key)
        }
      })
    } catch (cause) {
      const error = new Error(`cannot write to the store in ${this.#folder}: ${becauseOf(cause)}`, { cause })
      // Written but not known to be durable: only opening the store again tells what the disk has kept.
      if (this.#db.get(logKey(first.entry.revision))) this.#broken = error
      throw error
    }
    for (const { entry, encoded } of batch) this.#cache.set(entry, encoded?.length ?? 0)
  }

  load(slot: Slot): Entry<V> {
    const known = this.#cache.get(slot.revision)
    if (known) return known
    const record = this.#db.get(logKey(slot.revision))
    if (!record) throw new Error(`cannot read revision ${slot.revision} of ${slot.key}: it is not in the log`)
    const { key, revision } = slot
    const entry = { key, revision, value: this.#codec.decode(valueOf(record, slot), key) }
    this.#cache.set(entry, record.length)
    return entry
  }

  scan(after: number, limit: number): readonly Logged<Slot>[] {
    return this.#heads(after, after + limit, limit).map(({ type, key, revision, previous }) => ({
      type,
      slot: { key, revision },
      ...(previous > 0 ? { previous: { key, revision: previous } } : {}),
    }))
  }

  compact(before: number): Promise<void> {
    return this.#serially(async () => {
      await this.#commit(() => this.#put(oldestKey, revisionBytes(before)))
      let done = this.#setting(compactedKey)
      while (done < before && !this.#closing) {
        const heads = this.#heads(done, before, COMPACT_SLICE)
        done = heads.length < COMPACT_SLICE ? before : (heads.at(-1)?.revision ?? before)
        const reached = done
        await this.#commit(() => {
          for (const head of heads) {
            if (head.previous > 0) this.#remove(logKey(head.previous))
            if (head.type === 'delete') this.#remove(logKey(head.revision))
          }
          this.#put(compactedKey, revisionBytes(reached))
        })
      }
    })
  }

  /** Encodes again what the codec calls stale, current or not, at its own revision; answers how many there were. */
  rewrite(): Promise<number> {
    return this.#serially(async () => {
      let rewritten = 0
      for (let after = 0, more = true; more && !this.#closing;) {
        const slice = [...this.#db.getRange({ start: logKey(after + 1), end: logKey(2 ** 48), limit: COMPACT_SLICE })]
        more = slice.length === COMPACT_SLICE
        after = slice.length > 0 ? revisionFrom((slice.at(-1) as { key: Buffer }).key, 1) : after // the length was checked
        const stale = slice.flatMap(({ key, value }) => this.#renewed(key, value) ?? [])
        rewritten += stale.length
        if (stale.length === 0) continue
        await this.#commit(() => {
          for (const { key, value } of stale) this.#put(key, value)
        })
      }
      return rewritten
    })
  }

  /** A copy of the database at its newest commit. */
  async backup(folder: string): Promise<void> {
    if (existsSync(`${folder}/data.mdb`)) throw new Error(`cannot write a backup to ${folder}: there is one already`)
    await this.#serially(() => this.#db.backup(folder, true))
  }

  async close(): Promise<void> {
    this.#closing = true
    await this.#upkeep
    await this.#release()
  }

  #put(key: Buffer, value: Buffer): void {
    this.#committing = this.#db.put(key, value)
  }

  #remove(key: Buffer): void {
    this.#committing = this.#db.remove(key)
  }

  /** All of the writes or none: what is written in one turn is one transaction. Resolves when it is durable. */
  async #commit(writes: () => void): Promise<void> {
    writes()
    try {
      await this.#committing
    } catch (error) {
      // The reason comes as a promise of its own.
      await (error as { readonly commitError?: Promise<never> }).commitError
      throw error
    }
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#upkeep.then(work)
    this.#upkeep = mine.catch(() => undefined)
    return mine
  }

  #setting(key: Buffer): number {
    const bytes = this.#db.get(key)
    return bytes ? revisionFrom(bytes, 0) : 0
  }

  *#state(newest: number): Iterable<Slot> {
    for (const { key: bytes, value } of this.#db.getRange({ start: Buffer.of(STATE), end: Buffer.of(STATE + 1) })) {
      const key = bytes.toString('utf8', 1)
      const revision = revisionFrom(value, 0)
      if (revision > newest) throw new Error(`${key} is at revision ${revision}, but the log ends at ${newest}`)
      yield { key, revision }
    }
  }

  #heads(after: number, upTo: number, limit: number): readonly RecordHead[] {
    const heads: RecordHead[] = []
    for (const { key, value } of this.#db.getRange({ start: logKey(after + 1), end: logKey(upTo + 1), limit })) {
      heads.push(headOf(value, revisionFrom(key, 1)))
    }
    return heads
  }

  #renewed(key: Buffer, record: Buffer): { readonly key: Buffer; readonly value: Buffer } | undefined {
    const head = headOf(record, revisionFrom(key, 1))
    const bytes = valueOf(record, head)
    if (!this.#codec.isStale?.(bytes, head.key)) return undefined
    const value = this.#codec.encode(this.#codec.decode(bytes, head.key), head.key)
    return { key, value: packRecord(head.type, head.key, head.previous, value) }
  }
}

const DISK_FULL = /no space left|ENOSPC|file too large|EFBIG|quota/i

function becauseOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return DISK_FULL.test(text) ? `the disk is full (${text}); free some space and try again` : text
}
