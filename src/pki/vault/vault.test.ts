import { afterEach, describe, expect, test } from 'vitest'
import type { Condition } from '../../kube/condition.ts'
import type { ServiceHttp, ServiceRequest } from '../../runtime/service-http.ts'
import {
  certificateRequests,
  certificates,
  issuers,
  type RequestStatus,
  secrets,
  type VaultIssuer,
} from '../objects.ts'
import { certificate, type PkiWorld, pkiWorld, textOf } from '../pki.testkit.ts'
import { templateOf } from '../request/template.ts'
import { certificatePem, issueCertificate } from '../x509/certificate.ts'
import { generateKey } from '../x509/keys.ts'
import { encodeName, nameOf } from '../x509/names.ts'
import { vaultProblem } from './fields.ts'

let world: PkiWorld | undefined
afterEach(() => world?.stop())

interface FakeVault {
  readonly http: ServiceHttp
  readonly asked: ServiceRequest[]
  health: number
  refuse: string | undefined
}

/** A Vault that knows one role, one token and one AppRole, and signs whatever it is asked. */
async function fakeVault(): Promise<FakeVault> {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 })
  const subject = encodeName(nameOf({ commonName: 'vault root' }))
  const life = { notBeforeMs: 0, notAfterMs: 4e12 }
  const authority = { subject, publicKey: key, ...life, isCa: true, usages: { bits: 32, extended: [] }, further: [] }
  const ca = certificatePem({ bytes: await issueCertificate(authority, { subject, key }, Uint8Array.of(1)) })
  const asked: ServiceRequest[] = []
  const vault: FakeVault = {
    asked,
    health: 200,
    refuse: undefined,
    async http(request) {
      asked.push(request)
      const answer = (status: number, body: object) => ({
        status,
        headers: new Map<string, string>(),
        body: JSON.stringify(body),
      })
      const path = new URL(request.url).pathname
      const body = JSON.parse(request.body ?? '{}') as Record<string, string>
      if (path === '/v1/sys/health') return answer(vault.health, {})
      if (path.endsWith('/login')) {
        const isKnown = body['secret_id'] === 's3cret' || body['jwt']
        return isKnown
          ? answer(200, { auth: { client_token: 'good' } })
          : answer(400, { errors: ['invalid role or secret ID'] })
      }
      if (request.headers['x-vault-token'] !== 'good') return answer(403, { errors: ['permission denied'] })
      if (path !== '/v1/pki/sign/web') return answer(404, { errors: [] })
      if (vault.refuse) return answer(400, { errors: [vault.refuse] })
      const template = templateOf(
        { request: Buffer.from(body['csr'] ?? '').toString('base64'), issuerRef: { name: '' } },
        Date.UTC(2026, 0, 1),
      )
      if (!template.ok) return answer(400, { errors: ['bad csr'] })
      const bytes = await issueCertificate({ ...template.value, ...life }, { subject, key }, Uint8Array.of(2))
      return answer(200, { data: { certificate: certificatePem({ bytes }), issuing_ca: ca, ca_chain: [ca] } })
    },
  }
  return vault
}

