import { afterEach, expect, test } from 'vitest'
import type { Condition } from '../kube/condition.ts'
import type { ResourceId } from '../kube/gvk.ts'
import {
  certificateRequests,
  certificates,
  type CertificateStatus,
  clusterIssuers,
  issuers,
  type RequestStatus,
  secrets,
} from './objects.ts'
import { has, openssl } from './openssl.testkit.ts'
import { certificate, type PkiWorld, pkiWorld, textOf, withAuthority } from './pki.testkit.ts'

let world: PkiWorld | undefined
afterEach(() => world?.stop())

const DAY_MS = 86_400_000

test('a chain of authorities signs a certificate, in one Secret with all that cert-manager writes', async () => {
  const here = (world = await pkiWorld())
  const root = await withAuthority(here)
  await here.create(
    certificates,
    certificate(
      'web',
      {
        dnsNames: ['web.test', 'www.web.test'],
        usages: ['server auth', 'digital signature'],
        secretTemplate: { labels: { team: 'a' }, annotations: { note: 'b' } },
      },
      { labels: { app: 'web' } },
    ),
  )
  const web = await here.ready('web')
  const secret = await here.get(secrets, 'web-tls', 'default')
  expect(secret).toMatchObject({
    type: 'kubernetes.io/tls',
    metadata: {
      labels: { 'controller.cert-manager.io/fao': 'true', team: 'a' },
      annotations: {
        'cert-manager.io/alt-names': 'web.test,www.web.test',
        'cert-manager.io/certificate-name': 'web',
        'cert-manager.io/common-name': '',
        'cert-manager.io/ip-sans': '',
        'cert-manager.io/issuer-group': '',
        'cert-manager.io/issuer-kind': 'Issuer',
        'cert-manager.io/issuer-name': 'ca',
        'cert-manager.io/uri-sans': '',
        note: 'b',
      },
    },
  })
  expect(Object.keys(secret?.['data'] ?? {}).toSorted()).toEqual(['ca.crt', 'tls.crt', 'tls.key'])
  expect(textOf(secret, 'ca.crt')).toBe(root)
  expect(web['status']).toMatchObject({
    revision: 1,
    notBefore: '2026-01-01T00:00:00Z',
    notAfter: '2026-04-01T00:00:00Z',
    renewalTime: '2026-03-02T00:00:00Z',
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Ready',
        message: 'Certificate is up to date and has not expired',
        observedGeneration: 1,
      },
    ],
  })
  const request = await here.get(certificateRequests, 'web-1', 'default')
  expect(request).toMatchObject({
    metadata: {
      labels: { app: 'web' },
      annotations: { 'cert-manager.io/certificate-name': 'web', 'cert-manager.io/certificate-revision': '1' },
      ownerReferences: [{ kind: 'Certificate', name: 'web', controller: true, blockOwnerDeletion: true }],
    },
    spec: { issuerRef: { name: 'ca', kind: 'Issuer' }, usages: ['server auth', 'digital signature'] },
    status: {
      conditions: [
        {
          type: 'Approved',
          status: 'True',
          reason: 'cert-manager.io',
          message: 'Certificate request has been approved by cert-manager.io',
        },
        { type: 'Ready', status: 'True', reason: 'Issued', message: 'Certificate fetched from issuer successfully' },
      ],
    },
  })
  const left = await here.list(secrets, 'default')
  expect(left.map(({ metadata }) => metadata.name)).toEqual(['root-tls', 'web-tls'])
  expect(JSON.stringify(here.logged)).not.toContain('PRIVATE KEY')
})

