import { durationOf, timeOf } from './time.ts'
import { ExprError, typeName, type Value } from './value.ts'

/** The order of two values of one kind: numbers, texts, times, durations. */
export function compare(a: Value, b: Value, operator: string = '<'): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  const [aTime, bTime] = [timeOf(a), timeOf(b)]
  if (aTime !== undefined && bTime !== undefined) return aTime - bTime
  const [aSpan, bSpan] = [durationOf(a), durationOf(b)]
  if (aSpan !== undefined && bSpan !== undefined) return aSpan < bSpan ? -1 : aSpan > bSpan ? 1 : 0
  throw new ExprError(`invalid operation: ${typeName(a)} ${operator} ${typeName(b)}`)
}
