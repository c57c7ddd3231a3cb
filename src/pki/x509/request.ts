import { Buffer } from 'node:buffer'
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { der, derInteger, derOid, derSequence, pem } from '../../lib/der.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { bitsOf, derBits, derSet, expectTag, Malformed, oidOf, onlyElement, partsOf, TAG } from './asn1.ts'
import { encodeExtension, type Extension, extensionValue, readExtensions } from './extensions.ts'
import { type AlternativeNames, noNames, readAlternativeNames } from './general-names.ts'
import { algorithmByIdentifier, keySpecOf, publicKeyBytes, type SignatureAlgorithm, signBytes } from './keys.ts'
import { type DistinguishedName, encodeName, readName } from './names.ts'
import { oid } from './oids.ts'
import { pemBlocks } from './pem-blocks.ts'

/** What a request is made of. */
export interface RequestParts {
  readonly subject: DistinguishedName
  readonly extensions: readonly Extension[]
  readonly key: KeyObject
  readonly algorithm: SignatureAlgorithm
}

/** A certificate request (PKCS#10) in PEM, signed by the key that it is for. */
export async function makeRequest({ subject, extensions, key, algorithm }: RequestParts): Promise<string> {
  const asked =
    extensions.length === 0
      ? []
      : [derSequence(derOid(oid.extensionRequest), derSet(derSequence(...extensions.map(encodeExtension))))]
  const info = derSequence(derInteger(Uint8Array.of(0)), encodeName(subject), publicKeyBytes(key), der(0xa0, ...asked))
  const signature = await signBytes(info, key, algorithm)
  return pem('CERTIFICATE REQUEST', derSequence(info, algorithm.identifier, derBits(signature)))
}

/** What a request asks for. */
export interface ReadRequest {
  /** The bytes of the name, as they are. */
  readonly subject: Uint8Array
  readonly name: DistinguishedName
  readonly publicKey: KeyObject
  /** The bytes that say which key it is. */
  readonly spki: Uint8Array
  readonly extensions: readonly Extension[]
  readonly names: AlternativeNames
  /** Whether the key that the request is for has signed it. */
  isSigned(): boolean
}

const LONGEST_REQUEST = 65_536
const WHAT = 'certificate request'

/** The last requests that were read: each is looked at when it is written, approved, signed and compared. */
const recent = new Map<string, Result<ReadRequest>>()
const REMEMBERED = 256

/** Reads a certificate request in PEM. */
export function readRequest(text: string): Result<ReadRequest> {
  const known = recent.get(text)
  if (known) return known
  const read = parseRequest(text)
  const [oldest] = recent.keys()
  if (recent.size >= REMEMBERED && oldest !== undefined) recent.delete(oldest)
  if (text.length <= LONGEST_REQUEST) recent.set(text, read)
  return read
}

function parseRequest(text: string): Result<ReadRequest> {
  const refuse = (message: string): Result<ReadRequest> => fail({ code: 'certificate-request-unreadable', message })
  const blocks = pemBlocks(text, { characters: LONGEST_REQUEST, blocks: 1 })
  if (!blocks) return refuse('error decoding certificate request: it is too large')
  const [block] = blocks
  if (block?.type !== 'CERTIFICATE REQUEST' && block?.type !== 'NEW CERTIFICATE REQUEST')
    return refuse('error decoding certificate request PEM block')
  try {
    return succeed(requestOf(block.bytes))
  } catch (error) {
    if (error instanceof Malformed) return refuse(error.message)
    throw error
  }
}

function requestOf(bytes: Uint8Array): ReadRequest {
  const [info, algorithm, signature] = partsOf(expectTag(onlyElement(bytes, WHAT), TAG.sequence, WHAT), WHAT)
  const [version, subject, spki, attributes] = partsOf(info, WHAT)
  if (!info || !algorithm || version?.tag !== TAG.integer || !subject || !spki) throw new Malformed(`malformed ${WHAT}`)
  const extensions = requestedExtensions(attributes)
  const names = extensionValue(extensions, oid.subjectAltName)
  const publicKey = publicKeyOf(spki.bytes)
  const signed = bitsOf(signature, WHAT)
  let isSigned: boolean | undefined
  return {
    subject: subject.bytes,
    name: readName(subject.bytes),
    publicKey,
    spki: publicKeyBytes(publicKey),
    extensions,
    names: names ? readAlternativeNames(names) : noNames,
    isSigned() {
      const by = algorithmByIdentifier(algorithm.bytes)
      isSigned ??= by !== undefined && verify(by.hash, info.bytes, publicKey, signed)
      return isSigned
    },
  }
}

/** Reads a public key; throws Malformed. */
export function publicKeyOf(spki: Uint8Array): KeyObject {
  let key: KeyObject
  try {
    key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch {
    throw new Malformed('malformed public key')
  }
  const spec = keySpecOf(key)
  if (!spec) throw new Malformed('the public key is neither an RSA, nor an ECDSA, nor an Ed25519 key')
  // A key of a million bits is read fast but takes minutes to check a signature with.
  if (spec.algorithm === 'RSA' && spec.size > 16_384) throw new Malformed('the RSA key is longer than 16384 bits')
  return key
}

function requestedExtensions(attributes: Parameters<typeof partsOf>[0]): readonly Extension[] {
  if (!attributes) return []
  const all = partsOf(expectTag(attributes, 0xa0, WHAT), WHAT).map((each) => partsOf(each, WHAT))
  const asked = all.find(([id]) => oidOf(id, WHAT) === oid.extensionRequest)
  return asked ? readExtensions(partsOf(asked[1], WHAT)[0]) : []
}
