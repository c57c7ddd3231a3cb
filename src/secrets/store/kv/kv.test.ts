import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StoreWorld, storeWorld } from '../secret-store.testkit.ts'

let world: StoreWorld

beforeAll(async () => {
  world = await storeWorld()
  await world.ask('POST', 'sys/mounts/kv1', { type: 'kv' })
  await world.ask('POST', 'sys/mounts/kv', { type: 'kv', options: { version: '2' } })
})
afterAll(() => world.close())

/** Asks and keeps what a case speaks of. */
const ask = async (...call: Parameters<StoreWorld['ask']>): Promise<unknown> => {
  const { status, body } = await world.ask(...call)
  return body === undefined ? { status } : { status, ...body }
}

const version = (number: number, more: object = {}): object =>
  expect.objectContaining({ version: number, destroyed: false, deletion_time: '', custom_metadata: null, ...more })

test('version 1 keeps the body of a write as it is, and says for how long it may be used', async () => {
  expect(await ask('PUT', 'kv1/a/b', { name: 'x', ttl: '1h', __proto__: null })).toEqual({ status: 204 })
  expect(await ask('GET', 'kv1/a/b')).toEqual({
    status: 200,
    request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    lease_id: '',
    renewable: false,
    lease_duration: 3_600,
    data: { name: 'x', ttl: '1h' },
    wrap_info: null,
    warnings: null,
    auth: null,
  })
  expect(await ask('LIST', 'kv1/a')).toMatchObject({ status: 200, data: { keys: ['b'] } })
  expect(await ask('GET', 'kv1/?list=true')).toMatchObject({ data: { keys: ['a/'] } })
  expect(await ask('DELETE', 'kv1/a/b')).toEqual({ status: 204 })
  expect(await ask('GET', 'kv1/a/b')).toEqual({ status: 404, errors: [] })
  expect(await ask('LIST', 'kv1/')).toEqual({ status: 404, errors: [] })
})

test.each([
  ['no fields', 'kv1/x', {}, 'missing data fields'],
  ['a path that ends in a slash', 'kv1/x/', { a: 1 }, "cannot write to a path ending in '/'"],
])('version 1 refuses %s', async (_, path, body, message) => {
  expect(await ask('POST', path, body)).toEqual({ status: 400, errors: [message] })
})

test('version 2 keeps versions, and answers the newest or the one that is asked for', async () => {
  expect(await ask('POST', 'kv/data/app/db', { data: { user: 'a', n: 1 } })).toMatchObject({
    status: 200,
    data: version(1),
  })
  expect(await ask('PUT', 'kv/data/app/db', { data: { user: 'b' } })).toMatchObject({ data: version(2) })
  expect(await ask('GET', 'kv/data/app/db')).toMatchObject({ data: { data: { user: 'b' }, metadata: version(2) } })
  expect(await ask('GET', 'kv/data/app/db?version=1')).toMatchObject({
    data: { data: { user: 'a', n: 1 }, metadata: version(1) },
  })
  expect(await ask('GET', 'kv/data/app/db?version=0')).toMatchObject({ data: { metadata: version(2) } })
  expect(await ask('GET', 'kv/data/app/db?version=3')).toEqual({ status: 404, errors: [] })
  expect(await ask('GET', 'kv/data/app/none')).toEqual({ status: 404, errors: [] })
})

