import type { Clock } from '../../lib/clock.ts'
import { type FileTree, memoryTree } from '../../lib/file-tree.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { Chart } from '../../render/helm/chart.ts'
import { archivedFiles, chartFrom } from '../../render/helm/load-chart.ts'
import type { ChartCache } from '../../sources/chart/chart-cache.ts'
import { fetchChart } from '../../sources/chart/fetch-chart.ts'
import type { Http } from '../../sources/chart/http.ts'
import { isExactVersion } from '../../sources/chart/newest.ts'
import type { OciReach } from '../../sources/chart/oci.ts'
import type { RepositoryAccess } from '../../sources/git/repository-access.ts'
import type { FoundRepository } from '../../sources/git/repository-secrets.ts'

/** A chart as a source names it. */
export interface ChartName {
  readonly repoURL: string
  readonly chart: string
  /** A version or a constraint; '' is the newest. */
  readonly version: string
  readonly project: string
  readonly passCredentials?: boolean
}

export interface ChartsOptions {
  readonly clock: Clock
  readonly cache: ChartCache
  /** HTTP that trusts and verifies as the access says. */
  readonly http: (access: RepositoryAccess) => Http
  readonly repository: (repoURL: string, project: string) => Result<FoundRepository>
  /** The URL of the repository that is called so. */
  readonly named?: (name: string, project: string) => string | undefined
  /** How long the answer to a constraint counts. */
  readonly pollMs: number
}

interface WaitOptions {
  readonly signal?: AbortSignal
  readonly fresh?: boolean
}

/** A chart, and its files for what names them, such as value files. */
export interface OpenChart {
  readonly chart: Chart
  readonly files: FileTree
}

/** Charts of repositories and registries, opened. */
export interface Charts {
  /** The version that a constraint means now. */
  resolve(name: ChartName, options?: WaitOptions): Promise<Result<string>>
  chart(name: ChartName, options?: WaitOptions): Promise<Result<OpenChart>>
  reach(
    repoURL: string,
    project: string,
    options?: WaitOptions,
  ): Result<{ readonly url: string; readonly reach: OciReach }>
}

const MOST_OPEN = 100

/** Fetches and opens charts, each version once. */
export function charts(options: ChartsOptions): Charts {
  const versions = new Map<string, { readonly version: string; readonly atMs: number }>()
  const opened = new Map<string, OpenChart>()
  const keyOf = ({ repoURL, chart, project }: ChartName, version: string): string =>
    JSON.stringify([repoURL, chart, project, version])

  const reach: Charts['reach'] = (place, project, { signal } = {}) => {
    const alias = /^(?:@|alias:)(.+)$/.exec(place)?.[1]
    const repoURL = alias === undefined ? place : options.named?.(alias, project)
    if (repoURL === undefined) return fail(unknownName(place))
    const found = options.repository(repoURL, project)
    if (!found.ok) return found
    const { access, isOci, plainHttp } = found.value
    const { username, password } = access
    // A host without a scheme is a registry, as for Argo CD.
    const hasScheme = /^[a-z]+:\/\//i.test(repoURL)
    const url = isOci || !hasScheme ? `oci://${repoURL.replace(/^[a-z]+:\/\//i, '')}` : repoURL
    return succeed({
      url,
      reach: {
        http: options.http(access),
        plainHttp,
        ...(password === undefined ? {} : { credentials: { username: username ?? '', password } }),
        ...(signal ? { signal } : {}),
      },
    })
  }

  const fetch = async (
    name: ChartName,
    wait: WaitOptions,
  ): Promise<Result<OpenChart & { readonly version: string }>> => {
    const where = reach(name.repoURL, name.project, wait)
    if (!where.ok) return where
    const { credentials, ...rest } = where.value.reach
    const passToAll = name.passCredentials === true
    const to = credentials ? { ...rest, credentials: { ...credentials, passToAll } } : rest
    const request = { repository: where.value.url, name: name.chart, version: name.version }
    const fetched = await fetchChart(request, to, options.cache)
    if (!fetched.ok) return fetched
    const files = archivedFiles(fetched.value.archive)
    if (!files.ok) return files
    const chart = chartFrom(files.value)
    if (!chart.ok) return chart
    const { version } = fetched.value
    if (opened.size >= MOST_OPEN) opened.clear()
    const open = {
      chart: chart.value,
      files: memoryTree(Object.fromEntries(files.value.map((file) => [file.name, file.data]))),
    }
    opened.set(keyOf(name, version), open)
    versions.set(keyOf(name, name.version), { version, atMs: options.clock.now() })
    return succeed({ ...open, version })
  }

  return {
    reach,
    async resolve(name, wait = {}) {
      if (name.chart === '') {
        return fail({ code: 'chart-not-found', message: `the source of ${name.repoURL} names no chart` })
      }
      if (isExactVersion(name.version)) return succeed(name.version)
      const known = versions.get(keyOf(name, name.version))
      if (known && !wait.fresh && options.clock.now() - known.atMs < options.pollMs) return succeed(known.version)
      const found = await fetch(name, wait)
      return found.ok ? succeed(found.value.version) : found
    },
    async chart(name, wait = {}) {
      const known = opened.get(keyOf(name, name.version))
      if (known && !wait.fresh) return succeed(known)
      const found = await fetch(name, wait)
      return found.ok ? succeed(found.value) : found
    },
  }
}

const unknownName = (place: string): Problem => ({
  code: 'chart-repository-unknown',
  at: 'Chart.yaml',
  message: `cannot use the repository ${JSON.stringify(place)} of a dependency: no repository Secret has that name`,
  cure: 'create a repository Secret with this name and type helm, or write the URL',
})
