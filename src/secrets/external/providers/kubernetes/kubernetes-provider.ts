import { remoteClient } from '../../../../client/remote-client.ts'
import type { Client } from '../../../../kube/client.ts'
import { type Fields, fieldsOf, textOf } from '../../../../lib/fields.ts'
import { describeError } from '../../../../lib/log.ts'
import { succeed } from '../../../../lib/result.ts'
import { failed, type Fetched } from '../../data/trouble.ts'
import { isClusterStore } from '../../spec/secret-store.ts'
import { isThisCluster, references } from './check-kubernetes.ts'
import type { Opening, Provider, ProviderPorts, SecretsClient } from '../provider.ts'
import { accountToken, authorities, namespaceOf, referenceOf, secretValue } from '../references.ts'
import { type KubernetesReach, kubernetesSecrets } from './kubernetes-secrets.ts'
import { mayUse, type Subject, subjectOfToken } from './subject.ts'

/** Secrets of this cluster or of another one, with the rights of whom the store names. */
export function kubernetesProvider(ports: ProviderPorts): Provider {
  const remotes = new Map<string, Client>()
  return {
    name: 'kubernetes',
    capabilities: 'ReadWrite',
    async open(opening) {
      const reach = await reachOf(ports, remotes, opening)
      return reach.ok ? succeed(await clientFor(opening, reach.value)) : reach
    },
  }
}

function clientFor(opening: Opening, reach: KubernetesReach): Promise<SecretsClient> {
  const namespace = textOf(opening.fields, 'remoteNamespace') || 'default'
  const isForAll = isClusterStore(opening.store)
  return Promise.resolve(
    kubernetesSecrets(reach, { namespace, isForAll, track: opening.track, signal: opening.signal }),
  )
}

async function reachOf(
  ports: ProviderPorts,
  remotes: Map<string, Client>,
  opening: Opening,
): Promise<Fetched<KubernetesReach>> {
  const { fields, store } = opening
  const server = fieldsOf(fields, 'server')
  const auth = fieldsOf(fields, 'auth')
  if (referenceOf(fields, 'authRef')) return failed('authRef is not supported; say server and auth instead')
  const isReferent = isClusterStore(store) && references(auth).some((ref) => textOf(ref, 'namespace') === '')
  const url = textOf(server, 'url')
  if (isThisCluster(url)) {
    const subject = await subjectOf(ports, opening, auth)
    if (!subject.ok) return subject
    const may = (verb: string, namespace: string): Promise<Fetched<undefined>> =>
      mayUse(ports.client, subject.value, { verb, namespace, signal: opening.signal })
    return succeed({ client: ports.client, isHere: true, isReferent, may })
  }
  const ca = authorities(ports, opening, server)
  if (!ca.ok) return ca
  const proof = await proofOf(ports, opening, auth)
  if (!proof.ok) return proof
  const { token, cert, key } = proof.value
  const id = JSON.stringify([url, ca.value, token, cert, key])
  const client =
    remotes.get(id) ??
    remoteClient({
      access: {
        server: (url.includes('://') ? url : `https://${url}`).replace(/\/+$/, ''),
        namespace: 'default',
        tls: {
          ...(ca.value === undefined ? {} : { ca: ca.value }),
          ...(cert === undefined ? {} : { cert }),
          ...(key === undefined ? {} : { key }),
        },
        credentials: token === undefined ? { by: 'nothing' } : { by: 'token', token },
      },
      clock: ports.clock,
      ids: ports.ids,
      environment: {},
      userAgent: 'external-secrets',
    })
  if (remotes.size > 100) remotes.clear()
  remotes.set(id, client)
  return succeed({
    client: telling(client, url),
    isHere: false,
    isReferent,
    may: () => Promise.resolve(succeed(undefined)),
  })
}

/** A client whose lost connections are refusals. */
function telling(client: Client, url: string): Client {
  const lost = (error: unknown): { readonly ok: false; readonly error: never } => {
    throw new Error(`cannot reach the cluster at ${url}: ${describeError(error)}`, { cause: error })
  }
  return {
    ...client,
    get: (...given) => client.get(...given).catch(lost),
    list: (...given) => client.list(...given).catch(lost),
  }
}

/** Who a store is in this cluster. */
async function subjectOf(ports: ProviderPorts, opening: Opening, auth: Fields): Promise<Fetched<Subject>> {
  const account = referenceOf(auth, 'serviceAccount')
  if (account) {
    const namespace = namespaceOf(opening, account)
    const name = textOf(account, 'name')
    if (!ports.view.get('ServiceAccount', namespace, name))
      return failed(`cannot find the ServiceAccount ${namespace}/${name}`)
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
    return succeed({ user: `system:serviceaccount:${namespace}:${name}`, groups })
  }
  const bearer = referenceOf(fieldsOf(auth, 'token'), 'bearerToken')
  if (!bearer) return failed('in its own cluster, a store says who it is by auth.serviceAccount or auth.token')
  const token = secretValue(ports, opening, bearer, 'token')
  return token.ok ? subjectOfToken(ports.client, token.value.trim(), opening.signal) : token
}

interface ClusterProof {
  readonly token?: string
  readonly cert?: string
  readonly key?: string
}

async function proofOf(ports: ProviderPorts, opening: Opening, auth: Fields): Promise<Fetched<ClusterProof>> {
  const bearer = referenceOf(fieldsOf(auth, 'token'), 'bearerToken')
  if (bearer) {
    const token = secretValue(ports, opening, bearer, 'token')
    return token.ok ? succeed({ token: token.value.trim() }) : token
  }
  const account = referenceOf(auth, 'serviceAccount')
  if (account) {
    const token = await accountToken(ports.client, opening, account, { seconds: 3_600 })
    return token.ok ? succeed({ token: token.value }) : token
  }
  const certRef = referenceOf(fieldsOf(auth, 'cert'), 'clientCert')
  const keyRef = referenceOf(fieldsOf(auth, 'cert'), 'clientKey')
  if (!certRef || !keyRef)
    return failed('the store says nothing of who it is; set auth.token, auth.serviceAccount or auth.cert')
  const cert = secretValue(ports, opening, certRef, 'tls.crt')
  if (!cert.ok) return cert
  const key = secretValue(ports, opening, keyRef, 'tls.key')
  return key.ok ? succeed({ cert: cert.value, key: key.value }) : key
}
