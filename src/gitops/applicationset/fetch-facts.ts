import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isObject, setOwn } from '../../lib/json.ts'
import { describeError } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { GitFiles } from '../../sources/git/git-files.ts'
import { fieldsOf, textOf } from '../fields.ts'
import { isPluginAnswer, pluginToken } from './engine/generators/plugin.ts'
import { gitFileMatcher } from './engine/git-glob.ts'
import { type ClusterFact, type Facts, type HttpNeed, type HttpPage, type Need, needKey } from './engine/need.ts'
import { isHidden, MOST_ROUNDS, pluginAnswer } from './recorded-facts.ts'
import { keptAnswer } from './service-answers.ts'
import type { ServiceHttp } from '../../runtime/service-http.ts'

/** What facts are fetched from. */
export interface FactPorts {
  readonly client: Client
  readonly git: GitFiles
  readonly http: ServiceHttp
  readonly clusters: () => readonly ClusterFact[]
  readonly hasProject: (name: string) => boolean
  readonly newGitGlobbing: boolean
  /** The installation's namespace, where plugins and decisions are configured. */
  readonly namespace: string
  /** The ApplicationSet's namespace, where its own tokens are. */
  readonly setNamespace: string
  /** What services have answered before. */
  readonly answers: Map<string, Result<unknown>>
  /** Whether repositories are asked even where a recent answer is known. */
  readonly fresh: boolean
}

const failed = (message: string): Result<never> => fail({ code: 'appset-generator-failed', message })

/** Asks, fetches what is needed, and asks again, until there is an answer. */
export function withFacts<T>(ask: AskFacts<T>, ports: FactPorts, signal: AbortSignal): Promise<Result<T>> {
  return untilAnswered(ask, (need) => fetchFact(need, ports, signal))
}

/** A question that either needs more facts or has its answer. */
export type AskFacts<T> = (facts: Facts) => { readonly needs: readonly Need[] } | { readonly done: T }

/** The same with facts from wherever. */
export async function untilAnswered<T>(
  ask: AskFacts<T>,
  fetch: (need: Need) => Promise<Result<unknown>>,
): Promise<Result<T>> {
  const facts = new Map<string, Result<unknown>>()
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const asked = ask(facts)
    if ('done' in asked) return succeed(asked.done)
    const answers = await Promise.all(asked.needs.map(async (need) => [needKey(need), await fetch(need)] as const))
    for (const [key, answer] of answers) facts.set(key, answer)
  }
  return failed(`the generators ask more than ${MOST_ROUNDS} times`)
}

/** What a need is answered with, from a cluster, its repositories and its services. Only an abort is thrown. */
export async function fetchFact(need: Need, ports: FactPorts, signal: AbortSignal): Promise<Result<unknown>> {
  try {
    return await keptAnswer(need, ports.answers, () => fetchOne(need, ports, signal))
  } catch (error) {
    // A generator that cannot be asked must stop the turn, not look like one that found nothing.
    if (signal.aborted) throw error
    return failed(describeError(error))
  }
}

async function fetchOne(need: Need, ports: FactPorts, signal: AbortSignal): Promise<Result<unknown>> {
  switch (need.need) {
    case 'clusters':
      return succeed(ports.clusters())
    case 'project':
      return ports.hasProject(need.name)
        ? succeed(true)
        : failed(`appprojects.argoproj.io ${JSON.stringify(need.name)} not found`)
    case 'git-directories': {
      const found = await ports.git.directories(placeOf(need), { signal, fresh: ports.fresh })
      return found.ok ? succeed(found.value.filter((folder) => !isHidden(folder))) : found
    }
    case 'git-files':
      return gitFiles(need, ports, signal)
    case 'config-map':
      return readObject(ports, CONFIG_MAPS, need.name, signal, (object) => fieldsOf(object, 'data'))
    case 'secret':
      return readObject(ports, SECRETS, need.name, signal, () => true)
    case 'decisions':
      return decisions(need, ports, signal)
    case 'plugin':
      return askPlugin(need, ports, signal)
    case 'http':
      return askService(need, ports, signal)
  }
}

