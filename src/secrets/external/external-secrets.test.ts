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
  DATA_HASH_ANNOTATION,
  ExternalSecretKind,
  MANAGED_LABEL,
  OWNER_LABEL,
  SecretKind,
  SecretStoreKind,
} from './kinds.ts'
import { dataHash, ownerHash } from './external-secret/hashes.ts'

let world: ExternalTestWorld

afterEach(() => world.stop())

/** A world with a store that can be used. */
async function withStore(more: Parameters<typeof externalTestWorld>[0] = {}): Promise<ExternalTestWorld> {
  world = await externalTestWorld(more)
  await world.create(SecretKind, vaultToken)
  await world.create(SecretStoreKind, vaultStore())
  await world.until(async () => (await world.ready(SecretStoreKind, 'vault'))?.status === 'True')
  return world
}

const reason = async (name: string): Promise<string | undefined> =>
  (await world.ready(ExternalSecretKind, name))?.reason

test('a Secret is made with the marks of External Secrets, and the status tells of it', async () => {
  await withStore()
  world.vault.put('team/db', { user: 'app', password: 'one' })
  await world.create(ExternalSecretKind, {
    ...external('db', { data: [item('pw', 'team/db', 'password')], dataFrom: [{ extract: { key: 'team/db' } }] }),
  })
  await world.until(async () => (await reason('db')) === 'SecretSynced')
  expect(await world.secret('db')).toEqual({ user: 'app', password: 'one', pw: 'one' })
  const secret = await world.get(SecretKind, 'db')
  const data = new Map([
    ['user', 'app'],
    ['password', 'one'],
    ['pw', 'one'],
  ])
  expect(secret?.metadata.labels).toEqual({ [MANAGED_LABEL]: 'true', [OWNER_LABEL]: ownerHash('default', 'db') })
  expect(secret?.metadata.annotations).toEqual({ [DATA_HASH_ANNOTATION]: dataHash(data) })
  expect(secret?.metadata.ownerReferences).toMatchObject([{ kind: 'ExternalSecret', name: 'db', controller: true }])
  const status = (await world.get(ExternalSecretKind, 'db'))?.['status']
  expect(status).toMatchObject({
    binding: { name: 'db' },
    refreshTime: '2026-01-01T00:00:00Z',
    syncedResourceVersion: expect.stringMatching(/^1-[0-9a-f]{56}$/) as unknown,
    conditions: [{ type: 'Ready', status: 'True', reason: 'SecretSynced', message: 'secret synced' }],
  })
  expect(await world.told()).toContain('Created: secret created')
})

test('what is rotated in the store is in the Secret at once, without waiting for the interval', async () => {
  await withStore()
  world.vault.put('db', { password: 'one' })
  await world.create(ExternalSecretKind, external('db', { data: [item('pw', 'db', 'password')] }))
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'one')
  const beganMs = world.clock.now()
  await world.rotate('db', { password: 'two' })
  expect(await world.secret('db')).toEqual({ pw: 'two' })
  expect(world.clock.now() - beganMs).toBeLessThan(1_000)
  await world.rotate('other', { password: 'three' })
  expect(world.vault.asked.at(-1)?.what).not.toContain('other')
})

test('without a word from the store, the interval brings the new value', async () => {
  await withStore()
  world.vault.put('db', { password: 'one' })
  await world.create(
    ExternalSecretKind,
    external('db', { refreshInterval: '10m', data: [item('pw', 'db', 'password')] }),
  )
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'one')
  world.vault.put('db', { password: 'two' })
  await world.clock.advance(9 * 60_000)
  await world.settle()
  expect(await world.secret('db')).toEqual({ pw: 'one' })
  await world.clock.advance(2 * 60_000)
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'two')
})

test.each([
  ['CreatedOnce', false, false],
  ['OnChange', false, true],
  ['Periodic', true, true],
])('with refreshPolicy %s a rotation is seen: %s, a force-sync: %s', async (refreshPolicy, seesRotation, seesForce) => {
  await withStore()
  world.vault.put('db', { password: 'one' })
  await world.create(ExternalSecretKind, external('db', { refreshPolicy, data: [item('pw', 'db', 'password')] }))
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'one')
  await world.rotate('db', { password: 'two' })
  await world.clock.advance(2 * 3_600_000)
  await world.settle()
  expect((await world.secret('db'))?.['pw']).toBe(seesRotation ? 'two' : 'one')
  await world.rotate('db', { password: 'three' })
  await world.change(ExternalSecretKind, 'db', { metadata: { annotations: { 'external-secrets.io/force-sync': '1' } } })
  await world.settle()
  expect((await world.secret('db'))?.['pw']).toBe(seesForce ? 'three' : 'one')
})

