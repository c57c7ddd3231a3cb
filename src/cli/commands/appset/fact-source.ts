import { join, resolve } from 'node:path'
import type { ClusterFact, Need } from '../../../gitops/applicationset/engine/need.ts'
import { clusterFact, fetchFact, type FactPorts } from '../../../gitops/applicationset/fetch-facts.ts'
import { recordedFacts } from '../../../gitops/applicationset/recorded-facts.ts'
import { undiciServiceHttp } from '../../../runtime/service-http.ts'
import { fieldsOf, objectsOf, textsOf } from '../../../gitops/fields.ts'
import { servedWorkingFolder } from '../../../gitops/manifests/cluster-sources.ts'
import { AppProjectKind } from '../../../gitops/project/app-project.ts'
import { remoteUrls } from '../../../gitops/working-folder.ts'
import type { Client } from '../../../kube/client.ts'
import { systemClock } from '../../../lib/clock.ts'
import { systemIds } from '../../../lib/ids.ts'
import { silentLog } from '../../../lib/log.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import { type GitRepositories, gitRepositories } from '../../../sources/git/git-repositories.ts'
import { normalGitUrl } from '../../../sources/git/git-url.ts'
import { findRepository, repositorySettings, type RepositorySettings } from '../../../sources/git/repository-secrets.ts'
import type { Io } from '../../command.ts'

/** Where a command gets what generators ask. */
export interface FactSource {
  answer(need: Need): Promise<Result<unknown>>
  hasProject(name: string): boolean
  /** The clusters, where they are known. */
  readonly clusters: readonly ClusterFact[] | undefined
  /** What the user should know about what was not known. */
  notes(): readonly string[]
  close(): Promise<void>
}

type Fields = Readonly<Record<string, unknown>>

function repositories(settings: RepositorySettings | undefined, io: Io): GitRepositories {
  const served = servedWorkingFolder(io.cwd, remoteUrls(io.cwd))
  return gitRepositories({
    folder: join(resolve(io.cwd, '.idp'), 'sources', 'git'),
    path: io.env['PATH'] ?? '',
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    servedFrom: (repoURL) => served.get(normalGitUrl(repoURL)),
    mayReadDisk: true,
    ...(settings
      ? {
          access(repoURL: string, project: string | undefined) {
            const found = findRepository(settings, repoURL, project)
            return found.ok ? succeed(found.value.access) : found
          },
        }
      : {}),
  })
}

const noCluster = (need: Need): Result<never> =>
  fail({
    code: 'appset-fact-unknown',
    message: `${describe(need)} is not known without a cluster`,
    cure: 'write it into a file for --facts, or ask a cluster by naming an ApplicationSet of it',
  })

function describe(need: Need): string {
  switch (need.need) {
    case 'http':
      return need.url
    case 'plugin':
    case 'config-map':
    case 'secret':
      return `the ${need.need === 'plugin' ? 'plugin' : need.need === 'secret' ? 'Secret' : 'ConfigMap'} ${need.need === 'plugin' ? need.configMap : need.name}`
    case 'decisions':
      return `${need.plural}.${need.group}`
    default:
      return need.need
  }
}

/** Facts from a document, and repositories from disk or from where they are. */
export function offlineFacts(document: Fields, io: Io): FactSource {
  const recorded = recordedFacts(document, 'pathspec', false)
  const git = repositories(undefined, io)
  const projects = textsOf(document, 'projects')
  const notes = new Set<string>()
  const listed = objectsOf(document, 'clusters') as readonly ClusterFact[] | undefined // as docs/eval.md says
  const stop = new AbortController()
  const hasDocument = (need: Need): boolean => {
    switch (need.need) {
      case 'git-directories':
      case 'git-files':
        return Object.hasOwn(fieldsOf(document, 'repositories'), need.repoURL)
      case 'http':
        return Object.hasOwn(document, 'http')
      case 'plugin':
        return Object.hasOwn(document, 'plugins')
      case 'config-map':
        return Object.hasOwn(document, 'configMaps')
      case 'decisions':
        return Object.hasOwn(document, 'objects')
      case 'clusters':
      case 'secret':
      case 'project':
        return true
    }
  }
  return {
    clusters: listed,
    async answer(need) {
      if (need.need === 'clusters' && !listed) {
        notes.add('no clusters were given, so only in-cluster is known: list them with --facts')
      }
      const answer = recorded(need)
      if (answer.ok || hasDocument(need)) return answer
      if (need.need !== 'git-directories' && need.need !== 'git-files') return noCluster(need)
      return fetchFact(need, gitOnly(git), stop.signal)
    },
    hasProject: (name) => projects?.includes(name) ?? true,
    notes: () => [...notes],
    close: () => Promise.resolve(git.close()),
  }
}

/** Ports of which only Git is asked. */
function gitOnly(git: GitRepositories): FactPorts {
  const refuse = (): never => {
    throw new Error('only Git is asked here')
  }
  return {
    client: { get: refuse, list: refuse } as unknown as Client, // never reached: see the caller
    git,
    http: refuse,
    clusters: () => [],
    hasProject: () => true,
    newGitGlobbing: false,
    namespace: 'argocd',
    setNamespace: 'argocd',
    answers: new Map(),
    fresh: true,
  }
}

const core = (plural: string) => ({ group: '', version: 'v1', plural })

/** Facts as the controller would see them now. */
export async function liveFacts(
  client: Client,
  places: { readonly namespace: string; readonly setNamespace: string },
  io: Io,
): Promise<Result<FactSource>> {
  const { namespace, setNamespace } = places
  const secrets = await client.list(
    { resource: core('secrets'), namespace },
    { labelSelector: 'argocd.argoproj.io/secret-type', signal: io.signal },
  )
  if (!secrets.ok) return fail({ code: 'cluster-refuses', message: secrets.error.message })
  const projects = await client.list({ resource: AppProjectKind, namespace }, { signal: io.signal })
  if (!projects.ok) return fail({ code: 'cluster-refuses', message: projects.error.message })
  const named = new Set(['default', ...projects.value.items.map(({ metadata }) => metadata.name ?? '')])
  const isCluster = (labels: Readonly<Record<string, string>> = {}): boolean =>
    labels['argocd.argoproj.io/secret-type'] === 'cluster'
  const clusters: readonly ClusterFact[] = secrets.value.items
    .filter(({ metadata }) => isCluster(metadata.labels))
    .map(clusterFact)
  const git = repositories(repositorySettings(secrets.value.items), io)
  const ports: FactPorts = {
    client,
    git,
    http: undiciServiceHttp,
    clusters: () => clusters,
    hasProject: (name) => named.has(name),
    newGitGlobbing: false,
    namespace,
    setNamespace,
    answers: new Map(),
    fresh: true,
  }
  return succeed({
    clusters,
    answer: (need) => fetchFact(need, ports, io.signal),
    hasProject: (name) => named.has(name),
    notes: () => [],
    close: () => Promise.resolve(git.close()),
  })
}
