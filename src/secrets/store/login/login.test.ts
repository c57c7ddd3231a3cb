import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Seen, type StoreWorld, storeWorld } from '../secret-store.testkit.ts'
import type { TokenReviewer } from './kubernetes.ts'

/** A cluster that knows tokens of the form `namespace/name`, some of them for an audience. */
const review: TokenReviewer = (jwt, audiences) => {
  const [, namespace, name, audience] = /^([a-z-]+)\/([a-z-]+)(?:@(.+))?$/.exec(jwt) ?? []
  if (namespace === undefined || name === undefined) return Promise.resolve(undefined)
  const username = namespace === 'people' ? name : `system:serviceaccount:${namespace}:${name}`
  return Promise.resolve({
    username,
    uid: `uid-of-${name}`,
    audiences: audience === undefined ? [] : audiences.filter((one) => one === audience),
  })
}

let world: StoreWorld

beforeAll(async () => {
  world = await storeWorld({ reviewToken: review })
  for (const type of ['kubernetes', 'approle', 'userpass']) await world.ask('POST', `sys/auth/${type}`, { type })
  await world.ask('PUT', 'sys/policies/acl/shop', { policy: 'path "kv/shop" { capabilities = ["read"] }' })
  await world.ask('POST', 'sys/mounts/kv', { type: 'kv' })
  await world.ask('POST', 'kv/shop', { a: 1 })
})
afterAll(() => world.close())

const login = (path: string, body: object): Promise<Seen> => world.ask('POST', `auth/${path}`, body, { token: '' })

const failure = ({ status, body }: Seen): unknown => [status, body.errors[0]]

test('a ServiceAccount logs in and gets what its role says', async () => {
  expect(await login('kubernetes/login', { role: 'web', jwt: 'shop/web' })).toMatchObject({ status: 400 })
  const set = await world.ask('POST', 'auth/kubernetes/config', { kubernetes_host: 'https://kubernetes.default.svc' })
  expect(set.status).toBe(204)
  const elsewhere = await world.ask('POST', 'auth/kubernetes/config', { kubernetes_host: 'https://10.0.0.1:6443' })
  expect(elsewhere.body.warnings[0]).toContain('the cluster that this store runs in')
  await world.ask('POST', 'auth/kubernetes/role/Web', {
    bound_service_account_names: 'web,api-*',
    bound_service_account_namespaces: ['shop', 'team-*'],
    token_policies: 'shop',
    ttl: '20m',
    token_max_ttl: '1h',
  })
  const made = await login('kubernetes/login', { role: 'web', jwt: 'shop/web' })
  expect(made).toMatchObject({
    status: 200,
    body: {
      auth: {
        policies: ['default', 'shop'],
        lease_duration: 1_200,
        renewable: true,
        orphan: true,
        entity_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        metadata: {
          role: 'web',
          service_account_name: 'web',
          service_account_namespace: 'shop',
          service_account_secret_name: '',
          service_account_uid: 'uid-of-web',
        },
      },
    },
  })
  const token = made.body.auth.client_token
  expect((await world.ask('GET', 'kv/shop', undefined, { token })).status).toBe(200)
  const self = await world.ask('GET', 'auth/token/lookup-self', undefined, { token })
  expect(self.body.data).toMatchObject({ display_name: 'kubernetes-shop-web', path: 'auth/kubernetes/login' })
  const again = await login('kubernetes/login', { role: 'web', jwt: 'shop/web' })
  expect(again.body.auth.entity_id).toBe(made.body.auth.entity_id)
  expect((await login('kubernetes/login', { role: 'web', jwt: 'team-a/api-x' })).status).toBe(200)
})

test.each([
  ['an unknown role', { role: 'none', jwt: 'shop/web' }, [400, 'invalid role name "none"']],
  ['no role', { jwt: 'shop/web' }, [400, 'missing role']],
  ['no token', { role: 'web' }, [400, 'missing jwt']],
  ["a token that is nobody's", { role: 'web', jwt: 'x' }, [403, 'permission denied']],
  ['a token of a person', { role: 'web', jwt: 'people/web' }, [403, 'permission denied']],
  ['a token that is far too long', { role: 'web', jwt: 'x'.repeat(100_000) }, [403, 'permission denied']],
  ['another namespace', { role: 'web', jwt: 'other/web' }, [403, 'namespace not authorized']],
  ['another name', { role: 'web', jwt: 'shop/db' }, [403, 'service account name not authorized']],
])('a ServiceAccount does not log in with %s', async (_, body, want) => {
  expect(failure(await login('kubernetes/login', body))).toEqual(want)
})

