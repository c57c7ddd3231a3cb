import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Seen, type StoreWorld, storeWorld } from '../secret-store.testkit.ts'

let world: StoreWorld

beforeAll(async () => {
  world = await storeWorld()
  await world.ask('POST', 'sys/mounts/kv', { type: 'kv', options: { version: 2 }, description: 'for teams' })
  await world.ask('PUT', 'sys/policies/acl/team', {
    policy: `
      path "kv/data/team/*" { capabilities = ["create", "read", "update"] }
      path "kv/metadata/team" { capabilities = ["list"] }
      path "kv/data/team/fixed" { capabilities = ["create", "read"] }
      path "sys/mounts" { capabilities = ["read"] }`,
  })
})
afterAll(() => world.close())

const failure = ({ status, body }: Seen): unknown => [status, body.errors[0]]

async function tokenOf(...policies: readonly string[]): Promise<string> {
  return (await world.ask('POST', 'auth/token/create', { policies })).body.auth.client_token
}

test('mounts are listed with what they are, in the body and beside it', async () => {
  const { body } = await world.ask('GET', 'sys/mounts')
  expect(Object.keys(body.data).toSorted()).toEqual(['cubbyhole/', 'identity/', 'kv/', 'sys/'])
  expect(body['kv/']).toEqual(body.data['kv/'])
  expect(body.data['kv/']).toMatchObject({
    type: 'kv',
    description: 'for teams',
    options: { version: '2' },
    accessor: expect.stringMatching(/^kv_[0-9a-f]{8}$/),
    uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
    local: false,
    seal_wrap: false,
    config: { default_lease_ttl: 0, max_lease_ttl: 0, force_no_cache: false },
  })
  expect(Object.keys((await world.ask('GET', 'sys/auth')).body.data)).toEqual(['token/'])
})

test.each([
  ['a type that is not there', 'x', { type: 'pki' }, 'plugin not found in the catalog: pki'],
  ['no type', 'x', {}, 'backend type must be specified'],
  ['a path that is taken', 'kv', { type: 'kv' }, 'path is already in use at kv/'],
  ['a path below one that is taken', 'kv/below', { type: 'kv' }, 'path is already in use at kv/'],
  ['a path of the system', 'sys', { type: 'kv' }, 'cannot mount "sys/"'],
  ['a path of login methods', 'auth', { type: 'kv' }, 'cannot mount "auth/"'],
  ['a version that is not there', 'x', { type: 'kv', options: { version: '3' } }, 'invalid version "3"'],
  [
    'times that do not go together',
    'x',
    { type: 'kv', config: { default_lease_ttl: '2h', max_lease_ttl: '1h' } },
    'must be less',
  ],
  ['odd characters', 'a%3Fb', { type: 'kv' }, 'invalid mount path'],
])('nothing is mounted with %s', async (_, path, body, message) => {
  const answer = await world.ask('POST', `sys/mounts/${path}`, body)
  expect(failure(answer)).toEqual([400, expect.stringContaining(message)])
})

test('a mount is tuned, moved and taken away with all that it kept', async () => {
  await world.ask('POST', 'sys/mounts/old', { type: 'kv' })
  await world.ask('POST', 'old/a', { b: 1 })
  expect(
    (await world.ask('POST', 'sys/mounts/old/tune', { default_lease_ttl: '1h', description: 'tuned' })).status,
  ).toBe(204)
  expect((await world.ask('GET', 'sys/mounts/old/tune')).body.data).toMatchObject({
    default_lease_ttl: 3_600,
    max_lease_ttl: 2_764_800,
    description: 'tuned',
  })
  expect((await world.ask('GET', 'old/a')).body.lease_duration).toBe(3_600)
  expect((await world.ask('POST', 'sys/remount', { from: 'old', to: 'new/place' })).status).toBe(200)
  expect((await world.ask('GET', 'new/place/a')).body.data).toEqual({ b: 1 })
  expect(failure(await world.ask('GET', 'old/a'))).toEqual([
    404,
    'no handler for route "old/a". route entry not found.',
  ])
  expect((await world.ask('DELETE', 'sys/mounts/new/place')).status).toBe(204)
  await world.ask('POST', 'sys/mounts/new/place', { type: 'kv' })
  expect((await world.ask('GET', 'new/place/a')).status).toBe(404)
  expect(failure(await world.ask('DELETE', 'sys/mounts/sys'))).toEqual([400, 'cannot unmount "sys/"'])
})

