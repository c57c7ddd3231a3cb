import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { GroupVersionKind } from '../../kube/gvk.ts'
import { type BuiltinSchemas, builtinSchemas } from '../../kube/schema/builtin.ts'
import { openApiV2, openApiV3, type PublishedResource } from '../../kube/schema/openapi.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { readData } from '../../lib/data-file.ts'
import type { Registry } from '../resources/registry.ts'
import type { ServedResource } from '../resources/resource.ts'
import { versionInfo } from './version.ts'

/** One document with the hash by which clients know it again. */
export interface OpenApiDocument {
  readonly bytes: Buffer
  readonly hash: string
}

/** The OpenAPI documents of what is served, each made when it is first asked for and kept until its resources change. */
export interface OpenApiDocuments {
  /** Where the document of each group and version is, by `api/v1` and `apis/apps/v1`. */
  index(registry: Registry): unknown
  /** Undefined where nothing is served at the path. */
  document(registry: Registry, path: string): OpenApiDocument | undefined
  /** Everything in the old form. */
  whole(registry: Registry): OpenApiDocument
}

export function openApiDocuments(): OpenApiDocuments {
  const schemas = builtinSchemas(readData)
  const kindsOf = kindsByDefinition(schemas)
  const made = new Map<string, OpenApiDocument>()
  let whole: (OpenApiDocument & { readonly generation: number }) | undefined
  const version = versionInfo.gitVersion
  return {
    index(registry) {
      const paths = Object.fromEntries(
        [...pathsOf(registry)].map(([path, resources]) => [
          path,
          { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOf(resources)}` },
        ]),
      )
      return { paths }
    },
    document(registry, path) {
      const resources = pathsOf(registry).get(path)
      if (!resources) return undefined
      const hash = hashOf(resources)
      const known = made.get(path)
      if (known?.hash === hash) return known
      const published = resources.flatMap((resource) => publish(resource, schemas))
      const bytes = Buffer.from(
        JSON.stringify(openApiV3({ resources: published, kindsOf, version, types: optionTypes(schemas) })),
      )
      const document = { bytes, hash }
      made.set(path, document)
      return document
    },
    whole(registry) {
      if (whole?.generation === registry.generation) return whole
      const published = registry.resources.flatMap((resource) => publish(resource, schemas))
      const bytes = Buffer.from(JSON.stringify(openApiV2({ resources: published, kindsOf, version })))
      whole = { bytes, hash: hashOf(registry.resources), generation: registry.generation }
      return whole
    },
  }
}

/** What is served in each group and version. */
function pathsOf(registry: Registry): ReadonlyMap<string, readonly ServedResource[]> {
  const paths = new Map<string, ServedResource[]>()
  for (const resource of registry.resources) {
    const path = resource.group === '' ? `api/${resource.version}` : `apis/${resource.group}/${resource.version}`
    const known = paths.get(path)
    if (known) known.push(resource)
    else paths.set(path, [resource])
  }
  return paths
}

/** Built-in resources never change; a custom one does with its definition. */
function identityOf({ group, version, plural, definedAt }: ServedResource): string {
  return `${group}/${version}/${plural}#${definedAt ?? ''}`
}

function hashOf(resources: readonly ServedResource[]): string {
  const hash = createHash('sha512').update(versionInfo.gitVersion)
  for (const resource of resources) hash.update(`${identityOf(resource)}\n`)
  return hash.digest('hex').toUpperCase()
}

function kindsByDefinition(schemas: BuiltinSchemas): (definition: string) => readonly GroupVersionKind[] {
  let known: Map<string, GroupVersionKind[]> | undefined
  const build = (): Map<string, GroupVersionKind[]> => {
    const found = new Map<string, GroupVersionKind[]>()
    for (const { definition, group, version, kind } of schemas.kinds()) {
      const kinds = found.get(definition) ?? []
      kinds.push({ group, version, kind })
      found.set(definition, kinds)
    }
    return found
  }
  return (definition) => (known ??= build()).get(definition) ?? []
}

function optionTypes(schemas: BuiltinSchemas): readonly Schema[] {
  const names = ['DeleteOptions', 'Status', 'WatchEvent']
  return names.flatMap((name) => schemas.definition(`io.k8s.apimachinery.pkg.apis.meta.v1.${name}`) ?? [])
}

function publish(resource: ServedResource, schemas: BuiltinSchemas): readonly PublishedResource[] {
  const { group, version, kind, plural, namespaced, verbs, typing, subresources } = resource
  return [
    {
      group,
      version,
      kind,
      plural,
      namespaced,
      verbs,
      schema: typing.schema,
      isCustom: resource.definedBy !== undefined,
      subresources: [...subresources.values()].map((sub) => {
        const schema = sub.kind === kind ? typing.schema : schemas.schemaOf(sub)
        const { name, kind: subKind, group: subGroup, version: subVersion } = sub
        return {
          name,
          kind: subKind,
          group: subGroup,
          version: subVersion,
          verbs: sub.verbs,
          ...(schema ? { schema } : {}),
        }
      }),
    },
  ]
}
