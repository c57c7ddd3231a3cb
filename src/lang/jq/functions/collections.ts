import { type Json, type JsonArray, own, setOwn } from '../../../lib/json.ts'
import { calculate } from '../arithmetic.ts'
import { JqError } from '../error.ts'
import { plainText } from '../format.ts'
import { indexed, indexesOf, setPath } from '../paths.ts'
import type { Run } from '../run.ts'
import { compare, isArray, isRecord, isTruthy, shownValue, sortedKeys, typeOf } from '../value.ts'
import type { ValueFunction } from './functions.ts'

const wrong = (value: Json, what: string): JqError => new JqError(`${typeOf(value)} (${shownValue(value)}) ${what}`)

function itemsOf(value: Json, what: string): JsonArray {
  if (!isArray(value)) throw wrong(value, what)
  return value
}

function length(value: Json): Json {
  if (value === null) return 0
  if (typeof value === 'number') return Math.abs(value)
  if (typeof value === 'string') return Array.from(value).length
  if (isArray(value)) return value.length
  if (isRecord(value)) return Object.keys(value).length
  throw wrong(value, 'has no length')
}

function keys(value: Json): Json {
  if (isArray(value)) return value.map((_, at) => at)
  if (isRecord(value)) return sortedKeys(value)
  throw wrong(value, 'has no keys')
}

function has(value: Json, key: Json): boolean {
  if (isRecord(value) && typeof key === 'string') return Object.hasOwn(value, key)
  if (isArray(value) && typeof key === 'number') return key >= 0 && key < value.length
  throw new JqError(`Cannot check whether ${typeOf(value)} has a ${typeOf(key)} key`)
}

function contains(value: Json, part: Json, run: Run): boolean {
  run.step()
  if (isRecord(value) && isRecord(part)) {
    return Object.entries(part).every(([key, below]) => {
      const mine = own(value, key)
      return mine !== undefined && contains(mine, below, run)
    })
  }
  if (isArray(value) && isArray(part)) return part.every((wanted) => value.some((item) => contains(item, wanted, run)))
  if (typeof value === 'string' && typeof part === 'string') return value.includes(part)
  if (typeOf(value) === typeOf(part)) return compare(value, part) === 0
  throw new JqError(
    `${typeOf(value)} (${shownValue(value)}) and ${typeOf(part)} (${shownValue(part)}) cannot have their containment checked`,
  )
}

function flatten(items: JsonArray, depth: number, into: Json[], run: Run): Json[] {
  run.enter()
  for (const item of items) {
    run.step()
    if (isArray(item) && depth > 0) flatten(item, depth - 1, into, run)
    else into.push(item)
  }
  run.leave()
  return into
}

function add(value: Json, run: Run): Json {
  const items = isRecord(value) ? sortedKeys(value).map((key) => value[key] ?? null) : itemsOf(value, 'cannot be added')
  if (items.length > 0 && items.every((item) => typeof item === 'string')) {
    run.make(items.reduce((sum: number, item) => sum + item.length, 0))
    return items.join('')
  }
  if (items.length > 0 && items.every(isArray)) {
    run.make(items.reduce((sum: number, item) => sum + item.length, 0))
    return items.flat(1)
  }
  return items.reduce<Json>((sum, item) => calculate('+', sum, item, run), null)
}

function fromEntries(value: Json): Json {
  const made: Record<string, Json> = {}
  for (const entry of itemsOf(value, 'cannot be made an object of')) {
    const named = ['key', 'k', 'name', 'Name', 'Key', 'K']
      .map((name) => indexed(entry, name))
      .find((key) => key !== null && key !== false)
    const key = named ?? (isRecord(entry) && own(entry, 'key') === false ? false : null)
    if (isArray(key) || isRecord(key)) throw new JqError(`Cannot use ${typeOf(key)} (${shownValue(key)}) as object key`)
    const names = ['value', 'v', 'Value', 'V']
    const name = names.find((one) => isRecord(entry) && own(entry, one) !== undefined && own(entry, one) !== null)
    setOwn(made, key === null ? 'null' : plainText(key), name === undefined ? null : indexed(entry, name))
  }
  return made
}

function transpose(value: Json): Json {
  const rows = itemsOf(value, 'cannot be transposed').map((row) => itemsOf(row, 'cannot be transposed'))
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0)
  return Array.from({ length: width }, (_, at) => rows.map((row) => row[at] ?? null))
}

