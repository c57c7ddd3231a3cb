import { isEqual, isObject, own, setOwn } from '../../../lib/json.ts'
import type { Schema } from '../../schema/schema.ts'
import {
  badKind,
  badFormat,
  deleteFromListPrefix,
  directive,
  directiveField,
  elementOrderPrefix,
} from './field-meta.ts'
import { type FieldMeta, type Fields, listField, type Mutable, objectField, retainKeysDirective } from './field-meta.ts'
import { elementKind, type List, mergeKeyOf, orderMerged, placesIn, splitByPresence, splitDeletions } from './lists.ts'
import { Refusal } from '../refusal.ts'

/**
 * What is merged into: a live object (directives are obeyed and disappear, nulls remove) or another patch (directives and
 * nulls are kept for the server).
 */
export type Target = 'object' | 'patch'

/** Merges a patch into an object or another patch. Neither argument is changed; untouched parts keep their identity. */
export function mergeMap(original: Fields, patch: Fields, schema: Schema | undefined, target: Target): Fields {
  const command = own(patch, directive)
  if (command !== undefined) return obeyDirective(command, patch)
  const merged: Mutable = { ...original }
  const rest: Mutable = { ...patch }
  retainKeys(merged, rest, target)
  mergeOrderedLists(merged, rest, schema, target)
  for (const key of Object.keys(rest)) mergeField(merged, key, rest[key], schema, target)
  return sameFields(original, merged) ? original : merged
}

function sameFields(original: Fields, merged: Fields): boolean {
  const keys = Object.keys(original)
  return (
    keys.length === Object.keys(merged).length &&
    keys.every((key) => Object.hasOwn(merged, key) && original[key] === merged[key])
  )
}

function obeyDirective(command: unknown, patch: Fields): Fields {
  if (command === 'delete') return {}
  if (command !== 'replace') return badFormat(`unknown patch type: ${JSON.stringify(command)}`, directive)
  const { [directive]: _, ...rest } = patch
  return rest
}

/** `$retainKeys` clears every field that it does not name; the patch may name no others. */
function retainKeys(merged: Mutable, rest: Mutable, target: Target): void {
  if (!Object.hasOwn(rest, retainKeysDirective)) return
  const list = rest[retainKeysDirective]
  delete rest[retainKeysDirective]
  if (target === 'patch') {
    const seen = own(merged, retainKeysDirective)
    if (seen !== undefined && !isEqual(seen, list)) badFormat('the two $retainKeys lists differ', retainKeysDirective)
    setOwn<unknown>(merged, retainKeysDirective, list)
    return
  }
  if (!Array.isArray(list)) return badFormat('invalid patch format of retainKeys: it must be a list')
  const kept = new Set<unknown>(list)
  for (const key of Object.keys(rest)) {
    const isDirective = key.startsWith(deleteFromListPrefix) || key.startsWith(elementOrderPrefix)
    if (rest[key] === null || isDirective || kept.has(key)) continue
    badFormat(`invalid patch format of retainKeys: the list does not name ${key}, which the patch sets`)
  }
  for (const key of Object.keys(merged)) if (!kept.has(key)) delete merged[key]
}

/** Merges each list that has a `$setElementOrder`, and puts it into that order. */
function mergeOrderedLists(merged: Mutable, rest: Mutable, schema: Schema | undefined, target: Target): void {
  for (const key of Object.keys(rest)) {
    if (!key.startsWith(elementOrderPrefix)) continue
    const order = rest[key]
    delete rest[key]
    if (target === 'patch') {
      const seen = own(merged, key)
      if (seen !== undefined && !isEqual(seen, order)) badFormat('invalid patch format of setElementOrder list', key)
      setOwn<unknown>(merged, key, order)
    }
    if (!Array.isArray(order)) return badKind('list', order, key)
    mergeOrderedList(merged, rest, { key: directiveField(key, elementOrderPrefix), order, schema, target })
  }
}

interface OrderedList {
  readonly key: string
  readonly order: List
  readonly schema: Schema | undefined
  readonly target: Target
}

