import type { Client, Collection, WatchEvent } from '../kube/client.ts'
import { apiVersionOf } from '../kube/gvk.ts'
import type { KubeObject } from '../kube/object.ts'
import type { Status } from '../kube/status.ts'
import type { Clock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { type IndexBy, IndexedObjects, keyOf, type ObjectCache } from './object-cache.ts'

/** Something that became different in a collection. A removed object is the last one that was seen. */
export interface CacheChange<T extends KubeObject = KubeObject> {
  readonly type: 'added' | 'changed' | 'removed'
  readonly key: string
  readonly object: T
  readonly previous?: T
}

export interface InformerOptions<T extends KubeObject> {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly collection: Collection
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly indexes?: Readonly<Record<string, IndexBy<T>>>
  /** Makes the typed object, once per version; an object that it refuses is logged and left out. */
  readonly parse?: (object: KubeObject) => T
  /** How long the server is asked to hold one watch; 0 for as long as it likes, in process. */
  readonly watchSeconds?: number
}

const PAGE = 500
const WATCH_SECONDS = 300
/** A server that has not ended a watch so much later is gone without a word. */
const GRACE_SECONDS = 30
/** A watch that held this long, or told anything, was a good one. */
const GOOD_WATCH_MS = 5_000
const FIRST_DELAY_MS = 200
const LONGEST_DELAY_MS = 30_000
/** After so many refusals in a row the position may be what is wrong. That the server is away or busy says nothing of it. */
const RELIST_AFTER = 4
/** Whoever waits for its own write to come back waits no longer than this. */
const LONGEST_LAG_MS = 10_000

/** How a list or a watch ended, and what is next. */
interface Ended {
  readonly next: 'watch' | 'list'
  /** What went wrong, when something did. */
  readonly because?: string
  readonly afterMs?: number
  /** It had worked before it ended. */
  readonly wasGood?: boolean
  /** The server has answered, and does not want this. */
  readonly wasRefused?: boolean
}

/**
 * Keeps a cache of a collection current: lists it in pages, watches from there, and after whatever goes wrong watches on
 * from where it was, or lists again and works out what has changed meanwhile. Listeners hear every difference once.
 */
export class Informer<T extends KubeObject = KubeObject> {
  readonly #options: InformerOptions<T>
  readonly #objects: IndexedObjects<T>
  readonly #listeners = new Set<(change: CacheChange<T>) => void>()
  readonly #waiting: (() => void)[] = []
  /** Who waits for the cache to reach a version. */
  readonly #behind = new Set<{ readonly version: number; readonly end: () => void }>()
  #resourceVersion: string | undefined
  #isSynced = false
  #trouble: string | undefined
  #failures = 0
  #refusals = 0

  constructor(options: InformerOptions<T>) {
    this.#options = options
    this.#objects = new IndexedObjects(options.indexes ?? {})
  }

  get cache(): ObjectCache<T> {
    return this.#objects
  }

  /** The collection has been read once; from then on the cache is complete, if perhaps a little late. */
  get isSynced(): boolean {
    return this.#isSynced
  }

  /** Why the cache may be behind; undefined while all is well. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Resolves once the collection has been read; rejects when the signal is aborted before. */
  async synced(signal: AbortSignal): Promise<void> {
    if (this.#isSynced) return
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => reject(signal.reason as Error)
      if (signal.aborted) return stop()
      signal.addEventListener('abort', stop, { once: true })
      this.#waiting.push(() => {
        signal.removeEventListener('abort', stop)
        resolve()
      })
    })
  }

  /**
   * Resolves once the cache has seen what a write answered, so that the next turn does not decide from what was before it.
   * Gives up silently when the signal is aborted or the time has passed: a late cache is no error.
   */
  async caughtUp(written: KubeObject, signal: AbortSignal): Promise<void> {
    const version = Number(written.metadata.resourceVersion)
    if (!Number.isFinite(version) || this.#isAt(version) || signal.aborted) return
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel()
        signal.removeEventListener('abort', end)
        this.#behind.delete(entry)
        resolve()
      }
      const entry = { version, end }
      const cancel = this.#options.clock.after(LONGEST_LAG_MS, end)
      signal.addEventListener('abort', end, { once: true })
      this.#behind.add(entry)
    })
  }

  #isAt(version: number): boolean {
    return this.#resourceVersion !== undefined && Number(this.#resourceVersion) >= version
  }

  #tellCaughtUp(): void {
    for (const entry of this.#behind) if (this.#isAt(entry.version)) entry.end()
  }

  /** Tells every difference from now on; what is in the cache already is told as added, at once. */
  listen(listener: (change: CacheChange<T>) => void): () => void {
    for (const object of this.#objects.list()) listener({ type: 'added', key: keyOf(object), object })
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Keeps the cache current until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let ended: Ended
      try {
        ended = this.#resourceVersion === undefined ? await this.#list(signal) : await this.#watch(signal)
      } catch (error) {
        ended = { next: this.#resourceVersion === undefined ? 'list' : 'watch', because: describeError(error) }
      }
      if (!signal.aborted) await this.#goOn(ended, signal)
    }
  }

  async #goOn({ next, because, afterMs, wasGood, wasRefused }: Ended, signal: AbortSignal): Promise<void> {
    if (wasGood) this.#failures = 0
    if (wasGood) this.#refusals = 0
    if (wasRefused) this.#refusals += 1
    this.#trouble = because
    const isFirst = this.#failures === 0
    if (!wasGood || because !== undefined) this.#failures += 1
    if (next === 'list' || this.#refusals >= RELIST_AFTER) {
      this.#resourceVersion = undefined
      this.#refusals = 0
    }
    if (wasGood && because === undefined) return
    const { clock, log, collection } = this.#options
    if (because !== undefined) log.warn('a watch was interrupted', { ...logged(collection), because })
    // The first time at once: connections end, servers restart, positions expire.
    if (isFirst && afterMs === undefined) return
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** Math.min(this.#failures - 1, 20), LONGEST_DELAY_MS)
    await clock.sleep(Math.max(delayMs, afterMs ?? 0), { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }

  async #list(signal: AbortSignal): Promise<Ended> {
    const { client, collection } = this.#options
    const seen = new Map<string, KubeObject>()
    let token: string | undefined
    let isPaged = true
    for (;;) {
      const page = await client.list(collection, {
        ...this.#selectors(),
        ...(isPaged ? { limit: PAGE } : {}),
        ...(token === undefined ? {} : { continue: token }),
        signal,
      })
      if (!page.ok) {
        // Pages that took too long are asked for in one piece.
        if (!isExpired(page.error) || token === undefined) return { next: 'list', ...troubleOf(page.error) }
        isPaged = false
        token = undefined
        seen.clear()
        continue
      }
      for (const item of page.value.items) seen.set(keyOf(item), this.#typed(item, page.value.kind))
      token = page.value.metadata.continue
      if (token) continue
      this.#replace(seen)
      this.#resourceVersion = page.value.metadata.resourceVersion ?? ''
      this.#tellCaughtUp()
      this.#isSynced = true
      this.#trouble = undefined
      for (const tell of this.#waiting.splice(0)) tell()
      return this.#watch(signal)
    }
  }

  async #watch(outer: AbortSignal): Promise<Ended> {
    const { client, clock, collection, watchSeconds = WATCH_SECONDS } = this.#options
    const inner = new AbortController()
    const stop = (): void => inner.abort(outer.reason)
    outer.addEventListener('abort', stop, { once: true })
    const began = clock.now()
    let isSilent = false
    let events = 0
    const listen = (): (() => void) =>
      watchSeconds === 0
        ? () => {}
        : clock.after((watchSeconds + GRACE_SECONDS) * 1_000, () => {
            isSilent = true
            inner.abort(new Error('the watch went silent'))
          })
    const wasGood = (): boolean => events > 0 || clock.now() - began >= GOOD_WATCH_MS
    const cancel = listen()
    try {
      const watch = client.watch(collection, {
        ...this.#selectors(),
        resourceVersion: this.#resourceVersion ?? '',
        allowWatchBookmarks: true,
        ...(watchSeconds === 0 ? {} : { timeoutSeconds: watchSeconds }),
        signal: inner.signal,
      })
      for await (const event of watch) {
        if (event.type === 'ERROR') return { ...afterError(event.object), wasGood: wasGood() }
        events += 1
        this.#take(event)
      }
    } catch (error) {
      if (!isSilent) return { next: 'watch', because: describeError(error), wasGood: wasGood() }
    } finally {
      cancel()
      outer.removeEventListener('abort', stop)
    }
    if (isSilent) return { next: 'watch', because: 'the watch went silent', wasGood: events > 0 }
    return { next: 'watch', wasGood: wasGood() }
  }

  #take(event: Exclude<WatchEvent, { readonly type: 'ERROR' }>): void {
    const { object } = event
    const key = keyOf(object)
    if (event.type === 'DELETED') this.#remove(key, object)
    else if (event.type !== 'BOOKMARK') this.#set(key, object)
    if (object.metadata.resourceVersion) this.#resourceVersion = object.metadata.resourceVersion
    if (this.#behind.size > 0) this.#tellCaughtUp()
  }

  /** Makes the cache what a list said, and tells the differences. */
  #replace(seen: ReadonlyMap<string, KubeObject>): void {
    for (const object of this.#objects.list()) {
      const key = keyOf(object)
      if (!seen.has(key)) this.#remove(key, object)
    }
    for (const [key, object] of seen) this.#set(key, object)
  }

  #set(key: string, raw: KubeObject): void {
    const previous = this.#objects.get(key)
    if (previous && isSameVersion(previous, raw)) return
    let object: T
    try {
      object = this.#options.parse ? this.#options.parse(raw) : (raw as T) // without parse, T is KubeObject
    } catch (error) {
      this.#options.log.error('an object is left out, it cannot be read', error, {
        ...logged(this.#options.collection),
        key,
      })
      if (previous) this.#remove(key, raw)
      return
    }
    this.#objects.set(key, object)
    this.#tell(previous ? { type: 'changed', key, object, previous } : { type: 'added', key, object })
  }

  #remove(key: string, raw: KubeObject): void {
    const previous = this.#objects.get(key)
    if (!previous) return
    this.#objects.delete(key)
    const object = this.#options.parse || isSameVersion(previous, raw) ? previous : (raw as T) // without parse, T is KubeObject
    this.#tell({ type: 'removed', key, object, previous })
  }

  #tell(change: CacheChange<T>): void {
    for (const listener of this.#listeners) listener(change)
  }

  /** Items of a list need not say what they are; objects in the cache do. */
  #typed(item: KubeObject, listKind: string): KubeObject {
    if (item.kind && item.apiVersion) return item
    const { resource } = this.#options.collection
    return { ...item, apiVersion: apiVersionOf(resource), kind: listKind.replace(/List$/, '') }
  }

  #selectors(): { readonly labelSelector?: string; readonly fieldSelector?: string } {
    const { labelSelector, fieldSelector } = this.#options
    return {
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    }
  }
}

