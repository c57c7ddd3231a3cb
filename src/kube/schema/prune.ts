import { isObject, setOwn } from '../../lib/json.ts'
import type { Schema } from './schema.ts'
import { DEEPEST, perKey, Trail } from './walk.ts'

/** A value without the fields that its schema does not know, and where they were. */
export interface Pruned<T = unknown> {
  readonly value: T
  /** Such as `spec.foo`, sorted. */
  readonly unknown: readonly string[]
}

interface Pruning {
  readonly trail: Trail
  /** Absent when nobody asks. */
  readonly unknown: string[] | undefined
}

type Pruner = (value: unknown, walk: Pruning) => unknown
type Fields = Readonly<Record<string, unknown>>

/** More unknown fields than these are dropped without being named. */
const MOST_UNKNOWN = 100

/**
 * Drops every field that the schema does not name. Under `preserveUnknownFields` only what is named further down is looked
 * into; apiVersion, kind and metadata of the root and of embedded objects are kept whatever they hold. What needs no change
 * comes back as the same reference.
 */
export function prune<T>(value: T, schema: Schema, options: { readonly isRoot?: boolean } = {}): Pruned<T> {
  const unknown: string[] = []
  const isRoot = options.isRoot ?? true
  const pruner = isRoot ? rootPrunerOf(schema) : prunerOf(schema)
  const pruned = pruner(value, { trail: new Trail(), unknown }) as T // a pruner answers the kind of value that it got
  return { value: pruned, unknown: unknown.toSorted() }
}

const prunerOf: (schema: Schema) => Pruner = perKey((schema: Schema) =>
  compile(schema, schema.embeddedResource === true),
)
const rootPrunerOf: (schema: Schema) => Pruner = perKey((schema: Schema) => compile(schema, true))
/** Below a preserved list the fields that the schema names are still looked into, whether the items say so themselves or not. */
const keeperOf: (schema: Schema) => Pruner = perKey((schema: Schema) =>
  compile({ ...schema, preserveUnknownFields: true }, schema.embeddedResource === true),
)

const isMetaField = (name: string): boolean => name === 'metadata' || name === 'kind' || name === 'apiVersion'

function compile(schema: Schema, isResource: boolean): Pruner {
  const keeps = schema.preserveUnknownFields === true
  const known = new Map([...(schema.properties ?? [])].map(([name, node]) => [name, prunerOf(node)]))
  const more = schema.additionalProperties
  const others = isObject(more) ? prunerOf(more) : more === true ? emptied : undefined
  const items = schema.items ? (keeps ? keeperOf(schema.items) : prunerOf(schema.items)) : keeps ? undefined : emptied
  const field = (name: string, below: unknown, walk: Pruning): unknown => {
    if (isResource && isMetaField(name)) return below
    const pruner = known.get(name) ?? others
    if (!pruner) return keeps ? below : undefined
    if (typeof below !== 'object' || below === null) return below
    walk.trail.push(name)
    const pruned = pruner(below, walk)
    walk.trail.pop()
    return pruned
  }
  if (keeps && known.size === 0 && !others && !items) return (value) => value
  return (value, walk) => {
    if (typeof value !== 'object' || value === null || walk.trail.depth > DEEPEST) return value
    if (Array.isArray(value)) return items ? mapItems(value, items, walk) : value
    return mapFields(value as Fields, field, walk)
  }
}

/** Where no schema says anything, objects lose everything and lists keep their scalars. */
const emptied: Pruner = (value, walk) => {
  if (typeof value !== 'object' || value === null || walk.trail.depth > DEEPEST) return value
  if (Array.isArray(value)) return mapItems(value, emptied, walk)
  return mapFields(value as Fields, () => undefined, walk)
}

function mapItems(value: readonly unknown[], item: Pruner, walk: Pruning): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let at = 0; at < value.length; at++) {
    const before = value[at]
    if (typeof before !== 'object' || before === null) continue
    walk.trail.push(at)
    const after = item(before, walk)
    walk.trail.pop()
    if (after !== before) (copy ??= [...value])[at] = after
  }
  return copy ?? value
}

/** A field that comes back undefined is dropped and named as unknown. */
function mapFields(
  value: Fields,
  field: (name: string, below: unknown, walk: Pruning) => unknown,
  walk: Pruning,
): Fields {
  let changes: Map<string, unknown> | undefined
  for (const name in value) {
    const before = value[name]
    const after = field(name, before, walk)
    if (after === before) continue
    if (after === undefined && walk.unknown && walk.unknown.length < MOST_UNKNOWN) {
      walk.unknown.push(walk.trail.child(name))
    }
    changes = (changes ?? new Map<string, unknown>()).set(name, after)
  }
  return changes ? withChanges(value, changes) : value
}

/** A copy with some fields replaced, or left out where the new value is undefined. The order of the fields stays. */
export function withChanges(value: Fields, changes: ReadonlyMap<string, unknown>): Fields {
  const copy: Record<string, unknown> = {}
  for (const name in value) {
    const changed = changes.get(name)
    if (changed !== undefined) setOwn(copy, name, changed)
    else if (!changes.has(name)) setOwn(copy, name, value[name])
  }
  return copy
}
