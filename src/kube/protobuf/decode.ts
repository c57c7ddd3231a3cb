import { setOwn } from '../../lib/json.ts'
import { formatDuration } from '../../lib/duration.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { parseApiVersion } from '../gvk.ts'
import { formatMicroTime, formatTime } from '../time.ts'
import type { Field, FieldType, MessageTable, Scalar, Special } from './messages.ts'
import { MalformedMessage, readFields, readVarint, type WireValue } from './wire.ts'

/** Every object in protobuf begins with these bytes: `k8s` and a zero. */
const MAGIC = [0x6b, 0x38, 0x73, 0x00] as const
const DEEPEST = 100

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads an object in Kubernetes' protobuf form into the JSON form that everything else works with. */
export function decodeProtobuf(bytes: Uint8Array, table: MessageTable): Result<Readonly<Record<string, unknown>>> {
  if (!MAGIC.every((byte, at) => bytes[at] === byte))
    return malformed('the body does not begin as a Kubernetes object in protobuf does')
  try {
    return decodeUnknown(bytes.subarray(MAGIC.length), { table, depth: 0 })
  } catch (error) {
    if (error instanceof MalformedMessage || error instanceof TypeError) return malformed(error.message)
    throw error
  }
}

const malformed = (because: string): Result<never> =>
  fail({ code: 'protobuf-invalid', message: `cannot read the protobuf body: ${because}` })

interface Reading {
  readonly table: MessageTable
  readonly depth: number
}

/** The envelope: what kind the object is, and its message. */
function decodeUnknown(bytes: Uint8Array, reading: Reading): Result<Readonly<Record<string, unknown>>> {
  let apiVersion = ''
  let kind = ''
  let raw: Uint8Array = new Uint8Array()
  for (const { number, value } of readFields(bytes)) {
    if (value.is !== 'bytes') continue
    if (number === 2) raw = value.bytes
    if (number !== 1) continue
    for (const type of readFields(value.bytes)) {
      if (type.value.is !== 'bytes') continue
      if (type.number === 1) apiVersion = utf8.decode(type.value.bytes)
      if (type.number === 2) kind = utf8.decode(type.value.bytes)
    }
  }
  const { group, version } = parseApiVersion(apiVersion)
  const message = reading.table.forKind(group, version, kind)
  if (message === undefined)
    return malformed(
      `${kind || 'an object without a kind'} of ${apiVersion || 'no version'} has no protobuf form here: send JSON`,
    )
  return succeed({ apiVersion, kind, ...decodeMessage(message, raw, reading) })
}

function decodeMessage(name: string, bytes: Uint8Array, { table, depth }: Reading): Record<string, unknown> {
  if (depth > DEEPEST) throw new MalformedMessage(`it is nested deeper than ${DEEPEST} levels`)
  const { fields } = table.message(name)
  const object: Record<string, unknown> = {}
  for (const { number, value } of readFields(bytes)) {
    const field = fields.get(number)
    if (field) assign(object, field, value, { table, depth: depth + 1 })
  }
  return object
}

function assign(object: Record<string, unknown>, field: Field, wire: WireValue, reading: Reading): void {
  const { name, type, isInline, dropsZero } = field
  if (type.is === 'list') return append(object, name, decodeItems(type.of, wire, reading))
  if (type.is === 'map') return enter(object, name, decodeEntry(type.of, wire, reading))
  const value = decodeValue(type, wire, reading)
  if (isInline) {
    for (const [key, below] of Object.entries(value as Readonly<Record<string, unknown>>)) setOwn(object, key, below)
  } else if (value !== undefined && !(dropsZero && isZero(value))) object[name] = value
}

const isZero = (value: unknown): boolean => value === '' || value === 0 || value === false

function append(object: Record<string, unknown>, name: string, items: readonly unknown[]): void {
  const list = object[name]
  if (Array.isArray(list)) list.push(...items)
  else object[name] = [...items]
}

function enter(object: Record<string, unknown>, name: string, [key, value]: readonly [string, unknown]): void {
  const map = (object[name] ?? {}) as Record<string, unknown>
  setOwn(map, key, value)
  object[name] = map
}

/** Numbers in lists may come one by one or packed into one run. */
function decodeItems(type: FieldType, wire: WireValue, reading: Reading): readonly unknown[] {
  const isPacked = wire.is === 'bytes' && type.is === 'scalar' && (type.scalar === 'int' || type.scalar === 'bool')
  if (!isPacked) return [decodeValue(type, wire, reading)]
  const items: unknown[] = []
  const cursor = { at: 0 }
  while (cursor.at < wire.bytes.length)
    items.push(decodeValue(type, { is: 'varint', value: readVarint(wire.bytes, cursor) }, reading))
  return items
}

function decodeEntry(type: FieldType, wire: WireValue, reading: Reading): readonly [string, unknown] {
  let key = ''
  let value: unknown
  for (const entry of readFields(bytesOf(wire))) {
    if (entry.number === 1) key = utf8.decode(bytesOf(entry.value))
    if (entry.number === 2) value = decodeValue(type, entry.value, reading)
  }
  return [key, value ?? emptyOf(type)]
}

const emptyOf = (type: FieldType): unknown => {
  if (type.is === 'scalar')
    return type.scalar === 'bool' ? false : type.scalar === 'int' || type.scalar === 'double' ? 0 : ''
  if (type.is === 'special') return type.special === 'Quantity' ? '0' : null
  return type.is === 'list' || type.is === 'wrapped' ? [] : {}
}

