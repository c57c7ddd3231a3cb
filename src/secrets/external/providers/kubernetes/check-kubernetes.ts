import { type Fields, fieldsOf, textOf } from '../../../../lib/fields.ts'
import { isObject, own } from '../../../../lib/json.ts'
import { isClusterStore, type SecretStore } from '../../spec/secret-store.ts'
import type { StoreProblems } from '../provider.ts'
import { namespaceProblem, referenceOf } from '../references.ts'

/** The names by which a store means the cluster that it is in. */
const THIS_CLUSTER = /^(?:https:\/\/)?(?:kubernetes(?:\.default(?:\.svc(?:\.cluster\.local)?)?)?)?(?::443)?\/?$/

/** Tells whether a URL means the cluster that the store is in. */
export const isThisCluster = (url: string): boolean => THIS_CLUSTER.test(url)

/** Everything that the auth of a store refers to. */
export const references = (auth: Fields): readonly Fields[] =>
  [
    referenceOf(fieldsOf(auth, 'token'), 'bearerToken'),
    referenceOf(auth, 'serviceAccount'),
    referenceOf(fieldsOf(auth, 'cert'), 'clientCert'),
    referenceOf(fieldsOf(auth, 'cert'), 'clientKey'),
  ].filter((ref) => ref !== undefined)

/** What can be told of a store in a cluster from itself alone. */
export function checkKubernetes(store: SecretStore, fields: Fields): StoreProblems {
  const server = fieldsOf(fields, 'server')
  const auth = fieldsOf(fields, 'auth')
  const hasAuthRef = isObject(own(fields, 'authRef'))
  const provider = referenceOf(server, 'caProvider')
  const isElsewhere = !isThisCluster(textOf(server, 'url'))
  const problems = references(auth).flatMap((ref) => namespaceProblem(store, ref) ?? [])
  const named = references(auth).filter((ref) => textOf(ref, 'name') === '')
  const errors = [
    ...(isClusterStore(store) && provider && textOf(provider, 'namespace') === ''
      ? ['CAProvider.namespace must not be empty with ClusterSecretStore']
      : []),
    ...(!isClusterStore(store) && provider && textOf(provider, 'namespace') !== ''
      ? ['CAProvider.namespace must be empty with SecretStore']
      : []),
    ...(named.length > 0 ? ['every reference under auth has to name what it refers to'] : []),
    ...problems,
  ]
  const warnings = [
    ...(isElsewhere && !hasAuthRef && textOf(server, 'caBundle') === '' && !provider
      ? ['No caBundle or caProvider specified; TLS connections will use system certificate roots.']
      : []),
    ...(hasAuthRef ? ['the authRef of the provider kubernetes is not supported'] : []),
  ]
  return { errors, warnings }
}
