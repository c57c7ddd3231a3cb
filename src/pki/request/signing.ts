import type { CertificateTemplate, ReadCertificate, Signer } from '../x509/certificate.ts'

/** What is signed, by whom; or why it cannot be, for now or for ever. */
export type SigningPlan =
  | {
      readonly do: 'sign'
      readonly template: CertificateTemplate
      readonly signer: Signer
      /** The certificates above, the issuing one first; nothing for one that signs itself. */
      readonly above: readonly ReadCertificate[]
      /** Told beside the outcome. */
      readonly warning?: string
    }
  | { readonly do: 'pending' | 'fail'; readonly reason: string; readonly message: string }
