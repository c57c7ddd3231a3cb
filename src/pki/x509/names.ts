import { Buffer } from 'node:buffer'
import { der, derOid, derSequence, readDer } from '../../lib/der.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { derSet, derText, expectTag, Malformed, oidOf, partsOf, TAG, textOf } from './asn1.ts'
import { isOid, oid } from './oids.ts'

/** One attribute of a distinguished name; without `encoded`, the value is written as text. */
export interface NameAttribute {
  readonly oid: string
  readonly value: string
  /** The whole element, for a value that was given as bytes. */
  readonly encoded?: Uint8Array
}

/** A distinguished name: relative names from the root downwards, each of one attribute or several. */
export type DistinguishedName = readonly (readonly NameAttribute[])[]

/** The parts of a subject that a Certificate names. */
export interface Subject {
  readonly commonName?: string
  readonly serialNumber?: string
  readonly countries?: readonly string[]
  readonly organizations?: readonly string[]
  readonly organizationalUnits?: readonly string[]
  readonly localities?: readonly string[]
  readonly provinces?: readonly string[]
  readonly streetAddresses?: readonly string[]
  readonly postalCodes?: readonly string[]
}

const listed = [
  [oid.country, 'countries'],
  [oid.organization, 'organizations'],
  [oid.organizationalUnit, 'organizationalUnits'],
  [oid.locality, 'localities'],
  [oid.province, 'provinces'],
  [oid.streetAddress, 'streetAddresses'],
  [oid.postalCode, 'postalCodes'],
] as const

/** A name of the parts of a subject; several values of one part make one relative name, as in Go's pkix.Name. */
export function nameOf(subject: Subject): DistinguishedName {
  const lists = listed.map(([type, field]) => (subject[field] ?? []).map((value) => ({ oid: type, value })))
  const single = (type: string, value: string | undefined): readonly NameAttribute[] =>
    value ? [{ oid: type, value }] : []
  return [...lists, single(oid.commonName, subject.commonName), single(oid.serialNumber, subject.serialNumber)].filter(
    (set) => set.length > 0,
  )
}

/** The bytes of a name. */
export const encodeName = (name: DistinguishedName): Uint8Array =>
  derSequence(
    ...name.map((set) =>
      derSet(...set.map(({ oid: type, value, encoded }) => derSequence(derOid(type), encoded ?? derText(value)))),
    ),
  )

/** Reads a name; throws Malformed. */
export function readName(bytes: Uint8Array): DistinguishedName {
  const [whole] = readDer(bytes) ?? []
  return partsOf(expectTag(whole, TAG.sequence, 'name'), 'name').map((set) =>
    partsOf(expectTag(set, TAG.set, 'name'), 'name').map((pair) => {
      const [type, value] = partsOf(pair, 'name')
      if (!value) throw new Malformed('malformed name')
      return { oid: oidOf(type, 'name'), value: textOf(value) }
    }),
  )
}

/** The parts of a name that a Certificate can ask for, in the order in which they come. */
export function subjectOf(name: DistinguishedName): Required<Subject> {
  const attributes = name.flat()
  const all = (type: string): readonly string[] =>
    attributes.filter((attribute) => attribute.oid === type).map(({ value }) => value)
  return {
    commonName: all(oid.commonName).at(-1) ?? '',
    serialNumber: all(oid.serialNumber).at(-1) ?? '',
    countries: all(oid.country),
    organizations: all(oid.organization),
    organizationalUnits: all(oid.organizationalUnit),
    localities: all(oid.locality),
    provinces: all(oid.province),
    streetAddresses: all(oid.streetAddress),
    postalCodes: all(oid.postalCode),
  }
}

/** Whether bytes are those of a name without any part. */
export const isEmptyName = (bytes: Uint8Array): boolean =>
  bytes.length === 2 && bytes[0] === TAG.sequence && bytes[1] === 0

const typesByKey: ReadonlyMap<string, string> = new Map([
  ['C', oid.country],
  ['O', oid.organization],
  ['OU', oid.organizationalUnit],
  ['CN', oid.commonName],
  ['SERIALNUMBER', oid.serialNumber],
  ['L', oid.locality],
  ['ST', oid.province],
  ['STREET', oid.streetAddress],
  ['DC', oid.domainComponent],
  ['UID', oid.userId],
])

