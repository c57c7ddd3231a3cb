import type { KubeObject } from '../../object.ts'
import { parseTime } from '../../time.ts'
import type { Fields } from '../defaulting.ts'
import {
  ageColumn,
  ageText,
  at,
  column,
  conditionOf,
  type Column,
  nameColumn,
  numberAt,
  objectsAt,
  orNone,
  textAt,
  wide,
} from './column.ts'

// Semantics: kubernetes 1.36, pkg/printers/internalversion/printers.go.

/** What a table says about a Pod. */
export interface Seen {
  readonly ready: number
  readonly total: number
  readonly status: string
  readonly restarts: number
  /** When a container last came to an end before it was started again. */
  readonly restartedAt: string
}

const isSidecar = (container: Fields | undefined): boolean => container?.['restartPolicy'] === 'Always'

/** Why a container came to an end. */
function endOf(terminated: Fields): string {
  const reason = textAt(terminated, 'reason')
  if (reason !== '') return reason
  const signal = numberAt(terminated, 'signal')
  return signal === 0 ? `ExitCode:${numberAt(terminated, 'exitCode')}` : `Signal:${signal}`
}

const later = (a: string, b: string): string => ((parseTime(a) ?? 0) >= (parseTime(b) ?? 0) ? a : b)
const lastEnd = (status: Fields): string => textAt(status, 'lastState', 'terminated', 'finishedAt')

interface Initialising {
  readonly status: string | undefined
  readonly ready: number
  readonly restarts: number
  readonly restartedAt: string
  readonly sidecarRestarts: number
  readonly sidecarRestartedAt: string
}

/** How far the init containers are; without a status once they are done. */
function initialising(pod: KubeObject): Initialising {
  const containers = objectsAt(pod, 'spec', 'initContainers')
  const byName = new Map(containers.map((container) => [textAt(container, 'name'), container]))
  let seen: Initialising = {
    status: undefined,
    ready: 0,
    restarts: 0,
    restartedAt: '',
    sidecarRestarts: 0,
    sidecarRestartedAt: '',
  }
  for (const [index, status] of objectsAt(pod, 'status', 'initContainerStatuses').entries()) {
    const sidecar = isSidecar(byName.get(textAt(status, 'name')))
    const restarts = numberAt(status, 'restartCount')
    const restartedAt = later(seen.restartedAt, lastEnd(status))
    seen = { ...seen, restarts: seen.restarts + restarts, restartedAt }
    if (sidecar) {
      const sidecarRestartedAt = later(seen.sidecarRestartedAt, lastEnd(status))
      seen = { ...seen, sidecarRestarts: seen.sidecarRestarts + restarts, sidecarRestartedAt }
    }
    const why = initStatus(status, sidecar, `${index}/${containers.length}`)
    if (why !== undefined) return { ...seen, status: why }
    if (sidecar && status['ready'] === true && status['started'] === true) seen = { ...seen, ready: seen.ready + 1 }
  }
  return seen
}

/** What an init container keeps its Pod from; undefined when it is through. */
function initStatus(status: Fields, sidecar: boolean, progress: string): string | undefined {
  const terminated = at(status, 'state', 'terminated')
  if (terminated !== undefined) {
    return numberAt(terminated, 'exitCode') === 0 ? undefined : `Init:${endOf(terminated as Fields)}` // an object of the API
  }
  if (sidecar && status['started'] === true) return undefined
  const waiting = textAt(status, 'state', 'waiting', 'reason')
  return waiting !== '' && waiting !== 'PodInitializing' ? `Init:${waiting}` : `Init:${progress}`
}

/** The state of a Pod in one word, as tables show it, with how many of its containers are ready and were restarted. */
export function seenOf(pod: KubeObject): Seen {
  const initial = initialising(pod)
  const gated = textAt(conditionOf(pod, 'PodScheduled'), 'reason') === 'SchedulingGated' ? 'SchedulingGated' : ''
  const phase = textAt(pod, 'status', 'reason') || gated || textAt(pod, 'status', 'phase')
  const sidecars = objectsAt(pod, 'spec', 'initContainers').filter(isSidecar).length
  let seen: Seen = {
    ready: initial.ready,
    total: objectsAt(pod, 'spec', 'containers').length + sidecars,
    status: initial.status ?? phase,
    restarts: initial.restarts,
    restartedAt: initial.restartedAt,
  }
  if (initial.status === undefined || textAt(conditionOf(pod, 'Initialized'), 'status') === 'True') {
    seen = running(pod, { ...seen, restarts: initial.sidecarRestarts, restartedAt: initial.sidecarRestartedAt })
  }
  if (pod.metadata.deletionTimestamp === undefined) return seen
  if (textAt(pod, 'status', 'reason') === 'NodeLost') return { ...seen, status: 'Unknown' }
  const isOver = ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase'))
  return isOver ? seen : { ...seen, status: 'Terminating' }
}

/** The containers themselves: the first one that has something to say is heard. */
function running(pod: KubeObject, before: Seen): Seen {
  let { ready, status, restarts, restartedAt } = before
  let hasRunning = false
  for (const one of objectsAt(pod, 'status', 'containerStatuses').toReversed()) {
    restarts += numberAt(one, 'restartCount')
    restartedAt = later(restartedAt, lastEnd(one))
    const waiting = textAt(one, 'state', 'waiting', 'reason')
    const terminated = at(one, 'state', 'terminated')
    if (waiting !== '') status = waiting
    else if (terminated !== undefined) status = endOf(terminated as Fields) // an object of the API
    else if (one['ready'] === true && at(one, 'state', 'running') !== undefined) {
      hasRunning = true
      ready++
    }
  }
  if (status === 'Completed' && hasRunning) {
    status = textAt(conditionOf(pod, 'Ready'), 'status') === 'True' ? 'Running' : 'NotReady'
  }
  return { ...before, ready, status, restarts, restartedAt }
}

function restartsText(pod: KubeObject, nowMs: number): string {
  const { restarts, restartedAt } = seenOf(pod)
  return restarts === 0 || restartedAt === '' ? String(restarts) : `${restarts} (${ageText(restartedAt, nowMs)} ago)`
}

function gatesText(pod: KubeObject): string {
  const gates = objectsAt(pod, 'spec', 'readinessGates')
  const open = gates.filter((gate) => textAt(conditionOf(pod, textAt(gate, 'conditionType')), 'status') === 'True')
  return gates.length === 0 ? '<none>' : `${open.length}/${gates.length}`
}

/** The table of Pods. */
export const podColumns: readonly Column[] = [
  nameColumn,
  column('Ready', 'How many containers are ready, of how many.', (pod) => {
    const { ready, total } = seenOf(pod)
    return `${ready}/${total}`
  }),
  column('Status', 'The state of the Pod, or what keeps it from running.', (pod) => seenOf(pod).status),
  column('Restarts', 'How often containers were started again, and when last.', restartsText),
  ageColumn,
  wide('IP', 'The address of the Pod.', (pod) => {
    const [first] = objectsAt(pod, 'status', 'podIPs')
    return orNone(textAt(first, 'ip') || textAt(pod, 'status', 'podIP'))
  }),
  wide('Node', 'The node that the Pod runs on.', (pod) => orNone(textAt(pod, 'spec', 'nodeName'))),
  wide('Nominated Node', 'The node that makes room for the Pod.', (pod) =>
    orNone(textAt(pod, 'status', 'nominatedNodeName')),
  ),
  wide('Readiness Gates', 'How many further conditions for readiness hold, of how many.', gatesText),
]
