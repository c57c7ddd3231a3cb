import { afterEach, expect, test } from 'vitest'
import { refusalOf } from '../../apiserver/apiserver.testkit.ts'
import type { Kind } from '../../kube/gvk.ts'
import type { ServiceHttp, ServiceRequest } from '../../runtime/service-http.ts'
import { type ExternalTestWorld, external, externalTestWorld, item, vaultStore } from './external-world.testkit.ts'
import {
  ClusterSecretStoreKind,
  ExternalSecretKind,
  NamespaceKind,
  PushSecretKind,
  SecretKind,
  SecretStoreKind,
} from './kinds.ts'

let world: ExternalTestWorld

afterEach(() => world.stop())

const Account: Kind = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  scope: 'Namespaced',
}
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', scope: 'Namespaced' } as const
const Role: Kind = { ...rbac, kind: 'Role', plural: 'roles' }
const RoleBinding: Kind = { ...rbac, kind: 'RoleBinding', plural: 'rolebindings' }

const named = (name: string, more: object = {}): object => ({ metadata: { name, namespace: 'default' }, ...more })
const synced = async (name: string): Promise<boolean> =>
  (await world.ready(ExternalSecretKind, name))?.reason === 'SecretSynced'
const readOne = external('db', { data: [item('pw', 'db', 'pw')] })

const login = (token: string, seconds: number, body: Record<string, string>) => ({ token, seconds, body })

test.each<{ name: string; auth: object; path: string; body: Record<string, string> }>([
  {
    name: 'an AppRole',
    auth: { appRole: { path: 'approle', roleId: 'role', secretRef: { name: 'creds', key: 'secret' } } },
    path: 'auth/approle/login',
    body: { role_id: 'role', secret_id: 'hunter2' },
  },
  {
    name: 'the token of a ServiceAccount',
    auth: { kubernetes: { mountPath: 'k8s', role: 'reader', serviceAccountRef: { name: 'reader' } } },
    path: 'auth/k8s/login',
    body: { role: 'reader', jwt: '*' },
  },
  {
    name: 'a token from a Secret',
    auth: { kubernetes: { mountPath: 'kubernetes', role: 'reader', secretRef: { name: 'creds', key: 'secret' } } },
    path: 'auth/kubernetes/login',
    body: { role: 'reader', jwt: 'hunter2' },
  },
  {
    name: 'a user and a password',
    auth: { userPass: { path: 'userpass', username: 'ann', secretRef: { name: 'creds', key: 'secret' } } },
    path: 'auth/userpass/login/ann',
    body: { password: 'hunter2' },
  },
  {
    name: 'a JWT',
    auth: { jwt: { path: 'jwt', role: 'r', kubernetesServiceAccountToken: { serviceAccountRef: { name: 'reader' } } } },
    path: 'auth/jwt/login',
    body: { role: 'r', jwt: '*' },
  },
])('a Vault is entered with $name, once for all who ask', async ({ auth, path, body }) => {
  world = await externalTestWorld()
  await world.create(Account, named('reader'))
  await world.create(SecretKind, named('creds', { stringData: { secret: 'hunter2' } }))
  world.vault.logins.set(path, login('session-1', 3_600, body))
  world.vault.put('db', { pw: 'one' })
  await world.create(SecretStoreKind, vaultStore('vault', { auth, namespace: 'team-a' }))
  await world.create(ExternalSecretKind, readOne)
  await world.create(ExternalSecretKind, external('db2', { data: [item('pw', 'db', 'pw')] }))
  await world.until(async () => (await synced('db')) && (await synced('db2')))
  const logins = (): number => world.vault.asked.filter(({ what }) => what === `POST ${path}`).length
  expect(logins()).toBe(1)
  expect(world.vault.asked.every(({ namespace }) => namespace === 'team-a')).toBe(true)
  // A token that was revoked is noticed, and one that has ended is not used.
  await world.clock.advance(60_000)
  world.vault.tokens.clear()
  world.vault.logins.set(path, login('session-2', 3_600, body))
  await world.rotate('db', { pw: 'two' })
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'two')
  expect(logins()).toBe(2)
  world.vault.logins.set(path, login('session-3', 3_600, body))
  await world.clock.advance(3_700_000)
  await world.settle()
  expect(world.vault.asked.at(-1)?.token).toBe('session-3')
})

