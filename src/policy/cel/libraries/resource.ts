import { type Library, overload, type Overload } from '../../../lang/cel/library/library.ts'
import { opaque } from '../../../lang/cel/type.ts'
import { CelObject } from '../../../lang/cel/value/boxed.ts'
import type { MapValue } from '../../../lang/cel/value/map.ts'
import { type Outside, plainData, resourceType, textMap, valueOf } from './outside.ts'

const collectionType = opaque('schema.GroupVersionResource')

/** A collection by name, as `toGVR` answers it. */
class Collection extends CelObject {
  readonly type = collectionType
  readonly apiVersion: string
  readonly resource: string

  constructor(apiVersion: string, resource: string) {
    super()
    this.apiVersion = apiVersion
    this.resource = resource
  }

  equals(other: unknown): boolean {
    return other instanceof Collection && other.apiVersion === this.apiVersion && other.resource === this.resource
  }
}

/** Where: a collection, and a namespace (none for what is in no namespace). */
interface Place {
  readonly apiVersion: string
  readonly resource: string
  readonly namespace: string
}

const placeOf = ({
  apiVersion,
  resource,
  namespace,
}: Place): { readonly apiVersion: string; readonly plural: string; readonly namespace?: string } => ({
  apiVersion,
  plural: resource,
  ...(namespace === '' ? {} : { namespace }),
})

const get = (self: Outside, place: Place, name: string): unknown =>
  valueOf(self, { what: 'resource', ...placeOf(place), name }, 'failed to get resource')

