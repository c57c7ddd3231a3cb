import { afterEach, expect, test } from 'vitest'
import {
  type ExternalTestWorld,
  external,
  externalTestWorld,
  item,
  vaultStore,
  vaultToken,
} from './external-world.testkit.ts'
import {
  ClusterExternalSecretKind,
  ClusterPushSecretKind,
  ClusterSecretStoreKind,
  ExternalSecretKind,
  NamespaceKind,
  PushSecretKind,
  SecretKind,
  SecretStoreKind,
} from './kinds.ts'

let world: ExternalTestWorld

afterEach(() => world.stop())

async function withStore(): Promise<ExternalTestWorld> {
  world = await externalTestWorld()
  await world.create(SecretKind, vaultToken)
  await world.create(SecretStoreKind, vaultStore())
  await world.until(async () => (await world.ready(SecretStoreKind, 'vault'))?.status === 'True')
  return world
}

const fakeStore = (more: object = {}): object => ({
  metadata: { name: 'fake' },
  spec: { provider: { fake: { data: [{ key: 'db', value: '{"pw":"one"}' }] } }, ...more },
})

test('a ClusterExternalSecret makes ExternalSecrets where its selectors say, and takes them away again', async () => {
  world = await externalTestWorld()
  await world.create(ClusterSecretStoreKind, fakeStore())
  await world.create(NamespaceKind, { metadata: { name: 'a', labels: { team: 'x' } } })
  await world.create(NamespaceKind, { metadata: { name: 'b', labels: { team: 'y' } } })
  await world.create(NamespaceKind, { metadata: { name: 'taken', labels: { team: 'x' } } })
  await world.create(ExternalSecretKind, {
    metadata: { name: 'db', namespace: 'taken' },
    spec: { secretStoreRef: { name: 'fake', kind: 'ClusterSecretStore' }, data: [item('other', 'db')] },
  })
  await world.create(ClusterExternalSecretKind, {
    metadata: { name: 'all' },
    spec: {
      externalSecretName: 'db',
      externalSecretMetadata: { labels: { from: 'all' } },
      namespaceSelectors: [{ matchLabels: { team: 'x' } }],
      externalSecretSpec: {
        secretStoreRef: { name: 'fake', kind: 'ClusterSecretStore' },
        data: [item('pw', 'db', 'pw')],
      },
    },
  })
  await world.until(async () => (await world.secret('db', 'a'))?.['pw'] === 'one')
  expect((await world.get(ExternalSecretKind, 'db', 'a'))?.metadata).toMatchObject({
    labels: { from: 'all' },
    ownerReferences: [{ kind: 'ClusterExternalSecret', name: 'all' }],
  })
  const status = async (): Promise<unknown> => (await world.get(ClusterExternalSecretKind, 'all'))?.['status']
  expect(await status()).toMatchObject({
    externalSecretName: 'db',
    provisionedNamespaces: ['a'],
    failedNamespaces: [{ namespace: 'taken', reason: 'ExternalSecret db already exists in namespace' }],
    conditions: [{ type: 'Ready', status: 'False', message: 'one or more namespaces failed' }],
  })
  await world.change(NamespaceKind, 'b', { metadata: { labels: { team: 'x' } } })
  await world.until(async () => (await world.secret('db', 'b'))?.['pw'] === 'one')
  await world.change(NamespaceKind, 'a', { metadata: { labels: { team: 'z' } } })
  await world.until(async () => (await world.get(ExternalSecretKind, 'db', 'a')) === undefined)
  expect(await status()).toMatchObject({ provisionedNamespaces: ['b'] })
  expect((await world.get(ExternalSecretKind, 'db', 'taken'))?.metadata.ownerReferences).toBeUndefined()
})

test('a ClusterSecretStore serves only the namespaces that its conditions name', async () => {
  world = await externalTestWorld()
  await world.create(
    ClusterSecretStoreKind,
    fakeStore({
      conditions: [
        { namespaces: ['a'] },
        { namespaceSelector: { matchLabels: { team: 'x' } } },
        { namespaceRegexes: ['^re-'] },
      ],
    }),
  )
  for (const [name, team] of [
    ['a', 'n'],
    ['b', 'x'],
    ['re-c', 'n'],
    ['d', 'n'],
  ]) {
    await world.create(NamespaceKind, { metadata: { name, labels: { team } } })
    await world.create(ExternalSecretKind, {
      metadata: { name: 'db', namespace: name },
      spec: { secretStoreRef: { name: 'fake', kind: 'ClusterSecretStore' }, data: [item('pw', 'db', 'pw')] },
    })
  }
  await world.until(
    async () =>
      (await world.ready(ExternalSecretKind, 'db', 'd')) !== undefined &&
      (await world.secret('db', 're-c')) !== undefined,
  )
  expect(await world.secret('db', 'a')).toEqual({ pw: 'one' })
  expect(await world.secret('db', 'b')).toEqual({ pw: 'one' })
  expect((await world.ready(ExternalSecretKind, 'db', 'd'))?.message).toContain(
    'is not allowed from namespace "d": denied by spec.condition',
  )
})