const placeOf = ({ repoURL, revision, project }: { repoURL: string; revision: string; project: string }) => ({
  repoURL,
  revision,
  ...(project === '' ? {} : { project }),
})

async function gitFiles(
  need: Extract<Need, { readonly need: 'git-files' }>,
  { git, fresh, newGitGlobbing }: FactPorts,
  signal: AbortSignal,
): Promise<Result<Readonly<Record<string, string>>>> {
  const matches = gitFileMatcher(need.pattern, newGitGlobbing ? 'doublestar' : 'pathspec')
  const found = await git.files(placeOf(need), matches, { signal, fresh })
  if (!found.ok) return found
  const texts: Record<string, string> = {}
  for (const [path, bytes] of found.value) setOwn(texts, path, Buffer.from(bytes).toString('utf8'))
  return succeed(texts)
}

const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps' }
const SECRETS = { group: '', version: 'v1', plural: 'secrets' }

async function readObject<T>(
  { client, namespace }: Pick<FactPorts, 'client' | 'namespace'>,
  resource: typeof SECRETS,
  name: string,
  signal: AbortSignal,
  use: (object: KubeObject) => T,
): Promise<Result<T>> {
  const read = await client.get({ resource, namespace, name }, { signal })
  return read.ok ? succeed(use(read.value)) : failed(read.error.message)
}

async function decisions(
  need: Extract<Need, { readonly need: 'decisions' }>,
  { client, namespace }: FactPorts,
  signal: AbortSignal,
): Promise<Result<unknown>> {
  const { group, version, plural, name, labelSelector } = need
  const resource = { group, version, plural }
  if (name !== undefined) {
    const read = await client.get({ resource, namespace, name }, { signal })
    if (read.ok) return succeed([read.value])
    return read.error.reason === 'NotFound' ? succeed([]) : failed(read.error.message)
  }
  const listed = await client.list({ resource, namespace }, { signal, labelSelector: labelSelector ?? '' })
  return listed.ok ? succeed(listed.value.items) : failed(listed.error.message)
}

/** A key of a Secret; a missing one is a problem that names neither what it holds nor what it held. */
async function secretValue(
  client: Client,
  place: { readonly namespace: string; readonly name: string; readonly key: string },
  signal: AbortSignal,
): Promise<Result<string>> {
  const { namespace, name, key } = place
  const read = await client.get({ resource: SECRETS, namespace, name }, { signal })
  if (!read.ok) return failed(`error fetching secret ${namespace}/${name}: ${read.error.message}`)
  const encoded = fieldsOf(read.value, 'data')[key]
  if (typeof encoded !== 'string')
    return failed(`key ${JSON.stringify(key)} in secret "${namespace}/${name}" not found`)
  return succeed(Buffer.from(encoded, 'base64').toString('utf8').trim())
}

const PLUGIN_TIMEOUT_MS = 30_000

async function askPlugin(
  need: Extract<Need, { readonly need: 'plugin' }>,
  ports: FactPorts,
  signal: AbortSignal,
): Promise<Result<unknown>> {
  const settings = await readObject(ports, CONFIG_MAPS, need.configMap, signal, (object) => fieldsOf(object, 'data'))
  if (!settings.ok) return settings
  const { secret, key } = pluginToken(textOf(settings.value, 'token'))
  const token = await secretValue(ports.client, { namespace: ports.namespace, name: secret, key }, signal)
  if (!token.ok) return token
  const seconds = Number(textOf(settings.value, 'requestTimeout') || PLUGIN_TIMEOUT_MS / 1_000)
  if (!Number.isInteger(seconds) || seconds < 1) return failed('requestTimeout of the plugin is no number of seconds')
  const base = textOf(settings.value, 'baseUrl')
  const answer = await ports.http({
    method: 'POST',
    url: `${base.endsWith('/') ? base : `${base}/`}api/v1/getparams.execute`,
    headers: { authorization: `Bearer ${token.value}`, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ applicationSetName: need.applicationSet, input: { parameters: need.parameters } }),
    timeoutMs: seconds * 1_000,
    signal,
  })
  if (answer.status < 200 || answer.status >= 300) {
    return failed(`error get api '${need.applicationSet}': the plugin answers with status ${answer.status}`)
  }
  const read = pluginAnswer(need, answer.body)
  if (!read.ok || isPluginAnswer(read.value)) return read
  return failed(`error get api '${need.applicationSet}': the answer has no list output.parameters`)
}

