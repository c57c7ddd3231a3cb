import { Buffer } from 'node:buffer'
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto'
import { derOid, derSequence, readDer } from '../../lib/der.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { derNull } from './asn1.ts'
import { pemBlocks } from './pem-blocks.ts'

export type KeyAlgorithm = 'RSA' | 'ECDSA' | 'Ed25519'

/** Which private key is wanted. */
export interface KeySpec {
  readonly algorithm: KeyAlgorithm
  /** Bits; of an Ed25519 key it says nothing. */
  readonly size: number
}

export type KeyEncoding = 'PKCS1' | 'PKCS8'

const LONGEST_KEY = 32_768
const curves: Readonly<Record<number, string>> = { 256: 'prime256v1', 384: 'secp384r1', 521: 'secp521r1' }
const curveSizes: Readonly<Record<string, number>> = { prime256v1: 256, secp384r1: 384, secp521r1: 521 }

/**
 * RSA keys are searched for in the threads that also write files and the store: a few of those are left free, so that many
 * Certificates at once do not hold up everybody's writes.
 */
const MOST_SEARCHES = 2
let searches = 0
const waiting: (() => void)[] = []

/** Makes a key away from the main thread. */
export async function generateKey(spec: KeySpec): Promise<KeyObject> {
  if (spec.algorithm !== 'RSA') return makeKey(spec)
  if (searches >= MOST_SEARCHES) await new Promise<void>((resolve) => waiting.push(resolve))
  else searches += 1
  try {
    return await makeKey(spec)
  } finally {
    // Whoever waits next takes the place over.
    const next = waiting.shift()
    if (next) next()
    else searches -= 1
  }
}

function makeKey({ algorithm, size }: KeySpec): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, _public: KeyObject, key: KeyObject): void =>
      error ? reject(error) : resolve(key)
    if (algorithm === 'RSA') generateKeyPair('rsa', { modulusLength: size }, done)
    else if (algorithm === 'ECDSA') generateKeyPair('ec', { namedCurve: curves[size] ?? 'prime256v1' }, done)
    else generateKeyPair('ed25519', {}, done)
  })
}

const KEY_TYPES: readonly string[] = ['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY']

/** The last keys that were read: each is looked at in several turns, in several objects. */
const recent = new Map<string, Result<KeyObject>>()
const REMEMBERED = 256

/** Reads a private key in PEM. Nothing of the text is in the problem. */
export function readPrivateKey(text: string): Result<KeyObject> {
  const known = recent.get(text)
  if (known) return known
  const read = parsePrivateKey(text)
  const [oldest] = recent.keys()
  if (recent.size >= REMEMBERED && oldest !== undefined) recent.delete(oldest)
  if (text.length <= LONGEST_KEY) recent.set(text, read)
  return read
}

function parsePrivateKey(text: string): Result<KeyObject> {
  const refuse = (message: string): Result<KeyObject> => fail({ code: 'private-key-unreadable', message })
  const blocks = pemBlocks(text, { characters: LONGEST_KEY, blocks: 10 })
  if (!blocks) return refuse('error decoding private key: the PEM is too large')
  const block = blocks.find(({ type }) => KEY_TYPES.includes(type))
  if (!block) return refuse('error decoding private key PEM block')
  const type = block.type === 'PRIVATE KEY' ? 'pkcs8' : block.type === 'RSA PRIVATE KEY' ? 'pkcs1' : 'sec1'
  try {
    const key = createPrivateKey({ key: Buffer.from(block.bytes), format: 'der', type })
    return keySpecOf(key) ? succeed(key) : refuse('the private key is neither an RSA, nor an ECDSA, nor an Ed25519 key')
  } catch {
    // What OpenSSL says of it may differ from version to version.
    return refuse(`error parsing ${type} private key`)
  }
}

/** What was worked out of keys, since asking OpenSSL costs as much as signing does. */
const specs = new WeakMap<KeyObject, KeySpec | 'other'>()
const publicBytes = new WeakMap<KeyObject, Uint8Array>()

/** Which kind of key it is; undefined for kinds that certificates here do not have. */
export function keySpecOf(key: KeyObject): KeySpec | undefined {
  const known = specs.get(key) ?? readSpec(key) ?? 'other'
  specs.set(key, known)
  return known === 'other' ? undefined : known
}

