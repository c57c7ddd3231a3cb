import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StoreWorld, storeWorld } from '../secret-store.testkit.ts'

let world: StoreWorld

beforeAll(async () => {
  world = await storeWorld()
  const policies = {
    writer: 'path "kv/*" { capabilities = ["create", "read", "update", "delete", "list"] }',
    reader: 'path "kv/*" { capabilities = ["read"] }',
    maker: 'path "auth/token/create*" { capabilities = ["update"] }',
    boss: 'path "auth/token/*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }',
  }
  for (const [name, policy] of Object.entries(policies)) await world.ask('PUT', `sys/policies/acl/${name}`, { policy })
  await world.ask('POST', 'sys/mounts/kv', { type: 'kv' })
  await world.ask('POST', 'kv/a', { b: 1 })
})
afterAll(() => world.close())

const create = async (body: object, token?: string, path = 'auth/token/create'): ReturnType<StoreWorld['ask']> =>
  world.ask('POST', path, body, token === undefined ? {} : { token })

/** A new token with some policies. */
async function tokenOf(body: object): Promise<string> {
  const made = await create(body)
  return made.body.auth.client_token
}

const use = async (token: string): Promise<number> => (await world.ask('GET', 'kv/a', undefined, { token })).status

test('a token is made with what was asked for, and says so', async () => {
  const made = await create({
    policies: ['Reader', 'reader', 'nobody'],
    ttl: '2h',
    meta: { team: 'a' },
    display_name: 'ci job!',
    num_uses: 3,
    explicit_max_ttl: '3h',
  })
  expect(made.body).toMatchObject({
    data: null,
    warnings: ['Policy "nobody" does not exist'],
    auth: {
      client_token: expect.stringMatching(/^hvs\.[A-Za-z0-9]{28}$/),
      accessor: expect.stringMatching(/^[A-Za-z0-9]{24}$/),
      policies: ['default', 'nobody', 'reader'],
      token_policies: ['default', 'nobody', 'reader'],
      metadata: { team: 'a' },
      lease_duration: 7_200,
      renewable: true,
      entity_id: '',
      token_type: 'service',
      orphan: false,
      num_uses: 3,
    },
  })
  const { client_token: token, accessor } = made.body.auth
  const seen = await world.ask('POST', 'auth/token/lookup', { token })
  expect(seen.body.data).toEqual({
    accessor,
    creation_time: 1_767_225_600,
    creation_ttl: 7_200,
    display_name: 'token-ci-job',
    entity_id: '',
    expire_time: '2026-01-01T02:00:00Z',
    explicit_max_ttl: 10_800,
    id: token,
    issue_time: '2026-01-01T00:00:00Z',
    meta: { team: 'a' },
    num_uses: 3,
    orphan: false,
    path: 'auth/token/create',
    policies: ['default', 'nobody', 'reader'],
    renewable: true,
    ttl: 7_200,
    type: 'service',
  })
  const byAccessor = await world.ask('POST', 'auth/token/lookup-accessor', { accessor })
  expect(byAccessor.body.data).toMatchObject({ accessor, id: '', display_name: 'token-ci-job' })
})

test('the first root token never ends', async () => {
  const { body } = await world.ask('GET', 'auth/token/lookup-self')
  expect(body.data).toMatchObject({
    policies: ['root'],
    ttl: 0,
    expire_time: null,
    orphan: true,
    path: 'auth/token/root',
  })
  expect(body.data.id).toBe(world.rootToken)
  expect((await world.ask('POST', 'auth/token/renew-self', {})).status).toBe(400)
})

test.each([
  ['more than its parent has', 'maker', { policies: ['writer'] }, 'child policies must be subset of parent'],
  ['an id', 'maker', { id: 'mine' }, 'privileges required to specify token id'],
  ['no parent', 'maker', { no_parent: true }, 'privileges required to create orphan token'],
  ['a period', 'maker', { period: '1h' }, 'privileges required to create periodic token'],
  ['the root policy', 'boss', { policies: ['root'] }, 'root tokens may not be created without parent token being root'],
  ['a negative number of uses', 'boss', { num_uses: -1 }, 'cannot be negative'],
  ['a negative time', 'boss', { ttl: -1 }, 'ttl'],
  ['a time that is none', 'boss', { ttl: 'soon' }, 'ttl'],
  ['another type', 'boss', { type: 'batch' }, 'service tokens only'],
  ['an id that looks like one of ours', 'boss', { id: 's.mine' }, "'s.' prefix"],
])('nobody gets a token with %s who may not', async (_, policy, body, message) => {
  const token = await tokenOf({ policies: [policy] })
  const answer = await create(body, token)
  expect([answer.status, answer.body.errors[0]]).toEqual([400, expect.stringContaining(message)])
})

test('with sudo, a token may be another one than its parent', async () => {
  const boss = await tokenOf({ policies: ['boss'] })
  const made = await create({ id: 'my-token', policies: ['writer'], no_parent: true, no_default_policy: true }, boss)
  expect(made.body.auth).toMatchObject({ client_token: 'my-token', policies: ['writer'], orphan: true })
  expect((await create({ id: 'my-token' }, boss)).body.errors).toEqual(['cannot create a token with a duplicate ID'])
  expect((await create({}, boss, 'auth/token/create-orphan')).body.auth.orphan).toBe(true)
})

