import { type Condition, conditionOf } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isFinished } from '../../kube/pod.ts'
import { parseTime } from '../../kube/time.ts'

/** What has become of one container, as its Pod's status tells it. */
export interface ContainerStatus {
  readonly name: string
  readonly image?: string
  readonly ready?: boolean
  readonly started?: boolean
  readonly restartCount?: number
  readonly state?: ContainerState
  readonly lastState?: ContainerState
  readonly [field: string]: unknown
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly running?: { readonly startedAt?: string }
  readonly terminated?: Terminated
}

export interface Terminated {
  readonly exitCode: number
  readonly reason?: string
  readonly startedAt?: string
  readonly finishedAt?: string
  readonly [field: string]: unknown
}

/** The parts of a Pod's status that controllers read. */
export interface PodStatus {
  readonly phase?: string
  readonly reason?: string
  readonly message?: string
  readonly conditions?: readonly Condition[]
  readonly containerStatuses?: readonly ContainerStatus[]
  readonly initContainerStatuses?: readonly ContainerStatus[]
  readonly podIP?: string
  readonly startTime?: string
  readonly nominatedNodeName?: string
  readonly [field: string]: unknown
}

/** The status of a Pod. */
export function podStatusOf(pod: KubeObject): PodStatus {
  return (pod['status'] ?? {}) as PodStatus
}

/** Neither run to its end nor on its way out. */
export function isActive(pod: KubeObject): boolean {
  return !isFinished(pod) && pod.metadata.deletionTimestamp === undefined
}

/** The Ready condition is True. */
export function isReady(pod: KubeObject): boolean {
  return conditionOf(podStatusOf(pod).conditions, 'Ready')?.status === 'True'
}

/** When a Pod has been ready for long enough to count as available; undefined while it is not ready. */
export function availableFromMs(pod: KubeObject, minReadySeconds: number): number | undefined {
  const ready = conditionOf(podStatusOf(pod).conditions, 'Ready')
  if (ready?.status !== 'True') return undefined
  if (minReadySeconds === 0) return 0
  const sinceMs = parseTime(ready.lastTransitionTime ?? '')
  return sinceMs === undefined ? undefined : sinceMs + minReadySeconds * 1_000
}

/** Has been ready for long enough. */
export function isAvailable(pod: KubeObject, minReadySeconds: number, nowMs: number): boolean {
  const fromMs = availableFromMs(pod, minReadySeconds)
  return fromMs !== undefined && fromMs <= nowMs
}

/** How long until the next Pod that is ready becomes available; undefined when none is on its way. */
export function nextAvailableInMs(
  pods: readonly KubeObject[],
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  const waits = pods.flatMap((pod) => {
    const fromMs = availableFromMs(pod, minReadySeconds)
    return fromMs !== undefined && fromMs > nowMs ? [fromMs - nowMs] : []
  })
  return waits.length > 0 ? Math.min(...waits) : undefined
}
