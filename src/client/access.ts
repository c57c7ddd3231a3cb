import type { ExecPlugin } from './exec-plugin.ts'

/** Everything that is needed to reach a cluster as somebody. */
export interface ClusterAccess {
  /** Without a trailing slash. */
  readonly server: string
  /** The namespace that commands use when none is named. */
  readonly namespace: string
  readonly tls: TlsOptions
  readonly proxyUrl?: string
  readonly credentials: Credentials
  readonly impersonate?: Impersonation
}

/** How the server proves who it is, and which certificate we show. */
export interface TlsOptions {
  /** PEM; the system's authorities when absent. */
  readonly ca?: string
  readonly serverName?: string
  readonly insecure?: boolean
  /** PEM. */
  readonly cert?: string
  readonly key?: string
}

/** How we prove who we are, besides a client certificate in the TLS options. */
export type Credentials =
  | { readonly by: 'nothing' }
  | { readonly by: 'token'; readonly token: string }
  /** Read again as it is rotated. */
  | { readonly by: 'token-file'; readonly path: string }
  | { readonly by: 'password'; readonly username: string; readonly password: string }
  | { readonly by: 'exec'; readonly plugin: ExecPlugin }

/** Acts as somebody else, where the server allows it. */
export interface Impersonation {
  readonly user: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}
