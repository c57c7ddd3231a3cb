import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isObject, own } from '../../lib/json.ts'
import { describeError } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { ServiceHttp, ServiceResponse } from '../../runtime/service-http.ts'
import { said } from '../certificate/checks.ts'
import {
  type CertificateRequest,
  durationMs,
  type Issuer,
  type SecretKeyRef,
  secretsOf,
  secretText,
  USUAL_DURATION_MS,
} from '../objects.ts'
import { readChain, type ChainBundle } from '../x509/chain.ts'
import { subjectOf } from '../x509/names.ts'
import { readRequest } from '../x509/request.ts'

/** Why a Vault did not sign; what is final is not tried again. */
export interface VaultRefusal {
  readonly reason: string
  readonly message: string
  readonly isFinal: boolean
}

/** Vaults that sign, as issuers name them. */
export interface VaultSigner {
  /** Whether the Vault of an issuer can be used: the login works, and it is neither sealed nor without beginning. */
  check(issuer: Issuer, signal: AbortSignal): Promise<Result<undefined>>
  sign(request: CertificateRequest, issuer: Issuer, signal: AbortSignal): Promise<Result<ChainBundle, VaultRefusal>>
}

export interface VaultPorts {
  readonly http: ServiceHttp
  readonly client: Client
  readonly secret: (key: string) => KubeObject | undefined
}

const TIMEOUT_MS = 30_000
const LONGEST = 1_048_576

/** Something that a Secret should hold and does not. */
class Missing extends Error {}
/** A Vault that does not answer as it should. */
class Refused extends Error {}

/** Makes the port to Vaults. No token and no secret is in what it says went wrong. */
export function vaultSigner(ports: VaultPorts): VaultSigner {
  return {
    async check(issuer, signal) {
      const bad = (message: string): Result<undefined> => fail({ code: 'vault-unusable', message })
      try {
        await tokenOf(ports, issuer, signal)
      } catch (error) {
        return bad(`Failed to initialize Vault client: ${describeError(error)}`)
      }
      try {
        const problem = healthProblem(
          await call(ports, issuer, { method: 'GET', path: 'sys/health', signal, isSys: true }),
        )
        return problem === undefined
          ? succeed(undefined)
          : bad(`Failed to verify Vault is initialized and unsealed: ${problem}`)
      } catch (error) {
        return bad(`Failed to verify Vault is initialized and unsealed: ${describeError(error)}`)
      }
    },
    async sign(request, issuer, signal) {
      let token: string
      try {
        token = await tokenOf(ports, issuer, signal)
      } catch (error) {
        const isMissing = error instanceof Missing
        const message = isMissing
          ? 'Required secret resource not found'
          : 'Failed to initialise vault client for signing'
        const reason = isMissing ? 'SecretMissing' : 'VaultInitError'
        return { ok: false, error: { reason, message: `${message}: ${describeError(error)}`, isFinal: false } }
      }
      const refuse = (because: string): Result<ChainBundle, VaultRefusal> => ({
        ok: false,
        error: { reason: 'SigningError', message: `Vault failed to sign certificate: ${because}`, isFinal: true },
      })
      try {
        const body = signingBody(request)
        if (!body.ok) return refuse(`failed to decode CSR for signing: ${said(body.error)}`)
        const path = issuer.spec.vault?.path ?? ''
        const answer = await call(ports, issuer, { method: 'POST', path, body: body.value, token, signal })
        if (answer.status >= 300) return refuse(`failed to sign certificate by vault: ${refusalOf(answer)}`)
        const chain = chainOfAnswer(answer)
        return chain.ok ? chain : refuse(said(chain.error))
      } catch (error) {
        return refuse(`failed to sign certificate by vault: ${describeError(error)}`)
      }
    },
  }
}

interface Call {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: object
  readonly token?: string
  /** Of the server itself, whatever the namespace of the issuer. */
  readonly isSys?: boolean
  readonly signal: AbortSignal
  /** A client certificate in place of the issuer's. */
  readonly pair?: { readonly cert: string; readonly key: string }
}

