import { compareStrings } from '../../lib/go-string.ts'
import { type Json, type JsonArray, type JsonObject } from '../../lib/json.ts'

export type TypeName = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object'

export function typeOf(value: Json): TypeName {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  const type = typeof value
  return type === 'object' ? 'object' : (type as 'boolean' | 'number' | 'string')
}

export const isArray = (value: Json): value is JsonArray => Array.isArray(value)

export const isRecord = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Everything but false and null. */
export const isTruthy = (value: Json): boolean => value !== false && value !== null

/** The keys of an object in jq's order: by code point. */
export const sortedKeys = (object: JsonObject): readonly string[] => Object.keys(object).sort(compareStrings)

const ranks: Readonly<Record<TypeName, number>> = { null: 0, boolean: 1, number: 3, string: 4, array: 5, object: 6 }

const rankOf = (value: Json): number => (value === true ? 2 : ranks[typeOf(value)])

/** jq's order over all values: null, false, true, numbers, texts, arrays, objects. */
export function compare(a: Json, b: Json): number {
  const rank = rankOf(a)
  const difference = rank - rankOf(b)
  if (difference !== 0) return difference
  if (typeof a === 'number' && typeof b === 'number') return a < b || Number.isNaN(a) ? -1 : a === b ? 0 : 1
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return 0
  if (isArray(a) && isArray(b)) return compareItems(a, b)
  return isRecord(a) && isRecord(b) ? compareObjects(a, b) : 0
}

function compareItems(a: JsonArray, b: JsonArray): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const order = compare(a[at] ?? null, b[at] ?? null)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareObjects(a: JsonObject, b: JsonObject): number {
  const keys = sortedKeys(a)
  const order = compareItems(keys, sortedKeys(b))
  if (order !== 0) return order
  for (const key of keys) {
    const below = compare(a[key] ?? null, b[key] ?? null)
    if (below !== 0) return below
  }
  return 0
}

/** A number as jq writes it: no infinities, and integers without an exponent up to 17 digits. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'null'
  if (value === Infinity) return '1.7976931348623157e+308'
  if (value === -Infinity) return '-1.7976931348623157e+308'
  if (Object.is(value, -0)) return '-0'
  return String(value)
}

/** A value as compact JSON with sorted keys. */
export function textOf(value: Json): string {
  if (typeof value === 'number') return numberText(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isArray(value)) return `[${value.map(textOf).join(',')}]`
  if (!isRecord(value)) return 'null'
  return `{${sortedKeys(value)
    .map((key) => `${JSON.stringify(key)}:${textOf(value[key] ?? null)}`)
    .join(',')}}`
}

/** A value for a message, not too long. */
export function shownValue(value: Json): string {
  const text = textOf(value)
  return text.length > 40 ? `${text.slice(0, 37)}...` : text
}