test('a sealed store is told, the Secret stays, and unsealed it goes on by itself', async () => {
  await withStore()
  world.vault.put('db', { password: 'one' })
  await world.create(ExternalSecretKind, external('db', { data: [item('pw', 'db', 'password')] }))
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'one')
  world.vault.isSealed = true
  world.changes.tell({ what: 'sealed' })
  await world.until(async () => (await world.ready(SecretStoreKind, 'vault'))?.status === 'False')
  await world.until(async () => (await reason('db')) === 'SecretSyncedError')
  expect((await world.ready(SecretStoreKind, 'vault'))?.message).toContain('Vault is sealed')
  expect((await world.ready(ExternalSecretKind, 'db'))?.message).toContain('Vault is sealed')
  expect(await world.secret('db')).toEqual({ pw: 'one' })
  expect(world.metrics.text()).toContain(
    'externalsecret_status_condition{condition="Ready",name="db",namespace="default",status="False"} 1',
  )
  world.vault.isSealed = false
  world.vault.put('db', { password: 'two' })
  world.changes.tell({ what: 'unsealed' })
  await world.until(async () => (await reason('db')) === 'SecretSynced', 1_000)
  expect(await world.secret('db')).toEqual({ pw: 'two' })
})

test('a provider that was away is asked again, without anybody telling', async () => {
  await withStore()
  world.vault.put('db', { password: 'one' })
  world.vault.isAway = true
  await world.create(ExternalSecretKind, external('db', { data: [item('pw', 'db', 'password')] }))
  await world.until(async () => (await reason('db')) === 'SecretSyncedError')
  expect((await world.ready(ExternalSecretKind, 'db'))?.message).toContain(
    'cannot reach Vault at http://vault.vault.svc:8200',
  )
  await world.clock.advance(300_000)
  world.vault.isAway = false
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'one', 120_000)
})

test('Merge keeps the keys of others and takes back its own alone', async () => {
  await withStore()
  world.vault.put('db', { password: 'one', user: 'app' })
  await world.create(
    ExternalSecretKind,
    external('db', {
      target: { name: 'shared', creationPolicy: 'Merge' },
      data: [item('password', 'db', 'password'), item('user', 'db', 'user')],
    }),
  )
  await world.until(async () => (await reason('db')) === 'SecretMissing')
  await world.create(SecretKind, {
    metadata: { name: 'shared', namespace: 'default', labels: { team: 'a' } },
    stringData: { foreign: 'kept' },
  })
  await world.until(async () => (await reason('db')) === 'SecretSynced')
  expect(await world.secret('shared')).toEqual({ foreign: 'kept', password: 'one', user: 'app' })
  await world.change(ExternalSecretKind, 'db', { spec: { data: [item('password', 'db', 'password')] } })
  await world.until(async () => !Object.hasOwn((await world.secret('shared')) ?? {}, 'user'))
  expect(await world.secret('shared')).toEqual({ foreign: 'kept', password: 'one' })
  expect((await world.get(SecretKind, 'shared'))?.metadata).toMatchObject({ labels: { team: 'a' } })
  expect((await world.get(SecretKind, 'shared'))?.metadata.ownerReferences).toBeUndefined()
})

test('who changes the Secret is set right', async () => {
  await withStore()
  world.vault.put('db', { password: 'one' })
  await world.create(ExternalSecretKind, external('db', { data: [item('pw', 'db', 'password')] }))
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'one')
  await world.change(SecretKind, 'db', { stringData: { pw: 'forged' } })
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'one')
  await world.remove(SecretKind, 'db')
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'one')
  expect(await world.told()).toContain('Updated: secret updated')
})

test.each([
  ['Retain', 'SecretSyncedError', { pw: 'one' }],
  ['Delete', 'SecretDeleted', undefined],
  ['Merge', 'SecretSynced', {}],
])('where the store no longer has the secret, deletionPolicy %s leads to %s', async (deletionPolicy, want, left) => {
  await withStore()
  world.vault.put('db', { password: 'one' })
  await world.create(
    ExternalSecretKind,
    external('db', { target: { deletionPolicy }, data: [item('pw', 'db', 'password')] }),
  )
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'one')
  world.vault.remove('db')
  world.changes.tell({ what: 'changed', mount: 'secret', path: 'db' })
  await world.settle()
  await world.until(
    async () =>
      (await reason('db')) === want &&
      Object.keys((await world.secret('db')) ?? {}).join() === Object.keys(left ?? {}).join(),
  )
  expect(await world.secret('db')).toEqual(left)
  await world.rotate('db', { password: 'again' })
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'again')
})

