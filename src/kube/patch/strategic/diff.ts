import { isEqual, isObject, own, setOwn } from '../../../lib/json.ts'
import type { Schema } from '../../schema/schema.ts'
import { badFormat, deleteFromListPrefix, directive, elementOrderPrefix, type FieldMeta } from './field-meta.ts'
import { type Fields, kindOf, listField, type Mutable, objectField, retainKeysDirective } from './field-meta.ts'
import { elementKind, type List, mergeKeyOf, sortByMergeKey, sortByOrder } from './lists.ts'
import { compareText, sortScalars, withoutRepeats } from './lists.ts'
import { Refusal } from '../refusal.ts'

/** Which differences a patch shall hold. */
export interface DiffOptions {
  readonly elementOrder?: boolean
  readonly ignoreChanges?: boolean
  readonly ignoreDeletions?: boolean
  readonly retainKeys?: boolean
}

/** The strategic merge patch that turns one object into the other. */
export function diffMaps(original: Fields, modified: Fields, schema: Schema | undefined, options: DiffOptions): Fields {
  const patch: Mutable = {}
  const retained: string[] = []
  for (const key of Object.keys(modified)) {
    const wanted = modified[key]
    if (options.retainKeys && wanted !== null) retained.push(key)
    if (Object.hasOwn(original, key)) diffField(patch, key, [original[key], wanted], schema, options)
    else if (!options.ignoreChanges) setOwn<unknown>(patch, key, wanted)
  }
  if (!options.ignoreDeletions) {
    for (const key of Object.keys(original)) if (!Object.hasOwn(modified, key)) setOwn<unknown>(patch, key, null)
  }
  const clearsAny = Object.keys(original).some((key) => original[key] !== null && !Object.hasOwn(modified, key))
  if (retained.length > 0 && (Object.keys(patch).length > 0 || clearsAny)) {
    patch[retainKeysDirective] = retained.toSorted(compareText)
  }
  return patch
}

type Pair = readonly [original: unknown, modified: unknown]

function diffField(patch: Mutable, key: string, pair: Pair, schema: Schema | undefined, options: DiffOptions): void {
  const [seen, wanted] = pair
  if (key === directive) {
    if (typeof seen !== 'string' || typeof wanted !== 'string') badFormat(`invalid value for special key: ${directive}`)
    if (seen !== wanted) patch[directive] = wanted
  } else if (kindOf(seen) !== kindOf(wanted)) {
    if (!options.ignoreChanges) setOwn<unknown>(patch, key, wanted)
  } else if (isObject(seen) && isObject(wanted)) {
    diffObjectField(patch, key, [seen, wanted], schema, options)
  } else if (Array.isArray(seen) && Array.isArray(wanted)) {
    diffListField(patch, key, [seen, wanted], schema, options)
  } else {
    replaceIfChanged(patch, key, pair, options)
  }
}

function replaceIfChanged(patch: Mutable, key: string, [seen, wanted]: Pair, options: DiffOptions): void {
  if (!options.ignoreChanges && !isEqual(seen, wanted)) setOwn<unknown>(patch, key, wanted)
}

/** A field of an unknown type is no problem as long as it does not change. */
function metaUnlessSame(pair: Pair, find: () => FieldMeta): FieldMeta | undefined {
  try {
    return find()
  } catch (thrown) {
    if (thrown instanceof Refusal && isEqual(pair[0], pair[1])) return undefined
    throw thrown
  }
}

function diffObjectField(
  patch: Mutable,
  key: string,
  pair: readonly [Fields, Fields],
  schema: Schema | undefined,
  options: DiffOptions,
): void {
  const meta = metaUnlessSame(pair, () => objectField(schema, key))
  if (!meta) return
  if (meta.strategy === 'replace') {
    if (!options.ignoreChanges) setOwn<unknown>(patch, key, pair[1])
    return
  }
  const below = diffMaps(pair[0], pair[1], meta.below, { ...options, retainKeys: meta.retainKeys })
  if (Object.keys(below).length > 0) setOwn<unknown>(patch, key, below)
}

function diffListField(
  patch: Mutable,
  key: string,
  pair: readonly [List, List],
  schema: Schema | undefined,
  options: DiffOptions,
): void {
  const meta = metaUnlessSame(pair, () => listField(schema, key))
  if (!meta) return
  if (meta.strategy !== 'merge') {
    replaceIfChanged(patch, key, pair, options)
    return
  }
  const { changes, deletions, order } = diffLists(pair[0], pair[1], meta, { ...options, retainKeys: meta.retainKeys })
  if (changes.length > 0) setOwn<unknown>(patch, key, changes)
  if (deletions.length > 0) patch[`${deleteFromListPrefix}/${key}`] = deletions
  if (order.length > 0) patch[`${elementOrderPrefix}/${key}`] = order
}

