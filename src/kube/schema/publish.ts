import { isObject, type Json, setOwn } from '../../lib/json.ts'
import type { GroupVersionKind } from '../gvk.ts'
import type { Schema } from './schema.ts'

/** Which of the two forms of OpenAPI a document is in. They differ in where definitions are, and in what they can say. */
export type OpenApiForm = 'v2' | 'v3'

type Document = Record<string, Json>

/** Definitions on their way into a document: each once, by name, with those they refer to. */
export class Definitions {
  readonly #form: OpenApiForm
  readonly #kindsOf: (definition: string) => readonly GroupVersionKind[]
  readonly #done = new Map<string, Json>()
  readonly #waiting: Schema[] = []

  constructor(form: OpenApiForm, kindsOf: (definition: string) => readonly GroupVersionKind[]) {
    this.#form = form
    this.#kindsOf = kindsOf
  }

  /** Makes sure that a named node is defined, and answers how to refer to it. */
  refer(schema: Schema): Json {
    const name = schema.definition ?? ''
    if (!this.#done.has(name)) {
      this.#done.set(name, null)
      this.#waiting.push(schema)
    }
    return { $ref: `${this.#form === 'v2' ? '#/definitions/' : '#/components/schemas/'}${name}` }
  }

  /** Every definition that was referred to, and those they refer to, sorted by name. */
  all(): Json {
    for (let schema = this.#waiting.pop(); schema; schema = this.#waiting.pop()) {
      const name = schema.definition ?? ''
      const document = this.#body(schema)
      const kinds = this.#kindsOf(name)
      if (kinds.length > 0) document['x-kubernetes-group-version-kind'] = kinds.map((kind) => ({ ...kind }))
      this.#done.set(name, document)
    }
    return Object.fromEntries([...this.#done].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** A node where it is used: a reference when it has a name, with what the place adds to it. */
  at(schema: Schema): Json {
    if (schema.definition === undefined) return this.#body(schema)
    const reference = this.refer(schema)
    const added = placeFacts(schema)
    if (Object.keys(added).length === 0) return reference
    return this.#form === 'v2' ? { ...(reference as Document), ...added } : { allOf: [reference], ...added }
  }

  #body(schema: Schema): Document {
    const document: Document = {}
    const isOpen = this.#form === 'v2' && (schema.preserveUnknownFields === true || schema.nullable === true)
    writeType(schema, document, this.#form)
    if (schema.nullable && this.#form === 'v3') document['nullable'] = true
    for (const name of plainKeywords) {
      const value = schema[name]
      if (value !== undefined) document[name] = value as Json // keywords with JSON values
    }
    if (schema.properties && !isOpen) {
      const properties: Document = {}
      for (const [name, node] of schema.properties) setOwn(properties, name, this.at(node))
      if (schema.properties.size > 0) document['properties'] = properties
    }
    if (schema.items) document['items'] = this.at(schema.items)
    const more = schema.additionalProperties
    if (isObject(more)) document['additionalProperties'] = this.at(more)
    else if (typeof more === 'boolean' && this.#form === 'v3') document['additionalProperties'] = more
    if (this.#form === 'v3') this.#writeJunctions(schema, document)
    return Object.assign(document, extensions(schema), schema.definition === undefined ? placeFacts(schema) : {})
  }

  #writeJunctions(schema: Schema, document: Document): void {
    for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
      const branches = schema[name]
      if (branches && schema.preserveUnknownFields !== true) document[name] = branches.map((branch) => this.at(branch))
    }
    if (schema.not) document['not'] = this.at(schema.not)
  }
}

const plainKeywords = [
  'required',
  'enum',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
] as const

/** Quantities and int-or-strings are two types at once, which only version 3 can say. */
function writeType(schema: Schema, document: Document, form: OpenApiForm): void {
  if (schema.format === 'quantity') {
    if (form === 'v2') document['type'] = 'string'
    else document['oneOf'] = [{ type: 'string' }, { type: 'number' }]
    return
  }
  if (schema.intOrString && schema.definition !== undefined) {
    document['format'] = 'int-or-string'
    if (form === 'v2') document['type'] = 'string'
    else document['oneOf'] = [{ type: 'integer' }, { type: 'string' }]
    return
  }
  if (schema.type) document['type'] = schema.type
  if (schema.format) document['format'] = schema.format
}

/** What belongs to the place where a node is used rather than to the type. */
function placeFacts(schema: Schema): Document {
  const facts: Document = {}
  if (schema.default !== undefined) facts['default'] = schema.default
  if (schema.patchStrategy) facts['x-kubernetes-patch-strategy'] = schema.patchStrategy.join(',')
  if (schema.patchMergeKey) facts['x-kubernetes-patch-merge-key'] = schema.patchMergeKey
  return facts
}

function extensions(schema: Schema): Document {
  const facts: Document = {}
  if (schema.listType) facts['x-kubernetes-list-type'] = schema.listType
  if (schema.listMapKeys) facts['x-kubernetes-list-map-keys'] = schema.listMapKeys
  if (schema.mapType) facts['x-kubernetes-map-type'] = schema.mapType
  if (schema.preserveUnknownFields && schema.definition === undefined) {
    facts['x-kubernetes-preserve-unknown-fields'] = true
  }
  if (schema.embeddedResource) facts['x-kubernetes-embedded-resource'] = true
  if (schema.intOrString && schema.definition === undefined) facts['x-kubernetes-int-or-string'] = true
  if (schema.validations) facts['x-kubernetes-validations'] = schema.validations.map((rule) => ({ ...rule }))
  return facts
}

/** The name under which documents define a custom resource: `io.example.v1.Widget` for a Widget of `example.io/v1`. */
export function definitionNameOf({ group, version, kind }: GroupVersionKind): string {
  return [...group.split('.').toReversed(), version, kind].join('.')
}

/** A custom resource's type as a whole object: with its name, and with the metadata that its own schema leaves out. */
export function customResourceSchema(structural: Schema, gvk: GroupVersionKind, objectMeta: Schema): Schema {
  const properties = new Map<string, Schema>([
    ['apiVersion', { type: 'string' }],
    ['kind', { type: 'string' }],
    ['metadata', objectMeta],
  ])
  for (const [name, node] of structural.properties ?? []) {
    if (!properties.has(name)) properties.set(name, node)
  }
  return { ...structural, type: 'object', definition: definitionNameOf(gvk), properties }
}