function list(self: Outside, place: Place, labels?: MapValue): unknown {
  const selector = Object.entries(labels ? textMap(labels) : {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  const need = { what: 'resources', ...placeOf(place), ...(selector === '' ? {} : { selector }) } as const
  return valueOf(self, need, 'failed to list resource')
}

const post = (self: Outside, place: Place, body: unknown): unknown =>
  valueOf(self, { what: 'created', ...placeOf(place), body: plainData(body) }, 'failed to create resource')

function collectionOf(self: Outside, apiVersion: string, kind: string): Collection {
  const plural = valueOf(self, { what: 'plural', apiVersion, kind }, 'failed to map kind to resource')
  return new Collection(apiVersion, typeof plural === 'string' ? plural : '')
}

const C = resourceType.name
const G = collectionType.name
const OBJECT = 'map<string, any>'
const LABELS = 'map<string, string>'

/** `resource.Get` and `resource.get`: every function has both spellings. */
function both(
  id: string,
  name: string,
  signature: (name: string) => string,
  run: Overload['run'],
): readonly Overload[] {
  const camel = name === 'ToGVR' ? 'toGVR' : name.toLowerCase()
  return [overload(`${id}_pascal`, signature(name), run), overload(`${id}_camel`, signature(camel), run)]
}

const shared: readonly Overload[] = both(
  'convert_to_gvr_string_string',
  'ToGVR',
  (name) => `${C} -> ${name}(string, string): ${G}`,
  collectionOf,
)

/** The library of policies that are in no namespace: they say where to look. */
const clusterOverloads: readonly Overload[] = [
  ...shared,
  ...both(
    'resource_list_string_string_string',
    'List',
    (name) => `${C} -> ${name}(string, string, string): ${OBJECT}`,
    (self: Outside, apiVersion: string, resource: string, namespace: string) =>
      list(self, { apiVersion, resource, namespace }),
  ),
  ...both(
    'resource_list_string_string_string_map',
    'List',
    (name) => `${C} -> ${name}(string, string, string, ${LABELS}): ${OBJECT}`,
    (...[self, apiVersion, resource, namespace, labels]: [Outside, string, string, string, MapValue]) =>
      list(self, { apiVersion, resource, namespace }, labels),
  ),
  ...both(
    'list_resources_gvr_string',
    'List',
    (name) => `${C} -> ${name}(${G}, string): ${OBJECT}`,
    (self: Outside, { apiVersion, resource }: Collection, namespace: string) =>
      list(self, { apiVersion, resource, namespace }),
  ),
  ...both(
    'list_resources_gvr_string_map',
    'List',
    (name) => `${C} -> ${name}(${G}, string, ${LABELS}): ${OBJECT}`,
    (self: Outside, { apiVersion, resource }: Collection, namespace: string, labels: MapValue) =>
      list(self, { apiVersion, resource, namespace }, labels),
  ),
  ...both(
    'resource_get_string_string_string_string',
    'Get',
    (name) => `${C} -> ${name}(string, string, string, string): ${OBJECT}`,
    (...[self, apiVersion, resource, namespace, name]: [Outside, string, string, string, string]) =>
      get(self, { apiVersion, resource, namespace }, name),
  ),
  ...both(
    'resource_get_gvr_string_string',
    'Get',
    (name) => `${C} -> ${name}(${G}, string, string): ${OBJECT}`,
    (self: Outside, { apiVersion, resource }: Collection, namespace: string, name: string) =>
      get(self, { apiVersion, resource, namespace }, name),
  ),
  ...both(
    'resource_post_string_string_string_map',
    'Post',
    (name) => `${C} -> ${name}(string, string, string, ${OBJECT}): ${OBJECT}`,
    (...[self, apiVersion, resource, namespace, body]: [Outside, string, string, string, unknown]) =>
      post(self, { apiVersion, resource, namespace }, body),
  ),
  ...both(
    'resource_post_string_string_map',
    'Post',
    (name) => `${C} -> ${name}(string, string, ${OBJECT}): ${OBJECT}`,
    (self: Outside, apiVersion: string, resource: string, body: unknown) =>
      post(self, { apiVersion, resource, namespace: '' }, body),
  ),
]

/** The library of policies in a namespace: they see nothing else. */
const namespacedOverloads = (namespace: string): readonly Overload[] => [
  ...shared,
  ...both(
    'resource_list_string_string',
    'List',
    (name) => `${C} -> ${name}(string, string): ${OBJECT}`,
    (self: Outside, apiVersion: string, resource: string) => list(self, { apiVersion, resource, namespace }),
  ),
  ...both(
    'resource_list_string_string_map',
    'List',
    (name) => `${C} -> ${name}(string, string, ${LABELS}): ${OBJECT}`,
    (self: Outside, apiVersion: string, resource: string, labels: MapValue) =>
      list(self, { apiVersion, resource, namespace }, labels),
  ),
  ...both(
    'list_resources_gvr',
    'List',
    (name) => `${C} -> ${name}(${G}): ${OBJECT}`,
    (self: Outside, { apiVersion, resource }: Collection) => list(self, { apiVersion, resource, namespace }),
  ),
  ...both(
    'list_resources_gvr_map',
    'List',
    (name) => `${C} -> ${name}(${G}, ${LABELS}): ${OBJECT}`,
    (self: Outside, { apiVersion, resource }: Collection, labels: MapValue) =>
      list(self, { apiVersion, resource, namespace }, labels),
  ),
  ...both(
    'resource_get_string_string_string',
    'Get',
    (name) => `${C} -> ${name}(string, string, string): ${OBJECT}`,
    (self: Outside, apiVersion: string, resource: string, name: string) =>
      get(self, { apiVersion, resource, namespace }, name),
  ),
  ...both(
    'resource_get_gvr_string',
    'Get',
    (name) => `${C} -> ${name}(${G}, string): ${OBJECT}`,
    (self: Outside, { apiVersion, resource }: Collection, name: string) =>
      get(self, { apiVersion, resource, namespace }, name),
  ),
  ...both(
    'resource_post_string_string_map',
    'Post',
    (name) => `${C} -> ${name}(string, string, ${OBJECT}): ${OBJECT}`,
    (self: Outside, apiVersion: string, resource: string, body: unknown) =>
      post(self, { apiVersion, resource, namespace }, body),
  ),
]

/** `resource.get(apiVersion, resource, namespace, name)` and its kin; policies in a namespace leave the namespace out. */
export const resourceLibrary = (namespace: string): Library => ({
  name: 'kyverno.resource',
  types: [resourceType, collectionType],
  overloads: namespace === '' ? clusterOverloads : namespacedOverloads(namespace),
})