const push = (spec: object): object => ({
  metadata: { name: 'push', namespace: 'default' },
  spec: { secretStoreRefs: [{ name: 'vault' }], selector: { secret: { name: 'source' } }, ...spec },
})

test('a PushSecret pushes keys and properties, follows its Secret, and takes back what it said it would', async () => {
  await withStore()
  await world.create(SecretKind, {
    metadata: { name: 'source', namespace: 'default' },
    stringData: { user: 'app', password: 'one' },
  })
  await world.create(
    PushSecretKind,
    push({
      deletionPolicy: 'Delete',
      data: [
        { match: { secretKey: 'password', remoteRef: { remoteKey: 'pushed/db', property: 'pw' } } },
        { match: { secretKey: 'user', remoteRef: { remoteKey: 'pushed/db', property: 'user' } } },
        { match: { remoteRef: { remoteKey: 'pushed/whole' } } },
      ],
    }),
  )
  await world.until(async () => (await world.ready(PushSecretKind, 'push'))?.reason === 'Synced')
  expect(world.vault.read('pushed/db')).toEqual({ pw: 'one', user: 'app' })
  expect(world.vault.read('pushed/whole')).toEqual({ user: 'app', password: 'one' })
  await world.change(SecretKind, 'source', { stringData: { password: 'two' } })
  await world.until(() => Promise.resolve(world.vault.read('pushed/db')?.['pw'] === 'two'))
  await world.change(PushSecretKind, 'push', {
    spec: { data: [{ match: { secretKey: 'user', remoteRef: { remoteKey: 'pushed/db', property: 'user' } } }] },
  })
  await world.until(() => Promise.resolve(world.vault.read('pushed/whole') === undefined))
  expect(world.vault.read('pushed/db')).toEqual({ user: 'app' })
  const status = (await world.get(PushSecretKind, 'push'))?.['status']
  expect(status).toMatchObject({
    syncedPushSecrets: { 'SecretStore/vault': { 'pushed/db/user': { match: { secretKey: 'user' } } } },
  })
  expect(JSON.stringify(status)).not.toContain('pushed/whole')
  await world.remove(PushSecretKind, 'push')
  await world.until(async () => (await world.get(PushSecretKind, 'push')) === undefined)
  expect(world.vault.read('pushed/db')).toBeUndefined()
})

test('a PushSecret leaves alone what others keep, and what is there where it says so', async () => {
  await withStore()
  world.vault.put('theirs', { pw: 'theirs' })
  await world.create(SecretKind, {
    metadata: { name: 'source', namespace: 'default' },
    stringData: { pw: 'canary-value' },
  })
  await world.create(
    PushSecretKind,
    push({ data: [{ match: { secretKey: 'pw', remoteRef: { remoteKey: 'theirs', property: 'pw' } } }] }),
  )
  await world.until(async () => (await world.ready(PushSecretKind, 'push'))?.reason === 'Errored')
  expect((await world.ready(PushSecretKind, 'push'))?.message).toContain('secret not managed by external-secrets')
  await world.change(PushSecretKind, 'push', { spec: { updatePolicy: 'IfNotExists' } })
  await world.until(async () => (await world.ready(PushSecretKind, 'push'))?.reason === 'Synced')
  expect(world.vault.read('theirs')).toEqual({ pw: 'theirs' })
})

test('dataTo pushes every key that matches under a name of its own, or all of them together', async () => {
  await withStore()
  await world.create(SecretKind, {
    metadata: { name: 'source', namespace: 'default' },
    stringData: { 'db-a': '{"v":"1"}', 'db-b': '{"v":"2"}', other: 'x' },
  })
  await world.create(
    PushSecretKind,
    push({
      dataTo: [
        {
          storeRef: { name: 'vault' },
          match: { regexp: '^db-' },
          rewrite: [{ regexp: { source: '^db-', target: 'team/' } }],
        },
        { storeRef: { name: 'vault' }, match: { regexp: '^db-' }, remoteKey: 'bundle' },
      ],
    }),
  )
  await world.until(async () => (await world.ready(PushSecretKind, 'push'))?.reason === 'Synced')
  expect(world.vault.read('team/a')).toEqual({ v: '1' })
  expect(world.vault.read('team/b')).toEqual({ v: '2' })
  expect(world.vault.read('bundle')).toEqual({ 'db-a': '{"v":"1"}', 'db-b': '{"v":"2"}' })
})