test('a deleted version answers 404 with what is known of it, and comes back', async () => {
  await ask('POST', 'kv/data/del', { data: { a: 1 } })
  await ask('POST', 'kv/data/del', { data: { a: 2 } })
  expect(await ask('DELETE', 'kv/data/del')).toEqual({ status: 204 })
  expect(await ask('GET', 'kv/data/del')).toMatchObject({
    status: 404,
    data: { data: null, metadata: { version: 2, destroyed: false, deletion_time: expect.stringMatching(/^20.*Z$/) } },
  })
  expect(await ask('GET', 'kv/data/del?version=1')).toMatchObject({ status: 200 })
  expect(await ask('PUT', 'kv/undelete/del', { versions: [2] })).toEqual({ status: 204 })
  expect(await ask('GET', 'kv/data/del')).toMatchObject({ status: 200, data: { data: { a: 2 } } })
  expect(await ask('PUT', 'kv/delete/del', { versions: '1,2' })).toEqual({ status: 204 })
  expect(await ask('GET', 'kv/data/del?version=1')).toMatchObject({ status: 404, data: { data: null } })
})

test('a destroyed version never comes back', async () => {
  await ask('POST', 'kv/data/destroy', { data: { a: 1 } })
  expect(await ask('PUT', 'kv/destroy/destroy', { versions: [1, 7] })).toEqual({ status: 204 })
  await ask('PUT', 'kv/undelete/destroy', { versions: [1] })
  expect(await ask('GET', 'kv/data/destroy')).toMatchObject({
    status: 404,
    data: { data: null, metadata: { destroyed: true } },
  })
  expect(await ask('PUT', 'kv/destroy/destroy', {})).toEqual({ status: 400, errors: ['No version number provided'] })
})

test('check-and-set decides which of two writers was first', async () => {
  expect(await ask('POST', 'kv/data/cas', { options: { cas: 0 }, data: { a: 1 } })).toMatchObject({ status: 200 })
  const late = { status: 400, errors: ['check-and-set parameter did not match the current version'] }
  expect(await ask('POST', 'kv/data/cas', { options: { cas: 0 }, data: { a: 2 } })).toEqual(late)
  const both = [1, 2, 3, 4].map((a) => world.ask('POST', 'kv/data/cas', { options: { cas: 1 }, data: { a } }))
  expect((await Promise.all(both)).filter(({ status }) => status === 200)).toHaveLength(1)
})

test('a secret or a mount may insist on check-and-set', async () => {
  const missing = { status: 400, errors: ['check-and-set parameter required for this call'] }
  await ask('POST', 'kv/metadata/strict', { cas_required: true })
  expect(await ask('POST', 'kv/data/strict', { data: {} })).toEqual(missing)
  expect(await ask('POST', 'kv/data/strict', { data: {}, options: { cas: '0' } })).toMatchObject({ data: version(1) })
  await ask('POST', 'sys/mounts/strict', { type: 'kv-v2' })
  await ask('POST', 'strict/config', { cas_required: true, max_versions: 3, delete_version_after: '90m' })
  expect(await ask('GET', 'strict/config')).toMatchObject({
    data: { cas_required: true, max_versions: 3, delete_version_after: '1h30m0s' },
  })
  expect(await ask('POST', 'strict/data/a', { data: {} })).toEqual(missing)
  expect(await ask('POST', 'strict/metadata/a', { cas_required: false })).toMatchObject({
    warnings: [expect.stringContaining('mandated by backend config')],
  })
})

test('old versions go when there are more than are kept', async () => {
  await ask('POST', 'kv/metadata/few', { max_versions: 2 })
  for (const a of [1, 2, 3, 4]) await ask('POST', 'kv/data/few', { data: { a } })
  expect(await ask('GET', 'kv/metadata/few')).toMatchObject({
    data: { current_version: 4, oldest_version: 3, max_versions: 2, versions: { 3: {}, 4: {} } },
  })
  expect(await ask('GET', 'kv/data/few?version=2')).toEqual({ status: 404, errors: [] })
  for (let a = 0; a < 12; a++) await ask('POST', 'kv/data/many', { data: { a } })
  const many = await world.ask('GET', 'kv/metadata/many')
  expect(Object.keys(many.body.data.versions)).toHaveLength(10)
})

