import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import { isObject, own } from '../lib/json.ts'
import { fail, type Result, succeed } from '../lib/result.ts'
import { parseYaml } from '../lib/yaml.ts'
import type { ClusterAccess, Credentials, Impersonation, TlsOptions } from './access.ts'
import { type Environment, type ExecPlugin, parseExec } from './exec-plugin.ts'

/** A named part of a kubeconfig, and the folder that its relative paths start from. */
interface Part {
  readonly folder: string
  readonly body: Fields
}
type Fields = Readonly<Record<string, unknown>>

/** One or more kubeconfig files, merged: the first that names something wins. */
export interface Kubeconfig {
  readonly currentContext: string | undefined
  readonly contexts: ReadonlyMap<string, Part>
  readonly clusters: ReadonlyMap<string, Part>
  readonly users: ReadonlyMap<string, Part>
}

/** The files that kubectl would read: $KUBECONFIG's, or the one in the home directory. */
export function kubeconfigPaths(environment: Environment): readonly string[] {
  const listed = own(environment, 'KUBECONFIG')
  if (listed) return [...new Set(listed.split(delimiter).filter((path) => path !== ''))]
  const home = own(environment, 'HOME') ?? own(environment, 'USERPROFILE')
  return home ? [join(home, '.kube', 'config')] : []
}

/** Reads and merges kubeconfig files. Of several, missing ones are passed over. */
export function loadKubeconfig(paths: readonly string[]): Result<Kubeconfig> {
  const there = paths.filter((path) => existsSync(path))
  if (there.length === 0) {
    return fail({
      code: 'kubeconfig-missing',
      message: `cannot find a kubeconfig${paths.length > 0 ? ` at ${paths.join(' or ')}` : ''}`,
      cure: 'name one with --kubeconfig or KUBECONFIG',
    })
  }
  const merged = {
    currentContext: undefined as string | undefined,
    contexts: new Map<string, Part>(),
    clusters: new Map<string, Part>(),
    users: new Map<string, Part>(),
  }
  for (const path of there) {
    const parsed = parseKubeconfig(readFileSync(path, 'utf8'), path)
    if (!parsed.ok) return parsed
    merged.currentContext ??= parsed.value.currentContext
    for (const list of ['contexts', 'clusters', 'users'] as const) {
      for (const [name, part] of parsed.value[list]) if (!merged[list].has(name)) merged[list].set(name, part)
    }
  }
  return succeed(merged)
}

/** Reads the text of one kubeconfig; relative paths in it start from the folder of its path. */
export function parseKubeconfig(text: string, path: string): Result<Kubeconfig> {
  const parsed = parseYaml(text)
  const invalid = (because: string): Result<never> =>
    fail({ code: 'kubeconfig-invalid', at: path, message: `cannot read the kubeconfig: ${because}` })
  // The parser's message may quote the line, which may be a token.
  if (!parsed.ok) return invalid('it is not YAML')
  const root = parsed.value ?? {}
  if (!isObject(root)) return invalid('it is not an object')
  const folder = dirname(resolve(path))
  const lists: Map<string, Part>[] = []
  for (const [list, one] of [
    ['contexts', 'context'],
    ['clusters', 'cluster'],
    ['users', 'user'],
  ] as const) {
    const named = new Map<string, Part>()
    const items = own(root, list) ?? []
    if (!Array.isArray(items)) return invalid(`${list} is not a list`)
    for (const [index, item] of (items as readonly unknown[]).entries()) {
      const name = isObject(item) ? own(item, 'name') : undefined
      if (!isObject(item) || typeof name !== 'string') return invalid(`${list}[${index}] has no name`)
      const body = own(item, one) ?? {}
      if (!isObject(body)) return invalid(`${list}[${index}].${one} is not an object`)
      if (!named.has(name)) named.set(name, { folder, body })
    }
    lists.push(named)
  }
  const [contexts = new Map(), clusters = new Map(), users = new Map()] = lists
  const current = own(root, 'current-context')
  return succeed({
    currentContext: typeof current === 'string' && current ? current : undefined,
    contexts,
    clusters,
    users,
  })
}

/** The names of the contexts, for a message or a completion. */
export function contextNames(config: Kubeconfig): readonly string[] {
  return [...config.contexts.keys()].toSorted()
}

/** How to reach the cluster of a context (the current one when none is named) as its user. */
export function accessOf(config: Kubeconfig, contextName?: string): Result<ClusterAccess> {
  const name = contextName ?? config.currentContext
  const context = name === undefined ? undefined : config.contexts.get(name)
  if (name === undefined || !context) {
    const known = contextNames(config).join(', ') || 'none'
    return fail({
      code: 'context-unknown',
      message:
        name === undefined ? 'cannot tell which context to use: none is current' : `cannot find the context ${name}`,
      cure: `use one of: ${known}`,
    })
  }
  try {
    return succeed(accessFrom(config, context.body))
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    return fail({ code: 'kubeconfig-invalid', message: `cannot use the context ${name}: ${because}` })
  }
}

