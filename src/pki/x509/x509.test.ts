import { createHash, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import 'reflect-metadata'
import { X509Certificate as Peculiar } from '@peculiar/x509'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Result } from '../../lib/result.ts'
import { has, openssl } from '../openssl.testkit.ts'
import {
  certificatePem,
  type CertificateTemplate,
  isSelfSigned,
  issueCertificate,
  readCertificate,
  type ReadCertificate,
  type Signer,
} from './certificate.ts'
import { chainOf, readChain } from './chain.ts'
import { type Extension, nameConstraints, rangeBytes } from './extensions.ts'
import { type AlternativeNames, encodeAlternativeNames, noNames, readAlternativeNames } from './general-names.ts'
import {
  encodePrivateKey,
  generateKey,
  keyViolations,
  publicKeyBytes,
  readPrivateKey,
  signatureAlgorithm,
} from './keys.ts'
import { encodeName, nameOf, parseLiteralName, readName, subjectOf } from './names.ts'
import { isOid, oid } from './oids.ts'
import { pemBlocks } from './pem-blocks.ts'
import { makeRequest, readRequest } from './request.ts'
import { encodeKeyUsage, keyUsagesOf, readKeyUsage, usageNames } from './usages.ts'

function good<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('; '))
  return result.value
}
const problemOf = (result: Result<unknown>): string =>
  result.ok ? `fine: ${JSON.stringify(result.value)}` : result.error.map(({ message }) => message).join('; ')

const NOW = Date.UTC(2026, 0, 1)
const serial = (text: string): Uint8Array => createHash('md5').update(text).digest()
const ecKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const sans = (names: Partial<AlternativeNames>, isCritical = false): Extension => ({
  oid: oid.subjectAltName,
  isCritical,
  value: encodeAlternativeNames({ ...noNames, ...names }),
})

interface Made {
  readonly certificate: ReadCertificate
  readonly key: KeyObject
  readonly pem: string
}

async function issue(
  name: string,
  given: Partial<CertificateTemplate> & { by?: Made; key?: KeyObject } = {},
): Promise<Made> {
  const key = given.key ?? ecKey()
  const subject = name === '' ? encodeName([]) : encodeName(nameOf({ commonName: name, organizations: ['Test'] }))
  const template: CertificateTemplate = {
    subject,
    publicKey: key,
    notBeforeMs: NOW - 86_400_000,
    notAfterMs: NOW + 86_400_000 * 90,
    isCa: false,
    usages: good(
      keyUsagesOf(given.isCa ? ['cert sign', 'crl sign'] : ['server auth', 'digital signature'], given.isCa ?? false),
    ),
    further: [],
    ...given,
  }
  const signer: Signer = given.by
    ? {
        subject: given.by.certificate.subject,
        key: given.by.key,
        ...(given.by.certificate.subjectKeyId ? { subjectKeyId: given.by.certificate.subjectKeyId } : {}),
      }
    : { subject, key }
  const bytes = await issueCertificate(template, signer, serial(name))
  const pem = certificatePem({ bytes })
  return { certificate: good(readCertificate(pem)), key, pem }
}

const AT = ['-attime', String(NOW / 1_000)]

