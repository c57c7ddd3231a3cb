import { conditionOf, isTrue } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import { backoffMs } from '../certificate/backoff.ts'
import { firstFinding, issuanceChecks, leafOf } from '../certificate/checks.ts'
import { revisionOf } from '../certificate/revision.ts'
import { readAuthority } from '../issuer/authority.ts'
import { type Certificate, type CertificateRequest, GROUP, type Issuer, issuerGroup, issuerKind } from '../objects.ts'
import { isSignedBy } from '../x509/certificate.ts'

/** All that an explanation of a Certificate looks at. */
export interface Known {
  readonly certificate: Certificate
  readonly secret?: KubeObject
  readonly issuer?: Issuer
  /** The Secret of the issuer's authority. */
  readonly authority?: KubeObject
  readonly requests: readonly CertificateRequest[]
  readonly nowMs: number
}

/** One thing that is so, and what can be done about it. */
export interface Remark {
  readonly about: string
  readonly text: string
  readonly next?: string
}

/** Why a Certificate is as it is: from what a user sees down to what it depends on. */
export function explainWhy(known: Known): readonly Remark[] {
  return [...readiness(known), ...issuance(known), ...ofIssuer(known), ...ofRequest(known), ...ofChain(known)]
}

function readiness({ certificate, secret, nowMs }: Known): readonly Remark[] {
  const ready = conditionOf(certificate.status?.conditions, 'Ready')
  const leaf = leafOf(secret)
  if (!ready)
    return [{ about: 'ready', text: 'nobody has looked at it yet', next: 'is the capability "certificates" running?' }]
  const until = leaf.ok
    ? `, valid until ${formatTime(leaf.value.notAfterMs)}${inDays(leaf.value.notAfterMs - nowMs)}`
    : ''
  const { renewalTime } = certificate.status ?? {}
  const renewal = renewalTime === undefined ? '' : `, renewed at ${renewalTime}`
  return [
    ready.status === 'True'
      ? { about: 'ready', text: `yes: Secret ${certificate.spec.secretName}${until}${renewal}` }
      : { about: 'ready', text: `no: ${ready.message ?? ''} (${ready.reason ?? ''})` },
  ]
}

const inDays = (ms: number): string => ` (${Math.floor(ms / 86_400_000)} days)`

function issuance(known: Known): readonly Remark[] {
  const { certificate, requests, nowMs } = known
  const { conditions, failedIssuanceAttempts: failures = 0, revision = 0 } = certificate.status ?? {}
  const issuing = conditionOf(conditions, 'Issuing')
  if (isTrue(conditions, 'Issuing')) {
    return [
      { about: 'issuance', text: `under way since ${issuing?.lastTransitionTime ?? ''}: ${issuing?.message ?? ''}` },
    ]
  }
  const current = requests.find((request) => revisionOf(request) === revision)
  const finding = firstFinding(issuanceChecks, { ...known, ...(current ? { currentRequest: current } : {}) })
  if (!finding) return []
  const next = requests.find((request) => revisionOf(request) === revision + 1)
  const waitMs = backoffMs(certificate, next, nowMs)
  if (waitMs === 0) return [{ about: 'issuance', text: `due: ${finding.message} (${finding.reason})` }]
  return [
    {
      about: 'issuance',
      text: `failed ${failures} times, tried again in ${Math.ceil(waitMs / 60_000)} minutes: ${issuing?.message ?? ''}`,
      next: `idp pki renew ${certificate.metadata.name ?? ''} tries it now`,
    },
  ]
}

function ofIssuer({ certificate, issuer, nowMs, authority }: Known): readonly Remark[] {
  const ref = certificate.spec.issuerRef
  const name = `${issuerKind(ref)}/${ref.name}`
  if (issuerGroup(ref) !== GROUP) {
    return [{ about: 'issuer', text: `${name} is of ${issuerGroup(ref)}, which another controller serves` }]
  }
  if (!issuer) {
    const where = issuerKind(ref) === 'Issuer' ? ` in namespace ${certificate.metadata.namespace ?? ''}` : ''
    return [{ about: 'issuer', text: `there is no ${name}${where}`, next: 'create it, or correct spec.issuerRef' }]
  }
  const ready = conditionOf(issuer.status?.conditions, 'Ready')
  if (ready?.status !== 'True') {
    return [{ about: 'issuer', text: `${name} is not ready: ${ready?.message ?? 'nobody has looked at it yet'}` }]
  }
  const read = authority && readAuthority(authority)
  const [signing] = read?.ok ? read.value.certificates : []
  const until = signing
    ? `, its authority is valid until ${formatTime(signing.notAfterMs)}${inDays(signing.notAfterMs - nowMs)}`
    : ''
  return [{ about: 'issuer', text: `${name} is ready${until}` }]
}

function ofRequest({ certificate, requests }: Known): readonly Remark[] {
  const next = (certificate.status?.revision ?? 0) + 1
  const request = requests.find((each) => revisionOf(each) === next)
  if (!request) return []
  const name = request.metadata.name ?? ''
  const { conditions } = request.status ?? {}
  const denied = conditionOf(conditions, 'Denied')
  if (denied) return [{ about: 'request', text: `${name} was denied: ${denied.message ?? ''}` }]
  if (!isTrue(conditions, 'Approved')) {
    return [{ about: 'request', text: `${name} waits for somebody to approve it` }]
  }
  const ready = conditionOf(conditions, 'Ready')
  return [
    {
      about: 'request',
      text: `${name}: ${ready ? `${ready.message ?? ''} (${ready.reason ?? ''})` : 'approved, not signed yet'}`,
    },
  ]
}

/** Whether the certificate would still be signed by the authority that its issuer has now. */
function ofChain({ certificate, secret, authority }: Known): readonly Remark[] {
  const leaf = leafOf(secret)
  const read = authority && readAuthority(authority)
  const [signing] = read?.ok ? read.value.certificates : []
  if (!leaf.ok || !signing) return []
  const next = `idp pki renew ${certificate.metadata.name ?? ''} gives it a certificate of the new authority`
  if (!isSignedBy(leaf.value, signing)) {
    return [{ about: 'chain', text: 'the authority of the issuer has a new key since it was issued', next }]
  }
  if (leaf.value.notAfterMs > signing.notAfterMs) {
    const text = `it is valid for longer than the authority above it, which expires at ${formatTime(signing.notAfterMs)}`
    return [{ about: 'chain', text, next: 'give the authority a longer duration, or this Certificate a shorter one' }]
  }
  return [{ about: 'chain', text: 'the authority of the issuer has signed it' }]
}