const readyOf = async (here: PkiWorld, kind: 'issuer' | 'request', name: string): Promise<Condition | undefined> => {
  const status: RequestStatus =
    (await here.get(kind === 'issuer' ? issuers : certificateRequests, name, 'default'))?.['status'] ?? {}
  return status.conditions?.find(({ type }) => type === 'Ready')
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const spec = (auth: VaultIssuer['auth']): object => ({
  vault: { server: 'http://vault.test', path: 'pki/sign/web', namespace: 'team', ...(auth ? { auth } : {}) },
})

async function start(auth: VaultIssuer['auth'], vault: FakeVault): Promise<PkiWorld> {
  const here = (world = await pkiWorld({ parts: { http: vault.http } }))
  await here.create(secrets, {
    metadata: { name: 'login', namespace: 'default' },
    data: { token: base64('good\n'), id: base64('s3cret'), bad: base64('hidden-value') },
  })
  await here.create(
    { group: '', version: 'v1', plural: 'serviceaccounts' },
    { metadata: { name: 'issuer', namespace: 'default' } },
  )
  await here.create(issuers, { metadata: { name: 'vault', namespace: 'default' }, spec: spec(auth) })
  return here
}

const web = certificate('web', {
  issuerRef: { name: 'vault' },
  commonName: 'web.test',
  ipAddresses: ['10.0.0.1'],
  duration: '48h',
  usages: ['digital signature', 'key encipherment'],
})

describe('a Vault signs', () => {
  test.each<readonly [string, VaultIssuer['auth']]>([
    ['a token', { tokenSecretRef: { name: 'login' } }],
    ['an AppRole', { appRole: { path: 'approle', roleId: 'r', secretRef: { name: 'login', key: 'id' } } }],
    ['a ServiceAccount', { kubernetes: { role: 'r', serviceAccountRef: { name: 'issuer' } } }],
  ])('for %s', async (_name, auth) => {
    const vault = await fakeVault()
    const here = await start(auth, vault)
    await here.until('the issuer is ready', async () =>
      (await readyOf(here, 'issuer', 'vault'))?.reason === 'VaultVerified' ? true : undefined,
    )
    await here.create(certificates, web)
    await here.ready('web')
    const secret = await here.get(secrets, 'web-tls', 'default')
    expect(textOf(secret, 'ca.crt')).toContain('BEGIN CERTIFICATE')
    const asked = vault.asked.find(({ url }) => url.endsWith('/v1/pki/sign/web'))
    expect(JSON.parse(asked?.body ?? '')).toMatchObject({
      common_name: 'web.test',
      alt_names: 'web.test',
      ip_sans: '10.0.0.1',
      ttl: '172800s',
      exclude_cn_from_sans: 'true',
    })
    expect(asked?.headers).toMatchObject({ 'x-vault-token': 'good', 'x-vault-namespace': 'team' })
    expect(JSON.stringify(here.logged)).not.toMatch(/s3cret|"good"/)
  })
})

test('a Vault that is sealed makes its issuer wait, and a login that fails is told without the secret', async () => {
  const vault = await fakeVault()
  vault.health = 503
  const here = await start(
    { appRole: { path: 'approle', roleId: 'r', secretRef: { name: 'login', key: 'bad' } } },
    vault,
  )
  const first = await here.until('the state', () => readyOf(here, 'issuer', 'vault'))
  expect(first).toMatchObject({
    status: 'False',
    reason: 'VaultError',
    message:
      'Failed to initialize Vault client: error logging in to Vault server: it answered 400: invalid role or secret ID',
  })
  await here.patch(
    issuers,
    'vault',
    { spec: { vault: { auth: { appRole: null, tokenSecretRef: { name: 'login' } } } } },
    'default',
  )
  const message = 'Failed to verify Vault is initialized and unsealed: Vault is sealed'
  await here.until('it says that it is sealed', async () =>
    (await readyOf(here, 'issuer', 'vault'))?.message === message ? true : undefined,
  )
  vault.health = 200
  await here.clock.advance(31_000)
  await here.until('the issuer is ready', async () =>
    (await readyOf(here, 'issuer', 'vault'))?.status === 'True' ? true : undefined,
  )
  vault.refuse = 'role is not allowed to sign for web.test'
  await here.create(certificates, web)
  const failed = await here.until('the failure', async () => {
    const ready = await readyOf(here, 'request', 'web-1')
    return ready?.reason === 'Failed' ? ready : undefined
  })
  expect(failed.message).toBe(
    'Vault failed to sign certificate: failed to sign certificate by vault: it answered 400: role is not allowed to sign for web.test',
  )
  const events = await here.list({ group: '', version: 'v1', plural: 'events' }, 'default')
  expect(JSON.stringify([events, here.logged])).not.toContain('hidden-value')
})

test.each<readonly [VaultIssuer, string | undefined]>([
  [{}, 'Vault server and path are required fields'],
  [{ server: 's', path: 'p' }, 'Vault tokenSecretRef, appRole, clientCertificate, kubernetes, or aws is required'],
  [
    { server: 's', path: 'p', auth: { tokenSecretRef: { name: 'a' }, appRole: {} } },
    'Multiple auth methods cannot be set on the same Vault issuer',
  ],
  [{ server: 's', path: 'p', auth: { tokenSecretRef: {} } }, 'Vault Token auth requires tokenSecretRef.name'],
  [
    { server: 's', path: 'p', auth: { appRole: { roleId: 'r' } } },
    'Vault AppRole auth requires both roleId and tokenSecretRef.name',
  ],
  [
    { server: 's', path: 'p', auth: { appRole: { roleId: 'r', secretRef: { name: 's' } } } },
    'Vault AppRole auth requires secretRef.key',
  ],
  [{ server: 's', path: 'p', auth: { kubernetes: {} } }, 'Vault Kubernetes auth requires a role to be set'],
  [
    { server: 's', path: 'p', auth: { kubernetes: { role: 'r' } } },
    'Vault Kubernetes auth requires either secretRef.name or serviceAccountRef.name to be set',
  ],
  [
    { server: 's', path: 'p', auth: { aws: {} } },
    'Vault AWS auth is accepted but not served: use tokenSecretRef, appRole, clientCertificate or kubernetes',
  ],
  [{ server: 's', path: 'p', auth: { tokenSecretRef: { name: 'a' } } }, undefined],
])('%j: %s', (vault, want) => expect(vaultProblem(vault)).toBe(want))
