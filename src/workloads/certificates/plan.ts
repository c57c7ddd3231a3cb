import type { RequestedCertificate } from '../../apiserver/pki/sign-request.ts'
import { type Condition, isTrue } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseTime } from '../../kube/time.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const USUAL_LIFE_MS = 365 * DAY_MS
const SHORTEST_LIFE_MS = 600_000
/** Clocks differ a little. */
const BACKDATED_MS = 300_000

/** Kept for an hour after they were decided about, for a day when nobody does. */
const DECIDED_KEPT_MS = HOUR_MS
const PENDING_KEPT_MS = DAY_MS

interface RequestSpec {
  readonly signerName?: string
  readonly usages?: readonly string[]
  readonly expirationSeconds?: number
}

interface RequestCondition extends Condition {
  readonly lastUpdateTime?: string
}

export interface Observed {
  readonly request: KubeObject
  /** What the request inside asks for; undefined until it has to be known. */
  readonly asked:
    | { readonly ok: true; readonly value: RequestedCertificate }
    | { readonly ok: false; readonly because: string }
  readonly nowMs: number
}

export type Plan =
  | { readonly do: 'nothing' }
  | {
      readonly do: 'sign'
      readonly because: string
      readonly usages: readonly string[]
      readonly notBeforeMs: number
      readonly notAfterMs: number
    }
  | { readonly do: 'fail'; readonly because: string }

type Rule = (asked: RequestedCertificate, usages: readonly string[]) => string | undefined

const only =
  (allowed: readonly string[], required: readonly string[]) =>
  (usages: readonly string[]): string | undefined => {
    const wrong = usages.find((usage) => !allowed.includes(usage))
    if (wrong !== undefined) return `the usage ${JSON.stringify(wrong)} is not allowed`
    const missing = required.find((usage) => !usages.includes(usage))
    return missing === undefined ? undefined : `the usage ${JSON.stringify(missing)} is missing`
  }

const ofClients = ['digital signature', 'key encipherment', 'client auth']
const clientUsages = only(ofClients, ['digital signature', 'client auth'])
const servingUsages = only(
  ['digital signature', 'key encipherment', 'server auth'],
  ['digital signature', 'server auth'],
)

/** What a node may call itself. */
function notANode({ commonName, organizations }: RequestedCertificate): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes') return 'the organization is not system:nodes'
  return commonName.startsWith('system:node:') && commonName.length > 'system:node:'.length
    ? undefined
    : 'the common name does not begin with system:node:'
}

const hasNames = ({ dnsNames, ipAddresses }: RequestedCertificate): boolean => dnsNames.length + ipAddresses.length > 0
const hasAddresses = ({ emails, uris }: RequestedCertificate): boolean => emails.length + uris.length > 0

/** What each signer of the cluster asks of a request; what other signers do is their business. */
const signers: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  [
    'kubernetes.io/kube-apiserver-client',
    ({ organizations }, usages) =>
      organizations.includes('system:masters')
        ? 'nobody joins system:masters by a request'
        : only(ofClients, ['client auth'])(usages),
  ],
  [
    'kubernetes.io/kube-apiserver-client-kubelet',
    (asked, usages) =>
      notANode(asked) ??
      (hasNames(asked) || hasAddresses(asked) ? 'a client of a node has no alternative names' : clientUsages(usages)),
  ],
  [
    'kubernetes.io/kubelet-serving',
    (asked, usages) =>
      notANode(asked) ??
      (!hasNames(asked)
        ? 'a node serves under at least one DNS name or address'
        : hasAddresses(asked)
          ? 'a node serves under DNS names and addresses only'
          : servingUsages(usages)),
  ],
])

const specOf = (request: KubeObject): RequestSpec => request['spec'] ?? {}
const statusOf = (
  request: KubeObject,
): { readonly certificate?: string; readonly conditions?: readonly RequestCondition[] } => request['status'] ?? {}

/** Whether a request waits for a signer of this cluster. */
export function isToBeSigned(request: KubeObject): boolean {
  const { certificate, conditions } = statusOf(request)
  const isDecided = Boolean(certificate) || isTrue(conditions, 'Denied') || isTrue(conditions, 'Failed')
  return !isDecided && isTrue(conditions, 'Approved') && signers.has(specOf(request).signerName ?? '')
}

/** Decides about an approved request: it is signed if it asks for what its signer gives. */
export function planSigning({ request, asked, nowMs }: Observed): Plan {
  if (!isToBeSigned(request)) return { do: 'nothing' }
  const { signerName = '', usages = [], expirationSeconds } = specOf(request)
  if (!asked.ok) return { do: 'fail', because: asked.because }
  const because = signers.get(signerName)?.(asked.value, usages)
  if (because !== undefined) return { do: 'fail', because: `invalid usage or subject for ${signerName}: ${because}` }
  const lifeMs =
    expirationSeconds === undefined
      ? USUAL_LIFE_MS
      : Math.min(Math.max(expirationSeconds * 1_000, SHORTEST_LIFE_MS), USUAL_LIFE_MS)
  return {
    do: 'sign',
    because: 'it was approved',
    usages,
    notBeforeMs: nowMs - BACKDATED_MS,
    notAfterMs: nowMs + lifeMs,
  }
}

/** When a request that nobody needs any more goes. */
export function planCleanup(
  request: KubeObject,
  nowMs: number,
): { readonly do: 'delete'; readonly because: string } | { readonly do: 'wait'; readonly afterMs: number } {
  const { conditions = [] } = statusOf(request)
  const decided = conditions.filter(({ type, status }) => type !== 'Approved' && status === 'True')
  const approved = conditions.filter(({ type, status }) => type === 'Approved' && status === 'True')
  const isIssued = Boolean(statusOf(request).certificate)
  const ended = decided.length > 0 ? decided : isIssued ? approved : []
  const sinceMs = Math.max(
    parseTime(request.metadata.creationTimestamp ?? '') ?? nowMs,
    ...ended.map(
      ({ lastUpdateTime, lastTransitionTime }) => parseTime(lastUpdateTime ?? lastTransitionTime ?? '') ?? 0,
    ),
  )
  const dueMs = sinceMs + (ended.length > 0 ? DECIDED_KEPT_MS : PENDING_KEPT_MS)
  if (nowMs < dueMs) return { do: 'wait', afterMs: dueMs - nowMs }
  return { do: 'delete', because: ended.length > 0 ? 'it was decided an hour ago' : 'nobody has decided for a day' }
}