interface ListDiff {
  readonly changes: List
  /** Scalars to delete; deleted maps are directives among the changes. */
  readonly deletions: List
  readonly order: List
}

function diffLists(original: List, modified: List, meta: FieldMeta, options: DiffOptions): ListDiff {
  if (original.length === 0) {
    return { changes: options.ignoreChanges ? [] : modified, deletions: [], order: [] }
  }
  const kind = elementKind(original, modified)
  if (kind !== 'map') {
    const { changes, deletions } = diffScalars(original, modified, options)
    const isOrdered =
      options.elementOrder &&
      ((!options.ignoreDeletions && deletions.length > 0) || (!options.ignoreChanges && !isEqual(original, modified)))
    return {
      changes: sortByOrder(changes, modified, undefined, kind),
      deletions,
      order: isOrdered ? modified : [],
    }
  }
  const mergeKey = meta.mergeKey ?? ''
  const { additions, deletions } = diffElements(original, modified, { mergeKey, schema: meta.below, options })
  const changes = [...sortByOrder(additions, modified, mergeKey, kind), ...deletions]
  const isOrdered =
    options.elementOrder &&
    ((!options.ignoreChanges && (changes.length > 0 || !isOrderSame(original, modified, mergeKey))) ||
      (!options.ignoreDeletions && changes.length > 0))
  const order = isOrdered ? modified.map((item) => keyOnly(item, mergeKey)) : []
  return { changes, deletions: [], order }
}

function keyOnly(item: unknown, mergeKey: string): Fields {
  const only: Mutable = {}
  setOwn<unknown>(only, mergeKey, mergeKeyOf(item, mergeKey))
  return only
}

function isOrderSame(original: List, modified: List, mergeKey: string): boolean {
  return (
    original.length === modified.length &&
    modified.every((item, index) => mergeKeyOf(original[index], mergeKey) === mergeKeyOf(item, mergeKey))
  )
}

function diffScalars(original: List, modified: List, options: DiffOptions): { changes: List; deletions: List } {
  const seen = sortScalars(original)
  const wanted = sortScalars(modified)
  const changes: unknown[] = []
  const deletions: unknown[] = []
  for (let left = 0, right = 0; left < seen.length || right < wanted.length;) {
    const order = compareHeads(seen, left, wanted, right, String)
    if (order > 0 && !options.ignoreChanges) changes.push(wanted[right])
    if (order < 0 && !options.ignoreDeletions) deletions.push(seen[left])
    if (order <= 0) left++
    if (order >= 0) right++
  }
  return { changes, deletions: withoutRepeats(deletions) }
}

/** Which of two sorted lists is ahead: below 0 the first has an element that the second lacks. */
function compareHeads<T>(
  left: readonly T[],
  leftIndex: number,
  right: readonly T[],
  rightIndex: number,
  text: (item: T) => string,
): number {
  const a = left[leftIndex]
  const b = right[rightIndex]
  if (leftIndex >= left.length || a === undefined) return 1
  if (rightIndex >= right.length || b === undefined) return -1
  return compareText(text(a), text(b))
}

interface ElementDiff {
  readonly mergeKey: string
  readonly schema: Schema | undefined
  readonly options: DiffOptions
}

function diffElements(
  original: List,
  modified: List,
  { mergeKey, schema, options }: ElementDiff,
): { readonly additions: List; readonly deletions: List } {
  const seen = sortByMergeKey(original, mergeKey)
  const wanted = sortByMergeKey(modified, mergeKey)
  const additions: unknown[] = []
  const deletions: unknown[] = []
  for (let left = 0, right = 0; left < seen.length || right < wanted.length;) {
    const order = compareHeads(seen, left, wanted, right, (item) => String(mergeKeyOf(item, mergeKey)))
    const from = seen[left] ?? {}
    const to = wanted[right] ?? {}
    if (order === 0) {
      const below = diffMaps(from, to, schema, options)
      if (Object.keys(below).length > 0) additions.push(withKey(below, mergeKey, own(to, mergeKey)))
    } else if (order > 0) {
      mergeKeyOf(to, mergeKey)
      if (!options.ignoreChanges) additions.push(to)
    } else {
      const id = mergeKeyOf(from, mergeKey)
      if (!options.ignoreDeletions) deletions.push(withKey({ [directive]: 'delete' }, mergeKey, id))
    }
    if (order <= 0) left++
    if (order >= 0) right++
  }
  return { additions, deletions }
}

function withKey(fields: Fields, mergeKey: string, value: unknown): Fields {
  const keyed: Mutable = { ...fields }
  setOwn<unknown>(keyed, mergeKey, value)
  return keyed
}
