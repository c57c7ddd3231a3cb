import type { Toleration } from '../../kube/pod.ts'
import { parseTime } from '../../kube/time.ts'
import type { NodeTaint } from '../node-lifecycle/plan.ts'
import { tolerates } from '../scheduler/filters.ts'

// Semantics: kubernetes 1.33, pkg/controller/tainteviction/taint_eviction.go.

/** What a node's taints mean for a Pod on it. */
export type EvictionPlan =
  | { readonly do: 'stay'; readonly because: string }
  | { readonly do: 'wait'; readonly againAfterMs: number; readonly because: string }
  | { readonly do: 'evict'; readonly because: string }

export interface Observed {
  readonly taints: readonly NodeTaint[]
  readonly tolerations: readonly Toleration[]
  /** When the Pod was first seen under its taints. */
  readonly sinceMs: number
  readonly nowMs: number
}

/** A Pod goes when it does not tolerate a taint, and when the shortest of its tolerations has run out. */
export function planEviction({ taints, tolerations, sinceMs, nowMs }: Observed): EvictionPlan {
  const evicting = taints.filter(({ effect }) => effect === 'NoExecute')
  if (evicting.length === 0) return { do: 'stay', because: 'nothing sends it away' }
  const used: Toleration[] = []
  for (const taint of evicting) {
    const fitting = tolerations.filter((toleration) => tolerates(toleration, taint))
    if (fitting.length === 0) return { do: 'evict', because: `it does not tolerate ${taint.key}` }
    used.push(...fitting)
  }
  const limits = used.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? [])
  if (limits.length === 0) return { do: 'stay', because: 'it tolerates the taints for ever' }
  const leftMs = sinceMs + Math.max(0, Math.min(...limits)) * 1_000 - nowMs
  if (leftMs <= 0) return { do: 'evict', because: 'its toleration has run out' }
  return { do: 'wait', againAfterMs: leftMs, because: 'it tolerates the taints for a while' }
}

/** From when a Pod's tolerations count: from its taints, but not from before anybody looked. */
export function sinceOf(taints: readonly NodeTaint[], firstSeenMs: number): number {
  const added = taints
    .filter(({ effect }) => effect === 'NoExecute')
    .map(({ timeAdded }) => parseTime(timeAdded ?? '') ?? firstSeenMs)
  return Math.max(firstSeenMs, ...added)
}
