import { isObject, own } from '../../../lib/json.ts'
import { Refusal } from '../refusal.ts'
import { type FieldShape, type Lazy, ListShape, MapShape, type Type, untypedType } from './type.ts'

type Node = Readonly<Record<string, unknown>>

/** Types in the notation of structured-merge-diff: `types: [{name, scalar | list | map}]`. */
export class TypeNotation {
  readonly #nodes = new Map<string, Node>()
  readonly #types = new Map<string, Type>()

  constructor(document: unknown) {
    const types = isObject(document) ? own(document, 'types') : undefined
    if (!Array.isArray(types)) malformed('types', 'the notation must be an object with a list of types')
    for (const node of types as readonly unknown[]) {
      const name = isObject(node) ? own(node, 'name') : undefined
      if (!isObject(node) || typeof name !== 'string') malformed('types', 'every type must have a name')
      this.#nodes.set(name, node)
    }
  }

  /** A named type; undefined when there is none. Types are read when they are asked for, as they may refer to each other. */
  named(name: string): Type | undefined {
    const known = this.#types.get(name)
    if (known) return known
    const node = this.#nodes.get(name)
    if (!node) return name === '__untyped_atomic_' ? untypedType : undefined
    const type = this.#atom(node)
    this.#types.set(name, type)
    return type
  }

  #atom(node: Node): Type {
    const scalar = own(node, 'scalar')
    const list = own(node, 'list')
    const map = own(node, 'map')
    return {
      ...(typeof scalar === 'string' ? { scalar: scalar as NonNullable<Type['scalar']> } : {}),
      ...(isObject(list) ? { list: this.#list(list) } : {}),
      ...(isObject(map) ? { map: this.#map(map) } : {}),
    }
  }

  /** A reference: a name or an inlined type, whose relation may be overridden here. */
  #reference(node: unknown): Lazy {
    if (!isObject(node)) return () => undefined
    let found: { readonly type: Type | undefined } | undefined
    return () => (found ??= { type: this.#resolve(node) }).type
  }

  #resolve(node: Node): Type | undefined {
    const name = own(node, 'namedType')
    const type = typeof name === 'string' ? this.named(name) : this.#atom(node)
    const relation = own(node, 'elementRelationship')
    if (!type || typeof relation !== 'string') return type
    if (type.map) return { ...type, map: type.map.withRelation(relation === 'atomic') }
    return type.list ? { ...type, list: type.list.withRelation(listRelation(relation)) } : undefined
  }

  #list(node: Node): ListShape {
    const keys = own(node, 'keys')
    return new ListShape(
      listRelation(own(node, 'elementRelationship')),
      Array.isArray(keys) ? keys.map(String) : [],
      this.#reference(own(node, 'elementType')),
    )
  }

  #map(node: Node): MapShape {
    const fields = new Map<string, FieldShape>()
    const listed = own(node, 'fields')
    for (const field of Array.isArray(listed) ? (listed as readonly unknown[]) : []) {
      const name = isObject(field) ? own(field, 'name') : undefined
      if (!isObject(field) || typeof name !== 'string') malformed('fields', 'every field must have a name')
      fields.set(name, { type: this.#reference(own(field, 'type')), default: own(field, 'default') ?? undefined })
    }
    const element = own(node, 'elementType')
    return new MapShape(
      own(node, 'elementRelationship') === 'atomic',
      fields,
      isObject(element) ? this.#reference(element) : undefined,
    )
  }
}

function listRelation(relation: unknown): ListShape['relation'] {
  return relation === 'atomic' || relation === 'associative' ? relation : 'undeclared'
}

function malformed(at: string, message: string): never {
  throw new Refusal({ code: 'apply-types-invalid', at, message })
}
