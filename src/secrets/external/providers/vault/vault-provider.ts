import { type Fields, fieldsOf, isSet, textMapOf, textOf } from '../../../../lib/fields.ts'
import { succeed } from '../../../../lib/result.ts'
import { failed, type Fetched, within } from '../../data/trouble.ts'
import { onVault } from '../dependency.ts'
import type { Opening, Provider, ProviderPorts, SecretsClient } from '../provider.ts'
import { authorities, referenceOf, secretValue } from '../references.ts'
import { askVault, dataOf, judged, type VaultAnswer, type VaultConnection, type VaultRequest } from './vault-api.ts'
import { isReferent, logIn, type Login, type Proof, proofOf, type Session } from './vault-auth.ts'
import { type Ask, vaultClient } from './vault-client.ts'

const MOST_SESSIONS = 1_000
const YOUNG_MS = 30_000

/** A login that somebody has made, or is making: whoever comes meanwhile waits for the same one. */
interface KeptSession {
  readonly mark: string
  readonly session: Promise<Fetched<Session>>
  readonly bornMs: number
  untilMs: number | undefined
}

/** Stores in a Vault, ours or another one, over its HTTP API. Logins are kept as long as they last. */
export function vaultProvider(ports: ProviderPorts): Provider {
  const sessions = new Map<string, KeptSession>()
  return { name: 'vault', capabilities: 'ReadWrite', open }

  function open(opening: Opening): Promise<Fetched<SecretsClient>> {
    const { store, fields, track } = opening
    const connection = connectionOf(ports, opening)
    if (!connection.ok) return Promise.resolve(connection)
    const auth = referenceOf(fields, 'auth')
    const mount = textOf(fields, 'path').replace(/^\/+|\/+$/g, '')
    const place = { mount, version: textOf(fields, 'version') === 'v1' ? 'v1' : 'v2' } as const
    const ask = asking(opening, connection.value, auth)
    const validate = async (): Promise<Fetched<'ready' | 'unknown'>> => {
      track(onVault)
      if (isReferent(store, auth)) return succeed('unknown')
      const looked = await ask({ method: 'GET', path: 'auth/token/lookup-self' })
      if (!looked.ok) return within('invalid vault credentials', looked.error)
      return dataOf(looked.value)
        ? succeed('ready')
        : failed('invalid vault credentials: what answers does not look tokens up as a Vault does')
    }
    const needsCas = isSet(fieldsOf(fields, 'checkAndSet'), 'required')
    return Promise.resolve(succeed(vaultClient({ place, ask, track, needsCas, validate })))
  }

  /** Asks as whoever the store says, and once more after a new login where a kept one is no longer good. */
  function asking(opening: Opening, connection: VaultConnection, auth: Fields | undefined): Ask {
    const namespace = textOf(opening.fields, 'namespace')
    const key = JSON.stringify([opening.store.kind, opening.store.metadata.uid, opening.namespace])
    let proof: Promise<Fetched<Proof>> | undefined
    const current = (by: Login): KeptSession => {
      const known = sessions.get(key)
      const nowMs = ports.clock.now()
      if (known?.mark === by.mark && (known.untilMs === undefined || known.untilMs > nowMs)) return known
      const session = logIn(connection, by, textOf(auth, 'namespace') || namespace)
      const kept: KeptSession = { mark: by.mark, session, bornMs: nowMs, untilMs: undefined }
      if (sessions.size >= MOST_SESSIONS) sessions.clear()
      sessions.set(key, kept)
      session.then(
        (made) => {
          if (made.ok) kept.untilMs = made.value.untilMs
          else drop(kept)
        },
        () => drop(kept),
      )
      return kept
    }
    // Somebody else may have logged in meanwhile.
    const drop = (kept: KeptSession): void => {
      if (sessions.get(key) === kept) sessions.delete(key)
    }
    return async (request) => {
      const judge = (answer: Fetched<VaultAnswer>, full: VaultRequest): Fetched<VaultAnswer> =>
        answer.ok ? judged(answer.value, full) : answer
      proof ??= proofOf(auth, { ports, opening })
      const by = await proof
      if (!by.ok) return by
      if (by.value.by !== 'login') {
        const full = { ...request, namespace, ...(by.value.by === 'token' ? { token: by.value.token } : {}) }
        return judge(await askVault(connection, full), full)
      }
      for (let attempt = 0; ; attempt++) {
        const kept = current(by.value)
        const session = await kept.session
        if (!session.ok) return session
        const full = { ...request, namespace, token: session.value.token }
        const answer = await askVault(connection, full)
        // A token that was good for some time may have been revoked; of a young one, a refusal is meant as it is said.
        const mayBeRevoked =
          answer.ok && answer.value.status === 403 && ports.clock.now() - kept.bornMs > YOUNG_MS && attempt === 0
        if (!mayBeRevoked) return judge(answer, full)
        drop(kept)
      }
    }
  }
}

function connectionOf(ports: ProviderPorts, opening: Opening): Fetched<VaultConnection> {
  const { fields, store, signal } = opening
  const ca = authorities(ports, opening, fields)
  if (!ca.ok) return ca
  const tls = fieldsOf(fields, 'tls')
  const certRef = referenceOf(tls, 'certSecretRef')
  const keyRef = referenceOf(tls, 'keySecretRef')
  const cert = certRef ? secretValue(ports, opening, certRef, 'tls.crt') : succeed(undefined)
  if (!cert.ok) return cert
  const key = keyRef ? secretValue(ports, opening, keyRef, 'tls.key') : succeed(undefined)
  if (!key.ok) return key
  return succeed({
    http: ports.http,
    clock: ports.clock,
    server: textOf(fields, 'server'),
    headers: {
      ...Object.fromEntries(textMapOf(fields, 'headers')),
      ...(isSet(fields, 'forwardInconsistent') ? { 'x-vault-inconsistent': 'forward-active-node' } : {}),
    },
    tls: {
      ...(ca.value === undefined ? {} : { ca: ca.value }),
      ...(cert.value === undefined ? {} : { cert: cert.value }),
      ...(key.value === undefined ? {} : { key: key.value }),
    },
    retry: store.parsed.spec.retry,
    signal,
  })
}
