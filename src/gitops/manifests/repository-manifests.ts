import { createHash } from 'node:crypto'
import { type FileTree, memoryTree } from '../../lib/file-tree.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { renderSource } from '../../render/application/render-source.ts'
import { expandGlob } from '../../render/application/value-globs.ts'
import { type ApplicationSource, buildVariables, substitute } from '../../render/application/source.ts'
import type { GitTree } from '../../sources/git/git-tree.ts'
import { turns } from '../../sources/git/turns.ts'
import type {
  AppIdentity,
  ManifestRequest,
  Manifests,
  ManifestSource,
  ResolvedRevision,
  RevisionMetadata,
  SourceCallOptions,
  SourcesRequest,
} from './manifest-source.ts'
import { Outside } from './outside.ts'
import { RenderCache, isLasting, questionOf } from './render-cache.ts'
import { inputOf, namesRevision, renderGitSource, type RenderParts, type SourceTask } from './render-git-source.ts'
import { asManifests, type Rendered } from './rendered.ts'
import type { RenderSettings } from './render-settings.ts'

export interface RepositoryManifestsOptions extends RenderParts {
  readonly settings: () => RenderSettings
}

/** How many Applications are rendered or waited for at once. */
const AT_ONCE = 16
/** How often rendering may find that it needs something else from outside. */
const MOST_ROUNDS = 50
const REFERENCE = /^\$([A-Za-z0-9_-]+)(?:\/(.*))?$/

const NOTHING: Rendered = {
  sourceType: 'Directory',
  manifests: [],
  origins: [],
  warnings: [],
  digest: '',
}

/** Manifests from repositories and registries, rendered in process and kept by what they were rendered from. */
export function repositoryManifests(options: RepositoryManifestsOptions): ManifestSource {
  return new RepositoryManifests(options)
}

/** A source together with what its revision means. */
interface Pinned {
  readonly source: ApplicationSource
  readonly revision: string
}

class RepositoryManifests implements ManifestSource {
  readonly #options: RepositoryManifestsOptions
  readonly #cache = new RenderCache()
  readonly #turns = turns(AT_ONCE)

  constructor(options: RepositoryManifestsOptions) {
    this.#options = options
  }

