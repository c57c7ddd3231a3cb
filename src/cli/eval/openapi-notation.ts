import { isObject, own } from '../../lib/json.ts'
import type { Json } from '../../lib/json.ts'
import type { Schema } from '../../kube/schema/schema.ts'

type Node = Readonly<Record<string, unknown>>
type Mutable = { -readonly [Key in keyof Schema]: Schema[Key] }

/**
 * Reads a type out of an OpenAPI document (version 2 `definitions`, version 3 `components.schemas`): its shape and how its
 * fields merge. References may be cyclic. Undefined when the document has no such type.
 */
export function schemaFromOpenApi(document: unknown, root: string): Schema | undefined {
  if (!isObject(document)) return undefined
  const components = own(document, 'components')
  const types = own(document, 'definitions') ?? (isObject(components) ? own(components, 'schemas') : undefined)
  return isObject(types) ? new Reader(types).read(root) : undefined
}

class Reader {
  readonly #types: Node
  readonly #known = new Map<string, Mutable>()
  /** References with facts of their own: copies of types that may not have been read yet. */
  readonly #pending: (() => void)[] = []

  constructor(types: Node) {
    this.#types = types
  }

  read(root: string): Schema | undefined {
    const schema = this.#named(root)
    for (const settle of this.#pending) settle()
    return schema
  }

  #named(name: string): Schema | undefined {
    const known = this.#known.get(name)
    if (known) return known
    const node = own(this.#types, name)
    if (!isObject(node)) return undefined
    const schema: Mutable = { definition: name }
    this.#known.set(name, schema)
    Object.assign(schema, this.#read(node))
    return schema
  }

  #read(node: Node): Schema {
    const wrapped = own(node, 'allOf')
    const reference =
      own(node, '$ref') ?? (Array.isArray(wrapped) && isObject(wrapped[0]) ? wrapped[0]['$ref'] : undefined)
    if (typeof reference === 'string') {
      const target = this.#named(reference.replace(/^#\/(definitions|components\/schemas)\//, ''))
      const copy: Mutable = {}
      this.#pending.push(() => Object.assign(copy, target, mergeFacts(node)))
      return copy
    }
    const properties = own(node, 'properties')
    const items = own(node, 'items')
    const additional = own(node, 'additionalProperties')
    const type = own(node, 'type')
    return {
      ...(typeof type === 'string' ? { type: type as NonNullable<Schema['type']> } : {}),
      ...(isObject(properties) ? { properties: this.#properties(properties) } : {}),
      ...(isObject(items) ? { items: this.#read(items) } : {}),
      ...(isObject(additional) ? { additionalProperties: this.#read(additional) } : {}),
      ...(additional === true ? { additionalProperties: true } : {}),
      ...mergeFacts(node),
    }
  }

  #properties(properties: Node): ReadonlyMap<string, Schema> {
    return new Map(Object.keys(properties).map((name) => [name, this.#property(properties[name])]))
  }

  #property(node: unknown): Schema {
    return isObject(node) ? this.#read(node) : {}
  }
}

/** The facts that a field may state beside a reference. */
function mergeFacts(node: Node): Schema {
  const facts: Mutable = {}
  const strategy = own(node, 'x-kubernetes-patch-strategy')
  if (typeof strategy === 'string') facts.patchStrategy = strategy.split(',') as NonNullable<Schema['patchStrategy']>
  const mergeKey = own(node, 'x-kubernetes-patch-merge-key')
  if (typeof mergeKey === 'string') facts.patchMergeKey = mergeKey
  const listType = own(node, 'x-kubernetes-list-type')
  if (typeof listType === 'string') facts.listType = listType as NonNullable<Schema['listType']>
  const keys = own(node, 'x-kubernetes-list-map-keys')
  if (Array.isArray(keys)) facts.listMapKeys = keys.map(String)
  const mapType = own(node, 'x-kubernetes-map-type')
  if (typeof mapType === 'string') facts.mapType = mapType as NonNullable<Schema['mapType']>
  if (own(node, 'x-kubernetes-preserve-unknown-fields') === true) facts.preserveUnknownFields = true
  if (own(node, 'x-kubernetes-int-or-string') === true) facts.intOrString = true
  if (Object.hasOwn(node, 'default')) facts.default = node['default'] as Json
  return facts
}
