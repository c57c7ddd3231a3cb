import { isTrue } from '../../kube/condition.ts'
import { parseTime } from '../../kube/time.ts'
import { annotation, annotationOf, type CertificateStatus } from '../objects.ts'
import { backoffMs } from './backoff.ts'
import { firstFinding, issuanceChecks, leafOf } from './checks.ts'
import { planIssuance } from './plan-issuance.ts'
import { revisionOf } from './revision.ts'
import { secretFinding } from './secret-checks.ts'
import { statusStep, withIssuing, without, withReadiness } from './status.ts'
import type { Observed, Plan, Step } from './step.ts'
import { rewriteSecret } from './write-secret.ts'

const DUPLICATE_CHECK_MS = 180_000
/** What is done next for a Certificate, with the reason of each step. */
export function planCertificate(seen: Observed): Plan {
  const { certificate } = seen
  if (certificate.metadata.deletionTimestamp !== undefined) return { steps: [] }
  const ready = withReadiness(seen, certificate.status ?? {})
  if (isTrue(ready.conditions, 'Issuing')) return planIssuance(seen, ready)
  const tidy = [...deleteKeySecrets(seen), ...deleteOldRequests(seen, ready)]
  const rest: CertificateStatus = without(ready, 'nextPrivateKeySecretName')
  const rewritten = rewriteOf(seen)
  const trigger = triggerOf(seen, rest)
  if (trigger.do === 'issue') {
    const issuing = withIssuing(rest, certificate, 'True', trigger.finding, seen.nowMs)
    const plan = planIssuance({ ...seen, keySecrets: [] }, issuing)
    const note = { type: 'Normal', reason: 'Issuing', message: trigger.finding.message } as const
    return { ...plan, steps: [...tidy, ...plan.steps.map((step, at) => (at === 0 ? { ...step, note } : step))] }
  }
  return {
    steps: [...statusStep(certificate, rest), ...rewritten.steps, ...tidy],
    ...(rewritten.retry === undefined ? {} : { retry: rewritten.retry }),
    ...soonest([...trigger.waits, ...expiryWaits(seen)]),
  }
}

type Wait = { readonly afterMs: number; readonly because: string }

type Trigger =
  | { readonly do: 'issue'; readonly finding: { readonly reason: string; readonly message: string } }
  | { readonly do: 'wait'; readonly waits: readonly Wait[] }

/** Whether issuance begins now, and if not, when to look again. */
function triggerOf(seen: Observed, status: CertificateStatus): Trigger {
  const { certificate, nowMs } = seen
  if (!ownsSecret(seen)) {
    return {
      do: 'wait',
      waits: [{ afterMs: DUPLICATE_CHECK_MS, because: 'another Certificate names the same Secret' }],
    }
  }
  const nextRequest = seen.requests.find((request) => revisionOf(request) === (status.revision ?? 0) + 1)
  const afterMs = backoffMs(certificate, nextRequest, nowMs)
  if (afterMs > 0)
    return { do: 'wait', waits: [{ afterMs, because: 'issuance failed before and is tried again later' }] }
  const finding = firstFinding(issuanceChecks, { ...seen, certificate: { ...certificate, status } })
  if (finding) return { do: 'issue', finding }
  const due = status.renewalTime === undefined ? undefined : parseTime(status.renewalTime)
  return {
    do: 'wait',
    waits: due === undefined ? [] : [{ afterMs: Math.max(due - nowMs, 1_000), because: 'it is renewed then' }],
  }
}

/** Of Certificates that name the same Secret, the one that it was issued for has it, else the oldest. */
function ownsSecret({ certificate, sharers, secret }: Observed): boolean {
  const [oldest] = sharers.toSorted((a, b) => {
    const [first, second] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
    if (first !== second) return first < second ? -1 : 1
    return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
  })
  const noted = secret && annotationOf(secret, annotation.certificateName)
  const owner = sharers.find(({ metadata }) => noted !== undefined && metadata.name === noted) ?? oldest
  return owner === undefined || owner.metadata.name === certificate.metadata.name
}

function rewriteOf(seen: Observed): { readonly steps: readonly Step[]; readonly retry?: string } {
  const { secret } = seen
  const leaf = leafOf(secret)
  if (!secret || !leaf.ok || !ownsSecret(seen)) return { steps: [] }
  const finding = secretFinding(seen)
  return finding ? rewriteSecret(seen, secret, leaf.value, finding.message) : { steps: [] }
}

function deleteKeySecrets({ keySecrets }: Observed): readonly Step[] {
  return keySecrets.map(({ metadata }) => ({
    do: 'delete-secret',
    name: metadata.name ?? '',
    because: 'no issuance is under way that its key is for',
  }))
}

/** Requests beyond those that are kept, the oldest first; only while the Certificate is ready. */
function deleteOldRequests({ certificate, requests }: Observed, status: CertificateStatus): readonly Step[] {
  const kept = certificate.spec.revisionHistoryLimit ?? 1
  if (!isTrue(status.conditions, 'Ready') || requests.length <= kept) return []
  const dated = requests
    .flatMap((request) => {
      const revision = revisionOf(request)
      return revision === undefined ? [] : [{ name: request.metadata.name ?? '', revision }]
    })
    .toSorted((a, b) => a.revision - b.revision)
  return dated
    .slice(0, Math.max(dated.length - kept, 0))
    .map(({ name }) => ({ do: 'delete-request', name, because: `revisionHistoryLimit keeps ${kept}` }))
}

function expiryWaits({ secret, nowMs }: Observed): readonly Wait[] {
  const leaf = leafOf(secret)
  if (!leaf.ok || leaf.value.notAfterMs < nowMs) return []
  return [{ afterMs: leaf.value.notAfterMs + 1_000 - nowMs, because: 'it expires then' }]
}

function soonest(waits: readonly Wait[]): Pick<Plan, 'again'> {
  const [first] = waits.toSorted((a, b) => a.afterMs - b.afterMs)
  return first ? { again: first } : {}
}
