import { type Condition, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Container, isFinished, isSidecar, type PodSpec, podSpecOf } from '../../kube/pod.ts'
import { formatTime, parseTime } from '../../kube/time.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import { type ContainerStatus, podStatusOf, type PodStatus } from '../pods/pod-state.ts'
import { type ContainerMoment, type ContainerStep, stepContainer, stopped, waitingStatus } from './container-step.ts'
import { deadline, expired, planEnd, type PodPlan, runningOf, type Stop } from './ending.ts'
import type { Observed } from './observe.ts'
import type { Run, RunState } from './runtime.ts'

/** Moves a Pod on by what its status, its behaviour and the time say. Everything that is remembered is in the status. */
export function planPod(seen: Observed): PodPlan {
  const { pod } = seen
  if (pod.metadata.deletionTimestamp !== undefined) return planEnd(seen, pod.metadata.deletionTimestamp)
  if (isFinished(pod)) return { do: 'wait', because: 'the Pod has run to its end' }
  const overdue = deadline(seen)
  if (overdue !== undefined && overdue <= 0) return expired(seen)
  return planRun(seen, overdue)
}

interface Walk {
  readonly statuses: ContainerStatus[]
  readonly notes: EventNote[]
  readonly starts: Run[]
  readonly wakes: number[]
}

function planRun(seen: Observed, leftMs: number | undefined): PodPlan {
  const { pod, nowMs } = seen
  const spec = podSpecOf(pod)
  const before = podStatusOf(pod)
  const startTime = before.startTime ?? formatTime(nowMs)
  const walk: Walk = { statuses: [], notes: [], starts: [], wakes: leftMs === undefined ? [] : [nowMs + leftMs] }
  const obstacle = hasStarted(before) ? undefined : firstObstacle(seen)
  if (obstacle !== undefined) walk.notes.push(obstacle)
  const init = obstacle === undefined ? runInit(seen, startTime, walk) : waitForVolumes(spec, walk)
  const initStatuses = walk.statuses.splice(0)
  const steps =
    init === 'done' ? (spec.containers ?? []).map((container) => step(seen, container, startTime, walk)) : undefined
  if (!steps)
    for (const container of spec.containers ?? [])
      walk.statuses.push(known(before.containerStatuses, container, waitingReason(spec)))
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
  const wakeMs = isFinal ? undefined : nextWakeMs(walk, nowMs)
  return {
    do: 'report',
    status,
    notes: walk.notes,
    starts: walk.starts,
    ...(isFinal ? { stops: sidecarsOf(seen) } : {}),
    ...(wakeMs === undefined ? {} : { againAfterMs: wakeMs }),
    because: `the Pod is ${phase}`,
  }
}

const nextWakeMs = ({ wakes }: Walk, nowMs: number): number | undefined =>
  wakes.length === 0 ? undefined : Math.max(1, Math.min(...wakes) - nowMs)

function firstObstacle({ runtime, runtimeName, volumeObstacle }: Observed): EventNote | undefined {
  if (!runtime) {
    const message = `Failed to create pod sandbox: no runtime for ${JSON.stringify(runtimeName)} is configured`
    return { type: 'Warning', reason: 'FailedCreatePodSandBox', message }
  }
  return volumeObstacle === undefined ? undefined : { type: 'Warning', reason: 'FailedMount', message: volumeObstacle }
}

/** Volumes that were there once stay, whatever becomes of what they were filled with. */
const hasStarted = ({ initContainerStatuses = [], containerStatuses = [] }: PodStatus): boolean =>
  [...initContainerStatuses, ...containerStatuses].some(
    ({ state, lastState }) => state?.running ?? state?.terminated ?? lastState?.terminated,
  )

const waitingReason = ({ initContainers = [] }: PodSpec): string =>
  initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating'

function waitForVolumes(spec: PodSpec, walk: Walk): Init {
  for (const container of spec.initContainers ?? []) walk.statuses.push(waitingStatus(container, waitingReason(spec)))
  return 'under-way'
}

/** Sidecars end with the Pod that they serve. */
function sidecarsOf(seen: Observed): readonly Stop[] {
  const { terminationGracePeriodSeconds = 30 } = podSpecOf(seen.pod)
  return runningOf(seen)
    .filter(({ run }) => run.isInit)
    .map(({ run }) => ({ run, graceMs: terminationGracePeriodSeconds * 1_000 }))
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
  const { pod, nowMs, runtime } = seen
  const status = podStatusOf(pod)
  const list = isInit ? status.initContainerStatuses : status.containerStatuses
  const before = list?.find(({ name }) => name === container.name)
  const result = stepContainer({
    container,
    before: before?.state?.waiting?.reason === 'PodInitializing' ? undefined : before,
    restarts: restartsOf(pod, container, isInit),
    inspect: (run, startedMs, isBeginning) =>
      runtime?.inspect({ pod, container, isInit, run }, { startedMs, nowMs, isBeginning }) ?? unknownRun(nowMs),
    pullProblem: (run) => runtime?.pullProblem({ pod, container, isInit, run }),
    runtimeName: seen.runtimeName,
    obstacle: seen.environmentObstacle(container),
    podUid: pod.metadata.uid ?? '',
    podName: pod.metadata.name ?? '',
    sinceMs: parseTime(startTime) ?? nowMs,
    nowMs,
  })
  walk.statuses.push(result.status)
  walk.notes.push(...result.notes)
  walk.starts.push(...result.starts.map((run) => ({ pod, container, isInit, run })))
  if (result.wakeMs !== undefined) walk.wakes.push(result.wakeMs)
  return result
}

const unknownRun = (atMs: number): RunState => ({ is: 'ended', exitCode: 137, reason: 'ContainerStatusUnknown', atMs })

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
