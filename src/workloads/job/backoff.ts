import type { KubeObject } from '../../kube/object.ts'
import { podPhaseOf } from '../../kube/pod.ts'
import { parseTime } from '../../kube/time.ts'
import { podStatusOf } from '../pods/pod-state.ts'
import type { JobSpec } from './job.ts'
import { type FailedTry, hasFailed } from './tally.ts'

const FIRST_BACKOFF_MS = 10_000
const LONGEST_BACKOFF_MS = 600_000

const delayAfter = (failures: number): number =>
  Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10), LONGEST_BACKOFF_MS)

/** How long the next Pod is held back after failures in a row. */
export function backoffInMs(pods: readonly KubeObject[], spec: JobSpec, nowMs: number): number {
  const lastSuccess = Math.max(
    0,
    ...pods.filter((pod) => podPhaseOf(pod) === 'Succeeded').map((pod) => endOf(pod, nowMs)),
  )
  const failures = pods
    .filter((pod) => hasFailed(pod, spec))
    .map((pod) => endOf(pod, nowMs))
    .filter((end) => end > lastSuccess)
  if (failures.length === 0) return 0
  return Math.max(0, Math.max(...failures) + delayAfter(failures.length) - nowMs)
}

/** How long an index is held back after its last try. */
export function indexBackoffInMs({ pod, failures, ignored }: FailedTry, nowMs: number): number {
  return Math.max(0, endOf(pod, nowMs) + delayAfter(Math.max(1, failures + ignored)) - nowMs)
}

function endOf(pod: KubeObject, nowMs: number): number {
  const { containerStatuses = [] } = podStatusOf(pod)
  const ends = containerStatuses.flatMap(({ state }) => parseTime(state?.terminated?.finishedAt ?? '') ?? [])
  if (ends.length > 0) return Math.max(...ends)
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata
  const deletedMs = parseTime(deletionTimestamp ?? '')
  return deletedMs === undefined ? nowMs : deletedMs - deletionGracePeriodSeconds * 1_000
}
