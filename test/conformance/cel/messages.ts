import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  equals,
  fromBinary,
  getExtension,
  hasExtension,
  type Message,
  type Registry,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf'
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect'
import type { MessageProvider } from '../../../src/lang/cel/environment.ts'
import { EvaluationError } from '../../../src/lang/cel/error.ts'
import {
  anyType,
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  listOfDyn,
  mapOf,
  mapOfStringDyn,
  stringType,
  structType,
  timestampType,
  uintType,
  wrapperOf,
} from '../../../src/lang/cel/type.ts'
import { Fields } from '../../../src/lang/cel/value/boxed.ts'
import { Double } from '../../../src/lang/cel/value/double.ts'
import { Duration, SECOND, toDuration } from '../../../src/lang/cel/value/duration.ts'
import { isEqual } from '../../../src/lang/cel/value/equal.ts'
import { fromBigInt, isInt } from '../../../src/lang/cel/value/integer.ts'
import { kindOf } from '../../../src/lang/cel/value/kind.ts'
import { isList, listItems } from '../../../src/lang/cel/value/list.ts'
import { CelMap, type MapValue, mapGet, mapKeys } from '../../../src/lang/cel/value/map.ts'
import { Timestamp, toTimestamp } from '../../../src/lang/cel/value/timestamp.ts'
import { toUint, Uint } from '../../../src/lang/cel/value/uint.ts'

const PB = 'google.protobuf.'

/** The well-known messages that CEL has types of its own for. */
const wellKnownTypes: ReadonlyMap<string, CelType> = new Map([
  [`${PB}Any`, anyType],
  [`${PB}Duration`, durationType],
  [`${PB}Timestamp`, timestampType],
  [`${PB}Struct`, mapOfStringDyn],
  [`${PB}ListValue`, listOfDyn],
  [`${PB}Value`, dynType],
  [`${PB}BoolValue`, wrapperOf(boolType)],
  [`${PB}Int32Value`, wrapperOf(intType)],
  [`${PB}Int64Value`, wrapperOf(intType)],
  [`${PB}UInt32Value`, wrapperOf(uintType)],
  [`${PB}UInt64Value`, wrapperOf(uintType)],
  [`${PB}FloatValue`, wrapperOf(doubleType)],
  [`${PB}DoubleValue`, wrapperOf(doubleType)],
  [`${PB}StringValue`, wrapperOf(stringType)],
  [`${PB}BytesValue`, wrapperOf(bytesType)],
])
const isWrapper = (name: string): boolean => wellKnownTypes.get(name)?.kind === 'wrapper'

function scalarType(scalar: ScalarType): CelType {
  switch (scalar) {
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return doubleType
    case ScalarType.BOOL:
      return boolType
    case ScalarType.STRING:
      return stringType
    case ScalarType.BYTES:
      return bytesType
    case ScalarType.UINT32:
    case ScalarType.UINT64:
    case ScalarType.FIXED32:
    case ScalarType.FIXED64:
      return uintType
    default:
      return intType
  }
}

/** Protobuf messages for CEL, by descriptors. */
export class ProtobufMessages implements MessageProvider {
  readonly registry: Registry
  readonly #alias: (name: string) => string

  constructor(registry: Registry, alias: (name: string) => string = (name) => name) {
    this.registry = registry
    this.#alias = alias
  }

  #message(name: string): DescMessage | undefined {
    return this.registry.getMessage(this.#alias(name))
  }

  findType(name: string): CelType | undefined {
    const known = wellKnownTypes.get(name)
    if (known) return known
    return this.#message(name) ? structType(name) : undefined
  }

  #typeOf(desc: DescMessage, near: string): CelType {
    const known = wellKnownTypes.get(desc.typeName)
    if (known) return known
    // A test may know the package under another name.
    const root = near.split('.TestAllTypes')[0] ?? ''
    return structType(this.#alias(near) === near ? desc.typeName : desc.typeName.replace(this.#alias(root), root))
  }