function bytesOf(wire: WireValue): Uint8Array {
  if (wire.is === 'varint') throw new MalformedMessage('a number stands where text or a message belongs')
  return wire.bytes
}

function decodeValue(type: FieldType, wire: WireValue, reading: Reading): unknown {
  switch (type.is) {
    case 'scalar':
      return decodeScalar(type.scalar, wire)
    case 'special':
      return decodeSpecial(type.special, bytesOf(wire), reading)
    case 'message':
      return decodeMessage(type.message, bytesOf(wire), reading)
    case 'wrapped':
      return [...readFields(bytesOf(wire))]
        .filter(({ number }) => number === 1)
        .map(({ value }) => decodeValue(type.of, value, reading))
    case 'list':
      return decodeItems(type.of, wire, reading)
    case 'map':
      return Object.fromEntries([decodeEntry(type.of, wire, reading)])
  }
}

function decodeScalar(scalar: Scalar, wire: WireValue): unknown {
  switch (scalar) {
    case 'string':
      return utf8.decode(bytesOf(wire))
    case 'bytes':
      return Buffer.from(bytesOf(wire)).toString('base64')
    case 'double':
      return doubleOf(wire)
    case 'bool':
      return integerOf(wire) !== 0n
    case 'int':
    case 'byte':
      return Number(integerOf(wire))
  }
}

function integerOf(wire: WireValue): bigint {
  if (wire.is !== 'varint') throw new MalformedMessage('text or a message stands where a number belongs')
  return BigInt.asIntN(64, wire.value)
}

function doubleOf(wire: WireValue): number {
  const bytes = bytesOf(wire)
  if (bytes.length !== 8) throw new MalformedMessage('a floating-point number has not 8 bytes')
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true)
}

/** The numbers and texts of a small message, by field number. */
function small(bytes: Uint8Array): {
  readonly number: (field: number) => number
  readonly bytes: (field: number) => Uint8Array | undefined
} {
  const fields = new Map([...readFields(bytes)].map(({ number, value }) => [number, value]))
  return {
    number: (field) => {
      const wire = fields.get(field)
      return wire ? Number(integerOf(wire)) : 0
    },
    bytes: (field) => {
      const wire = fields.get(field)
      return wire && bytesOf(wire)
    },
  }
}

function decodeSpecial(special: Special, bytes: Uint8Array, reading: Reading): unknown {
  const message = small(bytes)
  switch (special) {
    case 'Time':
      // The zero time stands for none.
      return bytes.length === 0 ? undefined : formatTime(message.number(1) * 1000)
    case 'MicroTime':
      return bytes.length === 0 ? undefined : formatMicroTime(message.number(1) * 1000 + message.number(2) / 1e6)
    case 'Duration':
      return formatDuration(BigInt(message.number(1)))
    case 'Quantity':
      return utf8.decode(message.bytes(1) ?? new Uint8Array())
    case 'IntOrString':
      return message.number(1) === 0 ? message.number(2) : utf8.decode(message.bytes(3) ?? new Uint8Array())
    case 'Raw':
      return parseJson(message.bytes(1))
    case 'RawExtension':
      return decodeRaw(message.bytes(1), reading)
    case 'SchemaOrArray':
      return schemaUnion(bytes, reading)
    case 'SchemaOrBool':
      return message.bytes(2) ? decodeMessage(SCHEMA, message.bytes(2) ?? bytes, reading) : message.number(1) !== 0
    case 'SchemaOrStrings':
      return message.bytes(1) ? decodeMessage(SCHEMA, message.bytes(1) ?? bytes, reading) : textsOf(bytes, 2)
  }
}

const SCHEMA = 'apiextensions/v1:JSONSchemaProps'

function schemaUnion(bytes: Uint8Array, reading: Reading): unknown {
  const schemas: unknown[] = []
  for (const { number, value } of readFields(bytes)) {
    const schema = decodeMessage(SCHEMA, bytesOf(value), reading)
    if (number === 1) return schema
    schemas.push(schema)
  }
  return schemas
}

const textsOf = (bytes: Uint8Array, field: number): readonly string[] =>
  [...readFields(bytes)].filter(({ number }) => number === field).map(({ value }) => utf8.decode(bytesOf(value)))

function parseJson(bytes: Uint8Array | undefined): unknown {
  if (!bytes || bytes.length === 0) return undefined
  try {
    return JSON.parse(utf8.decode(bytes)) as unknown
  } catch (cause) {
    throw new MalformedMessage('a raw part is not JSON', { cause })
  }
}

/** An object within an object may be JSON, or protobuf again. */
function decodeRaw(bytes: Uint8Array | undefined, reading: Reading): unknown {
  if (!bytes || !MAGIC.every((byte, at) => bytes[at] === byte)) return parseJson(bytes)
  if (reading.depth > DEEPEST) throw new MalformedMessage(`it is nested deeper than ${DEEPEST} levels`)
  const inner = decodeUnknown(bytes.subarray(MAGIC.length), { ...reading, depth: reading.depth + 1 })
  if (!inner.ok) throw new MalformedMessage(inner.error[0]?.message ?? 'a part cannot be read')
  return inner.value
}
