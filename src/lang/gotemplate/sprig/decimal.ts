import { formatFloat } from '../../../lib/go-float.ts'

/** A decimal number: value x 10^exponent. Sums, differences and products are exact. */
interface Decimal {
  readonly value: bigint
  readonly exponent: number
}

/** Places that a quotient keeps, rounded half away from zero. */
const QUOTIENT_PLACES = 16

function decimalOf(value: number): Decimal {
  const [mantissa = '0', power = '0'] = formatFloat(value, 'e', -1).split('e')
  const [whole = '0', fraction = ''] = mantissa.split('.')
  return { value: BigInt(whole + fraction), exponent: Number(power) - fraction.length }
}

function aligned(a: Decimal, b: Decimal): readonly [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent)
  return [a.value * 10n ** BigInt(a.exponent - exponent), b.value * 10n ** BigInt(b.exponent - exponent), exponent]
}

export type DecimalOperation = 'add' | 'sub' | 'mul' | 'div'

function divide(a: Decimal, b: Decimal): Decimal {
  const shift = QUOTIENT_PLACES + a.exponent - b.exponent
  const dividend = shift >= 0 ? a.value * 10n ** BigInt(shift) : a.value
  const divisor = shift >= 0 ? b.value : b.value * 10n ** BigInt(-shift)
  const size = (value: bigint): bigint => (value < 0n ? -value : value)
  const quotient = dividend / divisor
  const rest = dividend % divisor
  const isUp = size(rest) * 2n >= size(divisor)
  const away = dividend < 0n === divisor < 0n ? 1n : -1n
  return { value: quotient + (isUp ? away : 0n), exponent: -QUOTIENT_PLACES }
}

function compute(a: Decimal, b: Decimal, operation: DecimalOperation): Decimal {
  if (operation === 'mul') return { value: a.value * b.value, exponent: a.exponent + b.exponent }
  if (operation === 'div') return divide(a, b)
  const [left, right, exponent] = aligned(a, b)
  return { value: operation === 'add' ? left + right : left - right, exponent }
}

/** Folds floats in decimal arithmetic; what is wrong with them otherwise. */
export function foldDecimals(first: number, more: readonly number[], operation: DecimalOperation): number | string {
  const strange = [first, ...more].find((value) => !Number.isFinite(value))
  if (strange !== undefined) return `Cannot create a Decimal from ${formatFloat(strange, 'g', -1)}`
  let total = decimalOf(first)
  for (const value of more) {
    if (operation === 'div' && value === 0) return 'decimal division by 0'
    total = compute(total, decimalOf(value), operation)
  }
  return Number(`${total.value}e${total.exponent}`)
}
