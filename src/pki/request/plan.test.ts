import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { silentLog } from '../../lib/log.ts'
import type { CertificateRequest, Issuer, IssuerSpec, RequestSpec, RequestStatus } from '../objects.ts'
import { certificatePem, issueCertificate, readCertificates } from '../x509/certificate.ts'
import { type Extension, nameConstraints } from '../x509/extensions.ts'
import { encodeAlternativeNames, noNames } from '../x509/general-names.ts'
import { encodePrivateKey, generateKey, signatureAlgorithm } from '../x509/keys.ts'
import { encodeName, nameOf } from '../x509/names.ts'
import { oid } from '../x509/oids.ts'
import { makeRequest } from '../x509/request.ts'
import { sign, type SigningPorts } from './apply.ts'
import { type Observed, type Plan, planRequest } from './plan.ts'

const NOW = Date.UTC(2026, 0, 1)
const ready = [{ type: 'Ready', status: 'True' }] as const
const approved = [{ type: 'Approved', status: 'True' }] as const
const base64 = (text: string): string => Buffer.from(text).toString('base64')

interface Keys {
  readonly csr: string
  readonly keySecret: KubeObject
  readonly caSecret: KubeObject
  readonly otherCa: KubeObject
}

const secret = (data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'a' },
  data: Object.fromEntries(Object.entries(data).map(([name, text]) => [name, base64(text)])),
})

async function makeKeys(): Promise<Keys> {
  const own = await generateKey({ algorithm: 'ECDSA', size: 256 })
  const algorithm = signatureAlgorithm(own)
  if (!algorithm) throw new Error('an EC key signs')
  const constraints = nameConstraints({ permitted: { dnsDomains: ['a.test'] } })
  const names = {
    oid: oid.subjectAltName,
    isCritical: false,
    value: encodeAlternativeNames({ ...noNames, dnsNames: ['x.a.test'] }),
  }
  const extensions: Extension[] = [names, ...(constraints.ok && constraints.value ? [constraints.value] : [])]
  const csr = await makeRequest({ subject: [], extensions, key: own, algorithm })
  const authority = async (
    name: string,
    notAfterMs: number,
  ): Promise<{ readonly crt: string; readonly key: string }> => {
    const key = await generateKey({ algorithm: 'RSA', size: 2048 })
    const subject = encodeName(nameOf({ commonName: name }))
    const template = {
      subject,
      publicKey: key,
      notBeforeMs: 0,
      notAfterMs,
      isCa: true,
      usages: { bits: 32, extended: [] },
      further: [],
    }
    const bytes = await issueCertificate(template, { subject, key }, randomBytes(16))
    return { crt: certificatePem({ bytes }), key: encodePrivateKey(key, 'PKCS1') }
  }
  const [ca, other] = [await authority('ca', NOW + 86_400_000 * 30), await authority('other', 4e12)]
  return {
    csr: base64(csr),
    keySecret: secret({ 'tls.key': encodePrivateKey(own, 'PKCS8') }),
    caSecret: secret({ 'tls.crt': ca.crt, 'tls.key': ca.key }),
    otherCa: secret({ 'tls.crt': ca.crt, 'tls.key': other.key }),
  }
}

let keys: Keys
beforeAll(async () => {
  keys = await makeKeys()
})

const issuer = (spec: IssuerSpec, isReady = true): Issuer => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Issuer',
  metadata: { name: 'i', namespace: 'a' },
  spec,
  status: { conditions: isReady ? ready : [] },
})
const request = (
  status: RequestStatus = { conditions: approved },
  spec: Partial<RequestSpec> = {},
  annotations: Record<string, string> = {},
): CertificateRequest => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'CertificateRequest',
  metadata: { name: 'r', namespace: 'a', annotations },
  spec: { request: keys.csr, issuerRef: { name: 'i' }, ...spec },
  status,
})
const byKey = { 'cert-manager.io/private-key-secret-name': 's' }
const ca = { ca: { secretName: 's' } }

const told = (plan: Plan): string => {
  if (plan.do === 'set-status') {
    const last = plan.status.conditions?.at(-1)
    return `${last?.type} ${last?.reason}: ${last?.message}`
  }
  return `${plan.do}: ${plan.because}`
}

