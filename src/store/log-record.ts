import { crc32 } from 'node:zlib'
import type { Entry } from './store.ts'

/*
 * A record of the log, filed under its revision:
 *   0  flags: 1 = delete
 *   1  CRC-32 of everything behind it
 *   5  revision that the key had before, 0 for none (6 bytes)
 *  11  length of the key in bytes
 *  13  the key, then the encoded value
 */
const CRC_AT = 1
const PREVIOUS_AT = 5
const KEY_LENGTH_AT = 11
const KEY_AT = 13
const DELETE = 1

/** Longer keys do not fit into a page of the database next to what it adds itself. */
export const LONGEST_KEY_BYTES = 1_900

/** What a record says beside its value. */
export interface RecordHead {
  readonly type: 'put' | 'delete'
  readonly key: string
  readonly revision: number
  readonly previous: number
}

/** Packs a write into the bytes that the log keeps. */
export function packRecord(type: 'put' | 'delete', key: string, previous: number, value: string | Uint8Array): Buffer {
  const keyBytes = Buffer.byteLength(key)
  if (keyBytes > LONGEST_KEY_BYTES) {
    throw new Error(`cannot store a key of ${keyBytes} bytes: at most ${LONGEST_KEY_BYTES} fit`)
  }
  const valueAt = KEY_AT + keyBytes
  const valueBytes = typeof value === 'string' ? Buffer.byteLength(value) : value.length
  const bytes = Buffer.allocUnsafe(valueAt + valueBytes)
  bytes[0] = type === 'delete' ? DELETE : 0
  bytes.writeUIntBE(previous, PREVIOUS_AT, 6)
  bytes.writeUInt16BE(keyBytes, KEY_LENGTH_AT)
  bytes.write(key, KEY_AT, 'utf8')
  if (typeof value === 'string') bytes.write(value, valueAt, 'utf8')
  else bytes.set(value, valueAt)
  bytes.writeUInt32BE(crc32(bytes.subarray(PREVIOUS_AT)), CRC_AT)
  return bytes
}

/** Reads what a record says beside its value. */
export function headOf(bytes: Buffer, revision: number): RecordHead {
  const end = KEY_AT + bytes.readUInt16BE(KEY_LENGTH_AT)
  return {
    type: ((bytes[0] ?? 0) & DELETE) === 0 ? 'put' : 'delete',
    key: bytes.toString('utf8', KEY_AT, end),
    revision,
    previous: bytes.readUIntBE(PREVIOUS_AT, 6),
  }
}

/** The encoded value of a record; throws when the bytes are not the ones that were written. */
export function valueOf(bytes: Buffer, { key, revision }: Pick<Entry<unknown>, 'key' | 'revision'>): Buffer {
  if (bytes.length < KEY_AT || crc32(bytes.subarray(PREVIOUS_AT)) !== bytes.readUInt32BE(CRC_AT)) {
    throw new Error(
      `cannot read revision ${revision} of ${key}: its bytes are damaged; restore the store from a backup`,
    )
  }
  return bytes.subarray(KEY_AT + bytes.readUInt16BE(KEY_LENGTH_AT))
}