const SERVICE_TIMEOUT_MS = 30_000

async function askService(need: HttpNeed, ports: FactPorts, signal: AbortSignal): Promise<Result<HttpPage>> {
  if (need.appSecret !== undefined) {
    return failed('GitHub Apps (appSecretName) are not supported: use tokenRef')
  }
  const headers = await headersOf(need, ports, signal)
  if (!headers.ok) return headers
  const ca = need.ca && (await authority(need.ca, ports, signal))
  if (ca && !ca.ok) return ca
  const answer = await ports.http({
    method: 'GET',
    url: need.url,
    headers: headers.value,
    ...(ca ? { ca: ca.value } : {}),
    ...(need.isInsecure ? { skipVerify: true } : {}),
    timeoutMs: SERVICE_TIMEOUT_MS,
    signal,
  })
  const next = nextPage(need.url, answer.headers)
  return succeed({ status: answer.status, body: jsonOf(answer.body), ...(next === undefined ? {} : { next }) })
}

async function headersOf(
  need: HttpNeed,
  { client, setNamespace }: FactPorts,
  signal: AbortSignal,
): Promise<Result<Readonly<Record<string, string>>>> {
  const plain = { accept: 'application/json', 'user-agent': 'idp' }
  if (!need.token) return succeed(plain)
  const place = { namespace: setNamespace, name: need.token.secret, key: need.token.key }
  const token = await secretValue(client, place, signal)
  if (!token.ok) return token
  const header =
    need.service === 'gitlab'
      ? { 'private-token': token.value }
      : { authorization: `${need.service === 'github' ? 'Bearer' : 'token'} ${token.value}` }
  return succeed({ ...plain, ...header })
}

async function authority(
  { configMap, key }: { readonly configMap: string; readonly key: string },
  { client, setNamespace }: FactPorts,
  signal: AbortSignal,
): Promise<Result<string>> {
  const place = { client, namespace: setNamespace }
  const read = await readObject(place, CONFIG_MAPS, configMap, signal, (object) =>
    textOf(fieldsOf(object, 'data'), key),
  )
  if (read.ok && read.value === '') return failed(`key ${JSON.stringify(key)} in ConfigMap ${configMap} not found`)
  return read
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    // A service that is out of order answers with a page for people; its status says what matters.
    if (cause instanceof SyntaxError) return null
    throw cause
  }
}

/** The next page: GitHub and Gitea link to it, GitLab numbers it. Never another host: the token goes along. */
export function nextPage(url: string, headers: ReadonlyMap<string, string>): string | undefined {
  const linked = /<([^>]*)>[^,<]*rel="?next"?/.exec(headers.get('link') ?? '')?.[1]
  if (linked !== undefined && URL.canParse(linked, url)) {
    const next = new URL(linked, url)
    return next.host === new URL(url).host ? next.href : undefined
  }
  const page = headers.get('x-next-page') ?? ''
  if (!/^\d+$/.test(page)) return undefined
  const next = new URL(url)
  next.searchParams.set('page', page)
  return next.href
}

/** A cluster as its Secret describes it. */
export function clusterFact(secret: KubeObject): ClusterFact {
  const data = fieldsOf(secret, 'data')
  const text = (key: string): string => Buffer.from(textOf(data, key), 'base64').toString('utf8')
  return {
    name: text('name'),
    server: text('server'),
    ...(isObject(data) && Object.hasOwn(data, 'project') ? { project: text('project') } : {}),
    ...(secret.metadata.labels ? { labels: secret.metadata.labels } : {}),
    ...(secret.metadata.annotations ? { annotations: secret.metadata.annotations } : {}),
  }
}