const isExpired = (status: Status): boolean =>
  status.code === 410 || status.reason === 'Expired' || status.reason === 'Gone'

/** The server does not know our position yet: it was restored, or replaced by another. */
const isFromFuture = (status: Status): boolean =>
  status.details?.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge') ?? false

function afterError(status: Status): Ended {
  return { next: isExpired(status) || isFromFuture(status) ? 'list' : 'watch', ...troubleOf(status) }
}

function troubleOf(status: Status): Pick<Ended, 'because' | 'afterMs' | 'wasRefused'> {
  const seconds = status.details?.retryAfterSeconds
  return {
    because: `${status.reason}: ${status.message}`,
    wasRefused: status.code !== 429 && status.code !== 503,
    ...(seconds === undefined ? {} : { afterMs: seconds * 1_000 }),
  }
}

function isSameVersion(a: KubeObject, b: KubeObject): boolean {
  return (
    a.metadata.resourceVersion !== undefined &&
    a.metadata.resourceVersion === b.metadata.resourceVersion &&
    a.metadata.uid === b.metadata.uid
  )
}

function logged({ resource, namespace }: Collection): Readonly<Record<string, unknown>> {
  return { resource: `${resource.plural}.${resource.group || 'core'}`, ...(namespace ? { namespace } : {}) }
}
