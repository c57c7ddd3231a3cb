import { isObject, own } from '../../lib/json.ts'
import { describeError } from '../../lib/log.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { basicAuth, type Credentials } from './credentials.ts'
import { checked } from './checked.ts'
import { type Http, hostAndPath } from './http.ts'
import { newestMatching } from './newest.ts'

/** One packed version of a chart in a repository. */
export interface ChartVersion {
  readonly version: string
  readonly urls: readonly string[]
  /** `sha256:` and hex; undefined when the index has none. */
  readonly digest: string | undefined
}

/** The charts of a repository with their versions, newest first. */
export type RepositoryIndex = ReadonlyMap<string, readonly ChartVersion[]>

/** A chart as it came from somewhere. */
export interface FetchedChart {
  readonly name: string
  readonly version: string
  readonly archive: Uint8Array
  readonly digest: string
}

/** How a repository is reached. */
export interface Reach {
  readonly http: Http
  readonly credentials?: Credentials
  readonly signal?: AbortSignal
}

const MAX_INDEX_BYTES = 64 * 1024 * 1024
/** The largest packed chart that is taken. */
export const MAX_CHART_BYTES: number = 50 * 1024 * 1024

/** The problem with a server that refuses or does not answer; never carries credentials. */
export function unreachable(what: string, url: string, because: string): Problem {
  return {
    code: 'chart-source-unreachable',
    at: hostAndPath(url),
    message: `cannot fetch ${what} from ${hostAndPath(url)}: ${because}`,
  }
}

/** Fetches bytes; anything but 200 is a problem. */
export async function fetchBytes(
  reach: Reach,
  what: string,
  url: string,
  options: { readonly maxBytes: number; readonly headers?: Readonly<Record<string, string>> },
): Promise<Result<Uint8Array>> {
  try {
    const answer = await reach.http({ url, ...options, ...(reach.signal ? { signal: reach.signal } : {}) })
    return answer.status === 200
      ? succeed(answer.body)
      : fail(unreachable(what, url, `the server answers ${answer.status}`))
  } catch (cause) {
    return fail(unreachable(what, url, describeError(cause)))
  }
}

function versionOf(value: unknown): ChartVersion | undefined {
  if (!isObject(value)) return undefined
  const version = own(value, 'version')
  const urls = own(value, 'urls')
  const digest = own(value, 'digest')
  if (version === undefined || !Array.isArray(urls)) return undefined
  const bare = typeof digest === 'string' ? digest.replace(/^sha256:/, '').toLowerCase() : ''
  return {
    version: typeof version === 'string' ? version : JSON.stringify(version),
    urls: urls.filter((url) => typeof url === 'string'),
    digest: /^[0-9a-f]{64}$/.test(bare) ? `sha256:${bare}` : undefined,
  }
}

/** Reads index.yaml. Entries that make no sense are passed over, as by helm. */
export function parseIndex(text: string, at: string): Result<RepositoryIndex> {
  const read = parseYaml(text, { file: at, maxChars: MAX_INDEX_BYTES })
  if (!read.ok) return read
  const entries = isObject(read.value) ? own(read.value, 'entries') : undefined
  if (!isObject(entries)) {
    return fail({ code: 'chart-index-invalid', at, message: `cannot use the index ${at}: it has no entries` })
  }
  return succeed(
    new Map(
      Object.entries(entries).map(([name, versions]) => [
        name,
        Array.isArray(versions) ? versions.flatMap((version) => versionOf(version) ?? []) : [],
      ]),
    ),
  )
}

const authorization = (reach: Reach, url: string, repository: string): Readonly<Record<string, string>> => {
  const { credentials } = reach
  if (!credentials) return {}
  const isSameHost = new URL(url).host === new URL(repository).host
  return isSameHost || credentials.passToAll ? basicAuth(credentials) : {}
}

/** `index.yaml` below a repository's URL, whose query is kept. */
function indexUrl(repository: string): string {
  const url = new URL(repository)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/index.yaml`
  return url.href
}

/** Fetches what a repository offers. */
export async function fetchIndex(repository: string, reach: Reach): Promise<Result<RepositoryIndex>> {
  const url = indexUrl(repository)
  const body = await fetchBytes(reach, 'the index', url, {
    maxBytes: MAX_INDEX_BYTES,
    headers: authorization(reach, url, repository),
  })
  return body.ok ? parseIndex(new TextDecoder().decode(body.value), hostAndPath(url)) : body
}

/** Fetches the newest version of a chart that meets a constraint, and checks it against the digest of the index. */
export async function fetchFromRepository(
  repository: string,
  name: string,
  constraint: string,
  reach: Reach,
): Promise<Result<FetchedChart>> {
  const index = await fetchIndex(repository, reach)
  if (!index.ok) return index
  const offered = (index.value.get(name) ?? []).filter(({ urls }) => urls.length > 0)
  const version = newestMatching(
    offered.map((each) => each.version),
    constraint,
  )
  const chosen = offered.find((each) => each.version === version)
  const [link] = chosen?.urls ?? []
  if (!chosen || link === undefined) {
    return fail({
      code: 'chart-not-found',
      at: hostAndPath(repository),
      message: `chart ${JSON.stringify(name)} version ${JSON.stringify(constraint)} not found in ${hostAndPath(repository)}`,
    })
  }
  const url = new URL(link, `${repository.replace(/\/$/, '')}/`).href
  const archive = await fetchBytes(reach, `the chart ${name} ${chosen.version}`, url, {
    maxBytes: MAX_CHART_BYTES,
    headers: authorization(reach, url, repository),
  })
  return archive.ok ? checked({ name, version: chosen.version, archive: archive.value }, chosen.digest) : archive
}
