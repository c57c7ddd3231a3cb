import type { Authority } from './hostname.ts'
import { replacePrefix, type RequestTarget } from './path.ts'
import type { PathChange, Redirect } from './route.ts'

/** How a request came, as far as where it is sent depends on it. */
export interface Arrival {
  readonly scheme: 'http' | 'https'
  readonly authority: Authority
  readonly target: RequestTarget
  /** The prefix by which its rule was found. */
  readonly prefix: string | undefined
  /** The port of the listener, as the Gateway has it. */
  readonly listenerPort: number
  /** Where a port of a Gateway is reached on this machine. */
  readonly reachedAt: (port: number) => number
}

const USUAL = { http: 80, https: 443 } as const

/** The path that a filter makes of a request's. */
export function changePath(path: string, prefix: string | undefined, change: PathChange | undefined): string {
  if (!change) return path
  if (change.replace === 'prefix') return replacePrefix(path, prefix ?? '', change.value)
  return change.value.startsWith('/') ? change.value : `/${change.value}`
}

/** The address that a redirect sends to. */
export function redirectLocation(redirect: Redirect, arrival: Arrival): string {
  const { authority, target, listenerPort, prefix } = arrival
  const scheme = redirect.scheme ?? arrival.scheme
  const asked = redirect.port ?? (redirect.scheme ? USUAL[redirect.scheme] : listenerPort)
  // A client that came by the port of this machine has to go to one; through a forwarded port 80 it sees the usual ones.
  const isMapped = authority.port !== undefined && authority.port === arrival.reachedAt(listenerPort)
  const port = isMapped ? arrival.reachedAt(asked) : asked
  const host = redirect.hostname ?? authority.host
  const path = changePath(target.path, prefix, redirect.path)
  const query = target.query === undefined ? '' : `?${target.query}`
  return `${scheme}://${host}${port === USUAL[scheme] ? '' : `:${port}`}${path}${query}`
}
