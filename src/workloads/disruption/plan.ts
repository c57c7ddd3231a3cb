import { type Condition, isTrue, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isFinished } from '../../kube/pod.ts'
import { parseTime } from '../../kube/time.ts'
import { isEqual } from '../../lib/json.ts'

/** How long an eviction may take to show before the Pod counts as staying after all. */
const EVICTION_SHOWS_MS = 120_000

export interface BudgetSpec {
  readonly minAvailable?: number | string
  readonly maxUnavailable?: number | string
}

export interface Observed {
  readonly budget: KubeObject
  /** The Pods that it selects. */
  readonly pods: readonly KubeObject[]
  /** How many Pods their owners want, or why that cannot be known. */
  readonly wanted:
    | { readonly ok: true; readonly count: number }
    | { readonly ok: false; readonly because: string }
    | undefined
  readonly nowMs: number
}

export interface Plan {
  readonly status: Readonly<Record<string, unknown>>
  readonly isChanged: boolean
  /** When an eviction that has not shown has to be forgotten. */
  readonly againAfterMs?: number
}

/** Whether it matters how many Pods the owners want: with a number that must be available it does not. */
export const needsWanted = ({ minAvailable, maxUnavailable }: BudgetSpec): boolean =>
  maxUnavailable !== undefined || typeof minAvailable === 'string'

/** Decides what the status of a budget says: how many Pods may be disrupted now. */
export function planBudget({ budget, pods, wanted, nowMs }: Observed): Plan {
  const spec = (budget['spec'] ?? {}) as BudgetSpec
  const before = (budget['status'] ?? {}) as {
    readonly conditions?: readonly Condition[]
    readonly disruptedPods?: Readonly<Record<string, string>>
  }
  const disrupted = new Map(
    Object.entries(before.disruptedPods ?? {}).filter(([name, at]) => {
      const pod = pods.find(({ metadata }) => metadata.name === name)
      return pod && pod.metadata.deletionTimestamp === undefined && (parseTime(at) ?? 0) + EVICTION_SHOWS_MS > nowMs
    }),
  )
  const generation = budget.metadata.generation ?? 0
  const said = (counts: object, condition: Condition): Plan => {
    const status = {
      ...before,
      ...counts,
      observedGeneration: generation,
      conditions: setCondition(before.conditions, { ...condition, observedGeneration: generation }, nowMs),
      ...(disrupted.size > 0 || before.disruptedPods ? { disruptedPods: Object.fromEntries(disrupted) } : {}),
    }
    const soonest = Math.min(
      ...[...disrupted.values()].map((at) => (parseTime(at) ?? nowMs) + EVICTION_SHOWS_MS - nowMs),
    )
    return {
      status,
      isChanged: !isEqual(status, before),
      ...(disrupted.size > 0 ? { againAfterMs: Math.max(soonest, 1) } : {}),
    }
  }
  if (needsWanted(spec) && wanted && !wanted.ok) {
    const condition: Condition = {
      type: 'DisruptionAllowed',
      status: 'False',
      reason: 'SyncFailed',
      message: wanted.because,
    }
    // Where nothing is known nothing may be disrupted.
    return said({ disruptionsAllowed: 0 }, condition)
  }
  const expectedPods = needsWanted(spec) && wanted?.ok ? wanted.count : pods.length
  const desiredHealthy = desired(spec, expectedPods)
  const currentHealthy = pods.filter((pod) => isHealthy(pod) && !disrupted.has(pod.metadata.name ?? '')).length
  const disruptionsAllowed = expectedPods > 0 ? Math.max(currentHealthy - desiredHealthy, 0) : 0
  return said(
    { expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed },
    disruptionsAllowed > 0
      ? { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', message: '' }
      : { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '' },
  )
}

function desired({ minAvailable, maxUnavailable }: BudgetSpec, expected: number): number {
  if (maxUnavailable !== undefined) return Math.max(expected - share(maxUnavailable, expected), 0)
  return minAvailable === undefined ? 0 : share(minAvailable, expected)
}

/** A number, or a percentage rounded up. */
function share(value: number | string, of: number): number {
  if (typeof value === 'number') return value
  const percent = /^(\d+)%$/.exec(value)
  return percent ? Math.ceil((Number(percent[1]) * of) / 100) : 0
}

function isHealthy(pod: KubeObject): boolean {
  const { conditions } = (pod['status'] ?? {}) as { readonly conditions?: readonly Condition[] }
  return pod.metadata.deletionTimestamp === undefined && !isFinished(pod) && isTrue(conditions, 'Ready')
}
