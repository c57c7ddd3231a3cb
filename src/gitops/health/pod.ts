import type { KubeObject } from '../../kube/object.ts'
import { isHook } from '../sync/hook.ts'
import { degraded, health, healthy, progressing, unknown } from './notation.ts'
import { asFields, asObjects, at, conditionsOf, type Fields, numberAt, shown, textAt } from './reading.ts'
import type { HealthStatus } from './status.ts'

const FAILING = /^Err|Error$|BackOff$/

/** Pods that end by themselves are hooks more often than not: an image that cannot be pulled yet must not fail those. */
function isLongRunning(pod: Fields): boolean {
  if (at(pod, 'spec.restartPolicy') === 'Always') return true
  const ignores = asFields(at(pod, 'metadata.annotations'))['argocd.argoproj.io/ignore-restart-policy'] === 'true'
  return ignores && !isHook(pod as KubeObject) // a Pod: it was found by its kind
}

/** The health of a Pod. */
export function podHealth(pod: Fields): HealthStatus {
  const containers = asObjects(at(pod, 'status.containerStatuses'))
  const isLong = isLongRunning(pod)
  if (isLong) {
    const stuck = containers.filter((container) => FAILING.test(shown(at(container, 'state.waiting.reason'))))
    if (stuck.length > 0) {
      return degraded(stuck.map((container) => shown(at(container, 'state.waiting.message'))).join(', '))
    }
  }
  const message = textAt(pod, 'status.message')
  const phase: unknown = at(pod, 'status.phase')
  switch (phase) {
    case 'Pending':
      return progressing(message)
    case 'Succeeded':
      return healthy(message)
    case 'Failed':
      return degraded(message || failureOf(pod))
    case 'Running':
      return isLong ? servingHealth(pod, containers, message) : running(pod, message)
    default:
      return unknown(message)
  }
}

function running(pod: Fields, message: string | undefined): HealthStatus {
  const policy = at(pod, 'spec.restartPolicy')
  return health(policy === 'OnFailure' || policy === 'Never' ? 'Progressing' : 'Unknown', message)
}

function servingHealth(pod: Fields, containers: readonly Fields[], message: string | undefined): HealthStatus {
  const isReady = conditionsOf(pod).some(({ type, status }) => type === 'Ready' && status === 'True')
  if (isReady) return healthy(message)
  const hasCrashed = containers.some((container) => at(container, 'lastState.terminated') !== undefined)
  return health(hasCrashed ? 'Degraded' : 'Progressing', message)
}

function failureOf(pod: Fields): string {
  const all = [...asObjects(at(pod, 'status.initContainerStatuses')), ...asObjects(at(pod, 'status.containerStatuses'))]
  for (const container of all) {
    const ended = asFields(at(container, 'state.terminated'))
    const message = textAt(ended, 'message')
    if (message) return message
    if (ended['reason'] === 'OOMKilled') return 'OOMKilled'
    const code = numberAt(ended, 'exitCode')
    if (code !== 0) return `container "${shown(container['name'])}" failed with exit code ${code}`
  }
  return ''
}
