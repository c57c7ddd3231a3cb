import type { Pattern } from '../../lib/re2.ts'

/** How a path is matched. A pattern has to cover the whole path. */
export type PathMatch =
  | { readonly by: 'exact'; readonly value: string }
  /** By whole elements; without a slash at the end. */
  | { readonly by: 'prefix'; readonly value: string }
  /** A longer one is asked first; a late one after the prefixes, but before the one that every path has. */
  | { readonly by: 'pattern'; readonly pattern: Pattern; readonly length: number; readonly isLate?: boolean }

/** How the value of a header or of a query parameter is matched. */
export type ValueMatch =
  | { readonly name: string; readonly exact: string }
  | { readonly name: string; readonly pattern: Pattern }

/** Everything that one request has to have. Names of headers are in lower case. */
export interface RequestMatch {
  readonly path: PathMatch
  readonly method?: string
  readonly headers: readonly ValueMatch[]
  readonly query: readonly ValueMatch[]
}

/** A name with its value, as a filter sets or adds it. */
export type HeaderPair = readonly [name: string, value: string]

/** What becomes of headers: set replaces, add appends, remove drops. Names to set and remove are in lower case for look-ups. */
export interface HeaderChange {
  readonly set: readonly HeaderPair[]
  readonly add: readonly HeaderPair[]
  readonly remove: readonly string[]
}

export type PathChange =
  | { readonly replace: 'whole'; readonly value: string }
  | { readonly replace: 'prefix'; readonly value: string }

/** An answer that sends the client elsewhere. */
export interface Redirect {
  readonly scheme?: 'http' | 'https'
  readonly hostname?: string
  readonly port?: number
  readonly path?: PathChange
  readonly status: number
}

export interface Rewrite {
  readonly hostname?: string
  readonly path?: PathChange
}

/** Who may read an answer from another origin. */
export interface Cors {
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  readonly headers: readonly string[]
  readonly expose: readonly string[]
  readonly hasCredentials: boolean
  readonly maxAgeSeconds: number
}

/** A copy of a share of the requests, whose answers nobody reads. */
export interface Mirror {
  readonly to: BackendTarget
  /** Between 0 and 1. */
  readonly share: number
}

/** What is done to requests and answers on the way. */
export interface Filters {
  readonly requestHeaders?: HeaderChange
  readonly responseHeaders?: HeaderChange
  readonly redirect?: Redirect
  readonly rewrite?: Rewrite
  readonly cors?: Cors
  readonly mirrors: readonly Mirror[]
  /** A filter that cannot be had: whatever it stands before is refused. */
  readonly refusal?: string
}

export const noFilters: Filters = { mirrors: [] }

/** How a backend's certificate is verified. */
export interface BackendTls {
  /** The name to ask for and, without names below, to find in the certificate. */
  readonly hostname: string
  /** PEM; undefined for the authorities that the system trusts. */
  readonly authorities: string | undefined
  /** Where given, one of these has to be in the certificate. */
  readonly names: readonly { readonly type: 'Hostname' | 'URI'; readonly value: string }[]
  /** Told apart by this: the same text means the same connections may be used. */
  readonly id: string
  /** A client certificate to show, PEM. */
  readonly client?: { readonly cert: string; readonly key: string }
}

/** Where a request goes, or why it goes nowhere. */
export type BackendTarget =
  | {
      readonly do: 'forward'
      /** The name under which the endpoints of a Service's port are found. */
      readonly service: string
      readonly protocol: 'http1' | 'h2c'
      readonly tls?: BackendTls
    }
  | { readonly do: 'refuse'; readonly status: number; readonly because: string }

export interface WeightedBackend {
  readonly weight: number
  readonly target: BackendTarget
  readonly filters: Filters
}

/** Tries again what failed in a way that it names. */
export interface Retry {
  readonly codes: ReadonlySet<number>
  readonly attempts: number
  readonly backoffMs: number
}

/** What is done with the requests that a rule matches. */
export interface RouteAction {
  /** `HTTPRoute/namespace/name`, for figures and logs. */
  readonly route: string
  /** The rule's name, or its place. */
  readonly rule: string
  readonly isGrpc: boolean
  readonly filters: Filters
  readonly backends: readonly WeightedBackend[]
  readonly requestTimeoutMs?: number
  readonly backendTimeoutMs?: number
  readonly retry?: Retry
}

export interface RouteRule {
  readonly matches: readonly RequestMatch[]
  readonly action: RouteAction
}

/** A route as a listener has it: for the hostnames that both know. */
export interface AttachedRoute {
  readonly namespace: string
  readonly name: string
  readonly createdMs: number
  readonly hosts: readonly (string | undefined)[]
  readonly rules: readonly RouteRule[]
}
