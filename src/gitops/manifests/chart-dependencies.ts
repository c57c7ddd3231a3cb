import { cleanPath, type FileTree } from '../../lib/file-tree.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { writeTarGz } from '../../lib/tar.ts'
import { chartFiles, chartFrom, loadChart } from '../../render/helm/load-chart.ts'
import type { ChartCache } from '../../sources/chart/chart-cache.ts'
import type { OciReach } from '../../sources/chart/oci.ts'
import type { WantedDependency } from '../../sources/chart/chart-lock.ts'
import { type Vendored, vendorChart } from '../../sources/chart/vendor.ts'

/** Tells the problem of a chart whose dependencies were not committed with it. */
export const lacksDependencies = (problems: readonly Problem[]): boolean =>
  problems.some(({ message }) => message.includes('missing in charts/ directory'))

/** Gets the dependencies of a chart in a tree. */
export type FetchDependencies = () => Promise<Result<FileTree>>

interface Parts {
  readonly tree: FileTree
  readonly folder: string
  readonly cache: ChartCache
  readonly now: () => number
  /** How the repository of a dependency is reached. */
  readonly reach: (repository: string) => Result<{ readonly url: string; readonly reach: OciReach }>
}

/** What fetches the dependencies that Chart.yaml and Chart.lock name; answers the tree with them in `charts/`. */
export function dependencyFetcher({ tree, folder, cache, now, reach }: Parts): Result<FetchDependencies> {
  const chart = loadChart(tree, folder)
  if (!chart.ok) return chart
  const wanted: readonly WantedDependency[] = chart.value.metadata.dependencies ?? []
  // Local charts are packed now, while the tree can be read.
  const packed = new Map<string, Result<{ readonly version: string; readonly archive: Uint8Array }>>()
  for (const { repository } of wanted) {
    if (!repository.startsWith('file://')) continue
    packed.set(repository, pack(tree, folder, repository.slice('file://'.length)))
  }
  return succeed(async () => {
    const archives: Vendored['archives'][number][] = []
    // Repositories may want different credentials: one after the other, each with its own.
    for (const dependency of wanted) {
      const local = packed.get(dependency.repository)
      const to = local || dependency.repository === '' ? succeed(undefined) : reach(dependency.repository)
      if (!to.ok) return to
      const locked = lockedVersion(chart.value.lock, dependency)
      const vendored = await vendorChart(
        {
          wanted: [
            {
              ...dependency,
              version: locked ?? dependency.version,
              repository: to.value?.url ?? dependency.repository,
            },
          ],
          lock: undefined,
          vendored: undefined,
          packLocal: () => local ?? fail(noLocal(dependency.repository)),
          now,
        },
        to.value?.reach ?? { http: () => Promise.reject(new Error('nothing is fetched for local charts')) },
        cache,
      )
      if (!vendored.ok) return vendored
      archives.push(...vendored.value.archives)
    }
    return succeed(withCharts(tree, folder, archives))
  })
}

const noLocal = (repository: string): Problem => ({
  code: 'chart-not-found',
  message: `cannot use the repository ${JSON.stringify(repository)} of a dependency`,
})

function lockedVersion(
  lock: { readonly dependencies: readonly { readonly name: string; readonly version: string }[] } | undefined,
  { name }: WantedDependency,
): string | undefined {
  return lock?.dependencies.find((each) => each.name === name)?.version
}

/** Packs a chart that lies elsewhere in the tree. */
function pack(
  tree: FileTree,
  folder: string,
  path: string,
): Result<{ readonly version: string; readonly archive: Uint8Array }> {
  const at = cleanPath(folder, path)
  if (at === undefined) {
    return fail({ code: 'source-path-outside', at: path, message: `the dependency ${path} leaves the repository` })
  }
  const files = chartFiles(tree, at)
  if (!files.ok) return files
  const chart = chartFrom(files.value)
  if (!chart.ok) return chart
  const { name, version } = chart.value.metadata
  const archive = writeTarGz(files.value.map((file) => ({ name: `${name}/${file.name}`, data: file.data })))
  return succeed({ version, archive })
}

/** A tree with archives in the chart's `charts` folder. */
function withCharts(tree: FileTree, folder: string, archives: Vendored['archives']): FileTree {
  const home = folder === '' ? 'charts' : `${folder}/charts`
  const added = new Map(archives.map(({ file, archive }) => [`${home}/${file}`, archive]))
  return {
    read: (path) => added.get(path) ?? tree.read(path),
    list(path) {
      const names = tree.list(path)
      if (path === home) return [...new Set([...(names ?? []), ...archives.map(({ file }) => file)])].toSorted()
      return path === folder && names ? [...new Set([...names, 'charts/'])].toSorted() : names
    },
  }
}
