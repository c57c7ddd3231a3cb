import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { jsonCodec } from './codec.ts'
import { openLmdbStore } from './lmdb-store.ts'
import { sealedCodec } from './sealed-codec.ts'
import { createKeyFile, readKeyFile, retireOldKeys, rotateKeyFile, type SealingKeys } from './sealing-keys.ts'

const root = mkdtempSync(join(tmpdir(), 'idp-sealed-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const keysOf = (path: string): SealingKeys => {
  const read = readKeyFile(path)
  if (!read.ok) throw new Error(JSON.stringify(read.error))
  return read.value
}
const codecWith = (keys: SealingKeys) => sealedCodec({ inner: jsonCodec<string>(), keys, prefixes: ['secrets/'] })
const bytesOf = (encoded: string | Uint8Array): Buffer => Buffer.from(encoded as string)

test('secrets are unreadable in their bytes and come back; other values stay in the clear', () => {
  const codec = codecWith(createKeyFile(join(root, 'a')))
  const sealed = bytesOf(codec.encode('hunter2 😀', 'secrets/a'))
  expect(sealed.includes('hunter2')).toBe(false)
  expect(codec.decode(sealed, 'secrets/a')).toBe('hunter2 😀')
  expect(codec.encode('hunter2', 'secrets/a')).not.toEqual(codec.encode('hunter2', 'secrets/a'))
  expect(codec.encode('plain', 'configmaps/a')).toBe('"plain"')
})

test('a sealed value that is changed, moved, or lacks its key does not open, and the error does not tell it', () => {
  const codec = codecWith(createKeyFile(join(root, 'b')))
  const sealed = bytesOf(codec.encode('hunter2', 'secrets/a'))
  expect(() => codec.decode(sealed, 'secrets/b')).toThrow(/damaged, or belong elsewhere/)
  for (const at of [sealed.length - 1, sealed.length - 10, 30]) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => codec.decode(changed, 'secrets/a')).toThrow(/damaged, or belong elsewhere/)
  }
  expect(() => codec.decode(sealed.subarray(0, 25), 'secrets/a')).toThrow(/damaged, or belong elsewhere/)
  const other = codecWith(createKeyFile(join(root, 'c')))
  expect(() => other.decode(sealed, 'secrets/a')).toThrow(/is not in the key file/)
})

test('rotation: what the old key sealed is read, is stale, and is sealed anew in the whole store', async () => {
  const path = join(root, 'd')
  const folder = join(root, 'store')
  const plain = await openLmdbStore({ folder, codec: jsonCodec<string>() })
  if (!plain.ok) throw new Error('not opened')
  await plain.value.put('secrets/early', () => 'from before', 'any')
  await plain.value.put('configmaps/a', () => 'open', 'any')
  await plain.value.close()

  const first = createKeyFile(path)
  const sealed = await openLmdbStore({ folder, codec: codecWith(first) })
  if (!sealed.ok) throw new Error('not opened')
  expect(sealed.value.get('secrets/early')?.value).toBe('from before')
  await sealed.value.put('secrets/a', () => 'one', 'any')
  await sealed.value.put('secrets/a', () => 'two', 'any')
  await sealed.value.close()

  rotateKeyFile(path, first)
  const rotated = await openLmdbStore({ folder, codec: codecWith(keysOf(path)) })
  if (!rotated.ok) throw new Error('not opened')
  expect(await rotated.value.rewrite()).toBe(3)
  expect(await rotated.value.rewrite()).toBe(0)
  expect(rotated.value.revision).toBe(4)
  await rotated.value.close()

  retireOldKeys(path, keysOf(path))
  const later = await openLmdbStore({ folder, codec: codecWith(keysOf(path)) })
  if (!later.ok) throw new Error('not opened')
  expect(later.value.range('', { revision: 3 })).toMatchObject({
    entries: [{ value: 'open' }, { value: 'one' }, { value: 'from before' }],
  })
  expect(later.value.get('secrets/a')?.value).toBe('two')
  await later.value.close()
})

test('a key file is made for its owner alone, and never overwritten', () => {
  const path = join(root, 'e')
  const keys = createKeyFile(path)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(() => createKeyFile(path)).toThrow(/EEXIST/)
  const rotated = rotateKeyFile(path, keys)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(keysOf(path).map(({ id }) => id)).toEqual(rotated.map(({ id }) => id))
  expect(rotated[1]).toEqual(keys[0])
})

test.each<[string, (path: string) => void, string]>([
  ['a key file that others may read', (path) => chmodSync(path, 0o640), 'key-file-mode'],
  ['a missing key file', (path) => rmSync(path), 'key-file-unreadable'],
  ['an empty key file', (path) => writeFileSync(path, '# nothing\n'), 'key-file-invalid'],
  ['a key that is too short', (path) => writeFileSync(path, 'id c2hvcnQ=\n'), 'key-file-invalid'],
  [
    'a key id that is there twice',
    (path) => writeFileSync(path, readFileSync(path, 'utf8').repeat(2)),
    'key-file-invalid',
  ],
])('%s is refused without telling what is in it', (name, damage, code) => {
  const path = join(root, name)
  createKeyFile(path)
  damage(path)
  const outcome = readKeyFile(path)
  expect(outcome).toMatchObject({ ok: false, error: [{ code }] })
  expect(JSON.stringify(outcome)).not.toContain('c2hvcnQ')
})
