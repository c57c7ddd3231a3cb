import { EvaluationError, noSuchOverload } from '../error.ts'
import { Double } from './double.ts'
import { Duration } from './duration.ts'
import { compareBytes, compareNumbers, compareStrings, numberOf } from './equal.ts'
import { Timestamp } from './timestamp.ts'

const sign = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0)

/** The order of two values, or undefined when they have none. NaN is refused. */
export function orderOf(a: unknown, b: unknown): number | undefined {
  const left = numberOf(a)
  if (left !== undefined) {
    const right = numberOf(b)
    if (right === undefined) return undefined
    if (Number.isNaN(left) || Number.isNaN(right)) throw new EvaluationError('NaN values cannot be ordered')
    return compareNumbers(left, right, a instanceof Double || b instanceof Double)
  }
  if (typeof a === 'string') return typeof b === 'string' ? compareStrings(a, b) : undefined
  if (typeof a === 'boolean') return typeof b === 'boolean' ? Number(a) - Number(b) : undefined
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? compareBytes(a, b) : undefined
  if (a instanceof Duration) return b instanceof Duration ? sign(a.nanos, b.nanos) : undefined
  if (a instanceof Timestamp) return b instanceof Timestamp ? sign(a.nanos, b.nanos) : undefined
  return undefined
}

/** The order of two values; throws when they have none. */
export function compare(a: unknown, b: unknown, operator: string): number {
  const order = orderOf(a, b)
  if (order === undefined) throw noSuchOverload(operator)
  return order
}
