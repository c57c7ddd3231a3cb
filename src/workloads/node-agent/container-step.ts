import type { Container } from '../../kube/pod.ts'
import { formatTime, parseTime } from '../../kube/time.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import type { ContainerStatus, Terminated } from '../pods/pod-state.ts'
import { isImageName } from './image-name.ts'
import type { RunState } from './runtime.ts'

/** What one container's next moment depends on. */
export interface ContainerMoment {
  readonly container: Container
  readonly before: ContainerStatus | undefined
  readonly restarts: 'always' | 'on-failure' | 'never'
  /** How a run that began at the time stands. */
  readonly inspect: (run: number, startedMs: number, isBeginning: boolean) => RunState
  readonly pullProblem: (run: number) => string | undefined
  readonly runtimeName: string
  /** Why it cannot be made yet, such as a ConfigMap that is not there. */
  readonly obstacle: string | undefined
  readonly podUid: string
  readonly podName: string
  readonly sinceMs: number
  readonly nowMs: number
}

/** The container as it is now, what to tell about it, and when it will be different by itself. */
export interface ContainerStep {
  readonly status: ContainerStatus
  readonly notes: readonly EventNote[]
  /** The runs to begin, in order. */
  readonly starts: readonly number[]
  readonly wakeMs?: number
  /** It has ended and will not be started again. */
  readonly isOver: boolean
}

/** After so long a run a failure is a first one again. */
const RESET_MS = 600_000
const FIRST_BACKOFF_MS = 10_000
const LONGEST_BACKOFF_MS = 300_000
/** So long the first failure to pull shows before it is called a back-off. */
const PULL_BACKOFF_MS = 10_000

/** How a run ended of which nobody knows how: its node was away. */
export const UNKNOWN_END = 'ContainerStatusUnknown'

/** How long a container is kept from its next run after it ended. Not at all the first time, nor when it was its node that went away. */
export function backoffMs(restartCount: number, last: Terminated): number {
  if (last.reason === UNKNOWN_END) return 0
  const ranMs = (parseTime(last.finishedAt ?? '') ?? 0) - (parseTime(last.startedAt ?? '') ?? 0)
  if (restartCount === 0 || ranMs >= RESET_MS) return 0
  return Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(restartCount - 1, 10), LONGEST_BACKOFF_MS)
}

/**
 *   waiting ──> running ──> terminated ──> waiting (back-off) ──> running …
 *      └─ image missing: stays             └─ not to be restarted: stays
 */
export function stepContainer(moment: ContainerMoment): ContainerStep {
  const told: Told = { notes: [], starts: [] }
  let status = moment.before ?? waitingStatus(moment.container, 'ContainerCreating')
  // A run that ends at once and is started again at once makes several steps of one moment; delays bound their number.
  for (let steps = 0; steps < 8; steps++) {
    const next = stepOnce(status, moment, told)
    if ('over' in next) return { status: next.over, ...told, isOver: true }
    if ('wait' in next) {
      const { wait, wakeMs } = next
      return { status: wait, ...told, isOver: false, ...(wakeMs === undefined ? {} : { wakeMs }) }
    }
    status = next.go
  }
  return { status, ...told, isOver: false, wakeMs: moment.nowMs + 1_000 }
}

interface Told {
  readonly notes: EventNote[]
  readonly starts: number[]
}

type Next =
  | { readonly go: ContainerStatus }
  | { readonly wait: ContainerStatus; readonly wakeMs?: number }
  | { readonly over: ContainerStatus }

function stepOnce(status: ContainerStatus, moment: ContainerMoment, told: Told): Next {
  const { state = {} } = status
  if (state.running) {
    const isBeginning = told.starts.includes(status.restartCount ?? 0)
    return whileRunning(status, parseTime(state.running.startedAt ?? '') ?? moment.nowMs, isBeginning, moment)
  }
  const last = state.terminated ?? status.lastState?.terminated
  if (last) return afterEnd(status, last, moment, told)
  return start(status, moment, told)
}

function whileRunning(status: ContainerStatus, startedMs: number, isBeginning: boolean, moment: ContainerMoment): Next {
  const { restartCount = 0 } = status
  const state = moment.inspect(restartCount, startedMs, isBeginning)
  if (state.is === 'ended') return { go: ended(status, state, startedMs, idOf(moment, restartCount)) }
  const { isStarted: started, isReady: ready, nextMs } = state
  return { wait: { ...status, started, ready }, ...(nextMs === undefined ? {} : { wakeMs: nextMs }) }
}

/** A container whose run has come to an end, by itself or not. */
export function ended(
  status: ContainerStatus,
  { exitCode, atMs, reason, signal, message }: Extract<RunState, { is: 'ended' }>,
  startedMs: number,
  containerID?: string,
): ContainerStatus {
  const terminated: Terminated = {
    exitCode,
    reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
    ...(signal === undefined ? {} : { signal }),
    ...(message === undefined ? {} : { message }),
    startedAt: formatTime(startedMs),
    finishedAt: formatTime(Math.max(atMs, startedMs)),
    ...(containerID === undefined ? {} : { containerID }),
  }
  return { ...status, ready: false, started: false, state: { terminated } }
}

