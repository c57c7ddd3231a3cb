import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { UserInfo } from '../../kube/admission.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { serviceAccountUser } from './rbac.ts'

/** The issuer that embedded tokens name, and the audience they have unless they ask for another. */
export const ISSUER = 'https://kubernetes.default.svc.cluster.local'

/** Signs and checks ServiceAccount tokens. The first key signs; all of them verify, so that keys can be rotated. */
export interface TokenKeys {
  readonly keys: readonly { readonly id: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject }[]
}

/** What a token says, once its signature was found good. */
export interface TokenClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: readonly string[]
  readonly exp: number
  readonly iat: number
  readonly nbf: number
  readonly jti: string
  readonly 'kubernetes.io': {
    readonly namespace: string
    readonly serviceaccount: ObjectBinding
    readonly pod?: ObjectBinding
    readonly secret?: ObjectBinding
    readonly node?: ObjectBinding
  }
}

/** An object that a token lives and dies with. */
export interface ObjectBinding {
  readonly name: string
  readonly uid: string
}

/** A new signing key in PEM, to be kept in a file that only the owner reads. */
export function newSigningKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
}

/** Reads signing keys from PEM, newest first. */
export function readTokenKeys(pems: readonly string[]): TokenKeys {
  const keys = pems.map((pem) => {
    const privateKey = createPrivateKey(pem)
    const publicKey = createPublicKey(privateKey)
    const id = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url')
    return { id, privateKey, publicKey }
  })
  return { keys }
}

/** What is needed to issue one token. */
export interface TokenRequest {
  readonly namespace: string
  readonly serviceAccount: ObjectBinding
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
  readonly bound?: { readonly kind: 'pod' | 'secret' | 'node'; readonly to: ObjectBinding }
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Issues a signed token that is bound to its ServiceAccount and, if asked, to one more object. */
export function issueToken(
  keys: TokenKeys,
  request: TokenRequest,
  at: { readonly nowMs: number; readonly id: string },
): string {
  const [key] = keys.keys
  if (!key) throw new Error('cannot issue a token: there is no signing key')
  const issued = Math.floor(at.nowMs / 1000)
  const claims: TokenClaims = {
    aud: request.audiences.length > 0 ? request.audiences : [ISSUER],
    exp: issued + request.expirationSeconds,
    iat: issued,
    iss: ISSUER,
    jti: at.id,
    'kubernetes.io': {
      namespace: request.namespace,
      ...(request.bound ? { [request.bound.kind]: request.bound.to } : {}),
      serviceaccount: request.serviceAccount,
    },
    nbf: issued,
    sub: serviceAccountUser(request.namespace, request.serviceAccount.name),
  }
  const unsigned = `${encode({ alg: 'ES256', kid: key.id, typ: 'JWT' })}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(unsigned), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${unsigned}.${signature.toString('base64url')}`
}

/** The longest token that is looked at. */
const LONGEST_TOKEN = 16 * 1024

const refuse = (message: string): Result<TokenClaims> => fail({ code: 'token-invalid', message })

/** Checks signature, issuer, times and audience; whether the bound objects still exist is for the caller to see. */
export function verifyToken(
  keys: TokenKeys,
  token: string,
  wanted: { readonly nowMs: number; readonly audiences: readonly string[] },
): Result<TokenClaims> {
  const [header = '', payload = '', signature = '', ...more] = token.length <= LONGEST_TOKEN ? token.split('.') : []
  if (signature === '' || more.length > 0) return refuse('the bearer token is not a signed token')
  const claims = rememberedClaims(keys, token, { header, payload, signature })
  if (!claims) return refuse("the token's signature is not ours")
  const now = Math.floor(wanted.nowMs / 1000)
  if (claims.iss !== ISSUER) return refuse(`the token was issued by ${JSON.stringify(claims.iss)}`)
  if (claims.exp <= now) return refuse('the token has expired')
  if (claims.nbf > now + 10) return refuse('the token is not valid yet')
  if (!claims.aud.some((audience) => wanted.audiences.includes(audience)))
    return refuse('the token is meant for another audience')
  return succeed(claims)
}

interface TokenParts {
  readonly header: string
  readonly payload: string
  readonly signature: string
}

/** Claims of tokens whose signature was found good, by the hash of the whole token. Times and bindings are looked at every time. */
const signed = new WeakMap<TokenKeys, Map<string, TokenClaims>>()
const MOST_SIGNED = 2_000

function rememberedClaims(keys: TokenKeys, token: string, parts: TokenParts): TokenClaims | undefined {
  const known = signed.get(keys) ?? new Map<string, TokenClaims>()
  signed.set(keys, known)
  const hash = createHash('sha256').update(token).digest('base64')
  const remembered = known.get(hash)
  if (remembered) return remembered
  const claims = signedClaims(keys, parts)
  if (!claims) return undefined
  if (known.size >= MOST_SIGNED) known.clear()
  known.set(hash, claims)
  return claims
}

function signedClaims(keys: TokenKeys, { header, payload, signature }: TokenParts): TokenClaims | undefined {
  const data = Buffer.from(`${header}.${payload}`)
  const bytes = Buffer.from(signature, 'base64url')
  const isSigned = keys.keys.some(({ publicKey }) =>
    verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, bytes),
  )
  if (!isSigned) return undefined
  // Only what we signed ourselves is parsed, so its shape is known.
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as TokenClaims
}

/** The user a checked token stands for. */
export function userOfToken(claims: TokenClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io']
  return {
    username: claims.sub,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: {
      'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
      ...(pod
        ? { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] }
        : {}),
      ...(node
        ? { 'authentication.kubernetes.io/node-name': [node.name], 'authentication.kubernetes.io/node-uid': [node.uid] }
        : {}),
    },
  }
}

/** The public keys in the form that verifiers elsewhere fetch. */
export function publicKeySet(keys: TokenKeys): { readonly keys: readonly Readonly<Record<string, unknown>>[] } {
  return {
    keys: keys.keys.map(({ id, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid: id,
      use: 'sig',
      alg: 'ES256',
    })),
  }
}

/** The discovery document that points verifiers at the keys. */
export function openIdConfiguration(): Readonly<Record<string, unknown>> {
  return {
    issuer: ISSUER,
    jwks_uri: `${ISSUER}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  }
}
