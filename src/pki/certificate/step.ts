import type { KubeObject } from '../../kube/object.ts'
import type { Result } from '../../lib/result.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import type { Certificate, CertificateRequest, CertificateStatus } from '../objects.ts'
import type { KeySpec } from '../x509/keys.ts'
import type { CheckInput } from './checks.ts'
import type { KeyMaterial, SecretParts } from './secret-body.ts'

/** The passwords of the keystores that a Certificate asks for. */
export interface KeystorePasswords {
  readonly jks?: Result<string>
  readonly pkcs12?: Result<string>
}

/** All that is known of a Certificate when it is decided what to do. */
export interface Observed extends CheckInput {
  readonly certificate: Certificate
  /** The Certificates of the namespace that name the same Secret, this one among them. */
  readonly sharers: readonly Certificate[]
  /** Secrets with keys for issuances of this Certificate. */
  readonly keySecrets: readonly KubeObject[]
  /** The requests of this Certificate. */
  readonly requests: readonly CertificateRequest[]
  readonly passwords: KeystorePasswords
  /** Five characters of chance, for a name. */
  readonly suffix: string
}

/** A Secret to be written but for its keystores, which take time to make. */
export interface SecretToWrite extends Omit<SecretParts, 'keystores'> {
  readonly passwords: { readonly jks?: string; readonly pkcs12?: string }
}

/** One thing to do. Each says why, and what a user who looks at the Certificate is told. */
export type Step = {
  readonly because: string
  readonly note?: EventNote
} &
  /** Only tells. */
  (
    | { readonly do: 'note'; readonly note: EventNote }
    | { readonly do: 'set-status'; readonly status: CertificateStatus }
    | { readonly do: 'delete-secret'; readonly name: string }
    | { readonly do: 'delete-request'; readonly name: string }
    /** With `pem`, the key that is there is used again. */
    | { readonly do: 'create-key'; readonly name: string; readonly wanted: KeySpec; readonly pem?: string }
    | {
        readonly do: 'create-request'
        readonly name: string
        readonly revision: number
        /** The Secret with the key, and the key itself where it is there already. */
        readonly keySecret: string
        readonly pem?: string
      }
    | { readonly do: 'write-secret'; readonly secret: SecretToWrite }
    | { readonly do: 'write-temporary'; readonly material: Pick<KeyMaterial, 'key'>; readonly type?: string }
  )

export interface Plan {
  /** In this order; when one fails, the ones after it are left. */
  readonly steps: readonly Step[]
  /** Why to try again, with a growing wait. */
  readonly retry?: string
  /** When to look again although nothing changes. */
  readonly again?: { readonly afterMs: number; readonly because: string }
}