test('a role for an audience takes tokens for that audience', async () => {
  await world.ask('POST', 'auth/kubernetes/role/aud', {
    bound_service_account_names: '*',
    bound_service_account_namespaces: '*',
    audience: 'vault',
  })
  expect((await login('kubernetes/login', { role: 'aud', jwt: 'shop/web' })).status).toBe(403)
  expect((await login('kubernetes/login', { role: 'aud', jwt: 'shop/web@other' })).status).toBe(403)
  expect((await login('kubernetes/login', { role: 'aud', jwt: 'shop/web@vault' })).status).toBe(200)
})

test('roles of Kubernetes are checked, shown, listed and deleted', async () => {
  const role = { bound_service_account_names: ['a'], bound_service_account_namespaces: ['b'], token_ttl: 60 }
  await world.ask('POST', 'auth/kubernetes/role/shown', role)
  expect((await world.ask('GET', 'auth/kubernetes/role/shown')).body.data).toMatchObject({
    ...role,
    alias_name_source: 'serviceaccount_uid',
    token_policies: [],
    ttl: 60,
    token_type: 'default',
  })
  const wrong: readonly (readonly [object, string])[] = [
    [{}, '"bound_service_account_names" can not be empty'],
    [{ bound_service_account_names: 'a' }, '"bound_service_account_namespaces" can not be empty'],
    [{ ...role, bound_service_account_names: 'a,*' }, 'can not mix "*" with values'],
    [{ ...role, alias_name_source: 'x' }, 'invalid alias_name_source'],
    [{ ...role, token_ttl: 60, token_max_ttl: 30 }, 'cannot be greater'],
    [{ ...role, bound_service_account_namespace_selector: '{}' }, 'not supported'],
  ]
  for (const [body, message] of wrong) {
    const answer = await world.ask('POST', 'auth/kubernetes/role/wrong', body)
    expect(failure(answer)).toEqual([400, expect.stringContaining(message)])
  }
  expect((await world.ask('LIST', 'auth/kubernetes/role')).body.data.keys).toContain('shown')
  expect((await world.ask('DELETE', 'auth/kubernetes/role/shown')).status).toBe(204)
  expect((await world.ask('GET', 'auth/kubernetes/role/shown')).status).toBe(404)
})

test('policies may speak of the namespace that a ServiceAccount is of', async () => {
  const { accessor } = (await world.ask('GET', 'sys/auth/kubernetes')).body.data
  const path = `kv/{{identity.entity.aliases.${accessor}.metadata.service_account_namespace}}`
  await world.ask('PUT', 'sys/policies/acl/own', { policy: `path "${path}" { capabilities = ["read"] }` })
  await world.ask('POST', 'auth/kubernetes/role/own', {
    bound_service_account_names: '*',
    bound_service_account_namespaces: '*',
    token_policies: 'own',
  })
  const ours = (await login('kubernetes/login', { role: 'own', jwt: 'shop/x' })).body.auth.client_token
  const theirs = (await login('kubernetes/login', { role: 'own', jwt: 'other/x-y' })).body.auth.client_token
  expect((await world.ask('GET', 'kv/shop', undefined, { token: ours })).status).toBe(200)
  expect((await world.ask('GET', 'kv/shop', undefined, { token: theirs })).status).toBe(403)
})

