import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { Agent } from 'undici'
import type * as undiciModule from 'undici'
import { readBounded } from '../lib/read-bounded.ts'
import type { ReachService } from './reach-services.ts'

/** A question to a service outside, such as generators ask and notifications tell. */
export interface ServiceRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Certificates of authorities, in PEM, instead of the system's. */
  readonly ca?: string
  /** The certificate and key, in PEM, that the asker is known by. */
  readonly cert?: string
  readonly key?: string
  /** The name that the service's certificate has to be for, where it is not the URL's. */
  readonly serverName?: string
  readonly skipVerify?: boolean
  readonly timeoutMs: number
  /** The longest answer that is read, in bytes. */
  readonly longest?: number
  readonly signal: AbortSignal
}

export interface ServiceResponse {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** HTTP to services as a port: resolves with what is answered, rejects when there is no answer. Redirects are not followed. */
export type ServiceHttp = (request: ServiceRequest) => Promise<ServiceResponse>

/** Where HTTP may go, and how it gets there. */
export interface ServiceHttpOptions {
  /** Finds the Services of the cluster, by their names in it. */
  readonly reach?: ReachService
  /** Says why an address outside the cluster must not be asked; undefined where it may. It is asked of what is then connected to. */
  readonly refuse?: (address: string) => string | undefined
  /** Keeps connections for a while, for those who ask often. Whoever ends the process need not close them. */
  readonly keeps?: boolean
}

const LONGEST = 32 * 1024 * 1024

type Undici = Pick<typeof undiciModule, 'Agent' | 'buildConnector'>

/** How many ways of connecting are kept; beyond it, all begin anew. */
const MOST_KEPT = 100

/** HTTP over undici, with connections for one request unless they are kept. */
export function serviceHttp({ reach, refuse, keeps = false }: ServiceHttpOptions = {}): ServiceHttp {
  const kept = new Map<string, Agent>()
  const agentFor = (undici: Undici, asked: ServiceRequest): Agent => {
    const connect = undici.buildConnector({
      ...(asked.ca === undefined ? {} : { ca: asked.ca }),
      ...(asked.cert === undefined ? {} : { cert: asked.cert }),
      ...(asked.key === undefined ? {} : { key: asked.key }),
      ...(asked.skipVerify ? { rejectUnauthorized: false } : {}),
      ...(refuse ? { lookup: checkedLookup(refuse) } : {}),
    })
    return new undici.Agent({
      connect(to, done) {
        const port = Number(to.port || (to.protocol === 'https:' ? 443 : 80))
        const found = reach?.(to.hostname, port)
        // Nobody looks up what is an address already.
        const because = !found && isIP(bare(to.hostname)) !== 0 ? refuse?.(bare(to.hostname)) : undefined
        if (because !== undefined) {
          done(new Error(because), null)
          return
        }
        const servername = asked.serverName ?? to.servername
        const at = found
          ? { ...to, hostname: found.address, port: String(found.port), servername: servername ?? to.hostname }
          : to
        connect({ ...at, ...(asked.serverName === undefined ? {} : { servername: asked.serverName }) }, done)
      },
    })
  }
  const keptAgent = (undici: Undici, asked: ServiceRequest): Agent => {
    const { ca, cert, key, serverName, skipVerify } = asked
    const id = JSON.stringify([ca, cert, key, serverName, skipVerify])
    const known = kept.get(id)
    if (known) return known
    if (kept.size >= MOST_KEPT) {
      for (const agent of kept.values()) void agent.close()
      kept.clear()
    }
    const made = agentFor(undici, asked)
    kept.set(id, made)
    return made
  }
  return async (asked) => {
    const undici = await import('undici')
    const agent = keeps ? keptAgent(undici, asked) : agentFor(undici, asked)
    try {
      const { url, method, headers, body, signal, timeoutMs, longest = LONGEST } = asked
      const answer = await undici.request(url, {
        method: method as 'GET',
        headers,
        dispatcher: agent,
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      })
      const bytes = await readBounded(answer.body, longest)
      if (!bytes) throw new Error(`the answer of ${new URL(url).host} is longer than ${longest} bytes`)
      const known = Object.entries(answer.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value] as const],
      )
      return { status: answer.statusCode, headers: new Map(known), body: bytes.toString('utf8') }
    } finally {
      if (!keeps) void agent.close()
    }
  }
}

/** HTTP to wherever it is asked to go, outside the cluster. */
export const undiciServiceHttp: ServiceHttp = serviceHttp()

const bare = (host: string): string => host.replace(/^\[|\]$/g, '')

/** Looks a name up, and refuses if any of its addresses must not be asked: what is checked is what is connected to. */
function checkedLookup(refuse: (address: string) => string | undefined): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, '', 0)
        return
      }
      for (const { address } of addresses) {
        const because = refuse(address)
        if (because === undefined) continue
        callback(new Error(because), '', 0)
        return
      }
      const [first] = addresses
      if (options.all === true) callback(null, addresses)
      else callback(null, first?.address ?? '', first?.family)
    })
  }
}
