import { type Condition, conditionOf, isTrue, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import { isEqual } from '../../lib/json.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import {
  annotation,
  annotationOf,
  type CertificateRequest,
  GROUP,
  type Issuer,
  issuerGroup,
  issuerKind,
  type RequestStatus,
  secretsOf,
} from '../objects.ts'
import { signerNames } from '../signer-names.ts'
import { issuerType } from '../issuer/issuer-type.ts'
import { planCaSigning } from './ca.ts'
import { planSelfSigning } from './self-signed.ts'
import type { SigningPlan } from './signing.ts'

/** All that is known of a CertificateRequest when it is decided what to do. */
export interface Observed {
  readonly request: CertificateRequest
  readonly issuer?: Issuer
  /** The Secret of the authority that an issuer names, or that holds the key of a certificate that signs itself. */
  readonly secret?: KubeObject
  /** Which requests are approved without being asked, such as `issuers.cert-manager.io/*`. */
  readonly approves: readonly string[]
  readonly nowMs: number
}

export type Plan = { readonly because: string } & (
  | { readonly do: 'nothing' }
  | { readonly do: 'note'; readonly note: EventNote }
  | { readonly do: 'set-status'; readonly status: RequestStatus; readonly note?: EventNote }
  | { readonly do: 'sign'; readonly signing: Extract<SigningPlan, { readonly do: 'sign' }> }
  | { readonly do: 'ask-vault'; readonly issuer: Issuer }
)

const nothing = (because: string): Plan => ({ do: 'nothing', because })

const APPROVED = 'Certificate request has been approved by cert-manager.io'

/** One fact that decides about a request; nothing where the next one has to. */
type Check = (seen: Observed) => Plan | undefined

const beingDeleted: Check = ({ request }) =>
  request.metadata.deletionTimestamp === undefined ? undefined : nothing('it is being deleted')

const wasDenied: Check = (seen) => (isTrue(seen.request.status?.conditions, 'Denied') ? denied(seen) : undefined)

const isDecided: Check = ({ request }) => {
  const reason = conditionOf(request.status?.conditions, 'Ready')?.reason
  return reason === 'Failed' || reason === 'Issued' ? nothing(`it is ${reason}`) : undefined
}

const isInvalid: Check = ({ request }) =>
  isTrue(request.status?.conditions, 'InvalidRequest') ? nothing('it is invalid') : undefined

const notApproved: Check = (seen) => (isTrue(seen.request.status?.conditions, 'Approved') ? undefined : approval(seen))

const ofAnotherSigner: Check = ({ request }) =>
  issuerGroup(request.spec.issuerRef) === GROUP ? undefined : nothing('another controller signs for its issuer')

const hasCertificate: Check = ({ request }) =>
  request.status?.certificate ? nothing('it has its certificate') : undefined

const issuerMissing: Check = ({ request, issuer, nowMs }) => {
  if (issuer) return undefined
  const kind = issuerKind(request.spec.issuerRef)
  const known = `${kind.toLowerCase()}.${GROUP} ${JSON.stringify(request.spec.issuerRef.name)} not found`
  return pending(request, 'IssuerNotFound', `Referenced ${JSON.stringify(kind)} not found: ${known}`, nowMs)
}

const issuerWithoutType: Check = ({ request, issuer, nowMs }) =>
  issuer && issuerType(issuer.spec) === undefined
    ? pending(request, 'IssuerTypeMissing', 'Missing issuer type', nowMs)
    : undefined

const issuerNotReady: Check = ({ request, issuer, nowMs }) =>
  isTrue(issuer?.status?.conditions, 'Ready')
    ? undefined
    : pending(request, 'IssuerNotReady', 'Referenced issuer does not have a Ready status condition', nowMs)

const canBeSigned: Check = (seen) => {
  const { request, issuer, nowMs } = seen
  const type = issuer && issuerType(issuer.spec)
  if (issuer && type === 'vault') return { do: 'ask-vault', issuer, because: 'a Vault signs it' }
  if (!issuer || (type !== 'ca' && type !== 'selfSigned')) return nothing(`issuers of type ${type} do not sign here`)
  const plan = type === 'ca' ? planCaSigning(seen, issuer) : planSelfSigning(seen, issuer)
  if (plan.do === 'sign') return { do: 'sign', signing: plan, because: 'its issuer is ready' }
  const tell = plan.do === 'pending' ? pending : failed
  return tell(request, plan.reason, plan.message, nowMs)
}