test('who is revoked takes along what it made, but not orphans', async () => {
  const parent = await tokenOf({ policies: ['maker', 'reader'] })
  const child = (await create({ policies: ['reader', 'maker'] }, parent)).body.auth.client_token
  const grandchild = (await create({ policies: ['reader'] }, child)).body.auth.client_token
  const orphan = (await create({ policies: ['reader'] }, parent, 'auth/token/create-orphan')).body.auth.client_token
  expect(await Promise.all([parent, child, grandchild, orphan].map(use))).toEqual([200, 200, 200, 200])
  expect((await world.ask('POST', 'auth/token/revoke', { token: parent })).status).toBe(204)
  expect(await Promise.all([parent, child, grandchild, orphan].map(use))).toEqual([403, 403, 403, 200])
})

test('revoke-orphan spares the children, which have no parent any more', async () => {
  const parent = await tokenOf({ policies: ['maker', 'reader'] })
  const child = (await create({ policies: ['reader'] }, parent)).body.auth
  expect((await world.ask('POST', 'auth/token/revoke-orphan', { token: parent })).status).toBe(204)
  expect([await use(parent), await use(child.client_token)]).toEqual([403, 200])
  const seen = await world.ask('POST', 'auth/token/lookup-accessor', { accessor: child.accessor })
  expect(seen.body.data.orphan).toBe(true)
})

test('a token is revoked by its accessor and by itself', async () => {
  const made = (await create({ policies: ['reader'] })).body.auth
  expect((await world.ask('POST', 'auth/token/revoke-accessor', { accessor: made.accessor })).status).toBe(204)
  expect(await use(made.client_token)).toBe(403)
  const own = await tokenOf({ policies: ['reader'] })
  expect((await world.ask('POST', 'auth/token/revoke-self', undefined, { token: own })).status).toBe(204)
  expect(await use(own)).toBe(403)
  expect(await world.ask('POST', 'auth/token/lookup-accessor', { accessor: 'none' })).toMatchObject({ status: 403 })
  expect(await world.ask('POST', 'auth/token/lookup', { token: 'none' })).toMatchObject({
    status: 403,
    body: { errors: ['bad token'] },
  })
})

test('a token ends with the clock, and with it what it kept for itself', async () => {
  const token = await tokenOf({ policies: ['reader'], ttl: 60 })
  await world.ask('PUT', 'cubbyhole/mine', { a: 1 }, { token })
  expect((await world.ask('GET', 'cubbyhole/mine', undefined, { token })).body.data).toEqual({ a: 1 })
  expect((await world.ask('GET', 'cubbyhole/mine')).status).toBe(404)
  await world.clock.advance(59_000)
  expect(await use(token)).toBe(200)
  await world.clock.advance(1_000)
  expect(await use(token)).toBe(403)
})

test('a renewed token lives longer, but not longer than its maximum', async () => {
  const token = await tokenOf({ policies: ['reader'], ttl: 60, explicit_max_ttl: 100 })
  await world.clock.advance(50_000)
  const renewed = await world.ask('POST', 'auth/token/renew-self', { increment: '40s' }, { token })
  expect(renewed.body.auth).toMatchObject({ client_token: token, lease_duration: 40, renewable: true })
  const last = await world.ask('POST', 'auth/token/renew', { token, increment: 3_600 })
  expect(last.body).toMatchObject({ auth: { lease_duration: 50 }, warnings: [expect.stringContaining('capped')] })
  await world.clock.advance(50_000)
  expect(await use(token)).toBe(403)
})

test('a periodic token lives as long as it is renewed', async () => {
  const token = await tokenOf({ policies: ['reader'], period: '60s' })
  for (let turn = 0; turn < 5; turn++) {
    await world.clock.advance(50_000)
    const renewed = await world.ask('POST', 'auth/token/renew-self', {}, { token })
    expect(renewed.body.auth.lease_duration).toBe(60)
  }
  const seen = await world.ask('GET', 'auth/token/lookup-self', undefined, { token })
  expect(seen.body.data).toMatchObject({ period: 60, last_renewal: expect.stringMatching(/Z$/) })
})

test('a token that cannot be renewed is not', async () => {
  const token = await tokenOf({ renewable: false, ttl: 60 })
  const renewed = await world.ask('POST', 'auth/token/renew-self', {}, { token })
  expect(renewed).toMatchObject({ status: 400, body: { errors: ['lease is not renewable'] } })
})

test('a token with a number of uses can be used so often, whoever comes first', async () => {
  const token = await tokenOf({ policies: ['reader'], num_uses: 2 })
  const answers = await Promise.all(Array.from({ length: 6 }, () => use(token)))
  expect(answers.filter((status) => status === 200)).toHaveLength(2)
  expect(await use(token)).toBe(403)
  const restricted = await tokenOf({ policies: ['maker'], num_uses: 2 })
  expect((await create({}, restricted)).body.errors).toEqual(['restricted use token cannot generate child tokens'])
})

