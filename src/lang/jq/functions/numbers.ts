import type { Json } from '../../../lib/json.ts'
import { JqError } from '../error.ts'
import { shownValue, typeOf } from '../value.ts'
import type { ValueFunction } from './functions.ts'

function numberOf(value: Json): number {
  if (typeof value !== 'number') throw new JqError(`${typeOf(value)} (${shownValue(value)}) number required`)
  return value
}

const round = (value: number): number => Math.sign(value) * Math.round(Math.abs(value))

function roundEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

/** Splits a number into a fraction of at least a half and a power of two. */
function frexp(value: number): readonly [number, number] {
  if (value === 0 || !Number.isFinite(value)) return [value, 0]
  let exponent = Math.max(-1023, Math.floor(Math.log2(Math.abs(value))) + 1)
  let fraction = value * 2 ** -exponent
  for (; Math.abs(fraction) < 0.5; exponent--) fraction *= 2
  for (; Math.abs(fraction) >= 1; exponent++) fraction /= 2
  return [fraction, exponent]
}

const ofOne: Readonly<Record<string, (value: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  round,
  trunc: Math.trunc,
  nearbyint: roundEven,
  rint: roundEven,
  sqrt: Math.sqrt,
  cbrt: Math.cbrt,
  fabs: Math.abs,
  exp: Math.exp,
  exp2: (value) => 2 ** value,
  exp10: (value) => 10 ** value,
  pow10: (value) => 10 ** value,
  expm1: Math.expm1,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  significand: (value) => (value === 0 ? 0 : frexp(value)[0] * 2),
  logb: (value) => (value === 0 ? -Infinity : frexp(value)[1] - 1),
}

const ofTwo: Readonly<Record<string, (a: number, b: number) => number>> = {
  pow: (a, b) => a ** b,
  atan2: Math.atan2,
  fmin: Math.min,
  fmax: Math.max,
  fmod: (a, b) => a % b,
  hypot: Math.hypot,
  ldexp: (a, b) => a * 2 ** b,
  scalb: (a, b) => a * 2 ** b,
  scalbln: (a, b) => a * 2 ** b,
  copysign: (a, b) => (Object.is(Math.sign(b), -0) || b < 0 ? -Math.abs(a) : Math.abs(a)),
}

/** Functions over numbers. */
export const numberFunctions: readonly (readonly [string, ValueFunction])[] = [
  ...Object.entries(ofOne).map(([name, act]): readonly [string, ValueFunction] => [
    `${name}/0`,
    (input) => act(numberOf(input)),
  ]),
  ...Object.entries(ofTwo).map(([name, act]): readonly [string, ValueFunction] => [
    `${name}/2`,
    (_, [a = null, b = null]) => act(numberOf(a), numberOf(b)),
  ]),
  ['fma/3', (_, [a = null, b = null, c = null]) => numberOf(a) * numberOf(b) + numberOf(c)],
  ['frexp/0', (input) => frexp(numberOf(input))],
  ['modf/0', (input) => [numberOf(input) % 1, Math.trunc(numberOf(input))]],
  ['abs/0', (input) => (numberOf(input) < 0 ? -numberOf(input) : input)],
  ['infinite/0', () => Infinity],
  ['nan/0', () => Number.NaN],
  ['isinfinite/0', (input) => Math.abs(numberOf(input)) === Infinity],
  ['isnan/0', (input) => Number.isNaN(numberOf(input))],
  ['isnormal/0', (input) => Number.isFinite(numberOf(input)) && Math.abs(numberOf(input)) >= 2 ** -1022],
]
