import { Buffer } from 'node:buffer'
import { type KeyObject, X509Certificate } from 'node:crypto'
import { der, derInteger, derSequence, pem } from '../../lib/der.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { derBits, derOctets, derTime, expectTag, Malformed, onlyElement, partsOf, TAG, timeOf } from './asn1.ts'
import {
  authorityInfoAccess,
  basicConstraints,
  crlDistributionPoints,
  encodeExtension,
  type Extension,
  extensionValue,
  readBasicConstraints,
  readExtensions,
} from './extensions.ts'
import { type AlternativeNames, noNames, readAlternativeNames } from './general-names.ts'
import { keyIdOf, publicKeyBytes, signatureAlgorithm, signBytes } from './keys.ts'
import { type DistinguishedName, readName } from './names.ts'
import { oid } from './oids.ts'
import { pemBlocks } from './pem-blocks.ts'
import { publicKeyOf } from './request.ts'
import { encodeExtendedUsages, encodeKeyUsage, type KeyUsages } from './usages.ts'

/** A certificate that was read. */
export interface ReadCertificate {
  readonly bytes: Uint8Array
  readonly serial: Uint8Array
  /** The bytes of the names, as they are. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly name: DistinguishedName
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly spki: Uint8Array
  readonly extensions: readonly Extension[]
  readonly names: AlternativeNames
  readonly isCa: boolean
  readonly subjectKeyId?: Uint8Array
}

const LONGEST_BUNDLE = 400_000
/** A chain is longer than this only on purpose. */
export const MOST_CERTIFICATES = 1_000
const WHAT = 'certificate'

/** Reads the certificates of a PEM text, at least one. */
export function readCertificates(text: string): Result<readonly ReadCertificate[]> {
  const refuse = (message: string): Result<readonly ReadCertificate[]> =>
    fail({ code: 'certificate-unreadable', message })
  const blocks = pemBlocks(text, { characters: LONGEST_BUNDLE, blocks: MOST_CERTIFICATES })
  if (!blocks) return refuse('error decoding certificate: the PEM is too large')
  const ours = blocks.filter(({ type }) => type === 'CERTIFICATE')
  if (ours.length === 0) return refuse('error decoding certificate PEM block')
  try {
    return succeed(ours.map(({ bytes }) => certificateOf(bytes)))
  } catch (error) {
    if (error instanceof Malformed) return refuse(`error parsing certificate: ${error.message}`)
    throw error
  }
}

/** Reads the first certificate of a PEM text. */
export function readCertificate(text: string): Result<ReadCertificate> {
  const read = readCertificates(text)
  const [first] = read.ok ? read.value : []
  return read.ok && first ? succeed(first) : (read as Result<never>) // a success holds at least one
}

/** Reads a certificate; throws Malformed. */
function certificateOf(bytes: Uint8Array): ReadCertificate {
  const whole = expectTag(onlyElement(bytes, WHAT), TAG.sequence, WHAT)
  const fields = partsOf(partsOf(whole, WHAT)[0], WHAT)
  const [serial, , issuer, validity, subject, spki, ...rest] = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields
  if (serial?.tag !== TAG.integer || !issuer || !subject || !spki) throw new Malformed(`malformed ${WHAT}`)
  const [from, until] = partsOf(validity, WHAT)
  const listed = rest.find(({ tag }) => tag === 0xa3)
  const extensions = listed ? readExtensions(partsOf(listed, WHAT)[0]) : []
  const names = extensionValue(extensions, oid.subjectAltName)
  const constraints = extensionValue(extensions, oid.basicConstraints)
  const keyId = extensionValue(extensions, oid.subjectKeyId)
  return {
    bytes: whole.bytes,
    serial: serial.content,
    issuer: issuer.bytes,
    subject: subject.bytes,
    name: readName(subject.bytes),
    notBeforeMs: timeOf(from, WHAT),
    notAfterMs: timeOf(until, WHAT),
    spki: spki.bytes,
    extensions,
    names: names ? readAlternativeNames(names) : noNames,
    isCa: constraints !== undefined && readBasicConstraints(constraints).isCa,
    ...(keyId ? { subjectKeyId: onlyElement(keyId, WHAT).content } : {}),
  }
}

/** What was worked out of authorities, which are asked for every certificate below them. */
const keys = new WeakMap<ReadCertificate, KeyObject>()
const roots = new WeakMap<ReadCertificate, boolean>()

/** Whether a certificate was signed by the key of another one; its name is not looked at. */
export function isSignedBy({ bytes }: ReadCertificate, by: ReadCertificate): boolean {
  try {
    const key = keys.get(by) ?? publicKeyOf(by.spki)
    keys.set(by, key)
    return new X509Certificate(bytes).verify(key)
  } catch {
    return false
  }
}

/** Whether a certificate is its own issuer. */
export function isSelfSigned(certificate: ReadCertificate): boolean {
  const known = roots.get(certificate)
  if (known !== undefined) return known
  const isRoot = Buffer.compare(certificate.issuer, certificate.subject) === 0 && isSignedBy(certificate, certificate)
  roots.set(certificate, isRoot)
  return isRoot
}

export const certificatePem = ({ bytes }: Pick<ReadCertificate, 'bytes'>): string => pem('CERTIFICATE', bytes)

/** What a certificate will say. */
export interface CertificateTemplate {
  /** The bytes of the name. */
  readonly subject: Uint8Array
  readonly publicKey: KeyObject
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly isCa: boolean
  readonly usages: KeyUsages
  /** Taken over as they are, such as alternative names and name constraints. */
  readonly further: readonly Extension[]
  readonly crlDistributionPoints?: readonly string[]
  readonly ocspServers?: readonly string[]
  readonly issuingCertificateUrls?: readonly string[]
}

/** Who signs: its name, its key and the identifier of its key. */
export interface Signer {
  readonly subject: Uint8Array
  readonly key: KeyObject
  readonly subjectKeyId?: Uint8Array
}

/** Makes a certificate. The serial number is random: 16 bytes of it. */
export async function issueCertificate(
  template: CertificateTemplate,
  signer: Signer,
  serial: Uint8Array,
): Promise<Uint8Array> {
  const algorithm = signatureAlgorithm(signer.key)
  if (!algorithm) throw new Error('cannot sign with a key that is neither RSA, nor ECDSA, nor Ed25519')
  const spki = publicKeyBytes(template.publicKey)
  const body = derSequence(
    der(0xa0, derInteger(Uint8Array.of(2))),
    derInteger(positive(serial)),
    algorithm.identifier,
    signer.subject,
    derSequence(derTime(template.notBeforeMs), derTime(template.notAfterMs)),
    template.subject,
    spki,
    der(0xa3, derSequence(...extensionsOf(template, signer, spki).map(encodeExtension))),
  )
  const signature = await signBytes(body, signer.key, algorithm)
  return derSequence(body, algorithm.identifier, derBits(signature))
}

/** A serial number is positive and not zero. */
function positive(serial: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(serial)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}

function extensionsOf(template: CertificateTemplate, signer: Signer, spki: Uint8Array): readonly Extension[] {
  const { usages, isCa, crlDistributionPoints: crls = [], ocspServers = [], issuingCertificateUrls = [] } = template
  const isOwn = Buffer.compare(template.subject, signer.subject) === 0
  const plain = (id: string, value: Uint8Array): Extension => ({ oid: id, isCritical: false, value })
  return [
    ...(usages.bits > 0 ? [{ oid: oid.keyUsage, isCritical: true, value: encodeKeyUsage(usages.bits) }] : []),
    ...(usages.extended.length > 0 ? [plain(oid.extendedKeyUsage, encodeExtendedUsages(usages.extended))] : []),
    basicConstraints({ isCa }),
    ...(isCa ? [plain(oid.subjectKeyId, derOctets(keyIdOf(spki)))] : []),
    ...(signer.subjectKeyId && !isOwn ? [plain(oid.authorityKeyId, derSequence(der(0x80, signer.subjectKeyId)))] : []),
    ...(ocspServers.length + issuingCertificateUrls.length > 0
      ? [authorityInfoAccess(ocspServers, issuingCertificateUrls)]
      : []),
    ...(crls.length > 0 ? [crlDistributionPoints(crls)] : []),
    ...template.further,
  ]
}