test('a role says how tokens are that are made with it', async () => {
  await world.ask('POST', 'auth/token/roles/ci', {
    allowed_policies: 'reader,writer',
    allowed_policies_glob: ['team-*'],
    orphan: true,
    renewable: false,
    token_explicit_max_ttl: '10m',
    path_suffix: 'v1',
    token_num_uses: 7,
    token_no_default_policy: true,
  })
  const maker = await tokenOf({ policies: ['maker'] })
  const made = await create({ policies: ['reader', 'team-x'], ttl: '1h' }, maker, 'auth/token/create/ci')
  expect(made.body.auth).toMatchObject({
    policies: ['reader', 'team-x'],
    orphan: true,
    renewable: false,
    lease_duration: 600,
    num_uses: 7,
  })
  const other = await create({ policies: ['boss'] }, maker, 'auth/token/create/ci')
  expect(other.body.errors[0]).toContain("must be subset of the role's allowed policies")
  expect((await create({}, maker, 'auth/token/create/none')).body.errors).toEqual(['unknown role none'])
  const role = await world.ask('GET', 'auth/token/roles/ci')
  expect(role.body.data).toMatchObject({
    name: 'ci',
    path_suffix: 'v1',
    explicit_max_ttl: 600,
    allowed_policies: ['reader', 'writer'],
  })
  expect((await world.ask('LIST', 'auth/token/roles')).body.data.keys).toEqual(['ci'])
  await world.ask('POST', 'auth/token/roles/no', { disallowed_policies: 'default,writer' })
  expect((await create({ policies: ['reader'] }, undefined, 'auth/token/create/no')).body.auth.policies).toEqual([
    'reader',
  ])
  expect((await create({ policies: ['writer'] }, undefined, 'auth/token/create/no')).body.errors[0]).toContain(
    'is disallowed',
  )
  expect((await world.ask('DELETE', 'auth/token/roles/ci')).status).toBe(204)
})

test('tokens survive that the store is sealed, and those that ended meanwhile do not', async () => {
  const long = await tokenOf({ policies: ['reader'], ttl: '1h' })
  const short = await tokenOf({ policies: ['reader'], ttl: '1m' })
  await world.store.seal()
  await world.clock.advance(120_000)
  for (const key of world.keys.slice(0, 2)) await world.store.unseal(Buffer.from(key, 'hex'))
  expect([await use(long), await use(short)]).toEqual([200, 403])
})

test('leases of tokens are looked up, listed and revoked', async () => {
  const token = await tokenOf({ policies: ['reader'], ttl: '1h' })
  const names = (await world.ask('LIST', 'sys/leases/lookup/auth/token/create')).body.data.keys
  expect(names.every((name: string) => /^h[0-9a-f]{64}$|\/$/.test(name))).toBe(true)
  const found = await Promise.all(
    names
      .filter((name: string) => name.startsWith('h'))
      .map((name: string) => world.ask('PUT', 'sys/leases/lookup', { lease_id: `auth/token/create/${name}` })),
  )
  expect(found.every(({ status }) => status === 200)).toBe(true)
  expect((await world.ask('PUT', 'sys/leases/renew', { lease_id: found[0]!.body.data.id })).status).toBe(400)
  expect((await world.ask('PUT', 'sys/leases/revoke-prefix/auth/token/create')).status).toBe(204)
  expect(await use(token)).toBe(403)
  expect((await world.ask('PUT', 'sys/leases/lookup', { lease_id: 'auth/token/create/hx' })).body.errors).toEqual([
    'invalid lease',
  ])
})

test('a token is bound to the networks of its role', async () => {
  await world.ask('POST', 'auth/token/roles/far', { token_bound_cidrs: ['10.0.0.0/8'] })
  const made = await create({ policies: ['reader'] }, undefined, 'auth/token/create/far')
  expect(await use(made.body.auth.client_token)).toBe(403)
  await world.ask('POST', 'auth/token/roles/near', { token_bound_cidrs: '127.0.0.0/8' })
  const near = await create({ policies: ['reader'] }, undefined, 'auth/token/create/near')
  expect(await use(near.body.auth.client_token)).toBe(200)
})

test('whoever runs the process asks in the name of somebody, with a token that is nowhere afterwards', async () => {
  const before = (await world.ask('LIST', 'auth/token/accessors')).body.data.keys
  const request = {
    method: 'GET',
    url: '/v1/auth/token/lookup-self',
    headers: {},
    body: new Uint8Array(0),
    remoteAddress: '',
  }
  const seen = await world.store.handleAs('cluster-admin', request)
  const data = seen.body?.['data'] as { readonly id: string }
  expect(data).toMatchObject({ display_name: 'cluster-admin', policies: ['root'], ttl: 60 })
  expect(await use(data.id)).toBe(403)
  expect((await world.ask('LIST', 'auth/token/accessors')).body.data.keys).toEqual(before)
})
