import { X509Certificate, webcrypto } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { certificateMaker, type KeyPair } from '../../apiserver/pki/certificates.ts'
import { requestSigner, type RequestedCertificate } from '../../apiserver/pki/sign-request.ts'
import type { Condition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { signingRequests } from '../collections.ts'
import { type World, world } from '../workloads.testkit.ts'
import { planCleanup, planSigning } from './plan.ts'

const now = Date.parse('2026-01-01T02:00:00Z')
const approved = { type: 'Approved', status: 'True', lastUpdateTime: '2026-01-01T01:30:00Z' }
const client = ['digital signature', 'client auth']

const request = (spec: object, status: object = { conditions: [approved] }): KubeObject => ({
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { name: 'r', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { signerName: 'kubernetes.io/kube-apiserver-client', usages: client, ...spec },
  status,
})
const asking = (more: Partial<RequestedCertificate> = {}): RequestedCertificate => ({
  commonName: 'ann',
  organizations: ['team'],
  dnsNames: [],
  ipAddresses: [],
  emails: [],
  uris: [],
  ...more,
})
const node = { commonName: 'system:node:n1', organizations: ['system:nodes'] }
const kubelet = 'kubernetes.io/kube-apiserver-client-kubelet'
const serving = { signerName: 'kubernetes.io/kubelet-serving', usages: ['digital signature', 'server auth'] }

describe('a request', () => {
  test.each([
    { name: 'that was approved is signed', it: request({}), want: { do: 'sign', notAfterMs: now + 31_536_000_000 } },
    {
      name: 'says how long',
      it: request({ expirationSeconds: 3_600 }),
      want: { do: 'sign', notAfterMs: now + 3_600_000 },
    },
    { name: 'lives ten minutes at least', it: request({ expirationSeconds: 1 }), want: { notAfterMs: now + 600_000 } },
    { name: 'that nobody approved waits', it: request({}, {}), want: { do: 'nothing' } },
    {
      name: 'that was denied is not signed',
      it: request({}, { conditions: [approved, { type: 'Denied', status: 'True' }] }),
      want: { do: 'nothing' },
    },
    {
      name: 'that has its certificate is left alone',
      it: request({}, { conditions: [approved], certificate: 'x' }),
      want: { do: 'nothing' },
    },
    { name: 'of another signer is left alone', it: request({ signerName: 'my.org/own' }), want: { do: 'nothing' } },
    {
      name: 'of the unknown signer is left alone',
      it: request({ signerName: 'kubernetes.io/legacy-unknown' }),
      want: { do: 'nothing' },
    },
    {
      name: 'for a server fails with a signer of clients',
      it: request({ usages: ['server auth'] }),
      want: { do: 'fail' },
    },
    {
      name: 'for all power fails',
      it: request({}),
      asked: { organizations: ['system:masters'] },
      want: { do: 'fail' },
    },
    { name: 'of a node is signed', it: request({ signerName: kubelet }), asked: node, want: { do: 'sign' } },
    { name: 'of no node fails as one', it: request({ signerName: kubelet }), want: { do: 'fail' } },
    { name: 'of a serving node needs a name', it: request(serving), asked: node, want: { do: 'fail' } },
    {
      name: 'of a serving node is signed',
      it: request(serving),
      asked: { ...node, dnsNames: ['n1'] },
      want: { do: 'sign' },
    },
  ])('$name', ({ it, asked = {}, want }) => {
    expect(planSigning({ request: it, asked: { ok: true, value: asking(asked) }, nowMs: now })).toMatchObject(want)
  })

  test('that cannot be read fails', () => {
    const plan = planSigning({ request: request({}), asked: { ok: false, because: 'no' }, nowMs: now })
    expect(plan).toEqual({ do: 'fail', because: 'no' })
  })

  test.each([
    {
      name: 'signed half an hour ago stays',
      status: { conditions: [approved], certificate: 'x' },
      want: { do: 'wait', afterMs: 1_800_000 },
    },
    {
      name: 'denied more than an hour ago goes',
      status: { conditions: [{ type: 'Denied', status: 'True', lastUpdateTime: '2026-01-01T00:30:00Z' }] },
      want: { do: 'delete' },
    },
    { name: 'that waits is given a day', status: {}, want: { do: 'wait', afterMs: 22 * 3_600_000 } },
  ])('$name', ({ status, want }) => expect(planCleanup(request({}, status), now)).toMatchObject(want))
})

let authority: KeyPair
let pem: string
beforeAll(async () => {
  authority = await (await certificateMaker(now)).authority('test')
  x509.cryptoProvider.set(webcrypto)
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=ann, O=team',
    keys,
    signingAlgorithm: algorithm,
  })
  pem = made.toString('pem')
})

interface Status {
  readonly certificate?: string
  readonly conditions?: readonly Condition[]
}

/** The same request with a signature that is wrong in its last bit. */
function forged(text: string): string {
  const bytes = Buffer.from(x509.PemConverter.decodeFirst(text))
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  return x509.PemConverter.encode(bytes, 'CERTIFICATE REQUEST')
}

let open: World | undefined
afterEach(() => open?.stop())

test('an approved request becomes a certificate of the authority; what is no request fails; both go in time', async () => {
  const here = (open = await world({ controllers: 'certificate-signing', ports: { signer: requestSigner(authority) } }))
  const spec = { signerName: 'kubernetes.io/kube-apiserver-client', usages: client }
  for (const [name, text] of [
    ['good', pem],
    ['bad', forged(pem)],
  ] as const) {
    const encoded = Buffer.from(text).toString('base64')
    const made = await here.client.create(
      { resource: signingRequests },
      {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name },
        spec: { ...spec, request: encoded },
      },
    )
    if (!made.ok) throw new Error(made.error.message)
    const conditions = [{ type: 'Approved', status: 'True', reason: 'Test', message: '' }]
    const target = { resource: signingRequests, name, subresource: 'approval' }
    await here.client.update(target, { ...made.value, status: { conditions } })
  }
  await here.clock.advance(1_000)
  // Signing leaves the thread, and time stands still here.
  const statusOf = async (name: string): Promise<Status> => (await here.get(signingRequests, name))?.['status'] ?? {}
  await expect.poll(async () => (await statusOf('good')).certificate).toBeTruthy()
  await expect
    .poll(async () => (await statusOf('bad')).conditions?.map(({ type }) => type))
    .toEqual(['Approved', 'Failed'])
  const { certificate = '' } = await statusOf('good')
  const cert = new X509Certificate(Buffer.from(certificate, 'base64'))
  expect(cert.subject.split('\n').toSorted()).toEqual(['CN=ann', 'O=team'])
  expect(cert.verify(new X509Certificate(authority.cert).publicKey)).toBe(true)
  expect(cert.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  await here.clock.advance(25 * 3_600_000)
  expect(await here.names(signingRequests)).toEqual([])
})
