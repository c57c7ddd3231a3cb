import { isEqual, isObject, own } from '../../../lib/json.ts'
import type { Schema } from '../../schema/schema.ts'
import { directive, type FieldMeta, type Fields, listField, objectField, retainKeysDirective } from './field-meta.ts'
import { elementKind, type List, mergeKeyOf, sortScalars, withoutRepeats } from './lists.ts'

const plain: FieldMeta = { below: undefined, strategy: undefined, retainKeys: false, mergeKey: undefined }

/** Tells whether two patches of one object set anything differently. */
export function mapsDisagree(left: Fields, right: Fields, schema: Schema | undefined): boolean {
  return valuesDisagree(left, right, { ...plain, below: schema })
}

function valuesDisagree(left: unknown, right: unknown, meta: FieldMeta): boolean {
  if (isObject(left)) {
    if (!isObject(right) || own(left, directive) !== own(right, directive)) return true
    return meta.strategy !== 'replace' && fieldsDisagree(left, right, meta.below)
  }
  if (Array.isArray(left)) return !Array.isArray(right) || listsDisagree(left, right, meta)
  return !isEqual(left, right)
}

function fieldsDisagree(left: Fields, right: Fields, schema: Schema | undefined): boolean {
  return Object.keys(left).some((key) => {
    if (key === directive || key === retainKeysDirective || !Object.hasOwn(right, key)) return false
    const value = left[key]
    const meta = Array.isArray(value) ? listField(schema, key) : isObject(value) ? objectField(schema, key) : plain
    return valuesDisagree(value, right[key], meta)
  })
}

function listsDisagree(left: List, right: List, meta: FieldMeta): boolean {
  if (left.length === 0 && right.length === 0) return false
  const kind = elementKind(left, right)
  const below = { ...plain, below: meta.below }
  if (meta.strategy === 'merge') {
    if (kind !== 'map') return false
    const ours = byMergeKey(left, meta.mergeKey ?? '')
    const theirs = byMergeKey(right, meta.mergeKey ?? '')
    return [...ours].some(([id, item]) => theirs.has(id) && valuesDisagree(item, theirs.get(id), below))
  }
  if (left.length !== right.length) return true
  const ours = kind === 'map' ? left : sortScalars(withoutRepeats(left))
  const theirs = kind === 'map' ? right : sortScalars(withoutRepeats(right))
  return ours.length !== theirs.length || ours.some((item, index) => valuesDisagree(item, theirs[index], below))
}

function byMergeKey(list: List, mergeKey: string): ReadonlyMap<string, unknown> {
  return new Map(list.map((item) => [String(mergeKeyOf(item, mergeKey)), item]))
}
