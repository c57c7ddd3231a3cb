import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { certificateMaker, type CertificatePair, type CertificateRequest } from './certificates.ts'

const request = (more: Partial<CertificateRequest>): CertificateRequest => ({
  commonName: 'x',
  ips: [],
  dnsNames: [],
  notBeforeMs: Date.UTC(2026, 0, 1),
  notAfterMs: Date.UTC(2056, 0, 1),
  serial: Uint8Array.of(1, 2, 3),
  isAuthority: false,
  key: certificateMaker.privateKey('ecdsa'),
  ...more,
})

function issued(more: Partial<CertificateRequest>): CertificatePair {
  const pair = certificateMaker.certificate(request(more))
  if (typeof pair === 'string') throw new Error(pair)
  return pair
}

test.each(['ecdsa', 'ed25519'] as const)('an authority with an %s key signs a certificate that verifies', (kind) => {
  const ca = issued({ commonName: 'root é', isAuthority: true, key: certificateMaker.privateKey(kind) })
  const leaf = issued({
    commonName: 'foo.com',
    issuer: ca,
    dnsNames: ['bar.com', '*.bat.com'],
    ips: ['10.0.0.1', '2001:db8::7', '::ffff:1.2.3.4'],
  })
  const root = new X509Certificate(ca.cert)
  const cert = new X509Certificate(leaf.cert)
  expect(root.ca).toBe(true)
  expect(root.verify(root.publicKey)).toBe(true)
  expect(cert.ca).toBe(false)
  expect(cert.verify(root.publicKey)).toBe(true)
  expect(cert.checkIssued(root)).toBe(true)
  expect(cert.subject).toBe('CN=foo.com')
  expect(cert.issuer).toBe(root.subject)
  expect(cert.subjectAltName).toBe(
    'DNS:bar.com, DNS:*.bat.com, IP Address:10.0.0.1, IP Address:2001:DB8:0:0:0:0:0:7, IP Address:0:0:0:0:0:FFFF:102:304',
  )
  expect(cert.serialNumber).toBe('010203')
  expect(cert.validFrom).toBe('Jan  1 00:00:00 2026 GMT')
  expect(cert.validTo).toBe('Jan  1 00:00:00 2056 GMT')
  expect(cert.checkHost('x.bat.com')).toBe('*.bat.com')
})

test('a key is made where none is given', () => {
  const { key, ...without } = request({})
  expect(key).toContain('EC PRIVATE KEY')
  const pair = certificateMaker.certificate(without)
  expect(pair).toMatchObject({ key: expect.stringContaining('BEGIN RSA PRIVATE KEY') as string })
})

test.each([
  ['', 'no PEM data in input'],
  [
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    'no private key data in PEM block of type CERTIFICATE',
  ],
  ['-----BEGIN X PRIVATE KEY-----\nAAAA\n-----END X PRIVATE KEY-----\n', 'invalid private key type X'],
])('a key that is none is refused: %j', (text, want) => {
  expect(certificateMaker.keyProblem(text)).toBe(want)
  expect(certificateMaker.certificate(request({ key: text }))).toBe(`parsing private key: ${want}`)
})

test('broken PEM is told apart from broken DER', () => {
  expect(certificateMaker.certificateProblem('x')).toBe('unable to decode certificate')
  expect(certificateMaker.certificateProblem('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')).toBe(
    'x509: malformed certificate',
  )
  expect(certificateMaker.certificateProblem(issued({}).cert)).toBeUndefined()
  expect(certificateMaker.keyProblem(issued({}).key)).toBeUndefined()
})
