import { isObject, own } from '../../../lib/json.ts'

/** How a part of an object merges: only what matters to merging is here, everything else merges by its shape. */
export interface MergeSchema {
  readonly fields?: ReadonlyMap<string, MergeSchema>
  /** Of any field that `fields` does not name. */
  readonly values?: MergeSchema
  readonly items?: MergeSchema
  /** The keys by which the items of a list are told apart; an empty list of keys means that scalars are; absent: the list is one value. */
  readonly mergeKeys?: readonly string[]
}

/** What is known of kinds: how they merge, and whether they live in namespaces. */
export interface MergeTable {
  schemaOf(apiVersion: string, kind: string): MergeSchema | undefined
  /** Undefined for a kind that is not in the table. */
  isNamespaced(apiVersion: string, kind: string): boolean | undefined
}

/**
 * The packed form, written by tools/generate-kustomize.ts: a line per definition with its fields (`name:5` a definition,
 * `[5` a list of it, `{5` a map to it, `+key+key` where a list merges), a line `=`, and a line per kind
 * (`apps/v1 Deployment N12`: namespaced or cluster-wide, and its definition).
 */
export function readMergeTable(text: string): MergeTable {
  const [definitionText = '', kindText = ''] = text.split('\n=\n')
  const lines = definitionText.split('\n')
  const kinds = new Map(
    kindText.split('\n').map((line) => {
      const [apiVersion = '', kind = '', entry = ''] = line.split(' ')
      return [`${apiVersion} ${kind}`, entry]
    }),
  )
  const nodes = new Map<number, MergeSchema>()
  const definition = (number: number): MergeSchema => {
    const known = nodes.get(number)
    if (known) return known
    const fields = new Map<string, MergeSchema>()
    const node = { fields }
    nodes.set(number, node)
    for (const field of (lines[number] ?? '').split(' ')) {
      const colon = field.indexOf(':')
      if (colon > 0) fields.set(field.slice(0, colon), typeOf(field.slice(colon + 1)))
    }
    return node
  }
  const typeOf = (type: string): MergeSchema => {
    if (type.startsWith('{')) return { values: typeOf(type.slice(1)) }
    if (!type.startsWith('[')) return definition(Number(type))
    const [inner = '', ...keys] = type.slice(1).split('+')
    const items = inner === '' ? {} : { items: typeOf(inner) }
    return type.includes('+') ? { ...items, mergeKeys: keys.filter((key) => key !== '') } : items
  }
  const entryOf = (apiVersion: string, kind: string): string => kinds.get(`${apiVersion} ${kind}`) ?? ''
  return {
    schemaOf(apiVersion, kind) {
      const number = entryOf(apiVersion, kind).slice(1)
      return number === '' ? undefined : definition(Number(number))
    },
    isNamespaced(apiVersion, kind) {
      const scope = entryOf(apiVersion, kind).charAt(0)
      return scope === 'N' ? true : scope === 'C' ? false : undefined
    },
  }
}

type Definitions = Readonly<Record<string, unknown>>

/** A table from an OpenAPI document that a kustomization brings along; kinds it does not define are not known. */
export function tableOfOpenApi(document: unknown): MergeTable {
  const definitions: Definitions =
    isObject(document) && isObject(document['definitions']) ? document['definitions'] : {}
  const kinds = new Map<string, string>()
  for (const [name, node] of Object.entries(definitions)) {
    const identities = isObject(node) ? node['x-kubernetes-group-version-kind'] : undefined
    for (const identity of Array.isArray(identities) ? (identities as readonly unknown[]) : []) {
      if (!isObject(identity)) continue
      const group = typeof identity['group'] === 'string' && identity['group'] !== '' ? `${identity['group']}/` : ''
      kinds.set(`${group}${String(identity['version'])} ${String(identity['kind'])}`, name)
    }
  }
  const scopes = scopesOfPaths(document)
  const nodes = new Map<string, MergeSchema>()
  return {
    schemaOf(apiVersion, kind) {
      const name = kinds.get(`${apiVersion} ${kind}`)
      return name === undefined ? undefined : named(name, definitions, nodes)
    },
    isNamespaced: (apiVersion, kind) => scopes.get(`${apiVersion} ${kind}`),
  }
}

/** A kind is namespaced when a path with a namespace serves it. */
function scopesOfPaths(document: unknown): ReadonlyMap<string, boolean> {
  const scopes = new Map<string, boolean>()
  const paths = isObject(document) && isObject(document['paths']) ? document['paths'] : {}
  for (const [path, methods] of Object.entries(paths)) {
    const get = isObject(methods) && isObject(methods['get']) ? methods['get'] : {}
    const identity = get['x-kubernetes-group-version-kind']
    if (!isObject(identity) || !path.endsWith('}')) continue
    const group = typeof identity['group'] === 'string' && identity['group'] !== '' ? `${identity['group']}/` : ''
    const key = `${group}${String(identity['version'])} ${String(identity['kind'])}`
    scopes.set(key, scopes.get(key) === true || path.includes('namespaces/{namespace}'))
  }
  return scopes
}

function named(name: string, definitions: Definitions, nodes: Map<string, MergeSchema>): MergeSchema | undefined {
  const known = nodes.get(name)
  if (known) return known
  const definition = own(definitions, name)
  if (!isObject(definition)) return undefined
  const fields = new Map<string, MergeSchema>()
  nodes.set(name, { fields })
  const properties = isObject(definition['properties']) ? definition['properties'] : {}
  for (const [field, node] of Object.entries(properties)) {
    const schema = schemaOfNode(node, definitions, nodes)
    if (schema) fields.set(field, schema)
  }
  return nodes.get(name)
}

function schemaOfNode(
  node: unknown,
  definitions: Definitions,
  nodes: Map<string, MergeSchema>,
  depth: number = 0,
): MergeSchema | undefined {
  if (!isObject(node) || depth > 50) return undefined
  const ref = node['$ref']
  if (typeof ref === 'string') return named(ref.replace('#/definitions/', ''), definitions, nodes)
  const below = (part: unknown): MergeSchema | undefined => schemaOfNode(part, definitions, nodes, depth + 1)
  const items = below(node['items'])
  const values = below(node['additionalProperties'])
  const properties = isObject(node['properties']) ? Object.entries(node['properties']) : []
  const fields = properties.flatMap(([name, part]) => {
    const schema = below(part)
    return schema ? [[name, schema] as const] : []
  })
  const mergeKeys = mergeKeysOf(node)
  return {
    ...(fields.length > 0 ? { fields: new Map(fields) } : {}),
    ...(items ? { items } : {}),
    ...(values ? { values } : {}),
    ...(mergeKeys ? { mergeKeys } : {}),
  }
}

function mergeKeysOf(node: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const strategy = node['x-kubernetes-patch-strategy']
  if (typeof strategy !== 'string' || !strategy.split(',').includes('merge')) return undefined
  const keys = node['x-kubernetes-list-map-keys']
  if (Array.isArray(keys)) return keys.map(String)
  const key = node['x-kubernetes-patch-merge-key']
  return typeof key === 'string' && key !== '' ? [key] : []
}
