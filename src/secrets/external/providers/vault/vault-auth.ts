import { createHash } from 'node:crypto'
import { type Fields, fieldsOf, numberOf, textOf, textsOf } from '../../../../lib/fields.ts'
import { succeed } from '../../../../lib/result.ts'
import { failed, type Fetched, within } from '../../data/trouble.ts'
import { isClusterStore, type SecretStore } from '../../spec/secret-store.ts'
import type { Opening, ProviderPorts } from '../provider.ts'
import { accountToken, namespaceOf, namespaceProblem, referenceOf, secretValue } from '../references.ts'
import { askVault, judged, type VaultConnection, type VaultRequest } from './vault-api.ts'

/** How to become somebody at a Vault: a token that is there, or a login. */
export type Proof = { readonly by: 'token'; readonly token: string } | Login | { readonly by: 'nothing' }

/** A login, and what it is made of. */
export interface Login {
  readonly by: 'login'
  readonly path: string
  /** Only asked for where there is no session yet: it may need a token of an account. */
  readonly body: () => Promise<Fetched<Readonly<Record<string, string>>>>
  /** Tells whether it is still the same login. */
  readonly mark: string
  readonly tls?: { readonly cert: string; readonly key: string }
}

interface Method {
  readonly name: string
  /** The references whose namespaces must be right, by how they are named. */
  readonly references: (auth: Fields) => readonly (readonly [string, Fields | undefined])[]
  readonly prove: (auth: Fields, from: Facts) => Promise<Fetched<Proof>>
}

interface Facts {
  readonly ports: ProviderPorts
  readonly opening: Opening
}

/** A login whose mark tells it apart without holding what it is made of. */
function login(path: string, marks: readonly string[], body: Login['body'], tls?: Login['tls']): Fetched<Proof> {
  const mark = createHash('sha256')
    .update(JSON.stringify([path, ...marks]))
    .digest('hex')
  return succeed({ by: 'login', path, body, mark, ...(tls ? { tls } : {}) })
}

const knownBody =
  (body: Readonly<Record<string, string>>): Login['body'] =>
  () =>
    Promise.resolve(succeed(body))