test('an engine of the first version is read, found and pushed to', async () => {
  world = await externalTestWorld()
  await world.create(SecretKind, named('vault-token', { stringData: { token: 'root' } }))
  await world.create(SecretStoreKind, vaultStore('vault', { version: 'v1', path: 'kv1' }))
  await world.create(SecretKind, named('source', { stringData: { pw: 'one' } }))
  await world.create(
    PushSecretKind,
    named('push', {
      spec: {
        secretStoreRefs: [{ name: 'vault' }],
        selector: { secret: { name: 'source' } },
        data: [{ match: { secretKey: 'pw', remoteRef: { remoteKey: 'team/db', property: 'pw' } } }],
      },
    }),
  )
  await world.until(async () => (await world.ready(PushSecretKind, 'push'))?.reason === 'Synced')
  await world.create(
    ExternalSecretKind,
    external('db', {
      data: [item('pw', 'team/db', 'pw')],
      dataFrom: [{ find: { path: 'team', name: { regexp: '.' } } }],
    }),
  )
  await world.until(() => synced('db'))
  expect(await world.secret('db')).toEqual({
    pw: 'one',
    team_db: '{"custom_metadata":{"managed-by":"external-secrets"},"pw":"one"}',
  })
})

test('metadata are fetched, and a version that was before', async () => {
  world = await externalTestWorld()
  await world.create(SecretKind, named('vault-token', { stringData: { token: 'root' } }))
  await world.create(SecretStoreKind, vaultStore())
  world.vault.put('db', { pw: 'one' }, { owner: 'team-a' })
  world.vault.put('db', { pw: 'two' })
  await world.create(
    ExternalSecretKind,
    external('db', {
      data: [
        { secretKey: 'owner', remoteRef: { key: 'db', property: 'owner', metadataPolicy: 'Fetch' } },
        { secretKey: 'version', remoteRef: { key: 'db', property: 'current_version', metadataPolicy: 'Fetch' } },
        { secretKey: 'before', remoteRef: { key: 'db', property: 'pw', version: '1' } },
      ],
    }),
  )
  await world.until(() => synced('db'))
  expect(await world.secret('db')).toEqual({ owner: 'team-a', version: '2', before: 'one' })
})

const kubernetesStore = (auth: object): object =>
  named('vault', { spec: { provider: { kubernetes: { remoteNamespace: 'source', auth } } } })

test('Secrets of another namespace are read as the ServiceAccount may, and followed', async () => {
  world = await externalTestWorld()
  await world.create(NamespaceKind, { metadata: { name: 'source' } })
  await world.create(SecretKind, {
    metadata: { name: 'db', namespace: 'source', labels: { team: 'a' } },
    stringData: { pw: 'one', 'conf.json': '{"a":{"b":"c"}}' },
  })
  await world.create(Account, named('reader'))
  await world.create(SecretStoreKind, kubernetesStore({ serviceAccount: { name: 'reader' } }))
  await world.create(
    ExternalSecretKind,
    external('db', {
      data: [item('pw', 'db', 'pw'), item('deep', 'db', 'conf.json')],
      dataFrom: [{ find: { tags: { team: 'a' } } }],
    }),
  )
  await world.until(async () => (await world.ready(SecretStoreKind, 'vault'))?.status === 'False')
  expect((await world.ready(SecretStoreKind, 'vault'))?.message).toContain(
    'system:serviceaccount:default:reader has no right to it in namespace source',
  )
  await world.create(Role, {
    metadata: { name: 'read', namespace: 'source' },
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] }],
  })
  await world.create(RoleBinding, {
    metadata: { name: 'read', namespace: 'source' },
    roleRef: { apiGroup: rbac.group, kind: 'Role', name: 'read' },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }],
  })
  await world.until(() => synced('db'), 120_000)
  expect(await world.secret('db')).toEqual({
    pw: 'one',
    deep: '{"a":{"b":"c"}}',
    db: '{"conf.json":"{\\"a\\":{\\"b\\":\\"c\\"}}","pw":"one"}',
  })
  await world.change(SecretKind, 'db', { stringData: { pw: 'two' } }, 'source')
  await world.until(async () => (await world.secret('db'))?.['pw'] === 'two', 500)
})

