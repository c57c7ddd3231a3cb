import type { KeyObject } from 'node:crypto'
import type { KubeObject } from '../../kube/object.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { materialOf } from '../key-pair.ts'
import { secretText } from '../objects.ts'
import { type ReadCertificate, readCertificates } from '../x509/certificate.ts'

/** A key pair that signs. */
export interface Authority {
  readonly key: KeyObject
  /** The issuing certificate first, then those above it, as far as they are there. */
  readonly certificates: readonly ReadCertificate[]
}

/** Reads the authority that a Secret holds: `tls.key`, `tls.crt` with its chain, and `ca.crt` where it is there. */
export function readAuthority(secret: KubeObject): Result<Authority> {
  const { key, certificates } = materialOf(secret)
  const name = JSON.stringify(secret.metadata.name ?? '')
  const missing = (what: string): Result<Authority> =>
    fail({ code: 'authority-incomplete', message: `no data for ${JSON.stringify(what)} in secret ${name}` })
  if (!certificates) return missing('tls.crt')
  if (!key) return missing('tls.key')
  if (!certificates.ok) return certificates
  if (!key.ok) return key
  const root = secretText(secret, 'ca.crt')
  const above = root === undefined ? undefined : readCertificates(root)
  if (above && !above.ok) return above
  const first = above?.value.slice(0, 1) ?? []
  return succeed({ key: key.value, certificates: [...certificates.value, ...first] })
}
