import { createPublicKey, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { certificateMaker } from '../../../lib/certificates.ts'
import { movableClock } from '../../../lib/clock.ts'
import { seededIds } from '../../../lib/ids.ts'
import { compileJmesPath } from '../jmespath.ts'

/** What an expression makes of a text; what it refuses is thrown. */
function decodeX509(text: string): unknown {
  const path = compileJmesPath('x509_decode(@)')
  const found = path.ok ? path.value.search(text, { now: () => movableClock().now(), ids: seededIds() }) : path
  if (!found.ok) throw new Error(found.error[0]?.message)
  return found.value
}

const made = certificateMaker.certificate({
  commonName: 'web.example',
  dnsNames: ['web.example', 'www.example'],
  ips: ['10.0.0.1'],
  notBeforeMs: Date.UTC(2026, 0, 1),
  notAfterMs: Date.UTC(2027, 0, 1),
  serial: Uint8Array.of(7),
  isAuthority: false,
})

test('a certificate has the fields that Go gives it', () => {
  if (typeof made === 'string') throw new Error(made)
  const fields = decodeX509(made.cert)
  const node = new X509Certificate(made.cert)
  const jwk = createPublicKey(made.cert).export({ format: 'jwk' })
  const modulus = BigInt(`0x${Buffer.from(String(jwk.n), 'base64url').toString('hex')}`).toString()
  expect(fields).toMatchObject({
    PublicKey: { N: modulus, E: 65_537 },
    Version: 3,
    Subject: { CommonName: 'web.example' },
    NotBefore: new Date(node.validFrom).toISOString().replace('.000', ''),
    NotAfter: new Date(node.validTo).toISOString().replace('.000', ''),
    DNSNames: ['web.example', 'www.example'],
    IPAddresses: ['10.0.0.1'],
    PublicKeyAlgorithm: 1,
    SignatureAlgorithm: 4,
  })
})

test.each([
  ['no PEM', 'hello'],
  ['a key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'],
  ['a block that is no DER', '-----BEGIN CERTIFICATE-----\nMIIDSjCCAjKg\n-----END CERTIFICATE-----\n'],
  ['an empty block', '-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n'],
])('%s is refused', (_, text) => expect(() => decodeX509(text)).toThrow(/x509_decode/))
