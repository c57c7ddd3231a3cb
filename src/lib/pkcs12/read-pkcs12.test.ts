import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readPkcs12 } from './read-pkcs12.ts'
import { rc2Decrypt, rc2Encrypt } from './rc2.ts'
import { type Pkcs12Profile, writePkcs12 } from './write-pkcs12.ts'

const stored = (name: string): Uint8Array => readFileSync(join(import.meta.dirname, 'testdata', `${name}.p12`))

// Written by openssl 3: `pkcs12 -export`, the first with `-legacy`.
test.each([
  ['legacy-rc2', 'secret'],
  ['modern', 'pä55'],
  ['empty-password', ''],
])('the store %s of openssl is read', (name, password) => {
  const read = readPkcs12(stored(name), password)
  if (!read.ok) throw new Error(read.error[0]?.message)
  const { keys, certificates } = read.value
  const [certificate] = certificates.map((bytes) => new X509Certificate(bytes))
  const [key] = keys.map((bytes) => createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' }))
  expect([keys.length, certificates.length]).toEqual([1, 1])
  expect(certificate?.subject).toBe('CN=leaf')
  expect(key && certificate?.checkPrivateKey(key)).toBe(true)
})

test.each<Pkcs12Profile>(['LegacyRC2', 'LegacyDES', 'Modern2023'])('what is written as %s is read again', (profile) => {
  const key = randomBytes(100)
  const certificates = [randomBytes(50), randomBytes(51)]
  const written = writePkcs12({ key, certificates }, { password: 'pw', profile, bytes: randomBytes })
  expect(readPkcs12(written, 'pw')).toEqual({ ok: true, value: { keys: [key], certificates } })
  expect(readPkcs12(written, 'other')).toMatchObject({ error: [{ code: 'pkcs12-unreadable' }] })
})

test('a store that was changed, cut or is none at all is refused', () => {
  const bytes = Buffer.from(stored('modern'))
  const changed = Buffer.from(bytes)
  changed[200] = (changed[200] ?? 0) ^ 1
  for (const broken of [
    changed,
    bytes.subarray(0, 500),
    Buffer.from('no store'),
    Buffer.alloc(0),
    Buffer.alloc(100_000, 0x30),
  ]) {
    expect(readPkcs12(broken, 'pä55')).toMatchObject({ ok: false })
  }
})

test('RC2 gives back what it was given', () => {
  for (const length of [0, 1, 7, 8, 9, 100]) {
    const [plain, key, vector] = [randomBytes(length), randomBytes(5), randomBytes(8)]
    expect(rc2Decrypt(rc2Encrypt(plain, key, vector), key, vector)).toEqual(plain)
  }
})
