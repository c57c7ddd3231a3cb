import { type Condition, isTrue } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseTime } from '../../kube/time.ts'

/** When something goes: at once, later, or never. */
export type Plan =
  | { readonly do: 'nothing' }
  | { readonly do: 'delete'; readonly because: string }
  | { readonly do: 'wait'; readonly afterMs: number; readonly because: string }

const EVENT_LIVES_MS = 3_600_000

const timeOf = (value: unknown): number => (typeof value === 'string' ? (parseTime(value) ?? 0) : 0)

/** Decides about an Event: it goes an hour after it was told last. */
export function planEvent(event: KubeObject, nowMs: number): Plan {
  const series = (event['series'] ?? {}) as { readonly lastObservedTime?: unknown }
  const toldMs = Math.max(
    timeOf(event.metadata.creationTimestamp),
    timeOf(event['lastTimestamp']),
    timeOf(event['eventTime']),
    timeOf(series.lastObservedTime),
  )
  return goesAt(Math.min(toldMs, nowMs) + EVENT_LIVES_MS, nowMs, 'it was told an hour ago')
}

/** Decides about a Job that says how long it may stay after it has finished. */
export function planFinishedJob(job: KubeObject, nowMs: number): Plan {
  const { ttlSecondsAfterFinished: ttl } = (job['spec'] ?? {}) as { readonly ttlSecondsAfterFinished?: unknown }
  const { conditions = [] } = (job['status'] ?? {}) as { readonly conditions?: readonly Condition[] }
  if (typeof ttl !== 'number' || job.metadata.deletionTimestamp !== undefined) return { do: 'nothing' }
  const ended = conditions.find(({ type }) => (type === 'Complete' || type === 'Failed') && isTrue(conditions, type))
  const endedMs = timeOf(ended?.lastTransitionTime)
  if (!ended || endedMs === 0) return { do: 'nothing' }
  return goesAt(endedMs + ttl * 1_000, nowMs, `it finished ${ttl} seconds ago`)
}

function goesAt(dueMs: number, nowMs: number, because: string): Plan {
  return nowMs >= dueMs
    ? { do: 'delete', because }
    : { do: 'wait', afterMs: dueMs - nowMs, because: 'its time has not come' }
}
