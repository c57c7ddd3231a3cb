import { isObject } from '../../lib/json.ts'
import { duplicate, invalid } from './field-error.ts'
import type { Schema } from './schema.ts'
import { report, type Validator } from './validation.ts'

/** A text that two equal JSON values share, whatever the order of their keys. */
function identity(value: unknown): string {
  if (typeof value === 'string') return `"${value}`
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  return JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner,
  )
}

/** Reports the second appearance of every value that appears again. */
function reportRepeats(count: number, keyAt: (at: number) => unknown, walk: Parameters<Validator>[1]): void {
  const seen = new Map<string, number>()
  for (let at = 0; at < count; at++) {
    const key = keyAt(at)
    const text = identity(key)
    const times = seen.get(text) ?? 0
    seen.set(text, times + 1)
    if (times !== 1) continue
    walk.trail.push(at)
    report(walk, (place) => duplicate(place, key))
    walk.trail.pop()
  }
}

/** Up to this length pairs are compared one by one, which needs no memory. */
const SHORT = 24

const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null

/** Tells whether a short list of scalars, or of objects with scalar keys, has no repetition; undefined when it cannot tell so simply. */
function isPlainlyUnique(value: readonly unknown[], keys: readonly string[] | undefined): boolean | undefined {
  if (value.length > SHORT) return undefined
  for (let at = 0; at < value.length; at++) {
    const item = value[at]
    if (keys ? !isObject(item) || !keys.every((key) => isScalar(item[key])) : !isScalar(item)) return undefined
    for (let before = 0; before < at; before++) if (isTwin(value[before], item, keys)) return false
  }
  return true
}

function isTwin(a: unknown, b: unknown, keys: readonly string[] | undefined): boolean {
  if (!keys) return a === b
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>]
  for (const key of keys) if (left[key] !== right[key]) return false
  return true
}

/** The check that the items of a set, or the keys of a list that is a map, are unique. */
export function listCheck({ listType, listMapKeys = [] }: Schema): Validator<readonly unknown[]> | undefined {
  if (listType === 'set') {
    return (value, walk) => {
      if (isPlainlyUnique(value, undefined) !== true) reportRepeats(value.length, (at) => value[at], walk)
    }
  }
  if (listType !== 'map') return undefined
  const keyOf = (item: unknown): unknown => {
    if (!isObject(item)) return {}
    return Object.fromEntries(listMapKeys.filter((key) => Object.hasOwn(item, key)).map((key) => [key, item[key]]))
  }
  return (value, walk) => {
    const odd = value.findIndex((item) => item !== null && !isObject(item))
    if (odd >= 0) {
      walk.trail.push(odd)
      report(walk, (at) => invalid(at, value[odd], 'must be an object for an array of list-type map'))
      walk.trail.pop()
    } else if (value.length > 1 && isPlainlyUnique(value, listMapKeys) !== true) {
      reportRepeats(value.length, (at) => keyOf(value[at]), walk)
    }
  }
}