function mergeOrderedList(merged: Mutable, rest: Mutable, { key, order, schema, target }: OrderedList): void {
  const seen = asList(own(merged, key), key)
  const wanted = asList(own(rest, key), key)
  const meta = listField(schema, key)
  checkOrder(wanted ?? [], order, meta.mergeKey)
  if (!seen && !wanted) return
  const all = seen && wanted ? mergeList(seen, wanted, meta, target) : (seen ?? withoutDirectives(wanted))
  const list = all as List
  const parts = splitByPresence(list, order, meta.mergeKey)
  const kind = elementKind(seen ?? [], wanted ?? [])
  const liveOrder = meta.mergeKey ? afterDeletions(seen ?? [], wanted ?? [], meta.mergeKey) : (seen ?? [])
  setOwn<unknown>(merged, key, keepIfSame(seen, orderMerged(parts, order, liveOrder, meta.mergeKey, kind)))
  delete rest[key]
}

/**
 * The live order that the merged list is interleaved by. An added element counts as standing at the end of the live list
 * as far as deletions made room there: upstream reuses the room, and so decides between the two orders.
 */
function afterDeletions(seen: List, wanted: List, mergeKey: string): List {
  const { base, additions } = obeyElements(seen, wanted, mergeKey)
  const known = placesIn(base, (item) => (isObject(item) ? own(item, mergeKey) : undefined))
  const added = additions.filter((item) => !known.has(isObject(item) ? own(item, mergeKey) : undefined))
  return base.length < seen.length ? [...base, ...added.slice(0, seen.length - base.length)] : seen
}

function asList(value: unknown, key: string): List | undefined {
  return value === undefined || Array.isArray(value) ? (value as List | undefined) : badKind('list', value, key)
}

function keepIfSame(seen: List | undefined, list: List): List {
  return seen?.length === list.length && seen.every((item, index) => item === list[index]) ? seen : list
}

/** The patch must name only elements of the order, in that order. */
function checkOrder(patch: List, order: List, mergeKey: string | undefined): void {
  if (patch.length === 0 || order.length === 0) return
  const wanted = mergeKey ? splitDeletions(patch).kept : patch
  let place = 0
  for (const item of wanted) {
    if (isObject(item) && Object.hasOwn(item, directive)) continue
    while (place < order.length && !isSameElement(item, order[place], mergeKey)) place++
    if (place++ < order.length) continue
    throw new Refusal({
      code: 'strategic-patch-order-mismatch',
      message: `the order of the elements in the patch doesn't match its ${elementOrderPrefix} list`,
      cure: 'name every element of the patch in the list, in the same order',
    })
  }
}

function isSameElement(left: unknown, right: unknown, mergeKey: string | undefined): boolean {
  return mergeKey ? mergeKeyOf(left, mergeKey) === mergeKeyOf(right, mergeKey) : left === right
}

function mergeField(merged: Mutable, key: string, wanted: unknown, schema: Schema | undefined, target: Target): void {
  if (key.startsWith(deleteFromListPrefix)) {
    if (target === 'patch') setOwn<unknown>(merged, key, wanted)
    else deleteFromList(merged, directiveField(key, deleteFromListPrefix), wanted)
    return
  }
  if (wanted === null) {
    delete merged[key]
    if (target === 'patch') setOwn<unknown>(merged, key, null)
    return
  }
  const seen = own(merged, key)
  if (isObject(seen) && isObject(wanted)) {
    const meta = objectField(schema, key)
    setOwn<unknown>(merged, key, meta.strategy === 'replace' ? wanted : mergeMap(seen, wanted, meta.below, target))
  } else if (Array.isArray(seen) && Array.isArray(wanted)) {
    const list = mergeList(seen, wanted, listField(schema, key), target)
    setOwn<unknown>(merged, key, isEqual(seen, list) ? seen : list)
  } else {
    place(merged, key, wanted, target)
  }
}

/** Puts a new value where nothing of its kind is: its directives go, and for an object its nulls too. */
function place(merged: Mutable, key: string, wanted: unknown, target: Target): void {
  const value = withoutDirectives(target === 'object' ? withoutNulls(wanted) : wanted)
  if (value === undefined) delete merged[key]
  else if (!isEqual(own(merged, key), value)) setOwn<unknown>(merged, key, value)
}

