import { Buffer } from 'node:buffer'
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto'
import { isIPv4 } from 'node:net'
import { der, derInteger, derOid, derSequence, pem, readDer, type DerElement, readPem } from './der.ts'

export type KeyKind = 'rsa' | 'dsa' | 'ecdsa' | 'ed25519'

/** A certificate and its key, both as PEM. */
export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

export interface CertificateRequest {
  readonly commonName: string
  readonly ips: readonly string[]
  readonly dnsNames: readonly string[]
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly serial: Uint8Array
  readonly isAuthority: boolean
  /** The subject's key as PEM; left out, a new RSA key of 2048 bits is made. */
  readonly key?: string
  /** Who signs; left out, the certificate signs itself. */
  readonly issuer?: CertificatePair
}

/** Keys and certificates, made on the spot. What cannot be done is said in words. */
export interface CertificateMaker {
  privateKey(kind: KeyKind): string
  certificate(request: CertificateRequest): CertificatePair | string
  /** What is wrong with a certificate's PEM, if anything. */
  certificateProblem(text: string): string | undefined
  /** What is wrong with a private key's PEM, if anything. */
  keyProblem(text: string): string | undefined
}

/** `DSA PRIVATE KEY` as OpenSSL writes it: version, p, q, g, y, x. */
function dsaPem(privateKey: KeyObject, publicKey: KeyObject): string {
  const pkcs8 = readDer(privateKey.export({ type: 'pkcs8', format: 'der' }))?.[0]
  const spki = readDer(publicKey.export({ type: 'spki', format: 'der' }))?.[0]
  const [, algorithm, secret] = readDer(pkcs8?.content ?? new Uint8Array()) ?? []
  const [, bits] = readDer(spki?.content ?? new Uint8Array()) ?? []
  const parameters = readDer(algorithm?.content ?? new Uint8Array())?.[1]
  if (!parameters || !secret || !bits) throw new Error('a DSA key has an unknown form')
  const parts = [derInteger(Uint8Array.of(0)), parameters.content, bits.content.subarray(1), secret.content]
  return pem('DSA PRIVATE KEY', derSequence(...parts))
}

function privateKey(kind: KeyKind): string {
  switch (kind) {
    case 'rsa':
      return rsaKey(4096)
    case 'ecdsa':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
        type: 'sec1',
        format: 'pem',
      }) as string // PEM is text
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string // as above
    default: {
      const pair = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 })
      return dsaPem(pair.privateKey, pair.publicKey)
    }
  }
}

const rsaKey = (modulusLength: number): string =>
  generateKeyPairSync('rsa', { modulusLength }).privateKey.export({ type: 'pkcs1', format: 'pem' }) as string // as above

const KEY_WORDS: Readonly<Record<string, string>> = {
  'RSA PRIVATE KEY': 'parsing RSA private key from PEM',
  'EC PRIVATE KEY': 'parsing EC private key from PEM',
  'PRIVATE KEY': 'decoding PEM as PKCS#8',
}

function readKey(text: string): KeyObject | string {
  const block = readPem(text)
  if (!block) return 'no PEM data in input'
  if (block.type !== 'PRIVATE KEY' && !block.type.endsWith(' PRIVATE KEY')) {
    return `no private key data in PEM block of type ${block.type}`
  }
  const words = KEY_WORDS[block.type]
  if (!words) return `invalid private key type ${block.type.slice(0, -' PRIVATE KEY'.length)}`
  try {
    return createPrivateKey(text)
  } catch (error) {
    return `${words}: ${error instanceof Error ? error.message : String(error)}`
  }
}

function keyProblem(text: string): string | undefined {
  if (readPem(text)?.type === 'DSA PRIVATE KEY') return undefined
  const key = readKey(text)
  return typeof key === 'string' ? key : undefined
}

interface Parent {
  readonly subject: Uint8Array
  readonly keyId: Uint8Array | undefined
}

const SUBJECT_KEY_ID = '2.5.29.14'

const children = (element: DerElement | undefined): readonly DerElement[] =>
  readDer(element?.content ?? new Uint8Array()) ?? []

function parentOf(certificate: Uint8Array): Parent | undefined {
  const tbs = children(children(readDer(certificate)?.[0])[0])
  const subject = tbs[5]
  if (!subject) return undefined
  const extensions = children(children(tbs.find((element) => element.tag === 0xa3))[0])
  const wanted = Buffer.from(derOid(SUBJECT_KEY_ID))
  const found = extensions.map(children).find(([oid]) => oid !== undefined && wanted.equals(oid.bytes))
  return { subject: subject.bytes, keyId: readDer(found?.at(-1)?.content ?? new Uint8Array())?.[0]?.content }
}

function certificateProblem(text: string): string | undefined {
  if (!readPem(text)) return 'unable to decode certificate'
  try {
    const { raw } = new X509Certificate(text)
    return raw.length > 0 ? undefined : 'x509: malformed certificate'
  } catch {
    return 'x509: malformed certificate'
  }
}

interface Algorithm {
  readonly hash: string | null
  readonly identifier: Uint8Array
}

