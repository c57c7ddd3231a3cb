import { der, derOid, derSequence } from '../../lib/der.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { expectTag, Malformed, oidOf, onlyElement, partsOf, TAG } from './asn1.ts'

/** What a key may be used for: bits of the key usage, and the extended usages by their identifiers. */
export interface KeyUsages {
  /** Bit 0 is digital signature, as RFC 5280 counts. */
  readonly bits: number
  readonly extended: readonly string[]
}

const keyUsageBits: ReadonlyMap<string, number> = new Map([
  ['signing', 0],
  ['digital signature', 0],
  ['content commitment', 1],
  ['key encipherment', 2],
  ['data encipherment', 3],
  ['key agreement', 4],
  ['cert sign', 5],
  ['crl sign', 6],
  ['encipher only', 7],
  ['decipher only', 8],
])

const extendedUsages: ReadonlyMap<string, string> = new Map([
  ['any', '2.5.29.37.0'],
  ['server auth', '1.3.6.1.5.5.7.3.1'],
  ['client auth', '1.3.6.1.5.5.7.3.2'],
  ['code signing', '1.3.6.1.5.5.7.3.3'],
  ['email protection', '1.3.6.1.5.5.7.3.4'],
  ['s/mime', '1.3.6.1.5.5.7.3.4'],
  ['ipsec end system', '1.3.6.1.5.5.7.3.5'],
  ['ipsec tunnel', '1.3.6.1.5.5.7.3.6'],
  ['ipsec user', '1.3.6.1.5.5.7.3.7'],
  ['timestamping', '1.3.6.1.5.5.7.3.8'],
  ['ocsp signing', '1.3.6.1.5.5.7.3.9'],
  ['microsoft sgc', '1.3.6.1.4.1.311.10.3.3'],
  ['netscape sgc', '2.16.840.1.113730.4.1'],
])

/** What is asked for where nothing is said. */
export const usualUsages: readonly string[] = ['digital signature', 'key encipherment']

export const CERT_SIGN: number = 1 << 5

/** Whether there is a usage of this name. */
export const isUsage = (name: string): boolean => keyUsageBits.has(name) || extendedUsages.has(name)

/** The usages of these names; an authority may always sign certificates. */
export function keyUsagesOf(names: readonly string[] | undefined, isCa: boolean): Result<KeyUsages> {
  const asked = names && names.length > 0 ? names : usualUsages
  const unknown = asked.filter((name) => !isUsage(name))
  if (unknown.length > 0) {
    return fail({ code: 'key-usage-unknown', message: `unknown key usages: [${unknown.join(' ')}]` })
  }
  const bits = asked.flatMap((name) => keyUsageBits.get(name) ?? []).reduce((all, bit) => all | (1 << bit), 0)
  const extended = asked.flatMap((name) => extendedUsages.get(name) ?? [])
  return succeed({ bits: isCa ? bits | CERT_SIGN : bits, extended })
}

/** The names of key usage bits and of extended usages, for messages. */
export function usageNames({ bits, extended }: KeyUsages): readonly string[] {
  const simple = [...keyUsageBits].filter(([name, bit]) => name !== 'signing' && (bits >> bit) & 1)
  const known = new Map([...extendedUsages].toReversed().map(([name, id]) => [id, name]))
  return [...simple.map(([name]) => name), ...extended.map((id) => known.get(id) ?? id)]
}

/** The value of a key usage extension: a bit string without the zeros at its end. */
export function encodeKeyUsage(bits: number): Uint8Array {
  const bytes = [0, 0]
  let last = -1
  for (let bit = 0; bit < 9; bit++) {
    if (!((bits >> bit) & 1)) continue
    last = bit
    const at = bit >> 3
    bytes[at] = (bytes[at] ?? 0) | (0x80 >> (bit & 7))
  }
  const used = (last >> 3) + 1
  const unused = last < 0 ? 0 : 7 - (last & 7)
  return der(TAG.bitString, Uint8Array.of(unused), Uint8Array.from(bytes.slice(0, used)))
}

/** Reads the value of a key usage extension; throws Malformed. */
export function readKeyUsage(value: Uint8Array): number {
  const { content } = expectTag(onlyElement(value, 'key usage'), TAG.bitString, 'key usage')
  let bits = 0
  for (let bit = 0; bit < 9 && bit < (content.length - 1) * 8; bit++) {
    if (((content[1 + (bit >> 3)] ?? 0) >> (7 - (bit & 7))) & 1) bits |= 1 << bit
  }
  return bits
}

/** The value of an extended key usage extension. */
export const encodeExtendedUsages = (ids: readonly string[]): Uint8Array => derSequence(...ids.map(derOid))

const MOST_EXTENDED = 100

/** Reads the value of an extended key usage extension; throws Malformed. */
export function readExtendedUsages(value: Uint8Array): readonly string[] {
  const what = 'extended key usage'
  const parts = partsOf(expectTag(onlyElement(value, what), TAG.sequence, what), what)
  if (parts.length > MOST_EXTENDED) throw new Malformed(`too many usages in an ${what}`)
  return parts.map((part) => oidOf(part, what))
}