const LONGEST_LITERAL = 16_384
const SPECIAL = ' "#+,;<=>\\'

/** Reads a name from text (RFC 4514), which is written from the leaf upwards: `CN=x,OU=y,O=z`. */
export function parseLiteralName(text: string): Result<DistinguishedName> {
  const refuse = (message: string): Result<DistinguishedName> => fail({ code: 'literal-subject-invalid', message })
  if (text.length > LONGEST_LITERAL) return refuse(`a literal subject is at most ${LONGEST_LITERAL} characters long`)
  if (text.trim() === '') return succeed([])
  const name: NameAttribute[][] = [[]]
  for (const [at, part] of splitAttributes(text).entries()) {
    if (part.separator === ',' && at > 0) name.push([])
    const attribute = parseAttribute(part.text)
    if (typeof attribute === 'string') return refuse(attribute)
    name.at(-1)?.push(attribute)
  }
  return succeed(name.toReversed())
}

/** The attributes with the separator before each; what is escaped or quoted separates nothing. */
function splitAttributes(text: string): readonly { readonly separator: ',' | '+'; readonly text: string }[] {
  const found: { separator: ',' | '+'; text: string }[] = []
  let [start, separator, isQuoted] = [0, ',' as ',' | '+', false]
  for (let at = 0; at <= text.length; at++) {
    const char = text[at]
    if (char === '\\') at += 1
    else if (char === '"') isQuoted = !isQuoted
    else if (char === undefined || (!isQuoted && (char === ',' || char === ';' || char === '+'))) {
      found.push({ separator, text: text.slice(start, at) })
      separator = char === '+' ? '+' : ','
      start = at + 1
    }
  }
  if (start <= text.length && found.length === 0) found.push({ separator, text })
  return found
}

function parseAttribute(text: string): NameAttribute | string {
  const equals = text.indexOf('=')
  if (equals <= 0) return `incomplete type, value pair: ${JSON.stringify(text.slice(0, 100))}`
  const key = text.slice(0, equals).trim()
  const type = typesByKey.get(key) ?? (isOid(key) ? key : undefined)
  if (type === undefined) {
    return `unrecognized key ${JSON.stringify(key)}: use one of ${[...typesByKey.keys()].join(', ')}, or an object identifier`
  }
  const raw = trimValue(text.slice(equals + 1))
  if (raw.startsWith('#')) return hexAttribute(type, raw.slice(1))
  const value = unescape(raw)
  return typeof value === 'string' ? { oid: type, value } : value.problem
}

/** Spaces around a value are not part of it, unless escaped. */
function trimValue(text: string): string {
  const left = text.trimStart()
  let end = left.length
  while (end > 0 && left[end - 1] === ' ' && !/(?:^|[^\\])(?:\\\\)*\\$/.test(left.slice(0, end - 1))) end -= 1
  return left.slice(0, end)
}

function hexAttribute(type: string, hex: string): NameAttribute | string {
  const encoded = /^([0-9A-Fa-f]{2})+$/.test(hex) ? Uint8Array.from(Buffer.from(hex, 'hex')) : undefined
  const read = encoded && readDer(encoded)
  const [element] = read ?? []
  if (!element || read?.length !== 1)
    return `the value #${hex.slice(0, 100)} is not the hexadecimal form of one element`
  return { oid: type, value: textOf(element), encoded: der(element.tag, element.content) }
}

function unescape(text: string): string | { readonly problem: string } {
  const quoted = text.startsWith('"')
  if (quoted && (text.length < 2 || !text.endsWith('"'))) return { problem: 'a quoted value does not end' }
  const inner = quoted ? text.slice(1, -1) : text
  const bytes: Buffer[] = []
  for (let at = 0; at < inner.length;) {
    const char = String.fromCodePoint(inner.codePointAt(at) ?? 0)
    const next = inner[at + 1] ?? ''
    const hex = inner.slice(at + 1, at + 3)
    if (char !== '\\') {
      bytes.push(Buffer.from(char))
      at += char.length
    } else if (SPECIAL.includes(next) && next !== '') {
      bytes.push(Buffer.from(next))
      at += 2
    } else if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes.push(Buffer.from(hex, 'hex'))
      at += 3
    } else {
      return { problem: `failed to decode escaped character: \\${hex}` }
    }
  }
  return Buffer.concat(bytes).toString('utf8')
}
