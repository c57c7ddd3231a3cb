import { join } from 'node:path'
import type { KubeObject } from '../../kube/object.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { readData } from '../../lib/data-file.ts'
import { kindTable } from '../../render/kustomize/build-kustomization.ts'
import type { MergeTable } from '../../render/kustomize/merge/table.ts'
import type { ControllerPorts } from '../../runtime/controller-part.ts'
import { diskChartCache } from '../../sources/chart/chart-cache.ts'
import { type Http, undiciHttp } from '../../sources/chart/http.ts'
import { gitRepositories, type GitRepositories } from '../../sources/git/git-repositories.ts'
import { normalGitUrl } from '../../sources/git/git-url.ts'
import { repositoryAbove } from '../../sources/git/local-repository.ts'
import type { RepositoryAccess } from '../../sources/git/repository-access.ts'
import {
  findRepository,
  repositoryNamed,
  repositorySettings,
  type RepositorySettings,
} from '../../sources/git/repository-secrets.ts'
import { charts } from './charts.ts'
import type { ManifestSource } from './manifest-source.ts'
import { renderSettings } from './render-settings.ts'
import { repositoryManifests } from './repository-manifests.ts'

export interface ClusterSourcesOptions {
  readonly ports: Pick<ControllerPorts, 'informers' | 'clock' | 'ids' | 'log'>
  /** Where repository Secrets and `argocd-cm` live. */
  readonly namespace: string
  /** Where mirrors and charts are kept. */
  readonly folder: string
  /** The environment's PATH, where git is looked for. */
  readonly path: string
  /** URLs that are served from folders of this machine instead, by `normalGitUrl`. */
  readonly servedFrom?: ReadonlyMap<string, string>
  readonly mayReadDisk?: boolean
  readonly pollMs?: number
  readonly jitterMs?: number
}

/** What a cluster's settings say about sources, at work. */
export interface ClusterSources {
  readonly manifests: ManifestSource
  readonly git: GitRepositories
  /** Resolves once Secrets and settings have been read. */
  synced(signal: AbortSignal): Promise<void>
  /** Keeps repositories current until the signal is aborted, then closes them. */
  run(signal: AbortSignal): Promise<void>
}

const SECRETS = { group: '', version: 'v1', plural: 'secrets' }
const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps' }
const POLL_MS = 180_000
const MOST_CLIENTS = 50

/** The URL of a repository on disk, and the URLs under which it may be called instead of its path: none by default. */
export function servedWorkingFolder(workingFolder: string, urls: readonly string[]): ReadonlyMap<string, string> {
  const root = repositoryAbove(workingFolder)
  return new Map(root === undefined ? [] : urls.map((url) => [normalGitUrl(url), root]))
}

/** HTTP clients by whom they trust. */
function httpClients(clock: ControllerPorts['clock']): {
  readonly for: (access: RepositoryAccess) => Http
  close(): Promise<void>
} {
  const clients = new Map<string, ReturnType<typeof undiciHttp>>()
  return {
    for({ ca, insecure }) {
      const key = JSON.stringify([ca, insecure])
      const known = clients.get(key)
      if (known) return known
      if (clients.size >= MOST_CLIENTS) clients.clear()
      const made = undiciHttp({ clock, ...(ca === undefined ? {} : { ca }), ...(insecure ? { skipVerify: true } : {}) })
      clients.set(key, made)
      return made
    },
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()))
    },
  }
}

/** Sources as the Secrets and ConfigMaps of a cluster say, which may change at any time. */
export function clusterSources(options: ClusterSourcesOptions): ClusterSources {
  const { ports, namespace, folder, path } = options
  const { informers, clock, ids, log } = ports
  const secrets = informers.shared({
    collection: { resource: SECRETS, namespace },
    labelSelector: 'argocd.argoproj.io/secret-type in (repository,repo-creds)',
  })
  const configMaps = informers.shared({ collection: { resource: CONFIG_MAPS, namespace } })
  const configMap = (name: string): KubeObject | undefined => configMaps.cache.get(`${namespace}/${name}`)
  let settings: RepositorySettings | undefined
  const current = (): RepositorySettings =>
    (settings ??= repositorySettings(secrets.cache.list(), {
      tlsCerts: configMap('argocd-tls-certs-cm'),
      knownHosts: configMap('argocd-ssh-known-hosts-cm'),
    }))
  const forget = (): void => {
    settings = undefined
  }
  secrets.listen(forget)
  configMaps.listen(forget)
  const find = (repoURL: string, project: string | undefined): ReturnType<typeof findRepository> =>
    findRepository(current(), repoURL, project ?? '')
  const named = (name: string, project: string): string | undefined => repositoryNamed(current(), name, project)
  const clients = httpClients(clock)
  const pollMs = options.pollMs ?? POLL_MS
  const git = gitRepositories({
    folder: join(folder, 'git'),
    path,
    clock,
    ids,
    log,
    access(repoURL, project) {
      const found = find(repoURL, project)
      return found.ok ? { ok: true, value: found.value.access } : found
    },
    servedFrom: (repoURL) => options.servedFrom?.get(normalGitUrl(repoURL)),
    mayReadDisk: options.mayReadDisk ?? true,
    pollMs,
    ...(options.jitterMs === undefined ? {} : { jitterMs: options.jitterMs }),
  })
  const chartCache = diskChartCache(join(folder, 'charts'))
  let table: MergeTable | undefined
  const manifests = repositoryManifests({
    git,
    chartCache,
    http: (request) => clients.for({})(request),
    charts: charts({
      clock,
      cache: chartCache,
      http: (access) => clients.for(access),
      repository: find,
      named,
      pollMs,
    }),
    ports: { clock, ids, certificates: certificateMaker },
    table: () => (table ??= kindTable(readData)),
    settings: () => renderSettings(configMap('argocd-cm')?.['data']),
  })
  return {
    manifests,
    git,
    async synced(signal) {
      await Promise.all([secrets.synced(signal), configMaps.synced(signal)])
    },
    async run(signal) {
      await git.run(signal)
      git.close()
      await clients.close()
    },
  }
}
