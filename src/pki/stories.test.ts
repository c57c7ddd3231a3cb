import { afterEach, expect, test } from 'vitest'
import { certificateRequests, certificates, secrets } from './objects.ts'
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
