import { isObject, own } from '../../../lib/json.ts'
import type { Schema } from '../../schema/schema.ts'

/**
 * What server-side apply needs to know of a type: which of the three shapes a value may have, and how lists and maps merge.
 * A type with several shapes takes the one that the value has.
 */
export interface Type {
  readonly scalar?: 'numeric' | 'string' | 'boolean' | 'untyped'
  readonly list?: ListShape
  readonly map?: MapShape
}

/** A function that answers the same type each time, so that types may be cyclic. */
export type Lazy = () => Type | undefined

export class ListShape {
  readonly relation: 'atomic' | 'associative' | 'undeclared'
  /** The merge keys, sorted; a list without any is a set. */
  readonly keys: readonly string[]
  readonly #element: Lazy
  #defaults: ReadonlyMap<string, unknown> | undefined

  constructor(relation: ListShape['relation'], keys: readonly string[], element: Lazy) {
    this.relation = relation
    this.keys = keys.toSorted()
    this.#element = element
  }

  get element(): Type | undefined {
    return this.#element()
  }

  /** The value that a merge key has where an element leaves it out. */
  defaultOf(key: string): unknown {
    this.#defaults ??= new Map(this.keys.map((name) => [name, this.element?.map?.defaultOf(name)]))
    return this.#defaults.get(key)
  }

  withRelation(relation: ListShape['relation']): ListShape {
    return new ListShape(relation, this.keys, this.#element)
  }
}

/** A declared field of a map. */
export interface FieldShape {
  readonly type: Lazy
  readonly default?: unknown
  /** The field is there even when nothing is in it, so that nobody comes to own it by setting something below it. */
  readonly isAlwaysThere?: boolean
}

export class MapShape {
  readonly isAtomic: boolean
  /** Only names that the type does not declare, and all of them deduced: nothing is known of the keys. */
  readonly isDeduced: boolean
  readonly #fields: ReadonlyMap<string, FieldShape>
  readonly #element: Lazy | undefined

  constructor(isAtomic: boolean, fields: ReadonlyMap<string, FieldShape>, element: Lazy | undefined) {
    this.isAtomic = isAtomic
    this.#fields = fields
    this.#element = element
    this.isDeduced = element === deduced && fields.size === 0
  }

  declares(name: string): boolean {
    return this.#fields.has(name)
  }

  /** The type of a field or of a value under an undeclared name; undefined when the name is not allowed. */
  typeOf(name: string): Type | undefined {
    const field = this.#fields.get(name)
    return field ? field.type() : this.#element?.()
  }

  defaultOf(name: string): unknown {
    return this.#fields.get(name)?.default
  }

  isAlwaysThere(name: string): boolean {
    return this.#fields.get(name)?.isAlwaysThere === true
  }

