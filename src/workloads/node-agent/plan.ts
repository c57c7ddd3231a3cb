import { type Condition, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Container, isFinished, isSidecar, podSpecOf } from '../../kube/pod.ts'
import { formatTime, parseTime } from '../../kube/time.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import { type ContainerStatus, podStatusOf, type PodStatus } from '../pods/pod-state.ts'
import { behaviourOf } from './behaviour.ts'
import { type ContainerMoment, type ContainerStep, stepContainer, stopped, waitingStatus } from './container-step.ts'
import type { Observed } from './observe.ts'

/** What a node does about a Pod now. */
export type PodPlan =
  | {
      readonly do: 'report'
      readonly status: PodStatus
      readonly notes: readonly EventNote[]
      readonly againAfterMs?: number
      readonly because: string
    }
  /** It has stopped: report how, if somebody holds it, and let it go. */
  | { readonly do: 'remove'; readonly status: PodStatus; readonly because: string }
  | { readonly do: 'wait'; readonly againAfterMs?: number; readonly because: string }

/** Moves a Pod on by what its status, its behaviour and the time say. Everything that is remembered is in the status. */
export function planPod(seen: Observed): PodPlan {
  const { pod } = seen
  if (pod.metadata.deletionTimestamp !== undefined) return planEnd(seen, pod.metadata.deletionTimestamp)
  if (isFinished(pod)) return { do: 'wait', because: 'the Pod has run to its end' }
  const overdue = deadline(seen)
  if (overdue !== undefined && overdue <= 0) return expired(seen)
  return planRun(seen, overdue)
}

/** The time that is left to the Pod; negative when it has passed. */
function deadline({ pod, nowMs }: Observed): number | undefined {
  const { activeDeadlineSeconds } = podSpecOf(pod)
  const sinceMs = parseTime(podStatusOf(pod).startTime ?? '') ?? nowMs
  if (activeDeadlineSeconds === undefined) return undefined
  return sinceMs + activeDeadlineSeconds * 1_000 - nowMs
}

function expired(seen: Observed): PodPlan {
  const message = 'Pod was active on the node longer than the specified deadline'
  const status = { ...allStopped(seen, 137), phase: 'Failed', reason: 'DeadlineExceeded', message }
  return {
    do: 'report',
    status,
    notes: [{ type: 'Normal', reason: 'DeadlineExceeded', message }],
    because: 'the deadline of the Pod has passed',
  }
}

function allStopped({ pod, nowMs }: Observed, exitCode: number): PodStatus {
  const status = podStatusOf(pod)
  const stop = (list: readonly ContainerStatus[] | undefined): readonly ContainerStatus[] =>
    (list ?? []).map((one) => stopped(one, exitCode, nowMs))
  const notReady: Condition = { type: 'Ready', status: 'False', reason: 'PodCompleted' }
  const conditions = setCondition(status.conditions, notReady, nowMs)
  return {
    ...status,
    conditions: setCondition(conditions, { ...notReady, type: 'ContainersReady' }, nowMs),
    ...(status.initContainerStatuses ? { initContainerStatuses: stop(status.initContainerStatuses) } : {}),
    ...(status.containerStatuses ? { containerStatuses: stop(status.containerStatuses) } : {}),
  }
}

function planEnd(seen: Observed, deletionTimestamp: string): PodPlan {
  const { pod, nowMs } = seen
  const { deletionGracePeriodSeconds = 0, finalizers = [] } = pod.metadata
  if (isFinished(pod) && deletionGracePeriodSeconds === 0 && finalizers.length > 0)
    return { do: 'wait', because: 'finalizers hold a Pod that has stopped' }
  const graceMs = deletionGracePeriodSeconds * 1_000
  const askedMs = (parseTime(deletionTimestamp) ?? nowMs) - graceMs
  const running = (podStatusOf(pod).containerStatuses ?? []).filter(({ state }) => state?.running)
  const stopMs = Math.max(0, ...running.map((one) => behaviourOf(pod, one, one.restartCount ?? 0, false).stopMs))
  const leftMs = askedMs + Math.min(stopMs, graceMs) - nowMs
  if (leftMs > 0) return { do: 'wait', againAfterMs: leftMs, because: 'containers are stopping' }
  if (isFinished(pod)) return { do: 'remove', status: podStatusOf(pod), because: 'the Pod has run to its end' }
  const wasKilled = stopMs > graceMs
  const status = { ...allStopped(seen, wasKilled ? 137 : 143), phase: 'Failed' }
  return { do: 'remove', status, because: wasKilled ? 'its grace is over' : 'its containers have stopped' }
}

