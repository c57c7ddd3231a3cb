import type { Schema } from '../../../kube/schema/schema.ts'
import { EvaluationError } from '../error.ts'
import { Double } from '../value/double.ts'
import { parseDuration, toDuration } from '../value/duration.ts'
import { isEqual } from '../value/equal.ts'
import { fromJson } from '../value/json.ts'
import { listItems, listSize, ListView, type ListValue } from '../value/list.ts'
import { kindOf } from '../value/kind.ts'
import { jsonField, mapGet, type MapValue, MapView } from '../value/map.ts'
import { parseTimestamp, toTimestamp } from '../value/timestamp.ts'
import { withObjectMeta } from './declare.ts'
import { escapeName } from './escape.ts'

/** Reads a JSON value through its schema. */
export type Adapt = (json: unknown) => unknown

type JsonMap = Readonly<Record<string, unknown>>
const isJsonMap = (value: unknown): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The keys of a map list, as expressions and as JSON know them. */
interface MapKey {
  readonly escaped: string
}

const adapters = new WeakMap<Schema, Adapt>()
const rootAdapters = new WeakMap<Schema, Adapt>()

/**
 * How values of a schema become CEL values. Where the plain JSON already means the same (text, booleans, whole numbers, and
 * containers of nothing else under names that need no escape), values pass as they are.
 */
export function adapterOf(schema: Schema, isResourceRoot = false): Adapt {
  const cache = isResourceRoot ? rootAdapters : adapters
  const known = cache.get(schema)
  if (known) return known
  const adapt = build(isResourceRoot ? withObjectMeta(schema) : schema)
  cache.set(schema, adapt)
  return adapt
}

function build(schema: Schema): Adapt {
  if (isPlain(schema, new Set())) return fromJson
  switch (schema.type) {
    case 'object':
      return objectAdapter(schema)
    case 'array':
      return listAdapter(schema)
    case 'number':
      return (json) => (typeof json === 'number' ? new Double(json) : fromJson(json))
    case 'string':
      return stringAdapter(schema)
    default:
      return fromJson
  }
}

const FORMATS = new Set(['byte', 'duration', 'date', 'date-time'])

/** Whether JSON can be read without the schema. Nodes that are being looked at already do not decide. */
function isPlain(schema: Schema, seen: Set<Schema>): boolean {
  if (schema.intOrString || seen.has(schema)) return true
  seen.add(schema)
  switch (schema.type) {
    case 'number':
      return false
    case 'string':
      return schema.format === undefined || !FORMATS.has(schema.format)
    case 'array': {
      const { listType = 'atomic', items } = schema
      return listType === 'atomic' && (!items || (!items.embeddedResource && isPlain(items, seen)))
    }
    case 'object': {
      const values = schema.additionalProperties
      if (typeof values === 'object' && !isPlain(values, seen)) return false
      for (const [name, node] of schema.properties ?? []) {
        if (escapeName(name) !== name || node.embeddedResource || !isPlain(node, seen)) return false
      }
      return true
    }
    default:
      return true
  }
}

const adapterBelow = (schema: Schema): Adapt => adapterOf(schema, schema.embeddedResource === true)

function stringAdapter({ format }: Schema): Adapt {
  const read = (json: unknown, make: (text: string) => unknown): unknown => {
    if (typeof json !== 'string') return fromJson(json)
    const made = make(json)
    if (made === undefined) throw new EvaluationError(`invalid ${format} formatted string ${JSON.stringify(json)}`)
    return made
  }
  const nanos = (text: string): unknown => {
    const time = parseTimestamp(format === 'date' ? `${text}T00:00:00Z` : text)
    return time === undefined ? undefined : toTimestamp(time)
  }
  switch (format) {
    case 'byte':
      return (json) => read(json, (text) => Uint8Array.from(Buffer.from(text, 'base64')))
    case 'duration':
      return (json) =>
        read(json, (text) => {
          const duration = parseDuration(text)
          return duration === undefined ? undefined : toDuration(duration)
        })
    default:
      return (json) => read(json, nanos)
  }
}

interface Field {
  readonly name: string
  readonly adapt: Adapt
}

function objectAdapter(schema: Schema): Adapt {
  const values = schema.additionalProperties
  if (!schema.properties && typeof values === 'object') {
    const adapt = adapterBelow(values)
    return (json) => (isJsonMap(json) ? new EntriesView(json, adapt) : fromJson(json))
  }
  let fields: ReadonlyMap<string, Field> | undefined
  const fieldsOf = (): ReadonlyMap<string, Field> => {
    fields ??= new Map(
      [...(schema.properties ?? [])].flatMap(([name, node]) => {
        const escaped = escapeName(name)
        return escaped === undefined ? [] : [[escaped, { name, adapt: adapterBelow(node) }] as const]
      }),
    )
    return fields
  }
  return (json) => (isJsonMap(json) ? new ObjectView(json, fieldsOf()) : fromJson(json))
}

/** An object whose properties are read through their schemas, under escaped names. */
class ObjectView extends MapView {
  readonly #json: JsonMap
  readonly #fields: ReadonlyMap<string, Field>

  constructor(json: JsonMap, fields: ReadonlyMap<string, Field>) {
    super()
    this.#json = json
    this.#fields = fields
  }

