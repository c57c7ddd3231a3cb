import { Buffer } from 'node:buffer'
import { type DerElement, readDer, readPem } from '../../../lib/der.ts'
import { wrongValue } from '../error.ts'

/** The fields of an RSA certificate, or of a request for one, under the names that Go's JSON gives them. */
export function decodeX509(text: string): Readonly<Record<string, unknown>> {
  const pem = readPem(text)
  if (!pem) throw refused('the text holds no PEM block')
  if (pem.type === 'CERTIFICATE') return certificate(pem.bytes)
  if (pem.type === 'CERTIFICATE REQUEST') return request(pem.bytes)
  throw refused(`the PEM block is a ${pem.type}, not a CERTIFICATE or a CERTIFICATE REQUEST`)
}

const refused = (message: string): Error => wrongValue(`x509_decode(): ${message}`)

function parts(bytes: Uint8Array, what: string): readonly DerElement[] {
  const read = readDer(bytes)
  if (!read) throw refused(`${what} is not DER`)
  return read
}

function element(list: readonly DerElement[], index: number, what: string): DerElement {
  const found = list[index]
  if (!found) throw refused(`there is no ${what}`)
  return found
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

function certificate(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const whole = element(parts(bytes, 'the certificate'), 0, 'certificate')
  const outer = parts(whole.content, 'the certificate')
  const body = element(outer, 0, 'certificate body')
  const fields = parts(body.content, 'the certificate body')
  const hasVersion = fields[0]?.tag === 0xa0
  const at = (index: number, what: string): DerElement => element(fields, hasVersion ? index + 1 : index, what)
  const validity = parts(at(3, 'validity').content, 'the validity')
  const key = at(5, 'public key')
  const extensions = fields.find(({ tag }) => tag === 0xa3)
  return {
    Raw: base64(whole.bytes),
    RawTBSCertificate: base64(body.bytes),
    RawSubjectPublicKeyInfo: base64(key.bytes),
    RawSubject: base64(at(4, 'subject').bytes),
    RawIssuer: base64(at(2, 'issuer').bytes),
    ...signature(outer),
    PublicKeyAlgorithm: 1,
    PublicKey: rsaKey(key),
    Version: hasVersion && fields[0] ? numberOf(parts(fields[0].content, 'the version')[0]) + 1 : 1,
    SerialNumber: Number(bigOf(at(0, 'serial number').content)),
    Issuer: nameOf(at(2, 'issuer')),
    Subject: nameOf(at(4, 'subject')),
    NotBefore: timeOf(element(validity, 0, 'beginning of the validity')),
    NotAfter: timeOf(element(validity, 1, 'end of the validity')),
    ...extensionFields(extensions ? parts(extensions.content, 'the extensions')[0] : undefined, true),
  }
}

function request(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const whole = element(parts(bytes, 'the request'), 0, 'request')
  const outer = parts(whole.content, 'the request')
  const body = element(outer, 0, 'request body')
  const fields = parts(body.content, 'the request body')
  const key = element(fields, 2, 'public key')
  const subject = element(fields, 1, 'subject')
  return {
    Raw: base64(whole.bytes),
    RawTBSCertificateRequest: base64(body.bytes),
    RawSubjectPublicKeyInfo: base64(key.bytes),
    RawSubject: base64(subject.bytes),
    ...signature(outer),
    PublicKeyAlgorithm: 1,
    PublicKey: rsaKey(key),
    Version: numberOf(fields[0]),
    Subject: nameOf(subject),
    ...extensionFields(requestedExtensions(fields[3]), false),
  }
}

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'

/** The extensions that a request asks for are an attribute of it. */
function requestedExtensions(attributes: DerElement | undefined): DerElement | undefined {
  for (const attribute of attributes ? parts(attributes.content, 'the attributes') : []) {
    const [type, values] = parts(attribute.content, 'an attribute')
    if (type && values && oidOf(type.content) === EXTENSION_REQUEST) return parts(values.content, 'an attribute')[0]
  }
  return undefined
}

const signatureAlgorithms: Readonly<Record<string, number>> = {
  '1.2.840.113549.1.1.4': 2,
  '1.2.840.113549.1.1.5': 3,
  '1.2.840.113549.1.1.11': 4,
  '1.2.840.113549.1.1.12': 5,
  '1.2.840.113549.1.1.13': 6,
  '1.2.840.10045.4.1': 9,
  '1.2.840.10045.4.3.2': 10,
  '1.2.840.10045.4.3.3': 11,
  '1.2.840.10045.4.3.4': 12,
  '1.3.101.112': 16,
}

function signature(outer: readonly DerElement[]): Readonly<Record<string, unknown>> {
  const algorithm = parts(element(outer, 1, 'signature algorithm').content, 'the signature algorithm')[0]
  const value = element(outer, 2, 'signature').content
  return {
    Signature: base64(value.subarray(1)),
    SignatureAlgorithm: signatureAlgorithms[oidOf(algorithm?.content ?? value)] ?? 0,
  }
}

const RSA = '1.2.840.113549.1.1.1'

function rsaKey(key: DerElement): Readonly<Record<string, unknown>> {
  const [algorithm, bits] = parts(key.content, 'the public key')
  const type = algorithm && parts(algorithm.content, 'the key algorithm')[0]
  if (!type || !bits || oidOf(type.content) !== RSA) throw refused('the certificate should use the RSA algorithm')
  const numbers = element(parts(bits.content.subarray(1), 'the public key'), 0, 'public key')
  const [modulus, exponent] = parts(numbers.content, 'the public key')
  if (!modulus || !exponent) throw refused('the public key has no numbers')
  return { N: bigOf(modulus.content).toString(), E: numberOf(exponent) }
}

const bigOf = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const numberOf = (value: DerElement | undefined): number => (value ? Number(bigOf(value.content)) : 0)

function oidOf(bytes: Uint8Array): string {
  const numbers: number[] = []
  let value = 0
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    if (numbers.length === 0)
      numbers.push(Math.min(Math.floor(value / 40), 2), value - 40 * Math.min(Math.floor(value / 40), 2))
    else numbers.push(value)
    value = 0
  }
  return numbers.join('.')
}