describe('a request', () => {
  const cases: readonly (readonly [name: string, want: string | RegExp, seen: () => Partial<Observed>])[] = [
    ['that is new is approved', /^Approved cert-manager\.io/, () => ({ request: request({}) })],
    [
      'to an issuer of another group waits for its approver',
      'note: Not signing CertificateRequest until it is Approved',
      () => ({ request: request({}, { issuerRef: { name: 'i', group: 'x.test', kind: 'Pca' } }) }),
    ],
    [
      'to an issuer of another group is not signed here',
      'nothing: another controller signs for its issuer',
      () => ({ request: request(undefined, { issuerRef: { name: 'i', group: 'x.test', kind: 'Pca' } }) }),
    ],
    [
      'that was denied is told so',
      /^Ready Denied/,
      () => ({ request: request({ conditions: [{ type: 'Denied', status: 'True' }] }) }),
    ],
    [
      'that is invalid is left alone',
      'nothing: it is invalid',
      () => ({ request: request({ conditions: [...approved, { type: 'InvalidRequest', status: 'True' }] }) }),
    ],
    [
      'that failed is left alone',
      'nothing: it is Failed',
      () => ({ request: request({ conditions: [...approved, { type: 'Ready', status: 'False', reason: 'Failed' }] }) }),
    ],
    [
      'without an issuer waits',
      'Ready Pending: Referenced "Issuer" not found: issuer.cert-manager.io "i" not found',
      () => ({}),
    ],
    ['to an issuer that says nothing waits', 'Ready Pending: Missing issuer type', () => ({ issuer: issuer({}) })],
    [
      'to an issuer that is not ready waits',
      'Ready Pending: Referenced issuer does not have a Ready status condition',
      () => ({ issuer: issuer(ca, false) }),
    ],
    ['to a Vault is asked there', 'ask-vault: a Vault signs it', () => ({ issuer: issuer({ vault: {} }) })],
    [
      'to an authority without its Secret waits',
      'Ready Pending: Referenced secret a/s not found: secret "s" not found',
      () => ({ issuer: issuer(ca) }),
    ],
    [
      'to an authority that cannot be read waits',
      /^Ready Pending: Failed to parse signing CA keypair from secret a\/s/,
      () => ({ issuer: issuer(ca), secret: secret({ 'tls.crt': 'x', 'tls.key': 'y' }) }),
    ],
    [
      'to an authority with another key fails',
      /^Ready Failed: Error signing certificate/,
      () => ({ issuer: issuer(ca), secret: keys.otherCa }),
    ],
    [
      'that contradicts itself fails',
      'Ready Failed: Error generating certificate template: unknown key usages: [x]',
      () => ({ request: request(undefined, { usages: ['x'] }), issuer: issuer(ca), secret: keys.caSecret }),
    ],
    [
      'to sign itself needs its key',
      /^Ready Failed: Annotation .* missing or reference empty/,
      () => ({ issuer: issuer({ selfSigned: {} }) }),
    ],
    [
      'to sign itself waits for its key',
      'Ready Pending: Referenced secret a/s not found: secret "s" not found',
      () => ({ request: request(undefined, {}, byKey), issuer: issuer({ selfSigned: {} }) }),
    ],
    [
      'to sign itself needs its own key',
      'Ready Failed: Error generating certificate template: CSR not signed by referenced private key',
      () => ({ request: request(undefined, {}, byKey), issuer: issuer({ selfSigned: {} }), secret: keys.caSecret }),
    ],
    [
      'to sign itself is signed',
      'sign: its issuer is ready',
      () => ({ request: request(undefined, {}, byKey), issuer: issuer({ selfSigned: {} }), secret: keys.keySecret }),
    ],
    ['to an authority is signed', 'sign: its issuer is ready', () => ({ issuer: issuer(ca), secret: keys.caSecret })],
  ]
  test.each(cases)('%s', (_name, want, seen) => {
    const plan = planRequest({ request: request(), approves: ['issuers.cert-manager.io/*'], nowMs: NOW, ...seen() })
    expect(told(plan)).toMatch(want)
  })

  test('is signed with what it asks for, and a certificate that outlives its authority is told', async () => {
    const plan = planRequest({
      request: request(),
      issuer: issuer({ ca: { secretName: 's', ocspServers: ['http://o'] } }),
      secret: keys.caSecret,
      approves: [],
      nowMs: NOW,
    })
    if (plan.do !== 'sign') throw new Error(plan.because)
    expect(plan.signing.warning).toContain('expires at 2026-01-31T00:00:00Z')
    const ports = { clock: { now: () => NOW }, ids: { bytes: randomBytes }, log: silentLog } as unknown as SigningPorts
    const done = await sign(request(), plan.signing, ports)
    if (done.do !== 'set-status') throw new Error(done.because)
    const read = readCertificates(Buffer.from(done.status.certificate ?? '', 'base64').toString())
    const [leaf] = read.ok ? read.value : []
    expect(leaf?.names.dnsNames).toEqual(['x.a.test'])
    // Names beside an empty subject have to be understood; constraints are taken over.
    const critical = leaf?.extensions.filter(({ isCritical }) => isCritical).map(({ oid: id }) => id)
    expect(critical).toEqual([oid.keyUsage, oid.basicConstraints, oid.subjectAltName])
    expect(leaf?.extensions.map(({ oid: id }) => id)).toContain(oid.nameConstraints)
    expect(leaf?.extensions.map(({ oid: id }) => id)).toContain(oid.authorityInfoAccess)
    expect(Buffer.from(done.status.ca ?? '', 'base64').toString()).toContain('BEGIN CERTIFICATE')
  })
})
