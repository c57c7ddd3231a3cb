import type { KeyObject } from 'node:crypto'
import type { KubeObject } from '../kube/object.ts'
import type { Result } from '../lib/result.ts'
import { secretText } from './objects.ts'
import { type ReadCertificate, readCertificates } from './x509/certificate.ts'
import { readPrivateKey } from './x509/keys.ts'

/** What a TLS Secret holds, as far as it can be read; undefined where it is not there. */
export interface SecretMaterial {
  readonly key?: Result<KeyObject>
  readonly certificates?: Result<readonly ReadCertificate[]>
}

/** Objects of caches never change, so what was read of one stays true as long as it is there. */
const known = new WeakMap<KubeObject, SecretMaterial>()

/** Reads the key and the certificates of a Secret, once per version of it. */
export function materialOf(secret: KubeObject): SecretMaterial {
  const before = known.get(secret)
  if (before) return before
  const key = secretText(secret, 'tls.key')
  const certificates = secretText(secret, 'tls.crt')
  const material = {
    ...(key === undefined ? {} : { key: readPrivateKey(key) }),
    ...(certificates === undefined ? {} : { certificates: readCertificates(certificates) }),
  }
  known.set(secret, material)
  return material
}