interface Walk {
  readonly statuses: ContainerStatus[]
  readonly notes: EventNote[]
  readonly wakes: number[]
}

function planRun(seen: Observed, leftMs: number | undefined): PodPlan {
  const { pod, nowMs } = seen
  const spec = podSpecOf(pod)
  const before = podStatusOf(pod)
  const startTime = before.startTime ?? formatTime(nowMs)
  const walk: Walk = { statuses: [], notes: [], wakes: leftMs === undefined ? [] : [nowMs + leftMs] }
  const init = runInit(seen, startTime, walk)
  const initStatuses = walk.statuses.splice(0)
  const steps =
    init === 'done' ? (spec.containers ?? []).map((container) => step(seen, container, startTime, walk)) : undefined
  if (!steps)
    for (const container of spec.containers ?? [])
      walk.statuses.push(known(before.containerStatuses, container, 'PodInitializing'))
  const isOver = steps !== undefined && steps.length > 0 && steps.every((one) => one.isOver)
  const phase = phaseOf(init, isOver, walk.statuses)
  const isFinal = phase === 'Succeeded' || phase === 'Failed'
  const initContainerStatuses = isFinal ? initStatuses.map((one) => stopped(one, 0, nowMs)) : initStatuses
  const facts = { init, isFinal, phase, containers: walk.statuses, sidecars: initContainerStatuses }
  const status: PodStatus = {
    ...before,
    phase,
    conditions: conditionsOf(seen, facts),
    hostIP: seen.hostIP,
    hostIPs: [{ ip: seen.hostIP }],
    podIP: seen.podIP,
    podIPs: [{ ip: seen.podIP }],
    startTime,
    ...(initContainerStatuses.length > 0 ? { initContainerStatuses } : {}),
    containerStatuses: walk.statuses,
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  }
  const wakeMs = isFinal || walk.wakes.length === 0 ? undefined : Math.max(1, Math.min(...walk.wakes) - nowMs)
  return {
    do: 'report',
    status,
    notes: walk.notes,
    ...(wakeMs === undefined ? {} : { againAfterMs: wakeMs }),
    because: `the Pod is ${phase}`,
  }
}

const known = (list: readonly ContainerStatus[] | undefined, container: Container, reason: string): ContainerStatus =>
  list?.find(({ name }) => name === container.name) ?? waitingStatus(container, reason)

function restartsOf(pod: KubeObject, container: Container, isInit: boolean): ContainerMoment['restarts'] {
  const { restartPolicy = 'Always' } = podSpecOf(pod)
  if (isSidecar(container)) return 'always'
  if (restartPolicy === 'Never') return 'never'
  return restartPolicy === 'OnFailure' || isInit ? 'on-failure' : 'always'
}

function step(
  seen: Observed,
  container: Container,
  startTime: string,
  walk: Walk,
  isInit: boolean = false,
): ContainerStep {
  const { pod, nowMs } = seen
  const status = podStatusOf(pod)
  const list = isInit ? status.initContainerStatuses : status.containerStatuses
  const before = list?.find(({ name }) => name === container.name)
  const result = stepContainer({
    container,
    before: before?.state?.waiting?.reason === 'PodInitializing' ? undefined : before,
    restarts: restartsOf(pod, container, isInit),
    behaviour: (run) => behaviourOf(pod, container, run, isInit),
    isImageMissing: seen.isImageMissing(container.image ?? ''),
    obstacle: undefined,
    podUid: pod.metadata.uid ?? '',
    podName: pod.metadata.name ?? '',
    sinceMs: parseTime(startTime) ?? nowMs,
    nowMs,
  })
  walk.statuses.push(result.status)
  walk.notes.push(...result.notes)
  if (result.wakeMs !== undefined) walk.wakes.push(result.wakeMs)
  return result
}

