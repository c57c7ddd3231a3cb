import { isObject, type Json } from '../../lib/json.ts'
import type { Schema } from '../schema/schema.ts'
import { perKey } from '../schema/walk.ts'

/** An object of some type, read-only as everywhere. */
export type Fields = Readonly<Record<string, unknown>>

/** Answers an object with its defaults; the same reference when it has them. It never sees what is wrong: validation does. */
export type Fill = (object: Fields) => Fields

/** Defaults by the name of the definition they belong to: wherever the type is used, they apply. */
export type FillTable = Readonly<Record<string, Fill>>

/** An object field, or an empty object where there is none. */
export const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})
/** A list field, or an empty list where there is none. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Sets the fields that are absent. */
export function withAbsent(object: Fields, defaults: Readonly<Record<string, Json>>): Fields {
  return withMissing(object, defaults, (value) => value === undefined)
}

/** Sets the fields that are absent or the zero of their type, which Go cannot tell apart. */
export function withZero(object: Fields, defaults: Readonly<Record<string, Json>>): Fields {
  return withMissing(object, defaults, (value) => value === undefined || value === '' || value === 0)
}

function withMissing(
  object: Fields,
  defaults: Readonly<Record<string, Json>>,
  isMissing: (value: unknown) => boolean,
): Fields {
  let result = object
  for (const name in defaults) {
    if (!isMissing(object[name])) continue
    if (result === object) result = { ...object }
    ;(result as Record<string, unknown>)[name] = defaults[name] // a copy made above
  }
  return result
}

/** A fill that sets absent fields. */
export const absent =
  (defaults: Readonly<Record<string, Json>>): Fill =>
  (object) =>
    withAbsent(object, defaults)

/** A fill that sets absent and zero fields. */
export const zero =
  (defaults: Readonly<Record<string, Json>>): Fill =>
  (object) =>
    withZero(object, defaults)

/** Replaces one field when the new value is another one. */
export function withField(object: Fields, name: string, value: unknown): Fields {
  return object[name] === value ? object : { ...object, [name]: value }
}

/** Does several fills, one after the other. */
export const all =
  (...fills: readonly Fill[]): Fill =>
  (object) =>
    fills.reduce((filled, fill) => fill(filled), object)

type Walker = (value: unknown, unused: undefined) => unknown

/** Makes the function that fills in the defaults of a table wherever their types appear below a schema: outer ones first. */
export function defaulterWith(table: FillTable): (value: unknown, schema: Schema) => unknown {
  const reaches = reachabilityOf(table)
  const walkerOf = perKey<Schema, unknown, undefined, unknown>((schema) => compile(schema))

  function compile(schema: Schema): Walker {
    if (!reaches(schema)) return (value) => value
    const fill = schema.definition === undefined ? undefined : table[schema.definition]
    const declared = [...(schema.properties ?? [])].filter(([, node]) => node.default !== undefined)
    const constants = Object.fromEntries(declared.map(([name, node]) => [name, node.default as Json])) // filtered above
    const fields = [...(schema.properties ?? [])]
      .filter(([, node]) => reaches(node))
      .map(([name, node]): readonly [string, Walker] => [name, walkerOf(node)])
    const items = schema.items && reaches(schema.items) ? walkerOf(schema.items) : undefined
    const more = isObject(schema.additionalProperties) ? schema.additionalProperties : undefined
    const others = more && reaches(more) ? walkerOf(more) : undefined
    return (value) => {
      if (Array.isArray(value)) return items ? mapped(value, items) : value
      if (!isObject(value)) return value
      let object: Fields = fill ? fill(value) : value
      if (declared.length > 0) object = withZero(object, constants)
      for (const [name, walker] of fields) {
        const below = object[name]
        if (typeof below !== 'object' || below === null || !Object.hasOwn(object, name)) continue
        object = withField(object, name, walker(below, undefined))
      }
      if (others)
        for (const name of Object.keys(object)) object = withField(object, name, others(object[name], undefined))
      return object
    }
  }
  return (value, schema) => walkerOf(schema)(value, undefined)
}

function mapped(value: readonly unknown[], item: Walker): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let at = 0; at < value.length; at++) {
    const after = item(value[at], undefined)
    if (after !== value[at]) (copy ??= [...value])[at] = after
  }
  return copy ?? value
}

/** Tells whether a default applies at a node or anywhere below it, so that walks pass over the rest. */
function reachabilityOf(table: FillTable): (schema: Schema) => boolean {
  const known = new Map<Schema, boolean>()
  let cuts = 0
  const visit = (schema: Schema, path: Set<Schema>): boolean => {
    const answer = known.get(schema)
    if (answer !== undefined) return answer
    if (path.has(schema)) {
      cuts++
      return false
    }
    path.add(schema)
    const before = cuts
    const below = [
      ...(schema.properties?.values() ?? []),
      ...(schema.items ? [schema.items] : []),
      ...(isObject(schema.additionalProperties) ? [schema.additionalProperties] : []),
    ]
    const reached =
      (schema.definition !== undefined && table[schema.definition] !== undefined) ||
      below.some((node) => node.default !== undefined) ||
      below.some((node) => visit(node, path))
    path.delete(schema)
    // A negative answer inside a cycle may be due to the cut; only a definite one is kept.
    if (reached || path.size === 0 || cuts === before) known.set(schema, reached)
    return reached
  }
  return (schema) => visit(schema, new Set())
}