async function call(ports: VaultPorts, issuer: Issuer, asked: Call): Promise<ServiceResponse> {
  const vault = issuer.spec.vault ?? {}
  const path = asked.path.replace(/^\/*(?:v1\/)?\/*/, '')
  if (path.split('/').includes('..')) throw new Refused("the path must not contain '..' segments")
  const { cert, key } = asked.pair ?? clientPair(ports, issuer)
  const ca = authorityOf(ports, issuer)
  return ports.http({
    method: asked.method,
    url: `${(vault.server ?? '').replace(/\/+$/, '')}/v1/${path}`,
    headers: {
      'content-type': 'application/json',
      'x-vault-request': 'true',
      ...(asked.token === undefined ? {} : { 'x-vault-token': asked.token }),
      ...(vault.namespace && !asked.isSys ? { 'x-vault-namespace': vault.namespace } : {}),
    },
    ...(asked.body ? { body: JSON.stringify(asked.body) } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(vault.serverName ? { serverName: vault.serverName } : {}),
    timeoutMs: TIMEOUT_MS,
    longest: LONGEST,
    signal: asked.signal,
  })
}

function valueOf(ports: VaultPorts, issuer: Issuer, ref: SecretKeyRef | undefined, usual: string): string {
  const namespace = secretsOf(issuer)
  const key = ref?.key || usual
  const secret = ports.secret(`${namespace}/${ref?.name ?? ''}`)
  if (!secret) throw new Missing(`secret ${JSON.stringify(ref?.name ?? '')} not found`)
  const value = secretText(secret, key)
  if (value === undefined)
    throw new Refused(`no data for ${JSON.stringify(key)} in secret '${namespace}/${ref?.name ?? ''}'`)
  return value
}

function authorityOf(ports: VaultPorts, issuer: Issuer): string | undefined {
  const { caBundle, caBundleSecretRef } = issuer.spec.vault ?? {}
  if (caBundle) return Buffer.from(caBundle, 'base64').toString('utf8')
  return caBundleSecretRef ? valueOf(ports, issuer, caBundleSecretRef, 'ca.crt') : undefined
}

function clientPair(ports: VaultPorts, issuer: Issuer): { readonly cert?: string; readonly key?: string } {
  const { clientCertSecretRef, clientKeySecretRef } = issuer.spec.vault ?? {}
  if (!clientCertSecretRef || !clientKeySecretRef) return {}
  return {
    cert: valueOf(ports, issuer, clientCertSecretRef, 'tls.crt'),
    key: valueOf(ports, issuer, clientKeySecretRef, 'tls.key'),
  }
}

/** Logs in by the one method that an issuer names. */
async function tokenOf(ports: VaultPorts, issuer: Issuer, signal: AbortSignal): Promise<string> {
  const { tokenSecretRef, appRole, clientCertificate, kubernetes } = issuer.spec.vault?.auth ?? {}
  if (tokenSecretRef) return valueOf(ports, issuer, tokenSecretRef, 'token').trim()
  if (appRole) {
    const secret = valueOf(ports, issuer, appRole.secretRef, '').trim()
    const path = `auth/${appRole.path || 'approle'}/login`
    return login(ports, issuer, { path, body: { role_id: (appRole.roleId ?? '').trim(), secret_id: secret }, signal })
  }
  if (clientCertificate) {
    const { secretName, name = '', mountPath } = clientCertificate
    const ref = { name: secretName ?? '' }
    const pair = secretName
      ? { cert: valueOf(ports, issuer, ref, 'tls.crt'), key: valueOf(ports, issuer, ref, 'tls.key') }
      : undefined
    const path = `${mountPath || '/v1/auth/cert'}/login`
    return login(ports, issuer, { path, body: { name }, signal, ...(pair ? { pair } : {}) })
  }
  if (kubernetes) {
    const jwt = kubernetes.secretRef?.name
      ? valueOf(ports, issuer, kubernetes.secretRef, 'token')
      : await accountToken(ports, issuer, signal)
    const path = `${kubernetes.mountPath || '/v1/auth/kubernetes'}/login`
    return login(ports, issuer, { path, body: { role: kubernetes.role ?? '', jwt }, signal })
  }
  throw new Refused('no way to log in is named')
}

async function login(ports: VaultPorts, issuer: Issuer, asked: Omit<Call, 'method'>): Promise<string> {
  const answer = await call(ports, issuer, { method: 'POST', ...asked })
  if (answer.status >= 300) throw new Refused(`error logging in to Vault server: ${refusalOf(answer)}`)
  const auth = fieldOf(parsed(answer), 'auth')
  const token = fieldOf(auth, 'client_token')
  if (typeof token !== 'string' || token === '') throw new Refused('no token returned')
  return token
}

const TOKEN_SECONDS = 600

/** A token of a ServiceAccount that is for this issuer alone. */
async function accountToken({ client }: VaultPorts, issuer: Issuer, signal: AbortSignal): Promise<string> {
  const { serviceAccountRef } = issuer.spec.vault?.auth?.kubernetes ?? {}
  const own = issuer.metadata.namespace ? `${issuer.metadata.namespace}/` : ''
  const audiences = [...(serviceAccountRef?.audiences ?? []), `vault://${own}${issuer.metadata.name ?? ''}`]
  const made = await client.create(
    {
      resource: { group: '', version: 'v1', plural: 'serviceaccounts' },
      namespace: secretsOf(issuer),
      name: serviceAccountRef?.name ?? '',
      subresource: 'token',
    },
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences, expirationSeconds: TOKEN_SECONDS },
    },
    { signal },
  )
  if (!made.ok) {
    const name = `${secretsOf(issuer)}/${serviceAccountRef?.name ?? ''}`
    throw new Refused(`while requesting a token for the service account ${name}: ${made.error.message}`)
  }
  const token = fieldOf(made.value['status'], 'token')
  if (typeof token !== 'string') throw new Refused('the cluster gave no token')
  return token
}

