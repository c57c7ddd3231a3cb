import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import type { Problem, Result } from '../../lib/result.ts'
import { materialOf } from '../key-pair.ts'
import {
  annotation,
  annotationOf,
  type Certificate,
  type CertificateRequest,
  hasValue,
  issuerGroup,
  issuerKind,
} from '../objects.ts'
import type { ReadCertificate } from '../x509/certificate.ts'
import { isSameKey, keyViolations, publicKeyBytes } from '../x509/keys.ts'
import { certificateViolations, requestOf, requestViolations } from './matches.ts'
import { renewalTime } from './renewal-time.ts'
import { wantedKey } from './wanted.ts'

/** What the checks look at. */
export interface CheckInput {
  readonly certificate: Certificate
  readonly secret?: KubeObject
  /** The request that the current revision came from, where it is still there. */
  readonly currentRequest?: CertificateRequest
  readonly nowMs: number
}

/** Why a certificate is not as it should be, in the words of cert-manager. */
export interface Finding {
  readonly reason: string
  readonly message: string
}

/** One fact that may be found; nothing where all is well. */
export type Check = (input: CheckInput) => Finding | undefined

export const said = (problems: readonly Problem[]): string => problems.map(({ message }) => message).join('; ')

/** The first finding of a chain: later checks rely on what earlier ones made sure of. */
export function firstFinding(checks: readonly Check[], input: CheckInput): Finding | undefined {
  for (const check of checks) {
    const finding = check(input)
    if (finding) return finding
  }
  return undefined
}

const secretMissing: Check = ({ secret }) =>
  secret ? undefined : { reason: 'DoesNotExist', message: 'Issuing certificate as Secret does not exist' }

const dataMissing: Check = ({ secret }) => {
  const because = (what: string): Finding => ({
    reason: 'MissingData',
    message: `Issuing certificate as Secret does not contain ${what}`,
  })
  const data = secret?.['data']
  if (typeof data !== 'object' || data === null) return because('any data')
  if (!hasValue(secret, 'tls.key')) return because('a private key')
  return hasValue(secret, 'tls.crt') ? undefined : because('a certificate')
}

const invalidKey = (problems: readonly Problem[]): Finding => ({
  reason: 'InvalidKeyPair',
  message: `Issuing certificate as Secret contains invalid private key data: ${said(problems)}`,
})
const invalidCertificate = (problems: readonly Problem[]): Finding => ({
  reason: 'InvalidCertificate',
  message: `Issuing certificate as Secret contains an invalid certificate: ${said(problems)}`,
})
const absent: readonly Problem[] = [{ code: 'certificate-unreadable', message: 'it is empty' }]

/** The certificate of the Secret: the first one. */
export function leafOf(secret: KubeObject | undefined): Result<ReadCertificate> {
  const read = secret && materialOf(secret).certificates
  const [leaf] = read?.ok ? read.value : []
  return leaf ? { ok: true, value: leaf } : { ok: false, error: read && !read.ok ? read.error : absent }
}

const keysDiffer: Check = ({ secret }) => {
  const key = secret && materialOf(secret).key
  if (!key?.ok) return invalidKey(key?.error ?? absent)
  const leaf = leafOf(secret)
  if (!leaf.ok) return invalidCertificate(leaf.error)
  return isSameKey(leaf.value.spki, publicKeyBytes(key.value))
    ? undefined
    : {
        reason: 'InvalidKeyPair',
        message: 'Issuing certificate as Secret contains a private key that does not match the certificate',
      }
}

const issuerChanged: Check = ({ secret, certificate }) => {
  const name = secret && annotationOf(secret, annotation.issuerName)
  const kind = (secret && annotationOf(secret, annotation.issuerKind)) ?? ''
  const group = (secret && annotationOf(secret, annotation.issuerGroup)) ?? ''
  const isNoted = name !== undefined || kind !== '' || group !== ''
  const ref = certificate.spec.issuerRef
  const isSame =
    (!isNoted || name === ref.name) &&
    issuerKind({ kind }) === issuerKind(ref) &&
    issuerGroup({ group }) === issuerGroup(ref)
  if (isSame) return undefined
  const before = `${issuerKind({ kind })}.${issuerGroup({ group })}/${name ?? ''}`
  return {
    reason: 'IncorrectIssuer',
    message: `Issuing certificate as Secret was previously issued by ${JSON.stringify(before)}`,
  }
}

