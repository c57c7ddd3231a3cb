import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { UserInfo } from '../../kube/admission.ts'
import type { ResourceId } from '../../kube/gvk.ts'
import { certificateRequests, certificates, issuers } from '../objects.ts'
import { type PkiWorld, pkiWorld } from '../pki.testkit.ts'
import { type Extension, basicConstraints } from '../x509/extensions.ts'
import { generateKey, signatureAlgorithm } from '../x509/keys.ts'
import { nameOf } from '../x509/names.ts'
import { oid } from '../x509/oids.ts'
import { makeRequest } from '../x509/request.ts'
import { encodeKeyUsage } from '../x509/usages.ts'
import { checkCertificate } from './check-certificate.ts'
import { checkIssuer } from './check-issuer.ts'
import { checkRequest } from './check-request.ts'

const good = { secretName: 's', issuerRef: { name: 'ca' }, dnsNames: ['a.test'] }
const lines = (problems: readonly { readonly at: string; readonly message: string }[]): readonly string[] =>
  problems.map(({ at, message }) => `${at}: ${message}`)

describe('a Certificate', () => {
  test('that is well is let through', () => {
    const all = {
      ...good,
      literalSubject: 'CN=a,O=b',
      ipAddresses: ['::1'],
      emailAddresses: ['a.b+c@d.test'],
      otherNames: [{ oid: '1.2.3', utf8Value: 'é' }],
      privateKey: { algorithm: 'ECDSA', size: 521 },
      signatureAlgorithm: 'ECDSAWithSHA512',
      duration: '2h',
      renewBefore: '5m',
      isCA: true,
      nameConstraints: { permitted: { ipRanges: ['10.0.0.0/8'] } },
      renewal: {
        policy: 'RenewBefore',
        windows: [{ cron: '0 2 * * *', windowDuration: '1h', timezone: 'Europe/Berlin' }],
      },
      keystores: { jks: { create: true, password: 'p' } },
    } as const
    expect(lines(checkCertificate(all))).toEqual([])
  })
  test.each<readonly [object, string]>([
    [{ secretName: '' }, 'spec.secretName: Required value: must be specified'],
    [{ secretName: 'A_b' }, 'spec.secretName: Invalid value: "A_b"'],
    [{ issuerRef: { name: '' } }, 'spec.issuerRef.name: Required value: must be specified'],
    [
      { issuerRef: { name: 'a', kind: 'Pca' } },
      'must be one of Issuer or ClusterIssuer (did you forget to set spec.issuerRef.group?)',
    ],
    [{ issuerRef: { name: 'a', kind: 'Pca', group: 'cert-manager.io' } }, 'must be one of Issuer or ClusterIssuer'],
    [{ dnsNames: [] }, 'spec: Invalid value: "": at least one of commonName'],
    [{ commonName: 'x'.repeat(65) }, 'spec.commonName: Too long'],
    [{ commonName: 'a', literalSubject: 'CN=b' }, 'When providing a `LiteralSubject` no `commonName` may be provided.'],
    [{ subject: { organizations: ['a'] }, literalSubject: 'CN=b' }, 'no `Subject` properties may be provided'],
    [{ literalSubject: 'XX=b' }, 'unrecognized key "XX"'],
    [{ ipAddresses: ['1.2.3'] }, 'spec.ipAddresses[0]: Invalid value: "1.2.3": invalid IP address'],
    [{ emailAddresses: ['Ann <a@b.test>'] }, 'spec.emailAddresses[0]'],
    [{ emailAddresses: ['ann'] }, 'spec.emailAddresses[0]'],
    [{ dnsNames: ['ü.test'] }, 'must hold printable ASCII characters only'],
    [{ otherNames: [{ oid: 'x', utf8Value: '' }] }, 'spec.otherNames[0].oid: Invalid value: "x": invalid oid syntax'],
    [{ privateKey: { size: 1024 } }, 'must be between 2048 and 8192 for rsa keyAlgorithm'],
    [{ privateKey: { algorithm: 'ECDSA', size: 2048 } }, 'spec.privateKey.size: Unsupported value: 2048'],
    [{ signatureAlgorithm: 'PureEd25519' }, 'for key algorithm RSA the allowed signature algorithms are'],
    [{ duration: 'soon' }, 'spec.duration'],
    [{ duration: '10m' }, 'certificate duration must be greater than 1h0m0s'],
    [{ duration: '2h', renewBefore: '3h' }, 'certificate duration 2h must be greater than renewBefore 3h'],
    [{ renewBefore: '1m' }, 'certificate renewBefore must be greater than 5m0s'],
    [{ renewBefore: '1h', renewBeforePercentage: 10 }, 'are mutually exclusive'],
    [{ duration: '1h', renewBeforePercentage: 99 }, 'must result in a renewBefore greater than 5m0s'],
    [{ duration: '1h', renewBeforePercentage: 0 }, 'must result in a renewBefore less than duration'],
    [{ usages: ['flying'] }, 'spec.usages[0]: Invalid value: "flying": unknown keyusage'],
    [{ revisionHistoryLimit: 0 }, 'must not be less than 1'],
    [
      { secretTemplate: { annotations: { 'cert-manager.io/x': 'y' } } },
      'cert-manager.io/* annotations are not allowed',
    ],
    [{ secretTemplate: { labels: { 'a b': 'c' } } }, 'spec.secretTemplate.labels'],
    [{ nameConstraints: { permitted: {} } }, 'isCA should be true when nameConstraints is set'],
    [{ isCA: true, nameConstraints: {} }, 'either permitted or excluded must be set'],
    [{ isCA: true, nameConstraints: { excluded: { ipRanges: ['x'] } } }, 'invalid CIDR address'],
    [{ additionalOutputFormats: [{ type: 'DER' }, { type: 'DER' }] }, 'Duplicate value: "DER"'],
    [{ keystores: { jks: { create: true } } }, 'must set exactly one of passwordSecretRef and password'],
    [{ keystores: { pkcs12: { create: true, password: 'a', passwordSecretRef: { name: 'b' } } } }, 'cannot set both'],
    [{ keystores: { pkcs12: { create: true, password: '' } } }, 'literal password cannot be empty'],
    [
      { renewal: { policy: 'Disabled', windows: [{ cron: '* * * * *', windowDuration: '1h' }] } },
      'windows cannot be set when',
    ],
    [{ renewal: { policy: 'RenewBefore', windows: [{ cron: 'x', windowDuration: '1h' }] } }, 'invalid cron syntax'],
    [
      { renewal: { policy: 'RenewBefore', windows: [{ cron: '* * * * *', windowDuration: '0s', timezone: 'Mars' }] } },
      'timezone must be IANA compliant',
    ],
  ])('with %j is refused', (change, want) =>
    expect(lines(checkCertificate({ ...good, ...change })).join('\n')).toContain(want),
  )
})

