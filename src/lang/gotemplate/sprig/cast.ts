import { parseFloatText, parseInteger } from '../number.ts'
import { valueText } from '../print.ts'
import { stringOf } from '../../../lib/go-string.ts'
import { GoInt, GoNamed, INTS, JSON_NUMBER, typeOf } from '../value.ts'

const INT64_MIN = -(2n ** 63n)
const INT64_END = 2n ** 63n
/** What Go gives on amd64 for a float that no int64 can hold. */
const OUT_OF_RANGE = INT64_MIN

/** Named whole numbers that the cast library knows besides the plain kinds. */
const CASTABLE_NAMES: ReadonlySet<string> = new Set(['time.Weekday', 'time.Month'])

function wholeFromText(text: string): bigint {
  const whole = parseInteger(text.replace(/\.0+$/, ''))
  return whole !== undefined && whole >= INT64_MIN && whole < INT64_END ? whole : 0n
}

function wholeFromFloat(value: number): bigint {
  if (Number.isNaN(value)) return OUT_OF_RANGE
  const whole = Math.trunc(value)
  if (whole < -(2 ** 63) || whole >= 2 ** 63) return OUT_OF_RANGE
  return BigInt(whole)
}

const isPlainInt = (value: GoInt): boolean =>
  Object.hasOwn(INTS, value.type.name) || CASTABLE_NAMES.has(value.type.name)

/** Any value as an int64; what cannot be converted is 0. Text is read in Go's bases, and a trailing `.0` is dropped. */
export function toInt64(value: unknown): bigint {
  if (value instanceof GoInt) return isPlainInt(value) ? BigInt.asIntN(64, value.value) : 0n
  switch (typeof value) {
    case 'number':
      return wholeFromFloat(value)
    case 'string':
      return wholeFromText(value)
    case 'boolean':
      return value ? 1n : 0n
    default:
      return value instanceof GoNamed && value.type.name === JSON_NUMBER.name ? wholeFromText(String(value.value)) : 0n
  }
}

/** Any value as an int that JavaScript can count with. */
export const toCount = (value: unknown): number => Number(toInt64(value))

/** Reads a float as Go's ParseFloat: also `inf` and `nan`; undefined where it is none. */
export function floatFromText(text: string): number | undefined {
  const special = /^([+-]?)(?:(inf|infinity)|nan)$/i.exec(text)
  if (special) return special[2] ? (special[1] === '-' ? -Infinity : Infinity) : Number.NaN
  return parseFloatText(text)
}

/** Any value as a float64; what cannot be converted is 0. */
export function toFloat64(value: unknown): number {
  if (value instanceof GoInt) return isPlainInt(value) ? Number(value.value) : 0
  switch (typeof value) {
    case 'number':
      return value
    case 'string':
      return floatFromText(value) ?? 0
    case 'boolean':
      return value ? 1 : 0
    default:
      return value instanceof GoNamed && value.type.name === JSON_NUMBER.name
        ? (floatFromText(String(value.value)) ?? 0)
        : 0
  }
}

/** Any value as text: bytes are text, the rest prints. */
export const toText = (value: unknown): string =>
  value instanceof Uint8Array ? stringOf(value) : typeof value === 'string' ? value : valueText(value)

/** The kind of a value as reflection names it. */
export const kindName = (value: unknown): string => typeOf(value)?.kind ?? 'invalid'

/** What Go says when it asks a nil for its type. */
export const NIL_DEREFERENCE = 'runtime error: invalid memory address or nil pointer dereference'