  get size(): number {
    return [...this.keys()].length
  }

  get(key: string): unknown {
    const field = this.#fields.get(key)
    if (!field) return undefined
    const value = jsonField(this.#json, field.name)
    if (value === undefined) return undefined
    // Numbers are read anew, because the field may be a double.
    return field.adapt(typeof value === 'object' && value !== null ? value : this.#json[field.name])
  }

  *keys(): Generator<string> {
    for (const [escaped, { name }] of this.#fields) {
      if (Object.hasOwn(this.#json, name)) yield escaped
    }
  }
}

/** A map whose values are read through one schema. */
class EntriesView extends MapView {
  readonly #json: JsonMap
  readonly #adapt: Adapt

  constructor(json: JsonMap, adapt: Adapt) {
    super()
    this.#json = json
    this.#adapt = adapt
  }

  get size(): number {
    return Object.keys(this.#json).length
  }

  get(key: string): unknown {
    return Object.hasOwn(this.#json, key) ? this.#adapt(this.#json[key]) : undefined
  }

  keys(): Iterable<string> {
    return Object.keys(this.#json)
  }
}

function listAdapter(schema: Schema): Adapt {
  const adapt = schema.items ? adapterBelow(schema.items) : fromJson
  const keys = (schema.listMapKeys ?? []).map((name): MapKey => ({ escaped: escapeName(name) ?? name }))
  switch (schema.listType) {
    case 'set':
      return (json) => (Array.isArray(json) ? new SetListView(json, adapt) : fromJson(json))
    case 'map':
      return (json) => (Array.isArray(json) ? new MapListView(json, adapt, keys) : fromJson(json))
    default:
      return (json) => (Array.isArray(json) ? new ItemsView(json, adapt) : fromJson(json))
  }
}

/** A list whose items are read through one schema. */
class ItemsView extends ListView {
  readonly #json: readonly unknown[]
  readonly #adapt: Adapt
  #items: readonly unknown[] | undefined

  constructor(json: readonly unknown[], adapt: Adapt) {
    super()
    this.#json = json
    this.#adapt = adapt
  }

  get size(): number {
    return this.#json.length
  }

  at(index: number): unknown {
    return this.#items ? this.#items[index] : this.#adapt(this.#json[index])
  }

  items(): readonly unknown[] {
    this.#items ??= this.#json.map(this.#adapt)
    return this.#items
  }
}

/** Looks values up by content: scalars by a table, others one by one. */
class Index {
  readonly #scalars = new Map<unknown, unknown>()
  readonly #others: (readonly [unknown, unknown])[] = []

  /** Adds a value under a key unless the key is there. */
  add(key: unknown, value: unknown): void {
    if (this.find(key) !== undefined) return
    if (typeof key === 'object') this.#others.push([key, value])
    else this.#scalars.set(key, value)
  }

  find(key: unknown): unknown {
    if (typeof key !== 'object') return this.#scalars.get(key)
    return this.#others.find(([other]) => isEqual(other, key))?.[1]
  }
}

/** A list with `x-kubernetes-list-type: set`: order does not matter, `+` adds what is missing. */
class SetListView extends ItemsView {
  #index: Index | undefined

  #indexed(): Index {
    if (!this.#index) {
      this.#index = new Index()
      for (const item of this.items()) this.#index.add(item, true)
    }
    return this.#index
  }

  override equalTo(other: ListValue): boolean {
    const index = this.#indexed()
    return this.size === listSize(other) && listItems(other).every((item) => index.find(item) !== undefined)
  }

  override plus(other: ListValue): readonly unknown[] {
    const index = this.#indexed()
    return [...this.items(), ...listItems(other).filter((item) => index.find(item) === undefined)]
  }
}

/** A list with `x-kubernetes-list-type: map`: items belong together by their keys, `+` replaces and adds. */
class MapListView extends ItemsView {
  readonly #keys: readonly MapKey[]
  #index: Index | undefined

  constructor(json: readonly unknown[], adapt: Adapt, keys: readonly MapKey[]) {
    super(json, adapt)
    this.#keys = keys
  }

  #keyOf(item: unknown): unknown {
    // The kind says which type it is.
    const parts = this.#keys.map(({ escaped }) =>
      kindOf(item) === 'map' ? (mapGet(item as MapValue, escaped) ?? null) : null,
    )
    return parts.length === 1 ? parts[0] : parts
  }

  #indexed(): Index {
    if (!this.#index) {
      this.#index = new Index()
      for (const [position, item] of this.items().entries()) this.#index.add(this.#keyOf(item), position)
    }
    return this.#index
  }

  override equalTo(other: ListValue): boolean {
    if (this.size !== listSize(other)) return false
    const index = this.#indexed()
    return listItems(other).every((item) => {
      const position = index.find(this.#keyOf(item))
      return typeof position === 'number' && isEqual(this.items()[position], item)
    })
  }

  override plus(other: ListValue): readonly unknown[] {
    const index = this.#indexed()
    const joined = [...this.items()]
    for (const item of listItems(other)) {
      const position = index.find(this.#keyOf(item))
      if (typeof position === 'number') joined[position] = item
      else joined.push(item)
    }
    return joined
  }
}
