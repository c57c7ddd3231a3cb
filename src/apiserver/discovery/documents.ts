import type { Registry } from '../resources/registry.ts'
import type { ServedResource, Subresource } from '../resources/resource.ts'

/** The discovery documents of old: the versions of the core group, the list of groups, one group, one group's version. */
export function discoveryDocuments(registry: Registry, path: string): unknown {
  if (path === '/') return { paths: paths(registry) }
  if (path === '/api') {
    return {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '' }],
    }
  }
  if (path === '/apis') {
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: namedGroups(registry).map((group) => groupDocument(registry, group)),
    }
  }
  const parts = path.split('/')
  if (parts[1] === 'api' && parts.length === 3) return versionDocument(registry, '', parts[2] ?? '')
  if (parts[1] !== 'apis') return undefined
  const group = parts[2] ?? ''
  if (parts.length === 3) {
    if (group === '' || !registry.versionsOf(group)) return undefined
    return { kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(registry, group) }
  }
  return parts.length === 4 && group !== '' ? versionDocument(registry, group, parts[3] ?? '') : undefined
}

/** Every group with a name; the core group is served elsewhere. */
export function namedGroups(registry: Registry): readonly string[] {
  return registry.groups.filter((group) => group !== '')
}

function groupDocument(registry: Registry, group: string): Readonly<Record<string, unknown>> {
  const versions = (registry.versionsOf(group) ?? []).map((version) => ({
    groupVersion: `${group}/${version}`,
    version,
  }))
  return { name: group, versions, preferredVersion: versions[0] }
}

function versionDocument(registry: Registry, group: string, version: string): unknown {
  const resources = registry.resources.filter((resource) => resource.group === group && resource.version === version)
  if (resources.length === 0) return undefined
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: resources.flatMap((resource) => [
      resourceEntry(resource),
      ...[...resource.subresources.values()].map((sub) => subresourceEntry(resource, sub)),
    ]),
  }
}

function resourceEntry({ plural, singular, namespaced, kind, verbs, shortNames, categories }: ServedResource): unknown {
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: [...verbs].toSorted(),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  }
}

function subresourceEntry(resource: ServedResource, { name, kind, group, version, verbs }: Subresource): unknown {
  const isForeign = group !== resource.group || version !== resource.version
  return {
    name: `${resource.plural}/${name}`,
    singularName: '',
    namespaced: resource.namespaced,
    ...(isForeign ? { group, version } : {}),
    kind,
    verbs: [...verbs].toSorted(),
  }
}

function paths(registry: Registry): readonly string[] {
  const groups = namedGroups(registry).flatMap((group) => [
    `/apis/${group}`,
    ...(registry.versionsOf(group) ?? []).map((version) => `/apis/${group}/${version}`),
  ])
  return [
    '/api',
    '/api/v1',
    '/apis',
    ...groups,
    '/healthz',
    '/livez',
    '/metrics',
    '/openapi/v2',
    '/openapi/v3',
    '/readyz',
    '/version',
  ]
}