describe('an issuer', () => {
  const vault = { server: 'http://v', path: 'pki/sign/x', auth: { tokenSecretRef: { name: 't' } } }
  test.each<readonly [object, readonly string[]]>([
    [{ selfSigned: {} }, []],
    [{ ca: { secretName: 's' } }, []],
    [{ vault }, []],
    [{}, ['spec: Required value: at least one issuer must be configured']],
    [
      { ca: { secretName: 's' }, selfSigned: {} },
      ['spec.selfSigned: Forbidden: may not specify more than one issuer type'],
    ],
    [{ ca: {} }, ['spec.ca.secretName: Required value']],
    [
      { vault: { ...vault, path: '../sys' } },
      ['spec.vault.path: Invalid value: "../sys": must not contain \'..\' path segments'],
    ],
    [
      { vault: { ...vault, auth: {} } },
      [
        'spec.vault.auth: Required value: please supply one of: appRole, kubernetes, tokenSecretRef, clientCertificate, aws',
      ],
    ],
    [
      { vault: { ...vault, auth: { kubernetes: { role: 'r' } } } },
      ['spec.vault.auth.kubernetes: Required value: please supply one of: secretRef, serviceAccountRef'],
    ],
    [
      { vault: { ...vault, caBundle: Buffer.from('x').toString('base64') } },
      ['spec.vault.caBundle: Invalid value: "<snip>": cert bundle didn\'t contain any valid certificates'],
    ],
    [
      { vault: { ...vault, clientKeySecretRef: { name: 'k' } } },
      [
        'spec.vault.clientCertSecretRef: Invalid value: "<snip>": clientCertSecretRef must be provided when defining the clientKeySecretRef',
      ],
    ],
    [
      { acme: { server: 's', privateKeySecretRef: { name: 'k' }, solvers: [{}] } },
      ['spec.acme.solvers[0]: Required value: no solver type configured'],
    ],
    [{ venafi: { zone: 'z' } }, ['spec.venafi: Required value: please supply one of: tpp, cloud, ngts']],
  ])('%j', (spec, want) => expect(lines(checkIssuer(spec))).toEqual(want))
})