test('a policy is written, read, listed and deleted, in both places', async () => {
  const text = 'path "a" { policy = "read" }'
  expect((await world.ask('PUT', 'sys/policies/acl/Some', { policy: text })).status).toBe(204)
  expect((await world.ask('GET', 'sys/policies/acl/some')).body.data).toEqual({ name: 'some', policy: text })
  expect((await world.ask('GET', 'sys/policy/some')).body).toMatchObject({
    name: 'some',
    rules: text,
    data: { rules: text },
  })
  await world.ask('POST', 'sys/policy/coded', { policy: Buffer.from(text).toString('base64') })
  expect((await world.ask('GET', 'sys/policies/acl/coded')).body.data.policy).toBe(text)
  expect((await world.ask('LIST', 'sys/policies/acl')).body.data.keys).toEqual([
    'coded',
    'default',
    'some',
    'team',
    'root',
  ])
  expect((await world.ask('GET', 'sys/policy')).body.policies).toContain('some')
  expect((await world.ask('DELETE', 'sys/policies/acl/some')).status).toBe(204)
  expect((await world.ask('GET', 'sys/policies/acl/some')).status).toBe(404)
  expect(failure(await world.ask('DELETE', 'sys/policies/acl/default'))).toEqual([
    400,
    'cannot delete "default" policy',
  ])
  expect(failure(await world.ask('PUT', 'sys/policies/acl/root', { policy: text }))).toEqual([
    400,
    'cannot update "root" policy',
  ])
  expect(failure(await world.ask('PUT', 'sys/policies/acl/x', { policy: 'path' }))).toEqual([
    400,
    expect.stringContaining('cannot read the policy'),
  ])
  expect(failure(await world.ask('PUT', 'sys/policies/acl/x', {}))).toEqual([
    400,
    "'policy' parameter not supplied or empty",
  ])
})

test('what a policy grants works, and nothing else does; a changed policy counts at once', async () => {
  const token = await tokenOf('team')
  const as = async (method: string, path: string, body?: object): Promise<number> =>
    (await world.ask(method, path, body, { token })).status
  expect(await as('POST', 'kv/data/team/a', { data: {} })).toBe(200)
  expect(await as('GET', 'kv/data/team/a')).toBe(200)
  expect(await as('DELETE', 'kv/data/team/a')).toBe(403)
  expect(await as('GET', 'kv/data/other')).toBe(403)
  expect(await as('LIST', 'kv/metadata/team')).toBe(200)
  expect(await as('LIST', 'kv/metadata/team/')).toBe(200)
  expect(await as('GET', 'sys/mounts')).toBe(200)
  expect(await as('PUT', 'sys/rotate')).toBe(403)
  expect(await as('POST', 'kv/data/team/fixed', { data: {} })).toBe(200)
  // It is there now, so that to write it again would be an update.
  expect(await as('POST', 'kv/data/team/fixed', { data: {} })).toBe(403)
  const denied = await world.ask('GET', 'kv/data/other', undefined, { token })
  expect(denied.body.errors).toEqual(['1 error occurred:\n\t* permission denied\n\n'])
  await world.ask('PUT', 'sys/policies/acl/team', { policy: 'path "kv/data/other" { capabilities = ["read"] }' })
  expect([await as('GET', 'kv/data/team/a'), await as('GET', 'kv/data/other')]).toEqual([403, 404])
})

