// The process that the crash story kills: store-crash-writer FOLDER COMPACT_BEFORE. Tells every acknowledged write at once.
import { writeSync } from 'node:fs'
import { jsonCodec } from '../../src/store/codec.ts'
import { openLmdbStore } from '../../src/store/lmdb-store.ts'

const [folder = '', before = '0'] = process.argv.slice(2)
const tell = (line: string): void => void writeSync(1, `${line}\n`)

tell('opening')
const opened = await openLmdbStore<string>({ folder, codec: jsonCodec() })
if (!opened.ok) {
  tell(`refused ${JSON.stringify(opened.error)}`)
  process.exit(3)
}
const store = opened.value

async function client(id: number): Promise<void> {
  for (let turn = 0; ; turn++) {
    const key = `k/${(id * 31 + turn * 7) % 60}`
    const make = (revision: number): string => `${key} at ${revision} ${'x'.repeat((revision * 37) % 3_000)}`
    const outcome =
      turn % 5 === 4
        ? await store.delete(key, make, 'any')
        : await store.put(key, make, turn % 3 === 0 ? 'absent' : 'any')
    if (outcome.ok) tell(`kept ${outcome.entry.revision}`)
  }
}

const clients = Array.from({ length: 16 }, (_, id) => client(id))
void store.compact(Number(before))
await Promise.all(clients)
