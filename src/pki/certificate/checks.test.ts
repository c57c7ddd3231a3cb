import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import type { Certificate, CertificateRequest, CertificateSpec } from '../objects.ts'
import { certificatePem, issueCertificate, readCertificate } from '../x509/certificate.ts'
import { encodePrivateKey, generateKey, signatureAlgorithm } from '../x509/keys.ts'
import { encodeName } from '../x509/names.ts'
import { makeRequest } from '../x509/request.ts'
import { backoffMs } from './backoff.ts'
import { firstFinding, issuanceChecks, readinessChecks } from './checks.ts'
import { renewalTime } from './renewal-time.ts'
import { requestName } from './revision.ts'
import { secretBody } from './secret-body.ts'
import { secretFinding } from './secret-checks.ts'
import { wantedRequest } from './wanted.ts'

const NOW = Date.UTC(2026, 0, 10)
const DAY = 86_400_000

const certificate = (spec: Partial<CertificateSpec> = {}, status: object = {}): Certificate => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'web', namespace: 'a', uid: 'u' },
  spec: {
    secretName: 's',
    issuerRef: { name: 'ca' },
    commonName: 'web',
    dnsNames: ['web.test'],
    privateKey: { algorithm: 'ECDSA' },
    ...spec,
  },
  status,
})

interface Issued {
  readonly secret: KubeObject
  readonly request: CertificateRequest
}

async function issued(spec: CertificateSpec): Promise<Issued> {
  const key = await generateKey({ algorithm: 'ECDSA', size: spec.privateKey?.size ?? 256 })
  const wanted = wantedRequest(spec)
  const algorithm = signatureAlgorithm(key)
  if (!wanted.ok || !algorithm) throw new Error('the spec asks for nothing')
  const template = {
    subject: encodeName(wanted.value.subject),
    publicKey: key,
    notBeforeMs: NOW - 9 * DAY,
    notAfterMs: NOW + 81 * DAY,
    isCa: false,
    usages: { bits: 1, extended: [] },
    further: wanted.value.extensions.slice(0, 1),
  }
  const pem = certificatePem({
    bytes: await issueCertificate(template, { subject: template.subject, key }, randomBytes(16)),
  })
  const leaf = readCertificate(pem)
  if (!leaf.ok) throw new Error('the certificate cannot be read')
  const secret = secretBody({
    certificate: certificate(spec),
    leaf: leaf.value,
    material: { key: encodePrivateKey(key, 'PKCS1'), certificate: pem },
    provenance: { certificateName: 'web', issuer: spec.issuerRef },
    keystores: new Map(),
  })
  const text = await makeRequest({ ...wanted.value, key, algorithm })
  const { duration, usages, isCA } = spec
  const request: CertificateRequest = {
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: { name: 'web-1', annotations: { 'cert-manager.io/certificate-revision': '1' } },
    spec: {
      request: Buffer.from(text).toString('base64'),
      issuerRef: spec.issuerRef,
      ...(duration ? { duration } : {}),
      ...(usages ? { usages } : {}),
      ...(isCA ? { isCA } : {}),
    },
  }
  return { secret, request }
}

const full: CertificateSpec = {
  ...certificate().spec,
  subject: { organizations: ['a', 'b'], serialNumber: '7' },
  ipAddresses: ['10.0.0.1', '2001:db8::1'],
  uris: ['spiffe://a/b'],
  emailAddresses: ['x@a.test'],
  otherNames: [{ oid: '1.2.3', utf8Value: 'u' }],
  usages: ['server auth', 'client auth'],
  duration: '2160h',
}

let one: Issued
let other: Issued
beforeAll(async () => {
  one = await issued(full)
  other = await issued(full)
})