test('some paths need sudo as well', async () => {
  await world.ask('PUT', 'sys/policies/acl/half', { policy: 'path "sys/*" { capabilities = ["update", "read"] }' })
  await world.ask('PUT', 'sys/policies/acl/full', {
    policy: 'path "sys/*" { capabilities = ["update", "read", "sudo"] }',
  })
  const [half, full] = [await tokenOf('half'), await tokenOf('full')]
  expect((await world.ask('PUT', 'sys/rotate', undefined, { token: half })).status).toBe(403)
  expect((await world.ask('PUT', 'sys/rotate', undefined, { token: full })).status).toBe(204)
  expect((await world.ask('GET', 'sys/key-status', undefined, { token: half })).status).toBe(200)
})

test('capabilities are told of oneself, of a token and of an accessor', async () => {
  await world.ask('PUT', 'sys/policies/acl/caps', { policy: 'path "kv/data/x" { capabilities = ["read", "update"] }' })
  const made = (await world.ask('POST', 'auth/token/create', { policies: ['caps'] })).body.auth
  const self = await world.ask('POST', 'sys/capabilities-self', { path: 'kv/data/x' }, { token: made.client_token })
  expect(self.body).toMatchObject({ capabilities: ['read', 'update'], data: { 'kv/data/x': ['read', 'update'] } })
  const both = await world.ask('POST', 'sys/capabilities', {
    token: made.client_token,
    paths: ['kv/data/x', 'kv/data/y'],
  })
  expect(both.body.data).toEqual({ 'kv/data/x': ['read', 'update'], 'kv/data/y': ['deny'] })
  const by = await world.ask('POST', 'sys/capabilities-accessor', { accessor: made.accessor, paths: 'kv/data/y' })
  expect(by.body.data.capabilities).toEqual(['deny'])
  expect((await world.ask('POST', 'sys/capabilities-self', { path: 'any' })).body.data.capabilities).toEqual(['root'])
})

test('what a token may see of the mounts is told to user interfaces and to the command line', async () => {
  await world.ask('PUT', 'sys/policies/acl/see', { policy: 'path "kv/data/see" { capabilities = ["read"] }' })
  const token = await tokenOf('see')
  const all = await world.ask('GET', 'sys/internal/ui/mounts', undefined, { token })
  expect(Object.keys(all.body.data.secret).toSorted()).toEqual(['cubbyhole/', 'kv/', 'sys/'])
  const one = await world.ask('GET', 'sys/internal/ui/mounts/kv/see', undefined, { token })
  expect(one.body.data).toMatchObject({ path: 'kv/', type: 'kv', options: { version: '2' } })
  await world.ask('POST', 'sys/mounts/hidden', { type: 'kv' })
  expect((await world.ask('GET', 'sys/internal/ui/mounts/hidden/x', undefined, { token })).status).toBe(403)
  expect((await world.ask('GET', 'sys/internal/ui/mounts', undefined, { token: '' })).body.data).toEqual({
    auth: {},
    secret: {},
  })
})

test('an answer is wrapped, looked at without being opened, opened once and wrapped anew', async () => {
  await world.ask('POST', 'kv/data/w', { data: { a: 1 } })
  const wrap = async (): Promise<string> =>
    (await world.ask('GET', 'kv/data/w', undefined, { headers: { 'x-vault-wrap-ttl': '2m' } })).body.wrap_info.token
  const token = await wrap()
  const looked = await world.ask('POST', 'sys/wrapping/lookup', { token }, { token: '' })
  expect(looked.body.data).toMatchObject({ creation_path: 'kv/data/w', creation_ttl: 120 })
  const opened = await world.ask('POST', 'sys/wrapping/unwrap', { token })
  expect(opened.body.data.data).toEqual({ a: 1 })
  expect(failure(await world.ask('POST', 'sys/wrapping/unwrap', { token }))).toEqual([
    400,
    'wrapping token is not valid or does not exist',
  ])

  const anew = await world.ask('POST', 'sys/wrapping/rewrap', { token: await wrap() })
  expect(anew.body.wrap_info).toMatchObject({ ttl: 120, creation_path: 'kv/data/w' })
  const again = await world.ask('POST', 'sys/wrapping/unwrap', undefined, { token: anew.body.wrap_info.token })
  expect(again.body.data.data).toEqual({ a: 1 })

  const own = await world.ask('POST', 'sys/wrapping/wrap', { k: 'v' }, { headers: { 'x-vault-wrap-ttl': '10' } })
  await world.clock.advance(10_000)
  expect((await world.ask('POST', 'sys/wrapping/unwrap', { token: own.body.wrap_info.token })).status).toBe(400)
  expect((await world.ask('POST', 'sys/wrapping/wrap', { k: 'v' })).status).toBe(400)
})

