import { EvaluationError } from '../error.ts'

/**
 * A CEL int is a JavaScript number while it is a safe integer, and a bigint beyond that, so that every value has one form and
 * the common case costs no allocation. Doubles and uints are boxed, which keeps `1`, `1.0` and `1u` apart.
 */
export type Int = number | bigint

export const INT_MAX: bigint = 2n ** 63n - 1n
export const INT_MIN: bigint = -(2n ** 63n)

const overflow = (): EvaluationError => new EvaluationError('integer overflow')

/** A bigint as an int; throws where it leaves 64 bits. */
export function fromBigInt(value: bigint): Int {
  if (value > INT_MAX || value < INT_MIN) throw overflow()
  const small = Number(value)
  return Number.isSafeInteger(small) ? small : value
}

export const isInt = (value: unknown): value is Int => typeof value === 'number' || typeof value === 'bigint'

export function addInt(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return fromBigInt(BigInt(a) + BigInt(b))
}

export function subtractInt(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (Number.isSafeInteger(difference)) return difference
  }
  return fromBigInt(BigInt(a) - BigInt(b))
}

export function multiplyInt(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    // A product whose rounded value is safe was not rounded. Adding zero turns -0 into 0.
    const product = a * b + 0
    if (Number.isSafeInteger(product)) return product
  }
  return fromBigInt(BigInt(a) * BigInt(b))
}

export function divideInt(a: Int, b: Int): Int {
  if (b === 0) throw new EvaluationError('division by zero')
  if (typeof a === 'number' && typeof b === 'number') return (a - (a % b)) / b + 0
  return fromBigInt(BigInt(a) / BigInt(b))
}

export function moduloInt(a: Int, b: Int): Int {
  if (b === 0) throw new EvaluationError('modulus by zero')
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0
  // The smallest int divided by -1 overflows, and so does its remainder upstream.
  if (a === INT_MIN && b === -1) throw overflow()
  return fromBigInt(BigInt(a) % BigInt(b))
}

export function negateInt(a: Int): Int {
  return typeof a === 'number' ? 0 - a : fromBigInt(-a)
}

/** A finite double truncated to an int; throws outside the range. */
export function intFromDouble(value: number): Int {
  if (Number.isNaN(value) || value <= -(2 ** 63) || value >= 2 ** 63)
    throw new EvaluationError('range error: integer overflow')
  const whole = Math.trunc(value) + 0
  return Number.isSafeInteger(whole) ? whole : BigInt(whole)
}
