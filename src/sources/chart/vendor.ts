import { isObject, own } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { emitYaml, parseYaml } from '../../lib/yaml.ts'
import type { ChartCache } from './chart-cache.ts'
import { type LockedDependency, lockDigest, type WantedDependency, writeLock } from './chart-lock.ts'
import { fetchChart } from './fetch-chart.ts'
import type { OciReach } from './oci.ts'

/** A chart whose dependencies are to be brought into its charts/ folder. */
export interface VendorInput {
  readonly wanted: readonly WantedDependency[]
  /** Chart.lock, when there is one. */
  readonly lock: { readonly digest: string; readonly dependencies: readonly LockedDependency[] } | undefined
  /** The text of charts/.vendor.yaml, when there is one: the digests of what was vendored before. */
  readonly vendored: string | undefined
  /** Resolves versions anew instead of following the lock, as `helm dependency update` does. */
  readonly update?: boolean
  /** URLs for `@name` and `alias:name` repositories. */
  readonly repositories?: ReadonlyMap<string, string>
  /** Packs the chart of a `file://` dependency. */
  readonly packLocal: (
    path: string,
    dependency: WantedDependency,
  ) => Result<{ readonly version: string; readonly archive: Uint8Array }>
  readonly now: () => number
}

/** What to write: archives by file name, and the two locks. */
export interface Vendored {
  readonly archives: readonly { readonly file: string; readonly archive: Uint8Array; readonly digest: string }[]
  readonly chartLock: string
  readonly vendorLock: string
}

interface Step {
  readonly wanted: WantedDependency
  readonly version: string
}

function steps(input: VendorInput): Result<readonly Step[]> {
  const { wanted, lock, update } = input
  if (!lock || update) return succeed(wanted.map((each) => ({ wanted: each, version: each.version })))
  if (lock.digest !== lockDigest(wanted, lock.dependencies)) {
    return fail({
      code: 'chart-lock-stale',
      at: 'Chart.lock',
      message:
        'the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the dependencies',
      cure: 'idp vendor --update',
    })
  }
  return succeed(
    wanted.map((each, index) => ({ wanted: each, version: lock.dependencies[index]?.version ?? each.version })),
  )
}

/** Digests by file name of what was vendored before. */
function digestsOf(text: string | undefined): ReadonlyMap<string, string> {
  const read = parseYaml(text ?? '')
  const charts = read.ok && isObject(read.value) ? own(read.value, 'charts') : undefined
  const digests = new Map<string, string>()
  for (const chart of Array.isArray(charts) ? charts : []) {
    if (isObject(chart)) digests.set(String(own(chart, 'file')), String(own(chart, 'digest')))
  }
  return digests
}

function repositoryOf({ repository, name }: WantedDependency, input: VendorInput): Result<string> {
  const alias = /^(?:@|alias:)(.+)$/.exec(repository)?.[1]
  const url = alias === undefined ? repository : input.repositories?.get(alias)
  if (url !== undefined && /^(?:https?|oci):\/\//.test(url)) return succeed(url)
  return fail({
    code: 'chart-repository-unknown',
    at: 'Chart.yaml',
    message: `cannot use the repository ${JSON.stringify(repository)} of dependency ${name}: it is neither a URL nor a known name`,
  })
}

/**
 * Fetches every dependency of a chart. With a lock the same versions come again, and with charts/.vendor.yaml the very same
 * bytes, so that rendering needs no network and gives the same result everywhere.
 */
export async function vendorChart(input: VendorInput, reach: OciReach, cache: ChartCache): Promise<Result<Vendored>> {
  const planned = steps(input)
  if (!planned.ok) return planned
  const known = input.update ? new Map<string, string>() : digestsOf(input.vendored)
  const archives: Vendored['archives'][number][] = []
  const locked: LockedDependency[] = []
  for (const { wanted, version } of planned.value) {
    // A dependency without a repository lies in charts/ already.
    if (wanted.repository === '') {
      locked.push({ name: wanted.name, repository: '', version: wanted.version })
      continue
    }
    const found = wanted.repository.startsWith('file://')
      ? input.packLocal(wanted.repository.slice('file://'.length), wanted)
      : await fetchWanted(wanted, version, known, input, { reach, cache })
    if (!found.ok) return found
    const file = `${wanted.name}-${found.value.version}.tgz`
    if (!archives.some((each) => each.file === file)) {
      archives.push({ file, archive: found.value.archive, digest: cache.put(found.value.archive) })
    }
    locked.push({ name: wanted.name, repository: wanted.repository, version: found.value.version })
  }
  const charts = archives.map(({ file, digest }) => ({ file, digest }))
  return succeed({
    archives,
    chartLock: writeLock(input.wanted, locked, new Date(input.now()).toISOString()),
    vendorLock: emitYaml({ charts }),
  })
}

async function fetchWanted(
  wanted: WantedDependency,
  version: string,
  known: ReadonlyMap<string, string>,
  input: VendorInput,
  { reach, cache }: { readonly reach: OciReach; readonly cache: ChartCache },
): Promise<Result<{ readonly version: string; readonly archive: Uint8Array }>> {
  const repository = repositoryOf(wanted, input)
  if (!repository.ok) return repository
  const digest = known.get(`${wanted.name}-${version}.tgz`)
  const request = { repository: repository.value, name: wanted.name, version }
  return fetchChart(digest === undefined ? request : { ...request, digest }, reach, cache)
}