test('a certificate is renewed after two thirds of its life, with a new key, and old requests go', async () => {
  const here = (world = await pkiWorld())
  await withAuthority(here)
  await here.create(certificates, certificate('web'))
  await here.ready('web')
  const before = await here.get(secrets, 'web-tls', 'default')
  await here.clock.advance(59 * DAY_MS)
  expect((await here.ready('web'))['status']).toMatchObject({ revision: 1 })
  await here.clock.advance(DAY_MS)
  expect((await here.ready('web', 'default', 2))['status']).toMatchObject({
    revision: 2,
    notBefore: '2026-03-02T00:00:00Z',
    notAfter: '2026-05-31T00:00:00Z',
    renewalTime: '2026-05-01T00:00:00Z',
  })
  const after = await here.get(secrets, 'web-tls', 'default')
  expect(textOf(after, 'tls.key')).not.toBe(textOf(before, 'tls.key'))
  await here.until('the old request is gone', async () =>
    (await here.get(certificateRequests, 'web-1', 'default')) ? undefined : true,
  )
  expect(await here.get(certificateRequests, 'web-2', 'default')).toBeDefined()
})

test.runIf(has('openssl'))('openssl accepts what Secrets hold, for the names that were asked for', async () => {
  const here = (world = await pkiWorld())
  const root = await withAuthority(here)
  await here.create(
    certificates,
    certificate('web', { dnsNames: ['web.test', '*.web.test'], ipAddresses: ['10.0.0.7'] }),
  )
  await here.ready('web')
  const secret = await here.get(secrets, 'web-tls', 'default')
  const files = { ca: root, leaf: textOf(secret, 'tls.crt') }
  const at = String(Math.floor(here.clock.now() / 1_000) + 5)
  const check = ['verify', '-x509_strict', '-attime', at, '-purpose', 'sslserver', '-CAfile', 'ca']
  expect(openssl([...check, '-verify_hostname', 'a.web.test', 'leaf'], files).text).toContain('leaf: OK')
  expect(openssl([...check, '-verify_ip', '10.0.0.7', 'leaf'], files).text).toContain('leaf: OK')
  expect(openssl([...check, '-verify_ip', '10.0.0.8', 'leaf'], files).code).not.toBe(0)
})

const statusOf = async (here: PkiWorld, name: string, namespace = 'default'): Promise<CertificateStatus> =>
  (await here.get(certificates, name, namespace))?.['status'] ?? {}

const condition = ({ conditions }: CertificateStatus | RequestStatus, type: string): Condition | undefined =>
  conditions?.find((each) => each.type === type)

/** The Ready condition of whatever has one. */
async function readyOf(
  here: PkiWorld,
  resource: ResourceId,
  name: string,
  namespace?: string,
): Promise<Condition | undefined> {
  const status: RequestStatus = (await here.get(resource, name, namespace))?.['status'] ?? {}
  return condition(status, 'Ready')
}

test('a request that fails is told, and tried again after an hour, then after two', async () => {
  const here = (world = await pkiWorld())
  await withAuthority(here)
  // An authority whose certificate belongs to another key.
  await here.create(certificates, certificate('other', { isCA: true, commonName: 'other', issuerRef: { name: 'own' } }))
  await here.ready('other')
  const [key, crt] = [await here.get(secrets, 'root-tls', 'default'), await here.get(secrets, 'other-tls', 'default')]
  const data = {
    'tls.key': Buffer.from(textOf(key, 'tls.key')).toString('base64'),
    'tls.crt': Buffer.from(textOf(crt, 'tls.crt')).toString('base64'),
  }
  await here.create(secrets, { metadata: { name: 'mixed', namespace: 'default' }, type: 'kubernetes.io/tls', data })
  await here.create(issuers, {
    metadata: { name: 'mixed', namespace: 'default' },
    spec: { ca: { secretName: 'mixed' } },
  })
  await here.create(certificates, certificate('web', { issuerRef: { name: 'mixed' } }))
  const failures = (count: number) =>
    here.until(`${count} failures`, async () => {
      const status = await statusOf(here, 'web')
      return status.failedIssuanceAttempts === count && condition(status, 'Issuing')?.status === 'False'
        ? status
        : undefined
    })
  const first = await failures(1)
  expect(condition(first, 'Issuing')).toMatchObject({
    reason: 'Failed',
    message:
      "The certificate request has failed to complete and will be retried: Error signing certificate: the private key of the authority does not match its certificate's public key",
  })
  expect(condition(first, 'Ready')).toMatchObject({
    status: 'False',
    reason: 'DoesNotExist',
    message: 'Issuing certificate as Secret does not exist',
  })
  const leftover = async () =>
    (await here.list(secrets, 'default')).filter(
      ({ metadata }) => metadata.labels?.['cert-manager.io/next-private-key'],
    )
  await here.until('the unused key is gone', async () => ((await leftover()).length === 0 ? true : undefined))
  await here.clock.advance(59 * 60_000)
  expect((await statusOf(here, 'web')).failedIssuanceAttempts).toBe(1)
  await here.clock.advance(2 * 60_000)
  await failures(2)
  await here.clock.advance(110 * 60_000)
  expect((await statusOf(here, 'web')).failedIssuanceAttempts).toBe(2)
  // A change of the Certificate is tried at once, here with an issuer that works.
  await here.patch(certificates, 'web', { spec: { issuerRef: { name: 'ca' } } }, 'default')
  expect((await here.ready('web'))['status']).not.toHaveProperty('failedIssuanceAttempts')
})