function accessFrom(config: Kubeconfig, context: Fields): ClusterAccess {
  const clusterName = textOf(context, 'cluster') ?? ''
  const userName = textOf(context, 'user')
  const cluster = config.clusters.get(clusterName)
  const user = userName === undefined ? nobody : config.users.get(userName)
  if (!cluster) throw new Error(`its cluster ${JSON.stringify(clusterName)} is not there`)
  if (!user) throw new Error(`its user ${JSON.stringify(userName)} is not there`)
  const server = serverOf(textOf(cluster.body, 'server'))
  const proxyUrl = textOf(cluster.body, 'proxy-url')
  const impersonate = impersonationOf(user.body)
  return {
    server,
    namespace: textOf(context, 'namespace') ?? 'default',
    tls: tlsOf(cluster, user),
    ...(proxyUrl ? { proxyUrl } : {}),
    credentials: credentialsOf(user, cluster),
    ...(impersonate ? { impersonate } : {}),
  }
}

const nobody: Part = { folder: '.', body: {} }

/** The server's URL as requests are built on. */
export function serverOf(text: string | undefined): string {
  if (!text) throw new Error('the cluster has no server')
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new Error('the server is not a URL of https')
  if (url.username || url.password) throw new Error('the URL of the server must not hold credentials')
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

function tlsOf(cluster: Part, user: Part): TlsOptions {
  const ca = material(cluster, 'certificate-authority')
  const cert = material(user, 'client-certificate')
  const key = material(user, 'client-key')
  const serverName = textOf(cluster.body, 'tls-server-name')
  const insecure = own(cluster.body, 'insecure-skip-tls-verify') === true
  if (insecure && ca) throw new Error('insecure-skip-tls-verify and a certificate-authority exclude each other')
  if ((cert === undefined) !== (key === undefined)) throw new Error('a client certificate and its key belong together')
  return {
    ...(ca ? { ca } : {}),
    ...(cert && key ? { cert, key } : {}),
    ...(serverName ? { serverName } : {}),
    ...(insecure ? { insecure } : {}),
  }
}

/** PEM text that is given inline, in base64, or as a file. Inline wins. */
function material({ folder, body }: Part, field: string): string | undefined {
  const inline = textOf(body, `${field}-data`)
  if (inline) return Buffer.from(inline, 'base64').toString()
  const path = textOf(body, field)
  if (!path) return undefined
  const from = isAbsolute(path) ? path : join(folder, path)
  try {
    return readFileSync(from, 'utf8')
  } catch (error) {
    throw new Error(`the ${field} ${from} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error })
  }
}

/** In kubectl's order: a token, its file, a password, a plugin. */
function credentialsOf({ folder, body }: Part, cluster: Part): Credentials {
  if (own(body, 'auth-provider')) {
    throw new Error('auth-provider was removed from Kubernetes 1.26: use an exec plugin')
  }
  const tokenFile = textOf(body, 'tokenFile')
  // As in client-go, the file wins over a token that stands beside it.
  if (tokenFile) return { by: 'token-file', path: isAbsolute(tokenFile) ? tokenFile : join(folder, tokenFile) }
  const token = textOf(body, 'token')
  if (token) return { by: 'token', token }
  const username = textOf(body, 'username')
  if (username) return { by: 'password', username, password: textOf(body, 'password') ?? '' }
  const exec = own(body, 'exec')
  return exec === undefined ? { by: 'nothing' } : { by: 'exec', plugin: pluginOf(exec, folder, cluster) }
}

function pluginOf(exec: unknown, folder: string, { body }: Part): ExecPlugin {
  const ca = textOf(body, 'certificate-authority-data')
  const serverName = textOf(body, 'tls-server-name')
  const proxyUrl = textOf(body, 'proxy-url')
  return parseExec(exec, folder, {
    server: serverOf(textOf(body, 'server')),
    ...(ca ? { 'certificate-authority-data': ca } : {}),
    ...(serverName ? { 'tls-server-name': serverName } : {}),
    ...(own(body, 'insecure-skip-tls-verify') === true ? { 'insecure-skip-tls-verify': true } : {}),
    ...(proxyUrl ? { 'proxy-url': proxyUrl } : {}),
    config: execConfigOf(body),
  })
}

/** What a cluster leaves for its plugins, under the extension of that name. */
function execConfigOf(cluster: Fields): unknown {
  const extensions = own(cluster, 'extensions')
  if (!Array.isArray(extensions)) return null
  const found = (extensions as readonly unknown[]).find(
    (one) => isObject(one) && own(one, 'name') === 'client.authentication.k8s.io/exec',
  )
  return isObject(found) ? (own(found, 'extension') ?? null) : null
}

function impersonationOf(user: Fields): Impersonation | undefined {
  const name = textOf(user, 'as')
  if (!name) return undefined
  const uid = textOf(user, 'as-uid')
  const extra = own(user, 'as-user-extra')
  const texts = (value: unknown): readonly string[] =>
    Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
  return {
    user: name,
    ...(uid ? { uid } : {}),
    groups: texts(own(user, 'as-groups')),
    extra: isObject(extra) ? Object.fromEntries(Object.entries(extra).map(([key, value]) => [key, texts(value)])) : {},
  }
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = own(fields, name)
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw new Error(`${name} is not text`)
  return value
}