async function csr(extensions: readonly Extension[] = []): Promise<string> {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 })
  const algorithm = signatureAlgorithm(key)
  if (!algorithm) throw new Error('an EC key signs')
  const text = await makeRequest({ subject: nameOf({ commonName: 'a' }), extensions, key, algorithm })
  return Buffer.from(text).toString('base64')
}

let plain: string
beforeAll(async () => {
  plain = await csr()
})

describe('a CertificateRequest', () => {
  const check = (request: string, spec: object = {}) =>
    lines(
      checkRequest({ apiVersion: '', kind: '', metadata: {}, spec: { issuerRef: { name: 'i' }, request, ...spec } }),
    ).join()
  test('says the same as the request inside', async () => {
    expect(check(plain)).toBe('')
    expect(check(plain, { usages: ['x'] })).toContain('unknown key usages: [x]')
    expect(check(await csr([basicConstraints({ isCa: true })]))).toContain(
      'IsCA true does not match expected value false',
    )
    const usage = { oid: oid.keyUsage, isCritical: true, value: encodeKeyUsage(1) }
    expect(check(await csr([usage]))).toContain(
      "the KeyUsages [ 'digital signature' ] do not match the expected KeyUsages [ 'digital signature', 'key encipherment' ]",
    )
    expect(check(await csr([usage]), { usages: ['digital signature'] })).toBe('')
    expect(check(await csr([usage]), { usages: ['digital signature', 'server auth'] })).toContain(
      "the ExtKeyUsages [] do not match the expected ExtKeyUsages [ 'server auth' ]",
    )
    expect(check('')).toContain('spec.request: Required value')
    expect(check(Buffer.from('x').toString('base64'))).toContain('error decoding certificate request PEM block')
    expect(check('A'.repeat(200_000))).toContain('too large')
  })
})

let world: PkiWorld | undefined
afterEach(() => world?.stop())

