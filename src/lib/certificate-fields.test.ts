import { createPublicKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { certificateFields } from './certificate-fields.ts'
import { certificateMaker } from './certificates.ts'

const key = certificateMaker.privateKey('rsa')
const pair = certificateMaker.certificate({
  commonName: 'example.com',
  ips: ['10.0.0.1', '2001:db8::7'],
  dnsNames: ['a.example.com'],
  notBeforeMs: Date.UTC(2026, 0, 1),
  notAfterMs: Date.UTC(2056, 0, 1),
  serial: Uint8Array.of(1, 2, 3),
  isAuthority: true,
  key,
})
if (typeof pair === 'string') throw new Error(pair)

test('the fields of a certificate are read', () => {
  const modulus = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).n ?? '', 'base64url')
  expect(certificateFields(pair.cert)).toMatchObject({
    ok: true,
    value: {
      Version: 3,
      SerialNumber: 0x010203,
      PublicKeyAlgorithm: 1,
      SignatureAlgorithm: 4,
      PublicKey: { N: BigInt(`0x${modulus.toString('hex')}`).toString(), E: 65_537 },
      Issuer: { CommonName: 'example.com', Names: [{ Type: [2, 5, 4, 3], Value: 'example.com' }], Country: null },
      NotBefore: '2026-01-01T00:00:00Z',
      NotAfter: '2056-01-01T00:00:00Z',
      KeyUsage: 37,
      ExtKeyUsage: [1, 2],
      BasicConstraintsValid: true,
      IsCA: true,
      MaxPathLen: -1,
      DNSNames: ['a.example.com'],
      IPAddresses: ['10.0.0.1', '2001:db8::7'],
      EmailAddresses: null,
    },
  })
})

test.each([
  ['nothing', ''],
  ['a key', key],
  ['a certificate that is cut short', pair.cert.replace(/\n.{20}[^]*?\n-----END/, '\nMIIB\n-----END')],
  ['another key than RSA', otherKey()],
  ['bytes that are no DER', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
])('%s is refused', (_name, text) => {
  expect(certificateFields(text)).toMatchObject({ ok: false, error: [{ code: 'certificate-unreadable' }] })
})

function otherKey(): string {
  const made = certificateMaker.certificate({
    commonName: 'x',
    ips: [],
    dnsNames: [],
    notBeforeMs: 0,
    notAfterMs: 1,
    serial: Uint8Array.of(1),
    isAuthority: false,
    key: certificateMaker.privateKey('ecdsa'),
  })
  return typeof made === 'string' ? '' : made.cert
}