test('a request that is denied fails the issuance, and nobody signs it', async () => {
  const here = (world = await pkiWorld({ parts: { approves: [] } }))
  await here.create(issuers, { metadata: { name: 'own', namespace: 'default' }, spec: { selfSigned: {} } })
  await here.create(certificates, certificate('web', { issuerRef: { name: 'own' } }))
  const request = await here.until('the request', () => here.get(certificateRequests, 'web-1', 'default'))
  await here.clock.advance(1_000)
  expect((await here.get(certificateRequests, 'web-1', 'default'))?.['status']).toBeUndefined()
  const conditions = [{ type: 'Denied', status: 'True', reason: 'Policy', message: 'not here' }]
  const target = { resource: certificateRequests, namespace: 'default', name: 'web-1', subresource: 'status' }
  expect((await here.client.update(target, { ...request, status: { conditions } })).ok).toBe(true)
  const status = await here.until('the failure', async () => {
    const now = await statusOf(here, 'web')
    return condition(now, 'Issuing')?.status === 'False' ? now : undefined
  })
  expect(condition(status, 'Issuing')).toMatchObject({
    reason: 'Policy',
    message: 'The certificate request has failed to complete and will be retried: not here',
  })
  const denied = await here.until('the state of the request', async () => {
    const now = ((await here.get(certificateRequests, 'web-1', 'default'))?.['status'] ?? {}) as RequestStatus
    return now.failureTime === undefined ? undefined : now
  })
  expect(condition(denied, 'Ready')).toMatchObject({ status: 'False', reason: 'Denied' })
})

test('a change of the names issues anew; one of the template only rewrites the Secret', async () => {
  const here = (world = await pkiWorld())
  await withAuthority(here)
  await here.create(
    certificates,
    certificate('web', {
      secretTemplate: { labels: { a: '1', b: '1' } },
      additionalOutputFormats: [{ type: 'DER' }, { type: 'CombinedPEM' }],
    }),
  )
  await here.ready('web')
  const before = await here.get(secrets, 'web-tls', 'default')
  expect(Object.keys(before?.['data'] ?? {}).toSorted()).toEqual([
    'ca.crt',
    'key.der',
    'tls-combined.pem',
    'tls.crt',
    'tls.key',
  ])
  expect(textOf(before, 'tls-combined.pem')).toBe(`${textOf(before, 'tls.key')}\n${textOf(before, 'tls.crt')}`)
  await here.patch(
    certificates,
    'web',
    { spec: { secretTemplate: { labels: { b: null, c: '2' } }, additionalOutputFormats: null } },
    'default',
  )
  const rewritten = await here.until('the new labels', async () => {
    const now = await here.get(secrets, 'web-tls', 'default')
    return now?.metadata.labels?.['c'] === '2' ? now : undefined
  })
  expect(rewritten.metadata.labels).toEqual({ a: '1', c: '2', 'controller.cert-manager.io/fao': 'true' })
  expect(Object.keys(rewritten['data'] ?? {}).toSorted()).toEqual(['ca.crt', 'tls.crt', 'tls.key'])
  expect(textOf(rewritten, 'tls.key')).toBe(textOf(before, 'tls.key'))
  expect((await statusOf(here, 'web')).revision).toBe(1)
  await here.patch(certificates, 'web', { spec: { dnsNames: ['new.test'] } }, 'default')
  await here.ready('web', 'default', 2)
  expect((await here.get(secrets, 'web-tls', 'default'))?.metadata.annotations).toMatchObject({
    'cert-manager.io/alt-names': 'new.test',
  })
})

