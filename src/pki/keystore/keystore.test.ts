import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Certificate } from '../objects.ts'
import { has, openssl, runWith } from '../openssl.testkit.ts'
import { certificatePem, issueCertificate, readCertificate } from '../x509/certificate.ts'
import { encodePrivateKey, generateKey } from '../x509/keys.ts'
import { encodeName, nameOf } from '../x509/names.ts'
import { writeJks } from './jks.ts'
import { keystoresOf } from './keystores.ts'
import { rc2Encrypt } from '../../lib/pkcs12/rc2.ts'

async function stores(
  algorithm: 'RSA' | 'ECDSA',
  keystores: object,
  password = 'chängeit',
): Promise<ReadonlyMap<string, Uint8Array>> {
  const issue = async (name: string, isCa: boolean, by?: Awaited<ReturnType<typeof generateKey>>) => {
    const key = await generateKey({ algorithm, size: algorithm === 'RSA' ? 2048 : 256 })
    const subject = encodeName(nameOf({ commonName: name }))
    const template = {
      subject,
      publicKey: key,
      notBeforeMs: 0,
      notAfterMs: 4e12,
      isCa,
      usages: { bits: 1, extended: [] },
      further: [],
    }
    const signer = { subject: encodeName(nameOf({ commonName: 'root' })), key: by ?? key }
    return { key, pem: certificatePem({ bytes: await issueCertificate(template, signer, randomBytes(16)) }) }
  }
  const root = await issue('root', true)
  const leaf = await issue('leaf', false, root.key)
  const read = readCertificate(leaf.pem)
  if (!read.ok) throw new Error('the leaf cannot be read')
  const certificate = { spec: { keystores } } as Certificate
  return keystoresOf(
    {
      certificate,
      leaf: read.value,
      material: { key: encodePrivateKey(leaf.key, 'PKCS1'), certificate: leaf.pem, ca: root.pem },
      provenance: {},
      passwords: { jks: password, pkcs12: password },
    },
    { nowMs: Date.UTC(2026, 0, 1), bytes: randomBytes },
  )
}
const at = (made: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array => made.get(name) ?? new Uint8Array()

describe.runIf(has('openssl'))('PKCS#12 for openssl', () => {
  test.each([
    ['LegacyRC2', ['-legacy']],
    ['LegacyDES', []],
    ['Modern2023', []],
    ['Modern2026', ['-nomacver']],
  ])('of profile %s', async (profile, flags) => {
    const made = await stores('ECDSA', { pkcs12: { create: true, profile } })
    const files = { p: at(made, 'keystore.p12'), t: at(made, 'truststore.p12') }
    // This openssl is older than PBMAC1, and does not check it.
    const shown = openssl(['pkcs12', ...flags, '-in', 'p', '-info', '-nodes', '-passin', 'pass:chängeit'], files).text
    expect(shown).toContain('BEGIN PRIVATE KEY')
    expect(shown.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
    expect(shown).toContain('CN = leaf')
    expect(shown.match(/localKeyID/g)).toHaveLength(2)
    const trust = openssl(['pkcs12', ...flags, '-in', 't', '-nokeys', '-passin', 'pass:chängeit'], files).text
    expect(trust).toContain('friendlyName: root')
    expect(trust.match(/BEGIN CERTIFICATE/g)).toHaveLength(1)
    expect(openssl(['pkcs12', ...flags, '-in', 'p', '-nodes', '-passin', 'pass:wrong'], files).code).not.toBe(0)
  })
})

describe.runIf(has('keytool', '-help'))('for keytool', () => {
  const list = (store: Uint8Array, password: string) =>
    runWith('keytool', ['-list', '-v', '-keystore', 's', '-storepass', password], { s: store }).text

  test('JKS holds the key under its alias, and the authority as trusted', async () => {
    const made = await stores('RSA', { jks: { create: true, alias: 'My-Key' } }, 'changeit')
    const shown = list(at(made, 'keystore.jks'), 'changeit')
    expect(shown).toContain('contains 2 entries')
    expect(shown).toMatch(
      /Alias name: my-key\nCreation date: .*\nEntry type: PrivateKeyEntry\nCertificate chain length: 1/,
    )
    expect(shown).toContain('Owner: CN=leaf')
    expect(list(at(made, 'truststore.jks'), 'changeit')).toMatch(/Alias name: ca\n.*\nEntry type: trustedCertEntry/)
    expect(list(at(made, 'keystore.jks'), 'wrong-one')).toContain('password was incorrect')
    const to = [
      '-destkeystore',
      'd',
      '-deststoretype',
      'pkcs12',
      '-srcstorepass',
      'changeit',
      '-deststorepass',
      'changeit',
    ]
    const moved = runWith('keytool', ['-importkeystore', '-srckeystore', 's', ...to], { s: at(made, 'keystore.jks') })
    expect(moved.text).toContain('2 entries successfully imported')
  })

  test.each(['LegacyRC2', 'LegacyDES', 'Modern2023'])('PKCS#12 of profile %s', async (profile) => {
    const made = await stores('ECDSA', { pkcs12: { create: true, profile } }, 'changeit')
    expect(list(at(made, 'keystore.p12'), 'changeit')).toContain('Entry type: PrivateKeyEntry')
    expect(list(at(made, 'truststore.p12'), 'changeit')).toContain('Entry type: trustedCertEntry')
  })
})

describe('rc2', () => {
  test.each([
    // RFC 2268, section 5, the cases whose effective length is that of the key.
    ['ffffffffffffffff', 'ffffffffffffffff', '278b27e42e2f0d49', 64],
    ['3000000000000000', '1000000000000001', '30649edf9be7d2c2', 64],
    ['88bca90e90875a7f0f79c384627bafb2', '0000000000000000', '2269552ab0f85ca6', 128],
  ])('key %s makes of %s what the RFC says', (key, plain, want) => {
    const encrypted = rc2Encrypt(Buffer.from(plain, 'hex'), Buffer.from(key, 'hex'), new Uint8Array(8))
    expect(Buffer.from(encrypted).toString('hex').slice(0, 16)).toBe(want)
  })
})

test('a JKS is what Java documents: its magic, its entries and a hash of all', () => {
  const bytes = Buffer.from(
    writeJks([{ alias: 'CA', trusted: Uint8Array.of(1, 2, 3) }], {
      password: 'pw',
      createdMs: 1_000,
      bytes: randomBytes,
    }),
  )
  const body = bytes.subarray(0, -20)
  expect(body.toString('hex')).toBe(
    `feedfeed00000002000000010000000200026361${'00000000000003e8'}0005${Buffer.from('X.509').toString('hex')}00000003010203`,
  )
  const hash = createHash('sha1').update(Buffer.from('\0p\0w')).update('Mighty Aphrodite').update(body).digest()
  expect(bytes.subarray(-20).equals(hash)).toBe(true)
})
