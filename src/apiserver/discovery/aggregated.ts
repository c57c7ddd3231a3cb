import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Registry } from '../resources/registry.ts'
import type { ServedResource, Subresource } from '../resources/resource.ts'
import { namedGroups } from './documents.ts'

/** A document with the tag by which a client knows that it has it. */
export interface TaggedDocument {
  readonly bytes: Buffer
  readonly etag: string
  readonly contentType: string
}

const made = new WeakMap<Registry, Map<string, TaggedDocument>>()

/** Everything that is served, in one document: `/api` holds the core group and `/apis` the others. Made once per registry. */
export function aggregatedDiscovery(registry: Registry, path: '/api' | '/apis', version: string): TaggedDocument {
  const documents = made.get(registry) ?? new Map<string, TaggedDocument>()
  made.set(registry, documents)
  const known = documents.get(path + version)
  if (known) return known
  const groups = path === '/api' ? [''] : namedGroups(registry)
  const bytes = Buffer.from(
    JSON.stringify({
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: groups.map((group) => groupItem(registry, group)),
    }),
  )
  const document: TaggedDocument = {
    bytes,
    etag: createHash('sha512').update(bytes).digest('hex').toUpperCase(),
    contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
  }
  documents.set(path + version, document)
  return document
}

function groupItem(registry: Registry, group: string): unknown {
  return {
    metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
    versions: (registry.versionsOf(group) ?? []).map((version) => ({
      version,
      resources: registry.resources
        .filter((resource) => resource.group === group && resource.version === version)
        .map(resourceItem),
      freshness: 'Current',
    })),
  }
}

function resourceItem(resource: ServedResource): unknown {
  const { group, version, kind, plural, singular, namespaced, verbs, shortNames, categories, subresources } = resource
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: [...verbs].toSorted(),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.size > 0 ? { subresources: [...subresources.values()].map(subresourceItem) } : {}),
  }
}

function subresourceItem({ name, group, version, kind, verbs }: Subresource): unknown {
  return { subresource: name, responseKind: { group, version, kind }, verbs: [...verbs].toSorted() }
}