test('what may be read may not be written, and a push says so', async () => {
  world = await externalTestWorld()
  await world.create(NamespaceKind, { metadata: { name: 'source' } })
  await world.create(Account, named('reader'))
  await world.create(Role, {
    metadata: { name: 'read', namespace: 'source' },
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] }],
  })
  await world.create(RoleBinding, {
    metadata: { name: 'read', namespace: 'source' },
    roleRef: { apiGroup: rbac.group, kind: 'Role', name: 'read' },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }],
  })
  await world.create(SecretStoreKind, kubernetesStore({ serviceAccount: { name: 'reader' } }))
  await world.create(SecretKind, named('source', { stringData: { pw: 'one' } }))
  await world.create(
    PushSecretKind,
    named('push', {
      spec: {
        secretStoreRefs: [{ name: 'vault' }],
        selector: { secret: { name: 'source' } },
        data: [{ match: { remoteRef: { remoteKey: 'copy' } } }],
      },
    }),
  )
  await world.until(async () => (await world.ready(PushSecretKind, 'push'))?.status === 'False')
  expect((await world.ready(PushSecretKind, 'push'))?.message).toContain('client is not allowed to create secrets')
  await world.change(Role, 'read', { rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['*'] }] }, 'source')
  await world.until(async () => (await world.ready(PushSecretKind, 'push'))?.reason === 'Synced', 120_000)
  expect(await world.secret('copy', 'source')).toEqual({ pw: 'one' })
})

test('a webhook is asked with what its templates make', async () => {
  const asked: ServiceRequest[] = []
  const http: ServiceHttp = (request) => {
    asked.push(request)
    const body = JSON.stringify({ data: { db: { pw: 'one', port: 5432 } }, list: ['first', 'second'] })
    return Promise.resolve({ status: request.url.includes('absent') ? 404 : 200, headers: new Map(), body })
  }
  world = await externalTestWorld({ http })
  await world.create(SecretKind, {
    metadata: { name: 'hook', namespace: 'default', labels: { 'external-secrets.io/type': 'webhook' } },
    stringData: { token: 't0ken' },
  })
  await world.create(
    SecretStoreKind,
    named('vault', {
      spec: {
        provider: {
          webhook: {
            url: 'https://hook.example/v1/{{ .remoteRef.key }}?ns={{ .remoteRef.namespace }}',
            method: 'POST',
            body: '{"version": "{{ .remoteRef.version }}"}',
            headers: { Authorization: 'Bearer {{ .auth.token }}' },
            secrets: [{ name: 'auth', secretRef: { name: 'hook' } }],
            result: { jsonPath: '$.{{ .remoteRef.property }}' },
          },
        },
      },
    }),
  )
  await world.create(
    ExternalSecretKind,
    external('db', {
      target: { deletionPolicy: 'Delete' },
      data: [
        item('pw', 'a b/c', 'data.db.pw'),
        item('port', 'x', 'data.db.port'),
        item('first', 'x', 'list[*]'),
        item('none', 'absent', 'data'),
      ],
      dataFrom: [{ extract: { key: 'x', property: 'data.db' } }],
    }),
  )
  await world.until(() => synced('db'))
  expect(await world.secret('db')).toEqual({ pw: 'one', port: '5432', first: 'first' })
  const request = asked.find(({ url }) => url.includes('a+b'))
  expect(request).toMatchObject({
    method: 'POST',
    url: 'https://hook.example/v1/a+b%2Fc?ns=default',
    body: '{"version": ""}',
    headers: { authorization: 'Bearer t0ken' },
  })
})

test('a provider that is not supported is accepted, warned of, and told', async () => {
  world = await externalTestWorld()
  await world.create(ClusterSecretStoreKind, {
    metadata: { name: 'aws' },
    spec: { provider: { aws: { service: 'SecretsManager', region: 'eu-west-1' } } },
  })
  await world.until(async () => (await world.ready(ClusterSecretStoreKind, 'aws')) !== undefined)
  expect(await world.ready(ClusterSecretStoreKind, 'aws')).toMatchObject({
    status: 'False',
    reason: 'InvalidProviderConfig',
    message: 'unsupported provider aws; supported are vault, kubernetes, fake, webhook',
  })
})

