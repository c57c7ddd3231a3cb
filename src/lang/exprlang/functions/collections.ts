import { setOwn } from '../../../lib/json.ts'
import { compare } from '../order.ts'
import { ExprError, isList, isMap, isNil, isSame, textOf, typeName, type Value } from '../value.ts'
import { count, list, map, text, whole } from './arguments.ts'
import type { Builtin } from './functions.ts'

const DEEPEST = 200

const length: Builtin = (args) => {
  count('len', args, 1)
  const [value] = args
  if (typeof value === 'string') return Array.from(value).length
  if (isList(value)) return value.length
  if (isMap(value)) return Object.keys(value).length
  throw new ExprError(`invalid argument for len (type ${typeName(value)})`)
}

const sorted: Builtin = (args, run) => {
  count('sort', args, 1, 2)
  const items = list('sort', args[0])
  run.step(items.length)
  const isDescending = args[1] !== undefined && orderOf('sort', args[1])
  return items.toSorted((a, b) => (isDescending ? compare(b, a) : compare(a, b)))
}

/** Whether an order is descending. */
export function orderOf(name: string, value: Value): boolean {
  const order = text(name, value)
  if (order !== 'asc' && order !== 'desc') throw new ExprError(`invalid order ${order}, expected asc or desc`)
  return order === 'desc'
}

function flattened(items: readonly Value[], depth: number): readonly Value[] {
  if (depth > DEEPEST) throw new ExprError('recursion depth exceeded')
  return items.flatMap((item) => (isList(item) ? flattened(item, depth + 1) : [item]))
}

const unique: Builtin = (args, run) => {
  count('uniq', args, 1)
  const kept: Value[] = []
  const scalars = new Set<Value>()
  for (const item of list('uniq', args[0])) {
    const isScalar = typeof item !== 'object' || item === null
    run.step(isScalar ? 1 : kept.length + 1)
    if (isScalar ? scalars.has(item) : kept.some((each) => isSame(each, item))) continue
    scalars.add(item)
    kept.push(item)
  }
  return kept
}

const get: Builtin = (args) => {
  count('get', args, 2)
  const [container, key] = args
  if (isMap(container)) return typeof key === 'string' && Object.hasOwn(container, key) ? container[key] : null
  if (isList(container) && typeof key === 'number') return container.at(key) ?? null
  return null
}

const fromPairs: Builtin = (args) => {
  count('fromPairs', args, 1)
  const made: Record<string, Value> = {}
  for (const pair of list('fromPairs', args[0])) {
    const items = list('fromPairs', pair)
    if (items.length !== 2) throw new ExprError(`invalid pair ${textOf(pair)}`)
    setOwn(made, textOf(items[0]), items[1])
  }
  return made
}

const ends =
  (name: string, at: number): Builtin =>
  (args) => {
    count(name, args, 1)
    return isNil(args[0]) ? null : (list(name, args[0]).at(at) ?? null)
  }

/** Functions of lists and maps that take no predicate. */
export const collections: readonly (readonly [string, Builtin])[] = [
  ['len', length],
  ['first', ends('first', 0)],
  ['last', ends('last', -1)],
  ['get', get],
  [
    'take',
    (args) => {
      count('take', args, 2)
      const most = whole('take', args[1])
      if (most < 0) throw new ExprError(`cannot take ${most} elements`)
      return list('take', args[0]).slice(0, most)
    },
  ],
  [
    'keys',
    (args) => {
      count('keys', args, 1)
      return Object.keys(map('keys', args[0])).toSorted()
    },
  ],
  [
    'values',
    (args) => {
      count('values', args, 1)
      const given = map('values', args[0])
      return Object.keys(given)
        .toSorted()
        .map((key) => given[key])
    },
  ],
  [
    'toPairs',
    (args) => {
      count('toPairs', args, 1)
      return Object.entries(map('toPairs', args[0])).toSorted(([a], [b]) => (a < b ? -1 : 1))
    },
  ],
  ['fromPairs', fromPairs],
  ['sort', sorted],
  [
    'reverse',
    (args) => {
      count('reverse', args, 1)
      return list('reverse', args[0]).toReversed()
    },
  ],
  [
    'concat',
    (args, run) => {
      const lists = args.map((arg) => list('concat', arg))
      run.make(lists.reduce((sum, items) => sum + items.length, 0))
      return lists.flat()
    },
  ],
  [
    'flatten',
    (args) => {
      count('flatten', args, 1)
      return flattened(list('flatten', args[0]), 0)
    },
  ],
  ['uniq', unique],
  [
    'join',
    (args, run) => {
      count('join', args, 1, 2)
      const items = list('join', args[0]).map((item) => text('join', item))
      const glue = args[1] === undefined ? '' : text('join', args[1])
      run.make(items.reduce((sum, item) => sum + item.length + glue.length, 0))
      return items.join(glue)
    },
  ],
  [
    'type',
    (args) => {
      count('type', args, 1)
      return typeName(args[0])
    },
  ],
]
