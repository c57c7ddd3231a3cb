import { createHash } from 'node:crypto'
import type { UserInfo } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type ApiResult, refuse } from '../../kube/status.ts'
import { explain, fail, type Result, succeed } from '../../lib/result.ts'
import type { ClusterReader } from '../admission/cluster-reader.ts'
import { type Attributes, type Authorizer, describeDenied, MASTERS } from './attributes.ts'
import { ISSUER, type TokenClaims, type TokenKeys, userOfToken, verifyToken } from './service-account-tokens.ts'

/** What a request brings to say who it is. The certificate has been checked against our CA by the transport. */
export interface Credentials {
  readonly certificate?: { readonly commonName: string; readonly organizations: readonly string[] }
  readonly bearer?: string
  readonly impersonate?: Impersonation
}

/** Whom a request wants to be instead. */
export interface Impersonation {
  readonly username?: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** What authentication decides by. */
export interface AuthenticationPorts {
  /** SHA-256 of each static token to the user it stands for: tokens themselves are not kept. */
  readonly staticTokens: ReadonlyMap<string, UserInfo>
  readonly tokenKeys: TokenKeys
  readonly reader: ClusterReader
  readonly nowMs: () => number
}

/** Who asks without saying who they are: may look at health and version, as RBAC allows. */
export const anonymous: UserInfo = { username: 'system:anonymous', groups: ['system:unauthenticated'] }
/** The server's own work: never refused. */
export const system: UserInfo = { username: 'system:apiserver', groups: [MASTERS] }

/** The form in which static tokens are compared, so that time tells nothing about them. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Finds out who asks: a certificate, then a bearer token, then nobody. A wrong token is refused, not taken for nobody. */
export function authenticate(credentials: Credentials, ports: AuthenticationPorts): ApiResult<UserInfo> {
  if (credentials.bearer !== undefined) return authenticateBearer(credentials.bearer, ports)
  if (!credentials.certificate) return succeed(anonymous)
  const { commonName, organizations } = credentials.certificate
  return succeed({ username: commonName, groups: withAuthenticated(organizations) })
}

const withAuthenticated = (groups: readonly string[]): readonly string[] =>
  groups.includes('system:authenticated') ? groups : [...groups, 'system:authenticated']

function authenticateBearer(token: string, ports: AuthenticationPorts): ApiResult<UserInfo> {
  const known = ports.staticTokens.get(hashToken(token))
  if (known) return succeed({ ...known, groups: withAuthenticated(known.groups) })
  const checked = checkServiceAccountToken(token, [ISSUER], ports)
  return checked.ok ? succeed(userOfToken(checked.value)) : refuse('Unauthorized', 'Unauthorized')
}

/** Checks a token and that everything it is bound to is still there. */
export function checkServiceAccountToken(
  token: string,
  audiences: readonly string[],
  ports: AuthenticationPorts,
): Result<TokenClaims> {
  const checked = verifyToken(ports.tokenKeys, token, { nowMs: ports.nowMs(), audiences })
  if (!checked.ok) return checked
  const { namespace, serviceaccount, pod, secret, node } = checked.value['kubernetes.io']
  const bindings = [
    { plural: 'serviceaccounts', namespace, to: serviceaccount },
    { plural: 'pods', namespace, to: pod },
    { plural: 'secrets', namespace, to: secret },
    { plural: 'nodes', namespace: undefined, to: node },
  ]
  for (const { plural, namespace: within, to } of bindings) {
    if (!to) continue
    const object = ports.reader.get('', plural, {
      name: to.name,
      ...(within === undefined ? {} : { namespace: within }),
    })
    if (!isAlive(object, to.uid, ports.nowMs())) {
      return fail({ code: 'token-invalid', message: `the token is bound to ${plural}/${to.name}, which is gone` })
    }
  }
  return checked
}

/** An object counts until a minute after its deletion was asked for, so that it can still say goodbye. */
function isAlive(object: KubeObject | undefined, uid: string, nowMs: number): boolean {
  if (!object || object.metadata.uid !== uid) return false
  const { deletionTimestamp } = object.metadata
  return deletionTimestamp === undefined || nowMs < Date.parse(deletionTimestamp) + 60_000
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/

/** Lets somebody act as another, if they may; each part of the other's identity is asked for. */
export function impersonate(user: UserInfo, wanted: Impersonation, authorizer: Authorizer): ApiResult<UserInfo> {
  if (wanted.username === undefined) {
    if (wanted.groups.length === 0 && wanted.uid === undefined && Object.keys(wanted.extra).length === 0)
      return succeed(user)
    return refuse('BadRequest', 'requested impersonation of groups, uid or extra without impersonating a user')
  }
  for (const attributes of impersonationAttributes(user, { ...wanted, username: wanted.username })) {
    if (!authorizer(attributes).allowed) return refuse('Forbidden', describeDenied(attributes), {})
  }
  const account = SERVICE_ACCOUNT.exec(wanted.username)
  const own =
    account && wanted.groups.length === 0
      ? ['system:serviceaccounts', `system:serviceaccounts:${account[1] ?? ''}`]
      : wanted.groups
  return succeed({
    username: wanted.username,
    groups: wanted.username === anonymous.username ? anonymous.groups : withAuthenticated(own),
    ...(wanted.uid === undefined ? {} : { uid: wanted.uid }),
    ...(Object.keys(wanted.extra).length > 0 ? { extra: wanted.extra } : {}),
  })
}

function* impersonationAttributes(
  user: UserInfo,
  wanted: Impersonation & { readonly username: string },
): Generator<Attributes> {
  const base = { user, verb: 'impersonate', version: 'v1' }
  const account = SERVICE_ACCOUNT.exec(wanted.username)
  if (account)
    yield { ...base, group: '', plural: 'serviceaccounts', namespace: account[1] ?? '', name: account[2] ?? '' }
  else yield { ...base, group: '', plural: 'users', name: wanted.username }
  for (const group of wanted.groups) yield { ...base, group: '', plural: 'groups', name: group }
  if (wanted.uid !== undefined) yield { ...base, group: 'authentication.k8s.io', plural: 'uids', name: wanted.uid }
  for (const [key, values] of Object.entries(wanted.extra)) {
    for (const value of values)
      yield { ...base, group: 'authentication.k8s.io', plural: 'userextras', subresource: key, name: value }
  }
}

/** Why a token review found a token wanting, for its status; never the token. */
export function describeTokenProblem(result: Result<TokenClaims>): string {
  return result.ok ? '' : result.error.map(explain).join('; ')
}
