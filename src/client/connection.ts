import type { Readable } from 'node:stream'
import { Agent, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici'
import type { Clock } from '../lib/clock.ts'
import type { ClusterAccess, TlsOptions } from './access.ts'
import { authorityOf, type Proof } from './authority.ts'
import type { Environment } from './exec-plugin.ts'

/** One request, before it is known who sends it. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
  /** It stays open: a watch, a log that is followed. */
  readonly isStream?: boolean
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readable & { text(): Promise<string>; dump(options?: { readonly limit: number }): Promise<void> }
}

/** The connections to one cluster as one user. */
export interface Connection {
  send(request: HttpRequest): Promise<HttpResponse>
  close(): Promise<void>
}

export interface ConnectionPorts {
  readonly clock: Clock
  /** What credential plugins are started with, and where proxies are named. */
  readonly environment: Environment
  readonly userAgent: string
}

/** A request that was not sent, or whose answer was lost. Nobody's credentials are in it. */
export class ConnectionError extends Error {
  /** The server has certainly not seen the request. */
  readonly wasNotSent: boolean

  constructor(message: string, options: { readonly cause: unknown; readonly wasNotSent: boolean }) {
    super(message, { cause: options.cause })
    this.wasNotSent = options.wasNotSent
  }
}

const CONNECTIONS = 32
const KEEP_ALIVE_MS = 30_000
const CONNECT_MS = 10_000
const HEADERS_MS = 75_000

interface Agents {
  /** Short requests share a few connections; a watch holds one of its own. */
  readonly short: Dispatcher
  readonly long: Dispatcher
}

/** Opens nothing yet; connections are made when there is something to send, and kept. */
export function connectTo(access: ClusterAccess, ports: ConnectionPorts): Connection {
  const authority = authorityOf(access, ports)
  const base = new URL(access.server)
  const prefix = base.pathname.replace(/\/+$/, '')
  const agents = agentsOf(access, ports.environment)
  const attempt = async (request: HttpRequest): Promise<HttpResponse> => {
    const proof = await authority.proof()
    const { short, long } = agents.of(proof)
    const options: Dispatcher.RequestOptions = {
      origin: base.origin,
      path: prefix + request.path,
      method: request.method,
      headers: { 'user-agent': ports.userAgent, accept: 'application/json', ...request.headers, ...mutable(proof) },
      ...(request.body === undefined ? {} : { body: request.body }),
      ...(request.signal ? { signal: request.signal } : {}),
      headersTimeout: HEADERS_MS,
      bodyTimeout: request.isStream ? 0 : HEADERS_MS,
    }
    try {
      const { statusCode, headers, body } = await (request.isStream ? long : short).request(options)
      return { status: statusCode, headers, body }
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason
      throw connectionError(error, access.server)
    }
  }
  return {
    async send(request) {
      const response = await attempt(request)
      if (response.status !== 401 || !authority.renew()) return response
      await discard(response)
      return attempt(request)
    },
    close: () => agents.close(),
  }
}

/** Frees the connection of an answer that nobody reads. */
export async function discard({ body }: HttpResponse): Promise<void> {
  await body.dump({ limit: 65_536 }).catch(() => undefined)
}

function mutable({ headers }: Proof): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  )
}

/** Agents by client certificate: a plugin may give another one. */
function agentsOf(
  access: ClusterAccess,
  environment: Environment,
): { of(proof: Proof): Agents; close(): Promise<void> } {
  const made = new Map<string, Agents>()
  const closing: Promise<void>[] = []
  return {
    of({ certificate }) {
      const key = certificate?.cert ?? ''
      const known = made.get(key)
      if (known) return known
      // What runs on an older certificate may end in peace.
      for (const [old, agents] of made) {
        closing.push(agents.short.close(), agents.long.close())
        made.delete(old)
      }
      const tls = certificate ? { ...access.tls, ...certificate } : access.tls
      const agents = {
        short: agentFor(access, tls, environment, CONNECTIONS),
        long: agentFor(access, tls, environment, undefined),
      }
      made.set(key, agents)
      return agents
    },
    async close() {
      await Promise.all([...made.values()].flatMap(({ short, long }) => [short.destroy(), long.destroy()]))
      made.clear()
    },
  }
}

function agentFor(
  access: ClusterAccess,
  tls: TlsOptions,
  environment: Environment,
  connections: number | undefined,
): Dispatcher {
  const connect = { ...tlsSettings(tls), timeout: CONNECT_MS, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }
  const options = {
    ...(connections === undefined ? {} : { connections }),
    keepAliveTimeout: KEEP_ALIVE_MS,
    pipelining: 1,
  }
  const proxy = access.proxyUrl ?? proxyFromEnvironment(new URL(access.server), environment)
  if (proxy === undefined) return new Agent({ ...options, connect })
  const url = new URL(proxy)
  if (url.protocol === 'socks5:' || url.protocol === 'socks5h:') {
    url.protocol = 'socks5:'
    // Not in the package's types: the TLS settings of the server behind the proxy.
    const requestTls: object = { requestTls: connect }
    return new Socks5ProxyAgent(url, { ...options, ...requestTls })
  }
  return new ProxyAgent({ ...options, uri: proxy, requestTls: connect })
}

function tlsSettings({ ca, cert, key, serverName, insecure }: TlsOptions): Record<string, unknown> {
  return {
    ...(ca ? { ca } : {}),
    ...(cert && key ? { cert, key } : {}),
    ...(serverName ? { servername: serverName } : {}),
    ...(insecure ? { rejectUnauthorized: false } : {}),
  }
}

/** The proxy that the environment names for a server, as Go's http.ProxyFromEnvironment reads it. */
export function proxyFromEnvironment(server: URL, environment: Environment): string | undefined {
  const read = (name: string): string | undefined => environment[name.toUpperCase()] || environment[name] || undefined
  const proxy = read(server.protocol === 'https:' ? 'https_proxy' : 'http_proxy')
  const host = server.hostname.replace(/^\[|\]$/g, '')
  if (!proxy || host === 'localhost' || host === '::1' || host.startsWith('127.')) return undefined
  for (const raw of (read('no_proxy') ?? '').split(',')) {
    const entry = raw.trim().toLowerCase()
    if (entry === '*' || (entry !== '' && isWithout(entry, host, server.port || '443'))) return undefined
  }
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

function isWithout(entry: string, host: string, port: string): boolean {
  const [name = '', only] = entry.split(':').length === 2 ? entry.split(':') : [entry]
  if (only !== undefined && only !== port) return false
  const domain = name.replace(/^\*?\./, '')
  return host === name || host.endsWith(`.${domain}`)
}

/** Says what went wrong with the connection in our words; the library's error may quote headers only in its fields. */
function connectionError(error: unknown, server: string): ConnectionError {
  const { code, message } = error as { readonly code?: string; readonly message?: string }
  const wasNotSent = code !== undefined && NOT_SENT.has(code)
  const because = code && !message?.includes(code) ? `${message ?? ''} (${code})` : (message ?? String(error))
  return new ConnectionError(`cannot reach ${server}: ${because}`, { cause: error, wasNotSent })
}

const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
