import { type Json, type JsonObject, own, setOwn } from '../../lib/json.ts'
import { JqError } from './error.ts'
import type { BinaryOperator } from './node.ts'
import type { Run } from './run.ts'
import { compare, isArray, isRecord, shownValue, typeOf } from './value.ts'

export type Arithmetic = '+' | '-' | '*' | '/' | '%'

const cannot = (what: string, a: Json, b: Json): JqError =>
  new JqError(`${typeOf(a)} (${shownValue(a)}) and ${typeOf(b)} (${shownValue(b)}) cannot be ${what}`)

function add(a: Json, b: Json, run: Run): Json {
  if (a === null) return b
  if (b === null) return a
  if (typeof a === 'number' && typeof b === 'number') return a + b
  if (typeof a === 'string' && typeof b === 'string') {
    run.make(a.length + b.length)
    return a + b
  }
  if (isArray(a) && isArray(b)) {
    run.make(a.length + b.length)
    return [...a, ...b]
  }
  if (isRecord(a) && isRecord(b)) return { ...a, ...b }
  throw cannot('added', a, b)
}

function subtract(a: Json, b: Json): Json {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (isArray(a) && isArray(b)) return a.filter((item) => b.every((other) => compare(item, other) !== 0))
  throw cannot('subtracted', a, b)
}

function multiply(a: Json, b: Json, run: Run): Json {
  if (typeof a === 'number' && typeof b === 'number') return a * b
  if (typeof a === 'string' && typeof b === 'number') return repeated(a, b, run)
  if (typeof a === 'number' && typeof b === 'string') return repeated(b, a, run)
  if (isRecord(a) && isRecord(b)) return merged(a, b, run)
  throw cannot('multiplied', a, b)
}

function repeated(text: string, count: number, run: Run): Json {
  if (!(count > 0)) return null
  const times = Math.max(1, Math.floor(count))
  run.make(text.length * times)
  return text.repeat(times)
}

function merged(a: JsonObject, b: JsonObject, run: Run): JsonObject {
  run.enter()
  const made: Record<string, Json> = { ...a }
  for (const [key, value] of Object.entries(b)) {
    const old = own(a, key)
    setOwn(made, key, old !== undefined && isRecord(old) && isRecord(value) ? merged(old, value, run) : value)
  }
  run.leave()
  return made
}

function divide(a: Json, b: Json, run: Run): Json {
  if (typeof a === 'number' && typeof b === 'number') {
    if (b === 0) throw new JqError(`${cannot('divided', a, b).message} because the divisor is zero`)
    return a / b
  }
  if (typeof a === 'string' && typeof b === 'string') {
    run.make(a.length)
    if (a === '') return []
    return b === '' ? Array.from(a) : a.split(b)
  }
  throw cannot('divided', a, b)
}

function remainder(a: Json, b: Json): Json {
  if (typeof a !== 'number' || typeof b !== 'number') throw cannot('divided', a, b)
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN
  const divisor = Math.abs(Math.trunc(b))
  if (divisor === 0) throw new JqError(`${cannot('divided', a, b).message} because the divisor is zero`)
  const rest = Math.trunc(a) % (divisor === Infinity ? Number.MAX_SAFE_INTEGER : divisor)
  return rest === 0 ? 0 : rest
}

/** What an arithmetic operator makes of two values. */
export function calculate(operator: Arithmetic, a: Json, b: Json, run: Run): Json {
  switch (operator) {
    case '+':
      return add(a, b, run)
    case '-':
      return subtract(a, b)
    case '*':
      return multiply(a, b, run)
    case '/':
      return divide(a, b, run)
    case '%':
      return remainder(a, b)
  }
}

/** What a comparison or an arithmetic operator makes of two values. */
export function operate(operator: Exclude<BinaryOperator, 'and' | 'or' | '//'>, a: Json, b: Json, run: Run): Json {
  switch (operator) {
    case '==':
      return compare(a, b) === 0
    case '!=':
      return compare(a, b) !== 0
    case '<':
      return compare(a, b) < 0
    case '<=':
      return compare(a, b) <= 0
    case '>':
      return compare(a, b) > 0
    case '>=':
      return compare(a, b) >= 0
    default:
      return calculate(operator, a, b, run)
  }
}