test('somebody who spoils the Secret gets it back, and a Secret that goes comes back', async () => {
  const here = (world = await pkiWorld())
  await withAuthority(here)
  await here.create(certificates, certificate('web'))
  await here.ready('web')
  await here.patch(secrets, 'web-tls', { data: { 'tls.crt': Buffer.from('nonsense').toString('base64') } }, 'default')
  await here.ready('web', 'default', 2)
  expect((await here.client.delete({ resource: secrets, namespace: 'default', name: 'web-tls' })).ok).toBe(true)
  await here.ready('web', 'default', 3)
  await here.patch(
    secrets,
    'web-tls',
    {
      metadata: {
        annotations: { 'cert-manager.io/common-name': 'lies' },
        labels: { 'controller.cert-manager.io/fao': null },
      },
    },
    'default',
  )
  await here.until('the annotation is corrected', async () => {
    const now = await here.get(secrets, 'web-tls', 'default')
    const isRight = now?.metadata.annotations?.['cert-manager.io/common-name'] === ''
    return isRight && now.metadata.labels?.['controller.cert-manager.io/fao'] === 'true' ? true : undefined
  })
  expect((await statusOf(here, 'web')).revision).toBe(3)
})

test('a key that is never rotated stays, and one that does not fit stops the issuance until it may change', async () => {
  const here = (world = await pkiWorld())
  await withAuthority(here)
  await here.create(
    certificates,
    certificate('web', { privateKey: { algorithm: 'ECDSA', rotationPolicy: 'Never', encoding: 'PKCS8' } }),
  )
  await here.ready('web')
  const key = textOf(await here.get(secrets, 'web-tls', 'default'), 'tls.key')
  expect(key).toContain('BEGIN PRIVATE KEY')
  await here.patch(certificates, 'web', { spec: { dnsNames: ['b.test'] } }, 'default')
  await here.ready('web', 'default', 2)
  expect(textOf(await here.get(secrets, 'web-tls', 'default'), 'tls.key')).toBe(key)
  await here.patch(certificates, 'web', { spec: { privateKey: { size: 384 } } }, 'default')
  await here.until('the Event', async () => {
    const events = await here.list({ group: '', version: 'v1', plural: 'events' }, 'default')
    return events.find((event) => event['reason'] === 'CannotRegenerateKey')
  })
  expect((await statusOf(here, 'web')).revision).toBe(2)
  await here.patch(certificates, 'web', { spec: { privateKey: { rotationPolicy: 'Always' } } }, 'default')
  await here.ready('web', 'default', 3)
  expect(textOf(await here.get(secrets, 'web-tls', 'default'), 'tls.key')).not.toBe(key)
})

test('two Certificates that name one Secret do not fight: the older has it, the younger says why it has not', async () => {
  const here = (world = await pkiWorld())
  await withAuthority(here)
  await here.create(certificates, certificate('first', { secretName: 'shared' }))
  await here.ready('first')
  await here.create(certificates, certificate('second', { secretName: 'shared' }))
  await here.clock.advance(400_000)
  expect(condition(await statusOf(here, 'second'), 'Ready')).toMatchObject({
    status: 'False',
    reason: 'IncorrectCertificate',
  })
  expect(await statusOf(here, 'second')).not.toHaveProperty('revision')
  expect((await statusOf(here, 'first')).revision).toBe(1)
  expect((await here.client.delete({ resource: certificates, namespace: 'default', name: 'first' })).ok).toBe(true)
  await here.clock.advance(200_000)
  await here.ready('second')
})

