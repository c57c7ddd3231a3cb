import { sprint } from '../../../lang/gotemplate/print.ts'
import { isMap, STRINGS, typeOf, withType, type GoType } from '../../../lang/gotemplate/value.ts'
import { setOwn } from '../../../lib/json.ts'

/** One set of parameters: what templates see. Never changed once made. */
export type Params = Readonly<Record<string, unknown>>

const STRING_MAP: GoType = {
  name: 'map[string]string',
  kind: 'map',
  key: { name: 'string', kind: 'string' },
  elem: { name: 'string', kind: 'string' },
}

/** A map of texts as Go's templates know it: `index` of a missing key is empty, not `<no value>`. */
export function textMap(entries: Iterable<readonly [string, string]>): Readonly<Record<string, string>> {
  const map: Record<string, string> = {}
  for (const [key, value] of entries) setOwn(map, key, value)
  return withType(map, STRING_MAP)
}

/** Parameters from entries; later ones win. */
export function paramsFrom(entries: Iterable<readonly [string, unknown]>): Params {
  const params: Record<string, unknown> = {}
  for (const [key, value] of entries) setOwn(params, key, value)
  return params
}

/** Parameters with others on top. */
export const withParams = (params: Params, more: Params): Params =>
  paramsFrom([...Object.entries(params), ...Object.entries(more)])

/** A value as Go's `%v` prints it. */
export const goText = (value: unknown): string => sprint([value ?? undefined])

/** Deeper values are refused before they get here. */
const DEEPEST = 200

/** Nested maps and lists as one level, keys joined by dots (jeremywohl/flatten); empty ones vanish. */
export function flatten(params: Params): ReadonlyMap<string, unknown> {
  const flat = new Map<string, unknown>()
  const walk = (value: unknown, key: string, depth: number): void => {
    const isNested = depth < DEEPEST && (isMap(value) || isPlainList(value))
    if (!isNested) {
      flat.set(key, value)
      return
    }
    for (const [name, item] of Object.entries(value)) walk(item, key === '' ? name : `${key}.${name}`, depth + 1)
  }
  for (const [name, item] of Object.entries(params)) walk(item, name, 1)
  return flat
}

/** A list of texts that Go code made is one value, a list of a document falls apart. */
const isPlainList = (value: unknown): value is readonly unknown[] => Array.isArray(value) && typeOf(value) !== STRINGS

/** Flattened parameters as texts: what selectors match. */
export function flatTexts(params: Params): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const [key, value] of flatten(params)) setOwn(texts, key, goText(value))
  return texts
}

function isEmptyValue(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** What `second` says over `first`: maps are merged, anything else that is not empty replaces (mergo, WithOverride). */
export function mergeOver(first: Params, second: Params, depth: number = 0): Params {
  const merged: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(first)) setOwn(merged, key, value)
  for (const [key, value] of Object.entries(second)) {
    const before = Object.hasOwn(merged, key) ? merged[key] : undefined
    if (isMap(before) && isMap(value) && depth < DEEPEST) setOwn(merged, key, mergeOver(before, value, depth + 1))
    else if (!isEmptyValue(value) || before === undefined) setOwn(merged, key, value)
  }
  const isTexts = typeOf(first) === STRING_MAP && typeOf(second) === STRING_MAP
  return isTexts ? withType(merged, STRING_MAP) : merged
}

/** What of a template counts as one value though it is a map. */
const OPAQUE: ReadonlySet<string> = new Set(['valuesObject'])

/** `first`, filled where it is empty by what `second` says (mergo without override). */
export function fillFrom(first: unknown, second: unknown, depth: number = 0): unknown {
  if (!isMap(first) || !isMap(second) || depth >= DEEPEST) return isEmptyValue(first) ? second : first
  const filled: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(first)) setOwn(filled, key, value)
  for (const [key, value] of Object.entries(second)) {
    const before = Object.hasOwn(filled, key) ? filled[key] : undefined
    const next =
      OPAQUE.has(key) && depth > 0 ? (isEmptyValue(before) ? value : before) : fillFrom(before, value, depth + 1)
    if (next !== undefined) setOwn(filled, key, next)
  }
  return filled
}