  withRelation(isAtomic: boolean): MapShape {
    return new MapShape(isAtomic, this.#fields, this.#element)
  }
}

const noFields: ReadonlyMap<string, FieldShape> = new Map()
const deduced: Lazy = () => deducedType
const untyped: Lazy = () => untypedType

/** Anything, as one value. */
export const untypedType: Type = {
  scalar: 'untyped',
  list: new ListShape('atomic', [], untyped),
  map: new MapShape(true, noFields, untyped),
}

/** Anything: objects merge key by key, lists are one value. */
export const deducedType: Type = {
  scalar: 'untyped',
  list: new ListShape('atomic', [], untyped),
  map: new MapShape(false, noFields, deduced),
}

const plainTypes = new WeakMap<Schema, Type>()
const preservingTypes = new WeakMap<Schema, Type>()

const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
const rawExtension = 'io.k8s.apimachinery.pkg.runtime.RawExtension'

/** The type that a schema describes; no schema is a type that is deduced from the values. */
export function typeOf(schema: Schema | undefined, preserving: boolean = false): Type {
  if (!schema) return deducedType
  const preserves = schema.preserveUnknownFields === true || (preserving && schema.definition === undefined)
  const types = preserves ? preservingTypes : plainTypes
  const known = types.get(schema)
  if (known) return known
  const type = read(schema, preserves)
  types.set(schema, type)
  return type
}

function read(schema: Schema, preserves: boolean): Type {
  if (schema.definition === rawExtension) return untypedType
  if (schema.definition === quantity || schema.intOrString) return { scalar: 'untyped' }
  const { type } = schema
  if (type === undefined) return { scalar: 'untyped', list: listOf(schema, preserves), map: mapOf(schema, preserves) }
  switch (type) {
    case 'object':
      return { map: mapOf(schema, preserves) }
    case 'array':
      return { list: listOf(schema, preserves) }
    case 'integer':
    case 'number':
      return { scalar: 'numeric' }
    case 'boolean':
      return { scalar: 'boolean' }
    case 'string':
      return { scalar: schema.format === undefined || schema.format === 'byte' ? 'string' : 'untyped' }
  }
}

function mapOf(schema: Schema, preserves: boolean): MapShape {
  const fields = new Map<string, FieldShape>()
  for (const [name, property] of schema.properties ?? []) {
    fields.set(name, {
      type: once(() => typeOf(property, preserves)),
      default: property.default,
      isAlwaysThere: (property.properties ?? property.items) !== undefined && isEmbedded(schema.definition, name),
    })
  }
  if (schema.embeddedResource) {
    for (const name of ['apiVersion', 'kind', 'metadata']) if (!fields.has(name)) fields.set(name, { type: deduced })
  }
  return new MapShape(schema.mapType === 'atomic', fields, elementOf(schema, fields.size > 0, preserves))
}

/** Types are found when they are first needed, and then kept. */
function once(find: Lazy): Lazy {
  let found: Type | undefined
  return () => (found ??= find())
}

const embeddedNames: ReadonlySet<string> = new Set(
  'metadata spec status template jobTemplate strategy updateStrategy loadBalancer nodeInfo daemonEndpoints names'.split(
    ' ',
  ),
)

/** Go writes these fields of built-in types even when they are empty; other fields are absent then. */
function isEmbedded(definition: string | undefined, name: string): boolean {
  if (definition === undefined || !definition.startsWith('io.k8s.')) return false
  if (name === 'containers') return definition.endsWith('.PodSpec')
  if (name === 'resources') return definition.endsWith('.PersistentVolumeClaimSpec')
  if (name === 'source') return definition.endsWith('.Event')
  return embeddedNames.has(name) && !definition.endsWith('.ReplicationControllerSpec')
}

function elementOf(schema: Schema, hasFields: boolean, preserves: boolean): Lazy | undefined {
  const additional = schema.additionalProperties
  if (additional === true) return deduced
  if (additional === false) return undefined
  if (additional) return once(() => typeOf(additional, preserves))
  return preserves || !hasFields ? deduced : undefined
}

function listOf(schema: Schema, preserves: boolean): ListShape {
  const { items } = schema
  const element: Lazy = items ? once(() => typeOf(items, preserves)) : untyped
  if (schema.listType === 'atomic') return new ListShape('atomic', [], element)
  if (schema.listType !== undefined) {
    return new ListShape('associative', schema.listType === 'map' ? (schema.listMapKeys ?? []) : [], element)
  }
  if (!schema.patchStrategy?.includes('merge')) return new ListShape('atomic', [], element)
  return new ListShape('associative', schema.patchMergeKey === undefined ? [] : [schema.patchMergeKey], element)
}

const text: Lazy = () => ({ scalar: 'string' })
const textMap: Type = { map: new MapShape(false, noFields, text) }
const metadata: Type = {
  map: new MapShape(
    false,
    new Map<string, FieldShape>([
      ['labels', { type: () => textMap }],
      ['annotations', { type: () => textMap }],
      ['finalizers', { type: () => ({ list: new ListShape('associative', [], text) }) }],
      ['ownerReferences', { type: () => ({ list: new ListShape('associative', ['uid'], () => deducedType) }) }],
      ['managedFields', { type: untyped }],
    ]),
    deduced,
  ),
}

const objectTypes = new WeakMap<Schema, Type>()

/** The type of whole objects of a kind: what the schema says, and the metadata that every object has. */
export function objectTypeOf(schema: Schema | undefined): Type {
  const root = typeOf(schema)
  const hasMetadata = schema?.properties?.get('metadata')?.definition?.endsWith('.ObjectMeta')
  if (!schema || !root.map || hasMetadata) return root
  const known = objectTypes.get(schema)
  if (known) return known
  const fields = new Map<string, FieldShape>([
    ['apiVersion', { type: text }],
    ['kind', { type: text }],
  ])
  const { map } = root
  for (const name of schema.properties?.keys() ?? []) {
    fields.set(name, { type: () => map.typeOf(name), isAlwaysThere: map.isAlwaysThere(name) })
  }
  fields.set('metadata', { type: () => metadata })
  const element = elementOf(schema, (schema.properties?.size ?? 0) > 0, schema.preserveUnknownFields === true)
  const type: Type = { map: new MapShape(map.isAtomic, fields, element) }
  objectTypes.set(schema, type)
  return type
}

/** Which shape a value takes; `any` when it is null or absent, or has none of the shapes. */
export type Shape = 'scalar' | 'list' | 'map' | 'any'

export function shapeOf(type: Type, value: unknown): Shape {
  if (value === null || value === undefined) return 'any'
  if (Array.isArray(value)) return type.list ? 'list' : 'any'
  if (typeof value === 'object') return type.map ? 'map' : 'any'
  return type.scalar ? 'scalar' : 'any'
}

/** The shape that is worked with when the value does not tell: a map before a scalar before a list. */
export function settle(type: Type, shape: Shape): Exclude<Shape, 'any'> | undefined {
  if (shape !== 'any') return shape
  return type.map ? 'map' : type.scalar ? 'scalar' : type.list ? 'list' : undefined
}

/** Whether two values of a type take the same shape; a type with one shape leaves no choice. */
export function sameShape(type: Type, a: Shape, b: Shape): boolean {
  if (a === b) return true
  return Number(type.scalar !== undefined) + Number(type.list !== undefined) + Number(type.map !== undefined) <= 1
}

/** The value under a key, read as data. */
export function fieldOf(value: unknown, name: string): unknown {
  return isObject(value) ? own(value, name) : undefined
}