const without = (key: string): KubeObject => {
  const { [key]: _gone, ...data } = one.secret['data'] as Record<string, string>
  return { ...one.secret, data }
}
const withData = (data: object): KubeObject => ({ ...one.secret, data: { ...(one.secret['data'] as object), ...data } })
const withNotes = (annotations: Record<string, string>): KubeObject => ({
  ...one.secret,
  metadata: { ...one.secret.metadata, annotations: { ...one.secret.metadata.annotations, ...annotations } },
})
const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('a certificate is issued', () => {
  const cases: readonly (readonly [
    name: string,
    want: string | undefined,
    change: () => Partial<Parameters<(typeof issuanceChecks)[0]>[0]>,
  ])[] = [
    ['not at all, when all is well', undefined, () => ({})],
    ['when its Secret is missing', 'DoesNotExist', () => ({ secret: undefined as never })],
    ['when the Secret has no data', 'MissingData', () => ({ secret: { ...one.secret, data: undefined } })],
    ['when the Secret has no key', 'MissingData', () => ({ secret: without('tls.key') })],
    ['when the Secret has an empty certificate', 'MissingData', () => ({ secret: withData({ 'tls.crt': '' }) })],
    ['when the key cannot be read', 'InvalidKeyPair', () => ({ secret: withData({ 'tls.key': base64('x') }) })],
    [
      'when the certificate cannot be read',
      'InvalidCertificate',
      () => ({ secret: withData({ 'tls.crt': base64('x') }) }),
    ],
    [
      'when the key is of another certificate',
      'InvalidKeyPair',
      () => ({ secret: withData({ 'tls.key': (other.secret['data'] as Record<string, string>)['tls.key'] }) }),
    ],
    [
      'when another issuer has issued it',
      'IncorrectIssuer',
      () => ({ secret: withNotes({ 'cert-manager.io/issuer-name': 'b' }) }),
    ],
    [
      'when an issuer of another kind has issued it',
      'IncorrectIssuer',
      () => ({ secret: withNotes({ 'cert-manager.io/issuer-kind': 'ClusterIssuer' }) }),
    ],
    [
      'not when the issuer is only written out in full',
      undefined,
      () => ({
        secret: withNotes({
          'cert-manager.io/issuer-kind': 'Issuer',
          'cert-manager.io/issuer-group': 'cert-manager.io',
        }),
      }),
    ],
    [
      'when the Secret is of another Certificate',
      'IncorrectCertificate',
      () => ({ secret: withNotes({ 'cert-manager.io/certificate-name': 'b' }) }),
    ],
    [
      'when another kind of key is wanted',
      'SecretMismatch',
      () => ({ certificate: certificate({ ...full, privateKey: { algorithm: 'RSA' } }) }),
    ],
    [
      'when a longer key is wanted',
      'SecretMismatch',
      () => ({ certificate: certificate({ ...full, privateKey: { algorithm: 'ECDSA', size: 384 } }) }),
    ],
    ['when the request was for another key', 'SecretMismatch', () => ({ currentRequest: other.request })],
    [
      'when the request cannot be read',
      'InvalidCertificateRequest',
      () => ({ currentRequest: { ...one.request, spec: { ...one.request.spec, request: base64('x') } } }),
    ],
    [
      'without its request, when the names differ',
      'SecretMismatch',
      () => ({ currentRequest: undefined as never, certificate: certificate({ ...full, dnsNames: ['b.test'] }) }),
    ],
    [
      'without its request, not when the common name moves among the names',
      undefined,
      () => ({
        currentRequest: undefined as never,
        certificate: certificate({ ...full, commonName: '', dnsNames: ['web', 'web.test'] }),
      }),
    ],
    ['after two thirds of its life', 'Renewing', () => ({ nowMs: NOW + 51 * DAY })],
    ['not a moment earlier', undefined, () => ({ nowMs: NOW + 51 * DAY - 1_000 })],
  ]
  test.each(cases)('%s: %s', (_name, want, change) => {
    const input = {
      certificate: certificate(full),
      secret: one.secret,
      currentRequest: one.request,
      nowMs: NOW,
      ...change(),
    }
    const finding = firstFinding(
      issuanceChecks,
      Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as typeof input,
    )
    expect(finding?.reason).toBe(want)
  })

  test.each<readonly [Partial<CertificateSpec>, string]>([
    [{ ipAddresses: ['10.0.0.2'] }, 'spec.ipAddresses'],
    [{ uris: [] }, 'spec.uris'],
    [{ emailAddresses: ['y@a.test'] }, 'spec.emailAddresses'],
    [{ dnsNames: ['web.test', 'b.test'] }, 'spec.dnsNames'],
    [{ otherNames: [{ oid: '1.2.4', utf8Value: 'u' }] }, 'spec.otherNames'],
    [{ commonName: 'b' }, 'spec.commonName'],
    [{ subject: { organizations: ['a', 'b'], serialNumber: '8' } }, 'spec.subject.serialNumber'],
    [{ subject: { organizations: ['a'], serialNumber: '7' } }, 'spec.subject.organizations'],
    [{ subject: { organizations: ['b', 'a'], serialNumber: '7', countries: ['DE'] } }, 'spec.subject.countries'],
    [{ commonName: '', subject: {}, literalSubject: 'CN=web,O=a' }, 'spec.literalSubject'],
    [{ isCA: true }, 'spec.isCA'],
    [{ usages: ['server auth'] }, 'spec.usages'],
    [{ duration: '24h' }, 'spec.duration'],
    [{ issuerRef: { name: 'ca', group: 'x.test' } }, 'IncorrectIssuer'],
  ])('when the spec changes: %j', (change, want) => {
    const spec = { ...full, ...change }
    const finding = firstFinding(issuanceChecks, {
      certificate: certificate(spec),
      secret: one.secret,
      currentRequest: one.request,
      nowMs: NOW,
    })
    expect(`${finding?.reason} ${finding?.message}`).toContain(want)
  })

  test('not when lists are only in another order, addresses are written otherwise, or a duration is in other units', () => {
    const spec = {
      ...full,
      ipAddresses: ['2001:0db8:0::1', '10.0.0.1'],
      usages: ['client auth', 'server auth'],
      duration: '2159h60m',
    }
    expect(
      firstFinding(issuanceChecks, {
        certificate: certificate(spec),
        secret: one.secret,
        currentRequest: one.request,
        nowMs: NOW,
      }),
    ).toBeUndefined()
  })

  test('expired, it is not ready any more', () => {
    const at = (nowMs: number) =>
      firstFinding(readinessChecks, { certificate: certificate(full), secret: one.secret, nowMs })
    expect(at(NOW + 81 * DAY)).toBeUndefined()
    expect(at(NOW + 81 * DAY + 1)).toEqual({
      reason: 'Expired',
      message: 'Certificate expired on Wed, 01 Apr 2026 00:00:00 UTC',
    })
  })
})

