import type { Schema } from '../../../kube/schema/schema.ts'
import type { MessageProvider } from '../environment.ts'
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  stringType,
  structType,
  timestampType,
} from '../type.ts'
import { escapeName } from './escape.ts'

/** The largest request that the API server takes; what no limit bounds is bounded by it. */
export const MAX_REQUEST: number = 3 * 1024 * 1024
const MAX_DURATION = 32
const MAX_DATE_TIME = 32
const DATE_LENGTH = 12
const MIN_DATE_TIME = 21
const MIN_DURATION = 3
const MAX_NAME = 253

/** What a schema node is to an expression: its type, and how large its values can be. */
export interface Declaration {
  readonly type: CelType
  /** The most characters, items or entries that a value can have. */
  readonly maxElements: number
  /** The fewest bytes that a value takes in a request. */
  readonly minSize: number
  /** By escaped name. */
  readonly fields?: ReadonlyMap<string, Declaration>
  readonly items?: Declaration
  readonly keys?: Declaration
}

const simple = (type: CelType, minSize: number, maxElements = 0): Declaration => ({ type, minSize, maxElements })
/** Upstream counts nothing for the length of keys, and limits are compared with what it counts. */
const keyDeclaration = simple(stringType, 2)

/** The root of a resource has these, whatever its schema says, and nothing else in its metadata. */
export function withObjectMeta(schema: Schema): Schema {
  const text: Schema = { type: 'string' }
  const known = schema.properties?.get('metadata')?.properties
  const capped = (name: string, most: number): Schema => {
    return { type: 'string', maxLength: Math.min(known?.get(name)?.maxLength ?? most, most) }
  }
  const metadata: Schema = {
    type: 'object',
    properties: new Map([
      ['name', capped('name', MAX_NAME)],
      ['generateName', capped('generateName', MAX_NAME - 1)],
    ]),
  }
  const properties = new Map(schema.properties)
  properties.set('kind', text)
  properties.set('apiVersion', text)
  properties.set('metadata', metadata)
  return { ...schema, properties }
}

/** How deep schemas may nest before a node is no longer exposed; structural schemas are shallower, cycles end here. */
const MAX_DEPTH = 100

/** The types that schemas give to variables; each object node is a message type of its own. */
export class SchemaTypes implements MessageProvider {
  readonly #objects = new Map<string, Declaration>()

  /** Declares a schema under a type name. Undefined when expressions cannot see such values. */
  declare(name: string, schema: Schema, isResourceRoot = false): Declaration | undefined {
    return this.#declare(name, schema, isResourceRoot, 0)
  }

  findType(name: string): CelType | undefined {
    return this.#objects.get(name)?.type
  }

  fieldType(message: string, field: string): CelType | undefined {
    return this.#objects.get(message)?.fields?.get(field)?.type
  }

  #declare(name: string, schema: Schema, isRoot: boolean, depth: number): Declaration | undefined {
    if (depth > MAX_DEPTH) return undefined
    if (schema.intOrString) {
      return simple(dynType, 1, schema.maxLength === undefined ? MAX_REQUEST - 2 : schema.maxLength * 4)
    }
    switch (schema.type) {
      case 'array':
        return this.#list(name, schema, depth)
      case 'object':
        return this.#object(name, isRoot ? withObjectMeta(schema) : schema, depth)
      case 'string':
        return declareString(schema)
      case 'boolean':
        return simple(boolType, 4)
      case 'number':
        return simple(doubleType, 1)
      case 'integer':
        return simple(intType, 1)
      default:
        return undefined
    }
  }

  #list(name: string, { items: schema, maxItems }: Schema, depth: number): Declaration | undefined {
    const items = schema && this.#declare(`${name}.@idx`, schema, schema.embeddedResource === true, depth + 1)
    if (!items) return undefined
    const maxElements = maxItems ?? Math.floor((MAX_REQUEST - 2) / (items.minSize + 1))
    return { type: listOf(items.type), minSize: 2, maxElements, items }
  }

  #object(name: string, schema: Schema, depth: number): Declaration | undefined {
    const values = schema.additionalProperties
    if (typeof values === 'object') {
      const items = this.#declare(`${name}.@elem`, values, values.embeddedResource === true, depth + 1)
      if (!items) return undefined
      const maxElements = schema.maxProperties ?? Math.floor((MAX_REQUEST - 2) / (items.minSize + 6))
      return { type: mapOf(stringType, items.type), minSize: 2, maxElements, items, keys: keyDeclaration }
    }
    const fields = new Map<string, Declaration>()
    const required = new Set(schema.required)
    let minSize = 2
    for (const [property, node] of schema.properties ?? []) {
      const escaped = escapeName(property)
      const field = this.#declare(`${name}.${property}`, node, node.embeddedResource === true, depth + 1)
      if (!field) continue
      if (escaped !== undefined) fields.set(escaped, field)
      if (required.has(property) && node.default === undefined) minSize += property.length + field.minSize + 4
    }
    const declaration = { type: structType(name), minSize, maxElements: 0, fields }
    this.#objects.set(name, declaration)
    return declaration
  }
}

function declareString(schema: Schema): Declaration {
  switch (schema.format) {
    case 'byte':
      return simple(bytesType, 2, schema.maxLength ?? MAX_REQUEST - 2)
    case 'duration':
      return simple(durationType, MIN_DURATION, MAX_DURATION)
    case 'date':
      return simple(timestampType, DATE_LENGTH, DATE_LENGTH)
    case 'date-time':
      return simple(timestampType, MIN_DATE_TIME, MAX_DATE_TIME)
    default:
  }
  if (schema.maxLength !== undefined) return simple(stringType, 2, schema.maxLength * 4)
  if (schema.enum && schema.enum.length > 0) {
    return simple(
      stringType,
      2,
      Math.max(...schema.enum.map((value) => (typeof value === 'string' ? value.length : 0))),
    )
  }
  return simple(stringType, 2, MAX_REQUEST - 2)
}