type Init = 'done' | 'under-way' | 'failed'

/** Init containers run one after the other; a sidecar among them has only to start. */
function runInit(seen: Observed, startTime: string, walk: Walk): Init {
  const { pod } = seen
  const before = podStatusOf(pod).initContainerStatuses
  let init: Init = 'done'
  for (const container of podSpecOf(pod).initContainers ?? []) {
    if (init !== 'done') {
      walk.statuses.push(known(before, container, 'PodInitializing'))
      continue
    }
    const { isOver, status } = step(seen, container, startTime, walk, true)
    if (isSidecar(container)) init = status.started === true ? 'done' : 'under-way'
    else if (!isOver) init = 'under-way'
    else if (status.state?.terminated?.exitCode !== 0) init = 'failed'
  }
  return init
}

function phaseOf(init: Init, isOver: boolean, statuses: readonly ContainerStatus[]): string {
  if (init === 'failed') return 'Failed'
  if (init === 'under-way') return 'Pending'
  if (isOver) return statuses.every(({ state }) => state?.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed'
  const hasNeverRun = statuses.some(({ state, lastState }) => state?.waiting && !lastState?.terminated)
  return hasNeverRun ? 'Pending' : 'Running'
}

interface Facts {
  readonly init: Init
  readonly isFinal: boolean
  readonly phase: string
  readonly containers: readonly ContainerStatus[]
  readonly sidecars: readonly ContainerStatus[]
}

function conditionsOf({ pod, nowMs }: Observed, facts: Facts): readonly Condition[] {
  const { init, isFinal, phase, containers } = facts
  const before = podStatusOf(pod).conditions
  const unready = containers.filter(({ ready }) => ready !== true).map(({ name }) => name)
  const containersReady = verdict(unready.length === 0 && init === 'done', () => ({
    reason: isFinal ? (phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed') : 'ContainersNotReady',
    ...(isFinal ? {} : { message: `containers with unready status: [${unready.join(' ')}]` }),
  }))
  const gates = (podSpecOf(pod)['readinessGates'] ?? []) as readonly { readonly conditionType: string }[]
  const closed = gates.filter(
    ({ conditionType }) => before?.find(({ type }) => type === conditionType)?.status !== 'True',
  )
  const ready =
    containersReady.status === 'True' && closed.length > 0
      ? verdict(false, () => ({
          reason: 'ReadinessGatesNotReady',
          message: closed
            .map(
              ({ conditionType }) => `the status of pod readiness gate ${JSON.stringify(conditionType)} is not "True"`,
            )
            .join(', '),
        }))
      : containersReady
  const initialized = verdict(init === 'done', () => ({ reason: 'ContainersNotInitialized' }))
  let conditions = before
  for (const [type, told] of [
    ['PodReadyToStartContainers', verdict(!isFinal, () => ({}))],
    ['Initialized', initialized],
    ['Ready', ready],
    ['ContainersReady', containersReady],
  ] as const)
    conditions = withVerdict(conditions, { type, ...told }, nowMs)
  return conditions ?? []
}

/** Sets a condition whole: a reason that no longer holds does not stay behind. */
function withVerdict(before: readonly Condition[] | undefined, next: Condition, nowMs: number): readonly Condition[] {
  const bare = (before ?? []).map(({ reason, message, ...condition }) =>
    condition.type === next.type
      ? { ...condition, ...(next.reason === undefined ? {} : { reason: next.reason }) }
      : { ...condition, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) },
  )
  return setCondition(bare, next, nowMs)
}

function verdict(
  holds: boolean,
  because: () => { readonly reason?: string; readonly message?: string },
): Pick<Condition, 'status' | 'reason' | 'message'> {
  return holds ? { status: 'True' } : { status: 'False', ...because() }
}