test('a temporary certificate fills the Secret until an issuer answers', async () => {
  const here = (world = await pkiWorld())
  await withAuthority(here)
  await here.create(
    certificates,
    certificate(
      'web',
      { issuerRef: { name: 'later' } },
      { annotations: { 'cert-manager.io/issue-temporary-certificate': 'true' } },
    ),
  )
  const first = await here.until('the temporary one', () => here.get(secrets, 'web-tls', 'default'))
  expect(first.metadata.annotations).not.toHaveProperty('cert-manager.io/issuer-name')
  const pending = await here.until('the state of the request', async () => {
    const now = (await here.get(certificateRequests, 'web-1', 'default'))?.['status'] as RequestStatus | undefined
    return now && condition(now, 'Ready')
  })
  expect(pending).toMatchObject({
    status: 'False',
    reason: 'Pending',
    message: 'Referenced "Issuer" not found: issuer.cert-manager.io "later" not found',
  })
  await here.create(issuers, {
    metadata: { name: 'later', namespace: 'default' },
    spec: { ca: { secretName: 'root-tls' } },
  })
  await here.ready('web')
  const second = await here.get(secrets, 'web-tls', 'default')
  expect(second?.metadata.annotations).toHaveProperty('cert-manager.io/issuer-name', 'later')
  expect(textOf(second, 'tls.key')).toBe(textOf(first, 'tls.key'))
})

test('an authority that expired stops signing and says so; renewed, it signs again', async () => {
  const here = (world = await pkiWorld())
  await here.create(clusterIssuers, { metadata: { name: 'own' }, spec: { selfSigned: {} } })
  const spec = {
    isCA: true,
    commonName: 'short',
    dnsNames: [],
    duration: '24h',
    renewal: { policy: 'Disabled' },
    issuerRef: { name: 'own', kind: 'ClusterIssuer' },
  }
  await here.create(certificates, certificate('root', spec, { namespace: 'cert-manager' }))
  await here.ready('root', 'cert-manager')
  await here.create(clusterIssuers, { metadata: { name: 'ca' }, spec: { ca: { secretName: 'root-tls' } } })
  const ready = () => readyOf(here, clusterIssuers, 'ca')
  await here.until('the issuer is ready', async () => ((await ready())?.status === 'True' ? true : undefined))
  await here.clock.advance(25 * 3_600_000)
  expect(await ready()).toMatchObject({
    status: 'False',
    reason: 'ErrInvalidKeyPair',
    message: expect.stringContaining('expired at 2026-01-02T00:00:0') as string,
  })
  expect(
    condition(((await here.get(certificates, 'root', 'cert-manager'))?.['status'] ?? {}) as CertificateStatus, 'Ready'),
  ).toMatchObject({ status: 'False', reason: 'Expired' })
  await here.create(certificates, certificate('web', { issuerRef: { name: 'ca', kind: 'ClusterIssuer' } }))
  const pending = await here.until('the state of the request', async () => {
    return readyOf(here, certificateRequests, 'web-1', 'default')
  })
  expect(pending).toMatchObject({
    reason: 'Pending',
    message: 'Referenced issuer does not have a Ready status condition',
  })
  await here.patch(certificates, 'root', { spec: { renewal: null } }, 'cert-manager')
  await here.ready('root', 'cert-manager', 2)
  await here.ready('web')
  const secret = await here.get(secrets, 'web-tls', 'default')
  expect(textOf(secret, 'ca.crt')).toBe(textOf(await here.get(secrets, 'root-tls', 'cert-manager'), 'tls.crt'))
})