/** Object identifiers of names, and where Go keeps their values: a list, or one text. */
const attributes: ReadonlyMap<string, string> = new Map([
  ['2.5.4.6', 'Country'],
  ['2.5.4.10', 'Organization'],
  ['2.5.4.11', 'OrganizationalUnit'],
  ['2.5.4.7', 'Locality'],
  ['2.5.4.8', 'Province'],
  ['2.5.4.9', 'StreetAddress'],
  ['2.5.4.17', 'PostalCode'],
])

function nameOf(name: DerElement): Readonly<Record<string, unknown>> {
  const lists = new Map<string, string[]>([...attributes.values()].map((field) => [field, []]))
  const single: Record<string, string> = { SerialNumber: '', CommonName: '' }
  const names: unknown[] = []
  for (const set of parts(name.content, 'a name')) {
    for (const pair of parts(set.content, 'a name')) {
      const [type, value] = parts(pair.content, 'a name')
      if (!type || !value) continue
      const oid = oidOf(type.content)
      const text = stringOf(value)
      names.push({ Type: oid.split('.').map(Number), Value: text })
      if (oid === '2.5.4.3') single['CommonName'] = text
      else if (oid === '2.5.4.5') single['SerialNumber'] = text
      else lists.get(attributes.get(oid) ?? '')?.push(text)
    }
  }
  const listed = Object.fromEntries([...lists].map(([field, values]) => [field, values.length > 0 ? values : null]))
  return { ...listed, ...single, Names: names, ExtraNames: null }
}

const BMP_STRING = 0x1e

function stringOf({ tag, content }: DerElement): string {
  return tag === BMP_STRING ? Buffer.from(content).swap16().toString('utf16le') : Buffer.from(content).toString('utf8')
}

/** UTCTime has two digits of the year, GeneralizedTime four. */
function timeOf({ tag, content }: DerElement): string {
  const text = Buffer.from(content).toString('latin1')
  const [, year = '', month, day, hour, minute, second = '00'] =
    /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/.exec(text) ?? []
  if (month === undefined || (tag === 0x17) !== (year.length === 2)) throw refused(`${JSON.stringify(text)} is no time`)
  const full = year.length === 4 ? year : `${Number(year) >= 50 ? '19' : '20'}${year}`
  return `${full}-${month}-${day}T${hour}:${minute}:${second}Z`
}