function healthProblem({ status }: ServiceResponse): string | undefined {
  // Standby nodes, of performance and of recovery, take requests.
  if (status < 300 || status === 429 || status === 472 || status === 473) return undefined
  if (status === 501) return 'Vault is not initialized'
  if (status === 503) return 'Vault is sealed'
  return `error calling Vault /v1/sys/health: it answered ${status}`
}

function signingBody({ spec }: CertificateRequest): Result<object> {
  const csr = Buffer.from(spec.request, 'base64').toString('utf8')
  const read = readRequest(csr)
  if (!read.ok) return read
  const { names, name } = read.value
  return succeed({
    common_name: subjectOf(name).commonName,
    alt_names: names.dnsNames.join(','),
    ip_sans: names.ipAddresses.join(','),
    uri_sans: names.uris.join(','),
    ttl: `${Math.floor((durationMs(spec.duration) ?? USUAL_DURATION_MS) / 1_000)}s`,
    csr,
    exclude_cn_from_sans: 'true',
  })
}

function chainOfAnswer(answer: ServiceResponse): Result<ChainBundle> {
  const data = fieldOf(parsed(answer), 'data')
  const chain = fieldOf(data, 'ca_chain')
  const texts = [
    ...(Array.isArray(chain) ? (chain as unknown[]) : []),
    fieldOf(data, 'issuing_ca'),
    fieldOf(data, 'certificate'),
  ]
  return readChain(texts.filter((text) => typeof text === 'string').join('\n'))
}

const fieldOf = (value: unknown, name: string): unknown => (isObject(value) ? own(value, name) : undefined)

function parsed({ body }: ServiceResponse): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    throw new Refused('the answer is not JSON')
  }
}

/** What a Vault says it refuses for: its own words, never what was sent. */
function refusalOf(answer: ServiceResponse): string {
  let said: unknown
  try {
    said = fieldOf(JSON.parse(answer.body), 'errors')
  } catch {
    said = undefined
  }
  const errors = Array.isArray(said) ? said.filter((text) => typeof text === 'string').join('; ') : ''
  return errors === '' ? `it answered ${answer.status}` : `it answered ${answer.status}: ${errors.slice(0, 500)}`
}