const EC_HASHES: Readonly<Record<string, readonly [hash: string, oid: string]>> = {
  prime256v1: ['sha256', '1.2.840.10045.4.3.2'],
  secp384r1: ['sha384', '1.2.840.10045.4.3.3'],
  secp521r1: ['sha512', '1.2.840.10045.4.3.4'],
}

function algorithmOf(key: KeyObject): Algorithm | undefined {
  if (key.asymmetricKeyType === 'rsa') {
    return { hash: 'sha256', identifier: derSequence(derOid('1.2.840.113549.1.1.11'), der(5)) }
  }
  if (key.asymmetricKeyType === 'ed25519') return { hash: null, identifier: derSequence(derOid('1.3.101.112')) }
  const curve = EC_HASHES[key.asymmetricKeyDetails?.namedCurve ?? '']
  return curve && { hash: curve[0], identifier: derSequence(derOid(curve[1])) }
}

const nameOf = (commonName: string): Uint8Array =>
  derSequence(
    der(0x31, derSequence(derOid('2.5.4.3'), der(isPrintable(commonName) ? 0x13 : 0x0c, Buffer.from(commonName)))),
  )

const isPrintable = (text: string): boolean => /^[A-Za-z0-9 '()+,\-./:=?*&]*$/.test(text)

function timeOf(ms: number): Uint8Array {
  const stamp = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return stamp.slice(0, 4) >= '2050' ? der(0x18, Buffer.from(stamp)) : der(0x17, Buffer.from(stamp.slice(2)))
}

function ipBytes(ip: string): Uint8Array {
  if (isIPv4(ip)) return Uint8Array.from(ip.split('.').map(Number))
  const [before = '', after] = ip.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, toGroups).split('::')
  const head = before === '' ? [] : before.split(':')
  const tail = after === undefined || after === '' ? [] : after.split(':')
  const groups =
    after === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
  return Uint8Array.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]))
}

const toGroups = (_all: string, a: string, b: string, c: string, d: string): string =>
  `${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`

const extension = (oid: string, isCritical: boolean, value: Uint8Array): Uint8Array =>
  derSequence(derOid(oid), ...(isCritical ? [der(1, Uint8Array.of(0xff))] : []), der(4, value))

function extensionsOf(request: CertificateRequest, keyId: Uint8Array, issuerKeyId: Uint8Array | undefined): Uint8Array {
  const { isAuthority, ips, dnsNames } = request
  // Digital signature and key encipherment; an authority also signs certificates.
  const usage = isAuthority ? Uint8Array.of(2, 0xa4) : Uint8Array.of(5, 0xa0)
  const parts = [
    extension('2.5.29.15', true, der(3, usage)),
    extension('2.5.29.37', false, derSequence(derOid('1.3.6.1.5.5.7.3.1'), derOid('1.3.6.1.5.5.7.3.2'))),
    extension('2.5.29.19', true, derSequence(...(isAuthority ? [der(1, Uint8Array.of(0xff))] : []))),
  ]
  if (isAuthority) parts.push(extension(SUBJECT_KEY_ID, false, der(4, keyId)))
  if (issuerKeyId) parts.push(extension('2.5.29.35', false, derSequence(der(0x80, issuerKeyId))))
  const names = [...dnsNames.map((name) => der(0x82, Buffer.from(name))), ...ips.map((ip) => der(0x87, ipBytes(ip)))]
  if (names.length > 0) parts.push(extension('2.5.29.17', request.commonName === '', derSequence(...names)))
  return der(0xa3, derSequence(...parts))
}

function issue(request: CertificateRequest): CertificatePair | string {
  const keyText = request.key ?? rsaKey(2048)
  const key = readKey(keyText)
  if (typeof key === 'string') return `parsing private key: ${key}`
  const signer = request.issuer ? readKey(request.issuer.key) : key
  if (typeof signer === 'string') return `error parsing private key: ${signer}`
  const block = request.issuer ? readPem(request.issuer.cert) : undefined
  const parent = block && parentOf(block.bytes)
  if (request.issuer && !block) return 'unable to decode certificate'
  if (request.issuer && !parent)
    return 'error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate'
  const algorithm = algorithmOf(signer)
  if (!algorithm) return 'error creating certificate: x509: only RSA, ECDSA and Ed25519 keys supported'
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const subject = request.commonName === '' ? derSequence() : nameOf(request.commonName)
  const keyBits = children(readDer(spki)?.[0])[1]?.content.subarray(1) ?? new Uint8Array()
  const keyId = createHash('sha1').update(keyBits).digest()
  const tbs = derSequence(
    der(0xa0, der(2, Uint8Array.of(2))),
    derInteger(request.serial),
    algorithm.identifier,
    parent?.subject ?? subject,
    derSequence(timeOf(request.notBeforeMs), timeOf(request.notAfterMs)),
    subject,
    spki,
    extensionsOf(request, keyId, parent?.keyId),
  )
  const signature = sign(algorithm.hash, tbs, signer)
  const whole = derSequence(tbs, algorithm.identifier, der(3, Uint8Array.of(0), signature))
  return { cert: pem('CERTIFICATE', whole), key: keyText }
}

/** Makes real keys and X.509 certificates. */
export const certificateMaker: CertificateMaker = { privateKey, certificate: issue, certificateProblem, keyProblem }
