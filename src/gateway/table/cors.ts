import type { Cors } from './route.ts'

/** What of a request matters to the rules of origins. */
export interface CrossOrigin {
  readonly method: string
  readonly origin: string | undefined
  readonly wantedMethod: string | undefined
  readonly wantedHeaders: string | undefined
}

/** Tells whether a browser asks first whether it may ask. */
export const isPreflight = ({ method, origin, wantedMethod }: CrossOrigin): boolean =>
  method === 'OPTIONS' && origin !== undefined && wantedMethod !== undefined

const ORIGIN = /^(https?):\/\/([^/:]+|\[[^\]]+\])(?::(\d{1,5}))?$/

interface Origin {
  readonly scheme: string
  readonly host: string
  readonly port: string
}

function readOrigin(text: string): Origin | undefined {
  if (text.length > 500) return undefined
  const [, scheme, host, port] = ORIGIN.exec(text.toLowerCase()) ?? []
  if (scheme === undefined || host === undefined) return undefined
  return { scheme, host, port: port ?? (scheme === 'http' ? '80' : '443') }
}

/** Tells whether an origin is among those allowed; a star in a host stands for any number of labels. */
export function isAllowedOrigin(allowed: readonly string[], origin: string): boolean {
  const asked = readOrigin(origin)
  return allowed.some((pattern) => {
    if (pattern === '*' || pattern === origin) return true
    const known = readOrigin(pattern)
    if (!known || !asked || known.scheme !== asked.scheme || known.port !== asked.port) return false
    if (!known.host.startsWith('*')) return known.host === asked.host
    const rest = known.host.slice(1)
    return asked.host.endsWith(rest) && asked.host.length > rest.length
  })
}

/** The headers that let a page of another origin read an answer; none where it may not. */
export function corsHeaders(cors: Cors, { origin }: CrossOrigin): string[] {
  if (origin === undefined || !isAllowedOrigin(cors.origins, origin)) return []
  const headers = originHeaders(cors, origin)
  const expose = cors.hasCredentials ? cors.expose.filter((name) => name !== '*') : cors.expose
  if (expose.length > 0) headers.push('access-control-expose-headers', expose.join(', '))
  return headers
}

/** The answer to a browser that asks first; without any header where it may not. */
export function preflightHeaders(cors: Cors, asked: CrossOrigin): string[] {
  const { origin, wantedMethod, wantedHeaders } = asked
  if (origin === undefined || !isAllowedOrigin(cors.origins, origin)) return []
  const headers = originHeaders(cors, origin)
  const methods = listed(cors.methods, wantedMethod, cors.hasCredentials)
  if (methods !== undefined) headers.push('access-control-allow-methods', methods)
  const names = listed(cors.headers, wantedHeaders, cors.hasCredentials)
  if (names !== undefined) headers.push('access-control-allow-headers', names)
  headers.push('access-control-max-age', String(cors.maxAgeSeconds))
  return headers
}

function originHeaders({ origins, hasCredentials }: Cors, origin: string): string[] {
  if (origins.includes('*') && !hasCredentials) return ['access-control-allow-origin', '*']
  const headers = ['access-control-allow-origin', origin, 'vary', 'Origin']
  if (hasCredentials) headers.push('access-control-allow-credentials', 'true')
  return headers
}

/** A list as a header; with credentials, a star is not understood, so what was asked for is answered. */
function listed(allowed: readonly string[], asked: string | undefined, hasCredentials: boolean): string | undefined {
  if (allowed.length === 0) return undefined
  return allowed.includes('*') && hasCredentials ? asked : allowed.join(', ')
}

/** The headers of an answer that are ours to set, where a rule has its own view of origins. */
export const isCorsHeader = (name: string): boolean =>
  name === 'access-control-allow-origin' ||
  name === 'access-control-allow-credentials' ||
  name === 'access-control-expose-headers'
