import { Buffer } from 'node:buffer'
import { type DerElement, readDer, readPem } from './der.ts'
import type { Json, JsonObject } from './json.ts'
import { fail, type Result, succeed } from './result.ts'

const LONGEST = 200_000
const RSA = '1.2.840.113549.1.1.1'
const UTC_TIME = 0x17

/** A text that is no certificate; never leaves this file. */
class Malformed extends Error {}

/**
 * The fields of a certificate or certificate request in PEM, under the names of Go's crypto/x509; only RSA keys are known, as in
 * Kyverno (1.18, x509_decode).
 */
export function certificateFields(text: string): Result<JsonObject> {
  const refuse = (message: string): Result<JsonObject> => fail({ code: 'certificate-unreadable', message })
  const block = text.length > LONGEST ? undefined : readPem(text)
  if (!block) return refuse('failed to decode PEM block')
  try {
    if (block.type === 'CERTIFICATE') return succeed(certificate(block.bytes))
    if (block.type === 'CERTIFICATE REQUEST') return succeed(request(block.bytes))
  } catch (error) {
    if (error instanceof Malformed) return refuse(error.message)
    throw error
  }
  return refuse('PEM block neither contains a CERTIFICATE or CERTIFICATE REQUEST')
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

function parts(element: DerElement | undefined): readonly DerElement[] {
  const read = element && readDer(element.content)
  if (!read) throw new Malformed('x509: malformed certificate')
  return read
}

function only(bytes: Uint8Array): DerElement {
  const [element] = readDer(bytes) ?? []
  if (!element) throw new Malformed('x509: malformed certificate')
  return element
}

const BMP_STRING = 0x1e

const textOf = ({ tag, content }: DerElement): string =>
  tag === BMP_STRING ? Buffer.from(content).swap16().toString('utf16le') : Buffer.from(content).toString('utf8')

function certificate(bytes: Uint8Array): JsonObject {
  const whole = only(bytes)
  const [tbs, algorithm, signature] = parts(whole)
  const fields = parts(tbs)
  const versioned = fields[0]?.tag === 0xa0 ? fields : [undefined, ...fields]
  const [version, serial, , issuer, validity, subject, spki, ...rest] = versioned
  if (!tbs || !serial || !issuer || !subject || !spki) throw new Malformed('x509: malformed certificate')
  const [from, until] = parts(validity)
  return {
    Raw: base64(whole.bytes),
    RawTBSCertificate: base64(tbs.bytes),
    RawSubjectPublicKeyInfo: base64(spki.bytes),
    RawSubject: base64(subject.bytes),
    RawIssuer: base64(issuer.bytes),
    Signature: bitsOf(signature),
    SignatureAlgorithm: signatureAlgorithm(algorithm),
    ...publicKey(spki),
    Version: version ? numberOf(parts(version)[0]) + 1 : 1,
    SerialNumber: numberOf(serial),
    Issuer: nameOf(issuer),
    Subject: nameOf(subject),
    NotBefore: timeOf(from),
    NotAfter: timeOf(until),
    ...extensionFields(rest.find((each) => each?.tag === 0xa3)),
  }
}

function request(bytes: Uint8Array): JsonObject {
  const whole = only(bytes)
  const [info, algorithm, signature] = parts(whole)
  const [version, subject, spki, attributes] = parts(info)
  if (!info || !version || !subject || !spki) throw new Malformed('x509: malformed certificate request')
  return {
    Raw: base64(whole.bytes),
    RawTBSCertificateRequest: base64(info.bytes),
    RawSubjectPublicKeyInfo: base64(spki.bytes),
    RawSubject: base64(subject.bytes),
    Version: numberOf(version),
    Signature: bitsOf(signature),
    SignatureAlgorithm: signatureAlgorithm(algorithm),
    ...publicKey(spki),
    Subject: nameOf(subject),
    ...namesAndExtensions(extensionsOf(requestedExtensions(attributes))),
  }
}

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'

/** The extensions that a request asks for are an attribute of it. */
function requestedExtensions(attributes: DerElement | undefined): DerElement | undefined {
  const asked = (attributes ? parts(attributes) : []).find((each) => oidOf(parts(each)[0]) === EXTENSION_REQUEST)
  return asked && parts(asked)[1]
}

/** Of a bit string whose bits fill its bytes. */
const bitsOf = (element: DerElement | undefined): string => base64(element?.content.subarray(1) ?? new Uint8Array())

const integerOf = (element: DerElement | undefined): bigint =>
  element && element.content.length > 0 ? BigInt(`0x${Buffer.from(element.content).toString('hex')}`) : 0n

const numberOf = (element: DerElement | undefined): number => Number(integerOf(element))

function oidNumbers(element: DerElement | undefined): readonly number[] {
  const numbers: number[] = []
  let value = 0
  for (const byte of element?.content ?? []) {
    value = value * 128 + (byte & 127)
    if (byte >= 128) continue
    if (numbers.length === 0)
      numbers.push(Math.min(Math.floor(value / 40), 2), value - Math.min(Math.floor(value / 40), 2) * 40)
    else numbers.push(value)
    value = 0
  }
  return numbers
}

const oidOf = (element: DerElement | undefined): string => oidNumbers(element).join('.')

const signatureAlgorithms: ReadonlyMap<string, number> = new Map([
  ['1.2.840.113549.1.1.4', 2],
  ['1.2.840.113549.1.1.5', 3],
  ['1.2.840.113549.1.1.11', 4],
  ['1.2.840.113549.1.1.12', 5],
  ['1.2.840.113549.1.1.13', 6],
  ['1.2.840.10045.4.1', 9],
  ['1.2.840.10045.4.3.2', 10],
  ['1.2.840.10045.4.3.3', 11],
  ['1.2.840.10045.4.3.4', 12],
  ['1.3.101.112', 16],
])

const signatureAlgorithm = (element: DerElement | undefined): number =>
  signatureAlgorithms.get(oidOf(parts(element)[0])) ?? 0

function publicKey(spki: DerElement): JsonObject {
  const [algorithm, bits] = parts(spki)
  if (oidOf(parts(algorithm)[0]) !== RSA) throw new Malformed('certificate should use rsa algorithm')
  const [modulus, exponent] = parts(only(bits?.content.subarray(1) ?? new Uint8Array()))
  return { PublicKeyAlgorithm: 1, PublicKey: { N: integerOf(modulus).toString(), E: numberOf(exponent) } }
}

const nameFields: ReadonlyMap<string, string> = new Map([
  ['2.5.4.6', 'Country'],
  ['2.5.4.10', 'Organization'],
  ['2.5.4.11', 'OrganizationalUnit'],
  ['2.5.4.7', 'Locality'],
  ['2.5.4.8', 'Province'],
  ['2.5.4.9', 'StreetAddress'],
  ['2.5.4.17', 'PostalCode'],
])

function nameOf(element: DerElement): JsonObject {
  const lists = new Map<string, string[]>([...nameFields.values()].map((field) => [field, []]))
  const names: Json[] = []
  let [serial, common] = ['', '']
  for (const [oid, value] of parts(element).flatMap((set) => parts(set).map((pair) => parts(pair)))) {
    const text = value ? textOf(value) : ''
    names.push({ Type: oidNumbers(oid), Value: text })
    const dotted = oidOf(oid)
    if (dotted === '2.5.4.3') common = text
    else if (dotted === '2.5.4.5') serial = text
    else lists.get(nameFields.get(dotted) ?? '')?.push(text)
  }
  const listed = [...lists].map(([field, values]) => [field, values.length > 0 ? values : null] as const)
  return { ...Object.fromEntries(listed), SerialNumber: serial, CommonName: common, Names: names, ExtraNames: null }
}

/** UTCTime has two digits of the year, GeneralizedTime four. */
function timeOf(element: DerElement | undefined): string {
  const text = element ? textOf(element) : ''
  const found = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z$/.exec(text)
  const [, year = '', month, day, hour, minute, second = '00'] = found ?? []
  if (!found || (element?.tag === UTC_TIME) !== (year.length === 2)) throw new Malformed('x509: malformed validity')
  const full = year.length === 4 ? year : `${Number(year) >= 50 ? '19' : '20'}${year}`
  return `${full}-${month}-${day}T${hour}:${minute}:${second}Z`
}

interface Extension {
  readonly oid: string
  readonly id: readonly number[]
  readonly isCritical: boolean
  readonly value: Uint8Array
}

function extensionsOf(element: DerElement | undefined): readonly Extension[] {
  if (!element) return []
  return parts(parts(element)[0]).map((each) => {
    const fields = parts(each)
    const value = fields.at(-1)?.content ?? new Uint8Array()
    const isCritical = fields.length > 2 && fields[1]?.content[0] !== 0
    return { oid: oidOf(fields[0]), id: oidNumbers(fields[0]), isCritical, value }
  })
}

const extendedUsages: ReadonlyMap<string, number> = new Map(
  ['2.5.29.37.0', ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((last) => `1.3.6.1.5.5.7.3.${last}`)].map((oid, index) => [
    oid,
    index,
  ]),
)

/** Lists that hold nothing are null, as in Go. */
const orNull = (list: readonly Json[]): Json => (list.length > 0 ? list : null)

const valueOf = (extensions: readonly Extension[], oid: string): Uint8Array | undefined =>
  extensions.find((each) => each.oid === oid)?.value

/** What certificates and requests for them have alike. */
function namesAndExtensions(extensions: readonly Extension[]): JsonObject {
  const alternatives = valueOf(extensions, '2.5.29.17')
  const names = alternatives ? parts(only(alternatives)) : []
  const ofTag = (tag: number): readonly DerElement[] => names.filter((each) => each.tag === tag)
  // Names of the net are IA5 strings: a byte is a character.
  const texts = (tag: number): Json => orNull(ofTag(tag).map(({ content }) => Buffer.from(content).toString('latin1')))
  return {
    Extensions: orNull(
      extensions.map(({ id, isCritical, value }) => ({ Id: id, Critical: isCritical, Value: base64(value) })),
    ),
    ExtraExtensions: null,
    DNSNames: texts(0x82),
    EmailAddresses: texts(0x81),
    IPAddresses: orNull(ofTag(0x87).map(({ content }) => addressOf(content))),
    URIs: texts(0x86),
  }
}

function extensionFields(element: DerElement | undefined): JsonObject {
  const extensions = extensionsOf(element)
  const usages = valueOf(extensions, '2.5.29.37')
  const subjectKey = valueOf(extensions, '2.5.29.14')
  const authorityKey = valueOf(extensions, '2.5.29.35')
  return {
    KeyUsage: keyUsage(valueOf(extensions, '2.5.29.15')),
    ...namesAndExtensions(extensions),
    ExtKeyUsage: orNull(usages ? parts(only(usages)).flatMap((each) => extendedUsages.get(oidOf(each)) ?? []) : []),
    UnknownExtKeyUsage: null,
    ...basicConstraints(valueOf(extensions, '2.5.29.19')),
    SubjectKeyId: subjectKey ? base64(only(subjectKey).content) : null,
    AuthorityKeyId: authorityKey
      ? base64(parts(only(authorityKey)).find(({ tag }) => tag === 0x80)?.content ?? Buffer.alloc(0))
      : null,
    OCSPServer: null,
    IssuingCertificateURL: null,
    PermittedDNSDomainsCritical: false,
    PermittedDNSDomains: null,
    ExcludedDNSDomains: null,
    PermittedIPRanges: null,
    ExcludedIPRanges: null,
    PermittedEmailAddresses: null,
    ExcludedEmailAddresses: null,
    PermittedURIDomains: null,
    ExcludedURIDomains: null,
    CRLDistributionPoints: null,
    PolicyIdentifiers: null,
  }
}

function keyUsage(value: Uint8Array | undefined): number {
  if (!value) return 0
  const bytes = only(value).content.subarray(1)
  let usage = 0
  for (let bit = 0; bit < bytes.length * 8 && bit < 9; bit++) {
    if (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) usage |= 1 << bit
  }
  return usage
}

function basicConstraints(value: Uint8Array | undefined): JsonObject {
  if (!value) return { BasicConstraintsValid: false, IsCA: false, MaxPathLen: 0, MaxPathLenZero: false }
  const fields = parts(only(value))
  const length = fields.find(({ tag }) => tag === 2)
  const most = length ? numberOf(length) : -1
  const isAuthority = fields.some(({ tag, content }) => tag === 1 && content[0] !== 0)
  return { BasicConstraintsValid: true, IsCA: isAuthority, MaxPathLen: most, MaxPathLenZero: most === 0 }
}

/** Of an IPv6 address the longest run of zeros, if it is longer than one group, is left out. */
function addressOf(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: bytes.length / 2 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  )
  const text = groups.join(':')
  const [run] = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].toSorted((a, b) => b[0].length - a[0].length)
  return run ? `${text.slice(0, run.index)}::${text.slice(run.index + run[0].length + 1)}` : text
}
