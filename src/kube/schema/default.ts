import { isObject, setOwn } from '../../lib/json.ts'
import { withChanges } from './prune.ts'
import type { Schema } from './schema.ts'
import { DEEPEST, perKey } from './walk.ts'

type Defaulter = (value: unknown, depth: number) => unknown
type Fields = Readonly<Record<string, unknown>>

/**
 * Fills in the defaults of a schema and drops every null that is neither allowed nor has a default. Defaults apply within
 * objects that are there or are defaulted themselves; none is made up to hold one. What needs no change comes back as the
 * same reference; defaults are shared, so treat the value as immutable.
 */
export function applyDefaults<T>(value: T, schema: Schema): T {
  return defaulterOf(schema)(value, 0) as T // a defaulter answers the kind of value that it got
}

const defaulterOf: (schema: Schema) => Defaulter = perKey((schema: Schema) => compile(schema))

interface FieldDefault {
  readonly name: string
  /** The default with the defaults inside it. */
  readonly value: () => unknown
}

function fieldDefaults(schema: Schema): readonly FieldDefault[] {
  return [...(schema.properties ?? [])].flatMap(([name, node]) => {
    if (node.default === undefined || node.default === null) return []
    const plain = node.default
    let filled: unknown
    return [{ name, value: () => (filled ??= defaulterOf(node)(plain, 0)) }]
  })
}

function compile(schema: Schema): Defaulter {
  const defaults = fieldDefaults(schema)
  const nodes = schema.properties
  const known = new Map([...(nodes ?? [])].map(([name, node]) => [name, defaulterOf(node)]))
  const more = isObject(schema.additionalProperties) ? (schema.additionalProperties as Schema) : undefined // not a flag
  const others = more && defaulterOf(more)
  const items = schema.items && defaulterOf(schema.items)

  /** What a null becomes: itself where null is allowed, the default, or nothing. */
  const ofNull = (name: string): unknown => {
    const node = nodes?.get(name) ?? more
    if (!node || node.nullable === true) return null
    return node.default ?? undefined
  }
  const field = (name: string, below: unknown, depth: number): unknown => {
    const value = below === null ? ofNull(name) : below
    if (typeof value !== 'object' || value === null) return value
    const defaulter = known.get(name) ?? others
    return defaulter ? defaulter(value, depth + 1) : value
  }
  const list = (value: readonly unknown[], item: Defaulter, depth: number): readonly unknown[] => {
    let copy: unknown[] | undefined
    for (let at = 0; at < value.length; at++) {
      const before = value[at]
      const filled = before === null && schema.items?.nullable !== true ? (schema.items?.default ?? null) : before
      const after = typeof filled === 'object' && filled !== null ? item(filled, depth + 1) : filled
      if (after !== before) (copy ??= [...value])[at] = after
    }
    return copy ?? value
  }
  const object = (value: Fields, depth: number): Fields => {
    let changes: Map<string, unknown> | undefined
    for (const name in value) {
      const before = value[name]
      const after = field(name, before, depth)
      if (after !== before) changes = (changes ?? new Map<string, unknown>()).set(name, after)
    }
    let result: Fields = changes ? withChanges(value, changes) : value
    for (const fallback of defaults) {
      if (Object.hasOwn(result, fallback.name)) continue
      if (result === value) result = { ...value }
      setOwn(result as Record<string, unknown>, fallback.name, fallback.value()) // a copy made above
    }
    return result
  }
  return (value, depth) => {
    if (typeof value !== 'object' || value === null || depth > DEEPEST) return value
    if (Array.isArray(value)) return items ? list(value, items, depth) : value
    return object(value as Fields, depth)
  }
}
