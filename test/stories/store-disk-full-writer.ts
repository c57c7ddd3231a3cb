// Fills a store until the disk takes no more, then goes on: store-disk-full-writer FOLDER. Says how it went in one JSON line.
import { jsonCodec } from '../../src/store/codec.ts'
import { openLmdbStore } from '../../src/store/lmdb-store.ts'

const opened = await openLmdbStore<string>({ folder: process.argv[2] ?? '', codec: jsonCodec() })
if (!opened.ok) throw new Error(JSON.stringify(opened.error))
const store = opened.value
const write = (key: string, length: number): Promise<unknown> => store.put(key, () => 'x'.repeat(length), 'any')

let kept = 0
const errors: string[] = []
for (let turn = 0; turn < 5_000 && errors.length === 0; turn++) {
  const outcomes = await Promise.allSettled([1, 2, 3].map((part) => write(`big/${turn}-${part}`, 3_000)))
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') kept += 1
    else errors.push(String(outcome.reason))
  }
}
const revision = store.revision
// A database at its limit may still reuse what it has.
const small = await write('small', 1).then(
  () => 'kept',
  (error: unknown) => String(error),
)
const count = store.count('')
await store.close()
console.log(JSON.stringify({ kept, errors, revision, small, count }))
