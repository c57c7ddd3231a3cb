import type { Json } from '../../../lib/json.ts'
import { setOwn } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import { CelObject } from '../value/boxed.ts'
import { Double } from '../value/double.ts'
import { Duration, durationText } from '../value/duration.ts'
import { kindOf } from '../value/kind.ts'
import { type ListValue, listItems } from '../value/list.ts'
import { keyText, type MapValue, mapGet, mapKeys } from '../value/map.ts'
import { Optional } from '../value/optional.ts'
import { Timestamp, timestampText } from '../value/timestamp.ts'
import { TypeValue } from '../value/type-value.ts'
import { Uint } from '../value/uint.ts'

const MAX_DEPTH = 500

/** Objects that can say themselves as JSON. */
interface JsonText {
  toJson(): Json
}

const hasJson = (value: unknown): value is JsonText =>
  typeof value === 'object' && value !== null && 'toJson' in value && typeof value.toJson === 'function'

/** A double as JSON: the numbers that JSON lacks become strings. */
export function doubleJson(value: number): Json {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  return value
}

/** Base64 text of bytes. */
export const bytesJson = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/**
 * A value as plain JSON: integers beyond 2^53 and non-finite doubles as strings, bytes as base64, durations and timestamps as
 * text, types by name, an absent optional as null, map keys as text.
 */
export function renderJson(value: unknown, depth = 0): Json {
  if (depth > MAX_DEPTH) throw new RangeError(`the value is nested more than ${MAX_DEPTH} deep`)
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || typeof value === 'number')
    return value
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Double) return doubleJson(value.value)
  if (value instanceof Uint) {
    const small = Number(value.value)
    return Number.isSafeInteger(small) ? small : String(value.value)
  }
  if (value instanceof Duration) return durationText(value.nanos)
  if (value instanceof Timestamp) return timestampText(value.nanos)
  if (value instanceof TypeValue) return value.type.name
  if (value instanceof Optional) return value.present ? renderJson(value.value, depth + 1) : null
  if (value instanceof Uint8Array) return bytesJson(value)
  if (value instanceof CelObject) return hasJson(value) ? value.toJson() : value.type.name
  return renderContainer(value, depth)
}

/** The same for values that an expression of somebody else made: one that nests too deep is a problem, not a crash. */
export function tryRenderJson(value: unknown): Result<Json> {
  try {
    return succeed(renderJson(value))
  } catch (error) {
    if (error instanceof RangeError) return fail({ code: 'cel-evaluation-failed', message: error.message })
    throw error
  }
}

function renderContainer(value: unknown, depth: number): Json {
  // The kinds say which type it is.
  if (kindOf(value) === 'list') return listItems(value as ListValue).map((item) => renderJson(item, depth + 1))
  const map = value as MapValue
  const object: Record<string, Json> = {}
  for (const key of mapKeys(map)) setOwn(object, keyText(key), renderJson(mapGet(map, key), depth + 1))
  return object
}