test('a store of another controller is left alone, and what uses it too', async () => {
  world = await externalTestWorld()
  await world.create(SecretStoreKind, {
    metadata: { name: 'vault', namespace: 'default' },
    spec: { controller: 'dev', provider: { fake: { data: [{ key: 'db', value: '{"pw":"one"}' }] } } },
  })
  await world.create(ExternalSecretKind, readOne)
  await world.settle()
  expect(await world.ready(SecretStoreKind, 'vault')).toBeUndefined()
  expect(await world.ready(ExternalSecretKind, 'db')).toBeUndefined()
  await world.change(SecretStoreKind, 'vault', { spec: { controller: null } })
  await world.until(() => synced('db'))
})

test.each<{ name: string; kind: Kind; object: object; want: string }>([
  {
    name: 'nothing to fetch',
    kind: ExternalSecretKind,
    object: external('x', {}),
    want: 'either data or dataFrom should be specified',
  },
  {
    name: 'a Secret that is not owned and to be deleted',
    kind: ExternalSecretKind,
    object: external('x', { target: { creationPolicy: 'Merge', deletionPolicy: 'Delete' }, data: [item('a', 'b')] }),
    want: "deletionPolicy=Delete must not be used when the controller doesn't own the secret",
  },
  {
    name: 'nothing to merge with',
    kind: ExternalSecretKind,
    object: external('x', { target: { creationPolicy: 'None', deletionPolicy: 'Merge' }, data: [item('a', 'b')] }),
    want: 'There is no Secret to merge with',
  },
  {
    name: 'find and extract at once',
    kind: ExternalSecretKind,
    object: external('x', { dataFrom: [{ find: { name: { regexp: 'x' } }, extract: { key: 'a' } }] }),
    want: 'extract, find, or generatorRef cannot be set at the same time',
  },
  {
    name: 'no source',
    kind: ExternalSecretKind,
    object: external('x', { dataFrom: [{}] }),
    want: 'either extract, find, or sourceRef must be set to dataFrom',
  },
  {
    name: 'a key twice',
    kind: ExternalSecretKind,
    object: external('x', { data: [item('a', 'b'), item('a', 'c')] }),
    want: 'duplicate secretKey found: a',
  },
  {
    name: 'a token of a ServiceAccount',
    kind: ExternalSecretKind,
    object: external('x', {
      data: [item('a', 'b')],
      target: {
        template: {
          type: 'kubernetes.io/service-account-token',
          metadata: { annotations: { 'kubernetes.io/service-account.name': 'root' } },
        },
      },
    }),
    want: 'is not allowed',
  },
  {
    name: 'a template that writes elsewhere',
    kind: ExternalSecretKind,
    object: external('x', {
      data: [item('a', 'b')],
      target: { template: { templateFrom: [{ target: 'metadata.ownerReferences', literal: 'x: y' }] } },
    }),
    want: 'is not allowed when targeting a Secret',
  },
  {
    name: 'a namespace that is not its own',
    kind: SecretStoreKind,
    object: vaultStore('x', { auth: { tokenSecretRef: { name: 'a', key: 'b', namespace: 'other' } } }),
    want: 'invalid Auth.TokenSecretRef: namespace should either be empty or match the namespace of the SecretStore',
  },
  {
    name: 'an AppRole without a role',
    kind: SecretStoreKind,
    object: vaultStore('x', { auth: { appRole: { path: 'approle', secretRef: { name: 'a', key: 'b' } } } }),
    want: 'neither `roleId` nor `roleRef` was supplied',
  },
  {
    name: 'check-and-set of the first version',
    kind: SecretStoreKind,
    object: vaultStore('x', { version: 'v1', checkAndSet: { required: true } }),
    want: 'checkAndSet is not supported with Vault KV version v1',
  },
  {
    name: 'a pattern that is none',
    kind: ClusterSecretStoreKind,
    object: {
      metadata: { name: 'x' },
      spec: { conditions: [{ namespaceRegexes: ['('] }], provider: { fake: { data: [{ key: 'a', value: 'b' }] } } },
    },
    want: 'failed to compile 0th namespace regex in 0th condition',
  },
])('what asks for $name is refused at admission', async ({ kind, object, want }) => {
  world = await externalTestWorld()
  const place = { resource: kind, ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}) }
  const answer = await world.client.create(place, {
    apiVersion: `${kind.group}/${kind.version}`,
    kind: kind.kind,
    ...object,
  })
  expect(refusalOf(answer).message).toContain(want)
})
