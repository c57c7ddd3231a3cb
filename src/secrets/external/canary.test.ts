import { afterEach, expect, test } from 'vitest'
import type { AdmissionPlugin } from '../../kube/admission.ts'
import { failure } from '../../kube/status.ts'
import type { ServiceHttp } from '../../runtime/service-http.ts'
import {
  type ExternalTestWorld,
  external,
  externalTestWorld,
  item,
  vaultStore,
  vaultToken,
} from './external-world.testkit.ts'
import { ExternalSecretKind, PushSecretKind, SecretKind, SecretStoreKind } from './kinds.ts'

const CANARY = 'canary "S3cret"\nline: two'
const FORMS = ['canary', 'S3cret', Buffer.from(CANARY).toString('base64'), encodeURIComponent('S3cret"')]

let world: ExternalTestWorld

afterEach(() => world.stop())

/** Nothing that anybody but the owner of the Secret sees holds any form of the value. */
async function expectSilence(): Promise<void> {
  const all = await world.everythingPublic()
  expect(FORMS.filter((form) => all.includes(form))).toEqual([])
}

async function withStore(more: Parameters<typeof externalTestWorld>[0] = {}, token: string = 'root'): Promise<void> {
  world = await externalTestWorld(more)
  world.vault.put('db', { pw: CANARY, bin: `${CANARY}\0` })
  await world.create(SecretKind, { ...vaultToken, stringData: { token } })
  await world.create(SecretStoreKind, vaultStore())
  await world.until(async () => (await world.ready(SecretStoreKind, 'vault')) !== undefined)
}

const template = (data: object, more: object = {}): object => ({
  data: [item('pw', 'db', 'pw')],
  target: { template: { data, ...more } },
})

test.each<{ name: string; spec: object }>([
  {
    name: 'a value that is no base64',
    spec: { data: [{ secretKey: 'pw', remoteRef: { key: 'db', property: 'pw', decodingStrategy: 'Base64' } }] },
  },
  {
    name: 'values that are no base64',
    spec: { dataFrom: [{ extract: { key: 'db', decodingStrategy: 'Base64URL' } }] },
  },
  {
    name: 'null bytes',
    spec: { data: [{ secretKey: 'pw', remoteRef: { key: 'db', property: 'bin', nullBytePolicy: 'Fail' } }] },
  },
  { name: 'a property that is not there', spec: { data: [item('pw', 'db', 'nothing')] } },
  {
    name: 'a version that is not there',
    spec: { data: [{ secretKey: 'pw', remoteRef: { key: 'db', version: '9' } }] },
  },
  { name: 'a value that is taken apart', spec: { dataFrom: [{ extract: { key: 'db', property: 'pw' } }] } },
  { name: 'values that are merged', spec: { dataFrom: [{ extract: { key: 'db' }, rewrite: [{ merge: {} }] }] } },
  { name: 'fail', spec: template({ x: '{{ fail .pw }}' }) },
  { name: 'mustToDate', spec: template({ x: '{{ mustToDate "2006" .pw }}' }) },
  { name: 'mustRegexMatch', spec: template({ x: '{{ mustRegexMatch (print "(" .pw) "x" }}' }) },
  { name: 'mustFromJson', spec: template({ x: '{{ mustFromJson .pw }}' }) },
  { name: 'semver', spec: template({ x: '{{ semver .pw }}' }) },
  { name: 'index', spec: template({ x: '{{ index .pw .pw }}' }) },
  { name: 'a field of a value', spec: template({ x: '{{ .pw.deeper }}' }) },
  { name: 'a key by a value', spec: template({ x: '{{ index . .pw | upper | fail }}' }) },
  { name: 'genPrivateKey', spec: template({ x: '{{ genPrivateKey .pw }}' }) },
  { name: 'genCA', spec: template({ x: '{{ (genCAWithKey .pw 1 .pw).Cert }}' }) },
  { name: 'rsaDecrypt', spec: template({ x: '{{ rsaDecrypt .pw "SHA256" .pw .pw }}' }) },
  { name: 'filterPEM', spec: template({ x: '{{ filterPEM .pw .pw }}' }) },
  { name: 'jwkPrivateKeyPem', spec: template({ x: '{{ jwkPrivateKeyPem .pw }}' }) },
  { name: 'calling a template named by a value', spec: template({ x: '{{ template .pw }}' }) },
  { name: 'YAML of values', spec: template({}, { templateFrom: [{ literal: '{{ .pw }}: [' }] }) },
  { name: 'YAML that is a list', spec: template({}, { templateFrom: [{ literal: '- {{ .pw | quote }}' }] }) },
  { name: 'a label that no label can be', spec: template({}, { metadata: { labels: { l: '{{ .pw }}' } } }) },
  { name: 'a key that no key can be', spec: template({}, { templateFrom: [{ literal: '{{ .pw | quote }}: x' }] }) },
  {
    name: 'a label named by a value',
    spec: template({}, { templateFrom: [{ target: 'Labels', literal: '{{ .pw | quote }}: x' }] }),
  },
  { name: 'a type that asks for other keys', spec: template({ pw: '{{ .pw }}' }, { type: 'kubernetes.io/tls' }) },
  {
    name: 'a type that asks for JSON',
    spec: template({ '.dockerconfigjson': '{{ .pw }}' }, { type: 'kubernetes.io/dockerconfigjson' }),
  },
])('what goes wrong with $name is told without the value', async ({ spec }) => {
  await withStore()
  await world.create(ExternalSecretKind, external('db', spec))
  // Some functions answer with what they were given instead of failing; then there is a Secret, and nothing to tell.
  await world.until(async () => (await world.ready(ExternalSecretKind, 'db')) !== undefined)
  await expectSilence()
})

