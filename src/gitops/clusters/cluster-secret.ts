import { isObject, own } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { ClusterAccess, Credentials } from '../../client/access.ts'
import { parseExec } from '../../client/exec-plugin.ts'
import { serverOf } from '../../client/kubeconfig.ts'
import { fieldsOf, isSet, textOf } from '../fields.ts'

/** The label by which Secrets say that they describe a cluster. */
export const CLUSTER_SECRET: string = 'argocd.argoproj.io/secret-type=cluster'
/** The cluster that the controller itself runs beside. */
export const IN_CLUSTER = 'in-cluster'
export const IN_CLUSTER_SERVER = 'https://kubernetes.default.svc'

/** A cluster that Applications can name as their destination. */
export interface ClusterEntry {
  readonly name: string
  readonly server: string
  /** The only project that may use it, if any. */
  readonly project?: string
  /** The only namespaces that are looked at; all when empty. */
  readonly namespaces: readonly string[]
  /** With `namespaces`: whether cluster-scoped objects are looked at too. */
  readonly clusterResources: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** How to reach it; absent for the cluster that we run beside. */
  readonly access?: ClusterAccess
}

/** The cluster that is there without any Secret. */
export const ownCluster: ClusterEntry = {
  name: IN_CLUSTER,
  server: IN_CLUSTER_SERVER,
  namespaces: [],
  clusterResources: true,
  labels: {},
  annotations: {},
}

/** Reads the Secret of a cluster. What is wrong is told without the credentials. */
export function parseClusterSecret(secret: KubeObject): Result<ClusterEntry> {
  const data = new Map<string, string>()
  for (const [key, value] of Object.entries(fieldsOf(secret, 'data'))) {
    if (typeof value === 'string') data.set(key, Buffer.from(value, 'base64').toString('utf8'))
  }
  for (const [key, value] of Object.entries(fieldsOf(secret, 'stringData'))) {
    if (typeof value === 'string') data.set(key, value)
  }
  const server = (data.get('server') ?? '').trim().replace(/\/+$/, '')
  if (server === '') return invalid(secret, 'it has no server')
  const project = data.get('project')
  const shared = {
    name: data.get('name')?.trim() || server,
    server,
    ...(project ? { project } : {}),
    namespaces: (data.get('namespaces') ?? '').split(',').flatMap((name) => name.trim() || []),
    clusterResources: data.get('clusterResources') === 'true',
    labels: secret.metadata.labels ?? {},
    annotations: secret.metadata.annotations ?? {},
  }
  const access = accessOf(server, data.get('config') ?? '{}')
  if (!access.ok) return server === IN_CLUSTER_SERVER ? succeed(shared) : invalid(secret, access.error)
  // A Secret for our own cluster gives it a name, labels and bounds; the way to it is known.
  return succeed(server === IN_CLUSTER_SERVER ? shared : { ...shared, access: access.value })
}

const invalid = ({ metadata }: KubeObject, because: string): Result<never> =>
  fail({
    code: 'cluster-secret-invalid',
    at: `Secret ${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
    message: `cannot use the cluster: ${because}`,
  })

function accessOf(server: string, config: string): Result<ClusterAccess, string> {
  let parsed: unknown
  try {
    parsed = JSON.parse(config)
  } catch {
    // The parser's message would quote the credentials.
    return { ok: false, error: 'its config is not JSON' }
  }
  if (!isObject(parsed)) return { ok: false, error: 'its config is not an object' }
  if (own(parsed, 'awsAuthConfig') !== undefined) {
    return { ok: false, error: 'awsAuthConfig is not supported: use execProviderConfig with the aws command' }
  }
  const tls = fieldsOf(parsed, 'tlsClientConfig')
  const pem = (key: string): string => Buffer.from(textOf(tls, key), 'base64').toString('utf8')
  const proxyUrl = textOf(parsed, 'proxyUrl')
  try {
    return succeed({
      server: serverOf(server),
      namespace: 'default',
      tls: {
        ...(textOf(tls, 'caData') ? { ca: pem('caData') } : {}),
        ...(textOf(tls, 'certData') && textOf(tls, 'keyData') ? { cert: pem('certData'), key: pem('keyData') } : {}),
        ...(textOf(tls, 'serverName') ? { serverName: textOf(tls, 'serverName') } : {}),
        ...(isSet(tls, 'insecure') ? { insecure: true } : {}),
      },
      ...(proxyUrl ? { proxyUrl } : {}),
      credentials: credentialsOf(parsed, server),
    })
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) }
  }
}

function credentialsOf(config: Readonly<Record<string, unknown>>, server: string): Credentials {
  const token = textOf(config, 'bearerToken')
  if (token) return { by: 'token', token }
  const username = textOf(config, 'username')
  if (username) return { by: 'password', username, password: textOf(config, 'password') }
  const exec = own(config, 'execProviderConfig')
  if (!isObject(exec)) return { by: 'nothing' }
  const env = fieldsOf(exec, 'env')
  const plugin = { ...exec, env: Object.entries(env).map(([name, value]) => ({ name, value })) }
  return { by: 'exec', plugin: parseExec(plugin, '/', { server }) }
}