/** The methods in the order in which a store's fields are looked at. */
const methods: readonly Method[] = [
  {
    name: 'tokenSecretRef',
    references: (ref) => [['Auth.TokenSecretRef', ref]],
    prove: (ref, { ports, opening }) => {
      const token = secretValue(ports, opening, ref)
      return Promise.resolve(token.ok ? succeed({ by: 'token', token: token.value.trim() }) : token)
    },
  },
  {
    name: 'appRole',
    references: (auth) => [
      ['Auth.AppRole.SecretRef', referenceOf(auth, 'secretRef')],
      ['Auth.AppRole.RoleRef', referenceOf(auth, 'roleRef')],
    ],
    prove: (auth, { ports, opening }) => {
      const roleRef = referenceOf(auth, 'roleRef')
      const named = textOf(auth, 'roleId').trim()
      const role = named !== '' || !roleRef ? succeed(named) : secretValue(ports, opening, roleRef)
      if (!role.ok) return Promise.resolve(role)
      const secret = secretValue(ports, opening, fieldsOf(auth, 'secretRef'))
      if (!secret.ok) return Promise.resolve(secret)
      const body = { role_id: role.value, secret_id: secret.value }
      const path = `auth/${textOf(auth, 'path') || 'approle'}/login`
      return Promise.resolve(login(path, Object.values(body), knownBody(body)))
    },
  },
  {
    name: 'kubernetes',
    references: (auth) => [
      ['Auth.Kubernetes.ServiceAccountRef', referenceOf(auth, 'serviceAccountRef')],
      ['Auth.Kubernetes.SecretRef', referenceOf(auth, 'secretRef')],
    ],
    prove(auth, { ports, opening }) {
      const account = referenceOf(auth, 'serviceAccountRef')
      const secret = referenceOf(auth, 'secretRef')
      if (!account && !secret) {
        return Promise.resolve(failed('Kubernetes auth names no ServiceAccount; set serviceAccountRef or secretRef'))
      }
      const path = `auth/${textOf(auth, 'mountPath') || 'kubernetes'}/login`
      return byJwt(path, textOf(auth, 'role'), opening, {
        account: account ?? {},
        secret: account || !secret ? undefined : secretValue(ports, opening, secret, 'token'),
        request: (ref) => accountToken(ports.client, opening, ref),
      })
    },
  },
  ...(['ldap', 'userPass'] as const).map((name): Method => ({
    name,
    references: (auth) => [
      [name === 'ldap' ? 'Auth.Ldap.SecretRef' : 'Auth.UserPass.SecretRef', referenceOf(auth, 'secretRef')],
    ],
    prove: (auth, { ports, opening }) => {
      const password = secretValue(ports, opening, fieldsOf(auth, 'secretRef'))
      if (!password.ok) return Promise.resolve(password)
      const user = textOf(auth, 'username').trim()
      const path = `auth/${textOf(auth, 'path') || name.toLowerCase()}/login/${user}`
      return Promise.resolve(login(path, [password.value], knownBody({ password: password.value })))
    },
  })),
  {
    name: 'jwt',
    references: (auth) => [
      ['Auth.Jwt.SecretRef', referenceOf(auth, 'secretRef')],
      [
        'Auth.Jwt.KubernetesServiceAccountToken.ServiceAccountRef',
        referenceOf(fieldsOf(auth, 'kubernetesServiceAccountToken'), 'serviceAccountRef'),
      ],
    ],
    prove(auth, { ports, opening }) {
      const secret = referenceOf(auth, 'secretRef')
      const account = referenceOf(auth, 'kubernetesServiceAccountToken')
      if (!secret && !account) {
        return Promise.resolve(failed('Jwt auth names neither secretRef nor kubernetesServiceAccountToken'))
      }
      const audiences = textsOf(account, 'audiences') ?? ['vault']
      const seconds = numberOf(account, 'expirationSeconds') ?? 600
      return byJwt(`auth/${textOf(auth, 'path') || 'jwt'}/login`, textOf(auth, 'role'), opening, {
        account: fieldsOf(account, 'serviceAccountRef'),
        secret: secret ? secretValue(ports, opening, secret, 'jwt') : undefined,
        request: (ref) => accountToken(ports.client, opening, ref, { audiences, seconds }),
      })
    },
  },
  {
    name: 'cert',
    references: (auth) => [
      ['Auth.Cert.ClientCert', referenceOf(auth, 'clientCert')],
      ['Auth.Cert.SecretRef', referenceOf(auth, 'secretRef')],
    ],
    prove: (auth, { ports, opening }) => {
      const cert = secretValue(ports, opening, fieldsOf(auth, 'clientCert'), 'tls.crt')
      if (!cert.ok) return Promise.resolve(cert)
      const key = secretValue(ports, opening, fieldsOf(auth, 'secretRef'), 'tls.key')
      if (!key.ok) return Promise.resolve(key)
      const role = textOf(auth, 'vaultRole')
      const path = `auth/${textOf(auth, 'path') || 'cert'}/login`
      const tls = { cert: cert.value, key: key.value }
      return Promise.resolve(login(path, [role, cert.value], knownBody(role === '' ? {} : { name: role }), tls))
    },
  },
]

interface JwtSource {
  readonly account: Fields
  /** The token, where a Secret holds it. */
  readonly secret: Fetched<string> | undefined
  readonly request: (account: Fields) => Promise<Fetched<string>>
}

/** A login by a JWT; a token of an account is a new one every time, and the login with it stays the same. */
function byJwt(path: string, role: string, opening: Opening, source: JwtSource): Promise<Fetched<Proof>> {
  const { secret, account, request } = source
  if (secret) {
    if (!secret.ok) return Promise.resolve(secret)
    return Promise.resolve(login(path, [role, secret.value], knownBody({ role, jwt: secret.value })))
  }
  const who = [namespaceOf(opening, account), textOf(account, 'name')]
  return Promise.resolve(
    login(path, [role, ...who], async () => {
      const jwt = await request(account)
      return jwt.ok ? succeed({ role, jwt: jwt.value }) : jwt
    }),
  )
}

