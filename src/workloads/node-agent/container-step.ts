import type { Container } from '../../kube/pod.ts'
import { formatTime, parseTime } from '../../kube/time.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import type { ContainerStatus, Terminated } from '../pods/pod-state.ts'
import type { Behaviour } from './behaviour.ts'

/** What one container's next moment depends on. */
export interface ContainerMoment {
  readonly container: Container
  readonly before: ContainerStatus | undefined
  readonly restarts: 'always' | 'on-failure' | 'never'
  readonly behaviour: (run: number) => Behaviour
  readonly isImageMissing: boolean
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

/** How long a container is kept from its next run after it ended. The first time not at all. */
export function backoffMs(restartCount: number, last: Terminated): number {
  const ranMs = (parseTime(last.finishedAt ?? '') ?? 0) - (parseTime(last.startedAt ?? '') ?? 0)
  if (restartCount === 0 || ranMs >= RESET_MS) return 0
  return Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(restartCount - 1, 10), LONGEST_BACKOFF_MS)
}

/**
 *   waiting ──> running ──> terminated ──> waiting (back-off) ──> running …
 *      └─ image missing: stays             └─ not to be restarted: stays
 */
export function stepContainer(moment: ContainerMoment): ContainerStep {
  const notes: EventNote[] = []
  let status = moment.before ?? waitingStatus(moment.container, 'ContainerCreating')
  // A run that ends at once and is started again at once makes several steps of one moment; delays bound their number.
  for (let steps = 0; steps < 8; steps++) {
    const next = stepOnce(status, moment, notes)
    if ('over' in next) return { status: next.over, notes, isOver: true }
    if ('wait' in next) {
      const { wait, wakeMs } = next
      return { status: wait, notes, isOver: false, ...(wakeMs === undefined ? {} : { wakeMs }) }
    }
    status = next.go
  }
  return { status, notes, isOver: false, wakeMs: moment.nowMs + 1_000 }
}

type Next =
  | { readonly go: ContainerStatus }
  | { readonly wait: ContainerStatus; readonly wakeMs?: number }
  | { readonly over: ContainerStatus }

function stepOnce(status: ContainerStatus, moment: ContainerMoment, notes: EventNote[]): Next {
  const { state = {} } = status
  if (state.running) return whileRunning(status, parseTime(state.running.startedAt ?? '') ?? moment.nowMs, moment)
  const last = state.terminated ?? status.lastState?.terminated
  if (last) return afterEnd(status, last, moment, notes)
  return start(status, moment, notes)
}

function whileRunning(status: ContainerStatus, startedMs: number, moment: ContainerMoment): Next {
  const { nowMs } = moment
  const { restartCount = 0 } = status
  const { ends, readyMs, startedMs: startupMs } = moment.behaviour(restartCount)
  if (ends && nowMs >= startedMs + ends.afterMs) {
    const terminated: Terminated = {
      exitCode: ends.exitCode,
      reason: ends.exitCode === 0 ? 'Completed' : 'Error',
      startedAt: formatTime(startedMs),
      finishedAt: formatTime(Math.max(nowMs, startedMs)),
      containerID: idOf(moment, restartCount),
    }
    return { go: { ...status, ready: false, started: false, state: { terminated } } }
  }
  const started = nowMs >= startedMs + startupMs
  const ready = readyMs !== 'never' && nowMs >= startedMs + readyMs
  const changes = [
    ...(ends ? [startedMs + ends.afterMs] : []),
    ...(started ? [] : [startedMs + startupMs]),
    ...(ready || readyMs === 'never' ? [] : [startedMs + readyMs]),
  ]
  return {
    wait: { ...status, started, ready },
    ...(changes.length > 0 ? { wakeMs: Math.min(...changes) } : {}),
  }
}

function afterEnd(status: ContainerStatus, last: Terminated, moment: ContainerMoment, notes: EventNote[]): Next {
  const { restarts, nowMs, container, podName } = moment
  const isWanted = restarts === 'always' || (restarts === 'on-failure' && last.exitCode !== 0)
  if (!isWanted) return { over: status }
  const { restartCount = 0 } = status
  const delayMs = backoffMs(restartCount, last)
  const untilMs = (parseTime(last.finishedAt ?? '') ?? nowMs) + delayMs
  if (nowMs >= untilMs)
    return start({ ...status, restartCount: restartCount + 1, lastState: { terminated: last } }, moment, notes)
  const message = `back-off ${delayMs / 1_000}s restarting failed container=${container.name} pod=${podName}`
  if (status.state?.terminated) {
    notes.push({
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

function start(status: ContainerStatus, moment: ContainerMoment, notes: EventNote[]): Next {
  const { container, nowMs, sinceMs, obstacle } = moment
  const { image = '', name } = container
  if (moment.isImageMissing || moment.behaviour(status.restartCount ?? 0).isImageMissing) {
    const isFirst = nowMs < sinceMs + PULL_BACKOFF_MS
    const reason = isFirst ? 'ErrImagePull' : 'ImagePullBackOff'
    const message = isFirst
      ? `failed to pull and unpack image ${JSON.stringify(image)}: not found`
      : `Back-off pulling image ${JSON.stringify(image)}`
    if (status.state?.waiting?.reason !== reason) {
      if (isFirst)
        notes.push({
          type: 'Warning',
          reason: 'Failed',
          message: `Failed to pull image ${JSON.stringify(image)}: not found`,
        })
      notes.push(
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
      notes.push({ type: 'Warning', reason: 'Failed', message: `Error: ${obstacle}` })
    return { wait: { ...status, state: { waiting: { reason: 'CreateContainerConfigError', message: obstacle } } } }
  }
  notes.push(
    {
      type: 'Normal',
      reason: 'Pulled',
      message: `Container image ${JSON.stringify(image)} already present on machine`,
    },
    { type: 'Normal', reason: 'Created', message: `Created container: ${name}` },
    { type: 'Normal', reason: 'Started', message: `Started container ${name}` },
  )
  return {
    go: {
      ...status,
      imageID: `simulated://${image}`,
      containerID: idOf(moment, status.restartCount ?? 0),
      state: { running: { startedAt: formatTime(nowMs) } },
    },
  }
}

const idOf = ({ podUid, container }: ContainerMoment, run: number): string =>
  `simulated://${podUid}/${container.name}/${run}`

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
