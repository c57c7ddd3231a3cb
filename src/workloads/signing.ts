/** Signs a PKCS#10 request (PEM) with the cluster's authority and answers the certificate in PEM. */
export type SignCertificate = (request: CertificateToSign) => Promise<string>

/** What is to be signed, and for what. */
export interface CertificateToSign {
  readonly requestPem: string
  readonly usages: readonly string[]
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** Issues the lasting token that a Secret holds for its ServiceAccount. */
export type IssueSecretToken = (about: {
  readonly namespace: string
  readonly account: { readonly name: string; readonly uid: string }
  readonly secret: { readonly name: string; readonly uid: string }
}) => string