test('keystores are in the Secret, and wait for their password', async () => {
  const here = (world = await pkiWorld())
  await withAuthority(here)
  const ref = { create: true, passwordSecretRef: { name: 'password', key: 'p' } }
  await here.create(
    certificates,
    certificate('web', { keystores: { jks: ref, pkcs12: { ...ref, profile: 'Modern2023' } } }),
  )
  await here.until('the request is signed', async () => {
    const now = (await here.get(certificateRequests, 'web-1', 'default'))?.['status'] as RequestStatus | undefined
    return now?.certificate
  })
  await here.clock.advance(1_000)
  expect(await here.get(secrets, 'web-tls', 'default')).toBeUndefined()
  expect(here.controllers.pending()).toBeDefined()
  await here.create(secrets, {
    metadata: { name: 'password', namespace: 'default' },
    data: { p: Buffer.from('changeit').toString('base64') },
  })
  await here.ready('web')
  const names = () =>
    here.get(secrets, 'web-tls', 'default').then((secret) => Object.keys(secret?.['data'] ?? {}).toSorted())
  expect(await names()).toEqual([
    'ca.crt',
    'keystore.jks',
    'keystore.p12',
    'tls.crt',
    'tls.key',
    'truststore.jks',
    'truststore.p12',
  ])
  await here.patch(certificates, 'web', { spec: { keystores: null } }, 'default')
  await here.until('they are gone', async () => ((await names()).length === 3 ? true : undefined))
  expect(JSON.stringify(here.logged)).not.toContain('changeit')
})

test('an issuer of a kind that is not served says so, and so does one that says nothing', async () => {
  const here = (world = await pkiWorld())
  const acme = {
    server: 'https://acme.test',
    privateKeySecretRef: { name: 'k' },
    solvers: [{ http01: { ingress: {} } }],
  }
  await here.create(issuers, { metadata: { name: 'acme', namespace: 'default' }, spec: { acme } })
  await here.create(issuers, {
    metadata: { name: 'lost', namespace: 'default' },
    spec: { ca: { secretName: 'nowhere' } },
  })
  const ready = (name: string) =>
    here.until(name, async () =>
      condition(((await here.get(issuers, name, 'default'))?.['status'] ?? {}) as RequestStatus, 'Ready'),
    )
  expect(await ready('acme')).toMatchObject({ status: 'False', reason: 'Unsupported' })
  expect(await ready('lost')).toMatchObject({
    status: 'False',
    reason: 'ErrGetKeyPair',
    message: 'Error getting keypair for CA issuer: secret "nowhere" not found',
  })
})

test('what the cluster refuses is told: a Secret that may not change, a request of somebody else', async () => {
  const here = (world = await pkiWorld())
  await withAuthority(here)
  const data = { 'tls.crt': Buffer.from('old').toString('base64'), 'tls.key': Buffer.from('old').toString('base64') }
  await here.create(secrets, { metadata: { name: 'fixed-tls', namespace: 'default' }, immutable: true, data })
  await here.create(certificates, certificate('fixed'))
  const noted = (reason: string, text: string) =>
    here.until(reason, async () => {
      const events = await here.list({ group: '', version: 'v1', plural: 'events' }, 'default')
      return events.find((event) => event['reason'] === reason && String(event['message']).includes(text))
    })
  await noted('IssuingFailed', 'cannot write the Secret: Secret "fixed-tls" is invalid')
  const first = await here.get(certificateRequests, 'fixed-1', 'default')
  await here.create(certificateRequests, { metadata: { name: 'taken-1', namespace: 'default' }, spec: first?.['spec'] })
  await here.create(certificates, certificate('taken'))
  await noted('RequestFailed', 'cannot create a CertificateRequest')
  expect((await here.client.delete({ resource: secrets, namespace: 'default', name: 'fixed-tls' })).ok).toBe(true)
  expect((await here.client.delete({ resource: certificateRequests, namespace: 'default', name: 'taken-1' })).ok).toBe(
    true,
  )
  await here.clock.advance(300_000)
  await here.ready('fixed')
  await here.ready('taken')
})
