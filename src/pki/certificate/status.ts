import { type Condition, conditionOf, setCondition, withoutCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import { isEqual } from '../../lib/json.ts'
import type { Certificate, CertificateStatus } from '../objects.ts'
import { firstFinding, leafOf, readinessChecks } from './checks.ts'
import { renewalTime } from './renewal-time.ts'
import type { Observed, Step } from './step.ts'

/** The status with what the Secret says of it: whether it is ready, and from when until when it holds. */
export function withReadiness(seen: Observed, status: CertificateStatus): CertificateStatus {
  const { certificate, nowMs, secret } = seen
  const finding = firstFinding(readinessChecks, seen)
  const ready: Condition = finding
    ? { type: 'Ready', status: 'False', ...finding }
    : { type: 'Ready', status: 'True', reason: 'Ready', message: 'Certificate is up to date and has not expired' }
  const conditions = setCondition(status.conditions, observed(ready, certificate), nowMs)
  const leaf = leafOf(secret)
  const bare = without(status, 'notBefore', 'notAfter', 'renewalTime')
  if (!leaf.ok) return { ...bare, conditions }
  const due = renewalTime(leaf.value, certificate.spec)
  const notReady = { type: 'Ready', status: 'False', reason: 'WindowError' } as const
  return {
    ...bare,
    conditions: due.ok
      ? conditions
      : setCondition(
          conditions,
          observed(
            { ...notReady, message: `Could not calculate renewal time: ${due.error[0]?.message ?? ''}` },
            certificate,
          ),
          nowMs,
        ),
    notBefore: formatTime(leaf.value.notBeforeMs),
    notAfter: formatTime(leaf.value.notAfterMs),
    ...(due.ok && due.value !== undefined ? { renewalTime: formatTime(due.value) } : {}),
  }
}

const observed = (condition: Condition, { metadata }: KubeObject): Condition =>
  metadata.generation === undefined ? condition : { ...condition, observedGeneration: metadata.generation }

/** The status with the Issuing condition set. */
export function withIssuing(
  status: CertificateStatus,
  certificate: Certificate,
  is: 'True' | 'False',
  { reason, message }: { readonly reason: string; readonly message: string },
  nowMs: number,
): CertificateStatus {
  const condition = observed({ type: 'Issuing', status: is, reason, message }, certificate)
  return { ...status, conditions: setCondition(status.conditions, condition, nowMs) }
}

/** The status of a Certificate that has just been issued. */
export function issuedStatus(seen: Observed, status: CertificateStatus, revision: number): CertificateStatus {
  const rest = without(status, 'failedIssuanceAttempts', 'lastFailureTime', 'nextPrivateKeySecretName')
  const next = { ...rest, revision, conditions: withoutCondition(rest.conditions, 'Issuing') }
  return withReadiness(seen, next)
}

/** An object without some of its fields. */
export function without<T extends object, K extends keyof T>(object: T, ...names: readonly K[]): Omit<T, K> {
  const left = { ...object }
  for (const name of names) delete left[name]
  return left
}

/** Writes a status where it differs from what is there. */
export const statusStep = ({ status = {} }: Certificate, next: CertificateStatus): readonly Step[] =>
  isEqual(status, next) ? [] : [{ do: 'set-status', status: next, because: becauseOf(next) }]

const becauseOf = ({ conditions }: CertificateStatus): string =>
  conditionOf(conditions, 'Issuing')?.message ?? conditionOf(conditions, 'Ready')?.message ?? ''
