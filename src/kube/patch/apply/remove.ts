import { isObject, setOwn } from '../../../lib/json.ts'
import { fieldSetOf } from './field-set.ts'
import { elementOf } from './list-element.ts'
import { fieldElement } from './path-element.ts'
import { intersection, keyFieldsOf, type PathSet, union } from './path-set.ts'
import { settle, shapeOf, type Type } from './type.ts'

/** Removes paths from a value. What becomes empty becomes null; parts that do not change keep their identity. */
export function removeItems(type: Type | undefined, value: unknown, gone: PathSet): unknown {
  if (gone.isEmpty) return value
  const shape = type && settle(type, shapeOf(type, value))
  if (shape === 'scalar') return value
  if (shape === 'map' && type?.map && isObject(value)) return removeFields(type, value, gone)
  if (shape === 'list' && type?.list && Array.isArray(value)) return removeElements(type, value, gone)
  return null
}

function removeFields({ map }: Type, value: Readonly<Record<string, unknown>>, gone: PathSet): unknown {
  const names = Object.keys(value)
  if (!map || map.isAtomic || names.length === 0) return null
  let kept: Record<string, unknown> | undefined
  for (const name of names) {
    const element = fieldElement(name)
    if (gone.members.has(element)) {
      kept ??= { ...value }
      delete kept[name]
      continue
    }
    const subset = gone.children.get(element)
    if (!subset) continue
    const below = removeItems(map.typeOf(name), value[name], subset)
    if (below === value[name]) continue
    kept ??= { ...value }
    setOwn(kept, name, below)
  }
  if (!kept) return value
  return Object.keys(kept).length > 0 ? kept : null
}

function removeElements({ list }: Type, items: readonly unknown[], gone: PathSet): unknown {
  if (!list || list.relation === 'atomic' || items.length === 0) return null
  const kept: unknown[] = []
  let isChanged = false
  for (const item of items) {
    const element = elementOf(list, item, [])
    if (gone.members.has(element)) {
      isChanged = true
      continue
    }
    const subset = gone.children.get(element)
    const below = subset ? removeItems(list.element, item, subset) : item
    if (below !== item) isChanged = true
    kept.push(below)
  }
  if (!isChanged) return items
  return kept.length > 0 ? kept : null
}

/**
 * The part of a value that a set names, with empty and atomic values as they are. With `keys`, list items keep the fields
 * that tell them apart.
 */
export function extractItems(type: Type, value: unknown, wanted: PathSet, options: { keys?: boolean } = {}): unknown {
  if (!options.keys) return extract(type, value, wanted)
  const present = intersection(wanted, fieldSetOf(type, value))
  return extract(type, value, union(wanted, keyFieldsOf(present)))
}

function extract(type: Type | undefined, value: unknown, wanted: PathSet): unknown {
  const shape = type && settle(type, shapeOf(type, value))
  if (shape === 'scalar') return value
  if (shape === 'map' && type?.map && isObject(value)) return extractFields(type, value, wanted)
  if (shape === 'list' && type?.list && Array.isArray(value)) return extractElements(type, value, wanted)
  return null
}

function extractFields({ map }: Type, value: Readonly<Record<string, unknown>>, wanted: PathSet): unknown {
  const names = Object.keys(value)
  if (!map || map.isAtomic || names.length === 0) return value
  const kept: Record<string, unknown> = {}
  for (const name of names) {
    const element = fieldElement(name)
    // As upstream, a member that is not a leaf is searched with the set of its parent.
    if (wanted.members.has(element)) setOwn<unknown>(kept, name, extract(map.typeOf(name), value[name], wanted))
    else {
      const subset = wanted.children.get(element)
      if (subset) setOwn<unknown>(kept, name, extract(map.typeOf(name), value[name], subset))
    }
  }
  return Object.keys(kept).length > 0 ? kept : null
}

function extractElements({ list }: Type, items: readonly unknown[], wanted: PathSet): unknown {
  if (!list || list.relation === 'atomic' || items.length === 0) return items
  const kept: unknown[] = []
  for (const item of items) {
    const element = elementOf(list, item, [])
    const subset = wanted.children.get(element)
    if (subset) kept.push(extract(list.element, item, subset))
    else if (wanted.members.has(element)) kept.push(item)
  }
  return kept.length > 0 ? kept : null
}
