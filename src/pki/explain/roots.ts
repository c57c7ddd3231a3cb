import { createHash } from 'node:crypto'
import type { KubeObject } from '../../kube/object.ts'
import { readAuthority } from '../issuer/authority.ts'
import { type Issuer, secretsOf } from '../objects.ts'
import { certificatePem, isSelfSigned } from '../x509/certificate.ts'
import { subjectOf } from '../x509/names.ts'

/** A root that certificates of this cluster come from. */
export interface Root {
  readonly name: string
  readonly pem: string
  /** SHA-256 of the certificate, as browsers show it. */
  readonly fingerprint: string
  readonly notAfterMs: number
  /** The issuers below it, such as `ClusterIssuer/ca`. */
  readonly issuers: readonly string[]
}

/** How an issuer is named to people. */
export const issuerName = ({ kind, metadata }: Pick<Issuer, 'kind' | 'metadata'>): string =>
  [kind, metadata.namespace, metadata.name].filter((part) => part !== undefined && part !== '').join('/')

/** The roots above the issuers that sign with a key pair of this cluster, each once. */
export function rootsOf(
  issuers: readonly Issuer[],
  secretOf: (key: string) => KubeObject | undefined,
): readonly Root[] {
  const roots = new Map<string, Root>()
  for (const issuer of issuers) {
    const { ca } = issuer.spec
    const secret = ca && secretOf(`${secretsOf(issuer)}/${ca.secretName ?? ''}`)
    const authority = secret && readAuthority(secret)
    const root = authority?.ok ? authority.value.certificates.find(isSelfSigned) : undefined
    if (!root) continue
    const hash = createHash('sha256').update(root.bytes).digest('hex').toUpperCase()
    const known = roots.get(hash)
    roots.set(hash, {
      name: subjectOf(root.name).commonName || 'root without a name',
      pem: certificatePem(root),
      fingerprint: hash.match(/../g)?.join(':') ?? '',
      notAfterMs: root.notAfterMs,
      issuers: [...(known?.issuers ?? []), issuerName(issuer)],
    })
  }
  return [...roots.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
