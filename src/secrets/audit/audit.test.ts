import { createHmac } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { slowStore, type StoreWorld, storeWorld } from '../store/secret-store.testkit.ts'
import { openSink } from './audit-sink.ts'

const folder = mkdtempSync(join(tmpdir(), 'idp-audit-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// oxlint-disable-next-line typescript/no-explicit-any
type Line = any

const lines = (name: string): readonly Line[] =>
  readFileSync(join(folder, name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

const enable = (world: StoreWorld, name: string): ReturnType<StoreWorld['ask']> =>
  world.ask('PUT', `sys/audit/${name}`, { type: 'file', options: { file_path: `${name}.log` } })

test('every request and every answer is a line, and no value is in it as it was', async () => {
  const world = await storeWorld({ auditFolder: folder })
  await world.ask('POST', 'sys/mounts/kv', { type: 'kv-v2' })
  expect((await enable(world, 'one')).status).toBe(204)
  await world.ask('POST', 'kv/data/app/db', { data: { password: 'correct-horse', pin: 4711, on: true } })
  await world.ask('GET', 'kv/data/app/db')
  const made = (await world.ask('POST', 'auth/token/create', { meta: { who: 'me' }, policies: ['default'] })).body.auth
  await world.ask('GET', 'kv/data/app/db', undefined, { token: made.client_token })
  await world.ask('GET', 'kv/data/app/db', undefined, { token: 'hvs.wrong-token' })

  const text = readFileSync(join(folder, 'one.log'), 'utf8')
  for (const secret of ['correct-horse', '4711', world.rootToken, made.client_token, 'wrong-token', ...world.keys]) {
    expect(text).not.toContain(secret)
  }
  const all = lines('one.log')
  const hash = (await world.ask('POST', 'sys/audit-hash/one', { input: 'correct-horse' })).body.data.hash
  expect(hash).toMatch(/^hmac-sha256:[0-9a-f]{64}$/)
  expect(hash).not.toContain(createHmac('sha256', '').update('correct-horse').digest('hex'))
  const write = all.filter(({ request }) => request.path === 'kv/data/app/db' && request.operation === 'create')
  expect(write.map(({ type }) => type)).toEqual(['request', 'response'])
  expect(write[0]).toMatchObject({
    time: expect.stringMatching(/Z$/),
    auth: { policies: ['root'], display_name: 'root', token_type: 'service' },
    request: {
      mount_type: 'kv',
      remote_address: '127.0.0.1',
      namespace: { id: 'root' },
      data: { data: { password: hash, on: true } },
    },
  })
  const read = all.find(({ type, request }) => type === 'response' && request.operation === 'read')
  expect(read.response.data.data.password).toBe(hash)
  const refused = all.filter(({ error }) => error !== undefined)
  expect(refused.map(({ error }) => error)).toEqual([expect.stringContaining('permission denied'), 'permission denied'])
  expect(statSync(join(folder, 'one.log')).mode & 0o777).toBe(0o600)
  await world.close()
})

test('devices are listed, kept over a seal and taken away', async () => {
  const world = await storeWorld({ auditFolder: folder })
  await enable(world, 'two')
  expect((await enable(world, 'two')).body.errors).toEqual(['path already in use'])
  expect((await world.ask('GET', 'sys/audit')).body).toMatchObject({
    'two/': { type: 'file', options: { file_path: 'two.log' }, path: 'two/' },
  })
  await world.store.seal()
  for (const key of world.keys) await world.store.unseal(Buffer.from(key, 'hex'))
  const before = lines('two.log').length
  await world.ask('GET', 'sys/mounts')
  expect(lines('two.log')).toHaveLength(before + 2)
  expect((await world.ask('DELETE', 'sys/audit/two')).status).toBe(204)
  const after = lines('two.log').length
  await world.ask('GET', 'sys/mounts')
  expect(lines('two.log')).toHaveLength(after)
  await world.close()
})

test('devices that are enabled at once are all kept', async () => {
  const world = await storeWorld({ auditFolder: folder, store: slowStore() })
  await Promise.all(['x1', 'x2', 'x3'].map((name) => enable(world, name)))
  await world.store.seal()
  for (const key of world.keys) await world.store.unseal(Buffer.from(key, 'hex'))
  expect(Object.keys((await world.ask('GET', 'sys/audit')).body.data)).toEqual(['x1/', 'x2/', 'x3/'])
  await world.close()
})

test.each([
  ['a file elsewhere', { type: 'file', options: { file_path: '/etc/passwd' } }, 'has to lie in the folder'],
  ['a way up', { type: 'file', options: { file_path: '../x' } }, 'has to lie in the folder'],
  ['no file', { type: 'file', options: {} }, 'file_path is required'],
  ['another type', { type: 'socket', options: { address: 'x' } }, 'unknown backend type'],
  ['a link', { type: 'file', options: { file_path: 'link' } }, 'unable to open'],
])('a device with %s is refused', async (_, body, message) => {
  const world = await storeWorld({ auditFolder: folder })
  rmSync(join(folder, 'link'), { force: true })
  symlinkSync('/etc/hostname', join(folder, 'link'))
  const answer = await world.ask('PUT', 'sys/audit/x', body)
  expect([answer.status, answer.body.errors[0]]).toEqual([400, expect.stringContaining(message)])
  await world.close()
})

test('what cannot be audited is not done', async () => {
  const world = await storeWorld({ auditFolder: folder })
  await world.ask('POST', 'sys/mounts/kv', { type: 'kv' })
  await enable(world, 'gone')
  await world.store.seal()
  // The file cannot be opened any more when the store opens again.
  rmSync(join(folder, 'gone.log'))
  symlinkSync('/nowhere', join(folder, 'gone.log'))
  for (const key of world.keys) await world.store.unseal(Buffer.from(key, 'hex'))
  expect((await world.ask('POST', 'kv/a', { b: 1 })).status).toBe(500)
  await world.store.seal()
  rmSync(join(folder, 'gone.log'))
  for (const key of world.keys) await world.store.unseal(Buffer.from(key, 'hex'))
  expect((await world.ask('GET', 'kv/a')).status).toBe(404)
  await world.close()
})

test('lines that are written at once are whole, and in the file when they are acknowledged', async () => {
  const sink = await openSink(
    { path: 'x/', type: 'file', description: '', local: false, options: { file_path: 'many.log' } },
    folder,
  )
  if (!sink.ok) throw new Error(sink.error[0]?.message)
  await Promise.all(Array.from({ length: 500 }, (_, at) => sink.value.write(`{"at":${at}}\n`)))
  expect(lines('many.log').map(({ at }) => at)).toEqual(Array.from({ length: 500 }, (_, at) => at))
  await sink.value.close()
  await expect(sink.value.write('x')).rejects.toThrow('cannot write the audit log')
  chmodSync(folder, 0o700)
})
