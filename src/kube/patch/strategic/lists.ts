import { isObject } from '../../../lib/json.ts'
import { Refusal } from '../refusal.ts'
import { badFormat, badKind, directive, type Fields, kindOf } from './field-meta.ts'

export type List = readonly unknown[]

/** What tells an element of a merging list: the value of the merge key, or the scalar itself. */
export type Identity = (item: unknown) => unknown

/** Elements of lists of maps are told by their merge key, scalars by themselves. */
export function identityBy(mergeKey: string | undefined, kind: string): Identity {
  if (kind !== 'map') return (item) => item
  return (item) => (isObject(item) ? item[mergeKey ?? ''] : undefined)
}

/** The one kind that all elements of all lists have. Lists of lists and mixed lists cannot be merged. */
export function elementKind(...lists: readonly List[]): string {
  let kind: string | undefined
  for (const list of lists) {
    for (const item of list) {
      const found = kindOf(item)
      if (found === 'list') return badFormat('lists of lists are not supported')
      if (kind !== undefined && kind !== found) {
        return badFormat(`list element types are not identical: ${kind} and ${found}`)
      }
      kind = found
    }
  }
  return kind ?? badFormat('no elements in any of the given lists')
}

/** The merge key's value; an element without it cannot be merged. */
export function mergeKeyOf(item: unknown, mergeKey: string): unknown {
  if (!isObject(item)) return badKind('map', item)
  if (Object.hasOwn(item, mergeKey)) return item[mergeKey]
  throw new Refusal({
    code: 'strategic-patch-merge-key-missing',
    message: `an element of the list does not contain declared merge key: ${mergeKey}`,
    cure: `set ${mergeKey} in every element`,
  })
}

/** Splits elements that carry `$patch: delete` from the others. */
export function splitDeletions(list: List): { readonly kept: unknown[]; readonly deletions: unknown[] } {
  const kept: unknown[] = []
  const deletions: unknown[] = []
  for (const item of list) {
    if (!isObject(item)) return badKind('map', item)
    if (Object.hasOwn(item, directive) && item[directive] === 'delete') deletions.push(item)
    else kept.push(item)
  }
  return { kept, deletions }
}

/** Where each identity stands first in a list. */
export function placesIn(list: List, identity: Identity): ReadonlyMap<unknown, number> {
  const places = new Map<unknown, number>()
  for (const [index, item] of list.entries()) {
    const id = identity(item)
    if (!places.has(id)) places.set(id, index)
  }
  return places
}

/** Sorts a list by the places its elements have in another; deletions go last, strangers keep their relative order. */
export function sortByOrder(list: List, order: List, mergeKey: string | undefined, kind: string): readonly unknown[] {
  const identity = identityBy(mergeKey, kind)
  let kept = list
  let deletions: List = []
  if (kind === 'map') {
    for (const item of list) mergeKeyOf(item, mergeKey ?? '')
    for (const item of order) mergeKeyOf(item, mergeKey ?? '')
    ;({ kept, deletions } = splitDeletions(list))
  }
  const places = placesIn(order, identity)
  const placed = kept.map((item, index) => ({ item, place: places.get(identity(item)) ?? -1, index }))
  placed.sort((a, b) => a.place - b.place || a.index - b.index)
  return [...placed.map(({ item }) => item), ...deletions]
}

/**
 * Orders a merged list: what the patch names stands in the patch's order, the rest in the live order, and the two are
 * interleaved so that a live element comes before the first patched element that followed it in the live list.
 */
export function orderMerged(
  parts: { readonly patched: List; readonly live: List },
  patchOrder: List,
  liveOrder: List,
  mergeKey: string | undefined,
  kind: string,
): readonly unknown[] {
  const patched = sortByOrder(parts.patched, patchOrder, mergeKey, kind)
  const live = sortByOrder(parts.live, liveOrder, mergeKey, kind)
  const identity = identityBy(mergeKey, kind)
  const places = placesIn(liveOrder, identity)
  const all: unknown[] = []
  let next = 0
  for (const item of patched) {
    const place = places.get(identity(item))
    while (place !== undefined && next < live.length) {
      const before = places.get(identity(live[next]))
      if (before === undefined || before >= place) break
      all.push(live[next++])
    }
    all.push(item)
  }
  return all.concat(live.slice(next))
}

/** Splits a merged list by whether the patch names the element. */
export function splitByPresence(
  merged: List,
  named: List,
  mergeKey: string | undefined,
): { readonly patched: List; readonly live: List } {
  const identity: Identity = mergeKey ? (item) => mergeKeyOf(item, mergeKey) : (item) => item
  const ids = new Set<unknown>()
  for (const item of named) {
    if (!mergeKey) ids.add(item)
    else if (!isObject(item)) badFormat('an element of the list is not a map')
    else if (Object.hasOwn(item, mergeKey)) ids.add(item[mergeKey])
  }
  const patched: unknown[] = []
  const live: unknown[] = []
  for (const item of merged) (ids.has(identity(item)) ? patched : live).push(item)
  return { patched, live }
}

/** The order in which a list of scalars is compared: by what they look like. */
export function sortScalars(list: List): unknown[] {
  return list.toSorted((a, b) => compareText(String(a), String(b)))
}

/** Sorts elements by the text of their merge key; equal ones end up in reverse, as upstream's sort leaves short lists. */
export function sortByMergeKey(list: List, mergeKey: string): readonly Fields[] {
  return list
    .map((item) => (isObject(item) ? item : badKind('map', item)))
    .toReversed()
    .toSorted((a, b) => compareText(String(a[mergeKey]), String(b[mergeKey])))
}

/** Orders texts by their UTF-16 units. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Drops repeated scalars. Short lists end up in upstream's order, in which the last element fills each gap. */
export function withoutRepeats(list: List): readonly unknown[] {
  if (list.length > 200) return [...new Set(list)]
  const items = [...list]
  for (let index = 0; index < items.length - 1; index++) {
    for (let other = index + 1; other < items.length; other++) {
      if (items[index] !== items[other]) continue
      const last = items.pop()
      if (other < items.length) items[other--] = last
    }
  }
  return items
}