describe('renewal', () => {
  const life = { notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2026, 3, 1) }
  const when = (spec: Partial<CertificateSpec>): string => {
    const due = renewalTime(life, certificate(spec).spec)
    if (!due.ok) return due.error.map(({ message }) => message).join()
    return due.value === undefined ? 'never' : new Date(due.value).toISOString().slice(0, 16)
  }
  test.each<readonly [Partial<CertificateSpec>, string]>([
    [{}, '2026-03-02T00:00'],
    [{ renewBefore: '24h' }, '2026-03-31T00:00'],
    [{ renewBefore: '9000h' }, '2026-03-02T00:00'],
    [{ renewBeforePercentage: 10 }, '2026-03-23T00:00'],
    [{ renewBeforePercentage: 100 }, '2026-03-02T00:00'],
    [{ renewal: { policy: 'Disabled' } }, 'never'],
    [{ renewal: { policy: 'RenewBefore', windows: [] } }, '2026-03-02T00:00'],
    [
      { renewal: { policy: 'RenewBefore', windows: [{ cron: '0 2 * * *', windowDuration: '2h' }] } },
      '2026-03-02T02:00',
    ],
    [
      { renewal: { policy: 'RenewBefore', windows: [{ cron: '0 23 * * *', windowDuration: '2h' }] } },
      '2026-03-02T00:00',
    ],
    [
      {
        renewal: {
          policy: 'RenewBefore',
          windows: [{ cron: '0 2 * * 6', windowDuration: '2h', timezone: 'Europe/Berlin' }],
        },
      },
      '2026-03-07T01:00',
    ],
    [
      { renewal: { policy: 'RenewBefore', windows: [{ cron: '0 0 1 1 *', windowDuration: '2h' }] } },
      'no window opens between 2026-03-02T00:00:00Z and the end of the certificate at 2026-04-01T00:00:00Z',
    ],
    [
      { renewal: { policy: 'RenewBefore', windows: [{ cron: 'x', windowDuration: '2h' }] } },
      'error parsing cron in window: cannot read the schedule "x": 5 fields are expected [cron-invalid]',
    ],
  ])('by %j is at %s', (spec, want) => expect(when(spec)).toBe(want))
})

