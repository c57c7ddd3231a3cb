import { traversal, patternCost } from '../cost/size.ts'
import { EvaluationError } from '../error.ts'
import { compilePattern } from '../../../lib/re2.ts'
import { Double, doubleText } from '../value/double.ts'
import { type Duration, durationText, parseDuration, SECOND, toDuration } from '../value/duration.ts'
import { fromBigInt, type Int, intFromDouble } from '../value/integer.ts'
import { runtimeType } from '../value/kind.ts'
import { type ListValue, listSize } from '../value/list.ts'
import { type MapValue, mapSize } from '../value/map.ts'
import {
  civilTime,
  type CivilTime,
  parseTimestamp,
  type Timestamp,
  timestampText,
  toTimestamp,
  unixSeconds,
} from '../value/timestamp.ts'
import { TypeValue } from '../value/type-value.ts'
import { codePointCount } from '../value/text.ts'
import { toUint, Uint } from '../value/uint.ts'
import { type CostRule, type Library, overload, type Overload } from './library.ts'

const conversionError = (from: string, to: string, value: unknown): EvaluationError =>
  new EvaluationError(`type conversion error from '${from}' to '${to}': ${String(value)}`)

/** A cost rule by the size of the first argument. */
export const traverseFirst: CostRule = (first) => traversal(first)

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])

function boolFromString(text: string): boolean {
  if (TRUE.has(text)) return true
  if (FALSE.has(text)) return false
  throw conversionError('string', 'bool', text)
}

function intFromString(text: string): Int {
  if (!/^[+-]?\d{1,40}$/.test(text)) throw conversionError('string', 'int', text)
  return fromBigInt(BigInt(text.replace(/^\+/, '')))
}

function uintFromString(text: string): Uint {
  if (!/^\d{1,40}$/.test(text)) throw conversionError('string', 'uint', text)
  return toUint(BigInt(text))
}

const FLOAT = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)$/i

function doubleFromString(text: string): Double {
  if (!FLOAT.test(text)) throw conversionError('string', 'double', text)
  const lower = text.toLowerCase()
  if (lower.includes('nan')) return new Double(Number.NaN)
  if (lower.includes('inf')) return new Double(lower.startsWith('-') ? -Infinity : Infinity)
  const value = Number(text)
  if (!Number.isFinite(value)) throw conversionError('string', 'double', text)
  return new Double(value)
}

function uintFromDouble({ value }: Double): Uint {
  if (Number.isNaN(value) || value < 0 || value >= 2 ** 64)
    throw new EvaluationError('range error: unsigned integer overflow')
  return new Uint(BigInt(Math.trunc(value)))
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function stringFromBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    // A fatal decoder has one reason to throw.
    throw new EvaluationError('invalid UTF-8 in bytes, cannot convert to string')
  }
}

function durationFromString(text: string): Duration {
  const nanos = parseDuration(text)
  if (nanos === undefined) throw conversionError('string', 'google.protobuf.Duration', text)
  return toDuration(nanos)
}

function timestampFromString(text: string): Timestamp {
  const nanos = parseTimestamp(text)
  if (nanos === undefined) throw conversionError('string', 'google.protobuf.Timestamp', text)
  return toTimestamp(nanos)
}

function intRange(value: bigint): Int {
  if (value >= 2n ** 63n) throw new EvaluationError('range error: integer overflow')
  return fromBigInt(value)
}

function uintRange(value: bigint): Uint {
  if (value < 0n) throw new EvaluationError('range error: unsigned integer overflow')
  return toUint(value)
}

const same = (value: unknown): unknown => value

