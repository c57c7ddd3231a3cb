import { Boxed } from '../value/boxed.ts'
import { type ListValue, listItems, listSize } from '../value/list.ts'
import { kindOf } from '../value/kind.ts'
import { type MapValue, mapGet, mapKeys, mapSize } from '../value/map.ts'
import { Optional } from '../value/optional.ts'

/** What traversing a string once costs per character. */
export const STRING_FACTOR = 0.1
/** What one character of a pattern costs. */
export const PATTERN_FACTOR = 0.25
export const LIST_COST = 10
export const MAP_COST = 30
export const STRUCT_COST = 40

/** Characters, bytes, items or entries; one for everything else. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 1
  if (value instanceof Uint8Array) return value.length
  if (value instanceof Optional) return value.present ? sizeOf(value.value) : 1
  // The kinds say which type it is.
  const kind = kindOf(value)
  if (kind === 'list') return listSize(value as ListValue)
  if (kind === 'map') return mapSize(value as MapValue)
  if (value instanceof Boxed && 'costSize' in value && typeof value.costSize === 'number') return value.costSize
  return 1
}

/** What traversing a value's characters costs. */
export const traversal = (value: unknown, times = 1): number => Math.ceil(sizeOf(value) * times * STRING_FACTOR)

/** What matching a pattern costs: every character of the text against every part of the pattern. */
export const patternCost = (text: unknown, pattern: unknown): number =>
  Math.ceil((1 + sizeOf(text)) * STRING_FACTOR) * Math.ceil(sizeOf(pattern) * PATTERN_FACTOR)

/** What comparing two values costs: the smaller one is traversed. Scalars cost one. */
export function equalityCost(a: unknown, b: unknown): number {
  return Math.ceil(Math.min(sizeOf(a), sizeOf(b)) * STRING_FACTOR)
}

/** What traversing a value with all that is in it costs. */
export function deepTraversal(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return Math.floor(value.length * STRING_FACTOR)
  const kind = kindOf(value)
  let cost = 0
  if (kind === 'list') {
    for (const item of listItems(value as ListValue)) cost += deepTraversal(item)
    return cost
  }
  if (kind === 'map') {
    const map = value as MapValue
    for (const key of mapKeys(map)) cost += deepTraversal(key) + deepTraversal(mapGet(map, key))
    return cost
  }
  return 1
}