test('a wrapping token is good for nothing else', async () => {
  const { token } = (await world.ask('GET', 'kv/data/w', undefined, { headers: { 'x-vault-wrap-ttl': '60' } })).body
    .wrap_info
  expect((await world.ask('GET', 'kv/data/w', undefined, { token })).status).toBe(403)
  const login = (await world.ask('POST', 'auth/token/create', {}, { headers: { 'x-vault-wrap-ttl': '60' } })).body
  expect(login).toMatchObject({ auth: null, wrap_info: { wrapped_accessor: expect.stringMatching(/^\w{24}$/) } })
})

test('two who open a wrapped answer at once: one of them gets it', async () => {
  const { token } = (await world.ask('GET', 'kv/data/w', undefined, { headers: { 'x-vault-wrap-ttl': '60' } })).body
    .wrap_info
  const both = await Promise.all([1, 2, 3, 4].map(() => world.ask('POST', 'sys/wrapping/unwrap', undefined, { token })))
  expect(both.filter(({ status }) => status === 200)).toHaveLength(1)
  const other = (await world.ask('GET', 'kv/data/w', undefined, { headers: { 'x-vault-wrap-ttl': '60' } })).body
    .wrap_info
  const named = await Promise.all([1, 2, 3].map(() => world.ask('POST', 'sys/wrapping/unwrap', { token: other.token })))
  expect(named.filter(({ status }) => status === 200)).toHaveLength(1)
})

test('a rate limit refuses whoever comes too often, and for how long it is told', async () => {
  await world.ask('POST', 'sys/mounts/slow', { type: 'kv' })
  expect((await world.ask('POST', 'sys/quotas/rate-limit/q', { path: 'slow/', rate: 3, interval: '10s' })).status).toBe(
    204,
  )
  const answers = []
  for (let turn = 0; turn < 4; turn++) answers.push(await world.ask('GET', 'slow/a'))
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 429])
  expect(answers[3]!.headers.get('retry-after')).toBe('10')
  expect((await world.ask('GET', 'kv/data/w')).status).toBe(200)
  await world.clock.advance(10_000)
  expect((await world.ask('GET', 'slow/a')).status).toBe(404)
  expect((await world.ask('GET', 'sys/quotas/rate-limit/q')).body.data).toMatchObject({
    rate: 3,
    interval: 10,
    path: 'slow/',
  })
  expect((await world.ask('LIST', 'sys/quotas/rate-limit')).body.data.keys).toEqual(['q'])
  await world.ask('DELETE', 'sys/quotas/rate-limit/q')
  expect(failure(await world.ask('POST', 'sys/quotas/rate-limit/bad', { rate: 0 }))).toEqual([
    400,
    expect.stringContaining('greater than 0'),
  ])
})

test('PUT is POST, a bearer token is a token, and everybody may ask what a path is', async () => {
  expect((await world.ask('PUT', 'kv/data/put', { data: {} })).status).toBe(200)
  const bearer = await world.ask('GET', 'kv/data/put', undefined, {
    token: '',
    headers: { authorization: `Bearer ${world.rootToken}` },
  })
  expect(bearer.status).toBe(200)
  expect((await world.ask('GET', 'kv/data/put?help=1')).status).toBe(200)
  expect((await world.ask('GET', 'sys/leader', undefined, { token: '' })).body).toMatchObject({ ha_enabled: false })
})