describe.runIf(has('openssl'))('chains', () => {
  test.each(['RSA 2048', 'ECDSA 256', 'ECDSA 384', 'ECDSA 521', 'Ed25519 0'])(
    'of %s keys, by way of an intermediate, are accepted by openssl',
    async (kind) => {
      const [algorithm = '', size] = kind.split(' ')
      const make = () => generateKey({ algorithm: algorithm as 'RSA', size: Number(size) })
      const root = await issue('root', { isCa: true, key: await make() })
      const middle = await issue('middle', { isCa: true, by: root, key: await make() })
      const leaf = await issue('leaf', {
        by: middle,
        key: await make(),
        further: [
          sans({
            dnsNames: ['a.test', '*.b.test'],
            ipAddresses: ['10.0.0.1', '2001:db8::7'],
            uris: ['spiffe://x/y'],
            emailAddresses: ['me@a.test'],
            otherNames: [{ oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'upn@é' }],
          }),
        ],
      })
      const files = { 'ca.pem': root.pem, 'middle.pem': middle.pem, 'leaf.pem': leaf.pem }
      const check = [
        'verify',
        '-x509_strict',
        ...AT,
        '-purpose',
        'sslserver',
        '-CAfile',
        'ca.pem',
        '-untrusted',
        'middle.pem',
      ]
      expect(openssl([...check, '-verify_hostname', 'x.b.test', 'leaf.pem'], files).text).toContain('leaf.pem: OK')
      expect(openssl([...check, '-verify_ip', '2001:db8::7', 'leaf.pem'], files).text).toContain('leaf.pem: OK')
      expect(openssl([...check, '-verify_hostname', 'c.test', 'leaf.pem'], files).code).not.toBe(0)
      const bundle = good(chainOf([root.certificate, leaf.certificate, middle.certificate]))
      expect(bundle).toEqual({ chain: leaf.pem + middle.pem, ca: root.pem })
      expect(new Peculiar(leaf.pem).subject).toBe('O=Test, CN=leaf')
      expect(new X509Certificate(leaf.pem).checkIssued(new X509Certificate(middle.pem))).toBe(true)
    },
  )

  test('name constraints hold for those below', async () => {
    const constraints = good(
      nameConstraints({
        critical: true,
        permitted: { dnsDomains: ['a.test'], ipRanges: ['10.0.0.0/8'] },
        excluded: { emailAddresses: ['.bad.test'], uriDomains: ['bad.test'] },
      }),
    )
    const root = await issue('root', { isCa: true, further: constraints ? [constraints] : [] })
    const inside = await issue('', {
      by: root,
      further: [sans({ dnsNames: ['x.a.test'], ipAddresses: ['10.1.2.3'] }, true)],
    })
    const outside = await issue('', { by: root, further: [sans({ dnsNames: ['b.test'] }, true)] })
    const verify = (leaf: string) =>
      openssl(['verify', '-x509_strict', ...AT, '-CAfile', 'ca', 'leaf'], { ca: root.pem, leaf })
    expect(verify(inside.pem).text).toContain('leaf: OK')
    expect(verify(outside.pem).text).toContain('permitted subtree violation')
    const shown = openssl(['x509', '-in', 'ca', '-noout', '-text'], { ca: root.pem }).text
    expect(shown).toMatch(
      /Name Constraints: critical\s+Permitted:\s+DNS:a.test\s+IP:10.0.0.0\/255.0.0.0\s+Excluded:\s+email:.bad.test\s+URI:bad.test/,
    )
  })

  test('where to ask about a certificate is in it', async () => {
    const root = await issue('root', { isCa: true })
    const leaf = await issue('leaf', {
      by: root,
      crlDistributionPoints: ['http://crl.test/a', 'http://crl.test/b'],
      ocspServers: ['http://ocsp.test'],
      issuingCertificateUrls: ['http://ca.test/ca.crt'],
    })
    const shown = openssl(['x509', '-in', 'leaf', '-noout', '-text'], { leaf: leaf.pem }).text
    for (const url of [
      'URI:http://crl.test/a',
      'URI:http://crl.test/b',
      'OCSP - URI:http://ocsp.test',
      'CA Issuers - URI:http://ca.test/ca.crt',
    ]) {
      expect(shown).toContain(url)
    }
    expect(shown).toContain('X509v3 Authority Key Identifier')
    expect(
      openssl(['verify', '-x509_strict', ...AT, '-CAfile', 'ca', 'leaf'], { ca: root.pem, leaf: leaf.pem }).code,
    ).toBe(0)
  })
})