test('a version that has an end counts as deleted when the clock says so', async () => {
  await ask('POST', 'kv/metadata/short', { delete_version_after: 60 })
  await ask('POST', 'kv/data/short', { data: { a: 1 } })
  expect(await ask('GET', 'kv/data/short')).toMatchObject({
    status: 200,
    data: { metadata: { deletion_time: expect.stringMatching(/Z$/) } },
  })
  await world.clock.advance(61_000)
  expect(await ask('GET', 'kv/data/short')).toMatchObject({ status: 404, data: { data: null } })
})

test('a patch changes, adds and removes, and makes a version', async () => {
  expect(await ask('PATCH', 'kv/data/patch', { data: { a: 1 } })).toEqual({ status: 404, errors: [] })
  await ask('POST', 'kv/data/patch', { data: { a: 1, b: { c: 1, d: 2 }, e: 3 } })
  expect(await ask('PATCH', 'kv/data/patch', { data: { b: { c: null, x: 9 }, e: null } })).toMatchObject({
    data: version(2),
  })
  expect(await ask('GET', 'kv/data/patch')).toMatchObject({ data: { data: { a: 1, b: { d: 2, x: 9 } } } })
  expect(await ask('PATCH', 'kv/data/patch', { data: {}, options: { cas: 1 } })).toMatchObject({ status: 400 })
  const plain = await world.ask(
    'PATCH',
    'kv/data/patch',
    { data: {} },
    { headers: { 'content-type': 'application/json' } },
  )
  expect(plain.status).toBe(415)
  await ask('DELETE', 'kv/data/patch')
  expect(await ask('PATCH', 'kv/data/patch', { data: {} })).toMatchObject({ status: 404, data: { version: 2 } })
})

test('metadata is written, patched and shown', async () => {
  await ask('POST', 'kv/data/meta', { data: {} })
  const body = { custom_metadata: { owner: 'team-a', tier: 1 }, max_versions: 5, delete_version_after: '3h' }
  expect(await ask('POST', 'kv/metadata/meta', body)).toEqual({ status: 204 })
  expect(await ask('PATCH', 'kv/metadata/meta', { custom_metadata: { owner: null, more: 'x' } })).toEqual({
    status: 204,
  })
  expect(await ask('GET', 'kv/metadata/meta')).toMatchObject({
    status: 200,
    data: {
      cas_required: false,
      created_time: expect.stringMatching(/Z$/),
      current_version: 1,
      custom_metadata: { tier: '1', more: 'x' },
      delete_version_after: '3h0m0s',
      max_versions: 5,
      oldest_version: 0,
      updated_time: expect.stringMatching(/Z$/),
      versions: { 1: { created_time: expect.stringMatching(/Z$/), deletion_time: '', destroyed: false } },
    },
  })
  expect(await ask('GET', 'kv/data/meta')).toMatchObject({ data: { metadata: { custom_metadata: { more: 'x' } } } })
  expect(await ask('DELETE', 'kv/metadata/meta')).toEqual({ status: 204 })
  expect(await ask('GET', 'kv/metadata/meta')).toEqual({ status: 404, errors: [] })
  expect(await ask('PATCH', 'kv/metadata/meta', { max_versions: 1 })).toEqual({ status: 404, errors: [] })
})

test.each([
  ['a key that is too long', { ['k'.repeat(129)]: 'v' }, 'length of key'],
  ['a value that is too long', { k: 'v'.repeat(513) }, 'length of value'],
  ['too many keys', Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`k${at}`, 'v'])), 'at most 64 keys'],
  ['characters that cannot be printed', { k: 'a\u0000b' }, 'unprintable'],
  ['values that are objects', { k: {} }, 'custom_metadata'],
])('custom metadata with %s is refused', async (_, custom, message) => {
  const answer = await world.ask('POST', 'kv/metadata/custom', { custom_metadata: custom })
  expect([answer.status, answer.body.errors[0]]).toEqual([400, expect.stringContaining(message)])
})

