import { isObject } from '../../../lib/json.ts'
import { directiveOf, type Fields, type Place } from './place.ts'
import type { MergeSchema } from './table.ts'

type List = readonly unknown[]
type KeyedSchema = MergeSchema & { readonly mergeKeys: readonly string[] }

/** The values of the merge keys of one item; '' where it has none. */
type Identity = readonly string[]

/** Merges lists whose items are told apart by keys, or whose scalars are. The patch's items come first. */
export function mergeLists(
  base: List | null | undefined,
  patch: List | null | undefined,
  schema: KeyedSchema,
  place: Place,
): unknown {
  if (patch === null) return undefined
  const directive = patch === undefined ? 'merge' : directiveOf(listDirective(patch), place)
  if (base !== undefined && base !== null && directive === 'delete') return undefined
  const changes =
    patch === undefined
      ? undefined
      : directive === 'merge' && listDirective(patch) === undefined
        ? patch
        : patch.filter((item) => !isDirective(item))
  const target = base === undefined || base === null || directive === 'replace' ? changes : base
  if (target === undefined) return undefined
  return schema.mergeKeys.length === 0
    ? mergeScalars(target, changes ?? [])
    : mergeItems(target, changes ?? [], schema, place)
}

/** An item with nothing but `$patch` speaks for the whole list. */
const isDirective = (item: unknown): item is Fields =>
  isObject(item) && Object.hasOwn(item, '$patch') && Object.keys(item).length === 1

/** Only the first item with a directive counts, and only when it holds nothing else. */
function listDirective(list: List): unknown {
  const first = list.find((item) => isObject(item) && Object.hasOwn(item, '$patch'))
  return isDirective(first) ? first['$patch'] : undefined
}

function mergeScalars(base: List, patch: List): List {
  const seen = new Set<string>()
  return [...patch, ...base].filter((item) => {
    const text = String(item)
    return !seen.has(text) && seen.add(text)
  })
}

function identityOf(item: unknown, keys: readonly string[]): Identity {
  return keys.map((key) => {
    const value = isObject(item) && Object.hasOwn(item, key) ? item[key] : undefined
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `${value}` : ''
  })
}

function mergeItems(base: List, patch: List, schema: KeyedSchema, place: Place): List {
  const keys = schema.mergeKeys
  const identities = distinct([...patch, ...base].map((item) => identityOf(item, keys)))
  const joined = keys.length > 1 ? joinSimilar(identities) : identities
  const known = keys.filter((_, at) => joined.some((identity) => identity[at] !== ''))
  const used = known.length === 0 ? keys : known
  const positions = used.map((key) => keys.indexOf(key))
  const merged: { readonly identity: Identity; readonly item: unknown; readonly isInBase: boolean }[] = []
  const done = new Set<string>()
  for (const full of joined) {
    const identity = positions.map((at) => full[at] ?? '')
    const label = identity.join('\0')
    if (done.has(label)) continue
    done.add(label)
    const before = findItem(base, used, identity)
    const change = findItem(patch, used, identity)
    // An item that asks to be replaced stays as it is: upstream's walker looks up the old one again.
    const item = isKept(before, change)
      ? before
      : place.merge(before, change, schema.items, [...place.path, `[${identity.join(',')}]`])
    if (isNothing(item)) {
      // Upstream finds the item to delete by all keys at once: one that does not have them all stays.
      if (before !== undefined && !(hasKeys(before, used) && hasKeys(change, used))) {
        merged.push({ identity, item: before, isInBase: true })
      }
      continue
    }
    merged.push({ identity, item: withKeys(item, used, identity), isInBase: before !== undefined })
  }
  // With one key an item of the base stays where the patch names it; with several, the items of the base follow in their own order.
  if (used.length <= 1) return merged.map(({ item }) => item)
  const kept = merged
    .filter(({ isInBase }) => isInBase)
    .toSorted((a, b) => indexIn(base, used, a.identity) - indexIn(base, used, b.identity))
  return [...merged.filter(({ isInBase }) => !isInBase), ...kept].map(({ item }) => item)
}

const isNothing = (item: unknown): boolean =>
  item === undefined || item === null || (isObject(item) && Object.keys(item).length === 0)

const hasKeys = (item: unknown, keys: readonly string[]): boolean =>
  isObject(item) && keys.every((key) => Object.hasOwn(item, key))

const isKept = (before: unknown, change: unknown): boolean =>
  before !== undefined &&
  before !== change &&
  isObject(change) &&
  Object.hasOwn(change, '$patch') &&
  change['$patch'] === 'replace'

function distinct(identities: readonly Identity[]): readonly Identity[] {
  const seen = new Set<string>()
  return identities.filter((identity) => {
    const label = identity.join('\0')
    return !seen.has(label) && seen.add(label)
  })
}

/** Identities that agree in one key and elsewhere differ only by what one of them does not say are the same item. */
function joinSimilar(identities: readonly Identity[]): readonly Identity[] {
  const joined = [...identities]
  for (let a = 0; a < joined.length; a++) {
    for (let b = 0; b < joined.length; b++) {
      const both = joinTwo(joined[a] ?? [], joined[b] ?? [])
      if (!both) continue
      joined[a] = both
      joined[b] = both
    }
  }
  return joined
}

function joinTwo(a: Identity, b: Identity): Identity | undefined {
  let agrees = false
  const both: string[] = []
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? ''
    if (value === other) agrees = true
    else if (value !== '' && other !== '') return undefined
    both.push(value === '' ? other : value)
  }
  return agrees ? both : undefined
}

/** A key that the wanted identity does not say is not asked for. */
function matches(item: unknown, keys: readonly string[], identity: Identity): boolean {
  if (!isObject(item)) return false
  const said = keys.map((key, at) => ({ key, value: identity[at] ?? '' })).filter(({ value }) => value !== '')
  if (said.length === 0) return keys.every((key) => !Object.hasOwn(item, key))
  return said.every(
    ({ key, value }) => Object.hasOwn(item, key) && String(item[key] as string | number | boolean) === value,
  )
}

/** An exact item before one that says less. */
function findItem(list: List, keys: readonly string[], identity: Identity): unknown {
  return list.find((item) => matches(item, keys, identity)) ?? list.find((item) => isSimilar(item, keys, identity))
}

function isSimilar(item: unknown, keys: readonly string[], identity: Identity): boolean {
  return (
    keys.length > 1 && isObject(item) && joinTwo(identityOf(item, keys), identity)?.join('\0') === identity.join('\0')
  )
}

const indexIn = (list: List, keys: readonly string[], identity: Identity): number =>
  list.findIndex((item) => matches(item, keys, identity) || isSimilar(item, keys, identity))

/** An item that was found by a key it does not have gets it. */
function withKeys(item: unknown, keys: readonly string[], identity: Identity): unknown {
  if (!isObject(item)) return item
  const missing = keys.flatMap((key, at) => {
    const value = identity[at] ?? ''
    return value === '' || Object.hasOwn(item, key) ? [] : [[key, value] as const]
  })
  return missing.length === 0 ? item : { ...item, ...Object.fromEntries(missing) }
}