test('a push with check-and-set says which version it replaces', async () => {
  world = await externalTestWorld()
  await world.create(SecretKind, vaultToken)
  await world.create(SecretStoreKind, vaultStore('vault', { checkAndSet: { required: true } }))
  await world.create(SecretKind, { metadata: { name: 'source', namespace: 'default' }, stringData: { pw: 'one' } })
  await world.create(
    PushSecretKind,
    push({ data: [{ match: { secretKey: 'pw', remoteRef: { remoteKey: 'db', property: 'pw' } } }] }),
  )
  await world.until(async () => (await world.ready(PushSecretKind, 'push'))?.reason === 'Synced')
  await world.change(SecretKind, 'source', { stringData: { pw: 'two' } })
  await world.until(() => Promise.resolve(world.vault.read('db')?.['pw'] === 'two'))
  const said = world.vault.asked
    .filter(({ what }) => what === 'POST secret/data/db')
    .map(({ body }) => (JSON.parse(body) as { options: unknown }).options)
  expect(said).toEqual([{ cas: 0 }, { cas: 1 }])
})

test('a ClusterPushSecret makes PushSecrets', async () => {
  await withStore()
  await world.create(SecretKind, { metadata: { name: 'source', namespace: 'default' }, stringData: { pw: 'one' } })
  await world.change(NamespaceKind, 'default', { metadata: { labels: { push: 'yes' } } })
  await world.create(ClusterPushSecretKind, {
    metadata: { name: 'all' },
    spec: {
      namespaceSelectors: [{ matchLabels: { push: 'yes' } }],
      pushSecretSpec: {
        secretStoreRefs: [{ name: 'vault' }],
        selector: { secret: { name: 'source' } },
        data: [{ match: { secretKey: 'pw', remoteRef: { remoteKey: 'db', property: 'pw' } } }],
      },
    },
  })
  await world.until(() => Promise.resolve(world.vault.read('db')?.['pw'] === 'one'))
  expect((await world.get(ClusterPushSecretKind, 'all'))?.['status']).toMatchObject({
    pushSecretName: 'all',
    provisionedNamespaces: ['default'],
  })
})

const generator = (kind: string, plural: string) =>
  ({ group: 'generators.external-secrets.io', version: 'v1alpha1', kind, plural, scope: 'Namespaced' }) as const

test('generators make values once an interval, and not because the process began anew', async () => {
  world = await externalTestWorld()
  const named = { metadata: { name: 'one', namespace: 'default' } }
  await world.create(generator('Password', 'passwords'), {
    ...named,
    spec: { length: 30, digits: 5, symbols: 5, symbolCharacters: '-_$@!', noUpper: false, allowRepeat: true },
  })
  await world.create(generator('UUID', 'uuids'), { ...named, spec: {} })
  await world.create(generator('SSHKey', 'sshkeys'), { ...named, spec: { keyType: 'ed25519', comment: 'me@here' } })
  await world.create(generator('Fake', 'fakes'), { ...named, spec: { data: { fake: 'yes' } } })
  const from = (kind: string): object => ({ sourceRef: { generatorRef: { kind, name: 'one' } } })
  await world.create(ExternalSecretKind, {
    metadata: { name: 'made', namespace: 'default' },
    spec: {
      refreshInterval: '1h',
      dataFrom: [
        ...['Password', 'UUID', 'SSHKey'].map(from),
        { ...from('Fake'), rewrite: [{ transform: { template: 'was-{{ .value }}' } }] },
      ],
    },
  })
  await world.until(async () => (await world.ready(ExternalSecretKind, 'made'))?.reason === 'SecretSynced')
  const made = (await world.secret('made')) ?? {}
  expect(Object.keys(made).toSorted()).toEqual(['password', 'privateKey', 'publicKey', 'uuid', 'was-fake'])
  expect(made['password']).toHaveLength(30)
  expect(made['password']?.replaceAll(/\D/g, '')).toHaveLength(5)
  expect(made['password']?.replaceAll(/[^-_$@!]/g, '')).toHaveLength(5)
  expect(made['publicKey']).toMatch(/^ssh-ed25519 [A-Za-z0-9+/=]+ me@here\n$/)
  await world.restart()
  expect(await world.secret('made')).toEqual(made)
  await world.clock.advance(3_700_000)
  await world.until(async () => (await world.secret('made'))?.['password'] !== made['password'])
})

test('a generator that is not supported is told', async () => {
  world = await externalTestWorld()
  await world.create(
    ExternalSecretKind,
    external('made', { dataFrom: [{ sourceRef: { generatorRef: { kind: 'ECRAuthorizationToken', name: 'one' } } }] }),
  )
  await world.until(async () => (await world.ready(ExternalSecretKind, 'made'))?.status === 'False')
  expect((await world.ready(ExternalSecretKind, 'made'))?.message).toContain(
    'the generator ECRAuthorizationToken is not supported',
  )
})