test('a Secret of another ExternalSecret is not taken, and one of another controller neither', async () => {
  await withStore()
  world.vault.put('db', { password: 'one' })
  await world.create(
    ExternalSecretKind,
    external('first', { target: { name: 'same' }, data: [item('pw', 'db', 'password')] }),
  )
  await world.until(async () => (await reason('first')) === 'SecretSynced')
  await world.create(
    ExternalSecretKind,
    external('second', { target: { name: 'same', creationPolicy: 'Merge' }, data: [item('x', 'db', 'password')] }),
  )
  await world.until(async () => (await reason('second')) === 'SecretSyncedError')
  expect((await world.ready(ExternalSecretKind, 'second'))?.message).toContain(
    'target is owned by another ExternalSecret',
  )
  expect(await world.secret('same')).toEqual({ pw: 'one' })
})

test('a Secret under the name it had before goes', async () => {
  await withStore()
  world.vault.put('db', { password: 'one' })
  await world.create(
    ExternalSecretKind,
    external('db', { target: { name: 'old' }, data: [item('pw', 'db', 'password')] }),
  )
  await world.until(async () => (await world.secret('old'))?.['pw'] === 'one')
  await world.change(ExternalSecretKind, 'db', { spec: { target: { name: 'new' } } })
  await world.until(
    async () => (await world.secret('new'))?.['pw'] === 'one' && (await world.secret('old')) === undefined,
  )
  expect(await world.told()).toContain('Deleted: secret deleted because it was orphaned')
})

test('an immutable Secret is made once and never changed', async () => {
  await withStore()
  world.vault.put('db', { password: 'one' })
  await world.create(
    ExternalSecretKind,
    external('db', { target: { immutable: true }, data: [item('pw', 'db', 'password')] }),
  )
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'one')
  await world.rotate('db', { password: 'two' })
  expect(await world.secret('db')).toEqual({ pw: 'one' })
  expect(await reason('db')).toBe('SecretSynced')
  await world.change(ExternalSecretKind, 'db', { spec: { target: { immutable: false } } })
  await world.until(
    async () => (await world.ready(ExternalSecretKind, 'db'))?.message?.includes('target is immutable') === true,
  )
})

test('a template makes the Secret, with its labels, its type and what ConfigMaps hold', async () => {
  await withStore()
  world.vault.put('db', { user: 'app', password: 'p:w' })
  await world.create(
    { ...SecretKind, kind: 'ConfigMap', plural: 'configmaps' },
    {
      metadata: { name: 'templates', namespace: 'default' },
      data: { 'app.conf': 'user={{ .user }}\n', more: '{{ .user }}-key: {{ .password | b64enc | quote }}\n' },
    },
  )
  await world.create(
    ExternalSecretKind,
    external('db', {
      dataFrom: [{ extract: { key: 'db' } }],
      target: {
        template: {
          type: 'kubernetes.io/basic-auth',
          metadata: { labels: { who: '{{ .user }}' }, annotations: { note: 'for {{ .user }}' } },
          templateFrom: [
            {
              configMap: {
                name: 'templates',
                items: [{ key: 'app.conf' }, { key: 'more', templateAs: 'KeysAndValues' }],
              },
            },
            { target: 'Labels', literal: 'from: literal' },
          ],
          data: { password: '{{ .password }}', url: 'db://{{ .user }}:{{ .password | urlquery }}@host' },
        },
      },
    }),
  )
  await world.until(async () => (await reason('db')) === 'SecretSynced')
  expect(await world.secret('db')).toEqual({
    'app.conf': 'user=app\n',
    'app-key': Buffer.from('p:w').toString('base64'),
    password: 'p:w',
    url: 'db://app:p%3Aw@host',
  })
  const secret = await world.get(SecretKind, 'db')
  expect(secret?.['type']).toBe('kubernetes.io/basic-auth')
  expect(secret?.metadata.labels).toMatchObject({ who: 'app', from: 'literal' })
  expect(secret?.metadata.annotations).toMatchObject({ note: 'for app' })
  await world.change({ ...SecretKind, kind: 'ConfigMap', plural: 'configmaps' }, 'templates', {
    data: { 'app.conf': 'changed {{ .user }}' },
  })
  await world.until(async () => (await world.secret('db'))?.['app.conf'] === 'changed app')
})

