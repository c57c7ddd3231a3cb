import { setOwn } from '../../lib/json.ts'
import { orderOf } from './functions/collections.ts'
import { compare } from './order.ts'
import type { Run } from './run.ts'
import { ExprError, isList, isMap, isNil, textOf, typeName, type Value } from './value.ts'

/** What a predicate sees: `#`, `#index`, `#acc`. */
export interface Scope {
  readonly item: Value
  readonly index: number
  readonly acc?: Value
}

/** A predicate as it is called, once an item. */
export type Predicate = (scope: Scope) => Value

/** What a function with a predicate is given. */
export interface PredicateCall {
  readonly name: string
  readonly items: readonly Value[]
  readonly predicate: Predicate | undefined
  /** The arguments behind the predicate. */
  readonly rest: readonly Value[]
  readonly run: Run
}

type PredicateFunction = (call: PredicateCall) => Value

const isTrue = (name: string, value: Value): boolean => {
  if (typeof value !== 'boolean')
    throw new ExprError(`predicate of ${name} should return boolean (got ${typeName(value)})`)
  return value
}

const needed = ({ name, predicate }: PredicateCall): Predicate => {
  if (!predicate) throw new ExprError(`not enough arguments to call ${name}`)
  return predicate
}

const test = (call: PredicateCall): ((item: Value, index: number) => boolean) => {
  const predicate = needed(call)
  return (item, index) => isTrue(call.name, predicate({ item, index }))
}

const numberFrom = (name: string, value: Value): number => {
  if (typeof value !== 'number') throw new ExprError(`${name} takes numbers (got ${typeName(value)})`)
  return value
}

function groupBy(call: PredicateCall): Value {
  const predicate = needed(call)
  const groups: Record<string, Value[]> = {}
  for (const [index, item] of call.items.entries()) {
    const key = textOf(predicate({ item, index }))
    if (Object.hasOwn(groups, key)) groups[key]?.push(item)
    else setOwn(groups, key, [item])
  }
  return groups
}

function reduce(call: PredicateCall): Value {
  const predicate = needed(call)
  const hasStart = call.rest.length > 0
  if (!hasStart && call.items.length === 0) throw new ExprError('reduce of empty array with no initial value')
  let acc: Value = hasStart ? call.rest[0] : call.items[0]
  for (const [index, item] of call.items.entries()) {
    if (!hasStart && index === 0) continue
    acc = predicate({ item, index, acc })
  }
  return acc
}

function sortBy(call: PredicateCall): Value {
  const predicate = needed(call)
  const isDescending = call.rest[0] !== undefined && orderOf('sortBy', call.rest[0])
  return call.items
    .map((item, index) => ({ item, by: predicate({ item, index }) }))
    .toSorted((a, b) => (isDescending ? compare(b.by, a.by) : compare(a.by, b.by)))
    .map(({ item }) => item)
}

const predicateFunctions: ReadonlyMap<string, PredicateFunction> = new Map<string, PredicateFunction>([
  ['all', (call) => call.items.every(test(call))],
  ['any', (call) => call.items.some(test(call))],
  ['none', (call) => !call.items.some(test(call))],
  ['one', (call) => call.items.filter(test(call)).length === 1],
  ['filter', (call) => call.items.filter(test(call))],
  [
    'map',
    (call) => {
      const predicate = needed(call)
      call.run.make(call.items.length)
      return call.items.map((item, index) => predicate({ item, index }))
    },
  ],
  ['find', (call) => call.items.find(test(call)) ?? null],
  ['findIndex', (call) => call.items.findIndex(test(call))],
  ['findLast', (call) => call.items.findLast(test(call)) ?? null],
  ['findLastIndex', (call) => call.items.findLastIndex(test(call))],
  [
    'count',
    (call) =>
      call.predicate ? call.items.filter(test(call)).length : call.items.filter((item) => isTrue('count', item)).length,
  ],
  [
    'sum',
    (call) => {
      const { predicate } = call
      return call.items.reduce<number>(
        (sum, item, index) => sum + numberFrom('sum', predicate ? predicate({ item, index }) : item),
        0,
      )
    },
  ],
  ['groupBy', groupBy],
  ['sortBy', sortBy],
  ['reduce', reduce],
])

/** Which argument of a function is a predicate; undefined where none is. */
export const predicateArity = (name: string): number | undefined => (predicateFunctions.has(name) ? 1 : undefined)

/** Calls a function with a predicate on a list, or on the pairs of a map. */
export function callWithPredicate(call: Omit<PredicateCall, 'items'> & { readonly over: Value }): Value {
  const { name, over, run } = call
  const found = predicateFunctions.get(name)
  if (!found) throw new ExprError(`unknown function ${name}`)
  if (isNil(over)) throw new ExprError(`builtin ${name} takes only array (got nil)`)
  const items = isList(over) ? over : isMap(over) ? Object.values(over) : undefined
  if (!items) throw new ExprError(`builtin ${name} takes only array (got ${typeName(over)})`)
  run.step(items.length + 1)
  return found({ ...call, items })
}
