import { EvaluationError } from '../error.ts'
import { sortByMacros } from '../syntax/standard-macros.ts'
import { compare } from '../value/compare.ts'
import { isEqual } from '../value/equal.ts'
import type { Int } from '../value/integer.ts'
import { isList, listItems, listSize, type ListValue } from '../value/list.ts'
import { kindOf } from '../value/kind.ts'
import { type CostRule, type Library, overload, type Overload } from './library.ts'
import { indexArgument } from '../value/text.ts'

const MAX_RANGE = 10_000_000

/** One unit for every item. */
export const perItem: CostRule = (list) => Math.max(listItems(list as ListValue).length, 1)

const sortCost: CostRule = (list) => {
  const size = listItems(list as ListValue).length
  return Math.max(Math.ceil(size * Math.log2(size + 1)), 1)
}

function slice(list: ListValue, from: Int, to: Int): readonly unknown[] {
  const [start, end] = [indexArgument(from), indexArgument(to)]
  if (start < 0 || end < 0) throw new EvaluationError(`cannot slice(${start}, ${end}), negative indexes not supported`)
  if (start > end)
    throw new EvaluationError(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`)
  if (end > listSize(list))
    throw new EvaluationError(`cannot slice(${start}, ${end}), list is length ${listSize(list)}`)
  return listItems(list).slice(start, end)
}

function flatten(list: ListValue, depth: Int = 1): readonly unknown[] {
  const levels = indexArgument(depth, 'level')
  if (levels < 0) throw new EvaluationError('level must be non-negative')
  let items = listItems(list)
  for (let level = 0; level < levels && items.some(isList); level++) {
    items = items.flatMap((item) => (isList(item) ? listItems(item) : [item]))
  }
  return items
}

/** The first of each group of equal items. Strings and numbers are looked up; others are compared one by one. */
function distinct(list: ListValue): readonly unknown[] {
  const simple = new Set<unknown>()
  const others: unknown[] = []
  return listItems(list).filter((item) => {
    if (typeof item === 'string' || typeof item === 'boolean' || item === null) {
      if (simple.has(item)) return false
      simple.add(item)
      return true
    }
    if (others.some((other) => isEqual(other, item))) return false
    others.push(item)
    return true
  })
}

const distinctCost: CostRule = (list) => {
  const items = listItems(list as ListValue)
  const others = items.reduce<number>((count, item) => count + (typeof item === 'string' ? 0 : 1), 0)
  return items.length + (others * others) / 2
}

function range(count: Int): readonly number[] {
  const size = indexArgument(count)
  if (size < 0) return []
  if (size > MAX_RANGE) throw new EvaluationError(`lists.range(${size}) is too long; the limit is ${MAX_RANGE}`)
  return Array.from({ length: size }, (_, index) => index)
}

const rangeCost: CostRule = (count) => (typeof count === 'number' ? Math.max(count, 1) : 1)

function sortedBy(items: readonly unknown[], keys: readonly unknown[]): readonly unknown[] {
  const kind = kindOf(keys[0])
  for (const key of keys) {
    if (kindOf(key) !== kind) throw new EvaluationError('list elements must have the same type')
  }
  if (keys.length === 1) compare(keys[0], keys[0], 'sort')
  return items
    .map((item, index) => [item, keys[index]] as const)
    .toSorted(([, a], [, b]) => compare(a, b, 'sort'))
    .map(([item]) => item)
}

const SORTABLE = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes']

const sorts: readonly Overload[] = SORTABLE.flatMap((type) => [
  overload(
    `list_${type}_sort`,
    `list<${type}> -> sort(): list<${type}>`,
    (list: ListValue) => sortedBy(listItems(list), listItems(list)),
    sortCost,
  ),
  overload(
    `list_${type}_sortByAssociatedKeys`,
    `list<T> -> @sortByAssociatedKeys(list<${type}>): list<T>`,
    (list: ListValue, keys: ListValue) => sortedBy(listItems(list), listItems(keys)),
    sortCost,
  ),
])

/** Lists: cutting, flattening, ordering. */
export const listsLibrary: Library = {
  name: 'lists',
  macros: sortByMacros,
  overloads: [
    overload('list_slice', 'list<T> -> slice(int, int): list<T>', slice, perItem),
    overload('list_flatten', 'list<list<T>> -> flatten(): list<T>', flatten, perItem),
    overload('list_flatten_int', 'list<dyn> -> flatten(int): list<dyn>', flatten, perItem),
    overload('list_distinct', 'list<T> -> distinct(): list<T>', distinct, distinctCost),
    overload('lists_range', 'lists.range(int): list<int>', range, rangeCost),
    overload(
      'list_reverse',
      'list<T> -> reverse(): list<T>',
      (list: ListValue) => listItems(list).toReversed(),
      perItem,
    ),
    ...sorts,
  ],
}
