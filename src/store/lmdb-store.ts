import { open } from 'lmdb'
import { describeError } from '../lib/log.ts'
import { fail, type Result, succeed } from '../lib/result.ts'
import type { Codec } from './codec.ts'
import type { Slot } from './journal.ts'
import { JournaledStore } from './journaled-store.ts'
import { type Bytes, LmdbJournal } from './lmdb-journal.ts'
import type { Store } from './store.ts'
import { corrupt, inspectFolder, makeFolder, writeFormat } from './store-folder.ts'
import { releaseStore, takeStore } from './store-lock.ts'

export interface LmdbStoreOptions<V> {
  readonly folder: string
  readonly codec: Codec<V>
  /** How many bytes of values, as encoded, are kept decoded. */
  readonly cacheBytes?: number
}

/** A store on disk: what it acknowledged survives the process and the power. */
export interface LmdbStore<V> extends Store<V> {
  /** Encodes again what the codec calls stale, history included; answers how many values there were. */
  rewrite(): Promise<number>
  /** Writes a copy, at one revision, into a folder without one. */
  backup(folder: string): Promise<void>
}

const CACHE_BYTES = 32 * 2 ** 20

/** Opens the store in a folder, or makes one there. Refusals say who has it, or what is wrong with it, and the cure. */
export async function openLmdbStore<V>(options: LmdbStoreOptions<V>): Promise<Result<LmdbStore<V>>> {
  const { folder, codec } = options
  await makeFolder(folder)
  const found = inspectFolder(folder)
  if (!found.ok) return found
  let db: Bytes
  try {
    db = openDatabase(folder)
  } catch (error) {
    return corrupt(folder, describeError(error))
  }
  const owner = takeStore(db, folder)
  if (owner) {
    await db.close()
    const who = owner.pid === process.pid ? 'this process' : `process ${owner.pid} on ${owner.host}`
    return fail({
      code: 'store-in-use',
      message: `cannot open the store in ${folder}: ${who} has it open`,
      cure: 'stop it first (idp down), or use another state directory',
    })
  }
  const release = async (): Promise<void> => {
    releaseStore(db)
    await db.close()
  }
  try {
    if (found.format === undefined) await writeFormat(folder)
    const cacheBytes = options.cacheBytes ?? CACHE_BYTES
    const journal = new LmdbJournal(db, codec, { folder, cacheBytes, release })
    const store = new JournaledStore<V, Slot>(journal, journal.open())
    return succeed(
      Object.assign(store, {
        rewrite: () => journal.rewrite(),
        backup: (to: string) => backUp(journal, to),
      }),
    )
  } catch (error) {
    await release()
    return corrupt(folder, describeError(error))
  }
}

async function backUp<V>(journal: LmdbJournal<V>, folder: string): Promise<void> {
  await makeFolder(folder)
  await journal.backup(folder)
  await writeFormat(folder)
}

function openDatabase(folder: string): Bytes {
  // Not in the package's types: a turn's transaction begins with its first write, not after a thousand. That is faster, and
  // then all writes of a turn share one promise; begun late, lmdb 3.5 makes another that nobody can catch when it fails.
  const early: object = { batchStartThreshold: 0.5 }
  return open<Buffer, Buffer>({
    ...early,
    path: folder,
    encoding: 'binary',
    keyEncoding: 'binary',
    cache: false,
    maxDbs: 1,
    // A commit is flushed before it is acknowledged or seen; measured faster here than flushing beside the next one.
    overlappingSync: false,
    // What pages held before is not written out with new ones: keys of Secrets may be among it.
    noMemInit: false,
  })
}
