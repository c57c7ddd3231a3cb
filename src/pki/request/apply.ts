import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { CertificateRequest } from '../objects.ts'
import { certificatePem, issueCertificate, readCertificates } from '../x509/certificate.ts'
import { chainOf } from '../x509/chain.ts'
import { said } from '../certificate/checks.ts'
import type { VaultSigner } from '../vault/vault.ts'
import { failed, pending, type Plan, signed } from './plan.ts'
import type { SigningPlan } from './signing.ts'

export interface SigningPorts {
  readonly clock: Clock
  readonly ids: Ids
  readonly vault: VaultSigner
}

const SERIAL_BYTES = 16

/** Signs; answers the status that tells of it. */
export async function sign(
  request: CertificateRequest,
  { template, signer, above }: Extract<SigningPlan, { readonly do: 'sign' }>,
  { clock, ids }: SigningPorts,
): Promise<Plan> {
  const bytes = await issueCertificate(template, signer, ids.bytes(SERIAL_BYTES))
  const pem = certificatePem({ bytes })
  if (above.length === 0) return signed(request, { certificate: pem, ca: pem }, clock.now())
  const own = readCertificates(pem)
  const bundle = own.ok ? chainOf([...above, ...own.value]) : own
  if (!bundle.ok) {
    return failed(request, 'SigningError', `Error signing certificate: ${said(bundle.error)}`, clock.now())
  }
  const { chain, ca } = bundle.value
  return signed(request, { certificate: chain, ...(ca ? { ca } : {}) }, clock.now())
}

/** Asks a Vault to sign; answers the status that tells of it. */
export async function askVault(
  request: CertificateRequest,
  { issuer }: Extract<Plan, { readonly do: 'ask-vault' }>,
  { clock, vault }: SigningPorts,
  signal: AbortSignal,
): Promise<Plan> {
  const answer = await vault.sign(request, issuer, signal)
  if (answer.ok) {
    const { chain, ca } = answer.value
    return signed(request, { certificate: chain, ...(ca ? { ca } : {}) }, clock.now())
  }
  const { reason, message, isFinal } = answer.error
  return (isFinal ? failed : pending)(request, reason, message, clock.now())
}