function readSpec(key: KeyObject): KeySpec | undefined {
  const { modulusLength, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') return { algorithm: 'RSA', size: modulusLength ?? 0 }
  if (key.asymmetricKeyType === 'ed25519') return { algorithm: 'Ed25519', size: 0 }
  const size = key.asymmetricKeyType === 'ec' ? curveSizes[namedCurve] : undefined
  return size === undefined ? undefined : { algorithm: 'ECDSA', size }
}

/** The fields of a Certificate that a key is not as they say. */
export function keyViolations(key: KeyObject, wanted: KeySpec): readonly string[] {
  const has = keySpecOf(key)
  if (has?.algorithm !== wanted.algorithm) return ['spec.privateKey.algorithm']
  return wanted.algorithm !== 'Ed25519' && has.size !== wanted.size ? ['spec.privateKey.size'] : []
}

/** A private key in PEM; of Ed25519 keys there is only the PKCS#8 form. */
export function encodePrivateKey(key: KeyObject, encoding: KeyEncoding): string {
  const old = { rsa: 'pkcs1', ec: 'sec1' } as const
  const kind = key.asymmetricKeyType
  const type = encoding === 'PKCS1' && (kind === 'rsa' || kind === 'ec') ? old[kind] : 'pkcs8'
  return key.export({ type, format: 'pem' }) as string // PEM is text
}

/** The bytes that say which public key it is: of a private key, of the one that belongs to it. */
export function publicKeyBytes(key: KeyObject): Uint8Array {
  const known = publicBytes.get(key)
  if (known) return known
  const bytes = (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' })
  publicBytes.set(key, bytes)
  return bytes
}

/** Whether two public keys are the same one, however they are written. */
export function isSameKey(a: Uint8Array, b: Uint8Array): boolean {
  if (Buffer.compare(a, b) === 0) return true
  const [first, second] = [canonical(a), canonical(b)]
  return first !== undefined && second !== undefined && Buffer.compare(first, second) === 0
}

/** The one form of a public key: its points are not compressed, its curve is named. */
function canonical(spki: Uint8Array): Uint8Array | undefined {
  try {
    return publicKeyBytes(createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }))
  } catch {
    return undefined
  }
}

/** The identifier of a public key: the SHA-1 of its bits, as RFC 5280 proposes. */
export function keyIdOf(spki: Uint8Array): Uint8Array {
  const [, bits] = readDer(readDer(spki)?.[0]?.content ?? new Uint8Array()) ?? []
  return createHash('sha1')
    .update(bits?.content.subarray(1) ?? spki)
    .digest()
}

/** How something is signed. */
export interface SignatureAlgorithm {
  readonly name: string
  readonly hash: string | null
  readonly identifier: Uint8Array
}

const withNull = (oid: string): Uint8Array => derSequence(derOid(oid), derNull)
const bare = (oid: string): Uint8Array => derSequence(derOid(oid))

const algorithms: ReadonlyMap<string, SignatureAlgorithm> = new Map(
  [
    { name: 'SHA256WithRSA', hash: 'sha256', identifier: withNull('1.2.840.113549.1.1.11') },
    { name: 'SHA384WithRSA', hash: 'sha384', identifier: withNull('1.2.840.113549.1.1.12') },
    { name: 'SHA512WithRSA', hash: 'sha512', identifier: withNull('1.2.840.113549.1.1.13') },
    { name: 'ECDSAWithSHA256', hash: 'sha256', identifier: bare('1.2.840.10045.4.3.2') },
    { name: 'ECDSAWithSHA384', hash: 'sha384', identifier: bare('1.2.840.10045.4.3.3') },
    { name: 'ECDSAWithSHA512', hash: 'sha512', identifier: bare('1.2.840.10045.4.3.4') },
    { name: 'PureEd25519', hash: null, identifier: bare('1.3.101.112') },
  ].map((algorithm) => [algorithm.name, algorithm]),
)

/** The signature algorithms that fit keys of a kind. */
export const signatureNames: Readonly<Record<KeyAlgorithm, readonly string[]>> = {
  RSA: ['SHA256WithRSA', 'SHA384WithRSA', 'SHA512WithRSA'],
  ECDSA: ['ECDSAWithSHA256', 'ECDSAWithSHA384', 'ECDSAWithSHA512'],
  Ed25519: ['PureEd25519'],
}

const ecHashes: Readonly<Record<number, string>> = { 256: '256', 384: '384', 521: '512' }

/** How a key signs: by the algorithm that is named, else by the hash that fits its size. */
export function signatureAlgorithm(key: KeyObject, name?: string): SignatureAlgorithm | undefined {
  const spec = keySpecOf(key)
  if (!spec) return undefined
  if (name !== undefined) return signatureNames[spec.algorithm].includes(name) ? algorithms.get(name) : undefined
  if (spec.algorithm === 'Ed25519') return algorithms.get('PureEd25519')
  if (spec.algorithm === 'ECDSA') return algorithms.get(`ECDSAWithSHA${ecHashes[spec.size] ?? '256'}`)
  return algorithms.get(`SHA${spec.size >= 4096 ? '512' : spec.size >= 3072 ? '384' : '256'}WithRSA`)
}

/** The signature algorithm that bytes identify. */
export const algorithmByIdentifier = (identifier: Uint8Array): SignatureAlgorithm | undefined =>
  [...algorithms.values()].find((algorithm) => Buffer.compare(algorithm.identifier, identifier) === 0)

/** Signs away from the main thread. */
export function signBytes(bytes: Uint8Array, key: KeyObject, { hash }: SignatureAlgorithm): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    sign(hash, bytes, key, (error, signature) => (error ? reject(error) : resolve(signature)))
  })
}
