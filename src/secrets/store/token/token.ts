/** What is kept of a token. The token itself is not: it is known by a keyed hash. */
export interface Token {
  readonly hash: string
  readonly accessor: string
  /** The hash of the token that made it; empty for one that has no parent. */
  readonly parent: string
  readonly policies: readonly string[]
  /** Where it was made, such as `auth/token/create` or `auth/kubernetes/login`. */
  readonly path: string
  readonly meta: Readonly<Record<string, string>>
  readonly displayName: string
  /** How often it can still be used; 0 is without end, -1 is no longer. */
  readonly uses: number
  readonly ttlSeconds: number
  readonly createdMs: number
  /** When it ends; 0 is never. */
  readonly expiresMs: number
  readonly periodSeconds: number
  readonly explicitMaxSeconds: number
  /** The longest that it may live from its making, as its mount or role said; 0 says nothing. */
  readonly maxSeconds: number
  readonly role: string
  readonly renewable: boolean
  readonly entityId: string
  readonly boundCidrs: readonly string[]
  readonly renewedMs?: number
}

export const isRoot = ({ policies }: Pick<Token, 'policies'>): boolean => policies.includes('root')

/** What Vault calls the lease of a token; a token that never ends has none. */
export const leaseOf = ({ path, hash, expiresMs }: Pick<Token, 'path' | 'hash' | 'expiresMs'>): string =>
  expiresMs === 0 ? '' : `${path}/h${hash}`

/** The seconds that are left; 0 for a token without an end. */
export const secondsLeft = ({ expiresMs }: Pick<Token, 'expiresMs'>, nowMs: number): number =>
  expiresMs === 0 ? 0 : Math.max(0, Math.ceil((expiresMs - nowMs) / 1_000))

/** Names of policies as they are kept: in lower case, each once, sorted. */
export function cleanPolicies(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.trim().toLowerCase()))].filter((name) => name !== '').toSorted(byText)
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
