import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { afterAll, expect, test } from 'vitest'
import { jsonCodec } from './codec.ts'
import { type LmdbStore, openLmdbStore } from './lmdb-store.ts'
import { storeModelContract } from './store-model.contract.ts'
import { storeContract } from './store.contract.ts'

const root = mkdtempSync(join(tmpdir(), 'idp-store-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let folders = 0
const newFolder = (): string => join(root, String(folders++))

async function opened(folder: string, cacheBytes?: number): Promise<LmdbStore<string>> {
  const outcome = await openLmdbStore<string>({
    folder,
    codec: jsonCodec(),
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
  })
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error))
  return outcome.value
}

const put = (store: LmdbStore<string>, key: string, text: string) => store.put(key, () => text, 'any')

async function history(store: LmdbStore<string>, after: number): Promise<readonly string[]> {
  const heard: string[] = []
  await new Promise<void>((resolve) => {
    store.watch('', after, (changes, revision) => {
      for (const { type, key, value, previous } of changes) heard.push(`${type} ${key} ${previous ?? '-'} ${value}`)
      if (revision === store.revision) resolve()
    })
  })
  return heard
}

storeContract('the store on disk', () => opened(newFolder()))
storeContract('the store on disk without a cache', () => opened(newFolder(), 0))
storeModelContract('the store on disk', () => opened(newFolder(), 40), 15)

test('what was written is there after opening again: state, history, revision and what was compacted', async () => {
  const folder = newFolder()
  const first = await opened(folder)
  for (const text of ['one', 'two', 'three']) await put(first, 'a', text)
  await put(first, 'ü/😀', 'x')
  await first.delete('a', () => 'left', 'any')
  await put(first, 'b', 'y')
  await first.compact(2)
  await first.close()

  const again = await opened(folder)
  expect([again.revision, again.oldest]).toEqual([6, 2])
  expect(again.range('')).toMatchObject({
    entries: [
      { key: 'b', value: 'y', revision: 6 },
      { key: 'ü/😀', value: 'x', revision: 4 },
    ],
  })
  expect(again.range('', { revision: 3 })).toMatchObject({ entries: [{ key: 'a', value: 'three', revision: 3 }] })
  expect(again.range('', { revision: 1 })).toMatchObject({ ok: false, because: 'compacted' })
  expect(await history(again, 2)).toEqual(['put a two three', 'put ü/😀 - x', 'delete a three left', 'put b - y'])
  expect(await put(again, 'c', 'z')).toMatchObject({ entry: { revision: 7 } })
  await again.close()
})

test('the revision never goes back, even when the newest write was a deletion that is compacted', async () => {
  const folder = newFolder()
  const first = await opened(folder)
  await put(first, 'a', 'one')
  await first.delete('a', () => 'left', 'any')
  await first.compact(2)
  await first.close()
  const again = await opened(folder)
  expect([again.revision, again.oldest]).toEqual([2, 2])
  expect(await put(again, 'a', 'two')).toMatchObject({ entry: { revision: 3 } })
  await again.close()
})

test('compaction gives back what no read can need, and nothing else', async () => {
  const folder = newFolder()
  const store = await opened(folder, 0)
  await put(store, 'steady', 'kept')
  for (let round = 0; round < 2_500; round++) void put(store, `k/${round % 5}`, String(round))
  for (let id = 0; id < 3; id++) await store.delete(`k/${id}`, () => 'left', 'any')
  await store.compact(store.revision)
  await store.compact(store.revision)
  expect(store.range('')).toMatchObject({ entries: [{ value: '2498' }, { value: '2499' }, { value: 'kept' }] })
  await put(store, 'k/0', 'new')
  expect(await history(store, 2_504)).toEqual(['put k/0 - new'])
  await store.close()
  const db = open<Buffer, Buffer>({ path: folder, encoding: 'binary', keyEncoding: 'binary' })
  const records = db.getKeysCount({ start: Buffer.from('r'), end: Buffer.from('s') })
  await db.close()
  expect(records).toBe(4)
})

test('a second opening is refused with who has it, and is possible once the first has closed', async () => {
  const folder = newFolder()
  const first = await opened(folder)
  const second = await openLmdbStore({ folder, codec: jsonCodec() })
  expect(second).toMatchObject({
    ok: false,
    error: [{ code: 'store-in-use', message: expect.stringContaining('this process') as string }],
  })
  await put(first, 'a', 'still works')
  await first.close()
  await (await opened(folder)).close()
})

test('a copy of the folder, or a backup, is a store of its own while the first is open', async () => {
  const folder = newFolder()
  const store = await opened(folder)
  await put(store, 'a', 'one')
  const backup = newFolder()
  await store.backup(backup)
  await put(store, 'a', 'two')
  const copy = newFolder()
  await cp(folder, copy, { recursive: true })
  const fromBackup = await opened(backup)
  expect(fromBackup.get('a')?.value).toBe('one')
  const fromCopy = await opened(copy)
  expect(fromCopy.get('a')?.value).toBe('two')
  await expect(store.backup(backup)).rejects.toThrow('there is one already')
  for (const one of [store, fromBackup, fromCopy]) await one.close()
})

async function closedStore(): Promise<string> {
  const folder = newFolder()
  const store = await opened(folder)
  for (let at = 0; at < 50; at++) await put(store, `a/${at}`, 'x'.repeat(1_000))
  await store.close()
  return folder
}

test.each<[string, (folder: string) => void, string, RegExp]>([
  ['a file cut short', (folder) => truncateSync(join(folder, 'data.mdb'), 20_000), 'store-corrupt', /cut short/],
  ['an empty file', (folder) => truncateSync(join(folder, 'data.mdb'), 0), 'store-corrupt', /is empty/],
  ['a missing file', (folder) => rmSync(join(folder, 'data.mdb')), 'store-corrupt', /is missing/],
  [
    'a file of something else',
    (folder) => writeFileSync(join(folder, 'data.mdb'), Buffer.alloc(50_000, 7)),
    'store-corrupt',
    /not a database/,
  ],
  ['an unknown format', (folder) => writeFileSync(join(folder, 'format'), 'other 1'), 'store-corrupt', /format file/],
  ['a newer format', (folder) => writeFileSync(join(folder, 'format'), 'idp-store 99\n'), 'store-format-newer', /99/],
])('%s is refused with what to do', async (_name, damage, code, message) => {
  const folder = await closedStore()
  damage(folder)
  const outcome = await openLmdbStore({ folder, codec: jsonCodec() })
  expect(outcome).toMatchObject({
    ok: false,
    error: [{ code, message: expect.stringMatching(message) as string, cure: expect.any(String) as string }],
  })
})

test('a record whose bytes have changed is reported and not handed out', async () => {
  const folder = await closedStore()
  const path = join(folder, 'data.mdb')
  const bytes = readFileSync(path)
  const at = bytes.lastIndexOf(Buffer.from('a/7"'.slice(0, 3) + '"xxxx'))
  bytes[bytes.indexOf('"xxxxxxxx', at) + 3] = 0x79
  writeFileSync(path, bytes)
  const store = await opened(folder)
  expect(() => store.range('')).toThrow(/bytes are damaged; restore the store from a backup/)
  await store.close()
})
