import type { RequestSigner } from '../apiserver/pki/sign-request.ts'

/** Reads and signs certificate requests with the cluster's authority. */
export type CertificateSigner = RequestSigner

/** Issues the lasting token that a Secret holds for its ServiceAccount. */
export type IssueSecretToken = (about: {
  readonly namespace: string
  readonly account: { readonly name: string; readonly uid: string }
  readonly secret: { readonly name: string; readonly uid: string }
}) => string