  async resolve(
    request: SourcesRequest,
    options: SourceCallOptions = {},
  ): Promise<Result<readonly ResolvedRevision[]>> {
    const found = await Promise.all(
      request.sources.map((source, index) => this.#resolve(request, source, index, options)),
    )
    const resolved: ResolvedRevision[] = []
    for (const each of found) {
      if (!each.ok) return each
      resolved.push(each.value)
    }
    return succeed(resolved)
  }

  async #resolve(
    request: SourcesRequest,
    source: ApplicationSource,
    index: number,
    { signal }: SourceCallOptions,
  ): Promise<Result<ResolvedRevision>> {
    const { repoURL = '' } = source
    const at = (problems: readonly Problem[]): Result<never> => fail(...placed(problems, request.sources, index))
    const revision = request.revisions?.[index] || (source.targetRevision ?? '')
    const { project } = request.app
    const wait = { ...(signal ? { signal } : {}), ...(request.refresh ? { fresh: true } : {}) }
    if (isChart(source)) {
      const name = chartName(source, revision, project)
      const version = await this.#options.charts.resolve(name, wait)
      return version.ok ? succeed({ revision: version.value, kind: 'chart' }) : at(version.error)
    }
    if (/^oci:\/\//i.test(repoURL)) return at([noArtifacts(repoURL)])
    const { tagPrefix } = source
    const place = { repoURL, revision, project, ...(tagPrefix === undefined ? {} : { tagPrefix }) }
    const sha = await this.#options.git.resolve(place, wait)
    return sha.ok ? succeed({ revision: sha.value, kind: 'git' }) : at(sha.error)
  }

  async manifests(request: ManifestRequest, options: SourceCallOptions = {}): Promise<Result<Manifests>> {
    const resolved = await this.resolve(request, options)
    if (!resolved.ok) return resolved
    const pinned = request.sources.map((source, index): Pinned => {
      return { source, revision: resolved.value[index]?.revision ?? '' }
    })
    const rendered: Rendered[] = []
    const results = await Promise.all(
      pinned.map((each) => this.#turns.take(() => this.#render(request, each, pinned, options), options.signal)),
    )
    for (const [index, each] of results.entries()) {
      if (!each.ok) return fail(...placed(each.error, request.sources, index))
      rendered.push(each.value)
    }
    return succeed(together(rendered, pinned))
  }

  async #render(
    request: ManifestRequest,
    { source, revision }: Pinned,
    all: readonly Pinned[],
    { signal }: SourceCallOptions,
  ): Promise<Result<Rendered>> {
    const { path = '', ref = '' } = source
    if (!isChart(source) && path === '') {
      // A source that is only there to be referred to renders nothing.
      return ref === '' ? fail(noPath) : succeed(NOTHING)
    }
    const { app, destinationNamespace, kubeVersion, apiVersions } = request
    const settings = this.#options.settings()
    const refs = await this.#refs(request, source, revision, all)
    if (!refs.ok) return refs
    const task: SourceTask = {
      app,
      source,
      revision,
      refs: refs.value.trees,
      namespace: destinationNamespace,
      settings,
      outside: new Outside(),
      ...(kubeVersion === undefined ? {} : { kubeVersion }),
      ...(apiVersions === undefined ? {} : { apiVersions }),
      ...(signal ? { signal } : {}),
    }
    const question = questionOf([
      app,
      source,
      destinationNamespace,
      settings,
      refs.value.digest,
      namesRevision(source) || isChart(source) ? revision : '',
    ])
    const isHard = request.refresh === 'hard'
    const cluster = questionOf([kubeVersion, apiVersions])
    if (!isChart(source)) return this.#renderGit(task, { question, cluster, isHard })
    const kept = isHard ? undefined : this.#cache.findFixed(question, cluster)
    if (kept) return kept
    const rendered = await this.#renderChart(task)
    if (rendered.ok || isLasting(rendered.error)) this.#cache.set(question, { looks: [], cluster, result: rendered })
    return rendered
  }

  async #renderChart(task: SourceTask): Promise<Result<Rendered>> {
    const { app, source, revision, signal } = task
    const opened = await this.#options.charts.chart(chartName(source, revision, app.project), signal ? { signal } : {})
    if (!opened.ok) return opened
    const { chart, files } = opened.value
    const input = inputOf(task, this.#options, { table: this.#options.table() })
    // The files of the chart are all there is: a path would be one of Git.
    const { path: _path, ...bare } = source
    const rendered = renderSource({ ...input, source: bare, chart, tree: files })
    return rendered.ok ? asManifests(rendered.value) : rendered
  }

  async #renderGit(task: SourceTask, { question, cluster, isHard }: Asked): Promise<Result<Rendered>> {
    const { app, source, revision, signal, outside } = task
    const place = { repoURL: source.repoURL ?? '', sha: revision, project: app.project }
    const wait = signal ? { signal } : {}
    if (!isHard && this.#cache.has(question)) {
      const kept = await this.#options.git.use(place, {
        work: (tree) => this.#cache.find(question, cluster, tree),
        ...wait,
      })
      if (!kept.ok) return kept
      if (kept.value) return kept.value
    }
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const used = await this.#options.git.use(place, {
        ahead: [source.path ?? ''],
        work: (tree) => {
          const result = renderGitSource(tree, task, this.#options)
          return { result, looks: tree.looks, tree, seesCluster: seesCluster(tree, result) }
        },
        ...wait,
      })
      if (!used.ok) return used
      if (!outside.isComplete) {
        await outside.fetch()
        continue
      }
      const { result, looks, tree, seesCluster: isSeen } = used.value
      const told = result.ok ? succeed(withSubmodules(result.value, tree.submodules)) : result
      if (told.ok || isLasting(told.error)) {
        this.#cache.set(question, { looks, cluster: isSeen ? cluster : undefined, result: told })
      }
      return told
    }
    return fail({
      code: 'git-too-large',
      at: source.path ?? '',
      message: `cannot render ${source.path ?? ''}: it refers to more than ${MOST_ROUNDS} levels of remote bases`,
    })
  }

  /** The files of other sources that a chart's values refer to. */
  async #refs(
    request: ManifestRequest,
    source: ApplicationSource,
    revision: string,
    all: readonly Pinned[],
  ): Promise<Result<{ readonly trees: ReadonlyMap<string, FileTree>; readonly digest: string }>> {
    const { app, destinationNamespace } = request
    const named = new Map(all.flatMap((each) => (each.source.ref ? [[each.source.ref, each] as const] : [])))
    const variables = buildVariables(
      { appName: app.instanceName ?? app.name, appNamespace: destinationNamespace, projectName: app.project, revision },
      source,
    )
    const wanted = new Map<string, string[]>()
    const names = [
      ...(source.helm?.valueFiles ?? []),
      ...(source.helm?.fileParameters ?? []).map(({ path = '' }) => path),
    ]
    for (const name of names) {
      const [, ref = '', path = ''] = REFERENCE.exec(name) ?? []
      if (named.has(ref)) wanted.set(ref, [...(wanted.get(ref) ?? []), substitute(path, variables)])
    }
    const trees = new Map<string, FileTree>()
    const hash = createHash('sha256')
    for (const ref of named.keys()) trees.set(ref, memoryTree({}))
    for (const [ref, paths] of wanted) {
      const target = named.get(ref)
      if (!target || isChart(target.source)) continue
      const files = await this.#options.git.use(
        { repoURL: target.source.repoURL ?? '', sha: target.revision, project: app.project },
        {
          work: (tree) =>
            paths.flatMap((path) => expandGlob(tree, path)).map((path) => [path, tree.read(path)] as const),
        },
      )
      if (!files.ok) return files
      const found = files.value.filter((entry): entry is readonly [string, Uint8Array] => entry[1] !== undefined)
      trees.set(ref, memoryTree(Object.fromEntries(found)))
      for (const [path, data] of found) hash.update(`${ref}\0${path}\0${data.length}\0`).update(data)
    }
    return succeed({ trees, digest: hash.digest('hex') })
  }

  async metadata(
    app: AppIdentity,
    source: ApplicationSource,
    revision: string,
    { signal }: SourceCallOptions = {},
  ): Promise<Result<RevisionMetadata>> {
    if (isChart(source)) return succeed({})
    const place = { repoURL: source.repoURL ?? '', sha: revision, project: app.project }
    const commit = await this.#options.git.commit(place, signal ? { signal } : {})
    if (!commit.ok) return commit
    const { author, date, message, tags } = commit.value
    return succeed({ author, date, message, tags })
  }

  onChange(listener: Parameters<ManifestSource['onChange']>[0]): () => void {
    return this.#options.git.onChange(listener)
  }
}