/** In this order; the first that answers decides. */
const checks: readonly Check[] = [
  beingDeleted,
  wasDenied,
  isDecided,
  isInvalid,
  notApproved,
  ofAnotherSigner,
  hasCertificate,
  issuerMissing,
  issuerWithoutType,
  issuerNotReady,
  canBeSigned,
]

/** What is done next for a request: approved, signed, or told why it cannot be signed. */
export function planRequest(seen: Observed): Plan {
  for (const check of checks) {
    const plan = check(seen)
    if (plan) return plan
  }
  return nothing('nothing is left to do')
}

function approval({ request, approves, nowMs }: Observed): Plan {
  const names = signerNames(request)
  if (!names.some((name) => approves.includes(name))) {
    const message = 'Not signing CertificateRequest until it is Approved'
    return { do: 'note', because: message, note: { type: 'Normal', reason: 'WaitingForApproval', message } }
  }
  const condition = { type: 'Approved', status: 'True', reason: GROUP, message: APPROVED } as const
  return {
    do: 'set-status',
    status: { ...request.status, conditions: setCondition(request.status?.conditions, condition, nowMs) },
    because: `requests to ${names[0] ?? ''} are approved`,
    note: { type: 'Normal', reason: GROUP, message: APPROVED },
  }
}

function denied({ request, nowMs }: Observed): Plan {
  const message = 'The CertificateRequest was denied by an approval controller'
  const status = withReady(request, { status: 'False', reason: 'Denied', message }, nowMs, true)
  if (isEqual(status, request.status)) return nothing('it was denied')
  return { do: 'set-status', status, because: message }
}

/** The status with the Ready condition; one that failed says when, and keeps the first time. */
export function withReady(
  { status = {} }: CertificateRequest,
  ready: Omit<Condition, 'type'>,
  nowMs: number,
  hasFailed: boolean = false,
): RequestStatus {
  return {
    ...status,
    conditions: setCondition<Condition>(status.conditions, { type: 'Ready', ...ready }, nowMs),
    ...(hasFailed ? { failureTime: status.failureTime ?? formatTime(nowMs) } : {}),
  }
}

/** The request waits for something that may still come. */
export function pending(request: CertificateRequest, reason: string, message: string, nowMs: number): Plan {
  const status = withReady(request, { status: 'False', reason: 'Pending', message }, nowMs)
  if (isEqual(status, request.status)) return nothing(message)
  const wasPending = conditionOf(request.status?.conditions, 'Ready')?.reason === 'Pending'
  return {
    do: 'set-status',
    status,
    because: message,
    ...(wasPending ? {} : { note: { type: 'Normal', reason, message } }),
  }
}

/** The request will never be signed. */
export function failed(request: CertificateRequest, reason: string, message: string, nowMs: number): Plan {
  return {
    do: 'set-status',
    status: withReady(request, { status: 'False', reason: 'Failed', message }, nowMs, true),
    because: message,
    note: { type: 'Warning', reason, message },
  }
}

const FETCHED = 'Certificate fetched from issuer successfully'

/** The status of a request that was signed. */
export function signed(
  request: CertificateRequest,
  { certificate, ca }: { readonly certificate: string; readonly ca?: string },
  nowMs: number,
): Plan {
  const ready = withReady(request, { status: 'True', reason: 'Issued', message: FETCHED }, nowMs)
  const encode = (text: string): string => Buffer.from(text).toString('base64')
  return {
    do: 'set-status',
    status: { ...ready, certificate: encode(certificate), ...(ca ? { ca: encode(ca) } : {}) },
    because: FETCHED,
    note: { type: 'Normal', reason: 'CertificateIssued', message: FETCHED },
  }
}

/** The Secret that signing a request looks at, as a key of the cache. */
export function secretNeeded(request: CertificateRequest, issuer: Issuer | undefined): string | undefined {
  const type = issuer && issuerType(issuer.spec)
  if (issuer && type === 'ca') return `${secretsOf(issuer)}/${issuer.spec.ca?.secretName ?? ''}`
  const name = annotationOf(request, annotation.privateKeySecret)
  return type === 'selfSigned' && name ? `${request.metadata.namespace ?? ''}/${name}` : undefined
}
