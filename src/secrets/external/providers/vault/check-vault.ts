import { type Fields, fieldsOf, isSet, textOf } from '../../../../lib/fields.ts'
import type { SecretStore } from '../../spec/secret-store.ts'
import type { StoreProblems } from '../provider.ts'
import { namespaceProblem, referenceOf } from '../references.ts'
import { authProblems, unsupportedAuth } from './vault-auth.ts'

/** What can be told of a store in a Vault from itself alone. */
export function checkVault(store: SecretStore, fields: Fields): StoreProblems {
  const auth = referenceOf(fields, 'auth')
  const tls = fieldsOf(fields, 'tls')
  const cert = referenceOf(tls, 'certSecretRef')
  const key = referenceOf(tls, 'keySecretRef')
  const needsCas = isSet(fieldsOf(fields, 'checkAndSet'), 'required')
  const tlsProblems = [cert, key].flatMap((ref) => namespaceProblem(store, ref) ?? [])
  return {
    errors: [
      ...(auth ? authProblems(store, auth) : []),
      ...(cert && key ? tlsProblems.map((problem) => `invalid ClientTLS: ${problem}`) : []),
      ...(Boolean(cert) === Boolean(key)
        ? []
        : ['when provided, both ClientTLS.ClientCert and ClientTLS.SecretRef should be provided']),
      ...(needsCas && textOf(fields, 'version') === 'v1'
        ? ['checkAndSet is not supported with Vault KV version v1']
        : []),
    ],
    warnings: auth ? unsupportedAuth(auth) : [],
  }
}