describe('a chain', () => {
  test('of a self-signed certificate alone is its own authority', async () => {
    const root = await issue('root', { isCa: true })
    expect(isSelfSigned(root.certificate)).toBe(true)
    expect(good(chainOf([root.certificate, root.certificate]))).toEqual({ chain: root.pem, ca: root.pem })
  })
  test('without its root has its topmost as authority', async () => {
    const root = await issue('root', { isCa: true })
    const middle = await issue('middle', { isCa: true, by: root })
    const leaf = await issue('leaf', { by: middle })
    expect(good(readChain(middle.pem + leaf.pem))).toEqual({ chain: leaf.pem + middle.pem, ca: middle.pem })
    expect(good(chainOf([leaf.certificate]))).toEqual({ chain: leaf.pem })
  })
  test.each(['a stranger beside it', 'two leaves', 'nothing'])('with %s is refused', async (what) => {
    const root = await issue('root', { isCa: true })
    const leaf = await issue('leaf', { by: root })
    const other = await issue('other', { by: root })
    const stranger = await issue('stranger', { isCa: true })
    const given = what === 'nothing' ? [] : [root, leaf, what === 'two leaves' ? other : stranger]
    expect(problemOf(chainOf(given.map(({ certificate }) => certificate)))).toMatch(/malformed or broken|at least one/)
  })
  test('of namesakes is told apart by signatures', async () => {
    const old = await issue('root', { isCa: true })
    const next = await issue('root', { isCa: true })
    const leaf = await issue('leaf', { by: next })
    expect(good(chainOf([leaf.certificate, next.certificate])).ca).toBe(next.pem)
    expect(problemOf(chainOf([leaf.certificate, old.certificate]))).toMatch(/broken/)
  })
})

