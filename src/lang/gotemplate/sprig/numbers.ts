import type { Ids } from '../../../lib/ids.ts'
import { fn, type FunctionTable } from '../function.ts'
import { valueText } from '../print.ts'
import { failWith, int, INTEGERS, withType } from '../value.ts'
import { toFloat64, toInt64 } from './cast.ts'
import { foldDecimals, type DecimalOperation } from './decimal.ts'
import { randomBelow } from './random.ts'

/** The longest list of numbers that until, untilStep and seq make. */
const LONGEST_COUNT = 1_000_000

function steps(start: number, stop: number, step: number): readonly number[] | string {
  if (stop < start ? step >= 0 : step <= 0) return []
  const count = Math.max(Math.ceil((stop - start) / step), 0)
  if (count > LONGEST_COUNT) return `a list of ${count} numbers is longer than ${LONGEST_COUNT}`
  return Array.from({ length: count }, (_, index) => start + index * step)
}

function untilStep(start: number, stop: number, step: number): unknown {
  const values = steps(start, stop, step)
  return typeof values === 'string' ? failWith(values) : withType(values.map(int), INTEGERS)
}

function seqSteps(params: readonly number[]): readonly number[] | string {
  const [a = 0, b = 0, c = 0] = params
  if (params.length === 1) {
    const step = a < 1 ? -1 : 1
    return steps(1, a + step, step)
  }
  if (params.length === 2) {
    const step = b < a ? -1 : 1
    return steps(a, b + step, step)
  }
  if (params.length !== 3 || (c < a && b > 0)) return []
  return steps(a, c + (c < a ? -1 : 1), b)
}

function seq(params: readonly number[]): unknown {
  const values = seqSteps(params)
  return typeof values === 'string' ? failWith(values) : values.join(' ')
}

function round(value: unknown, places: number, on: number): number {
  const power = 10 ** places
  const digit = power * toFloat64(value)
  const fraction = digit - Math.trunc(digit)
  return (fraction >= on ? Math.ceil(digit) : Math.floor(digit)) / power
}

function decimal(first: unknown, more: readonly unknown[], operation: DecimalOperation): unknown {
  const total = foldDecimals(toFloat64(first), more.map(toFloat64), operation)
  return typeof total === 'string' ? failWith(total) : total
}

function divide(a: unknown, b: unknown, isRemainder: boolean): unknown {
  const divisor = toInt64(b)
  if (divisor === 0n) return failWith('runtime error: integer divide by zero')
  return isRemainder ? toInt64(a) % divisor : toInt64(a) / divisor
}

/** Go's Max and Min: a NaN anywhere is the answer. */
const extreme = (values: readonly unknown[], pick: (a: number, b: number) => number): number =>
  values.map(toFloat64).reduce((a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : pick(a, b)))

const biggest = fn(['any', '...any'], 'int64', (...values) => values.map(toInt64).reduce((a, b) => (b > a ? b : a)))

function octal(value: unknown): number {
  const text = valueText(value)
  if (!/^[+-]?[0-7]+$/.test(text)) return 0
  const size = BigInt(`0o${text.replace(/^[+-]/, '')}`)
  return size < 2n ** 63n ? Number(text.startsWith('-') ? -size : size) : 0
}

/** Whole numbers and floats; floats are computed in decimal. */
export const numbers = (ids: Ids): FunctionTable => ({
  atoi: fn(['string'], 'int', (text) => (/^[+-]?\d+$/.test(text) ? BigInt.asIntN(64, clamp(text)) : 0n)),
  int64: fn(['any'], 'int64', toInt64),
  int: fn(['any'], 'int', toInt64),
  float64: fn(['any'], 'any', toFloat64),
  toDecimal: fn(['any'], 'int64', octal),
  seq: fn(['...int'], 'any', (...params) => seq(params)),
  until: fn(['int'], 'any', (count) => untilStep(0, count, count < 0 ? -1 : 1)),
  untilStep: fn(['int', 'int', 'int'], 'any', untilStep),
  add1: fn(['any'], 'int64', (value) => toInt64(value) + 1n),
  add: fn(['...any'], 'int64', (...values) => values.map(toInt64).reduce((a, b) => a + b, 0n)),
  sub: fn(['any', 'any'], 'int64', (a, b) => toInt64(a) - toInt64(b)),
  div: fn(['any', 'any'], 'int64', (a, b) => divide(a, b, false)),
  mod: fn(['any', 'any'], 'int64', (a, b) => divide(a, b, true)),
  mul: fn(['any', '...any'], 'int64', (...values) => values.map(toInt64).reduce((a, b) => BigInt.asIntN(64, a * b))),
  add1f: fn(['any'], 'any', (value) => decimal(value, [1], 'add')),
  addf: fn(['...any'], 'any', (...values) => decimal(0, values, 'add')),
  subf: fn(['any', '...any'], 'any', (first, ...more) => decimal(first, more, 'sub')),
  mulf: fn(['any', '...any'], 'any', (first, ...more) => decimal(first, more, 'mul')),
  divf: fn(['any', '...any'], 'any', (first, ...more) => decimal(first, more, 'div')),
  biggest,
  max: biggest,
  min: fn(['any', '...any'], 'int64', (...values) => values.map(toInt64).reduce((a, b) => (b < a ? b : a))),
  maxf: fn(['any', '...any'], 'any', (...values) => extreme(values, Math.max)),
  minf: fn(['any', '...any'], 'any', (...values) => extreme(values, Math.min)),
  ceil: fn(['any'], 'any', (value) => Math.ceil(toFloat64(value))),
  floor: fn(['any'], 'any', (value) => Math.floor(toFloat64(value))),
  round: fn(['any', 'int', '...float64'], 'any', (value, places, on) => round(value, places, on ?? 0.5)),
  randInt: fn(['int', 'int'], 'int', (low, high) =>
    high > low ? low + randomBelow(ids, high - low) : failWith('invalid argument to Intn'),
  ),
})

/** Atoi gives the nearest number that fits when the text is out of range. */
function clamp(text: string): bigint {
  const value = BigInt(text.replace(/^\+/, ''))
  const limit = 2n ** 63n
  return value >= limit ? limit - 1n : value < -limit ? -limit : value
}
