import { compareStrings } from '../../lib/go-string.ts'
import { isObject } from '../../lib/json.ts'
import { jsonNumber, jsonString } from '../gotemplate/json.ts'
import { overBudget, wrongValue } from './error.ts'
import { DEEPEST_VALUE, type Run } from './run.ts'

/** A key that an object does not have. It travels as a value until something settles it as null, as upstream's error does. */
export class Missing {
  readonly key: string
  readonly offset: number

  constructor(key: string, offset: number) {
    this.key = key
    this.offset = offset
  }
}

/** What a missing key is worth to whoever does not insist. */
export const settled = (value: unknown): unknown => (value instanceof Missing ? null : value)

/** An integer of Go, which only `compare` gives: it equals no number of JSON and is in order with none. */
export class GoInt {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** A compiled expression with what it is applied to left open. */
export type Closure = (value: unknown, run: Run) => unknown

/** An expression as an argument: `&name`. */
export class Reference {
  readonly apply: Closure

  constructor(apply: Closure) {
    this.apply = apply
  }
}

const isSpecial = (value: unknown): boolean =>
  value instanceof GoInt || value instanceof Reference || value instanceof Missing

/** Tells objects of the data from lists, scalars and what only expressions know. */
export const isData = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && !isSpecial(value)

/** False, null, and what is empty; zero is not. */
export function isFalsy(value: unknown): boolean {
  if (value === false || value === null || value === undefined || value === '') return true
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.length === 0
  if (isSpecial(value)) return value instanceof Missing
  for (const key in value) if (Object.hasOwn(value, key)) return false
  return true
}

/** Equality of values; integers of Go equal only each other. */
export function isSame(left: unknown, right: unknown, run: Run, depth = 0): boolean {
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return left === right
  if (left === right) return !(left instanceof Reference)
  if (depth > DEEPEST_VALUE) throw overBudget(`cannot compare values nested deeper than ${DEEPEST_VALUE} levels`)
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false
    run.charge(left.length)
    return left.every((item, index) => isSame(item, right[index], run, depth + 1))
  }
  if (left instanceof GoInt) return right instanceof GoInt && left.value === right.value
  if (!isData(left) || !isData(right)) return false
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  run.charge(keys.length)
  return keys.every((key) => Object.hasOwn(right, key) && isSame(left[key], right[key], run, depth + 1))
}

/** A value as the JSON that Go writes: sorted keys, no spaces, `<`, `>` and `&` escaped. */
export function toJson(value: unknown, run: Run, depth = 0): string {
  if (typeof value === 'string') {
    run.chargeText(value.length)
    return jsonString(value)
  }
  if (typeof value === 'number') {
    const text = jsonNumber(value)
    if (text === undefined) throw wrongValue('JSON has no number that is infinite or undefined')
    return text
  }
  if (typeof value === 'boolean') return String(value)
  if (value instanceof GoInt) return String(value.value)
  if (value instanceof Reference) return '{}'
  if (depth > DEEPEST_VALUE) throw overBudget(`cannot print a value nested deeper than ${DEEPEST_VALUE} levels`)
  if (Array.isArray(value)) {
    run.charge(value.length)
    return `[${value.map((item) => toJson(item, run, depth + 1)).join(',')}]`
  }
  if (!isData(value)) return 'null'
  const keys = Object.keys(value).sort(compareStrings)
  run.charge(keys.length)
  return `{${keys.map((key) => `${jsonString(key)}:${toJson(value[key], run, depth + 1)}`).join(',')}}`
}

/** How an error calls the type of a value. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined || value instanceof Missing) return 'null'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Reference) return 'expression'
  if (value instanceof GoInt) return 'integer'
  return typeof value
}