describe('a request', () => {
  const key = ecKey()
  const algorithm = signatureAlgorithm(key)
  if (!algorithm) throw new Error('an EC key signs')

  test.runIf(has('openssl'))('is what it was made of, also for openssl', async () => {
    const extensions = [
      sans({ dnsNames: ['a.test'] }),
      { oid: oid.keyUsage, isCritical: true, value: encodeKeyUsage(0b101) },
    ]
    const subject = nameOf({ commonName: 'x & y', countries: ['DE', 'FR'], serialNumber: '7' })
    const text = await makeRequest({ subject, extensions, key, algorithm })
    expect(openssl(['req', '-verify', '-noout', '-in', 'r'], { r: text }).text).toContain('verify OK')
    const read = good(readRequest(text))
    expect(read.isSigned()).toBe(true)
    expect(read.extensions.map(({ oid: id }) => id)).toEqual([oid.subjectAltName, oid.keyUsage])
    expect(subjectOf(read.name)).toMatchObject({ commonName: 'x & y', countries: ['DE', 'FR'], serialNumber: '7' })
    expect(read.names.dnsNames).toEqual(['a.test'])
    expect(Buffer.compare(read.spki, publicKeyBytes(key))).toBe(0)
  })

  test.runIf(has('openssl'))('that openssl made is read', () => {
    const made = openssl([
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'k',
      '-subj',
      '/C=DE/O=A/CN=b',
      '-addext',
      'subjectAltName=DNS:b.test,IP:1.2.3.4',
    ])
    const read = good(readRequest(made.text.slice(made.text.indexOf('-----BEGIN CERT'))))
    expect(read.isSigned()).toBe(true)
    expect(read.names).toMatchObject({ dnsNames: ['b.test'], ipAddresses: ['1.2.3.4'] })
  })

  test('that was changed is not signed', async () => {
    const text = await makeRequest({ subject: nameOf({ commonName: 'aaaa' }), extensions: [], key, algorithm })
    const [block] = pemBlocks(text, { characters: 9_999, blocks: 1 }) ?? []
    const bytes = Buffer.from(block?.bytes ?? [])
    bytes.write('bbbb', bytes.indexOf('aaaa'))
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
    expect(good(readRequest(forged)).isSigned()).toBe(false)
  })

  test('in any broken form is refused and never thrown', async () => {
    const text = await makeRequest({
      subject: nameOf({ commonName: 'x' }),
      extensions: [sans({ dnsNames: ['a'] })],
      key,
      algorithm,
    })
    const [block] = pemBlocks(text, { characters: 9_999, blocks: 1 }) ?? []
    const whole = Buffer.from(block?.bytes ?? [])
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(whole.length),
        (changes, length) => {
          const bytes = Buffer.from(whole)
          for (const [at, byte] of changes) bytes[at] = byte
          for (const cut of [bytes, bytes.subarray(0, length)]) {
            const wrap = (type: string) => `-----BEGIN ${type}-----\n${cut.toString('base64')}\n-----END ${type}-----\n`
            const read = readRequest(wrap('CERTIFICATE REQUEST'))
            if (read.ok) read.value.isSigned()
            readCertificate(wrap('CERTIFICATE'))
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('hostile PEM', () => {
  test.each([
    ['nothing', '', /PEM block/],
    ['a flood of beginnings', '-----BEGIN CERTIFICATE-----\n'.repeat(10_000), /PEM block/],
    ['a megabyte', `-----BEGIN CERTIFICATE-----\n${'A'.repeat(1_000_000)}\n-----END CERTIFICATE-----`, /too large/],
    [
      'thousands of certificates',
      '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'.repeat(2_000),
      /too large/,
    ],
    [
      'deep nesting',
      `-----BEGIN CERTIFICATE-----\n${Buffer.alloc(3_000, Buffer.from([0x30, 0x82, 0x10, 0x00])).toString('base64')}\n-----END CERTIFICATE-----`,
      /malformed/,
    ],
    [
      'an endless length',
      `-----BEGIN CERTIFICATE-----\n${Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0]).toString('base64')}\n-----END CERTIFICATE-----`,
      /malformed/,
    ],
  ])('%s is refused', (_name, text, want) => {
    expect(problemOf(readCertificate(text))).toMatch(want)
    expect(problemOf(readRequest(text))).toMatch(/request/)
    expect(problemOf(readPrivateKey(text))).toMatch(/private key/)
  })

  test('a key that cannot be read is not repeated', () => {
    const secret = Buffer.from('this is the secret').toString('base64')
    const read = readPrivateKey(`-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`)
    expect(problemOf(read)).toBe('error parsing pkcs8 private key')
  })
})

describe('a private key', () => {
  test.each([
    ['RSA', 'PKCS1', 'BEGIN RSA PRIVATE KEY'],
    ['RSA', 'PKCS8', 'BEGIN PRIVATE KEY'],
    ['ECDSA', 'PKCS1', 'BEGIN EC PRIVATE KEY'],
    ['ECDSA', 'PKCS8', 'BEGIN PRIVATE KEY'],
    ['Ed25519', 'PKCS1', 'BEGIN PRIVATE KEY'],
  ] as const)('of kind %s as %s is read again', async (algorithm, encoding, begin) => {
    const key = await generateKey({ algorithm, size: algorithm === 'RSA' ? 2048 : 256 })
    const text = encodePrivateKey(key, encoding)
    expect(text).toContain(begin)
    expect(good(readPrivateKey(text)).equals(key)).toBe(true)
  })
  test.each([
    [{ algorithm: 'ECDSA', size: 256 }, []],
    [{ algorithm: 'ECDSA', size: 384 }, ['spec.privateKey.size']],
    [{ algorithm: 'RSA', size: 2048 }, ['spec.privateKey.algorithm']],
  ] as const)('is compared with what is wanted: %j', (wanted, want) =>
    expect(keyViolations(ecKey(), wanted)).toEqual(want),
  )
})

describe('names', () => {
  test.each([
    ['CN=foo', [[[oid.commonName, 'foo']]]],
    [
      'CN=foo,OU=bar, O=baz',
      [[[oid.organization, 'baz']], [[oid.organizationalUnit, 'bar']], [[oid.commonName, 'foo']]],
    ],
    [
      'CN=a+SERIALNUMBER=1,DC=x',
      [
        [[oid.domainComponent, 'x']],
        [
          [oid.commonName, 'a'],
          [oid.serialNumber, '1'],
        ],
      ],
    ],
    ['CN=a\\,b\\2Bc\\C3\\A9', [[[oid.commonName, 'a,b+cé']]]],
    ['CN="a,b"', [[[oid.commonName, 'a,b']]]],
    ['CN= a \\ ', [[[oid.commonName, 'a  ']]]],
    ['2.5.4.3=x', [[['2.5.4.3', 'x']]]],
    ['CN=#0c0161', [[[oid.commonName, 'a']]]],
    ['', []],
  ])('%j is read as a literal', (text, want) => {
    expect(good(parseLiteralName(text)).map((set) => set.map((each) => [each.oid, each.value]))).toEqual(want)
  })
  test.each(['CN', 'XX=a', 'CN=a,,O=b', 'CN=a\\zz', 'CN=#zz', 'CN="a', `CN=${'a'.repeat(20_000)}`, '__proto__=x'])(
    '%.20j is no literal',
    (text) => expect(problemOf(parseLiteralName(text))).not.toMatch(/^fine/),
  )
  test('any subject is read as it was written', () => {
    const list = fc.array(fc.string({ minLength: 1 }), { maxLength: 3 })
    const text = fc.string({ minLength: 1, unit: 'grapheme' })
    fc.assert(
      fc.property(
        fc.record({ commonName: text, organizations: list, countries: list, postalCodes: list }),
        (subject) => {
          const read = subjectOf(readName(encodeName(nameOf(subject))))
          expect(read.commonName).toBe(subject.commonName)
          for (const field of ['organizations', 'countries', 'postalCodes'] as const)
            expect([...read[field]].toSorted()).toEqual([...subject[field]].toSorted())
        },
      ),
    )
  })
  test.each([
    ['1.2.3', true],
    ['2.999', true],
    ['1.40', false],
    ['3.1', false],
    ['1', false],
    ['1..2', false],
    ['01.2', false],
  ])('%s is an identifier: %s', (text, want) => expect(isOid(text)).toBe(want))
  test.each([
    ['10.1.2.3/8', '0a000000ff000000'],
    ['::/0', '00'.repeat(32)],
    ['1.2.3.4/33', undefined],
    ['1.2.3.4', undefined],
    ['x/8', undefined],
  ])('the range %s is %s', (text, want) => {
    const bytes = rangeBytes(text)
    expect(bytes && Buffer.from(bytes).toString('hex')).toBe(want)
  })
  test('alternative names come back', () => {
    const names: AlternativeNames = {
      dnsNames: ['a'],
      emailAddresses: ['b@c'],
      ipAddresses: ['1.2.3.4', '::1'],
      uris: ['x:y'],
      otherNames: [{ oid: '1.2.3', utf8Value: 'ü' }],
    }
    expect(readAlternativeNames(encodeAlternativeNames(names))).toEqual(names)
  })
})

describe('usages', () => {
  test.each([
    [undefined, false, ['digital signature', 'key encipherment']],
    [['server auth', 'any'], false, ['server auth', 'any']],
    [['signing'], true, ['digital signature', 'cert sign']],
    [['decipher only'], false, ['decipher only']],
  ])('%j of an authority (%s) are %j', (names, isCa, want) => {
    const usages = good(keyUsagesOf(names, isCa))
    expect(usageNames({ ...usages, bits: usages.bits > 0 ? readKeyUsage(encodeKeyUsage(usages.bits)) : 0 })).toEqual(
      want,
    )
  })
  test('that nobody knows are refused by name', () =>
    expect(problemOf(keyUsagesOf(['x', 'client auth', 'constructor'], false))).toBe(
      'unknown key usages: [x constructor]',
    ))
})
