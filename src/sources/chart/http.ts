import type { Agent, request } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import { readBounded } from '../../lib/read-bounded.ts'

/** What is asked of a server. */
export interface HttpRequest {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** The largest body that is taken. */
  readonly maxBytes: number
  readonly signal?: AbortSignal
}

export interface HttpResponse {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
}

/** HTTP as a port: resolves with whatever the server answers, rejects when there is no answer. Follows redirects. */
export type Http = (request: HttpRequest) => Promise<HttpResponse>

/** How servers are reached. */
export interface HttpOptions {
  readonly clock: Clock
  /** Certificates of authorities, in PEM, besides the system's. */
  readonly ca?: string
  readonly skipVerify?: boolean
  /** How often a request is tried that gets no answer or one of 429, 500, 502, 503 and 504. */
  readonly tries?: number
  readonly timeoutMs?: number
}

interface Loaded {
  readonly agent: Agent
  readonly request: typeof request
}

const MOST_REDIRECTS = 10
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]
const PASSING: readonly number[] = [429, 500, 502, 503, 504]

/** A body that is larger than the reader takes. */
export class BodyTooLarge extends Error {}

async function readBody(body: AsyncIterable<Buffer>, url: string, maxBytes: number): Promise<Uint8Array> {
  const bytes = await readBounded(body, maxBytes)
  if (!bytes) throw new BodyTooLarge(`${hostAndPath(url)} answers more than ${maxBytes} bytes`)
  return bytes
}

/** A URL for messages: without credentials and query. */
export function hostAndPath(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

/** Credentials stay with the host they were given for. */
function redirected(from: HttpRequest, location: string): HttpRequest {
  const url = new URL(location, from.url)
  const headers = Object.entries(from.headers ?? {})
  const isSameHost = url.host === new URL(from.url).host && url.protocol === new URL(from.url).protocol
  const kept = isSameHost ? headers : headers.filter(([name]) => name.toLowerCase() !== 'authorization')
  return { ...from, url: url.href, headers: Object.fromEntries(kept) }
}

/** HTTP over undici with connection reuse, retries and an own certificate authority. */
export function undiciHttp(options: HttpOptions): Http & { close(): Promise<void> } {
  const { clock, tries = 3, timeoutMs = 60_000 } = options
  // Loaded with the first request: most commands never make one.
  const load = async (): Promise<Loaded> => {
    const undici = await import('undici')
    return { agent: new undici.Agent(settings), request: undici.request }
  }
  let loaded: Promise<Loaded> | undefined
  const settings = {
    connections: 8,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: {
      timeout: Math.min(timeoutMs, 15_000),
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.skipVerify ? { rejectUnauthorized: false } : {}),
    },
  }
  const once = async (asked: HttpRequest): Promise<HttpResponse> => {
    loaded ??= load()
    const { agent, request: send } = await loaded
    let at = asked
    for (let redirects = 0; ; redirects++) {
      const answer = await send(at.url, {
        dispatcher: agent,
        headers: { 'user-agent': 'idp', ...at.headers },
        ...(at.signal ? { signal: at.signal } : {}),
      })
      const location = answer.headers['location']
      if (!REDIRECTS.includes(answer.statusCode) || typeof location !== 'string') {
        const headers = new Map(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]))
        return { status: answer.statusCode, headers, body: await readBody(answer.body, at.url, asked.maxBytes) }
      }
      await answer.body.dump()
      if (redirects >= MOST_REDIRECTS)
        throw new Error(`${hostAndPath(asked.url)} redirects more than ${MOST_REDIRECTS} times`)
      at = redirected(at, location)
    }
  }
  const http = async (asked: HttpRequest): Promise<HttpResponse> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await once(asked)
        if (attempt >= tries || !PASSING.includes(answer.status)) return answer
      } catch (cause) {
        if (attempt >= tries || cause instanceof BodyTooLarge || asked.signal?.aborted) throw cause
      }
      await clock.sleep(200 * 2 ** attempt, asked.signal ? { signal: asked.signal } : {})
    }
  }
  return Object.assign(http, { close: async () => (await loaded)?.agent.close() })
}
