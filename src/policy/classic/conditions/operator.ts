import { isEqual, isObject } from '../../../lib/json.ts'
import { type Nanoseconds, parseDuration } from '../../../lib/duration.ts'
import { compareVersions, parseVersion } from '../../../lib/semver.ts'
import { compareQuantity, parseQuantity } from '../../../kube/quantity.ts'
import { matchesWildcard } from '../../engine/wildcard.ts'
import { isAllIn, isAllNotIn, isAnyIn, isAnyNotIn, isIn, isNotIn } from './membership.ts'

/** Tells whether a condition's key and value stand to each other as its operator says. */
export type Operator = (key: unknown, value: unknown) => boolean

/** `>=`, `>`, `<=`, `<` of a difference. */
type Order = (difference: number) => boolean

const orders: Readonly<Record<string, Order>> = {
  greaterthanorequals: (difference) => difference >= 0,
  greaterthan: (difference) => difference > 0,
  lessthanorequals: (difference) => difference <= 0,
  lessthan: (difference) => difference < 0,
}

/** Every operator by its name in lower case: upstream does not mind the case. */
const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['equal', equals],
  ['equals', equals],
  ['notequal', notEquals],
  ['notequals', notEquals],
  ['in', isIn],
  ['notin', isNotIn],
  ['anyin', isAnyIn],
  ['allin', isAllIn],
  ['anynotin', isAnyNotIn],
  ['allnotin', isAllNotIn],
  ...Object.entries(orders).flatMap(([name, order]): [string, Operator][] => [
    [name, (key, value) => comparesAs(key, value, order)],
    [`duration${name}`, (key, value) => durationComparesAs(key, value, order)],
  ]),
])

/** The operator of a condition; undefined when there is none of that name. */
export function operatorNamed(name: string): Operator | undefined {
  return operators.get(name.toLowerCase())
}

/** The operators as policies write them, for messages. */
export const operatorNames: readonly string[] = [
  'Equals',
  'NotEquals',
  'AnyIn',
  'AllIn',
  'AnyNotIn',
  'AllNotIn',
  'GreaterThan',
  'GreaterThanOrEquals',
  'LessThan',
  'LessThanOrEquals',
  'DurationGreaterThan',
  'DurationGreaterThanOrEquals',
  'DurationLessThan',
  'DurationLessThanOrEquals',
]

function equals(key: unknown, value: unknown): boolean {
  switch (typeof key) {
    case 'boolean':
      return key === value
    case 'number':
      return typeof value === 'string' ? numeralOf(value) === key : key === value
    case 'string':
      return textEquals(key, value)
    default:
      return sameContainer(key, value)
  }
}

function notEquals(key: unknown, value: unknown): boolean {
  // Nothing equals null, and nothing differs from it.
  if (key === null || key === undefined) return false
  return !equals(key, value)
}

function sameContainer(key: unknown, value: unknown): boolean {
  if (Array.isArray(key)) return Array.isArray(value) && isEqual(key, value)
  return isObject(key) && isObject(value) && isEqual(key, value)
}

function textEquals(key: string, value: unknown): boolean {
  const durations = durationsOf(key, value)
  if (durations) return durations[0] === durations[1]
  if (typeof value !== 'string') return false
  if (/\d/.test(key)) {
    const wanted = parseQuantity(key)
    if (wanted.ok && value !== '') {
      const given = parseQuantity(value)
      return given.ok && compareQuantity(wanted.value, given.value) === 0
    }
  }
  return matchesWildcard(value, key)
}

const NUMERAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

function numeralOf(text: string): number | undefined {
  return NUMERAL.test(text) ? Number(text) : undefined
}

/** A text that is a duration; `0` is taken for a number. */
function durationText(value: unknown): Nanoseconds | undefined {
  if (typeof value !== 'string' || value === '0' || !/\d/.test(value)) return undefined
  const read = parseDuration(value)
  return read.ok ? read.value : undefined
}

const SECOND = 1_000_000_000n

/** Both sides as durations, when at least one is written as one and the other is one or a number of seconds. */
function durationsOf(key: unknown, value: unknown): readonly [Nanoseconds, Nanoseconds] | undefined {
  const first = durationText(key)
  const second = durationText(value)
  if (first === undefined && second === undefined) return undefined
  const left = first ?? secondsOf(key)
  const right = second ?? secondsOf(value)
  return left === undefined || right === undefined ? undefined : [left, right]
}

function secondsOf(value: unknown): Nanoseconds | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? BigInt(Math.trunc(value)) * SECOND : undefined
}

const sign = (difference: bigint): number => (difference < 0n ? -1 : difference > 0n ? 1 : 0)

function comparesAs(key: unknown, value: unknown, order: Order): boolean {
  if (typeof key !== 'number' && typeof key !== 'string') return false
  const durations = durationsOf(key, value)
  if (durations) return order(sign(durations[0] - durations[1]))
  if (typeof key === 'number') return numberComparesAs(key, value, order)
  if (typeof value === 'string' && /\d/.test(key)) {
    const left = parseQuantity(key)
    const right = left.ok ? parseQuantity(value) : undefined
    if (left.ok && right?.ok) return order(compareQuantity(left.value, right.value))
  }
  const number = numeralOf(key)
  if (number !== undefined) return numberComparesAs(number, value, order)
  const version = exactVersion(key)
  const other = typeof value === 'string' ? exactVersion(value) : undefined
  return version !== undefined && other !== undefined && order(compareVersions(version, other))
}

function numberComparesAs(key: number, value: unknown, order: Order): boolean {
  if (typeof value === 'number') return order(key - value)
  if (typeof value !== 'string') return false
  const durations = durationsOf(key, value)
  if (durations) return order(sign(durations[0] - durations[1]))
  const other = numeralOf(value)
  return other !== undefined && order(key - other)
}

/** A version with all three parts, as upstream's reader insists. */
function exactVersion(text: string): Parameters<typeof compareVersions>[0] | undefined {
  if (!/^\d+\.\d+\.\d+(?:[-+]|$)/.test(text)) return undefined
  const read = parseVersion(text)
  return read.ok ? read.value : undefined
}

function durationComparesAs(key: unknown, value: unknown, order: Order): boolean {
  const left = wholeDuration(key)
  const right = wholeDuration(value)
  return left !== undefined && right !== undefined && order(sign(left - right))
}

function wholeDuration(value: unknown): Nanoseconds | undefined {
  if (typeof value !== 'string') return secondsOf(value)
  const read = parseDuration(value)
  return read.ok ? read.value : undefined
}