const UNSUPPORTED = ['iam', 'gcp'] as const

/** The method that a store names, with its fields. */
function methodOf(auth: Fields): readonly [Method, Fields] | undefined {
  for (const method of methods) {
    const fields = referenceOf(auth, method.name)
    if (fields) return [method, fields]
  }
  return undefined
}

/** How to become who the store says. */
export async function proofOf(auth: Fields | undefined, facts: Facts): Promise<Fetched<Proof>> {
  if (!auth) return succeed({ by: 'nothing' })
  const found = methodOf(auth)
  if (found) return found[0].prove(found[1], facts)
  const named = UNSUPPORTED.find((name) => referenceOf(auth, name))
  if (named)
    return failed(
      `Vault auth ${named} is not supported; use tokenSecretRef, appRole, kubernetes, ldap, userPass, jwt or cert`,
    )
  return failed('cannot initialize Vault client: no valid auth method specified')
}

/** What is wrong with the auth of a store, as far as the store alone tells. */
export function authProblems(store: SecretStore, auth: Fields): readonly string[] {
  const problems = methods.flatMap((method) => {
    const fields = referenceOf(auth, method.name)
    return (fields ? method.references(fields) : []).flatMap(([name, ref]) => {
      const problem = namespaceProblem(store, ref)
      return problem === undefined ? [] : [`invalid ${name}: ${problem}`]
    })
  })
  const appRole = referenceOf(auth, 'appRole')
  const jwt = referenceOf(auth, 'jwt')
  return [
    ...problems,
    ...(appRole && textOf(appRole, 'roleId') === '' && !referenceOf(appRole, 'roleRef')
      ? ['neither `roleId` nor `roleRef` was supplied']
      : []),
    ...(jwt && !referenceOf(jwt, 'secretRef') && !referenceOf(jwt, 'kubernetesServiceAccountToken')
      ? ['neither `secretRef` nor `kubernetesServiceAccountToken` was supplied as token source for jwt authentication']
      : []),
  ]
}

/** What a store asks for that is not supported. */
export const unsupportedAuth = (auth: Fields): readonly string[] =>
  UNSUPPORTED.filter((name) => referenceOf(auth, name) && !methodOf(auth)).map(
    (name) => `Vault auth ${name} is not supported`,
  )

/** Whether the namespace of who asks decides who we are, so that the store alone cannot be tried. */
export function isReferent(store: SecretStore, auth: Fields | undefined): boolean {
  const found = auth && isClusterStore(store) ? methodOf(auth) : undefined
  return found?.[0].references(found[1]).some(([, ref]) => ref && textOf(ref, 'namespace') === '') ?? false
}

/** A token that works for some time. */
export interface Session {
  readonly token: string
  /** Undefined for a token that does not end. */
  readonly untilMs: number | undefined
}

/** Logs in. A token is taken for used up some time before it is. */
export async function logIn(connection: VaultConnection, proof: Login, namespace: string): Promise<Fetched<Session>> {
  const body = await proof.body()
  if (!body.ok) return body
  const request: VaultRequest = {
    method: 'POST',
    path: proof.path,
    body: body.value,
    namespace,
    hide: Object.values(body.value),
  }
  const asked = await askVault({ ...connection, tls: { ...connection.tls, ...proof.tls } }, request)
  const answer = asked.ok ? judged(asked.value, request) : asked
  if (!answer.ok) return within('unable to log in to Vault', answer.error)
  const auth = fieldsOf(answer.value.body, 'auth')
  const token = textOf(auth, 'client_token')
  if (token === '') {
    return failed(`unable to log in to Vault: there is no auth method at ${proof.path}, or its answer holds no token`)
  }
  const seconds = numberOf(auth, 'lease_duration') ?? 0
  const keptMs = seconds <= 0 ? undefined : Math.max(seconds * 1_000 - 60_000, seconds * 500)
  return succeed({ token, untilMs: keptMs === undefined ? undefined : connection.clock.now() + keptMs })
}
