import type { Clock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { explain } from '../lib/result.ts'
import { join } from 'node:path'
import type { Codec } from './codec.ts'
import { jsonCodec } from './codec.ts'
import { fiveMinutes, keepHistory } from './history-window.ts'
import { openLmdbStore } from './lmdb-store.ts'
import type { Store } from './store.ts'

/** Opens a store of one's own by its name, which is a word; rejects with the cure when that cannot be. It is closed by whoever gives this. */
export type OpenStore = <V>(name: string, codec?: Codec<V>, options?: OwnStoreOptions) => Promise<Store<V>>

/** How a store of one's own is kept. */
export interface OwnStoreOptions {
  /** How many bytes of values, as encoded, are kept decoded; whoever reads a value once needs few. */
  readonly cacheBytes?: number
}

/** The stores that capabilities keep beside the cluster's objects. */
export interface OwnStores {
  readonly open: OpenStore
  close(): Promise<void>
}

/** Stores on disk, each in its folder; a few minutes of their history are kept. */
export function storesIn(folder: string, { clock, log }: { readonly clock: Clock; readonly log: Log }): OwnStores {
  const opened: Store<unknown>[] = []
  const closing = new AbortController()
  const keeping: Promise<void>[] = []
  return {
    async open<V>(name: string, codec: Codec<V> = jsonCodec<V>(), options: OwnStoreOptions = {}) {
      const store = await openLmdbStore<V>({ ...options, folder: join(folder, name), codec })
      if (!store.ok) throw new Error(store.error.map(explain).join('; '))
      opened.push(store.value)
      keeping.push(
        keepHistory(store.value, clock, fiveMinutes, closing.signal).catch((error: unknown) => {
          log.error(`cannot forget the past of ${name}: ${describeError(error)}`, error)
        }),
      )
      return store.value
    },
    async close() {
      closing.abort(new Error('the stores are closed'))
      await Promise.all(keeping)
      await Promise.all(opened.map((store) => store.close()))
    },
  }
}
