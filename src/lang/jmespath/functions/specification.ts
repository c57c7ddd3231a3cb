import { compareStrings } from '../../../lib/go-string.ts'
import { setOwn } from '../../../lib/json.ts'
import { wrongValue } from '../error.ts'
import type { ArgumentType, JmesPathFunction } from '../function.ts'
import type { Run } from '../run.ts'
import { type Closure, GoInt, isData, isSame, Missing, type Reference, settled, toJson } from '../value.ts'
import { listAt, numberAt, objectAt, textAt } from './argument.ts'

type Call = JmesPathFunction['call']
type Param = ArgumentType | readonly ArgumentType[]

/** Declares a function by the types of its arguments. */
export function fn(params: readonly Param[], call: Call): JmesPathFunction {
  return { params: params.map((types) => (typeof types === 'string' ? [types] : types)), call }
}

const SORTABLE: readonly ArgumentType[] = ['array[number]', 'array[string]']

// The check of callFunction has passed.
const closureAt = (args: readonly unknown[], at: number): Closure => (args[at] as Reference).apply

type Sortable = number | string

/** The order of two numbers or two texts; texts by their bytes. */
function order(a: Sortable, b: Sortable): number {
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

const isSortable = (value: unknown): value is Sortable => typeof value === 'number' || typeof value === 'string'

/** The key of each item; all must be numbers or all texts. */
function keysOf(name: string, list: readonly unknown[], apply: Closure, run: Run): readonly Sortable[] {
  const keys = list.map((item) => settled(apply(item, run)))
  run.charge(list.length)
  const [first] = keys
  if (!isSortable(first)) throw wrongValue(`${name}(): the expression must give numbers or strings`)
  for (const key of keys) {
    if (typeof key !== typeof first) throw wrongValue(`${name}(): the expression must give ${typeof first}s only`)
  }
  return keys as readonly Sortable[] // each was just compared
}

function sortBy(args: readonly unknown[], run: Run): unknown {
  const list = listAt(args, 0)
  if (list.length < 2) return list
  const keys = keysOf('sort_by', list, closureAt(args, 1), run)
  chargeSort(list.length, run)
  const places = list.map((_, at) => at).sort((a, b) => order(keys[a] ?? 0, keys[b] ?? 0))
  return places.map((at) => list[at])
}

const chargeSort = (length: number, run: Run): void => run.charge(length * Math.log2(length + 1))

const bestBy =
  (name: string, sign: number): Call =>
  (args, run) => {
    const list = listAt(args, 0)
    if (list.length < 2) return list[0] ?? null
    const keys = keysOf(name, list, closureAt(args, 1), run)
    let best = 0
    for (let at = 1; at < list.length; at++) {
      if (sign * order(keys[at] ?? 0, keys[best] ?? 0) > 0) best = at
    }
    return list[best]
  }

const best =
  (sign: number): Call =>
  (args) => {
    const list = listAt(args, 0) as readonly Sortable[] // checked as a list of numbers or of texts
    let found = list[0]
    for (const item of list) if (found !== undefined && sign * order(item, found) > 0) found = item
    return found ?? null
  }

function sort(args: readonly unknown[], run: Run): unknown {
  const list = listAt(args, 0) as readonly Sortable[] // checked as a list of numbers or of texts
  chargeSort(list.length, run)
  return list.toSorted(order)
}

function total(list: readonly unknown[]): number {
  let sum = 0
  for (const item of list) sum += typeof item === 'number' ? item : 0
  return sum
}

function contains(args: readonly unknown[], run: Run): boolean {
  const [within, wanted] = args
  if (typeof within === 'string') {
    run.charge(within.length / 16)
    return typeof wanted === 'string' && within.includes(wanted)
  }
  const list = listAt(args, 0)
  run.charge(list.length)
  return list.some((item) => isSame(item, wanted, run))
}

function join(args: readonly unknown[], run: Run): string {
  const glue = textAt(args, 0)
  const parts = listAt(args, 1) as readonly string[] // checked as a list of texts
  let length = 0
  for (const part of parts) length += part.length + glue.length
  run.chargeText(length)
  return parts.join(glue)
}

function length(value: unknown): number {
  if (typeof value === 'string') {
    let count = 0
    for (const _ of value) count++
    return count
  }
  return Array.isArray(value) ? value.length : Object.keys(value ?? {}).length
}

function reverse(args: readonly unknown[], run: Run): unknown {
  const [value] = args
  if (typeof value !== 'string') return listAt(args, 0).toReversed()
  run.chargeText(value.length)
  return Array.from(value).reverse().join('')
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

function toNumber(value: unknown): number | null {
  if (typeof value === 'number') return value
  if (value instanceof GoInt) throw wrongValue('to_number(): an integer of compare() cannot be converted')
  if (typeof value !== 'string' || !NUMBER.test(value)) return null
  const number = Number(value)
  return Number.isFinite(number) ? number : null
}

function type(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (isData(value)) return 'object'
  if (typeof value === 'object') throw wrongValue('type(): the value has no type of JSON')
  return typeof value
}

function merge(args: readonly unknown[], run: Run): unknown {
  const merged: Record<string, unknown> = {}
  for (const [at] of args.entries()) {
    const entries = Object.entries(objectAt(args, at))
    run.charge(entries.length)
    for (const [key, value] of entries) setOwn(merged, key, value)
  }
  return merged
}

const values = (object: Readonly<Record<string, unknown>>, run: Run): readonly unknown[] => {
  const found = Object.values(object)
  run.charge(found.length)
  return found
}

/** The functions of the language itself, as go-jmespath reads it. */
export const specificationFunctions: ReadonlyMap<string, JmesPathFunction> = new Map([
  ['abs', fn(['number'], (args) => Math.abs(numberAt(args, 0)))],
  [
    'avg',
    fn(['array[number]'], (args) => {
      const list = listAt(args, 0)
      return list.length === 0 ? null : total(list) / list.length
    }),
  ],
  ['ceil', fn(['number'], (args) => Math.ceil(numberAt(args, 0)))],
  ['contains', fn([['array', 'string'], 'any'], contains)],
  ['ends_with', fn(['string', 'string'], (args) => textAt(args, 0).endsWith(textAt(args, 1)))],
  ['floor', fn(['number'], (args) => Math.floor(numberAt(args, 0)))],
  ['join', fn(['string', 'array[string]'], join)],
  [
    'keys',
    fn(['object'], (args, run) => {
      const keys = Object.keys(objectAt(args, 0))
      run.charge(keys.length)
      return keys
    }),
  ],
  ['length', fn([['string', 'array', 'object']], (args) => length(args[0]))],
  [
    'map',
    fn(['expression', 'array'], (args, run) => {
      const list = listAt(args, 1)
      const apply = closureAt(args, 0)
      run.charge(list.length)
      return list.map((item) => settled(apply(item, run)) ?? null)
    }),
  ],
  ['max', fn([SORTABLE], best(1))],
  ['max_by', fn(['array', 'expression'], bestBy('max_by', 1))],
  ['merge', { ...fn(['object'], merge), isVariadic: true }],
  ['min', fn([SORTABLE], best(-1))],
  ['min_by', fn(['array', 'expression'], bestBy('min_by', -1))],
  [
    'not_null',
    {
      ...fn(['any'], (args) => args.find((arg) => arg !== null && !(arg instanceof Missing)) ?? null),
      isVariadic: true,
    },
  ],
  ['reverse', fn([['array', 'string']], reverse)],
  ['sort', fn([SORTABLE], sort)],
  ['sort_by', fn(['array', 'expression'], sortBy)],
  ['starts_with', fn(['string', 'string'], (args) => textAt(args, 0).startsWith(textAt(args, 1)))],
  ['sum', fn(['array[number]'], (args) => total(listAt(args, 0)))],
  ['to_array', fn(['any'], (args) => (Array.isArray(args[0]) ? args[0] : [args[0]]))],
  ['to_number', fn(['any'], (args) => toNumber(args[0]))],
  ['to_string', fn(['any'], (args, run) => (typeof args[0] === 'string' ? args[0] : toJson(args[0], run)))],
  ['type', fn(['any'], (args) => type(args[0]))],
  ['values', fn(['object'], (args, run) => values(objectAt(args, 0), run))],
])