  fieldType(message: string, name: string): CelType | undefined {
    const desc = this.#message(message)
    const field = desc && this.#field(desc, name)
    if (!field) return undefined
    switch (field.fieldKind) {
      case 'scalar':
        return scalarType(field.scalar)
      case 'enum':
        return enumType(field.enum)
      case 'message':
        return this.#typeOf(field.message, message)
      case 'list':
        if (field.listKind === 'scalar') return listOf(scalarType(field.scalar))
        return listOf(field.listKind === 'enum' ? intType : this.#typeOf(field.message, message))
      case 'map': {
        const key = scalarType(field.mapKey)
        if (field.mapKind === 'scalar') return mapOf(key, scalarType(field.scalar))
        return mapOf(key, field.mapKind === 'enum' ? enumType(field.enum) : this.#typeOf(field.message, message))
      }
    }
  }

  #field(desc: DescMessage, name: string): DescField | ReturnType<Registry['getExtension']> {
    return desc.fields.find((field) => field.name === name) ?? this.registry.getExtension(name)
  }

  enumValue(name: string): number | undefined {
    const dot = name.lastIndexOf('.')
    const desc = this.registry.getEnum(this.#alias(name.slice(0, dot)))
    return desc?.values.find((value) => value.name === name.slice(dot + 1))?.number
  }

  create(name: string, fields: ReadonlyMap<string, unknown>): unknown {
    const desc = this.#message(name)
    if (!desc) throw new EvaluationError(`unknown message ${name}`)
    const message = reflect(desc, create(desc), false)
    for (const [fieldName, value] of fields) {
      const field = desc.fields.find((candidate) => candidate.name === fieldName)
      if (!field) throw new EvaluationError(`no such field: ${fieldName}`)
      this.#set(message, field, value)
    }
    if (name === `${PB}Any` && !fields.has('type_url')) throw new EvaluationError('an Any needs a type_url')
    return this.fromReflect(message)
  }

  /** A message as a CEL value: well-known ones become what they stand for. */
  fromMessage(message: Message): unknown {
    const desc = this.registry.getMessage(message.$typeName)
    if (!desc) throw new EvaluationError(`unknown message ${message.$typeName}`)
    return this.fromReflect(reflect(desc, message, false))
  }

  fromReflect(message: ReflectMessage): unknown {
    const { typeName } = message.desc
    const field = (name: string): DescField => {
      const found = message.desc.fields.find((candidate) => candidate.name === name)
      if (!found) throw new Error(`${typeName} has no ${name}`)
      return found
    }
    if (isWrapper(typeName)) return this.#fromField(message, field('value'))
    switch (typeName) {
      case `${PB}Any`:
        return this.#unpack(message)
      case `${PB}Duration`:
      case `${PB}Timestamp`: {
        const nanos =
          BigInt(message.get(field('seconds')) as bigint) * SECOND + BigInt(message.get(field('nanos')) as number)
        return typeName.endsWith('Duration') ? toDuration(nanos) : toTimestamp(nanos)
      }
      case `${PB}Struct`:
        return this.#fromField(message, field('fields'))
      case `${PB}ListValue`:
        return this.#fromField(message, field('values'))
      case `${PB}Value`: {
        const set = message.desc.fields.find((candidate) => message.isSet(candidate))
        return !set || set.name === 'null_value' ? null : this.#fromField(message, set)
      }
      default:
        return new CelMessage(message, this)
    }
  }

  #unpack(message: ReflectMessage): unknown {
    const any = message.message as Message & { readonly typeUrl: string; readonly value: Uint8Array }
    const name = any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1)
    const desc = this.#message(name)
    // What cannot be unpacked stays packed, and compares byte by byte.
    if (!desc) return new CelMessage(message, this)
    return this.fromReflect(reflect(desc, fromBinary(desc, any.value), false))
  }

