import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { movableClock } from '../../../lib/clock.ts'
import { systemIds } from '../../../lib/ids.ts'
import { silentLog } from '../../../lib/log.ts'
import { memoryStore } from '../../../store/memory-store.ts'
import type { Store } from '../../../store/store.ts'
import { Barrier, SealedError } from '../barrier.ts'
import { openSecretStore } from '../secret-store.ts'
import { slowStore, type StoreWorld, storeWorld } from '../secret-store.testkit.ts'
import { newKeyring, withNewKey } from './keyring.ts'

const folder = mkdtempSync(join(tmpdir(), 'idp-seal-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const clear = (world: StoreWorld, ...call: Parameters<StoreWorld['ask']>): ReturnType<StoreWorld['ask']> =>
  world.ask(call[0], call[1], call[2], { token: '' })

test('a new store says that it is new, is initialised once, and opens with enough of its keys', async () => {
  const world = await storeWorld({ isNew: true })
  expect((await clear(world, 'GET', 'sys/init')).body).toEqual({ initialized: false })
  expect((await clear(world, 'GET', 'sys/health')).status).toBe(501)
  expect((await clear(world, 'GET', 'secret/data/a')).status).toBe(503)
  expect((await clear(world, 'PUT', 'sys/unseal', { key: 'aa' })).body.errors).toEqual(['Vault is not initialized'])

  const made = await clear(world, 'PUT', 'sys/init', {
    secret_shares: 5,
    secret_threshold: 3,
    // As the command line of Vault sends it.
    pgp_keys: null,
    root_token_pgp_key: '',
    recovery_shares: 0,
    stored_shares: 0,
  })
  expect(made.status).toBe(200)
  const { keys, keys_base64: base64, root_token: token } = made.body
  expect(keys.map((key: string) => Buffer.from(key, 'hex').toString('base64'))).toEqual(base64)
  expect(keys.every((key: string) => /^[0-9a-f]{66}$/.test(key))).toBe(true)
  expect((await clear(world, 'PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 })).body.errors).toEqual([
    'Vault is already initialized',
  ])
  expect((await clear(world, 'GET', 'sys/health')).status).toBe(503)
  expect((await clear(world, 'GET', 'sys/health?sealedcode=299')).status).toBe(299)

  const first = await clear(world, 'PUT', 'sys/unseal', { key: keys[4] })
  expect(first.body).toMatchObject({ sealed: true, t: 3, n: 5, progress: 1, initialized: true, type: 'shamir' })
  // The same key again is no progress.
  expect((await clear(world, 'POST', 'sys/unseal', { key: keys[4] })).body).toEqual(first.body)
  expect((await clear(world, 'PUT', 'sys/unseal', { reset: true })).body).toMatchObject({ progress: 0, nonce: '' })
  for (const key of [keys[0], base64[1]]) await clear(world, 'PUT', 'sys/unseal', { key })
  expect((await clear(world, 'PUT', 'sys/unseal', { key: keys[2] })).body).toMatchObject({
    sealed: false,
    progress: 0,
    cluster_name: expect.stringMatching(/^vault-cluster-/),
  })
  expect((await clear(world, 'GET', 'sys/health')).body).toMatchObject({
    initialized: true,
    sealed: false,
    standby: false,
  })
  expect((await clear(world, 'HEAD', 'sys/health')).status).toBe(200)
  expect((await world.ask('GET', 'auth/token/lookup-self', undefined, { token })).status).toBe(200)
  await world.close()
})

test.each([
  [{ secret_shares: 0, secret_threshold: 1 }, 'shares must be at least one'],
  [{ secret_shares: 1, secret_threshold: 0 }, 'threshold must be at least one'],
  [{ secret_shares: 2, secret_threshold: 1 }, 'threshold must be greater than one for multiple shares'],
  [{ secret_shares: 256, secret_threshold: 2 }, 'less than 256'],
  [{ secret_shares: 2, secret_threshold: 3 }, 'threshold cannot be larger than shares'],
  [{ secret_shares: 1, secret_threshold: 1, pgp_keys: ['x'] }, 'pgp_keys is not supported'],
  [{ secret_shares: 1, secret_threshold: 1, recovery_shares: 1 }, 'not applicable'],
])('init with %j is refused', async (body, message) => {
  const world = await storeWorld({ isNew: true })
  const answer = await clear(world, 'PUT', 'sys/init', body)
  expect([answer.status, answer.body.errors[0]]).toEqual([400, expect.stringContaining(message)])
  await world.close()
})

test('a sealed store answers nothing and forgets nothing', async () => {
  const world = await storeWorld()
  const heard: string[] = []
  world.store.changes.subscribe(({ what }) => heard.push(what))
  await world.ask('POST', 'sys/mounts/kv', { type: 'kv' })
  await world.ask('POST', 'kv/a', { b: 'c' })
  expect((await world.ask('PUT', 'sys/seal')).status).toBe(204)
  expect(await world.ask('GET', 'kv/a')).toMatchObject({ status: 503, body: { errors: ['Vault is sealed'] } })
  expect((await world.ask('POST', 'sys/mounts/x', { type: 'kv' })).status).toBe(503)
  for (const key of world.keys.slice(1)) await clear(world, 'PUT', 'sys/unseal', { key })
  expect((await world.ask('GET', 'kv/a')).body.data).toEqual({ b: 'c' })
  expect(heard).toEqual(['changed', 'sealed', 'unsealed'])
  await world.close()
})

test.each([
  ['wrong keys', ['11'.repeat(33), '22'.repeat(33)], 'unseal failed'],
  ['keys that are too short', ['1122'], 'shorter than minimum'],
  ['keys that are too long', ['11'.repeat(34)], 'longer than maximum'],
  ['what is no key', ['%%%'], 'must be a valid hex or base64 string'],
  ['nothing', [''], "'key' must be specified"],
])('%s do not open a store', async (_, keys, message) => {
  const world = await storeWorld()
  await world.store.seal()
  let last = { body: { errors: [''] } }
  for (const key of keys) last = await clear(world, 'PUT', 'sys/unseal', { key })
  expect(last.body.errors[0]).toContain(message)
  expect(world.store.isSealed).toBe(true)
  // What was given wrongly does not count any more.
  for (const key of world.keys.slice(0, 2)) await clear(world, 'PUT', 'sys/unseal', { key })
  expect(world.store.isSealed).toBe(false)
  await world.close()
})

test('a store with a key file opens by itself, and the file is for nobody else', async () => {
  const keyFile = join(folder, 'a', 'store.key')
  const store = memoryStore<Uint8Array>()
  const first = await storeWorld({ store, keyFile })
  await first.ask('POST', 'sys/mounts/kv', { type: 'kv' })
  await first.ask('POST', 'kv/a', { b: 1 })
  await first.close()
  expect(statSync(keyFile).mode & 0o777).toBe(0o600)

  const parts = { store, keyFile, clock: movableClock(), ids: systemIds, log: silentLog }
  const again = await openSecretStore(parts)
  expect(again.isSealed).toBe(false)
  await again.close()

  const { keyFile: _, ...without } = parts
  expect((await openSecretStore(without)).isSealed).toBe(true)
  writeFileSync(keyFile, `k1 ${Buffer.alloc(32).toString('base64')}\n`)
  expect((await openSecretStore(parts)).isSealed).toBe(true)
})

test('nothing of a secret lies in the store as it was written', async () => {
  const store = memoryStore<Uint8Array>()
  const world = await storeWorld({ store })
  await world.ask('POST', 'sys/mounts/kv', { type: 'kv-v2' })
  await world.ask('POST', 'kv/data/a', { data: { password: 'correct-horse-battery' } })
  const { body } = await world.ask('POST', 'auth/token/create', {})
  const all = store.range('')
  const bytes = Buffer.concat((all.ok ? all.entries : []).map(({ value }) => Buffer.from(value))).toString('latin1')
  for (const text of ['correct-horse-battery', 'password', body.auth.client_token, world.rootToken, ...world.keys]) {
    expect(bytes).not.toContain(text)
  }
  await world.close()
})

test('a rotated key reads what was written before, and writes from then on', async () => {
  const store = memoryStore<Uint8Array>()
  const world = await storeWorld({ store })
  await world.ask('POST', 'sys/mounts/kv', { type: 'kv' })
  await world.ask('POST', 'kv/old', { a: 1 })
  expect((await world.ask('GET', 'sys/key-status')).body).toMatchObject({ term: 1, data: { term: 1 } })
  expect((await world.ask('PUT', 'sys/rotate')).status).toBe(204)
  expect((await world.ask('GET', 'sys/key-status')).body).toMatchObject({ term: 2, encryptions: 0 })
  await world.ask('POST', 'kv/new', { a: 2 })
  await world.store.seal()
  for (const key of world.keys.slice(0, 2)) await clear(world, 'PUT', 'sys/unseal', { key })
  expect((await world.ask('GET', 'kv/old')).body.data).toEqual({ a: 1 })
  expect((await world.ask('GET', 'kv/new')).body.data).toEqual({ a: 2 })
  await world.close()
})

test('keys that are rotated at once, during writes and a rekey, leave everything readable and the new shares good', async () => {
  const world = await storeWorld({ store: slowStore() })
  await world.ask('POST', 'sys/mounts/kv', { type: 'kv' })
  const { nonce } = (await clear(world, 'PUT', 'sys/rekey/init', { secret_shares: 2, secret_threshold: 2 })).body
  await clear(world, 'PUT', 'sys/rekey/update', { key: world.keys[0], nonce })
  const [rekeyed] = await Promise.all([
    clear(world, 'PUT', 'sys/rekey/update', { key: world.keys[1], nonce }),
    ...Array.from({ length: 8 }, () => world.ask('PUT', 'sys/rotate')),
    ...Array.from({ length: 40 }, (_, at) => world.ask('POST', `kv/${at}`, { at })),
  ])
  expect((await world.ask('GET', 'sys/key-status')).body.term).toBe(9)
  await world.store.seal()
  for (const key of rekeyed.body.keys) await clear(world, 'PUT', 'sys/unseal', { key })
  const read = await Promise.all(Array.from({ length: 40 }, (_, at) => world.ask('GET', `kv/${at}`)))
  expect(read.map(({ body }) => body.data.at)).toEqual(Array.from({ length: 40 }, (_, at) => at))
  await world.close()
})

test('a rekey replaces the shares, once enough of the old ones agree', async () => {
  const world = await storeWorld()
  const begun = await clear(world, 'PUT', 'sys/rekey/init', { secret_shares: 4, secret_threshold: 3 })
  expect(begun.body).toMatchObject({ started: true, t: 3, n: 4, progress: 0, required: 2 })
  const { nonce } = begun.body
  expect((await clear(world, 'PUT', 'sys/rekey/update', { key: world.keys[0], nonce: 'x' })).status).toBe(400)
  expect((await clear(world, 'PUT', 'sys/rekey/update', { key: world.keys[0], nonce })).body.progress).toBe(1)
  const done = await clear(world, 'PUT', 'sys/rekey/update', { key: world.keys[2], nonce })
  expect(done.body).toMatchObject({ complete: true, keys: { length: 4 } })
  await world.store.seal()
  for (const key of world.keys) await clear(world, 'PUT', 'sys/unseal', { key })
  expect(world.store.isSealed).toBe(true)
  await clear(world, 'PUT', 'sys/unseal', { reset: true })
  for (const key of done.body.keys.slice(0, 3)) await clear(world, 'PUT', 'sys/unseal', { key })
  expect(world.store.isSealed).toBe(false)
  await world.close()
})

test('who holds enough shares gets a new root token, hidden behind a one-time password', async () => {
  const world = await storeWorld()
  const begun = await clear(world, 'PUT', 'sys/generate-root/attempt', {})
  expect(begun.body).toMatchObject({ started: true, progress: 0, required: 2, otp_length: 32, complete: false })
  const { nonce, otp } = begun.body
  expect((await clear(world, 'PUT', 'sys/generate-root/attempt', {})).status).toBe(400)
  expect((await clear(world, 'GET', 'sys/generate-root/attempt')).body.otp).toBe('')
  const give = (key: string): ReturnType<typeof clear> =>
    clear(world, 'PUT', 'sys/generate-root/update', { key, nonce })
  await give('11'.repeat(33))
  expect((await give('22'.repeat(33))).body.errors[0]).toContain('root generation failed')
  expect((await give(world.keys[1]!)).body).toMatchObject({ progress: 1 })
  const done = await give(world.keys[2]!)
  expect(done.body).toMatchObject({ complete: true, progress: 2 })
  const hidden = Buffer.from(done.body.encoded_token, 'base64')
  const token = hidden.map((byte, at) => byte ^ otp.charCodeAt(at)).toString()
  const self = await world.ask('GET', 'auth/token/lookup-self', undefined, { token })
  expect(self.body.data).toMatchObject({ policies: ['root'], ttl: 0 })
  expect((await give(world.keys[1]!)).body.errors).toEqual(['no root generation in progress'])
  await clear(world, 'PUT', 'sys/generate-root/attempt', { otp })
  expect((await clear(world, 'DELETE', 'sys/generate-root/attempt')).status).toBe(204)
  await world.close()
})

test('a crash before the end of init leaves a store that can be initialised', async () => {
  const inner = memoryStore<Uint8Array>()
  let left = 4
  const failing: Store<Uint8Array> = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name === 'put' && left-- <= 0) return () => Promise.reject(new Error('the disk is full'))
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const parts = { clock: movableClock(), ids: systemIds, log: silentLog }
  const broken = await openSecretStore({ ...parts, store: failing })
  await expect(broken.init({ shares: 1, threshold: 1 })).rejects.toThrow('the disk is full')
  expect([broken.isInitialised, broken.isSealed]).toEqual([false, true])
  const again = await openSecretStore({ ...parts, store: inner })
  const made = await again.init({ shares: 1, threshold: 1 })
  expect(made.ok && (await again.unseal(made.value.keys[0]!))).toEqual({ ok: true, value: { isOpen: true } })
  await again.close()
})

test('the barrier gives back what was put, for every key of the ring, and tells when bytes are moved or changed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.string({ minLength: 1, unit: 'grapheme' }), fc.jsonValue()), { maxLength: 12 }),
      fc.nat(3),
      async (entries, rotations) => {
        const store = memoryStore<Uint8Array>()
        const barrier = new Barrier(store, systemIds)
        let ring = newKeyring(systemIds, 0)
        barrier.open(ring)
        const known = new Map<string, unknown>()
        for (const [at, [key, value]] of entries.entries()) {
          if (at % 3 === 2 && ring.keys.length <= rotations) barrier.open((ring = withNewKey(ring, systemIds, at)))
          await barrier.put(key, value)
          known.set(key, value)
        }
        for (const [key, value] of known) expect(JSON.stringify(barrier.get(key))).toBe(JSON.stringify(value))
        barrier.seal()
        expect(() => barrier.get('a')).toThrow(SealedError)
      },
    ),
    { numRuns: 50 },
  )
  const store = memoryStore<Uint8Array>()
  const barrier = new Barrier(store, systemIds)
  barrier.open(newKeyring(systemIds, 0))
  await barrier.put('a', 'secret')
  const bytes = store.get('a')!.value
  await store.put('b', () => bytes, 'any')
  await store.put('c', () => bytes.with(-1, (bytes.at(-1) ?? 0) ^ 1), 'any')
  expect(() => barrier.get('b')).toThrow('belong elsewhere')
  expect(() => barrier.get('c')).toThrow('damaged')
})