function deleteFromList(merged: Mutable, key: string, wanted: unknown): void {
  if (wanted === null) {
    delete merged[key]
    return
  }
  const seen = own(merged, key)
  if (!Array.isArray(seen) || !Array.isArray(wanted)) return
  if (seen.length === 0 && wanted.length === 0) return
  if (elementKind(seen, wanted) === 'map') return badFormat('invalid patch format of primitive list: it names maps')
  const gone = new Set<unknown>(wanted)
  if (seen.some((item) => gone.has(item))) {
    setOwn<unknown>(
      merged,
      key,
      seen.filter((item) => !gone.has(item)),
    )
  }
}

/** Drops what carries a directive, at every depth; undefined when the value itself does. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(withoutDirectives)
    if (items.every((item, index) => item === value[index])) return value
    return items.filter((item) => item !== undefined)
  }
  if (!isObject(value)) return value
  if (Object.hasOwn(value, directive)) return undefined
  let kept: Mutable | undefined
  for (const key of Object.keys(value)) {
    const below = withoutDirectives(value[key])
    if (below === value[key]) continue
    kept ??= { ...value }
    if (below === undefined) delete kept[key]
    else setOwn<unknown>(kept, key, below)
  }
  return kept ?? value
}

/** Drops fields that hold null, at every depth; elements of lists stay. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(withoutNulls)
    return items.every((item, index) => item === value[index]) ? value : items
  }
  if (!isObject(value)) return value
  let kept: Mutable | undefined
  for (const key of Object.keys(value)) {
    const seen = value[key]
    const below = withoutNulls(seen)
    if (below === seen && seen !== null) continue
    kept ??= { ...value }
    if (seen === null) delete kept[key]
    else setOwn<unknown>(kept, key, below)
  }
  return kept ?? value
}

function mergeList(seen: List, wanted: List, meta: FieldMeta, target: Target): List {
  if (meta.strategy !== 'merge') return wanted
  if (seen.length === 0 && wanted.length === 0) return seen
  const kind = elementKind(seen, wanted)
  if (kind !== 'map') {
    const merged = [...new Set([...seen, ...wanted])]
    return orderMerged(splitByPresence(merged, wanted, undefined), wanted, seen, undefined, kind)
  }
  const mergeKey = meta.mergeKey ?? badFormat('cannot merge lists of maps without merge key')
  const { base, additions } = obeyElements(seen, wanted, mergeKey)
  const merged = mergeElements(base, additions, { mergeKey, schema: meta.below, target })
  return orderMerged(splitByPresence(merged, additions, mergeKey), additions, base, mergeKey, kind)
}

/** Carries out the elements that are directives: `delete` by merge key, `replace` of the whole list. */
function obeyElements(seen: List, wanted: List, mergeKey: string): { readonly base: List; readonly additions: List } {
  const additions: unknown[] = []
  const gone = new Set<unknown>()
  let isReplaced = false
  for (const item of wanted) {
    const command = isObject(item) ? own(item, directive) : undefined
    if (command === undefined) additions.push(item)
    else if (command === 'delete') gone.add(mergeKeyOf(item, mergeKey))
    else if (command === 'replace') isReplaced = true
    else badFormat(`unknown patch type: ${JSON.stringify(command)} in an element of a list`, directive)
  }
  if (isReplaced) return { base: additions, additions: [] }
  if (gone.size === 0) return { base: seen, additions }
  return { base: seen.filter((item) => !(isObject(item) && gone.has(own(item, mergeKey)))), additions }
}

interface ElementMerge {
  readonly mergeKey: string
  readonly schema: Schema | undefined
  readonly target: Target
}

function mergeElements(base: List, additions: List, { mergeKey, schema, target }: ElementMerge): List {
  const merged = [...base]
  const places = new Map(placesIn(base, (item) => (isObject(item) ? item[mergeKey] : undefined)))
  for (const item of additions) {
    const id = mergeKeyOf(item, mergeKey)
    const index = places.get(id)
    const found = index === undefined ? undefined : merged[index]
    if (index !== undefined && isObject(found) && isObject(item)) {
      merged[index] = mergeMap(found, item, schema, target)
    } else {
      places.set(id, merged.length)
      merged.push(item)
    }
  }
  return merged
}
