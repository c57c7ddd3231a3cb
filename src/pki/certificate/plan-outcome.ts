import { Buffer } from 'node:buffer'
import { type Condition, conditionOf, isTrue } from '../../kube/condition.ts'
import { formatTime } from '../../kube/time.ts'
import type { Result } from '../../lib/result.ts'
import {
  annotation,
  annotationOf,
  type CertificateRequest,
  type CertificateSpec,
  type CertificateStatus,
} from '../objects.ts'
import { type ReadCertificate, readCertificates } from '../x509/certificate.ts'
import { encodePrivateKey, isSameKey } from '../x509/keys.ts'
import { firstFinding, keyPairChecks, said } from './checks.ts'
import type { KeyOfSecret, SecretWithKey } from './key-secret.ts'
import { secretBody } from './secret-body.ts'
import { issuedStatus, withIssuing } from './status.ts'
import type { Observed, Plan, Step } from './step.ts'
import { writeSecret } from './write-secret.ts'

/** What becomes of an issuance by the state of its request. A denial counts even where it was signed all the same. */
export function planOutcome(
  seen: Observed,
  status: CertificateStatus,
  request: CertificateRequest,
  { key }: SecretWithKey,
): Plan {
  const { conditions } = request.status ?? {}
  const ready = conditionOf(conditions, 'Ready')
  for (const type of ['Denied', 'InvalidRequest']) {
    const condition = conditionOf(conditions, type)
    if (condition && isTrue(conditions, type)) return failed(seen, status, condition)
  }
  if (!ready) return { steps: [] }
  if (ready.reason === 'Failed') return failed(seen, status, ready)
  if (ready.reason !== 'Issued') return temporary(seen, encodePrivateKey(key.key, encodingOf(seen.certificate.spec)))
  return signed(seen, status, request, key)
}

function signed(
  seen: Observed,
  status: CertificateStatus,
  request: CertificateRequest,
  { key, spki }: KeyOfSecret,
): Plan {
  const text = Buffer.from(request.status?.certificate ?? '', 'base64').toString('utf8')
  const read = readCertificates(text)
  const leaf = checkedLeaf(read, spki, seen.nowMs)
  if (typeof leaf === 'string') {
    return failed(seen, status, { type: 'Ready', status: 'False', reason: 'InvalidCertificate', message: leaf })
  }
  const ca = Buffer.from(request.status?.ca ?? '', 'base64').toString('utf8')
  const material = {
    key: encodePrivateKey(key, encodingOf(seen.certificate.spec)),
    certificate: text,
    ...(ca ? { ca } : {}),
  }
  const provenance = { certificateName: seen.certificate.metadata.name ?? '', issuer: request.spec.issuerRef }
  const because = `revision ${(status.revision ?? 0) + 1} was signed`
  const write = writeSecret(seen, { material, leaf, provenance }, because)
  if (!write.secret) return waiting(write)
  const body = secretBody({ ...write.secret, keystores: new Map() })
  const done = issuedStatus({ ...seen, secret: body, currentRequest: request }, status, (status.revision ?? 0) + 1)
  const note = { type: 'Normal', reason: 'Issuing', message: 'The certificate has been successfully issued' } as const
  return {
    steps: [
      ...write.steps,
      { do: 'set-status', status: done, because, note },
      ...seen.keySecrets.map(
        ({ metadata }) =>
          ({ do: 'delete-secret', name: metadata.name ?? '', because: 'its key has been used' }) as const,
      ),
    ],
  }
}

/** The certificate that an issuer answered; else why it cannot be used. */
function checkedLeaf(
  read: Result<readonly ReadCertificate[]>,
  spki: Uint8Array,
  nowMs: number,
): ReadCertificate | string {
  const [leaf] = read.ok ? read.value : []
  if (!leaf) return `Issuer returned an invalid certificate: failed to decode: ${said(read.ok ? [] : read.error)}`
  if (!isSameKey(leaf.spki, spki)) {
    return 'Issuer returned a certificate with a public key that does not match the CSR. This usually indicates a misconfigured issuer.'
  }
  if (leaf.notAfterMs < nowMs) {
    return `Issuer returned an already expired certificate (notAfter: ${formatTime(leaf.notAfterMs)}). This usually indicates an expired CA certificate in the issuer.`
  }
  return leaf
}

const waiting = ({ steps, retry }: { readonly steps: readonly Step[]; readonly retry?: string }): Plan => ({
  steps,
  ...(retry === undefined ? {} : { retry }),
})

const encodingOf = ({ privateKey }: CertificateSpec): 'PKCS1' | 'PKCS8' => privateKey?.encoding ?? 'PKCS1'

function failed(seen: Observed, status: CertificateStatus, condition: Condition): Plan {
  const { certificate, nowMs } = seen
  const reason = condition.reason ?? 'Failed'
  const message = `The certificate request has failed to complete and will be retried: ${condition.message ?? ''}`
  const counted = {
    ...status,
    lastFailureTime: formatTime(nowMs),
    failedIssuanceAttempts: (status.failedIssuanceAttempts ?? 0) + 1,
  }
  const next = withIssuing(counted, certificate, 'False', { reason, message }, nowMs)
  return {
    steps: [{ do: 'set-status', status: next, because: message, note: { type: 'Warning', reason, message } }],
  }
}

/** A certificate of its own for the time until the real one is there, where the Certificate asks for it. */
function temporary(seen: Observed, key: string): Plan {
  const { certificate, secret } = seen
  const isAsked = annotationOf(certificate, annotation.temporary) === 'true'
  if (!isAsked || !firstFinding(keyPairChecks, seen)) return { steps: [] }
  const type = secret?.['type']
  return {
    steps: [
      {
        do: 'write-temporary',
        material: { key },
        ...(typeof type === 'string' ? { type } : {}),
        because: `${annotation.temporary} is set, and the Secret has no key pair`,
        note: { type: 'Normal', reason: 'Issuing', message: 'Issued temporary certificate' },
      },
    ],
  }
}