test('subkeys are the names without the values', async () => {
  await ask('POST', 'kv/data/sub', { data: { a: { b: { c: 1 } }, d: [], e: {} } })
  expect(await ask('GET', 'kv/subkeys/sub')).toMatchObject({
    data: { subkeys: { a: { b: { c: null } }, d: null, e: null } },
  })
  expect(await ask('GET', 'kv/subkeys/sub?depth=1')).toMatchObject({ data: { subkeys: { a: null, d: null, e: null } } })
})

test('folders and secrets of one name stand beside each other in lists', async () => {
  for (const path of ['tree/a', 'tree/a/b', 'tree/a/c/d', 'tree/z']) await ask('POST', `kv/data/${path}`, { data: {} })
  expect(await ask('LIST', 'kv/metadata/tree')).toMatchObject({ data: { keys: ['a', 'a/', 'z'] } })
  expect(await ask('GET', 'kv/metadata/tree/a/?list=true')).toMatchObject({ data: { keys: ['b', 'c/'] } })
  expect(await ask('LIST', 'kv/metadata/nothing')).toEqual({ status: 404, errors: [] })
})

test('a large folder is listed without reading what is below its folders', async () => {
  await Promise.all(
    Array.from({ length: 700 }, (_, at) => world.ask('POST', `kv/data/big/${at % 3}/${at}`, { data: {} })),
  )
  expect(await ask('LIST', 'kv/metadata/big')).toMatchObject({ data: { keys: ['0/', '1/', '2/'] } })
  expect((await world.ask('LIST', 'kv/metadata/big/1')).body.data.keys).toHaveLength(233)
})

test.each([
  ['GET', 'kv/app/db', 404, 'Invalid path for a versioned'],
  ['POST', 'kv/data', 404, 'Non-listing operations on the root'],
  ['LIST', 'kv/data/app', 404, 'Invalid path'],
])('%s %s says which paths there are', async (method, path, status, warning) => {
  const answer = await world.ask(method, path, method === 'POST' ? { data: {} } : undefined)
  expect([answer.status, answer.body.warnings[0]]).toEqual([status, expect.stringContaining(warning)])
})

test.each([
  ['no data', {}, 'no data provided'],
  ['data that is no object', { data: [1] }, 'expected an object'],
  ['a check-and-set that is no number', { data: {}, options: { cas: 'x' } }, 'error parsing check-and-set'],
])('a write with %s is refused', async (_, body, message) => {
  const answer = await world.ask('POST', 'kv/data/bad', body)
  expect([answer.status, answer.body.errors[0]]).toEqual([400, expect.stringContaining(message)])
})

test('names that objects have are names of secrets and of their keys', async () => {
  const data = JSON.parse('{"__proto__": "a", "constructor": "b", "toString": {"__proto__": 1}}')
  await ask('POST', 'kv/data/__proto__', { data })
  const answer = await world.ask('GET', 'kv/data/__proto__')
  expect(JSON.stringify(answer.body.data.data)).toBe(JSON.stringify(data))
  await ask('PUT', 'kv1/constructor', '{"__proto__": "x"}')
  expect(JSON.stringify((await world.ask('GET', 'kv1/constructor')).body.data)).toBe('{"__proto__":"x"}')
})

test('who listens hears which secret changed, and no value', async () => {
  const heard: unknown[] = []
  const end = world.store.changes.subscribe((change) => heard.push(change))
  await ask('POST', 'kv/data/team/db', { data: { password: 'hidden' } })
  await ask('PUT', 'kv1/x', { password: 'hidden' })
  await ask('DELETE', 'kv/metadata/team/db')
  await ask('GET', 'kv1/x')
  end()
  expect(heard).toEqual([
    { what: 'changed', mount: 'kv/', path: 'team/db' },
    { what: 'changed', mount: 'kv1/', path: 'x' },
    { what: 'changed', mount: 'kv/', path: 'team/db' },
  ])
})