  #scalar(scalar: ScalarType, value: unknown): unknown {
    switch (scalarType(scalar)) {
      case intType:
        return fromBigInt(BigInt(value as bigint))
      case uintType:
        return toUint(BigInt(value as bigint))
      case doubleType:
        return new Double(value as number)
      default:
        return value
    }
  }

  #fromField(message: ReflectMessage, field: DescField): unknown {
    switch (field.fieldKind) {
      case 'scalar':
        return this.#scalar(field.scalar, message.get(field))
      case 'enum':
        return field.enum.typeName === `${PB}NullValue` ? null : message.get(field)
      case 'message':
        return this.fromReflect(message.get(field))
      case 'list':
        return [...message.get(field)].map((item) => this.#item(field, item))
      case 'map': {
        const map = new CelMap()
        for (const [key, value] of message.get(field)) {
          map.add(this.#scalar(field.mapKey, key), this.#item(field, value))
        }
        return map
      }
    }
  }

  #item(field: DescField & { fieldKind: 'list' | 'map' }, item: unknown): unknown {
    if (field.message) return this.fromReflect(item as ReflectMessage)
    if (field.enum) return field.enum.typeName === `${PB}NullValue` ? null : item
    return this.#scalar(field.scalar ?? ScalarType.INT32, item)
  }

  /** A field's value, or its default. */
  get(message: ReflectMessage, name: string): unknown {
    const field = message.desc.fields.find((candidate) => candidate.name === name)
    if (field) {
      const isNullable =
        field.fieldKind === 'message' && (isWrapper(field.message.typeName) || field.message.typeName === `${PB}Any`)
      return isNullable && !message.isSet(field) ? null : this.#fromField(message, field)
    }
    const extension = this.registry.getExtension(name)
    if (extension?.extendee.typeName !== message.desc.typeName) throw new EvaluationError(`no such field: ${name}`)
    const value: unknown = getExtension(message.message, extension)
    if (extension.fieldKind === 'message') return this.fromMessage(value as Message)
    if (extension.fieldKind === 'list') {
      return (value as unknown[]).map((item) =>
        extension.listKind === 'message'
          ? this.fromMessage(item as Message)
          : this.#scalar(extension.scalar ?? 5, item),
      )
    }
    return extension.fieldKind === 'enum' ? value : this.#scalar(extension.scalar ?? ScalarType.INT32, value)
  }

  has(message: ReflectMessage, name: string): boolean {
    const field = message.desc.fields.find((candidate) => candidate.name === name)
    if (field) return message.isSet(field)
    const extension = this.registry.getExtension(name)
    if (!extension) throw new EvaluationError(`no such field: ${name}`)
    return hasExtension(message.message, extension)
  }

  // From CEL values to fields

  #set(message: ReflectMessage, field: DescField, value: unknown): void {
    switch (field.fieldKind) {
      case 'scalar':
        message.set(field, scalarFrom(field.scalar, value))
        return
      case 'enum':
        if (field.enum.typeName === `${PB}NullValue`) message.set(field, 0)
        else message.set(field, enumFrom(value))
        return
      case 'message':
        if (value === null && ![`${PB}Value`, `${PB}Any`].includes(field.message.typeName)) {
          if ([`${PB}Struct`, `${PB}ListValue`].includes(field.message.typeName)) throw mismatch(field.name)
          return
        }
        message.set(field, this.#toMessage(field.message, value))
        return
      case 'list': {
        if (!isList(value)) throw mismatch(field.name)
        const list = message.get(field)
        for (const item of listItems(value)) list.add(this.#toItem(field, item))
        message.set(field, list)
        return
      }
      case 'map': {
        if (kindOf(value) !== 'map') throw mismatch(field.name)
        const map = message.get(field)
        for (const key of mapKeys(value as MapValue)) {
          const item = mapGet(value as MapValue, key)
          if (field.message && item === null && field.message.typeName !== `${PB}Value`) {
            if (isWrapper(field.message.typeName)) continue
            throw mismatch(field.name)
          }
          map.set(scalarFrom(field.mapKey, key), this.#toItem(field, item))
        }
        message.set(field, map)
      }
    }
  }

  #toItem(field: DescField & { fieldKind: 'list' | 'map' }, item: unknown): unknown {
    if (field.message) return this.#toMessage(field.message, item)
    return field.enum ? enumFrom(item) : scalarFrom(field.scalar ?? ScalarType.INT32, item)
  }

  #build(desc: DescMessage, fields: Readonly<Record<string, unknown>>): ReflectMessage {
    const message = reflect(desc, create(desc), false)
    for (const [name, value] of Object.entries(fields)) {
      const field = desc.fields.find((candidate) => candidate.name === name)
      if (field) message.set(field, value)
    }
    return message
  }

  #toMessage(desc: DescMessage, value: unknown): ReflectMessage {
    const { typeName } = desc
    if (value instanceof CelMessage && value.message.desc.typeName === typeName) return value.message
    if (isWrapper(typeName)) {
      const field = desc.fields.find((candidate) => candidate.name === 'value')
      return this.#build(desc, { value: scalarFrom(field?.scalar ?? ScalarType.INT32, value) })
    }
    switch (typeName) {
      case `${PB}Duration`:
        if (value instanceof Duration) {
          return this.#build(desc, { seconds: value.nanos / SECOND, nanos: Number(value.nanos % SECOND) })
        }
        break
      case `${PB}Timestamp`:
        if (value instanceof Timestamp) {
          const nanos = ((value.nanos % SECOND) + SECOND) % SECOND
          return this.#build(desc, { seconds: (value.nanos - nanos) / SECOND, nanos: Number(nanos) })
        }
        break
      case `${PB}Struct`:
      case `${PB}ListValue`:
      case `${PB}Value`:
        return this.#toJsonMessage(desc, value)
      case `${PB}Any`:
        return this.#pack(desc, value)
      default:
    }
    throw mismatch(typeName)
  }

  #toJsonMessage(desc: DescMessage, value: unknown): ReflectMessage {
    const message = reflect(desc, create(desc), false)
    const set = (name: string, content: unknown): ReflectMessage => {
      const field = desc.fields.find((candidate) => candidate.name === name)
      if (field) this.#set(message, field, content)
      return message
    }
    if (desc.typeName === `${PB}Struct`) {
      if (kindOf(value) !== 'map') throw mismatch(desc.typeName)
      for (const key of mapKeys(value as MapValue)) {
        if (typeof key !== 'string') throw new EvaluationError('bad key type')
      }
      return set('fields', value)
    }
    if (desc.typeName === `${PB}ListValue`) return set('values', value)
    switch (kindOf(value)) {
      case 'null':
        return set('null_value', null)
      case 'bool':
        return set('bool_value', value)
      case 'string':
        return set('string_value', value)
      case 'double':
        return set('number_value', value)
      case 'int':
      case 'uint': {
        const number = value instanceof Uint ? value.value : (value as number | bigint)
        const isSafe = Number.isSafeInteger(Number(number))
        return isSafe ? set('number_value', new Double(Number(number))) : set('string_value', String(number))
      }
      case 'bytes':
        return set('string_value', Buffer.from(value as Uint8Array).toString('base64'))
      case 'duration':
        return set('string_value', durationJson(value as Duration))
      case 'timestamp':
        return set('string_value', timestampJson(value as Timestamp))
      case 'list':
        return set('list_value', value)
      case 'map':
        return set('struct_value', value)
      case 'object':
        if (value instanceof CelMessage) return this.#messageToValue(desc, value, set)
        throw mismatch(desc.typeName)
      default:
        throw mismatch(desc.typeName)
    }
  }

  #messageToValue(
    desc: DescMessage,
    value: CelMessage,
    set: (name: string, content: unknown) => ReflectMessage,
  ): ReflectMessage {
    const name = value.message.desc.typeName
    if (name === `${PB}Empty`) return set('struct_value', new CelMap())
    if (name === `${PB}FieldMask`) {
      const paths = listItems(value.get('paths') as readonly unknown[]).map((path) =>
        String(path).replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      )
      return set('string_value', paths.join(','))
    }
    throw mismatch(desc.typeName)
  }

  #pack(desc: DescMessage, value: unknown): ReflectMessage {
    const inner = this.#packable(value)
    return this.#build(desc, {
      type_url: `type.googleapis.com/${inner.desc.typeName}`,
      value: toBinary(inner.desc, inner.message),
    })
  }

  #packable(value: unknown): ReflectMessage {
    if (value instanceof CelMessage) return value.message
    const names: Readonly<Record<string, string>> = {
      null: 'Value',
      bool: 'BoolValue',
      int: 'Int64Value',
      uint: 'UInt64Value',
      double: 'DoubleValue',
      string: 'StringValue',
      bytes: 'BytesValue',
      list: 'ListValue',
      map: 'Struct',
      duration: 'Duration',
      timestamp: 'Timestamp',
    }
    const desc = this.registry.getMessage(`${PB}${names[kindOf(value)] ?? ''}`)
    if (!desc) throw mismatch('google.protobuf.Any')
    return this.#toMessage(desc, value)
  }
}