function bsearch(value: Json, wanted: Json): number {
  const items = itemsOf(value, 'cannot be searched from')
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const order = compare(items[middle] ?? null, wanted)
    if (order === 0) return middle
    if (order < 0) low = middle + 1
    else high = middle
  }
  return -1 - low
}

function keyed(value: Json, by: Json): JsonArray {
  const keysOf = itemsOf(by, 'cannot be sorted, as it is not an array')
  return itemsOf(value, 'cannot be sorted, as it is not an array')
    .map((item, at): JsonArray => [keysOf[at] ?? null, item])
    .sort((a, b) => compare(a[0] ?? null, b[0] ?? null))
}

function grouped(value: Json): JsonArray {
  const groups: Json[][] = []
  let last: Json | undefined
  for (const pair of itemsOf(value, 'cannot be grouped')) {
    const key = indexed(pair, 0)
    if (last === undefined || compare(last, key) !== 0) groups.push([])
    last = key
    groups.at(-1)?.push(indexed(pair, 1))
  }
  return groups
}

function extreme(value: Json, by: Json, isBetter: (order: number) => boolean): Json {
  const items = itemsOf(value, 'cannot be iterated over')
  const marks = itemsOf(by, 'cannot be iterated over')
  let best: number | undefined
  for (let at = 0; at < items.length; at++) {
    if (best === undefined || isBetter(compare(marks[at] ?? null, marks[best] ?? null))) best = at
  }
  return best === undefined ? null : (items[best] ?? null)
}

function indices(value: Json, wanted: Json): Json {
  if (value === null) return null
  if (typeof value === 'string' && typeof wanted === 'string') {
    if (wanted === '') return null
    const found: number[] = []
    for (let at = value.indexOf(wanted); at >= 0; at = value.indexOf(wanted, at + 1))
      found.push(Array.from(value.slice(0, at)).length)
    return found
  }
  if (isArray(value)) return indexesOf(value, isArray(wanted) ? wanted : [wanted])
  throw new JqError(`Cannot determine indices of ${typeOf(wanted)} in ${typeOf(value)}`)
}

const one =
  (act: (value: Json, run: Run) => Json): ValueFunction =>
  (input, _, run) =>
    act(input, run)
const two =
  (act: (value: Json, arg: Json, run: Run) => Json): ValueFunction =>
  (input, [arg = null], run) =>
    act(input, arg, run)

function reversed(value: Json): Json {
  if (value === null) return []
  if (typeof value === 'string') return Array.from(value).reverse().join('')
  return itemsOf(value, 'cannot be reversed').toReversed()
}

/** Functions over arrays and objects. */
export const collectionFunctions: readonly (readonly [string, ValueFunction])[] = [
  ['length/0', one(length)],
  ['keys/0', one(keys)],
  ['keys_unsorted/0', one(keys)],
  ['has/1', two(has)],
  ['contains/1', two(contains)],
  ['flatten/0', one((value, run) => flatten(itemsOf(value, 'cannot be flattened'), Infinity, [], run))],
  [
    'flatten/1',
    two((value, depth, run) => {
      if (typeof depth !== 'number' || depth < 0) throw new JqError('flatten depth must not be negative')
      return flatten(itemsOf(value, 'cannot be flattened'), depth, [], run)
    }),
  ],
  ['add/0', one((value, run) => (value === null ? null : add(value, run)))],
  ['from_entries/0', one(fromEntries)],
  ['transpose/0', one(transpose)],
  ['bsearch/1', two(bsearch)],
  ['keyed_/1', two(keyed)],
  ['grouped_/0', one(grouped)],
  ['least_/1', two((value, by) => extreme(value, by, (order) => order < 0))],
  ['most_/1', two((value, by) => extreme(value, by, (order) => order >= 0))],
  ['indices/1', two(indices)],
  ['reverse/0', one(reversed)],
  ['toarray/0', one((value) => (isArray(value) ? value : [value]))],
  ['not/0', one((value) => !isTruthy(value))],
  ['type/0', one(typeOf)],
  ['setpath/2', (input, [path = null, value = null]) => setPath(input, itemsOf(path, 'is not a path'), () => value)],
  ['input_filename/0', () => null],
  ['input_line_number/0', () => 0],
]