describe('through the API', () => {
  const ann: UserInfo = { username: 'ann', uid: '7', groups: ['team', 'system:authenticated'] }
  const roles: ResourceId = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterroles' }
  const bindings: ResourceId = { ...roles, plural: 'clusterrolebindings' }
  const target = { resource: certificateRequests, namespace: 'default', name: 'r' }

  test('a request says who asked, cannot be changed, and is approved only by those who may', async () => {
    const here = (world = await pkiWorld({ parts: { approves: [] } }))
    const allow = (name: string, rule: object) =>
      Promise.all([
        here.create(roles, { metadata: { name }, rules: [rule] }),
        here.create(bindings, {
          metadata: { name },
          roleRef: { apiGroup: roles.group, kind: 'ClusterRole', name },
          subjects: [{ apiGroup: roles.group, kind: 'User', name: 'ann' }],
        }),
      ])
    await allow('requests', {
      apiGroups: ['cert-manager.io'],
      resources: ['certificaterequests', 'certificaterequests/status'],
      verbs: ['*'],
    })
    const client = here.server.client(ann)
    const made = await client.create(
      { resource: certificateRequests, namespace: 'default' },
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'CertificateRequest',
        metadata: { name: 'r', annotations: { 'cert-manager.io/certificate-name': 'c' } },
        spec: { issuerRef: { name: 'own' }, request: plain, username: 'root', groups: ['system:masters'] },
      },
    )
    if (!made.ok) throw new Error(made.error.message)
    expect(made.value['spec']).toMatchObject({ username: 'ann', uid: '7', groups: ['team', 'system:authenticated'] })
    const change = async (body: object) => {
      const done = await client.patch(target, { type: 'merge', body: body as Record<string, never> })
      return done.ok ? 'fine' : done.error.message
    }
    expect(await change({ spec: { isCA: true } })).toContain('spec: Forbidden: cannot change spec after creation')
    expect(await change({ spec: { username: 'root' } })).toContain('cannot change spec after creation')
    expect(await change({ metadata: { annotations: { 'cert-manager.io/certificate-name': 'd' } } })).toContain(
      'cannot change cert-manager annotation after creation',
    )
    expect(await change({ metadata: { annotations: { mine: 'x' } } })).toBe('fine')
    const decide = async (...conditions: readonly object[]) => {
      const now = await here.get(certificateRequests, 'r', 'default')
      const done = await client.update({ ...target, subresource: 'status' }, { ...now, status: { conditions } })
      return done.ok ? 'fine' : done.error.message
    }
    const approved = { type: 'Approved', status: 'True', reason: 'Ann', message: 'ok' }
    const denied = { ...approved, type: 'Denied' }
    expect(await decide(approved)).toContain(
      'user "ann" does not have permissions to set approved/denied conditions for issuer Issuer.cert-manager.io/own',
    )
    await allow('approve', {
      apiGroups: ['cert-manager.io'],
      resources: ['signers'],
      verbs: ['approve'],
      resourceNames: ['issuers.cert-manager.io/default.own'],
    })
    expect(await decide({ ...approved, status: 'False' })).toContain('condition may only be set to True')
    expect(await decide(approved, denied)).toContain("both 'Denied' and 'Approved' conditions cannot coexist")
    expect(await decide(approved)).toBe('fine')
    expect(await decide({ ...approved, message: 'changed' })).toContain(
      "'Approved' condition may not be modified once set",
    )
    expect(await decide()).toContain("'Approved' condition may not be modified once set")
  })

  test('what is wrong is refused with all of its problems at once', async () => {
    const here = (world = await pkiWorld())
    const make = async (resource: ResourceId, kind: string, spec: object) => {
      const made = await here.client.create(
        { resource, namespace: 'default' },
        { apiVersion: 'cert-manager.io/v1', kind, metadata: { name: 'x' }, spec },
      )
      return made.ok ? 'fine' : `${made.error.code} ${made.error.message}`
    }
    expect(
      await make(certificates, 'Certificate', { ...good, duration: '1m', usages: ['server auth'], ipAddresses: ['x'] }),
    ).toBe(
      '422 Certificate.cert-manager.io "x" is invalid: [spec.ipAddresses[0]: Invalid value: "x": invalid IP address, spec.duration: Invalid value: "1m": certificate duration must be greater than 1h0m0s]',
    )
    expect(await make(issuers, 'Issuer', { ca: { secretName: 's' }, selfSigned: {} })).toContain(
      'may not specify more than one issuer type',
    )
    expect(await make(certificates, 'Certificate', good)).toBe('fine')
  })
})