/** What a rendering is kept under. */
interface Asked {
  readonly question: string
  readonly cluster: string
  readonly isHard: boolean
}

/**
 * Whether the version and the kinds of the destination can show in manifests: charts ask for them by name, and packed ones
 * may. So that a new definition in the cluster does not render everything anew.
 */
function seesCluster(tree: GitTree, result: Result<Rendered>): boolean {
  if (result.ok && result.value.sourceType === 'Directory') return false
  return tree.looks.some(([kind, path]) => {
    if (kind !== 'read') return false
    if (path.endsWith('.tgz')) return true
    const data = tree.read(path)
    if (!data) return false
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    return (
      text.includes('Capabilities') ||
      (path.endsWith('Chart.yaml') && text.includes('kubeVersion')) ||
      text.includes('helmCharts')
    )
  })
}

const isChart = ({ chart = '' }: ApplicationSource): boolean => chart !== ''

function chartName(
  { repoURL = '', chart = '', helm }: ApplicationSource,
  version: string,
  project: string,
): {
  readonly repoURL: string
  readonly chart: string
  readonly version: string
  readonly project: string
  readonly passCredentials: boolean
} {
  return { repoURL, chart, version, project, passCredentials: helm?.passCredentials === true }
}

const noPath: Problem = {
  code: 'source-path-missing',
  at: 'path',
  message: 'the source has neither a path nor a chart',
  cure: 'set path to the folder of the manifests',
}

const noArtifacts = (repoURL: string): Problem => ({
  code: 'source-unsupported',
  at: 'repoURL',
  message: `${repoURL} is an OCI artifact that is no chart, which is not read`,
  cure: 'name the chart in the field chart, or commit the manifests to Git',
})

/** Problems of one of several sources say which. */
function placed(problems: readonly Problem[], sources: readonly unknown[], index: number): readonly Problem[] {
  if (sources.length < 2) return problems
  const place = `spec.sources[${index}]`
  return problems.map((problem) => ({ ...problem, at: problem.at === undefined ? place : `${place}: ${problem.at}` }))
}

function withSubmodules(rendered: Rendered, submodules: ReadonlySet<string>): Rendered {
  if (submodules.size === 0) return rendered
  const paths = [...submodules].toSorted().join(', ')
  const warning = `submodules are not read: ${paths}`
  return { ...rendered, warnings: [...rendered.warnings, warning] }
}

function together(rendered: readonly Rendered[], pinned: readonly Pinned[]): Manifests {
  const digests = rendered.map(({ digest }) => digest).join('\n')
  return {
    manifests: rendered.flatMap(({ manifests }) => manifests),
    origins: rendered.flatMap(({ origins }, source) => origins.map((origin) => ({ source, ...origin }))),
    revisions: pinned.map(({ revision }) => revision),
    sourceTypes: rendered.map(({ sourceType }) => sourceType),
    warnings: rendered.flatMap(({ warnings }) => warnings),
    digest: rendered.length === 1 ? digests : createHash('sha256').update(digests).digest('hex'),
  }
}
