import { readFile } from 'node:fs/promises'
import type { Clock } from '../lib/clock.ts'
import type { ClusterAccess, Impersonation } from './access.ts'
import { type Environment, type ExecCredential, runExec } from './exec-plugin.ts'

/** What a request carries to prove who asks. */
export interface Proof {
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** A client certificate that a plugin gave. */
  readonly certificate?: { readonly cert: string; readonly key: string }
}

/** Keeps the proof of who we are fresh: files are read again, plugins run again before what they gave expires. */
export interface Authority {
  proof(): Promise<Proof>
  /** Forgets what the server has refused; answers whether there may be something better. */
  renew(): boolean
}

export interface AuthorityPorts {
  readonly clock: Clock
  readonly environment: Environment
}

/** As in client-go: a token file is read again after a minute. */
const TOKEN_FILE_MS = 60_000
/** A credential is not used in its last seconds, so that it does not expire on the way. */
const MARGIN_MS = 10_000

/** Makes the authority of an access. */
export function authorityOf(
  { credentials, impersonate }: ClusterAccess,
  { clock, environment }: AuthorityPorts,
): Authority {
  const more = impersonate ? impersonationHeaders(impersonate) : {}
  const bearer = (token: string): Proof => ({ headers: { ...more, authorization: `Bearer ${token}` } })
  switch (credentials.by) {
    case 'nothing':
      return unchanging({ headers: more })
    case 'token':
      return unchanging(bearer(credentials.token))
    case 'password': {
      const { username, password } = credentials
      const encoded = Buffer.from(`${username}:${password}`).toString('base64')
      return unchanging({ headers: { ...more, authorization: `Basic ${encoded}` } })
    }
    case 'token-file':
      return renewed(clock, async () => ({
        proof: bearer(await tokenIn(credentials.path)),
        untilMs: clock.now() + TOKEN_FILE_MS,
      }))
    case 'exec':
      return renewed(clock, async () => {
        const given = await runExec(credentials.plugin, environment, clock)
        return {
          proof: proofOf(given, more),
          untilMs: given.expiresMs === undefined ? Number.POSITIVE_INFINITY : given.expiresMs - MARGIN_MS,
        }
      })
  }
}

function unchanging(proof: Proof): Authority {
  const known = Promise.resolve(proof)
  return { proof: () => known, renew: () => false }
}

function renewed(clock: Clock, get: () => Promise<{ readonly proof: Proof; readonly untilMs: number }>): Authority {
  let known: { readonly proof: Proof; readonly untilMs: number } | undefined
  let asking: Promise<Proof> | undefined
  const ask = async (): Promise<Proof> => {
    try {
      known = await get()
      return known.proof
    } finally {
      asking = undefined
    }
  }
  return {
    async proof() {
      if (known && clock.now() < known.untilMs) return known.proof
      // All who ask meanwhile wait for the same answer.
      return (asking ??= ask())
    },
    renew() {
      known = undefined
      return true
    },
  }
}

async function tokenIn(path: string): Promise<string> {
  let token: string
  try {
    token = (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new Error(`cannot read the token file ${path}`, { cause })
  }
  if (token === '') throw new Error(`the token file ${path} is empty`)
  return token
}

function proofOf({ token, cert, key }: ExecCredential, more: Proof['headers']): Proof {
  return {
    headers: token ? { ...more, authorization: `Bearer ${token}` } : more,
    ...(cert && key ? { certificate: { cert, key } } : {}),
  }
}

function impersonationHeaders({ user, uid, groups, extra }: Impersonation): Proof['headers'] {
  const headers: Record<string, string | readonly string[]> = { 'impersonate-user': user }
  if (uid) headers['impersonate-uid'] = uid
  if (groups.length > 0) headers['impersonate-group'] = groups
  for (const [key, values] of Object.entries(extra)) {
    headers[`impersonate-extra-${encodeURIComponent(key.toLowerCase())}`] = values
  }
  return headers
}
