import { isObject, type Json, type JsonObject } from '../../../lib/json.ts'
import { EvaluationError } from '../error.ts'
import { namedTypes, structType } from '../type.ts'
import { CelObject, type Kind } from '../value/boxed.ts'
import { Double } from '../value/double.ts'
import { Duration, durationText, parseDuration, toDuration } from '../value/duration.ts'
import { fromBigInt } from '../value/integer.ts'
import { kindOf } from '../value/kind.ts'
import { type ListValue, listItems } from '../value/list.ts'
import { CelMap, type MapValue, mapGet, mapKeys } from '../value/map.ts'
import { Optional } from '../value/optional.ts'
import { parseTimestamp, Timestamp, timestampText, toTimestamp } from '../value/timestamp.ts'
import { TypeValue } from '../value/type-value.ts'
import { toUint, Uint } from '../value/uint.ts'
import { bytesJson, doubleJson, renderJson } from './render.ts'

const MAX_DEPTH = 500
const WELL_KNOWN = 'type.googleapis.com/google.protobuf.'

const wellKnown = (name: string, value: Json): Json => ({ objectValue: { '@type': `${WELL_KNOWN}${name}`, value } })

/** A value as the JSON form of `cel.expr.Value`, which tells every type apart. */
export function toExprValue(value: unknown, depth = 0): Json {
  if (depth > MAX_DEPTH) throw new RangeError(`the value is nested more than ${MAX_DEPTH} deep`)
  const kind = kindOf(value)
  switch (kind) {
    case 'list':
      // The kind says which type it is; likewise below.
      return { listValue: { values: listItems(value as ListValue).map((item) => toExprValue(item, depth + 1)) } }
    case 'map': {
      const map = value as MapValue
      const entries = [...mapKeys(map)].map((key) => {
        return { key: toExprValue(key), value: toExprValue(mapGet(map, key), depth + 1) }
      })
      return { mapValue: { entries } }
    }
    case 'optional':
      return optionalJson(value, depth)
    case 'object':
      return { objectValue: { '@type': value instanceof CelObject ? value.type.name : '', value: renderJson(value) } }
    default:
      return scalarJson(kind, value)
  }
}

function scalarJson(kind: Kind, value: unknown): Json {
  switch (kind) {
    case 'bool':
      return { boolValue: value === true }
    case 'int':
      return { int64Value: String(value) }
    case 'uint':
      return { uint64Value: value instanceof Uint ? String(value.value) : '0' }
    case 'double':
      return { doubleValue: value instanceof Double ? doubleJson(value.value) : 0 }
    case 'string':
      return { stringValue: String(value) }
    case 'bytes':
      return { bytesValue: value instanceof Uint8Array ? bytesJson(value) : '' }
    case 'type':
      return { typeValue: value instanceof TypeValue ? value.type.name : '' }
    case 'duration':
      return wellKnown('Duration', value instanceof Duration ? durationText(value.nanos) : '')
    case 'timestamp':
      return wellKnown('Timestamp', value instanceof Timestamp ? timestampText(value.nanos) : '')
    default:
      return { nullValue: null }
  }
}

function optionalJson(value: unknown, depth: number): Json {
  const inner = value instanceof Optional && value.present ? { value: toExprValue(value.value, depth + 1) } : {}
  return { objectValue: { '@type': 'optional_type', ...inner } }
}

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

function doubleFrom(value: unknown): Double {
  return new Double(typeof value === 'number' ? value : Number(text(value).replace(/^(-?)Inf$/, '$1Infinity')))
}

/** Reads the JSON form of `cel.expr.Value`; throws EvaluationError where it is none. */
export function fromExprValue(json: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new EvaluationError(`the value is nested more than ${MAX_DEPTH} deep`)
  const [kind, value] = isObject(json) ? (Object.entries(json)[0] ?? []) : []
  switch (kind) {
    case 'nullValue':
      return null
    case 'boolValue':
      return value === true
    case 'int64Value':
      return fromBigInt(wholeNumber(value))
    case 'uint64Value':
      return toUint(wholeNumber(value))
    case 'doubleValue':
      return doubleFrom(value)
    case 'stringValue':
      return text(value)
    case 'bytesValue':
      return Uint8Array.from(Buffer.from(text(value), 'base64'))
    case 'typeValue':
      return new TypeValue(namedTypes.get(text(value)) ?? structType(text(value)))
    case 'listValue':
      return membersOf(value, 'values').map((item) => fromExprValue(item, depth + 1))
    case 'mapValue':
      return mapFrom(value, depth)
    case 'objectValue':
      return objectFrom(value)
    default:
      throw new EvaluationError(`cannot read ${JSON.stringify(json)?.slice(0, 80)} as a cel.expr.Value`)
  }
}

function wholeNumber(value: unknown): bigint {
  if (!/^-?\d{1,20}$/.test(text(value))) throw new EvaluationError(`${JSON.stringify(value)} is not an integer`)
  return BigInt(text(value))
}

function membersOf(value: unknown, name: string): readonly unknown[] {
  const members = isObject(value) ? value[name] : undefined
  return Array.isArray(members) ? members : []
}

function mapFrom(value: unknown, depth: number): CelMap {
  const map = new CelMap()
  for (const entry of membersOf(value, 'entries')) {
    if (isObject(entry)) map.add(fromExprValue(entry['key']), fromExprValue(entry['value'], depth + 1))
  }
  return map
}

/** The message types that are values of the language itself. */
function objectFrom(value: unknown): unknown {
  const object = isObject(value) ? (value as JsonObject) : {}
  const content = object['value']
  switch (text(object['@type']).replace(WELL_KNOWN, '')) {
    case 'Duration':
      return toDuration(parseDuration(text(content)) ?? 0n)
    case 'Timestamp':
      return toTimestamp(parseTimestamp(text(content)) ?? 0n)
    default:
      throw new EvaluationError(`messages of type ${JSON.stringify(object['@type'])} cannot be given as JSON`)
  }
}