describe('after failures', () => {
  const failed = (attempts: number | undefined, agoMs: number, spec: Partial<CertificateSpec> = full) =>
    backoffMs(
      certificate(spec, {
        lastFailureTime: new Date(NOW - agoMs).toISOString(),
        ...(attempts === undefined ? {} : { failedIssuanceAttempts: attempts }),
      }),
      one.request,
      NOW,
    )
  test.each([
    [1, 0, 3_600_000],
    [undefined, 0, 3_600_000],
    [-3, 0, 3_600_000],
    [2, 0, 7_200_000],
    [6, 0, 32 * 3_600_000],
    [50, 0, 32 * 3_600_000],
    [1_000_000, 3_600_000, 31 * 3_600_000],
    [1, 3_600_000, 0],
  ])('%s of them, %s ms ago, issuance waits %s ms', (attempts, ago, want) => expect(failed(attempts, ago)).toBe(want))
  test('a Certificate that changed waits no longer', () =>
    expect(failed(3, 0, { ...full, dnsNames: ['b.test'] })).toBe(0))
})

describe('a Secret is written again', () => {
  const managed = (secret: KubeObject, more: object = {}): KubeObject => {
    const fields = (names: object | undefined) =>
      Object.fromEntries(Object.keys(names ?? {}).map((name) => [`f:${name}`, {}]))
    const { labels, annotations } = secret.metadata
    const fieldsV1 = {
      'f:metadata': { 'f:labels': { ...fields(labels), ...more }, 'f:annotations': fields(annotations) },
      'f:data': fields(secret['data'] as object),
    }
    return {
      ...secret,
      metadata: {
        ...secret.metadata,
        managedFields: [
          { manager: 'cert-manager-certificates-issuing', operation: 'Apply', fieldsType: 'FieldsV1', fieldsV1 },
        ],
      },
    }
  }
  const reason = (secret: KubeObject, spec: Partial<CertificateSpec> = {}) =>
    secretFinding({ certificate: certificate({ ...full, ...spec }), secret, nowMs: NOW })?.reason
  test('not when it is as it should be', () => expect(reason(managed(one.secret))).toBeUndefined())
  test.each<readonly [string, () => KubeObject, Partial<CertificateSpec>, string]>([
    [
      'our label is gone',
      () => ({ ...one.secret, metadata: { ...one.secret.metadata, labels: {} } }),
      {},
      'SecretManagedMetadataMismatch',
    ],
    [
      'somebody lies about the certificate',
      () => withNotes({ 'cert-manager.io/alt-names': 'x' }),
      {},
      'SecretTemplateMismatch',
    ],
    [
      'a label of the template is missing',
      () => one.secret,
      { secretTemplate: { labels: { a: 'b' } } },
      'SecretTemplateMismatch',
    ],
    ['a label is left from an older template', () => one.secret, {}, 'SecretTemplateMismatch'],
    [
      'an output format is missing',
      () => one.secret,
      { additionalOutputFormats: [{ type: 'DER' }] },
      'AdditionalOutputFormatsMismatch',
    ],
    [
      'an output format is left over',
      () => withData({ 'key.der': base64('x') }),
      {},
      'AdditionalOutputFormatsMismatch',
    ],
    [
      'a keystore is missing',
      () => one.secret,
      { keystores: { jks: { create: true, password: 'p' } } },
      'SecretMismatch',
    ],
    ['a keystore is left over', () => withData({ 'keystore.p12': base64('x') }), {}, 'SecretMismatch'],
  ])('when %s', (name, secret, spec, want) => {
    const left = name.startsWith('a label is left') ? { 'f:old': {} } : {}
    expect(reason(managed(secret(), left), spec)).toBe(want)
  })
})

test('requests are named after their revision; names that are too long end with their hash', () => {
  expect(requestName('web', 3)).toBe('web-3')
  const long = requestName('x'.repeat(253), 1)
  expect(long).toMatch(/^x{168}-[0-9a-f]{64}-1$/)
  expect(long).not.toBe(requestName(`${'x'.repeat(252)}y`, 1))
})