const enumType = (desc: DescEnum): CelType => (desc.typeName === `${PB}NullValue` ? dynType : intType)
const mismatch = (name: string): EvaluationError => new EvaluationError(`unsupported field type for ${name}`)

function durationJson({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos
  const rest = size % SECOND
  return `${nanos < 0n ? '-' : ''}${size / SECOND}${
    rest > 0n
      ? `.${String(rest)
          .padStart(9, '0')
          .replace(/(000)+$/, '')}`
      : ''
  }s`
}

function timestampJson({ nanos }: Timestamp): string {
  const rest = ((nanos % SECOND) + SECOND) % SECOND
  const base = new Date(Number((nanos - rest) / 1_000_000n)).toISOString().slice(0, 19)
  return `${base}${
    rest > 0n
      ? `.${String(rest)
          .padStart(9, '0')
          .replace(/(000)+$/, '')}`
      : ''
  }Z`
}

const RANGES: Partial<Record<ScalarType, readonly [bigint, bigint]>> = {
  [ScalarType.INT32]: [-(2n ** 31n), 2n ** 31n - 1n],
  [ScalarType.SINT32]: [-(2n ** 31n), 2n ** 31n - 1n],
  [ScalarType.SFIXED32]: [-(2n ** 31n), 2n ** 31n - 1n],
  [ScalarType.UINT32]: [0n, 2n ** 32n - 1n],
  [ScalarType.FIXED32]: [0n, 2n ** 32n - 1n],
}

function wholeFrom(scalar: ScalarType, value: bigint): number | bigint {
  const range = RANGES[scalar]
  if (!range) return value
  if (value < range[0] || value > range[1]) throw new EvaluationError('range error')
  return Number(value)
}

function scalarFrom(scalar: ScalarType, value: unknown): unknown {
  const type = scalarType(scalar)
  if (type === intType && isInt(value)) return wholeFrom(scalar, BigInt(value))
  if (type === uintType && value instanceof Uint) return wholeFrom(scalar, value.value)
  if (type === doubleType && value instanceof Double) {
    return scalar === ScalarType.FLOAT ? Math.fround(value.value) : value.value
  }
  if (type === boolType && typeof value === 'boolean') return value
  if (type === stringType && typeof value === 'string') return value
  if (type === bytesType && value instanceof Uint8Array) return value
  throw mismatch(type.name)
}

function enumFrom(value: unknown): number {
  if (!isInt(value)) throw mismatch('enum')
  return Number(wholeFrom(ScalarType.INT32, BigInt(value)))
}

/** A protobuf message as a CEL value. */
export class CelMessage extends Fields {
  readonly message: ReflectMessage
  readonly type: CelType
  readonly #messages: ProtobufMessages

  constructor(message: ReflectMessage, messages: ProtobufMessages) {
    super()
    this.message = message
    this.type = structType(message.desc.typeName)
    this.#messages = messages
  }

  get(field: string): unknown {
    return this.#messages.get(this.message, field)
  }

  has(field: string): boolean {
    if (!this.message.desc.fields.some((candidate) => candidate.name === field) && !field.includes('.')) {
      throw new EvaluationError(`no such field: ${field}`)
    }
    return this.#messages.has(this.message, field)
  }

  isZero(): boolean {
    return !this.message.desc.fields.some((field) => this.message.isSet(field))
  }

  equals(other: unknown): boolean {
    if (!(other instanceof CelMessage) || other.message.desc.typeName !== this.message.desc.typeName) return false
    const { fields } = this.message.desc
    if (fields.some((field) => this.message.isSet(field) !== other.message.isSet(field))) return false
    // Field by field, because NaN is unequal and Any compares by what is packed.
    return (
      fields.every((field) => !this.message.isSet(field) || isEqual(this.get(field.name), other.get(field.name))) &&
      equals(this.message.desc, unset(this.message, fields), unset(other.message, fields), {
        extensions: true,
        registry: this.#messages.registry,
      })
    )
  }
}

/** Only the extensions of a message. */
function unset(message: ReflectMessage, fields: readonly DescField[]): Message {
  const copy = reflect(message.desc, fromBinary(message.desc, toBinary(message.desc, message.message)), false)
  for (const field of fields) copy.clear(field)
  return copy.message
}
