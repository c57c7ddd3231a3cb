import { type Condition, conditionOf, setCondition } from '../../../kube/condition.ts'
import type { Target } from '../../../kube/client.ts'
import { formatTime } from '../../../kube/time.ts'
import { isEqual } from '../../../lib/json.ts'
import { ExternalSecretKind } from '../kinds.ts'
import type { ExternalSecret } from '../spec/external-secret.ts'
import { versionOf } from './hashes.ts'

/** What a turn came to. */
export type Outcome =
  | {
      readonly ok: true
      readonly reason: 'SecretSynced' | 'SecretDeleted' | 'SecretMissing'
      readonly message: string
      readonly binding?: string
    }
  | { readonly ok: false; readonly message: string; readonly binding?: string }

const LONGEST = 1_500

/** The Ready condition that tells of an outcome. */
export const readyCondition = (outcome: Outcome): Condition => ({
  type: 'Ready',
  status: outcome.ok ? 'True' : 'False',
  reason: outcome.ok ? outcome.reason : 'SecretSyncedError',
  message: outcome.message.length > LONGEST ? `${outcome.message.slice(0, LONGEST)}...` : outcome.message,
})

/** The status after a turn, as a merge patch; undefined where it says so already. A failure leaves when it was last refreshed. */
export function statusAfter(
  secret: ExternalSecret,
  outcome: Outcome,
  nowMs: number,
): Readonly<Record<string, unknown>> | undefined {
  const { status } = secret.parsed
  const conditions = setCondition(status.conditions, readyCondition(outcome), nowMs)
  const done = outcome.ok ? { refreshTime: formatTime(nowMs), syncedResourceVersion: versionOf(secret.metadata) } : {}
  const binding =
    outcome.binding === undefined || outcome.binding === status.binding ? {} : { binding: { name: outcome.binding } }
  const isSame = conditions === status.conditions
  const patch = { ...(isSame ? {} : { conditions }), ...done, ...binding }
  const before = { refreshTime: status.refreshTime, syncedResourceVersion: status.syncedResourceVersion }
  return Object.keys(patch).length === 0 || (isSame && isEqual(patch, before)) ? undefined : patch
}

/** Whether the condition says already what an outcome would. */
export function saysSo(secret: ExternalSecret, outcome: Outcome): boolean {
  const before = conditionOf(secret.parsed.status.conditions, 'Ready')
  const after = readyCondition(outcome)
  return before?.status === after.status && before.reason === after.reason && before.message === after.message
}

/** Where the status of an ExternalSecret is written. */
export const statusTarget = ({ metadata }: ExternalSecret): Target => ({
  resource: ExternalSecretKind,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  subresource: 'status',
})