const conversions: readonly Overload[] = [
  overload('type', 'type(A): type<A>', (value: unknown) => new TypeValue(runtimeType(value))),
  overload('to_dyn', 'dyn(A): dyn', same),
  overload('bool_to_bool', 'bool(bool): bool', same),
  overload('string_to_bool', 'bool(string): bool', boolFromString),
  overload('bytes_to_bytes', 'bytes(bytes): bytes', same),
  overload('string_to_bytes', 'bytes(string): bytes', (text: string) => new TextEncoder().encode(text), traverseFirst),
  overload('double_to_double', 'double(double): double', same),
  overload('int64_to_double', 'double(int): double', (value: Int) => new Double(Number(value))),
  overload('string_to_double', 'double(string): double', doubleFromString),
  overload('uint64_to_double', 'double(uint): double', (value: Uint) => new Double(Number(value.value))),
  overload('duration_to_duration', 'duration(duration): duration', same),
  overload('string_to_duration', 'duration(string): duration', durationFromString),
  overload('int64_to_int64', 'int(int): int', same),
  overload('double_to_int64', 'int(double): int', (value: Double) => intFromDouble(value.value)),
  overload('duration_to_int64', 'int(duration): int', (value: Duration) => fromBigInt(value.nanos)),
  overload('string_to_int64', 'int(string): int', intFromString),
  overload('timestamp_to_int64', 'int(timestamp): int', (value: Timestamp) => fromBigInt(unixSeconds(value))),
  overload('uint64_to_int64', 'int(uint): int', (value: Uint) => intRange(value.value)),
  overload('string_to_string', 'string(string): string', same),
  overload('bool_to_string', 'string(bool): string', String),
  overload('bytes_to_string', 'string(bytes): string', stringFromBytes, traverseFirst),
  overload('double_to_string', 'string(double): string', (value: Double) => doubleText(value.value)),
  overload('duration_to_string', 'string(duration): string', (value: Duration) => durationText(value.nanos)),
  overload('int64_to_string', 'string(int): string', String),
  overload('timestamp_to_string', 'string(timestamp): string', (value: Timestamp) => timestampText(value.nanos)),
  overload('uint64_to_string', 'string(uint): string', (value: Uint) => String(value.value)),
  overload('timestamp_to_timestamp', 'timestamp(timestamp): timestamp', same),
  overload('int64_to_timestamp', 'timestamp(int): timestamp', (value: Int) => toTimestamp(BigInt(value) * SECOND)),
  overload('string_to_timestamp', 'timestamp(string): timestamp', timestampFromString),
  overload('uint64_to_uint64', 'uint(uint): uint', same),
  overload('double_to_uint64', 'uint(double): uint', uintFromDouble),
  overload('int64_to_uint64', 'uint(int): uint', (value: Int) => uintRange(BigInt(value))),
  overload('string_to_uint64', 'uint(string): uint', uintFromString),
]

function matches(text: string, pattern: string): boolean {
  const compiled = compilePattern(pattern)
  if (!compiled.ok) throw new EvaluationError(compiled.error[0]?.message ?? 'the pattern is not valid')
  return compiled.value.test(text)
}

const sizes: readonly Overload[] = [
  overload('size_bytes', 'size(bytes): int', (bytes: Uint8Array) => bytes.length),
  overload('bytes_size', 'bytes -> size(): int', (bytes: Uint8Array) => bytes.length),
  overload('size_list', 'size(list<A>): int', (list: ListValue) => listSize(list)),
  overload('list_size', 'list<A> -> size(): int', (list: ListValue) => listSize(list)),
  overload('size_map', 'size(map<A, B>): int', (map: MapValue) => mapSize(map)),
  overload('map_size', 'map<A, B> -> size(): int', (map: MapValue) => mapSize(map)),
  overload('size_string', 'size(string): int', codePointCount),
  overload('string_size', 'string -> size(): int', codePointCount),
]

const containsCost: CostRule = (text, part) => traversal(text) * traversal(part)
const matchesCost: CostRule = (text, pattern) => patternCost(text, pattern)

const strings: readonly Overload[] = [
  overload(
    'contains_string',
    'string -> contains(string): bool',
    (text: string, part: string) => text.includes(part),
    containsCost,
  ),
  overload(
    'ends_with_string',
    'string -> endsWith(string): bool',
    (text: string, end: string) => text.endsWith(end),
    traverseFirst,
  ),
  overload(
    'starts_with_string',
    'string -> startsWith(string): bool',
    (text: string, start: string) => text.startsWith(start),
    traverseFirst,
  ),
  overload('matches', 'matches(string, string): bool', matches, matchesCost),
  overload('matches_string', 'string -> matches(string): bool', matches, matchesCost),
]

const timeParts: readonly (readonly [string, string, (time: CivilTime) => number])[] = [
  ['getFullYear', 'year', (time) => time.year],
  ['getMonth', 'month', (time) => time.month],
  ['getDayOfYear', 'day_of_year', (time) => time.dayOfYear],
  ['getDayOfMonth', 'day_of_month', (time) => time.day - 1],
  ['getDate', 'day_of_month_1_based', (time) => time.day],
  ['getDayOfWeek', 'day_of_week', (time) => time.weekday],
  ['getHours', 'hours', (time) => time.hour],
  ['getMinutes', 'minutes', (time) => time.minute],
  ['getSeconds', 'seconds', (time) => time.second],
  ['getMilliseconds', 'milliseconds', (time) => time.millisecond],
]

const durationParts: readonly (readonly [string, string, bigint])[] = [
  ['getHours', 'hours', 3600n * SECOND],
  ['getMinutes', 'minutes', 60n * SECOND],
  ['getSeconds', 'seconds', SECOND],
  ['getMilliseconds', 'milliseconds', SECOND / 1000n],
]

