import type { Store } from '../../store/store.ts'
import { type BusSettings, usualSettings } from './bus-settings.ts'
import { type BusRecord, gone, keys, type LoggedEvent } from './record.ts'

/** How a bus is doing. */
export interface BusState {
  readonly events: number
  readonly bytes: number
  /** Events that a running trigger has still to look at. */
  readonly backlog: number
}

/** Who reads a bus and has to be waited for: how far it is. */
export interface Reader {
  readonly position: () => number
  readonly wake: () => void
}

/** What has to go before something fits. */
interface Over {
  readonly count: number
  readonly bytes: number
}

interface Kept {
  readonly seq: number
  readonly acceptedMs: number
  readonly size: number
  readonly identity: string
}

/** So many of the newest events, or so many bytes of them, are at hand without asking the store. */
const RECENT = 1_024
const RECENT_BYTES = 4 * 2 ** 20
const TRIM_AT_ONCE = 1_000

/** What is known in memory of one bus: where its events lie, what they weigh and who reads them. */
export class OneBus {
  readonly namespace: string
  readonly name: string
  readonly readers: Map<string, Reader> = new Map()
  settings: BusSettings | undefined
  readonly #store: Store<BusRecord>
  /** In order; the first `#gone` of them are forgotten already. */
  #kept: Kept[] = []
  #gone = 0
  readonly #identities = new Map<string, number>()
  #recent: LoggedEvent[] = []
  #recentBytes = 0
  #bytes = 0
  /** What is on its way to the disk. */
  #reserved = 0
  #reservedBytes = 0

  constructor(namespace: string, name: string, store: Store<BusRecord>) {
    this.namespace = namespace
    this.name = name
    this.#store = store
  }

  get #count(): number {
    return this.#kept.length - this.#gone
  }

  has(identity: string): boolean {
    return this.#identities.has(identity)
  }

  placesOf(eventId: string): readonly number[] {
    const places: number[] = []
    for (const [identity, seq] of this.#identities) if (identity.startsWith(`${eventId}\n`)) places.push(seq)
    return places
  }

  state(): BusState {
    const done = this.#donePlace()
    const behind = this.#firstAfter(done)
    return { events: this.#count, bytes: this.#bytes, backlog: this.#kept.length - behind }
  }

  /** By how much one more would be too much; undefined when it fits. */
  overBy(size: number): Over | undefined {
    const { maxMsgs = 0, maxBytes = 0 } = this.settings ?? {}
    const count = Math.max(this.#count + this.#reserved + 1 - maxMsgs, 0)
    const bytes = Math.max(this.#bytes + this.#reservedBytes + size - maxBytes, 0)
    return count > 0 || bytes > 0 ? { count, bytes } : undefined
  }

  /** Why so much cannot be forgotten; undefined when it can. */
  blockedBy(over: Over): string | undefined {
    const kept = `it holds ${this.#count} events with ${this.#bytes} bytes`
    if (this.settings?.discardNew === true) return `${kept} and is told to discard new ones`
    if (this.#canForget(over)) return undefined
    return `${kept}, and running Sensors have still to deal with ${this.state().backlog} of them`
  }

  reserve(size: number): void {
    this.#reserved += 1
    this.#reservedBytes += size
  }

  release(size: number): void {
    this.#reserved -= 1
    this.#reservedBytes -= size
  }

  append(
    event: LoggedEvent,
    of: { readonly identity: string; readonly size: number; readonly isReserved: boolean },
  ): void {
    const { seq, acceptedMs } = event
    this.#kept.push({ seq, acceptedMs, size: of.size, identity: of.identity })
    this.#identities.set(of.identity, seq)
    this.#bytes += of.size
    if (!of.isReserved) return
    this.release(of.size)
    this.#recent.push(event)
    this.#recentBytes += of.size
    if (this.#recent.length > 2 * RECENT || this.#recentBytes > 2 * RECENT_BYTES) this.#forgetRecent()
  }

  /** Halves what is at hand, so that not every event has to. */
  #forgetRecent(): void {
    let from = this.#recent.length
    let bytes = 0
    for (; from > this.#recent.length - RECENT; from--) {
      const size = this.#kept[this.#kept.length - this.#recent.length + from - 1]?.size ?? 0
      if (bytes + size > RECENT_BYTES) break
      bytes += size
    }
    this.#recent = this.#recent.slice(from)
    this.#recentBytes = bytes
  }

  wake(): void {
    for (const reader of this.readers.values()) reader.wake()
  }

  /** Events after a place, when all of them are at hand. */
  recentAfter(seq: number, limit: number): readonly LoggedEvent[] | undefined {
    const last = this.#kept.at(-1)
    if (!last || last.seq <= seq) return []
    const first = this.#recent[0]
    const before = this.#kept[this.#kept.length - this.#recent.length - 1]
    // Everything between the place and what is at hand must be gone, or not have been.
    if (!first || (before && before.seq > seq)) return undefined
    const from = lowerBound(this.#recent, seq + 1)
    return this.#recent.slice(from, from + limit)
  }

  /** The place before the first event of a time or later; undefined where there is none. */
  placeBefore(acceptedMs: number): number | undefined {
    const found = this.#kept.slice(this.#gone).find((kept) => kept.acceptedMs >= acceptedMs)
    return found && found.seq - 1
  }

  /** Forgets what is over the bounds, and so much more, as far as no running reader needs it. */
  async trim(nowMs: number, more: Over = { count: 0, bytes: 0 }): Promise<void> {
    const { maxMsgs, maxBytes, maxAgeMs } = this.settings ?? usualSettings
    const done = this.#donePlace()
    const wantedCount = Math.min(maxMsgs, this.#count) - more.count
    const wantedBytes = Math.min(maxBytes, this.#bytes) - more.bytes
    const oldest = nowMs - maxAgeMs
    const removed: Kept[] = []
    while (removed.length < TRIM_AT_ONCE) {
      const first = this.#kept[this.#gone]
      if (!first || first.seq > done) break
      const isOver = this.#count > wantedCount || this.#bytes > wantedBytes || first.acceptedMs < oldest
      if (!isOver) break
      this.#gone += 1
      this.#bytes -= first.size
      if (this.#identities.get(first.identity) === first.seq) this.#identities.delete(first.identity)
      removed.push(first)
    }
    if (this.#gone > 4_096 && this.#gone * 2 > this.#kept.length) {
      this.#kept = this.#kept.slice(this.#gone)
      this.#gone = 0
    }
    await Promise.all(
      removed.map(({ seq }) => this.#store.delete(keys.event(this.namespace, this.name, seq), () => gone, 'any')),
    )
  }

  /** Everything up to this place has been dealt with by all who read. */
  #donePlace(): number {
    let place = Number.POSITIVE_INFINITY
    for (const reader of this.readers.values()) place = Math.min(place, reader.position())
    return place
  }

  #canForget({ count, bytes }: Over): boolean {
    const done = this.#donePlace()
    let [seenCount, seenBytes] = [0, 0]
    for (let at = this.#gone; seenCount < count || seenBytes < bytes; at++) {
      const kept = this.#kept[at]
      if (!kept || kept.seq > done) return false
      seenCount += 1
      seenBytes += kept.size
    }
    return true
  }

  #firstAfter(seq: number): number {
    return Math.max(lowerBound(this.#kept, seq + 1), this.#gone)
  }
}

/** The first of a list in order whose place is not before another. */
function lowerBound(list: readonly { readonly seq: number }[], seq: number): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((list[middle]?.seq ?? 0) < seq) low = middle + 1
    else high = middle
  }
  return low
}