const ofAnotherCertificate: Check = ({ secret, certificate }) => {
  const name = secret && annotationOf(secret, annotation.certificateName)
  if (name === undefined || name === certificate.metadata.name) return undefined
  return {
    reason: 'IncorrectCertificate',
    message: `Secret was issued for ${JSON.stringify(name)}. If this message is not transient, you might have two conflicting Certificates pointing to the same secret.`,
  }
}

const keyNotAsWanted: Check = ({ secret, certificate }) => {
  const key = secret && materialOf(secret).key
  if (!key?.ok) return invalidKey(key?.error ?? absent)
  const violations = keyViolations(key.value, wantedKey(certificate.spec))
  if (violations.length === 0) return undefined
  return {
    reason: 'SecretMismatch',
    message: `Existing private key is not up to date for spec: [${violations.join(' ')}]`,
  }
}

const keyNotOfRequest: Check = ({ secret, currentRequest }) => {
  if (!currentRequest) return undefined
  const key = secret && materialOf(secret).key
  if (!key?.ok) return invalidKey(key?.error ?? absent)
  const request = requestOf(currentRequest)
  if (!request.ok) {
    return {
      reason: 'InvalidCertificateRequest',
      message: `Failed to decode current CertificateRequest: ${said(request.error)}`,
    }
  }
  return isSameKey(request.value.spki, publicKeyBytes(key.value))
    ? undefined
    : {
        reason: 'SecretMismatch',
        message: 'Secret contains a private key that does not match the current CertificateRequest',
      }
}

const specChanged: Check = ({ secret, certificate, currentRequest }) => {
  if (currentRequest) {
    const violations = requestViolations(currentRequest, certificate.spec)
    // One that cannot be read says nothing against the certificate that is there.
    if (!violations.ok || violations.value.length === 0) return undefined
    return {
      reason: 'RequestChanged',
      message: `Fields on existing CertificateRequest resource not up to date: [${violations.value.join(' ')}]`,
    }
  }
  const leaf = leafOf(secret)
  if (!leaf.ok) return invalidCertificate(leaf.error)
  const violations = certificateViolations(leaf.value, certificate.spec)
  if (violations.length === 0) return undefined
  return {
    reason: 'SecretMismatch',
    message: `Issuing certificate as Existing issued Secret is not up to date for spec: [${violations.join(' ')}]`,
  }
}

const nearExpiry: Check = ({ secret, certificate, nowMs }) => {
  const leaf = leafOf(secret)
  if (!leaf.ok) return invalidCertificate(leaf.error)
  const due = renewalTime(leaf.value, certificate.spec)
  const scheduled = certificate.status?.renewalTime ?? (due.ok && due.value ? formatTime(due.value) : 'never')
  if (!due.ok) {
    const wouldBe = renewalTime(leaf.value, { ...certificate.spec, renewal: {} })
    if (wouldBe.ok && wouldBe.value !== undefined && wouldBe.value > nowMs) return undefined
    return { reason: 'Renewing', message: `Renewing certificate without satisfying renewal windows at: ${scheduled}` }
  }
  if (due.value === undefined || due.value > nowMs) return undefined
  return { reason: 'Renewing', message: `Renewing certificate as renewal was scheduled at ${scheduled}` }
}

const expired: Check = ({ secret, nowMs }) => {
  const leaf = leafOf(secret)
  if (!leaf.ok) return invalidCertificate(leaf.error)
  if (nowMs <= leaf.value.notAfterMs) return undefined
  const on = new Date(leaf.value.notAfterMs).toUTCString().replace('GMT', 'UTC')
  return { reason: 'Expired', message: `Certificate expired on ${on}` }
}

/** Whether what a Secret holds is a key with its certificate; nothing is compared with what is wanted. */
export const keyPairChecks: readonly Check[] = [secretMissing, dataMissing, keysDiffer]

const alikeChecks: readonly Check[] = [
  ...keyPairChecks,
  issuerChanged,
  ofAnotherCertificate,
  keyNotAsWanted,
  keyNotOfRequest,
  specChanged,
]

/** When a certificate is issued anew: the first finding says why. */
export const issuanceChecks: readonly Check[] = [...alikeChecks, nearExpiry]

/** When a certificate is not ready to be used. */
export const readinessChecks: readonly Check[] = [...alikeChecks, expired]
