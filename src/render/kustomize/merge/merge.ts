import { isObject, setOwn } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import { mergeLists } from './lists.ts'
import { directiveOf, type Fields, Misfit, type Place } from './place.ts'
import type { MergeSchema } from './table.ts'

const DEEPEST = 500

/**
 * Merges a strategic-merge patch into an object as kustomize does: objects field by field, lists that have merge keys item
 * by item with the patch's items first, everything else replaced; null removes, and `$patch` deletes or replaces.
 * Undefined means that the patch deletes the whole object.
 */
export function mergeStrategic(
  base: Fields,
  patch: Fields,
  schema: MergeSchema | undefined,
): Result<Fields | undefined> {
  try {
    const merged = mergeValue(base, patch, schema, [])
    return succeed(isObject(merged) ? merged : undefined)
  } catch (error) {
    if (error instanceof Misfit) return fail({ code: 'kustomize-patch-misfit', message: error.message })
    throw error
  }
}

type Shape = 'map' | 'list' | 'scalar'

function shapeOf(value: unknown): Shape | undefined {
  if (value === undefined || value === null) return undefined
  return Array.isArray(value) ? 'list' : typeof value === 'object' ? 'map' : 'scalar'
}

/** Undefined means that nothing is left. A null that the base has and the patch does not touch stays. */
function mergeValue(base: unknown, patch: unknown, schema: MergeSchema | undefined, path: readonly string[]): unknown {
  if (path.length > DEEPEST) throw new Misfit(`the patch is nested deeper than ${DEEPEST} levels`)
  if (patch === undefined && base === null) return null
  const shape = shapeOf(base) ?? shapeOf(patch)
  const other = shapeOf(patch)
  if (shape !== undefined && other !== undefined && shape !== other) {
    throw new Misfit(`${path.join('.')}: the patch has a ${names[other]} where the object has a ${names[shape]}`)
  }
  const place: Place = { path, merge: mergeValue }
  if (shape === 'map') return mergeMaps(base as Nothing | Fields, patch as Nothing | Fields, schema, place)
  if (shape !== 'list' || !schema?.mergeKeys) return patch === undefined ? base : (patch ?? undefined)
  const keyed = { ...schema, mergeKeys: schema.mergeKeys }
  return mergeLists(base as Nothing | readonly unknown[], patch as Nothing | readonly unknown[], keyed, place)
}

type Nothing = null | undefined

const names: Readonly<Record<Shape, string>> = { map: 'map', list: 'list', scalar: 'single value' }
function withoutDirective(patch: Fields): Fields {
  if (!Object.hasOwn(patch, '$patch')) return patch
  const { $patch: _, ...rest } = patch
  return rest
}

function mergeMaps(
  base: Nothing | Fields,
  patch: Nothing | Fields,
  schema: MergeSchema | undefined,
  place: Place,
): unknown {
  if (patch === null) return undefined
  const directive = patch === undefined ? 'merge' : directiveOf(patch['$patch'], place)
  if (directive === 'delete') return undefined
  const changes = patch && withoutDirective(patch)
  // What is new is merged with itself: directives in it are carried out and its nulls vanish.
  const isNew = base === undefined || base === null || base === patch
  const target = isNew || directive === 'replace' ? changes : base
  if (changes === undefined || target === undefined) return target
  const merged: Record<string, unknown> = {}
  const both = target === changes ? Object.keys(target) : new Set([...Object.keys(target), ...Object.keys(changes)])
  for (const key of both) {
    const field = schema?.fields?.get(key) ?? schema?.values
    const before = Object.hasOwn(target, key) ? target[key] : undefined
    const change = Object.hasOwn(changes, key) ? changes[key] : undefined
    const value = place.merge(before, change, field, [...place.path, key])
    if (value !== undefined) setOwn(merged, key, value)
  }
  return merged
}
