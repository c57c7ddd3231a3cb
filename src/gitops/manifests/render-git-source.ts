import { cleanPath, type FileTree } from '../../lib/file-tree.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { chartRenderer, type ClusterVersions } from '../../render/application/kustomize-charts.ts'
import { renderSource, type SourceInput } from '../../render/application/render-source.ts'
import { settingsOf } from '../../render/application/settings-references.ts'
import type { ApplicationSource } from '../../render/application/source.ts'
import type { SprigPorts } from '../../lang/gotemplate/sprig/sprig.ts'
import type { KustomizeOptions } from '../../render/kustomize/build-kustomization.ts'
import type { MergeTable } from '../../render/kustomize/merge/table.ts'
import type { ChartCache } from '../../sources/chart/chart-cache.ts'
import type { Http } from '../../sources/chart/http.ts'
import type { GitRepositories } from '../../sources/git/git-repositories.ts'
import { dependencyFetcher, lacksDependencies } from './chart-dependencies.ts'
import type { Charts } from './charts.ts'
import type { AppIdentity } from './manifest-source.ts'
import type { Outside } from './outside.ts'
import { isOnDisk, remoteBases } from './remote-bases.ts'
import { asManifests, type Rendered } from './rendered.ts'
import type { RenderSettings } from './render-settings.ts'
import { withOverrideFiles } from './source-overrides.ts'

/** What rendering is done with; the same for all Applications. */
export interface RenderParts {
  readonly git: GitRepositories
  readonly charts: Charts
  readonly chartCache: ChartCache
  readonly http: Http
  readonly ports: SprigPorts
  readonly table: () => MergeTable
}

/** What one source of an Application is rendered with. */
export interface SourceTask {
  readonly app: AppIdentity
  readonly source: ApplicationSource
  readonly revision: string
  readonly refs: ReadonlyMap<string, FileTree>
  readonly namespace: string
  readonly kubeVersion?: string
  readonly apiVersions?: readonly string[]
  readonly settings: RenderSettings
  readonly outside: Outside
  readonly signal?: AbortSignal
}

/** Whether manifests of a source name the revision itself, so that every commit makes them different. */
export const namesRevision = (source: ApplicationSource): boolean =>
  JSON.stringify(source).includes('ARGOCD_APP_REVISION')

/** What renderSource needs besides files, for any kind of source. */
export function inputOf(task: SourceTask, parts: RenderParts, kustomize: KustomizeOptions): Omit<SourceInput, 'tree'> {
  const { app, source, revision, refs, namespace, kubeVersion, apiVersions } = task
  return {
    source,
    refs,
    environment: {
      appName: app.instanceName ?? app.name,
      // As upstream: where the application goes, not where its object lives.
      appNamespace: namespace,
      projectName: app.project,
      revision,
    },
    releaseName: app.name,
    namespace,
    ports: parts.ports,
    kustomize,
    ...(kubeVersion === undefined ? {} : { kubeVersion }),
    ...(apiVersions === undefined ? {} : { apiVersions }),
  }
}

/** Renders a folder of a commit. Whoever calls runs it again when `outside` is not complete. */
export function renderGitSource(tree: FileTree, task: SourceTask, parts: RenderParts): Result<Rendered> {
  const folder = folderOf(tree, task.source)
  if (!folder.ok) return folder
  const { app, settings } = task
  const merged = withOverrideFiles(tree, folder.value, task.source, app.instanceName ?? app.name)
  if (!merged.ok) return merged
  const problems: Problem[] = []
  const source = withoutSwitchedOff(merged.value, settings)
  const seen = hideSwitchedOff(tree, folder.value, settings)
  const common = inputOf({ ...task, source }, parts, kustomizeOptions(task, parts, problems))
  const input = { ...common, settings: settingsOf(tree) }
  const first = renderSource({ ...input, tree: seen })
  const rendered = first.ok
    ? first
    : withDependencies(first.error, seen, folder.value, { task, parts, input, problems })
  // A base that could not be fetched is why, not that it is missing.
  if (!rendered.ok) return problems.length > 0 ? fail(...problems) : rendered
  return asManifests(rendered.value)
}