function afterEnd(status: ContainerStatus, last: Terminated, moment: ContainerMoment, told: Told): Next {
  const { restarts, nowMs, container, podName } = moment
  const isWanted = restarts === 'always' || (restarts === 'on-failure' && last.exitCode !== 0)
  if (!isWanted) return { over: status }
  const { restartCount = 0 } = status
  const delayMs = backoffMs(restartCount, last)
  const untilMs = (parseTime(last.finishedAt ?? '') ?? nowMs) + delayMs
  if (nowMs >= untilMs)
    return start({ ...status, restartCount: restartCount + 1, lastState: { terminated: last } }, moment, told)
  const message = `back-off ${delayMs / 1_000}s restarting failed container=${container.name} pod=${podName}`
  if (status.state?.terminated) {
    told.notes.push({
      type: 'Warning',
      reason: 'BackOff',
      message: `Back-off restarting failed container ${container.name} in pod ${podName}`,
    })
  }
  return {
    wait: {
      ...status,
      ready: false,
      started: false,
      state: { waiting: { reason: 'CrashLoopBackOff', message } },
      lastState: { terminated: last },
    },
    wakeMs: untilMs,
  }
}

/** Waits for good when the image is no name of one. */
function withoutImage(status: ContainerStatus, image: string, told: Told): Next | undefined {
  if (image === '' || isImageName(image)) return undefined
  const name = JSON.stringify(image)
  const message = `Failed to apply default image tag ${name}: couldn't parse image name ${name}: invalid reference format`
  if (status.state?.waiting?.message !== message) told.notes.push({ type: 'Warning', reason: 'InspectFailed', message })
  return { wait: { ...status, state: { waiting: { reason: 'InvalidImageName', message } } } }
}

function start(status: ContainerStatus, moment: ContainerMoment, told: Told): Next {
  const { container, nowMs, sinceMs, obstacle } = moment
  const { image = '', name } = container
  const run = status.restartCount ?? 0
  const unnamed = withoutImage(status, image, told)
  if (unnamed) return unnamed
  const problem = moment.pullProblem(run)
  if (problem !== undefined) {
    const isFirst = nowMs < sinceMs + PULL_BACKOFF_MS
    const reason = isFirst ? 'ErrImagePull' : 'ImagePullBackOff'
    const message = isFirst
      ? `failed to pull and unpack image ${JSON.stringify(image)}: ${problem}`
      : `Back-off pulling image ${JSON.stringify(image)}`
    if (status.state?.waiting?.reason !== reason) {
      if (isFirst)
        told.notes.push({
          type: 'Warning',
          reason: 'Failed',
          message: `Failed to pull image ${JSON.stringify(image)}: ${problem}`,
        })
      told.notes.push(
        isFirst
          ? { type: 'Warning', reason: 'Failed', message: 'Error: ErrImagePull' }
          : { type: 'Normal', reason: 'BackOff', message },
      )
    }
    return {
      wait: { ...status, state: { waiting: { reason, message } } },
      ...(isFirst ? { wakeMs: sinceMs + PULL_BACKOFF_MS } : {}),
    }
  }
  if (obstacle !== undefined) {
    if (status.state?.waiting?.message !== obstacle)
      told.notes.push({ type: 'Warning', reason: 'Failed', message: `Error: ${obstacle}` })
    return { wait: { ...status, state: { waiting: { reason: 'CreateContainerConfigError', message: obstacle } } } }
  }
  told.notes.push(
    {
      type: 'Normal',
      reason: 'Pulled',
      message: `Container image ${JSON.stringify(image)} already present on machine`,
    },
    { type: 'Normal', reason: 'Created', message: `Created container: ${name}` },
    { type: 'Normal', reason: 'Started', message: `Started container ${name}` },
  )
  told.starts.push(run)
  return {
    go: {
      ...status,
      imageID: `${moment.runtimeName}://${image}`,
      containerID: idOf(moment, run),
      state: { running: { startedAt: formatTime(nowMs) } },
    },
  }
}

const idOf = ({ runtimeName, podUid, container }: ContainerMoment, run: number): string =>
  `${runtimeName}://${podUid}/${container.name}/${run}`

/** A container that has not been started. */
export function waitingStatus(container: Container, reason: string): ContainerStatus {
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    ready: false,
    started: false,
    restartCount: 0,
    state: { waiting: { reason } },
    lastState: {},
  }
}

/** A container that was stopped from outside. */
export function stopped(status: ContainerStatus, exitCode: number, nowMs: number): ContainerStatus {
  if (!status.state?.running) return status
  const { startedAt } = status.state.running
  return {
    ...status,
    ready: false,
    started: false,
    state: {
      terminated: {
        exitCode,
        reason: exitCode === 0 ? 'Completed' : 'Error',
        ...(startedAt === undefined ? {} : { startedAt }),
        finishedAt: formatTime(nowMs),
      },
    },
  }
}
