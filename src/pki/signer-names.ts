import { type CertificateRequest, issuerGroup, issuerKind } from './objects.ts'

/** The names by which the signer of a request may be approved: all of its kind, or this one. */
export function signerNames({ spec, metadata }: CertificateRequest): readonly string[] {
  const { name } = spec.issuerRef
  const kind = issuerKind(spec.issuerRef)
  const resource = `${kind.toLowerCase()}s.${issuerGroup(spec.issuerRef)}`
  const own = kind.startsWith('Cluster') ? name : `${metadata.namespace ?? ''}.${name}`
  return [`${resource}/*`, `${resource}/${own}`]
}
