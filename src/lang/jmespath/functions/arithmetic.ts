import { formatDuration, parseDuration } from '../../../lib/duration.ts'
import { floatText } from '../../../lib/go-float.ts'
import { formatQuantity, parseQuantity, type Quantity } from '../../../kube/quantity.ts'
import { wrongValue } from '../error.ts'
import type { JmesPathFunction } from '../function.ts'
import { listAt, numberAt, wholeNumber } from './argument.ts'
import { fn } from './specification.ts'

/** What arithmetic works on: a number, a text that is a quantity, or else one that is a duration. */
type Operand =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'quantity'; readonly value: Quantity; readonly decimals: number }
  | { readonly kind: 'duration'; readonly value: bigint }

const NANO = 1_000_000_000n
const DECIMAL_POWERS: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }

const BINARY_POWERS: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const FINEST = 9

/**
 * How many decimals a quantity is held with upstream: for short ones those that were written, less the power of the suffix;
 * for long ones nine (apimachinery 0.34, pkg/api/resource, ParseQuantity). Quotients are cut there.
 */
function decimalsOf(text: string): number {
  const [, whole = '', fraction = '', suffix = ''] = /^[+-]?0*(\d*)(?:\.(\d*))?(.*)$/.exec(text) ?? []
  const digits = Math.max(whole.length, 1) + fraction.length
  const binary = BINARY_POWERS[suffix]
  if (binary !== undefined) {
    const isShort = fraction === '' && 15 - digits - Math.trunc((binary * 3) / 10) - 1 >= 0
    return isShort ? 0 : FINEST
  }
  const power = /^[eE][+-]?\d+$/.test(suffix) ? Number(suffix.slice(1)) : (DECIMAL_POWERS[suffix] ?? 0)
  const decimals = fraction.length - power
  return digits > 18 || decimals > FINEST ? FINEST : Math.max(decimals, -30)
}

function operandOf(name: string, value: unknown): Operand {
  if (typeof value === 'number') return { kind: 'number', value }
  if (typeof value === 'string') {
    const quantity = parseQuantity(value)
    if (quantity.ok) return { kind: 'quantity', value: quantity.value, decimals: decimalsOf(value) }
    const duration = parseDuration(value)
    if (duration.ok) return { kind: 'duration', value: duration.value }
  }
  throw wrongValue(`${name}(): an operand must be a number, a quantity or a duration`)
}

const mismatch = (name: string, a: Operand, b: Operand): Error =>
  wrongValue(`${name}(): a ${a.kind} and a ${b.kind} do not fit`)

const zeroDivisor = (name: string): Error => wrongValue(`${name}(): the divisor is zero`)

const wrapped = (nanos: bigint): string => formatDuration(BigInt.asIntN(64, nanos))

/** The largest amount that is a quantity; upstream prints larger ones without their suffix. */
const LARGEST = 2n ** 63n * NANO

function quantityText(name: string, nano: bigint, { format }: Quantity): string {
  if (nano >= LARGEST || nano <= -LARGEST) throw wrongValue(`${name}(): the result is too large for a quantity`)
  return formatQuantity({ nano, format })
}

/** Seconds as Go computes them. */
const seconds = (nanos: bigint): number => Number(nanos / NANO) + Number(nanos % NANO) / 1e9

/** A duration from seconds; what no 64-bit integer holds becomes the smallest one, as on amd64. */
function fromSeconds(amount: number): string {
  const nanos = amount * 1e9
  const isHeld = Number.isFinite(nanos) && Math.abs(nanos) < 2 ** 63
  return formatDuration(isHeld ? BigInt(Math.trunc(nanos)) : -(2n ** 63n))
}

function add(name: string, left: unknown, right: unknown, sign: 1 | -1): unknown {
  const a = operandOf(name, left)
  const b = operandOf(name, right)
  if (a.kind === 'number' && b.kind === 'number') return a.value + sign * b.value
  if (a.kind === 'duration' && b.kind === 'duration') return wrapped(a.value + BigInt(sign) * b.value)
  if (a.kind !== 'quantity' || b.kind !== 'quantity') throw mismatch(name, a, b)
  // The format of a zero gives way, as in apimachinery's Add and Sub.
  const shape = a.value.nano === 0n ? b.value : a.value
  return quantityText(name, a.value.nano + BigInt(sign) * b.value.nano, shape)
}

/** A number as a quantity; one that is too large, or not finite, is refused. */
function scaleOf(name: string, value: number): { readonly nano: bigint; readonly decimals: number } {
  const text = floatText(value)
  const quantity = parseQuantity(text)
  if (!quantity.ok || Math.abs(value) >= 2 ** 63) throw wrongValue(`${name}(): ${text} is too large for a quantity`)
  return { nano: quantity.value.nano, decimals: decimalsOf(text) }
}

const awayFromZero = (amount: bigint, by: bigint): bigint => {
  const rest = amount % by
  return amount / by + (rest > 0n ? 1n : rest < 0n ? -1n : 0n)
}