test('a program logs in with the id of its role and a secret id', async () => {
  await world.ask('POST', 'auth/approle/role/ci', {
    token_policies: 'shop',
    secret_id_num_uses: 2,
    secret_id_ttl: '10m',
  })
  const { role_id: role } = (await world.ask('GET', 'auth/approle/role/ci/role-id')).body.data
  const made = await world.ask('POST', 'auth/approle/role/ci/secret-id', { metadata: '{"build":"7"}' })
  expect(made.body.data).toMatchObject({ secret_id_num_uses: 2, secret_id_ttl: 600 })
  const { secret_id: secret, secret_id_accessor: accessor } = made.body.data
  const logged = await login('approle/login', { role_id: role, secret_id: secret })
  expect(logged.body.auth).toMatchObject({ policies: ['default', 'shop'], metadata: { role_name: 'ci', build: '7' } })
  const known = await world.ask('POST', 'auth/approle/role/ci/secret-id/lookup', { secret_id: secret })
  expect(known.body.data).toMatchObject({
    secret_id_accessor: accessor,
    secret_id_num_uses: 1,
    metadata: { build: '7' },
  })
  expect((await world.ask('LIST', 'auth/approle/role/ci/secret-id')).body.data.keys).toEqual([accessor])
  // Two at once share what is left.
  const both = await Promise.all([1, 2, 3].map(() => login('approle/login', { role_id: role, secret_id: secret })))
  expect(both.filter(({ status }) => status === 200)).toHaveLength(1)
  expect((await world.ask('LIST', 'auth/approle/role/ci/secret-id')).status).toBe(404)
})

test('a secret id ends with the clock, or is destroyed', async () => {
  await world.ask('POST', 'auth/approle/role/short', { secret_id_ttl: 60 })
  const { role_id: role } = (await world.ask('GET', 'auth/approle/role/short/role-id')).body.data
  const make = async (): Promise<{ secret_id: string; secret_id_accessor: string }> =>
    (await world.ask('POST', 'auth/approle/role/short/secret-id', {})).body.data
  const [old, destroyed, accessed] = [await make(), await make(), await make()]
  await world.ask('POST', 'auth/approle/role/short/secret-id/destroy', { secret_id: destroyed.secret_id })
  await world.ask('POST', 'auth/approle/role/short/secret-id-accessor/destroy', {
    secret_id_accessor: accessed.secret_id_accessor,
  })
  for (const { secret_id: secret } of [destroyed, accessed]) {
    expect(failure(await login('approle/login', { role_id: role, secret_id: secret }))).toEqual([
      400,
      'invalid role or secret ID',
    ])
  }
  await world.clock.advance(60_000)
  expect((await login('approle/login', { role_id: role, secret_id: old.secret_id })).status).toBe(400)
})

test('a wrapped secret id is delivered once', async () => {
  await world.ask('POST', 'auth/approle/role/wrapped', {})
  const made = await world.ask(
    'POST',
    'auth/approle/role/wrapped/secret-id',
    {},
    { headers: { 'x-vault-wrap-ttl': '60s' } },
  )
  expect(made.body).toMatchObject({
    data: null,
    wrap_info: { ttl: 60, creation_path: 'auth/approle/role/wrapped/secret-id' },
  })
  const { token } = made.body.wrap_info
  const opened = await world.ask('POST', 'sys/wrapping/unwrap', undefined, { token })
  expect(opened.body.data.secret_id).toMatch(/^[0-9a-f-]{36}$/)
  expect((await world.ask('POST', 'sys/wrapping/unwrap', undefined, { token })).status).toBe(403)
})

test.each([
  ['no role id', {}, [400, 'missing role_id']],
  ['a role id that is none', { role_id: 'x', secret_id: 'y' }, [400, 'invalid role or secret ID']],
])('a program does not log in with %s', async (_, body, want) => {
  expect(failure(await login('approle/login', body))).toEqual(want)
})

test('a role without secret ids has to be bound to networks, and is', async () => {
  const free = await world.ask('POST', 'auth/approle/role/free', { bind_secret_id: false })
  expect(failure(free)).toEqual([400, 'at least one constraint should be enabled on the role'])
  await world.ask('POST', 'auth/approle/role/near', { bind_secret_id: false, secret_id_bound_cidrs: '127.0.0.1/32' })
  await world.ask('POST', 'auth/approle/role/far', { bind_secret_id: false, secret_id_bound_cidrs: '10.0.0.0/8' })
  const idOf = async (name: string): Promise<string> =>
    (await world.ask('GET', `auth/approle/role/${name}/role-id`)).body.data.role_id
  expect((await login('approle/login', { role_id: await idOf('near') })).status).toBe(200)
  expect((await login('approle/login', { role_id: await idOf('far') })).status).toBe(400)
})

