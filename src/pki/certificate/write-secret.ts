import type { KubeObject } from '../../kube/object.ts'
import { annotation, annotationOf, secretText } from '../objects.ts'
import type { ReadCertificate } from '../x509/certificate.ts'
import type { KeyMaterial, Provenance } from './secret-body.ts'
import type { Observed, SecretToWrite, Step } from './step.ts'

/** The steps that write a Secret; where a keystore lacks its password, why they have to wait. */
export interface Write {
  readonly steps: readonly Step[]
  readonly retry?: string
}

/** Writes a Secret whole; nothing is written while the password of a keystore is missing. */
export function writeSecret(
  seen: Observed,
  parts: { readonly material: KeyMaterial; readonly leaf: ReadCertificate; readonly provenance: Provenance },
  because: string,
): Write & { readonly secret?: SecretToWrite } {
  const { certificate, passwords } = seen
  const missing = [passwords.jks, passwords.pkcs12].flatMap((password) =>
    password && !password.ok ? password.error : [],
  )
  const [first] = missing
  if (first) return { steps: [], retry: first.message }
  const type = seen.secret?.['type']
  const secret: SecretToWrite = {
    certificate,
    ...parts,
    ...(typeof type === 'string' ? { type } : {}),
    passwords: {
      ...(passwords.jks?.ok ? { jks: passwords.jks.value } : {}),
      ...(passwords.pkcs12?.ok ? { pkcs12: passwords.pkcs12.value } : {}),
    },
  }
  return { steps: [{ do: 'write-secret', secret, because }], secret }
}

/** Writes a Secret again around the certificate that is in it. */
export function rewriteSecret(seen: Observed, secret: KubeObject, leaf: ReadCertificate, because: string): Write {
  const [key, certificate, ca] = ['tls.key', 'tls.crt', 'ca.crt'].map((name) => secretText(secret, name))
  if (key === undefined || certificate === undefined) return { steps: [] }
  const [name, issuer, kind, group] = [
    annotation.certificateName,
    annotation.issuerName,
    annotation.issuerKind,
    annotation.issuerGroup,
  ].map((each) => annotationOf(secret, each))
  const provenance: Provenance = {
    ...(name ? { certificateName: name } : {}),
    ...(issuer || kind || group ? { issuer: { name: issuer ?? '', kind: kind ?? '', group: group ?? '' } } : {}),
  }
  return writeSecret(seen, { material: { key, certificate, ...(ca ? { ca } : {}) }, leaf, provenance }, because)
}
