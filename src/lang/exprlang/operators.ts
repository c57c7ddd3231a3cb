import { compilePattern } from '../../lib/re2.ts'
import { compare } from './order.ts'
import type { Run } from './run.ts'
import { between, duration, durationOf, time, timeOf } from './time.ts'
import { ExprError, ExprObject, isList, isMap, isNil, isSame, typeName, type Value } from './value.ts'

const invalid = (a: Value, operator: string, b: Value): ExprError =>
  new ExprError(`invalid operation: ${typeName(a)} ${operator} ${typeName(b)}`)

type Binary = (a: Value, b: Value, run: Run) => Value

const arithmetic =
  (operator: string, act: (a: number, b: number) => number): Binary =>
  (a, b) => {
    if (typeof a !== 'number' || typeof b !== 'number') throw invalid(a, operator, b)
    return act(a, b)
  }

const add: Binary = (a, b, run) => {
  if (typeof a === 'number' && typeof b === 'number') return a + b
  if (typeof a === 'string' && typeof b === 'string') {
    run.make(a.length + b.length)
    return a + b
  }
  const [aTime, bTime, aSpan, bSpan] = [timeOf(a), timeOf(b), durationOf(a), durationOf(b)]
  if (aTime !== undefined && bSpan !== undefined) return time(aTime + Number(bSpan) / 1e6)
  if (aSpan !== undefined && bTime !== undefined) return time(bTime + Number(aSpan) / 1e6)
  if (aSpan !== undefined && bSpan !== undefined) return duration(aSpan + bSpan)
  throw invalid(a, '+', b)
}

const subtract: Binary = (a, b) => {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [aTime, bTime, aSpan, bSpan] = [timeOf(a), timeOf(b), durationOf(a), durationOf(b)]
  if (aTime !== undefined && bTime !== undefined) return between(bTime, aTime)
  if (aTime !== undefined && bSpan !== undefined) return time(aTime - Number(bSpan) / 1e6)
  if (aSpan !== undefined && bSpan !== undefined) return duration(aSpan - bSpan)
  throw invalid(a, '-', b)
}

const multiply: Binary = (a, b) => {
  if (typeof a === 'number' && typeof b === 'number') return a * b
  const [aSpan, bSpan] = [durationOf(a), durationOf(b)]
  if (aSpan !== undefined && typeof b === 'number') return duration(BigInt(Math.round(Number(aSpan) * b)))
  if (bSpan !== undefined && typeof a === 'number') return duration(BigInt(Math.round(Number(bSpan) * a)))
  throw invalid(a, '*', b)
}

const remainder: Binary = (a, b) => {
  if (typeof a !== 'number' || typeof b !== 'number') throw invalid(a, '%', b)
  if (b === 0) throw new ExprError('integer divide by zero')
  return a % b
}

const range: Binary = (a, b, run) => {
  if (typeof a !== 'number' || typeof b !== 'number') throw invalid(a, '..', b)
  const size = Math.max(0, Math.floor(b) - Math.floor(a) + 1)
  run.make(size)
  return Array.from({ length: size }, (_, index) => Math.floor(a) + index)
}

const contained: Binary = (a, b, run) => {
  if (isNil(b)) return false
  if (isList(b)) {
    run.step(b.length)
    return b.some((item) => isSame(item, a))
  }
  if (isMap(b)) return typeof a === 'string' && Object.hasOwn(b, a)
  if (b instanceof ExprObject) return typeof a === 'string' && b.methods.has(a)
  throw new ExprError(`operator "in" not defined on ${typeName(b)}`)
}

const onTexts =
  (operator: string, act: (a: string, b: string) => boolean): Binary =>
  (a, b) => {
    if (isNil(a) || isNil(b)) return false
    if (typeof a !== 'string' || typeof b !== 'string') throw invalid(a, operator, b)
    return act(a, b)
  }

const matches = onTexts('matches', (a, b) => {
  const pattern = compilePattern(b)
  if (!pattern.ok) throw new ExprError(pattern.error[0]?.message ?? 'the pattern is none')
  return pattern.value.matcher(a).find()
})

/** The operators that evaluate both sides. */
export const binaries: Readonly<Record<string, Binary>> = {
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': arithmetic('/', (a, b) => a / b),
  '%': remainder,
  '**': arithmetic('**', (a, b) => a ** b),
  '^': arithmetic('^', (a, b) => a ** b),
  '==': isSame,
  '!=': (a, b) => !isSame(a, b),
  '<': (a, b) => compare(a, b, '<') < 0,
  '>': (a, b) => compare(a, b, '>') > 0,
  '<=': (a, b) => compare(a, b, '<=') <= 0,
  '>=': (a, b) => compare(a, b, '>=') >= 0,
  '..': range,
  in: contained,
  matches,
  contains: onTexts('contains', (a, b) => a.includes(b)),
  startsWith: onTexts('startsWith', (a, b) => a.startsWith(b)),
  endsWith: onTexts('endsWith', (a, b) => a.endsWith(b)),
}

/** An operator before its operand. */
export function unary(operator: string, value: Value): Value {
  if (operator === '-' || operator === '+') {
    if (typeof value === 'number') return operator === '-' ? -value : value
    const span = durationOf(value)
    if (span !== undefined) return operator === '-' ? duration(-span) : value
  } else if (typeof value === 'boolean') return !value
  throw new ExprError(`invalid operation: ${operator} ${typeName(value)}`)
}