test('the id and single settings of a role can be set', async () => {
  await world.ask('POST', 'auth/approle/role/set', {})
  await world.ask('POST', 'auth/approle/role/set/role-id', { role_id: 'my-role' })
  await world.ask('POST', 'auth/approle/role/set/policies', { token_policies: ['shop'] })
  await world.ask('POST', 'auth/approle/role/set/token-ttl', { token_ttl: '90s' })
  expect((await world.ask('GET', 'auth/approle/role/set/policies')).body.data).toEqual({ token_policies: ['shop'] })
  const custom = await world.ask('POST', 'auth/approle/role/set/custom-secret-id', { secret_id: 'mine' })
  expect(custom.body.data.secret_id).toBe('mine')
  const logged = await login('approle/login', { role_id: 'my-role', secret_id: 'mine' })
  expect(logged.body.auth).toMatchObject({ lease_duration: 90, policies: ['default', 'shop'] })
  expect(failure(await world.ask('POST', 'auth/approle/role/other', { role_id: 'my-role' }))).toEqual([
    400,
    'role_id already in use',
  ])
})

test('a person logs in with a password, and is locked out after five wrong ones', async () => {
  await world.ask('POST', 'auth/userpass/users/Alice', { password: 'right', token_policies: 'shop' })
  const logged = await login('userpass/login/alice', { password: 'right' })
  expect(logged.body.auth).toMatchObject({ metadata: { username: 'alice' }, policies: ['default', 'shop'] })
  for (let turn = 0; turn < 5; turn++) {
    expect(failure(await login('userpass/login/alice', { password: 'wrong' }))).toEqual([
      400,
      'invalid username or password',
    ])
  }
  expect(failure(await login('userpass/login/alice', { password: 'right' }))).toEqual([403, 'permission denied'])
  await world.clock.advance(15 * 60_000)
  expect((await login('userpass/login/alice', { password: 'right' })).status).toBe(200)
  expect(failure(await login('userpass/login/nobody', { password: 'x' }))).toEqual([
    400,
    'invalid username or password',
  ])
  expect((await world.ask('GET', 'auth/userpass/users/alice')).body.data).not.toHaveProperty('hash')
})

test('wrong secret ids lock a role out', async () => {
  await world.ask('POST', 'auth/approle/role/locked', { role_id: 'locked' })
  const { secret_id: secret } = (await world.ask('POST', 'auth/approle/role/locked/secret-id', {})).body.data
  for (let turn = 0; turn < 5; turn++) await login('approle/login', { role_id: 'locked', secret_id: 'wrong' })
  expect((await login('approle/login', { role_id: 'locked', secret_id: secret })).status).toBe(403)
  const locked = await world.ask('GET', 'sys/locked-users')
  const [{ mount_accessor: accessor }] = locked.body.data.by_mount_accessor
  expect(locked.body.data).toMatchObject({
    total: 1,
    by_mount_accessor: [{ counts: 1, alias_identifiers: ['locked'] }],
  })
  expect((await world.ask('POST', `sys/locked-users/${accessor}/unlock/locked`)).status).toBe(204)
  expect((await login('approle/login', { role_id: 'locked', secret_id: secret })).status).toBe(200)
})

test('no login gives the root policy', async () => {
  await world.ask('POST', 'auth/userpass/users/eve', { password: 'x', token_policies: 'root' })
  expect(failure(await login('userpass/login/eve', { password: 'x' }))).toEqual([
    400,
    'auth methods cannot create root tokens',
  ])
})

test('when a login method goes, what it gave goes with it', async () => {
  await world.ask('POST', 'sys/auth/people', { type: 'userpass' })
  await world.ask('POST', 'auth/people/users/bob', { password: 'x', token_policies: 'shop' })
  const token = (await login('people/login/bob', { password: 'x' })).body.auth.client_token
  expect((await world.ask('GET', 'kv/shop', undefined, { token })).status).toBe(200)
  await world.ask('DELETE', 'sys/auth/people')
  expect((await world.ask('GET', 'kv/shop', undefined, { token })).status).toBe(403)
})

test('a login that is renewed lives as long as its mount allows', async () => {
  await world.ask('POST', 'sys/auth/kubernetes/tune', { max_lease_ttl: '30m' })
  const made = await login('kubernetes/login', { role: 'web', jwt: 'shop/web' })
  const token = made.body.auth.client_token
  await world.clock.advance(15 * 60_000)
  const renewed = await world.ask('POST', 'auth/token/renew-self', { increment: '1h' }, { token })
  expect(renewed.body.auth.lease_duration).toBe(900)
})