function extensionFields(list: DerElement | undefined, isCertificate: boolean): Readonly<Record<string, unknown>> {
  const extensions: unknown[] = []
  const known: Record<string, unknown> = {}
  for (const extension of list ? parts(list.content, 'the extensions') : []) {
    const items = parts(extension.content, 'an extension')
    const id = oidOf(element(items, 0, 'type of an extension').content)
    const value = element(items, items.length - 1, 'value of an extension').content
    const isCritical = items.length > 2 && items[1]?.content[0] !== 0
    extensions.push({ Id: id.split('.').map(Number), Critical: isCritical, Value: base64(value) })
    Object.assign(known, readers.get(id)?.(value) ?? {})
  }
  const names = { DNSNames: null, EmailAddresses: null, IPAddresses: null, URIs: null }
  const shared = { Extensions: extensions.length > 0 ? extensions : null, ExtraExtensions: null, ...names }
  if (!isCertificate) return { ...shared, ...pick(known, Object.keys(names)) }
  const defaults = {
    KeyUsage: 0,
    ExtKeyUsage: null,
    UnknownExtKeyUsage: null,
    BasicConstraintsValid: false,
    IsCA: false,
    MaxPathLen: 0,
    MaxPathLenZero: false,
    SubjectKeyId: null,
    AuthorityKeyId: null,
    OCSPServer: null,
    IssuingCertificateURL: null,
  }
  return { ...defaults, ...shared, ...known }
}

const pick = (fields: Readonly<Record<string, unknown>>, names: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)))

type Reader = (value: Uint8Array) => Readonly<Record<string, unknown>>

const inner = (value: Uint8Array): readonly DerElement[] => {
  const whole = parts(value, 'an extension')[0]
  return whole ? parts(whole.content, 'an extension') : []
}

const purposes: ReadonlyMap<string, number> = new Map([
  ['2.5.29.37.0', 0],
  ['1.3.6.1.5.5.7.3.1', 1],
  ['1.3.6.1.5.5.7.3.2', 2],
  ['1.3.6.1.5.5.7.3.3', 3],
  ['1.3.6.1.5.5.7.3.4', 4],
  ['1.3.6.1.5.5.7.3.8', 8],
  ['1.3.6.1.5.5.7.3.9', 9],
])

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['2.5.29.14', (value) => ({ SubjectKeyId: base64(parts(value, 'a key id')[0]?.content ?? value) })],
  [
    '2.5.29.35',
    (value) => ({ AuthorityKeyId: base64(inner(value).find(({ tag }) => tag === 0x80)?.content ?? new Uint8Array()) }),
  ],
  ['2.5.29.15', (value) => ({ KeyUsage: keyUsage(parts(value, 'the key usage')[0]?.content) })],
  ['2.5.29.19', basicConstraints],
  [
    '2.5.29.37',
    (value) => ({ ExtKeyUsage: inner(value).flatMap(({ content }) => purposes.get(oidOf(content)) ?? []) }),
  ],
  ['2.5.29.17', (value) => alternativeNames(inner(value))],
])

/** The first bit of the string is the lowest of the number. */
function keyUsage(bits: Uint8Array | undefined): number {
  let usage = 0
  for (let bit = 0; bits && bit < 9; bit++) {
    if (((bits[1 + (bit >> 3)] ?? 0) >> (7 - (bit & 7))) & 1) usage |= 1 << bit
  }
  return usage
}

function basicConstraints(value: Uint8Array): Readonly<Record<string, unknown>> {
  const fields = inner(value)
  const isCA = fields[0]?.tag === 1 && fields[0].content[0] !== 0
  const length = fields.find(({ tag }) => tag === 2)
  const most = length ? numberOf(length) : -1
  return { BasicConstraintsValid: true, IsCA: isCA, MaxPathLen: most, MaxPathLenZero: most === 0 }
}

function alternativeNames(names: readonly DerElement[]): Readonly<Record<string, unknown>> {
  const of = (wanted: number): readonly Uint8Array[] =>
    names.filter(({ tag }) => tag === wanted).map(({ content }) => content)
  const texts = (wanted: number): readonly string[] | null => {
    const found = of(wanted).map((bytes) => Buffer.from(bytes).toString('latin1'))
    return found.length > 0 ? found : null
  }
  const addresses = of(0x87).map((bytes) => (bytes.length === 4 ? [...bytes].join('.') : ipv6(bytes)))
  return {
    DNSNames: texts(0x82),
    EmailAddresses: texts(0x81),
    IPAddresses: addresses.length > 0 ? addresses : null,
    URIs: texts(0x86),
  }
}

/** The longest run of zeros, if it is longer than one group, is left out. */
function ipv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  )
  const text = groups.join(':')
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].toSorted((a, b) => b[0].length - a[0].length)
  const run = runs[0]
  if (!run) return text
  return `${text.slice(0, run.index)}::${text.slice(run.index + run[0].length + 1)}`
}
