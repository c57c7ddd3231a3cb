import { Buffer } from 'node:buffer'
import type { Client } from '../../../kube/client.ts'
import { type Fields, fieldsOf, textMapOf, textOf, textsOf } from '../../../lib/fields.ts'
import { stringOf } from '../../../lib/go-string.ts'
import { isObject, own } from '../../../lib/json.ts'
import { succeed } from '../../../lib/result.ts'
import { failed, type Fetched } from '../data/trouble.ts'
import { isClusterStore, type SecretStore } from '../spec/secret-store.ts'
import { onObject } from './dependency.ts'
import type { Opening, ProviderPorts } from './provider.ts'

/** A reference under a key of a store's fields; undefined where there is none. */
export function referenceOf(fields: Fields, key: string): Fields | undefined {
  const ref = own(fields, key)
  return isObject(ref) ? ref : undefined
}

/** Where a reference leads: a ClusterSecretStore may name a namespace, everything else stays in its own. */
export const namespaceOf = (opening: Pick<Opening, 'store' | 'namespace'>, ref: Fields): string =>
  (isClusterStore(opening.store) ? textOf(ref, 'namespace') : '') || opening.namespace

/** The value that a reference to a key of a Secret leads to; `key` where the reference names none. */
export function secretValue(
  ports: Pick<ProviderPorts, 'view'>,
  opening: Pick<Opening, 'store' | 'namespace' | 'track'>,
  ref: Fields,
  usualKey: string = '',
): Fetched<string> {
  const namespace = namespaceOf(opening, ref)
  const name = textOf(ref, 'name')
  const key = textOf(ref, 'key') || usualKey
  opening.track(onObject('Secret', namespace, name))
  const secret = ports.view.get('Secret', namespace, name)
  if (!secret)
    return failed(
      `cannot get Kubernetes secret ${JSON.stringify(name)} from namespace ${JSON.stringify(namespace)}: not found`,
    )
  const value = textMapOf(secret, 'data').get(key)
  if (value === undefined)
    return failed(`cannot find secret data for key: ${JSON.stringify(key)} in Secret ${namespace}/${name}`)
  return succeed(stringOf(Buffer.from(value, 'base64')))
}

/** The certificates of authorities that a store names, in PEM; undefined where it names none. */
export function authorities(
  ports: Pick<ProviderPorts, 'view'>,
  opening: Opening,
  fields: Fields,
): Fetched<string | undefined> {
  const bundle = textOf(fields, 'caBundle')
  if (bundle !== '') return succeed(Buffer.from(bundle, 'base64').toString('utf8'))
  const provider = referenceOf(fields, 'caProvider')
  if (!provider) return succeed(undefined)
  if (textOf(provider, 'type') === 'Secret') return secretValue(ports, opening, provider, 'ca.crt')
  const namespace = namespaceOf(opening, provider)
  const name = textOf(provider, 'name')
  const key = textOf(provider, 'key') || 'ca.crt'
  opening.track(onObject('ConfigMap', namespace, name))
  const map = ports.view.get('ConfigMap', namespace, name)
  if (!map) return failed(`cannot get ConfigMap ${namespace}/${name} of caProvider: not found`)
  const text = textMapOf(map, 'data').get(key)
  return text === undefined
    ? failed(`cannot find key ${JSON.stringify(key)} in ConfigMap ${namespace}/${name} of caProvider`)
    : succeed(text)
}

/** A token of a ServiceAccount that a store names, for so many seconds. */
export async function accountToken(
  client: Client,
  opening: Opening,
  ref: Fields,
  { audiences = [], seconds = 600 }: { readonly audiences?: readonly string[]; readonly seconds?: number } = {},
): Promise<Fetched<string>> {
  const namespace = namespaceOf(opening, ref)
  const name = textOf(ref, 'name')
  const target = {
    resource: { group: '', version: 'v1', plural: 'serviceaccounts' },
    namespace,
    name,
    subresource: 'token',
  }
  opening.track(onObject('ServiceAccount', namespace, name))
  const all = [...(textsOf(ref, 'audiences') ?? []), ...audiences]
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { ...(all.length > 0 ? { audiences: all } : {}), expirationSeconds: seconds },
  }
  const made = await client.create(target, body, { signal: opening.signal })
  const token = made.ok ? textOf(fieldsOf(made.value, 'status'), 'token') : ''
  if (made.ok && token !== '') return succeed(token)
  const because = made.ok ? 'the answer holds no token' : made.error.message
  return failed(
    `cannot request Kubernetes service account token for service account ${JSON.stringify(name)}: ${because}`,
  )
}

/** What is wrong with the namespace of a reference: only a ClusterSecretStore may look into another one. */
export function namespaceProblem(store: SecretStore, ref: Fields | undefined): string | undefined {
  const namespace = ref ? textOf(ref, 'namespace') : ''
  if (namespace === '' || isClusterStore(store) || namespace === (store.metadata.namespace ?? '')) return undefined
  return 'namespace should either be empty or match the namespace of the SecretStore for a namespaced SecretStore'
}
