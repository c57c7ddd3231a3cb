import { Buffer } from 'node:buffer'
import { der, type DerElement, readDer } from '../../lib/der.ts'
import { dottedOf } from './oids.ts'

/** Bytes that are not what they should be: never leaves the readers of this folder, which answer a Result. */
export class Malformed extends Error {}

/** The elements inside an element. */
export function partsOf(element: DerElement | undefined, what: string): readonly DerElement[] {
  const read = element && readDer(element.content)
  if (!read) throw new Malformed(`malformed ${what}`)
  return read
}

/** The one element that some bytes are; nothing may follow it. */
export function onlyElement(bytes: Uint8Array, what: string): DerElement {
  const read = readDer(bytes)
  const [element] = read ?? []
  if (!element || read?.length !== 1) throw new Malformed(`malformed ${what}`)
  return element
}

/** An element of a tag. */
export function expectTag(element: DerElement | undefined, tag: number, what: string): DerElement {
  if (element?.tag !== tag) throw new Malformed(`malformed ${what}`)
  return element
}

/** The object identifier that an element is. */
export const oidOf = (element: DerElement | undefined, what: string): string =>
  dottedOf(expectTag(element, TAG.oid, what).content)

/** The content of a bit string whose bits fill its bytes. */
export function bitsOf(element: DerElement | undefined, what: string): Uint8Array {
  const { content } = expectTag(element, TAG.bitString, what)
  if (content.length === 0) throw new Malformed(`malformed ${what}`)
  return content.subarray(1)
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
} as const

/** A flag; DER writes only those that are set. */
export const derTrue: Uint8Array = der(TAG.boolean, Uint8Array.of(0xff))

export const derNull: Uint8Array = der(TAG.null)

export const derOctets = (...bytes: readonly Uint8Array[]): Uint8Array => der(TAG.octetString, ...bytes)

export const derBits = (bytes: Uint8Array): Uint8Array => der(TAG.bitString, Uint8Array.of(0), bytes)

/** A set in the order that DER asks for. */
export const derSet = (...parts: readonly Uint8Array[]): Uint8Array =>
  der(TAG.set, ...parts.map((part) => Buffer.from(part)).toSorted((a, b) => Buffer.compare(a, b)))

/** Text that is read as it was written, whatever kind of string it is. */
export function textOf({ tag, content }: DerElement): string {
  if (tag === TAG.bmpString && content.length % 2 === 0) return Buffer.from(content).swap16().toString('utf16le')
  return Buffer.from(content).toString(tag === TAG.utf8String ? 'utf8' : 'latin1')
}

const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/

/** Text as a PrintableString where it is one, else as UTF-8: as Go's encoding/asn1 writes it. */
export const derText = (text: string): Uint8Array =>
  der(PRINTABLE.test(text) ? TAG.printableString : TAG.utf8String, Buffer.from(text, 'utf8'))

/** A time in seconds: two digits of the year before 2050, four after. */
export function derTime(ms: number): Uint8Array {
  const stamp = `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`
  const year = Number(stamp.slice(0, 4))
  return year >= 1950 && year < 2050
    ? der(TAG.utcTime, Buffer.from(stamp.slice(2)))
    : der(TAG.generalizedTime, Buffer.from(stamp))
}

/** The milliseconds that a time element says. */
export function timeOf(element: DerElement | undefined, what: string): number {
  const text = element ? textOf(element) : ''
  const found = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text)
  const [, year = '', month, day, hour, minute, second] = found ?? []
  if (!found || (element?.tag === TAG.utcTime) !== (year.length === 2)) throw new Malformed(`malformed ${what}`)
  const full = year.length === 4 ? year : `${Number(year) >= 50 ? '19' : '20'}${year}`
  const ms = Date.parse(`${full}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(ms)) throw new Malformed(`malformed ${what}`)
  return ms
}