test('a refusal that quotes the Secret is told without the value', async () => {
  const quoting: AdmissionPlugin = {
    name: 'quoting',
    handles: ({ kind, name }) => kind.kind === 'Secret' && name === 'db',
    validate: ({ object }) =>
      Promise.resolve({
        allowed: false,
        status: failure(
          'Forbidden',
          `policy says no to ${JSON.stringify(object?.['data'])} which is ${CANARY} or ${JSON.stringify(CANARY)}`,
        ),
      }),
  }
  await withStore({ admission: [quoting] })
  await world.create(ExternalSecretKind, external('db', { data: [item('pw', 'db', 'pw')] }))
  await world.until(async () => (await world.ready(ExternalSecretKind, 'db'))?.status === 'False')
  expect((await world.ready(ExternalSecretKind, 'db'))?.message).toContain('policy says no')
  await expectSilence()
})

test('a token that is refused is not told, even where the Vault quotes it', async () => {
  await withStore({}, 'canary-token')
  await world.until(async () => (await world.ready(SecretStoreKind, 'vault'))?.status === 'False')
  expect((await world.ready(SecretStoreKind, 'vault'))?.message).toContain('permission denied for (hidden)')
  await expectSilence()
})

test('what a login is made of is not told, even where the Vault quotes it', async () => {
  world = await externalTestWorld()
  world.vault.logins.set('auth/approle/login', { body: { role_id: 'r', secret_id: 'right' }, token: 't', seconds: 60 })
  await world.create(SecretKind, { ...vaultToken, stringData: { secret: CANARY } })
  const auth = { appRole: { path: 'approle', roleId: 'r', secretRef: { name: 'vault-token', key: 'secret' } } }
  await world.create(SecretStoreKind, vaultStore('vault', { auth }))
  await world.until(async () => (await world.ready(SecretStoreKind, 'vault'))?.status === 'False')
  await expectSilence()
})

test('a webhook that cannot be reached, or refuses, is told without what was sent', async () => {
  let isAway = true
  const http: ServiceHttp = ({ url, method }) => {
    if (method === 'HEAD') return Promise.resolve({ status: 200, headers: new Map(), body: '' })
    if (isAway) return Promise.reject(new Error(`getaddrinfo ENOTFOUND ${url}`, { cause: new Error(CANARY) }))
    return Promise.resolve({ status: 500, headers: new Map(), body: CANARY })
  }
  world = await externalTestWorld({ http })
  await world.create(SecretKind, {
    metadata: { name: 'hook', namespace: 'default', labels: { 'external-secrets.io/type': 'webhook' } },
    stringData: { pw: CANARY },
  })
  const webhook = {
    url: 'http://hook.example/{{ .remoteRef.key }}?pw={{ .auth.pw }}',
    headers: { authorization: '{{ .auth.pw }}' },
    secrets: [{ name: 'auth', secretRef: { name: 'hook' } }],
    result: { jsonPath: '$.x' },
  }
  await world.create(SecretStoreKind, {
    metadata: { name: 'vault', namespace: 'default' },
    spec: { provider: { webhook } },
  })
  await world.create(ExternalSecretKind, external('db', { data: [item('pw', 'db')] }))
  await world.until(async () => (await world.ready(ExternalSecretKind, 'db'))?.status === 'False')
  await expectSilence()
  isAway = false
  await world.until(
    async () => (await world.ready(ExternalSecretKind, 'db'))?.message?.includes('endpoint gave error 500') === true,
    120_000,
  )
  await expectSilence()
})

test('a push that goes wrong is told without the value', async () => {
  await withStore()
  await world.create(SecretKind, { metadata: { name: 'source', namespace: 'default' }, stringData: { pw: CANARY } })
  await world.create(PushSecretKind, {
    metadata: { name: 'push', namespace: 'default' },
    spec: {
      secretStoreRefs: [{ name: 'vault' }],
      selector: { secret: { name: 'source' } },
      data: [{ match: { secretKey: 'pw', remoteRef: { remoteKey: 'new' } } }],
    },
  })
  await world.until(async () => (await world.ready(PushSecretKind, 'push'))?.status === 'False')
  await expectSilence()
})

test('all goes well without a word of the value', async () => {
  await withStore()
  await world.create(ExternalSecretKind, external('db', { dataFrom: [{ extract: { key: 'db' } }] }))
  await world.until(async () => (await world.ready(ExternalSecretKind, 'db'))?.status === 'True')
  expect((await world.secret('db'))?.['pw']).toBe(CANARY)
  await expectSilence()
})
