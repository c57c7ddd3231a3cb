import { type Condition, setCondition } from '../../kube/condition.ts'
import { type Container, isFinished, podSpecOf } from '../../kube/pod.ts'
import { parseTime } from '../../kube/time.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import { type ContainerStatus, podStatusOf, type PodStatus } from '../pods/pod-state.ts'
import { ended, stopped } from './container-step.ts'
import type { Observed } from './observe.ts'
import type { Run, RunState } from './runtime.ts'

/** What a node does about a Pod now. */
export type PodPlan =
  | {
      readonly do: 'report'
      readonly status: PodStatus
      readonly notes: readonly EventNote[]
      /** Begun before the status says so: a run that is begun twice is begun once. */
      readonly starts: readonly Run[]
      readonly stops?: readonly Stop[]
      readonly againAfterMs?: number
      readonly because: string
    }
  /** It has stopped: report how, if somebody holds it, and let it go. */
  | { readonly do: 'remove'; readonly status: PodStatus; readonly stops?: undefined; readonly because: string }
  | {
      readonly do: 'wait'
      readonly stops?: readonly Stop[]
      readonly againAfterMs?: number
      readonly because: string
    }

/** A run that is asked to end. */
export interface Stop {
  readonly run: Run
  readonly graceMs: number
}

/** The time that is left to the Pod; negative when it has passed. */
export function deadline({ pod, nowMs }: Observed): number | undefined {
  const { activeDeadlineSeconds } = podSpecOf(pod)
  const sinceMs = parseTime(podStatusOf(pod).startTime ?? '') ?? nowMs
  if (activeDeadlineSeconds === undefined) return undefined
  return sinceMs + activeDeadlineSeconds * 1_000 - nowMs
}

/** The deadline has passed: everything is stopped, and the Pod has failed. */
export function expired(seen: Observed): PodPlan {
  const message = 'Pod was active on the node longer than the specified deadline'
  const { terminationGracePeriodSeconds = 30 } = podSpecOf(seen.pod)
  const status = { ...allStopped(seen, 137), phase: 'Failed', reason: 'DeadlineExceeded', message }
  return {
    do: 'report',
    status,
    notes: [{ type: 'Normal', reason: 'DeadlineExceeded', message }],
    starts: [],
    stops: runningOf(seen).map(({ run }) => ({ run, graceMs: terminationGracePeriodSeconds * 1_000 })),
    because: 'the deadline of the Pod has passed',
  }
}

interface Running {
  readonly run: Run
  readonly status: ContainerStatus
  readonly startedMs: number
}

/** The runs that the status tells of as running. */
export function runningOf({ pod, nowMs }: Observed): readonly Running[] {
  const { initContainers = [], containers = [] } = podSpecOf(pod)
  const { initContainerStatuses, containerStatuses } = podStatusOf(pod)
  const of = (
    list: readonly Container[],
    statuses: readonly ContainerStatus[] | undefined,
    isInit: boolean,
  ): readonly Running[] =>
    list.flatMap((container) => {
      const status = statuses?.find(({ name }) => name === container.name)
      if (!status?.state?.running) return []
      const startedMs = parseTime(status.state.running.startedAt ?? '') ?? nowMs
      return [{ run: { pod, container, isInit, run: status.restartCount ?? 0 }, status, startedMs }]
    })
  return [...of(initContainers, initContainerStatuses, true), ...of(containers, containerStatuses, false)]
}

function allStopped({ pod, nowMs }: Observed, exitCode: number): PodStatus {
  const status = podStatusOf(pod)
  const stop = (list: readonly ContainerStatus[] | undefined): readonly ContainerStatus[] =>
    (list ?? []).map((one) => stopped(one, exitCode, nowMs))
  return withStatuses(status, stop(status.initContainerStatuses), stop(status.containerStatuses), nowMs)
}

function withStatuses(
  status: PodStatus,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
  nowMs: number,
): PodStatus {
  const notReady: Condition = { type: 'Ready', status: 'False', reason: 'PodCompleted' }
  const conditions = setCondition(status.conditions, notReady, nowMs)
  return {
    ...status,
    conditions: setCondition(conditions, { ...notReady, type: 'ContainersReady' }, nowMs),
    ...(status.initContainerStatuses ? { initContainerStatuses: init } : {}),
    ...(status.containerStatuses ? { containerStatuses: main } : {}),
  }
}

/** A Pod that is deleted goes once its containers have stopped, at the latest when its grace is over. */
export function planEnd(seen: Observed, deletionTimestamp: string): PodPlan {
  const { pod, nowMs, runtime } = seen
  const { deletionGracePeriodSeconds = 0, finalizers = [] } = pod.metadata
  if (isFinished(pod) && deletionGracePeriodSeconds === 0 && finalizers.length > 0)
    return { do: 'wait', because: 'finalizers hold a Pod that has stopped' }
  const graceMs = deletionGracePeriodSeconds * 1_000
  const askedMs = (parseTime(deletionTimestamp) ?? nowMs) - graceMs
  const running = runningOf(seen)
  const states = running.map(({ run, startedMs }): RunState => {
    const ended: RunState = { is: 'ended', exitCode: 137, atMs: nowMs }
    return runtime?.inspect(run, { startedMs, nowMs, stopping: { askedMs, graceMs } }) ?? ended
  })
  const wakes = states.flatMap((state) => (state.is === 'running' ? [state.nextMs ?? askedMs + graceMs] : []))
  if (wakes.length > 0) {
    return {
      do: 'wait',
      stops: running.map(({ run }) => ({ run, graceMs: Math.max(0, askedMs + graceMs - nowMs) })),
      // Whatever a runtime says, it is looked at again when the grace is over.
      againAfterMs: Math.max(1, Math.min(...wakes) - nowMs),
      because: 'containers are stopping',
    }
  }
  if (isFinished(pod)) return { do: 'remove', status: podStatusOf(pod), because: 'the Pod has run to its end' }
  const now = new Map(running.map(({ status, startedMs }, at) => [status, endedAs(status, states[at], startedMs)]))
  const ends = (list: readonly ContainerStatus[] | undefined): readonly ContainerStatus[] =>
    (list ?? []).map((one) => now.get(one) ?? one)
  const before = podStatusOf(pod)
  const status = withStatuses(before, ends(before.initContainerStatuses), ends(before.containerStatuses), nowMs)
  return { do: 'remove', status: { ...status, phase: 'Failed' }, because: 'its containers have stopped' }
}

const endedAs = (status: ContainerStatus, state: RunState | undefined, startedMs: number): ContainerStatus =>
  state?.is === 'ended' ? ended(status, state, startedMs, status['containerID'] as string | undefined) : status
