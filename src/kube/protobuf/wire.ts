/** One field as it stands in a message. */
export interface WireField {
  readonly number: number
  readonly value: WireValue
}

/** A number, or a run of bytes to be read by type. */
export type WireValue =
  | { readonly is: 'varint'; readonly value: bigint }
  | { readonly is: 'fixed64' | 'fixed32' | 'bytes'; readonly bytes: Uint8Array }

/** Bytes that are no message. Thrown within the decoder and turned into a problem at its edge. */
export class MalformedMessage extends Error {}

/** Reads the fields of a message in order. */
export function* readFields(bytes: Uint8Array): Generator<WireField> {
  const cursor = { at: 0 }
  while (cursor.at < bytes.length) {
    const tag = readVarint(bytes, cursor)
    const number = Number(tag >> 3n)
    if (number === 0) throw new MalformedMessage('a field has the number 0')
    yield { number, value: readValue(bytes, cursor, Number(tag & 7n)) }
  }
}

interface Cursor {
  at: number
}

function readValue(bytes: Uint8Array, cursor: Cursor, wire: number): WireValue {
  switch (wire) {
    case 0:
      return { is: 'varint', value: readVarint(bytes, cursor) }
    case 1:
      return { is: 'fixed64', bytes: take(bytes, cursor, 8) }
    case 2:
      return { is: 'bytes', bytes: take(bytes, cursor, Number(readVarint(bytes, cursor))) }
    case 5:
      return { is: 'fixed32', bytes: take(bytes, cursor, 4) }
    default:
      throw new MalformedMessage(`wire type ${wire} is not used`)
  }
}

function take(bytes: Uint8Array, cursor: Cursor, length: number): Uint8Array {
  const end = cursor.at + length
  if (end > bytes.length) throw new MalformedMessage(`a field of ${length} bytes ends behind the message`)
  const taken = bytes.subarray(cursor.at, end)
  cursor.at = end
  return taken
}

/** Reads up to ten groups of seven bits. */
export function readVarint(bytes: Uint8Array, cursor: Cursor): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = bytes[cursor.at++]
    if (byte === undefined) throw new MalformedMessage('a number ends behind the message')
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return BigInt.asUintN(64, value)
  }
  throw new MalformedMessage('a number is longer than 64 bits')
}
