import type { ResourceInfo } from '../../kube/client.ts'
import type { ServedKinds } from '../sync/sync-seen.ts'

/** The kinds of a cluster by their names, as discovery told them. */
export interface KindTable extends ServedKinds {
  /** The resource of a kind in a version; undefined when it is not served. */
  resourceOf(group: string, version: string, kind: string): ResourceInfo | undefined
  /** The resource of a kind in the version that the cluster prefers. */
  preferred(group: string, kind: string): ResourceInfo | undefined
  /** One resource for each kind that can be listed and watched. */
  watchable(): readonly ResourceInfo[]
  /** `v1`, `apps/v1`, `apps/v1/Deployment`: what charts ask for. */
  readonly apiVersions: readonly string[]
}

/** Makes the table; of a kind with several versions, the first that is listed is the preferred one. */
export function kindTable(resources: readonly ResourceInfo[]): KindTable {
  const exact = new Map<string, ResourceInfo>()
  const preferred = new Map<string, ResourceInfo>()
  const apiVersions = new Set<string>()
  for (const resource of resources) {
    if (resource.subresource !== undefined) continue
    const { group, version, kind } = resource
    const kindKey = `${group}/${kind}`
    const exactKey = `${group}/${version}/${kind}`
    if (!exact.has(exactKey)) exact.set(exactKey, resource)
    const isBetter = !preferred.has(kindKey)
    if (isBetter) preferred.set(kindKey, resource)
    const apiVersion = group === '' ? version : `${group}/${version}`
    apiVersions.add(apiVersion)
    apiVersions.add(`${apiVersion}/${kind}`)
  }
  const watchable = [...preferred.values()].filter(({ verbs }) => verbs.includes('list') && verbs.includes('watch'))
  return {
    resourceOf: (group, version, kind) => exact.get(`${group}/${version}/${kind}`),
    preferred: (group, kind) => preferred.get(`${group}/${kind}`),
    isNamespaced: (group, version, kind) => exact.get(`${group}/${version}/${kind}`)?.namespaced,
    watchable: () => watchable,
    apiVersions: [...apiVersions].toSorted(),
  }
}
