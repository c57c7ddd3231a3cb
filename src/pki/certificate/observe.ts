import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { Caches } from '../caches.ts'
import { type Certificate, type Keystore, secretText } from '../objects.ts'
import { revisionOf } from './revision.ts'
import type { KeystorePasswords, Observed } from './step.ts'

/** All that the decision about a Certificate needs; undefined where it is gone. */
export function observeCertificate(
  key: string,
  caches: Caches,
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
): Observed | undefined {
  const certificate = caches.certificates.cache.get(key)
  if (!certificate) return undefined
  const namespace = certificate.metadata.namespace ?? ''
  const secretKey = `${namespace}/${certificate.spec.secretName}`
  const secret = caches.secrets.cache.get(secretKey)
  const requests = caches.requests.cache.by('owner', certificate.metadata.uid ?? '')
  const { revision } = certificate.status ?? {}
  const currentRequest = requests.find((request) => revision !== undefined && revisionOf(request) === revision)
  return {
    certificate,
    ...(secret ? { secret } : {}),
    ...(currentRequest ? { currentRequest } : {}),
    sharers: caches.certificates.cache.by('secret', secretKey),
    keySecrets: caches.keySecrets.cache.by('owner', certificate.metadata.uid ?? ''),
    requests,
    passwords: passwordsOf(certificate, caches),
    nowMs: clock.now(),
    suffix: ids.suffix(),
  }
}

function passwordsOf(certificate: Certificate, caches: Caches): KeystorePasswords {
  const { jks, pkcs12 } = certificate.spec.keystores ?? {}
  const namespace = certificate.metadata.namespace ?? ''
  return {
    ...(jks?.create ? { jks: passwordOf('JKS', jks, namespace, caches) } : {}),
    ...(pkcs12?.create ? { pkcs12: passwordOf('PKCS12', pkcs12, namespace, caches) } : {}),
  }
}

function passwordOf(kind: string, keystore: Keystore, namespace: string, { secrets }: Caches): Result<string> {
  const refuse = (message: string): Result<string> => fail({ code: 'keystore-password-missing', message })
  const { passwordSecretRef: ref, password } = keystore
  if (ref?.name) {
    const secret = secrets.cache.get(`${namespace}/${ref.name}`)
    if (!secret) return refuse(`${kind} keystore password Secret ${JSON.stringify(ref.name)} not found`)
    const value = secretText(secret, ref.key ?? '')
    return value === undefined
      ? refuse(`${kind} keystore password Secret contains no data for key ${JSON.stringify(ref.key ?? '')}`)
      : succeed(value)
  }
  if (password === '') return refuse(`${kind} literal password cannot be empty`)
  return password === undefined
    ? refuse(`either passwordSecretRef or password must be set for ${kind} keystore`)
    : succeed(password)
}
