import type { Json } from '../../lib/json.ts'
import { apiVersionOf, type GroupVersionKind } from '../gvk.ts'
import { Definitions, type OpenApiForm } from './publish.ts'
import type { Schema } from './schema.ts'

/** A resource that a document describes. */
export interface PublishedResource extends GroupVersionKind {
  readonly plural: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  /** The type of the kind; it has a definition name. */
  readonly schema: Schema
  /** Custom resources have no strategic merge. */
  readonly isCustom?: boolean
  readonly subresources?: readonly PublishedSubresource[]
}

export interface PublishedSubresource extends GroupVersionKind {
  readonly name: string
  readonly verbs: readonly string[]
  /** Absent where the type of the subresource has no definition here. */
  readonly schema?: Schema
}

/** What a document about a set of resources is made from. */
export interface DocumentParts {
  readonly resources: readonly PublishedResource[]
  /** Further types to define, such as those of lists. */
  readonly types?: readonly Schema[]
  /** Which kinds a definition stands for. */
  readonly kindsOf: (definition: string) => readonly GroupVersionKind[]
  /** The version of Kubernetes that is spoken, such as `v1.36.0`. */
  readonly version: string
}

/** The OpenAPI version 3 document of one group and version, as `/openapi/v3/apis/apps/v1` answers it. */
export function openApiV3(parts: DocumentParts): Json {
  const definitions = new Definitions('v3', kindsWith(parts))
  for (const type of parts.types ?? []) definitions.refer(type)
  const paths = pathsOf(parts.resources, definitions, 'v3')
  return { openapi: '3.0.0', info: info(parts), paths, components: { schemas: definitions.all() } }
}

/** The OpenAPI version 2 document of everything that is served, as `/openapi/v2` answers it. */
export function openApiV2(parts: DocumentParts): Json {
  const definitions = new Definitions('v2', kindsWith(parts))
  for (const type of parts.types ?? []) definitions.refer(type)
  const paths = pathsOf(parts.resources, definitions, 'v2')
  return { swagger: '2.0', info: info(parts), paths, definitions: definitions.all() }
}

const info = ({ version }: DocumentParts): Json => ({ title: 'Kubernetes', version })

/** The kinds of the resources themselves are known without asking. */
function kindsWith({ resources, kindsOf }: DocumentParts): (definition: string) => readonly GroupVersionKind[] {
  const own = new Map<string, GroupVersionKind>()
  for (const { group, version, kind, schema } of resources) own.set(schema.definition ?? '', { group, version, kind })
  return (definition) => {
    const kind = own.get(definition)
    return kind ? [kind] : kindsOf(definition)
  }
}

const methods: readonly (readonly [string, string, string, 'collection' | 'object'])[] = [
  ['list', 'get', 'list', 'collection'],
  ['create', 'post', 'post', 'collection'],
  ['deletecollection', 'delete', 'deletecollection', 'collection'],
  ['get', 'get', 'get', 'object'],
  ['update', 'put', 'put', 'object'],
  ['patch', 'patch', 'patch', 'object'],
  ['delete', 'delete', 'delete', 'object'],
]

const writeParameters: Readonly<Record<string, readonly string[]>> = {
  post: ['dryRun', 'fieldManager', 'fieldValidation'],
  put: ['dryRun', 'fieldManager', 'fieldValidation'],
  patch: ['dryRun', 'fieldManager', 'fieldValidation', 'force'],
}

function pathsOf(resources: readonly PublishedResource[], definitions: Definitions, form: OpenApiForm): Json {
  const paths: Record<string, Json> = {}
  for (const resource of resources) {
    const root = `${resource.group === '' ? '/api/' : '/apis/'}${apiVersionOf(resource)}`
    const collection = `${root}${resource.namespaced ? '/namespaces/{namespace}' : ''}/${resource.plural}`
    const places = { collection, object: `${collection}/{name}` }
    for (const [verb, method, action, place] of methods) {
      if (!resource.verbs.includes(verb)) continue
      addOperation(paths, places[place], method, operation(resource, method, action, definitions, form))
    }
    for (const sub of resource.subresources ?? []) {
      for (const [verb, method, action] of methods) {
        if (!sub.verbs.includes(verb) || verb === 'list' || verb === 'deletecollection') continue
        const described = operation({ ...sub, isCustom: resource.isCustom === true }, method, action, definitions, form)
        addOperation(paths, `${places.object}/${sub.name}`, method, described)
      }
    }
  }
  return Object.fromEntries(Object.entries(paths).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function addOperation(paths: Record<string, Json>, path: string, method: string, described: Json): void {
  paths[path] = { ...(paths[path] as Record<string, Json> | undefined), [method]: described }
}

interface Described extends GroupVersionKind {
  readonly schema?: Schema
  readonly isCustom?: boolean
}

function operation(
  { group, version, kind, schema, isCustom }: Described,
  method: string,
  action: string,
  definitions: Definitions,
  form: OpenApiForm,
): Json {
  const reference = schema?.definition === undefined ? { type: 'object' } : definitions.refer(schema)
  const body = method === 'post' || method === 'put' || method === 'patch'
  const queries = (writeParameters[method] ?? []).map((name) => query(name, form))
  const shared = {
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind },
  }
  const types = mediaTypes(method, isCustom === true)
  if (form === 'v2') {
    const bodies = body
      ? [{ in: 'body', name: 'body', required: true, schema: method === 'patch' ? { type: 'object' } : reference }]
      : []
    return {
      consumes: types,
      produces: ['application/json', 'application/yaml'],
      parameters: [...bodies, ...queries],
      responses: { '200': { description: 'OK', schema: reference } },
      ...shared,
    }
  }
  const content = (value: Json): Json => Object.fromEntries(types.map((type) => [type, { schema: value }]))
  return {
    ...(queries.length > 0 ? { parameters: queries } : {}),
    ...(body
      ? { requestBody: { content: content(method === 'patch' ? { type: 'object' } : reference), required: true } }
      : {}),
    responses: { '200': { description: 'OK', content: { 'application/json': { schema: reference } } } },
    ...shared,
  }
}

function mediaTypes(method: string, isCustom: boolean): readonly string[] {
  if (method !== 'patch') return ['application/json', 'application/yaml']
  return [
    'application/json-patch+json',
    'application/merge-patch+json',
    ...(isCustom ? [] : ['application/strategic-merge-patch+json']),
    'application/apply-patch+yaml',
  ]
}

function query(name: string, form: OpenApiForm): Json {
  const type = name === 'force' ? 'boolean' : 'string'
  return form === 'v2' ? { in: 'query', name, type } : { in: 'query', name, schema: { type } }
}