test('after a restart, what changed meanwhile is found, and nothing is written where nothing did', async () => {
  await withStore()
  world.vault.put('a', { v: '1' })
  world.vault.put('b', { v: '1' })
  for (const name of ['a', 'b'])
    await world.create(ExternalSecretKind, external(name, { data: [item('v', name, 'v')] }))
  await world.until(async () => (await reason('a')) === 'SecretSynced' && (await reason('b')) === 'SecretSynced')
  const before = await world.get(ExternalSecretKind, 'b')
  world.vault.put('a', { v: '2' })
  await world.restart()
  await world.until(async () => (await world.secret('a'))?.['v'] === '2')
  expect((await world.get(ExternalSecretKind, 'b'))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion)
})

test('dataFrom finds by name and by tags below a path', async () => {
  await withStore()
  world.vault.put('team/db', { v: '1' }, { stage: 'prod' })
  world.vault.put('team/deep/mq', { v: '2' }, { stage: 'prod' })
  world.vault.put('team/other', { v: '3' })
  world.vault.put('else/db', { v: '4' }, { stage: 'prod' })
  await world.create(
    ExternalSecretKind,
    external('names', { dataFrom: [{ find: { path: 'team', name: { regexp: 'db|mq' } } }] }),
  )
  await world.create(
    ExternalSecretKind,
    external('tags', {
      dataFrom: [
        {
          find: { path: 'team', tags: { stage: 'prod' } },
          rewrite: [{ regexp: { source: 'team/(.*/)?', target: '' } }],
        },
      ],
    }),
  )
  await world.until(async () => (await reason('names')) === 'SecretSynced' && (await reason('tags')) === 'SecretSynced')
  expect(await world.secret('names')).toEqual({ team_db: '{"v":"1"}', team_deep_mq: '{"v":"2"}' })
  expect(await world.secret('tags')).toEqual({ db: '{"v":"1"}', mq: '{"v":"2"}' })
  await world.rotate('team/new-db', { v: '5' })
  expect(await world.secret('names')).toMatchObject({ 'team_new-db': '{"v":"5"}' })
})

test('an ExternalSecret that finds its own Secret, or that of another, comes to rest', async () => {
  world = await externalTestWorld()
  await world.create(
    { ...SecretKind, kind: 'ServiceAccount', plural: 'serviceaccounts' },
    { metadata: { name: 'reader', namespace: 'default' } },
  )
  const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' }
  await world.create(
    { ...rbac, kind: 'ClusterRoleBinding', plural: 'clusterrolebindings', scope: 'Cluster' },
    {
      metadata: { name: 'all' },
      roleRef: { apiGroup: rbac.group, kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }],
    },
  )
  await world.create(SecretStoreKind, {
    metadata: { name: 'vault', namespace: 'default' },
    spec: { provider: { kubernetes: { remoteNamespace: 'default', auth: { serviceAccount: { name: 'reader' } } } } },
  })
  await world.create(SecretKind, { metadata: { name: 'c', namespace: 'default' }, stringData: { v: '1' } })
  const finding = { dataFrom: [{ find: { name: { regexp: '^[abc]$' } } }] }
  await world.create(ExternalSecretKind, external('a', finding))
  await world.create(ExternalSecretKind, external('b', finding))
  await world.until(async () => (await world.secret('a')) !== undefined && (await world.secret('b')) !== undefined)
  for (let turn = 0; turn < 20; turn++) await world.settle()
  const turns = Number(
    /externalsecret_sync_calls_total\{name="a",namespace="default"\} (\d+)/.exec(world.metrics.text())?.[1],
  )
  expect(turns).toBeGreaterThan(1)
  expect(turns).toBeLessThan(40)
})

test('a crash between the Secret and the status leaves one whole Secret, which is not written again', async () => {
  let isEnding = true
  let written = 0
  await withStore({
    wrap: (client) => ({
      ...client,
      create(collection, object, options) {
        if (collection.resource.plural === 'secrets') written += 1
        return client.create(collection, object, options)
      },
      update(target, object, options) {
        if (target.resource.plural === 'secrets') written += 1
        return client.update(target, object, options)
      },
      patch(target, patch, options) {
        const isStatus = target.resource.plural === 'externalsecrets' && target.subresource === 'status'
        return isStatus && isEnding ? new Promise(() => {}) : client.patch(target, patch, options)
      },
    }),
  })
  world.vault.put('db', { a: '1', b: '2' })
  await world.create(ExternalSecretKind, external('db', { dataFrom: [{ extract: { key: 'db' } }] }))
  await world.until(async () => (await world.secret('db')) !== undefined)
  expect(await world.secret('db')).toEqual({ a: '1', b: '2' })
  expect(await reason('db')).toBeUndefined()
  isEnding = false
  world.crash()
  await world.until(async () => (await reason('db')) === 'SecretSynced')
  expect(written).toBe(1)
})