function folderOf(tree: FileTree, { path = '' }: ApplicationSource): Result<string> {
  if (path.startsWith('/')) {
    return fail({ code: 'source-path-outside', at: 'path', message: `${path}: app path is absolute` })
  }
  const folder = cleanPath('', path)
  if (folder === undefined) {
    return fail({ code: 'source-path-outside', at: 'path', message: `the path ${path} leaves the repository` })
  }
  if (tree.list(folder) !== undefined) return succeed(folder)
  return fail({
    code: 'source-path-missing',
    at: 'path',
    message: `${path}: app path does not exist`,
    cure: 'look for a typing error in path, or commit the folder',
  })
}

function kustomizeOptions(task: SourceTask, parts: RenderParts, problems: Problem[]): KustomizeOptions {
  const { app, source, settings, outside, signal } = task
  const { git, http, charts, ports } = parts
  const wait = signal ? { signal } : {}
  const helm = chartRenderer(
    ports,
    ({ name = '', repo = '', version = '' }) => {
      const wanted = { repoURL: repo, chart: name, version, project: app.project }
      const found = outside.get(`chart ${JSON.stringify(wanted)}`, async () => charts.chart(wanted, wait))
      if (found && !found.ok) problems.push(...found.error)
      return found?.ok
        ? succeed(found.value.chart)
        : fail({ code: 'chart-not-found', message: `the chart ${name} of ${repo} is not here yet` })
    },
    versionsFor(task),
  )
  return {
    table: parts.table(),
    loadRestrictor: settings.loadRestrictor,
    remote: remoteBases({
      git,
      http,
      project: app.project,
      mayReadDisk: isOnDisk(source.repoURL ?? ''),
      outside,
      problems,
      ...wait,
    }),
    ...(settings.reorder ? { reorder: settings.reorder } : {}),
    ...(settings.enableHelm ? { helm } : {}),
  }
}

/** What charts in a kustomization see of the cluster: what the source says, else what is known of the destination. */
function versionsFor({ source, kubeVersion, apiVersions }: SourceTask): ClusterVersions {
  const { kubeVersion: said = '', apiVersions: listed = [] } = source.kustomize ?? {}
  const version = said || kubeVersion
  const kinds = listed.length > 0 ? listed : apiVersions
  return { ...(version ? { kubeVersion: version } : {}), ...(kinds ? { apiVersions: kinds } : {}) }
}

interface Dependent {
  readonly task: SourceTask
  readonly parts: RenderParts
  readonly input: Omit<SourceInput, 'tree'>
  readonly problems: Problem[]
}

/** Renders a chart again with the dependencies that were not committed with it. */
function withDependencies(
  because: readonly Problem[],
  tree: FileTree,
  folder: string,
  { task, parts, input, problems }: Dependent,
): ReturnType<typeof renderSource> {
  if (!lacksDependencies(because)) return fail(...because)
  const { app, revision, source, outside, signal } = task
  const fetcher = dependencyFetcher({
    tree,
    folder,
    cache: parts.chartCache,
    now: () => parts.ports.clock.now(),
    reach: (repository) => parts.charts.reach(repository, app.project, signal ? { signal } : {}),
  })
  if (!fetcher.ok) return fetcher
  const complete = outside.get(`dependencies ${source.repoURL ?? ''} ${revision} ${folder}`, fetcher.value)
  if (complete?.ok) return renderSource({ ...input, tree: complete.value })
  if (complete) problems.push(...complete.error)
  return fail(...because)
}

/** Kinds that are switched off are plain folders. */
function withoutSwitchedOff(source: ApplicationSource, { switchedOff }: RenderSettings): ApplicationSource {
  const { helm, kustomize, ...rest } = source
  return {
    ...rest,
    ...(helm && !switchedOff.includes('Helm') ? { helm } : {}),
    ...(kustomize && !switchedOff.includes('Kustomize') ? { kustomize } : {}),
  }
}

const MARKS = {
  Helm: ['Chart.yaml'],
  Kustomize: ['kustomization.yaml', 'kustomization.yml', 'Kustomization'],
} as const

function hideSwitchedOff(tree: FileTree, folder: string, { switchedOff }: RenderSettings): FileTree {
  if (switchedOff.length === 0) return tree
  const hidden = new Set<string>(switchedOff.flatMap((kind) => MARKS[kind]))
  return {
    read: (path) => tree.read(path),
    list: (path) => (path === folder ? tree.list(path)?.filter((name) => !hidden.has(name)) : tree.list(path)),
  }
}
