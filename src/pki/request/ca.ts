import { formatTime } from '../../kube/time.ts'
import { said } from '../certificate/checks.ts'
import { readAuthority } from '../issuer/authority.ts'
import { type Issuer, secretsOf } from '../objects.ts'
import { isSameKey, publicKeyBytes } from '../x509/keys.ts'
import type { Observed } from './plan.ts'
import type { SigningPlan } from './signing.ts'
import { templateOf } from './template.ts'

/** Signing with the key pair of a Secret. */
export function planCaSigning({ request, secret, nowMs }: Observed, issuer: Issuer): SigningPlan {
  const { ca = {} } = issuer.spec
  const name = `${secretsOf(issuer)}/${ca.secretName ?? ''}`
  if (!secret) {
    const because = `secret ${JSON.stringify(ca.secretName ?? '')} not found`
    return { do: 'pending', reason: 'SecretMissing', message: `Referenced secret ${name} not found: ${because}` }
  }
  const authority = readAuthority(secret)
  if (!authority.ok) {
    const message = `Failed to parse signing CA keypair from secret ${name}: ${said(authority.error)}`
    return { do: 'pending', reason: 'SecretInvalidData', message }
  }
  const { certificates, key } = authority.value
  const [issuing] = certificates
  const template = templateOf(request.spec, nowMs)
  if (!template.ok) {
    const message = `Error generating certificate template: ${said(template.error)}`
    return { do: 'fail', reason: 'SigningError', message }
  }
  if (!issuing || !isSameKey(issuing.spki, publicKeyBytes(key))) {
    const because = "the private key of the authority does not match its certificate's public key"
    return { do: 'fail', reason: 'SigningError', message: `Error signing certificate: ${because}` }
  }
  const { crlDistributionPoints = [], ocspServers = [], issuingCertificateURLs = [] } = ca
  return {
    do: 'sign',
    template: {
      ...template.value,
      crlDistributionPoints,
      ocspServers,
      issuingCertificateUrls: issuingCertificateURLs,
    },
    signer: { subject: issuing.subject, key, ...(issuing.subjectKeyId ? { subjectKeyId: issuing.subjectKeyId } : {}) },
    above: certificates,
    ...(template.value.notAfterMs > issuing.notAfterMs ? { warning: outlives(issuing.notAfterMs) } : {}),
  }
}

const outlives = (untilMs: number): string =>
  `The certificate is valid for longer than the CA certificate that signs it, which expires at ${formatTime(untilMs)}`
