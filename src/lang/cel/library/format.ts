import { formatFloat } from '../../../lib/go-float.ts'
import { EvaluationError } from '../error.ts'
import { Double, plainDecimal } from '../value/double.ts'
import { Duration, durationText } from '../value/duration.ts'
import { isInt } from '../value/integer.ts'
import { kindOf, runtimeType } from '../value/kind.ts'
import { type ListValue, listItems } from '../value/list.ts'
import { type MapValue, mapGet, mapKeys } from '../value/map.ts'
import { Timestamp, timestampText } from '../value/timestamp.ts'
import { TypeValue } from '../value/type-value.ts'
import { Uint } from '../value/uint.ts'
import { refuseLong } from '../value/text.ts'

const VERB = /%(?:%|(?:\.(\d*))?([a-zA-Z])?)/g
const DEFAULT_PRECISION = 6
const MAX_PRECISION = 1_000
/** How deep a value that is formatted may nest. */
export const MAX_DEPTH: number = 100

const decoder = new TextDecoder('utf-8', { fatal: false })

function nonFinite(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? undefined : value > 0 ? 'Infinity' : '-Infinity'
}

/** What a clause says to a value of the wrong type. */
export function refuse(verb: string, value: unknown, wanted: string): EvaluationError {
  return new EvaluationError(
    `error during formatting: ${verb} clause can only be used on ${wanted}, was given ${runtimeType(value).name}`,
  )
}

/** `%s`: every value has a text; maps are sorted by key. */
function textOf(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new EvaluationError('error during formatting: the value is nested too deep')
  switch (kindOf(value)) {
    case 'string':
    case 'null':
    case 'bool':
    case 'int':
      return String(value)
    case 'uint':
    case 'double':
      return decimal(value)
    case 'bytes':
      return decoder.decode(value as Uint8Array)
    case 'duration':
      return value instanceof Duration ? durationText(value.nanos) : ''
    case 'timestamp':
      return value instanceof Timestamp ? timestampText(value.nanos) : ''
    case 'type':
      return value instanceof TypeValue ? value.type.name : ''
    case 'list': {
      // The kind says which type it is; likewise below.
      const items = listItems(value as ListValue).map((item) => textOf(item, depth + 1))
      refuseLong(items.reduce((length, item) => length + item.length, 0))
      return `[${items.join(', ')}]`
    }
    case 'map':
      return mapText(value as MapValue, depth)
    default:
      throw new EvaluationError(
        `error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${runtimeType(value).name}`,
      )
  }
}

function mapText(map: MapValue, depth: number): string {
  const entries = [...mapKeys(map)].map((key) => [textOf(key, depth + 1), textOf(mapGet(map, key), depth + 1)] as const)
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([key, value]) => `${key}: ${value}`)
  refuseLong(sorted.reduce((length, item) => length + item.length, 0))
  return `{${sorted.join(', ')}}`
}

function decimal(value: unknown): string {
  if (isInt(value)) return String(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Double) return nonFinite(value.value) ?? plainDecimal(value.value)
  throw refuse('decimal', value, 'integers or floating-point numbers')
}

function realNumber(value: unknown, verb: string): number {
  if (value instanceof Double) return value.value
  if (isInt(value)) return Number(value)
  if (value instanceof Uint) return Number(value.value)
  throw refuse(verb, value, 'doubles')
}

function fixed(value: unknown, precision: number): string {
  const number = realNumber(value, 'fixed-point')
  const special = nonFinite(number)
  if (special !== undefined) return special
  return formatFloat(number, 'f', precision)
}

function scientific(value: unknown, precision: number): string {
  const number = realNumber(value, 'scientific')
  const special = nonFinite(number)
  if (special !== undefined) return special
  return formatFloat(number, 'e', precision)
}

function whole(value: unknown): bigint | undefined {
  if (isInt(value)) return BigInt(value)
  return value instanceof Uint ? value.value : undefined
}

function binary(value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  const number = whole(value)
  if (number === undefined) throw refuse('binary', value, 'integers and bools')
  return number.toString(2)
}

function octal(value: unknown): string {
  const number = whole(value)
  if (number === undefined) throw refuse('octal', value, 'integers')
  return number.toString(8)
}

function hex(value: unknown): string {
  const number = whole(value)
  if (number !== undefined) return number.toString(16)
  if (typeof value === 'string') return Buffer.from(value, 'utf8').toString('hex')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  throw refuse('hex', value, 'integers, byte buffers, and strings')
}

/** What one clause makes of a value. */
export type Clause = (verb: string, precision: number, value: unknown) => string

/** The clauses of the current version of the library. */
export const clause: Clause = (verb, precision, value) => {
  switch (verb) {
    case 's':
      return textOf(value)
    case 'd':
      return decimal(value)
    case 'f':
      return fixed(value, precision)
    case 'e':
      return scientific(value, precision)
    case 'b':
      return binary(value)
    case 'o':
      return octal(value)
    case 'x':
      return hex(value)
    case 'X':
      return hex(value).toUpperCase()
    default:
      throw new EvaluationError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
  }
}

/** A formatter: finds the clauses of a template and fills them in. */
export function formatter(fill: Clause): (template: string, args: ListValue) => string {
  return (template, args) => {
    const values = listItems(args)
    let next = 0
    let length = 0
    return template.replaceAll(VERB, (found, digits: string | undefined, verb: string | undefined) => {
      if (found === '%%') return '%'
      if (verb === undefined) throw new EvaluationError('could not parse formatting clause: unexpected end of string')
      if (digits === '') {
        throw new EvaluationError('could not parse formatting clause: unable to find end of precision specifier')
      }
      if (next >= values.length) throw new EvaluationError(`index ${next} out of range`)
      const precision = digits === undefined ? DEFAULT_PRECISION : Number(digits)
      if (precision > MAX_PRECISION) throw new EvaluationError(`the precision ${digits} is too large`)
      const text = fill(verb, precision, values[next++])
      length += text.length
      refuseLong(length)
      return text
    })
  }
}

/** `'%d of %s'.format([1, 'two'])`. */
export const formatString: (template: string, args: ListValue) => string = formatter(clause)
