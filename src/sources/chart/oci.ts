import { isObject, own } from '../../lib/json.ts'
import { describeError } from '../../lib/log.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { digestOf } from './chart-cache.ts'
import { checked } from './checked.ts'
import { basicAuth } from './credentials.ts'
import type { HttpResponse } from './http.ts'
import { isExactVersion, newestMatching } from './newest.ts'
import { type FetchedChart, MAX_CHART_BYTES, type Reach, unreachable } from './repository.ts'

/** How a registry is reached. */
export interface OciReach extends Reach {
  /** Plain HTTP, for registries on this machine and in tests. */
  readonly plainHttp?: boolean
}

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
const CONFIG_TYPE = 'application/vnd.cncf.helm.config.v1+json'
const CHART_TYPES: readonly string[] = [
  'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
  // What early versions of helm pushed.
  'application/tar+gzip',
]
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
const MOST_PAGES = 200
/** Tags cannot hold a plus sign; helm writes an underscore instead. */
const tagOf = (version: string): string => version.replaceAll('+', '_')
const versionOf = (tag: string): string => tag.replaceAll('_', '+')

const text = (body: Uint8Array): string => new TextDecoder().decode(body)

function parseJson(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text(body))
    return isObject(value) ? value : undefined
  } catch {
    // Whoever asked says what was expected.
    return undefined
  }
}

/** The parameters of a WWW-Authenticate header: scheme and `key="value"` pairs. */
export function parseChallenge(header: string): {
  readonly scheme: string
  readonly values: ReadonlyMap<string, string>
} {
  const [scheme = ''] = header.trim().split(/\s+/, 1)
  const values = new Map<string, string>()
  for (const [, key = '', quoted, bare] of header
    .slice(scheme.length + 1)
    .matchAll(/([a-zA-Z]+)=(?:"([^"]*)"|([^\s,]+))/g)) {
    values.set(key.toLowerCase(), quoted ?? bare ?? '')
  }
  return { scheme: scheme.toLowerCase(), values }
}

/** One repository of a registry, and the token that it gave. */
class OciRepository {
  readonly url: string
  readonly path: string
  private readonly reach: OciReach
  private authorization: Readonly<Record<string, string>> = {}

  constructor(host: string, path: string, reach: OciReach) {
    this.url = `${reach.plainHttp ? 'http' : 'https'}://${host}`
    this.path = path
    this.reach = reach
  }

  async get(below: string, accept: string, maxBytes: number): Promise<Result<HttpResponse>> {
    const url = `${this.url}/v2/${this.path}/${below}`
    const ask = (): Promise<Result<HttpResponse>> => this.ask(url, { accept, ...this.authorization }, maxBytes)
    const first = await ask()
    if (!first.ok || first.value.status !== 401) return first
    const authorized = await this.authorize(url, first.value.headers.get('www-authenticate') ?? '')
    return authorized.ok ? ask() : authorized
  }

  private async ask(
    url: string,
    headers: Readonly<Record<string, string>>,
    maxBytes: number,
  ): Promise<Result<HttpResponse>> {
    const { http, signal } = this.reach
    try {
      return succeed(await http({ url, headers, maxBytes, ...(signal ? { signal } : {}) }))
    } catch (cause) {
      return fail(unreachable('from the registry', url, describeError(cause)))
    }
  }

  private async authorize(url: string, header: string): Promise<Result<undefined>> {
    const { scheme, values } = parseChallenge(header)
    const { credentials } = this.reach
    const refuse = (because: string): Result<never> => fail(unreachable('from the registry', url, because))
    if (scheme === 'basic') {
      if (!credentials) return refuse('it asks for a user and a password')
      this.authorization = basicAuth(credentials)
      return succeed(undefined)
    }
    const realm = values.get('realm')
    if (scheme !== 'bearer' || realm === undefined || !URL.canParse(realm))
      return refuse('it asks for an unknown kind of authorization')
    const where = new URL(realm)
    // A token service may live elsewhere, but never behind weaker transport than the registry.
    if (where.protocol !== 'https:' && !this.reach.plainHttp) return refuse('it names a token service without TLS')
    const service = values.get('service')
    if (service !== undefined) where.searchParams.set('service', service)
    where.searchParams.set('scope', values.get('scope') ?? `repository:${this.path}:pull`)
    const answer = await this.ask(where.href, credentials ? basicAuth(credentials) : {}, MAX_DOCUMENT_BYTES)
    if (!answer.ok) return answer
    const body = parseJson(answer.value.body)
    const token = body && (own(body, 'token') ?? own(body, 'access_token'))
    if (answer.value.status !== 200 || typeof token !== 'string')
      return refuse(`the token service answers ${answer.value.status}`)
    this.authorization = { authorization: `Bearer ${token}` }
    return succeed(undefined)
  }
}