function multiply([left, right]: readonly unknown[]): unknown {
  const a = operandOf('multiply', left)
  const b = operandOf('multiply', right)
  if (a.kind === 'number' && b.kind === 'number') return a.value * b.value
  const [number, other] = a.kind === 'number' ? [a, b] : [b, a]
  if (number.kind !== 'number') throw mismatch('multiply', a, b)
  if (other.kind === 'duration') return fromSeconds(seconds(other.value) * number.value)
  if (other.kind !== 'quantity') throw mismatch('multiply', a, b)
  const { nano } = scaleOf('multiply', number.value)
  return quantityText('multiply', awayFromZero(other.value.nano * nano, NANO), other.value)
}

/** The nearest double to a quantity, computed as upstream does: digits times a power of ten. */
function approximate({ value, decimals }: Extract<Operand, { kind: 'quantity' }>): number {
  const unit = 10n ** BigInt(9 - decimals)
  const digits = Number(value.nano / unit)
  return decimals === 0 ? digits : digits * Number(`1e${-decimals}`)
}

function divideQuantity(a: Extract<Operand, { kind: 'quantity' }>, divisor: number): string {
  if (divisor === 0) throw zeroDivisor('divide')
  const by = scaleOf('divide', divisor)
  const unit = 10n ** BigInt(9 - Math.max(a.decimals, by.decimals))
  const quotient = (a.value.nano * NANO) / by.nano
  return quantityText('divide', (quotient / unit) * unit, a.value)
}

function divide([left, right]: readonly unknown[]): unknown {
  const a = operandOf('divide', left)
  const b = operandOf('divide', right)
  if (a.kind === 'quantity' && b.kind === 'number') return divideQuantity(a, b.value)
  if (a.kind === 'quantity' && b.kind === 'quantity') {
    const divisor = approximate(b)
    if (divisor === 0) throw zeroDivisor('divide')
    return approximate(a) / divisor
  }
  const divisor = b.kind === 'number' ? b.value : b.kind === 'duration' ? seconds(b.value) : undefined
  if (divisor === undefined || (a.kind === 'number' && b.kind === 'duration') || a.kind === 'quantity') {
    throw mismatch('divide', a, b)
  }
  if (divisor === 0) throw zeroDivisor('divide')
  if (a.kind === 'number') return a.value / divisor
  return b.kind === 'duration' ? seconds(a.value) / divisor : fromSeconds(seconds(a.value) / divisor)
}

/** The integer that a double is, or a refusal. */
function integerOf(value: number): bigint {
  if (!Number.isInteger(value) || Math.abs(value) >= 2 ** 63)
    throw wrongValue('modulo(): both operands must be integers')
  return BigInt(value)
}

function modulo([left, right]: readonly unknown[]): unknown {
  const a = operandOf('modulo', left)
  const b = operandOf('modulo', right)
  if (a.kind === 'duration' && b.kind === 'duration') {
    if (b.value === 0n) throw zeroDivisor('modulo')
    return formatDuration(a.value % b.value)
  }
  if (a.kind === 'number' && b.kind === 'number') {
    const [dividend, divisor] = [integerOf(a.value), integerOf(b.value)]
    if (divisor === 0n) throw zeroDivisor('modulo')
    return Number(dividend % divisor)
  }
  if (a.kind !== 'quantity' || b.kind !== 'quantity') throw mismatch('modulo', a, b)
  const [dividend, divisor] = [integerOf(approximate(a)), integerOf(approximate(b))]
  if (divisor === 0n) throw zeroDivisor('modulo')
  return quantityText('modulo', (dividend % divisor) * NANO, a.value)
}

function sum(list: readonly unknown[]): unknown {
  if (list.length === 0) throw wrongValue('sum(): the list must have at least one element')
  return list.reduce((total, item) => add('sum', total, item, 1))
}

function round(value: number, places: number): number {
  const count = wholeNumber('round', places, 2)
  if (count < 0) throw wrongValue('round(): argument 2 must not be negative')
  const shift = 10 ** count
  const scaled = value * shift
  // Halves go away from zero, as in Go.
  const rounded = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5)
  return (Math.abs(scaled) < 2 ** 52 ? rounded : scaled) / shift
}

/** Kyverno's arithmetic on numbers, quantities and durations. */
export const arithmeticFunctions: ReadonlyMap<string, JmesPathFunction> = new Map([
  ['add', fn(['any', 'any'], (args) => add('add', args[0], args[1], 1))],
  ['subtract', fn(['any', 'any'], (args) => add('subtract', args[0], args[1], -1))],
  ['multiply', fn(['any', 'any'], multiply)],
  ['divide', fn(['any', 'any'], divide)],
  ['modulo', fn(['any', 'any'], modulo)],
  [
    'sum',
    fn(['array'], (args, run) => {
      run.charge(listAt(args, 0).length)
      return sum(listAt(args, 0))
    }),
  ],
  ['round', fn(['number', 'number'], (args) => round(numberAt(args, 0), numberAt(args, 1)))],
])
