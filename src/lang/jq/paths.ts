import { type Json, type JsonArray, own, setOwn } from '../../lib/json.ts'
import { JqError } from './error.ts'
import { compare, isArray, isRecord, shownValue, typeOf } from './value.ts'

/** A way into a value: keys, indexes, and slices `{start, end}`. */
export type Path = readonly Json[]

/** Stands for the path of a value that lies nowhere in the input of a path expression. */
export const nowhere: Path = Object.freeze(['nowhere'])

const LARGEST_INDEX = 1_000_000

interface Bounds {
  readonly start: number
  readonly end: number
}

/** The bounds that a slice has in something of this length. */
export function boundsOf(from: Json, to: Json, length: number): Bounds {
  const isBound = (value: Json): boolean => value === null || typeof value === 'number'
  if (!isBound(from) || !isBound(to)) throw new JqError('Start and end indices of an array slice must be numbers')
  const clamp = (at: number): number => Math.min(Math.max(at < 0 ? at + length : at, 0), length)
  const start = typeof from === 'number' ? clamp(Math.floor(from)) : 0
  const end = typeof to === 'number' ? clamp(Math.ceil(to)) : length
  return { start, end: Math.max(start, end) }
}

/** A part of an array or a text, in code points; null stays null. */
export function sliced(value: Json, from: Json, to: Json): Json {
  if (value === null) return null
  if (typeof value === 'string') {
    const points = Array.from(value)
    const { start, end } = boundsOf(from, to, points.length)
    return points.slice(start, end).join('')
  }
  if (!isArray(value)) throw new JqError(`Cannot index ${typeOf(value)} with object`)
  const { start, end } = boundsOf(from, to, value.length)
  return value.slice(start, end)
}

/** What is at a key of a value: null where nothing is. */
export function indexed(value: Json, key: Json): Json {
  if (value === null && (key === null || typeof key === 'string' || typeof key === 'number')) return null
  if (typeof key === 'string' && isRecord(value)) return own(value, key) ?? null
  if (typeof key === 'number' && isArray(value)) {
    const at = Math.floor(key)
    return value[at < 0 ? at + value.length : at] ?? null
  }
  if (isRecord(key)) return sliced(value, own(key, 'start') ?? null, own(key, 'end') ?? null)
  if (isArray(key) && isArray(value)) return indexesOf(value, key)
  const shown = typeof key === 'string' ? ` ${JSON.stringify(key)}` : ` ${typeOf(key)}`
  throw new JqError(`Cannot index ${typeOf(value)} with${shown}`)
}

/** Where one array begins inside another. */
export function indexesOf(value: JsonArray, wanted: JsonArray): JsonArray {
  if (wanted.length === 0) return []
  const found: number[] = []
  for (let at = 0; at + wanted.length <= value.length; at++) {
    if (wanted.every((item, offset) => compare(value[at + offset] ?? null, item) === 0)) found.push(at)
  }
  return found
}

export function getPath(value: Json, path: Path): Json {
  let at = value
  for (const key of path) {
    if (at === null) return null
    at = indexed(at, key)
  }
  return at
}

/** The value with something else at a path; what is not there yet is made. */
export function setPath(value: Json, path: Path, change: (old: Json) => Json, depth = 0): Json {
  if (depth === path.length) return change(value)
  const key = path[depth] ?? null
  const below = (old: Json): Json => setPath(old, path, change, depth + 1)
  if (typeof key === 'string') {
    if (value !== null && !isRecord(value)) throw new JqError(`Cannot index ${typeOf(value)} with "${key}"`)
    const copy: Record<string, Json> = { ...value }
    setOwn(copy, key, below(value === null ? null : (own(value, key) ?? null)))
    return copy
  }
  if (value !== null && !isArray(value)) throw new JqError(`Cannot index ${typeOf(value)} with ${typeOf(key)}`)
  const items = value ?? []
  if (typeof key === 'number') return withItem(items, key, below)
  if (!isRecord(key)) throw new JqError(`Invalid path component ${shownValue(key)}`)
  const { start, end } = boundsOf(own(key, 'start') ?? null, own(key, 'end') ?? null, items.length)
  const part = below(value === null ? null : items.slice(start, end))
  if (!isArray(part)) throw new JqError('A slice of an array can only be assigned another array')
  return [...items.slice(0, start), ...part, ...items.slice(end)]
}

function withItem(items: JsonArray, key: number, below: (old: Json) => Json): Json {
  const floor = Math.floor(key)
  const at = floor < 0 ? floor + items.length : floor
  if (at < 0) throw new JqError('Out of bounds negative array index')
  if (at > LARGEST_INDEX) throw new JqError('Array index too large')
  const copy = items.slice()
  while (copy.length < at) copy.push(null)
  copy[at] = below(items[at] ?? null)
  return copy
}

/** The value without what is at some paths; the last are removed first, so that indexes stay right. */
export function deletePaths(value: Json, paths: readonly Path[]): Json {
  let left = value
  for (const path of paths.toSorted((a, b) => compare(b, a))) left = withoutPath(left, path, 0)
  return left
}

function withoutPath(value: Json, path: Path, depth: number): Json {
  if (depth === path.length || value === null) return null
  const key = path[depth] ?? null
  const isLast = depth + 1 === path.length
  const below = (old: Json): Json => withoutPath(old, path, depth + 1)
  if (typeof key === 'string') return withoutKey(value, key, isLast ? undefined : below)
  if (!isArray(value)) throw new JqError(`Cannot delete ${typeOf(key)} index of ${typeOf(value)}`)
  if (typeof key === 'number') {
    const at = key < 0 ? Math.floor(key) + value.length : Math.floor(key)
    if (at < 0 || at >= value.length) return value
    return isLast ? value.toSpliced(at, 1) : value.with(at, below(value[at] ?? null))
  }
  if (!isRecord(key)) throw new JqError(`Invalid path component ${shownValue(key)}`)
  const { start, end } = boundsOf(own(key, 'start') ?? null, own(key, 'end') ?? null, value.length)
  const part = isLast ? [] : below(value.slice(start, end))
  if (!isArray(part)) throw new JqError('A slice of an array can only be assigned another array')
  return [...value.slice(0, start), ...part, ...value.slice(end)]
}

function withoutKey(value: Json, key: string, below: ((old: Json) => Json) | undefined): Json {
  if (!isRecord(value)) throw new JqError(`Cannot delete field of ${typeOf(value)}`)
  if (!Object.hasOwn(value, key)) return value
  const copy: Record<string, Json> = { ...value }
  if (below) setOwn(copy, key, below(value[key] ?? null))
  else delete copy[key]
  return copy
}