const times: readonly Overload[] = [
  ...timeParts.flatMap(([name, id, part]) => [
    overload(`timestamp_to_${id}`, `timestamp -> ${name}(): int`, (time: Timestamp) => part(civilTime(time))),
    overload(`timestamp_to_${id}_with_tz`, `timestamp -> ${name}(string): int`, (time: Timestamp, zone: string) =>
      part(civilTime(time, zone)),
    ),
  ]),
  ...durationParts.map(([name, id, unit]) =>
    overload(`duration_to_${id}`, `duration -> ${name}(): int`, (duration: Duration) =>
      fromBigInt(duration.nanos / unit),
    ),
  ),
]

const COMPARABLE = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration']
const IDS: Readonly<Record<string, string>> = { int: 'int64', uint: 'uint64' }
const idOf = (type: string): string => IDS[type] ?? type
const MIXED = ['int', 'uint', 'double']

const SYMBOLS = [
  ['_<_', 'less'],
  ['_<=_', 'less_equals'],
  ['_>_', 'greater'],
  ['_>=_', 'greater_equals'],
] as const

const orderings: readonly Overload[] = SYMBOLS.flatMap(([name, id]) =>
  COMPARABLE.map((type) => ({ ...overload(`${id}_${idOf(type)}`, `op(${type}, ${type}): bool`), name })),
)

/** Numbers of different types can be ordered; Kubernetes switches this on. */
export const mixedComparisonsLibrary: Library = {
  name: 'mixed-comparisons',
  overloads: SYMBOLS.flatMap(([name, id]) =>
    MIXED.flatMap((left) =>
      MIXED.filter((right) => right !== left).map((right) => ({
        ...overload(`${id}_${idOf(left)}_${idOf(right)}`, `op(${left}, ${right}): bool`),
        name,
      })),
    ),
  ),
}

const operator = (name: string, id: string, signature: string): Overload => ({
  ...overload(id, `op${signature}`),
  name,
})

/** The operators; the evaluator runs them without dispatch. */
const operators: readonly Overload[] = [
  operator('_?_:_', 'conditional', '(bool, A, A): A'),
  operator('_&&_', 'logical_and', '(bool, bool): bool'),
  operator('_||_', 'logical_or', '(bool, bool): bool'),
  operator('!_', 'logical_not', '(bool): bool'),
  operator('@not_strictly_false', 'not_strictly_false', '(bool): bool'),
  operator('_==_', 'equals', '(A, A): bool'),
  operator('_!=_', 'not_equals', '(A, A): bool'),
  operator('_+_', 'add_bytes', '(bytes, bytes): bytes'),
  operator('_+_', 'add_double', '(double, double): double'),
  operator('_+_', 'add_duration_duration', '(duration, duration): duration'),
  operator('_+_', 'add_duration_timestamp', '(duration, timestamp): timestamp'),
  operator('_+_', 'add_timestamp_duration', '(timestamp, duration): timestamp'),
  operator('_+_', 'add_int64', '(int, int): int'),
  operator('_+_', 'add_list', '(list<A>, list<A>): list<A>'),
  operator('_+_', 'add_string', '(string, string): string'),
  operator('_+_', 'add_uint64', '(uint, uint): uint'),
  operator('_/_', 'divide_double', '(double, double): double'),
  operator('_/_', 'divide_int64', '(int, int): int'),
  operator('_/_', 'divide_uint64', '(uint, uint): uint'),
  operator('_%_', 'modulo_int64', '(int, int): int'),
  operator('_%_', 'modulo_uint64', '(uint, uint): uint'),
  operator('_*_', 'multiply_double', '(double, double): double'),
  operator('_*_', 'multiply_int64', '(int, int): int'),
  operator('_*_', 'multiply_uint64', '(uint, uint): uint'),
  operator('-_', 'negate_double', '(double): double'),
  operator('-_', 'negate_int64', '(int): int'),
  operator('_-_', 'subtract_double', '(double, double): double'),
  operator('_-_', 'subtract_duration_duration', '(duration, duration): duration'),
  operator('_-_', 'subtract_int64', '(int, int): int'),
  operator('_-_', 'subtract_timestamp_duration', '(timestamp, duration): timestamp'),
  operator('_-_', 'subtract_timestamp_timestamp', '(timestamp, timestamp): duration'),
  operator('_-_', 'subtract_uint64', '(uint, uint): uint'),
  ...orderings,
  operator('_[_]', 'index_list', '(list<A>, int): A'),
  operator('_[_]', 'index_map', '(map<A, B>, A): B'),
  operator('@in', 'in_list', '(A, list<A>): bool'),
  operator('@in', 'in_map', '(A, map<A, B>): bool'),
]

/** What every CEL environment has. */
export const standardLibrary: Library = {
  name: 'standard',
  overloads: [...operators, ...conversions, ...sizes, ...strings, ...times],
}
