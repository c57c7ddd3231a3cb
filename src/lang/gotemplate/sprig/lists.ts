import { compareStrings } from '../../../lib/go-string.ts'
import { sameType } from '../builtins.ts'
import { fn, type FunctionTable } from '../function.ts'
import { valueText } from '../print.ts'
import {
  Failure,
  failWith,
  type GoFunction,
  GoInt,
  GoNamed,
  isList,
  itemOf,
  itemsOf,
  LIST,
  nilList,
  stringList,
  typeOf,
  withType,
} from '../value.ts'
import { kindName, NIL_DEREFERENCE, toCount, toText } from './cast.ts'
import { isEmpty } from './defaults.ts'
import { deepEqual } from './equal.ts'

/** The items of a slice, or what Go says when it is none. */
function itemsFor(list: unknown, refusal: string): readonly unknown[] | Failure {
  if (isList(list)) return itemsOf(list)
  return failWith(list === null || list === undefined ? NIL_DEREFERENCE : `${refusal}${kindName(list)}`)
}

type ListCall = (items: readonly unknown[]) => unknown

/** A function of one list. */
const onList = (refusal: string, call: ListCall): GoFunction =>
  fn(['any'], 'any', (list) => {
    const items = itemsFor(list, refusal)
    return items instanceof Failure ? items : call(items)
  })

function within(items: readonly unknown[], needle: unknown): boolean {
  return items.some((item) => deepEqual(needle, item))
}

/** The texts of a list without its nils, or one text. */
export function textsOf(value: unknown): readonly string[] {
  if (isList(value) && !(value instanceof Uint8Array)) {
    return value.filter((item) => item !== null && item !== undefined).map(toText)
  }
  if (value instanceof Uint8Array) return itemsOf(value).map(toText)
  return value === null || value === undefined ? [] : [toText(value)]
}

const CHUNKS = { name: '[][]interface {}', kind: 'slice', elem: LIST } as const

function chunk(size: number, list: unknown): unknown {
  const items = itemsFor(list, 'Cannot chunk type ')
  if (items instanceof Failure) return items
  if (size <= 0) {
    // A size that makes no sense still has an answer upstream where its sums happen to come out.
    const count = size === 0 ? Number.POSITIVE_INFINITY : Math.floor((items.length - 1) / size) + 1
    if (count === 0) return withType([], CHUNKS)
    if (count === 1 && items.length === 1) return withType([[...items]], CHUNKS)
    return failWith('runtime error: makeslice: len out of range')
  }
  const chunks: unknown[] = []
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size))
  return withType(chunks, CHUNKS)
}

/** What tells scalars apart; undefined for what must be compared part by part. */
function scalarKey(value: unknown): string | undefined {
  if (value === null || value === undefined) return 'nil'
  if (typeof value !== 'object') return `${typeof value} ${valueText(value)}`
  return value instanceof GoInt || value instanceof GoNamed ? `${value.type.name} ${value.value}` : undefined
}

function uniq(items: readonly unknown[]): unknown[] {
  const seen = new Set<string>()
  const others: unknown[] = []
  return items.filter((item) => {
    const key = scalarKey(item)
    if (key === undefined) {
      if (within(others, item)) return false
      others.push(item)
      return true
    }
    // A NaN equals nothing, itself neither.
    if (seen.has(key) && !Number.isNaN(item)) return false
    seen.add(key)
    return true
  })
}

function slice(list: unknown, indexes: readonly unknown[]): unknown {
  const items = itemsFor(list, 'list should be type of slice or array but ')
  if (items instanceof Failure) return items
  if (items.length === 0) return null
  const start = indexes.length > 0 ? toCount(indexes[0]) : 0
  const end = indexes.length > 1 ? toCount(indexes[1]) : items.length
  if (start < 0 || end < start || end > items.length) {
    return failWith('reflect.Value.Slice: slice index out of bounds')
  }
  if (list instanceof Uint8Array) return list.subarray(start, end)
  return sameType(items.slice(start, end), list)
}

function concat(lists: readonly unknown[]): unknown {
  const joined: unknown[] = []
  for (const list of lists) {
    if (list === null) return failWith(NIL_DEREFERENCE)
    if (!isList(list)) return failWith(`Cannot concat type ${kindName(list)} as list`)
    for (let index = 0; index < list.length; index++) joined.push(itemOf(list, index))
  }
  return joined.length === 0 ? nilList() : joined
}

function has(needle: unknown, list: unknown): unknown {
  if (list === null || list === undefined) return false
  const items = itemsFor(list, 'Cannot find has on type ')
  return items instanceof Failure ? items : within(items, needle)
}

const list = fn(['...any'], 'any', (...values) => values)
const push = fn(['any', 'any'], 'any', (target, value) => {
  const items = itemsFor(target, 'Cannot push on type ')
  return items instanceof Failure ? items : [...items, value]
})
const prepend = fn(['any', 'any'], 'any', (target, value) => {
  const items = itemsFor(target, 'Cannot prepend on type ')
  return items instanceof Failure ? items : [value, ...items]
})
const first = onList('Cannot find first on type ', (items) => items[0] ?? null)
const last = onList('Cannot find last on type ', (items) => items.at(-1) ?? null)
const rest = onList('Cannot find rest on type ', (items) => (items.length === 0 ? nilList() : items.slice(1)))
const initial = onList('Cannot find initial on type ', (items) => (items.length === 0 ? nilList() : items.slice(0, -1)))
const reverse = onList('Cannot find reverse on type ', (items) => items.toReversed())
const compact = onList('Cannot compact on type ', (items) => items.filter((item) => !isEmpty(item)))
const unique = onList('Cannot find uniq on type ', uniq)
const without = fn(['any', '...any'], 'any', (target, ...omitted) => {
  const items = itemsFor(target, 'Cannot find without on type ')
  return items instanceof Failure ? items : items.filter((item) => !within(omitted, item))
})
const has2 = fn(['any', 'any'], 'any', has)
const sliceOf = fn(['any', '...any'], 'any', (target, ...indexes) => slice(target, indexes))
const chunked = fn(['int', 'any'], 'any', chunk)

function sortAlpha(value: unknown): unknown {
  return stringList(isList(value) ? textsOf(value).toSorted(compareStrings) : [toText(value)])
}

/** Lists. The `must` forms fail in the same words; the others panic, which a template reports alike. */
export const lists: FunctionTable = {
  tuple: list,
  list,
  append: push,
  push,
  mustAppend: push,
  mustPush: push,
  prepend,
  mustPrepend: prepend,
  first,
  mustFirst: first,
  last,
  mustLast: last,
  rest,
  mustRest: rest,
  initial,
  mustInitial: initial,
  reverse,
  mustReverse: reverse,
  compact,
  mustCompact: compact,
  uniq: unique,
  mustUniq: unique,
  without,
  mustWithout: without,
  has: has2,
  mustHas: has2,
  slice: sliceOf,
  mustSlice: sliceOf,
  concat: fn(['...any'], 'any', (...values) => concat(values)),
  chunk: chunked,
  mustChunk: chunked,
  sortAlpha: fn(['any'], 'any', sortAlpha),
  toStrings: fn(['any'], 'any', (value) => (typeOf(value)?.name === '[]string' ? value : stringList(textsOf(value)))),
  join: fn(['string', 'any'], 'any', (separator, value) => textsOf(value).join(separator)),
}
