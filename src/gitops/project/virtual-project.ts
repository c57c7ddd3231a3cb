import type { AppProject } from './app-project.ts'

/** A cluster or repository that belongs to a project extends what the project allows. */
export interface ScopedResources {
  readonly repositories: readonly string[]
  readonly clusters: readonly { readonly server: string; readonly namespaces?: readonly string[] }[]
}

/**
 * The project as decisions use it: with its own repositories and clusters, and with what global projects add
 * (util/argo GetAppProjectByName and mergeVirtualProject).
 */
export function virtualProject(
  project: AppProject,
  scoped: ScopedResources = { repositories: [], clusters: [] },
  globals: readonly AppProject[] = [],
): AppProject {
  const own = withScoped(project, scoped)
  return globals.reduce(withGlobal, own)
}

function withScoped(project: AppProject, { repositories, clusters }: ScopedResources): AppProject {
  if (repositories.length + clusters.length === 0) return project
  const destinations = clusters.flatMap(({ server, namespaces = [] }) =>
    (namespaces.length > 0 ? namespaces : ['*']).map((namespace) => ({ server, name: '', namespace })),
  )
  return {
    ...project,
    sourceRepos: [...project.sourceRepos, ...repositories],
    destinations: [...project.destinations, ...destinations],
  }
}

function withGlobal(project: AppProject, global: AppProject): AppProject {
  const allowed = [...(project.namespaceResourceWhitelist ?? []), ...(global.namespaceResourceWhitelist ?? [])]
  return {
    ...project,
    clusterResourceWhitelist: [...project.clusterResourceWhitelist, ...global.clusterResourceWhitelist],
    clusterResourceBlacklist: [...project.clusterResourceBlacklist, ...global.clusterResourceBlacklist],
    // Go's append of two absent lists is absent, and of an absent and a filled one is filled.
    namespaceResourceWhitelist:
      project.namespaceResourceWhitelist === undefined && allowed.length === 0 ? undefined : allowed,
    namespaceResourceBlacklist: [...project.namespaceResourceBlacklist, ...global.namespaceResourceBlacklist],
    syncWindows: [...project.syncWindows, ...global.syncWindows],
    sourceRepos: [...project.sourceRepos, ...global.sourceRepos],
    destinations: [...project.destinations, ...global.destinations],
    destinationServiceAccounts: [...project.destinationServiceAccounts, ...global.destinationServiceAccounts],
  }
}

/** The project that exists without being written: everything is allowed. */
export const defaultProject = (namespace: string): object => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'default', namespace },
  spec: {
    sourceRepos: ['*'],
    destinations: [{ server: '*', namespace: '*' }],
    clusterResourceWhitelist: [{ group: '*', kind: '*' }],
  },
})
