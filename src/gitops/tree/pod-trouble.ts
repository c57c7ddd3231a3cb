import type { KubeObject } from '../../kube/object.ts'
import { asFields, asObjects, at, conditionsOf, type Fields, numberAt, shown, textAt } from '../health/reading.ts'
import type { EventIndex } from './events.ts'

/** What is wrong, in plain words, and what to do about it. */
export interface Trouble {
  readonly because: string
  readonly next?: string
}

/** What keeps a Pod from doing its work; undefined when nothing does. */
export function podTrouble(pod: KubeObject, events: EventIndex): Trouble | undefined {
  if (at(pod, 'status.phase') === 'Succeeded') return undefined
  return (
    leaving(pod) ??
    unscheduled(pod) ??
    mounting(pod, events) ??
    containerTrouble(pod, 'status.initContainerStatuses', 'init container') ??
    containerTrouble(pod, 'status.containerStatuses', 'container') ??
    failed(pod) ??
    unready(pod, events)
  )
}

function leaving({ metadata }: KubeObject): Trouble | undefined {
  if (metadata.deletionTimestamp === undefined) return undefined
  const finalizers = metadata.finalizers ?? []
  return finalizers.length > 0
    ? { because: `it is being deleted and waits for ${finalizers.join(', ')}` }
    : { because: 'it is being deleted' }
}

function unscheduled(pod: KubeObject): Trouble | undefined {
  const scheduled = conditionsOf(pod).find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  if (!scheduled) return undefined
  if (scheduled.reason === 'SchedulingGated') return { because: 'it is held back by a scheduling gate' }
  return {
    because: `no node can take it: ${shown(scheduled.message) || 'no reason is given'}`,
    next: 'lower its requests, change its selectors and tolerations, or add a node',
  }
}

const WAITING: readonly unknown[] = ['ContainerCreating', 'PodInitializing', undefined]

function mounting(pod: KubeObject, events: EventIndex): Trouble | undefined {
  const isStarting = asObjects(at(pod, 'status.containerStatuses')).every((status) =>
    WAITING.includes(at(status, 'state.waiting.reason')),
  )
  if (at(pod, 'status.phase') !== 'Pending' || !isStarting) return undefined
  const notice = events.warning(pod, ['FailedMount', 'FailedAttachVolume', 'FailedCreatePodSandBox'])
  if (!notice) return undefined
  const what = notice.reason === 'FailedCreatePodSandBox' ? 'it cannot be set up' : 'a volume cannot be mounted'
  return { because: `${what}: ${notice.message}`, next: 'create what the volume names, or correct its name' }
}

function containerTrouble(pod: KubeObject, place: string, word: string): Trouble | undefined {
  for (const status of asObjects(at(pod, place))) {
    const found = waitingTrouble(pod, status, word)
    if (found) return found
  }
  return undefined
}

const PULL: readonly string[] = [
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'RegistryUnavailable',
]
const SETUP: readonly string[] = [
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'StartError',
]

function waitingTrouble(pod: KubeObject, status: Fields, word: string): Trouble | undefined {
  const name = shown(status['name'])
  const reason = textAt(status, 'state.waiting.reason') ?? ''
  const message = textAt(status, 'state.waiting.message') ?? ''
  if (PULL.includes(reason)) {
    return {
      because: `image ${imageOf(pod, status)} cannot be pulled${message === '' ? '' : `: ${message}`}`,
      next: 'correct the name and tag of the image, or give the Pod a pull secret for its registry',
    }
  }
  if (SETUP.includes(reason)) {
    return {
      because: `${word} ${name} cannot be started: ${message || reason}`,
      next: 'create the ConfigMap or Secret that it names, or correct the reference',
    }
  }
  return reason === 'CrashLoopBackOff' ? crashing(pod, status, `${word} ${name}`) : undefined
}

const imageOf = (pod: KubeObject, status: Fields): string => {
  const containers = [...asObjects(at(pod, 'spec.initContainers')), ...asObjects(at(pod, 'spec.containers'))]
  const container = containers.find(({ name }) => name === status['name'])
  return shown(container?.['image']) || shown(status['image'])
}

function crashing(pod: KubeObject, status: Fields, subject: string): Trouble {
  const end = endOf(asFields(at(status, 'lastState.terminated')))
  const times = numberAt(status, 'restartCount')
  const { namespace = 'default', name = '' } = pod.metadata
  return {
    because: `${subject} keeps crashing${times > 0 ? `, ${times} times so far` : ''}: ${end}`,
    next: `look at what it said: kubectl logs -n ${namespace} ${name} -c ${shown(status['name'])} --previous`,
  }
}

function endOf(terminated: Fields): string {
  const message = textAt(terminated, 'message')?.trim() ?? ''
  if (terminated['reason'] === 'OOMKilled') return 'it used more memory than its limit'
  const code = `it exited with code ${numberAt(terminated, 'exitCode')}`
  return message === '' ? code : `${code}: ${message.split('\n').at(-1) ?? ''}`
}

function failed(pod: KubeObject): Trouble | undefined {
  if (at(pod, 'status.phase') !== 'Failed') return undefined
  const message = textAt(pod, 'status.message') ?? ''
  const reason = textAt(pod, 'status.reason') ?? ''
  if (message !== '' || reason !== '') return { because: message || reason }
  const ended = [
    ...asObjects(at(pod, 'status.initContainerStatuses')),
    ...asObjects(at(pod, 'status.containerStatuses')),
  ].find((status) => numberAt(status, 'state.terminated.exitCode') !== 0)
  if (!ended) return { because: 'it failed' }
  const { namespace = 'default', name = '' } = pod.metadata
  return {
    because: `container ${shown(ended['name'])} failed: ${endOf(asFields(at(ended, 'state.terminated')))}`,
    next: `look at what it said: kubectl logs -n ${namespace} ${name} -c ${shown(ended['name'])}`,
  }
}

function unready(pod: KubeObject, events: EventIndex): Trouble | undefined {
  const ready = conditionsOf(pod).find(({ type }) => type === 'Ready')
  if (at(pod, 'status.phase') !== 'Running' || ready?.status !== 'False') return undefined
  const waiting = asObjects(at(pod, 'status.containerStatuses')).find((status) => status['ready'] !== true)
  const probe = events.warning(pod, ['Unhealthy'])
  const subject = waiting ? `container ${shown(waiting['name'])}` : 'it'
  if (probe)
    return { because: `${subject} runs and is not ready: ${probe.message}`, next: 'look at its readiness probe' }
  const end = asFields(at(waiting ?? {}, 'lastState.terminated'))
  const before = Object.keys(end).length > 0 ? `; before, ${endOf(end)}` : ''
  return { because: `${subject} runs and is not ready yet${before}` }
}