const notFound = (path: string, what: string): Problem => ({
  code: 'chart-not-found',
  at: path,
  message: `cannot find ${what} in the registry at ${path}`,
})

/** Every tag of a repository, page by page. */
async function tagsOf(repository: OciRepository): Promise<Result<readonly string[]>> {
  const tags: string[] = []
  let below = 'tags/list'
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await repository.get(below, 'application/json', MAX_DOCUMENT_BYTES)
    if (!answer.ok) return answer
    if (answer.value.status !== 200) return fail(notFound(repository.path, 'its tags'))
    const list = own(parseJson(answer.value.body) ?? {}, 'tags')
    if (Array.isArray(list)) tags.push(...list.filter((tag) => typeof tag === 'string'))
    const next = /<([^>]+)>;\s*rel="?next"?/.exec(answer.value.headers.get('link') ?? '')?.[1]
    if (next === undefined) return succeed(tags)
    below = `tags/list${new URL(next, repository.url).search}`
  }
  return succeed(tags)
}

function layerOf(
  manifest: Readonly<Record<string, unknown>>,
  at: string,
): Result<{ readonly digest: string; readonly size: number }> {
  const refuse = (because: string): Result<never> =>
    fail({ code: 'chart-artifact-invalid', at, message: `cannot use the artifact at ${at}: ${because}` })
  const config = own(manifest, 'config')
  const layers = own(manifest, 'layers')
  if (!isObject(config) || own(config, 'mediaType') !== CONFIG_TYPE) return refuse('it is no chart')
  const layer = (Array.isArray(layers) ? layers : []).find(
    (each) => isObject(each) && CHART_TYPES.includes(String(own(each, 'mediaType'))),
  ) as Readonly<Record<string, unknown>> | undefined // found by isObject
  const digest = layer && own(layer, 'digest')
  const size = layer && own(layer, 'size')
  if (typeof digest !== 'string' || typeof size !== 'number') return refuse('it has no layer with a chart')
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) return refuse(`its digest ${JSON.stringify(digest)} is not sha256`)
  if (size > MAX_CHART_BYTES) return refuse(`its chart has ${size} bytes; the limit is ${MAX_CHART_BYTES}`)
  return succeed({ digest, size })
}

/**
 * Fetches a chart from an OCI registry: `oci://host/path` holds repositories named after charts. The manifest and the
 * archive are checked against their digests.
 */
export async function fetchFromRegistry(
  repositoryUrl: string,
  name: string,
  constraint: string,
  reach: OciReach,
): Promise<Result<FetchedChart>> {
  const [host = '', ...folders] = repositoryUrl
    .replace(/^oci:\/\//, '')
    .replace(/\/+$/, '')
    .split('/')
  const repository = new OciRepository(host, [...folders, name].join('/'), reach)
  const at = `${host}/${repository.path}`
  let version = constraint
  if (!isExactVersion(constraint)) {
    const tags = await tagsOf(repository)
    if (!tags.ok) return tags
    const newest = newestMatching(tags.value.map(versionOf), constraint)
    if (newest === undefined) return fail(notFound(at, `a version of ${name} that meets ${JSON.stringify(constraint)}`))
    version = newest
  }
  const answer = await repository.get(`manifests/${tagOf(version)}`, MANIFEST_TYPE, MAX_DOCUMENT_BYTES)
  if (!answer.ok) return answer
  if (answer.value.status !== 200) return fail(notFound(at, `version ${version} of ${name}`))
  const promised = answer.value.headers.get('docker-content-digest')
  if (promised !== undefined && promised.startsWith('sha256:') && promised !== digestOf(answer.value.body)) {
    return fail({
      code: 'chart-digest-mismatch',
      at,
      message: `the manifest of ${at}:${version} does not match its digest ${promised}`,
    })
  }
  const layer = layerOf(parseJson(answer.value.body) ?? {}, `${at}:${version}`)
  if (!layer.ok) return layer
  const blob = await repository.get(`blobs/${layer.value.digest}`, '*/*', layer.value.size + 1)
  if (!blob.ok) return blob
  if (blob.value.status !== 200) return fail(notFound(at, `the archive of ${name} ${version}`))
  return checked({ name, version, archive: blob.value.body }, layer.value.digest)
}
