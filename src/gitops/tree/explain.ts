import type { KubeObject } from '../../kube/object.ts'
import { keyText } from '../compare/comparison.ts'
import { keyOf } from '../compare/tracking.ts'
import { at, conditionsOf, shown, textAt } from '../health/reading.ts'
import { type HealthStatus, isWorse } from '../health/status.ts'
import type { EventIndex } from './events.ts'
import type { Ownership } from './owner-index.ts'
import { podTrouble, type Trouble } from './pod-trouble.ts'

/** What an explanation looks at. */
export interface Explaining {
  readonly index: Ownership
  readonly events: EventIndex
  readonly healthOf: (object: KubeObject) => HealthStatus | undefined
}

const DEEPEST = 8

/**
 * Why an object is not as it should be, from itself down to what is at fault:
 * `waiting: ReplicaSet web-5d9: Pod web-5d9-x (and 2 more): image web:2 cannot be pulled: …`. Undefined when all is well.
 */
export function explain(object: KubeObject, seen: Explaining): Trouble | undefined {
  return blame(object, seen, 0, new Set())
}

/** The same as one text, for those who only wait; '' when nothing is known. */
export function blockerOf(object: KubeObject, seen: Explaining): string {
  return explain(object, seen)?.because ?? ''
}

function blame(object: KubeObject, seen: Explaining, depth: number, met: Set<string>): Trouble | undefined {
  const key = keyText(keyOf(object))
  if (depth > DEEPEST || met.has(key)) return undefined
  met.add(key)
  if (isPod(object)) return podTrouble(object, seen.events)
  const health = seen.healthOf(object)
  const below = blameBelow(object, seen, depth, met)
  const word = health?.status === 'Degraded' ? 'failing' : 'waiting'
  if (below) return { ...below, because: depth === 0 ? `${word}: ${below.because}` : below.because }
  return ownTrouble(object, health, seen.events)
}

const isPod = ({ apiVersion, kind }: KubeObject): boolean => apiVersion === 'v1' && kind === 'Pod'

interface Found {
  readonly child: KubeObject
  readonly trouble: Trouble
  readonly health: HealthStatus | undefined
}

/** The worst of what an object owns; several in the same trouble are told of once. */
function blameBelow(object: KubeObject, seen: Explaining, depth: number, met: Set<string>): Trouble | undefined {
  if (seen.healthOf(object)?.status === 'Healthy' && depth === 0) return undefined
  const found = current(object, seen.index.childrenOf(object)).flatMap((child): readonly Found[] => {
    const trouble = blame(child, seen, depth + 1, met)
    return trouble ? [{ child, trouble, health: seen.healthOf(child) }] : []
  })
  const worst = found.reduce<Found | undefined>(
    (least, one) =>
      !least || isWorse(least.health?.status ?? 'Healthy', one.health?.status ?? 'Healthy') ? one : least,
    undefined,
  )
  if (!worst) return undefined
  const same = found.filter(
    ({ child, trouble }) => child.kind === worst.child.kind && likeness(trouble) === likeness(worst.trouble),
  )
  const times = object.kind === 'Job' ? at(object, 'status.failed') : undefined
  if (typeof times === 'number' && times > 1) {
    return { ...worst.trouble, because: `Pod failed ${times} times: ${worst.trouble.because}` }
  }
  const others = same.length > 1 ? ` (and ${same.length - 1} more)` : ''
  return {
    ...worst.trouble,
    because: `${worst.child.kind} ${worst.child.metadata.name ?? ''}${others}: ${worst.trouble.because}`,
  }
}

/** Troubles that begin alike are the same one: names and counts come later. */
const likeness = ({ because }: Trouble): string => because.split(/[:,]/, 1)[0] ?? ''

/** Of the ReplicaSets of a Deployment only the newest is to be waited for. */
function current(owner: KubeObject, children: readonly KubeObject[]): readonly KubeObject[] {
  if (owner.kind !== 'Deployment' && owner.kind !== 'Rollout') return children
  const sets = children.filter(({ kind }) => kind === 'ReplicaSet')
  const newest = sets.reduce((most, one) => Math.max(most, revisionOf(one)), 0)
  return children.filter((child) => child.kind !== 'ReplicaSet' || revisionOf(child) === newest)
}

const revisionOf = ({ metadata }: KubeObject): number =>
  Number(
    metadata.annotations?.['deployment.kubernetes.io/revision'] ??
      metadata.annotations?.['rollout.argoproj.io/revision'] ??
      0,
  )

const FAILURES: readonly string[] = [
  'FailedCreate',
  'FailedUpdate',
  'FailedScale',
  'ProvisioningFailed',
  'FailedBinding',
]

/** What an object says itself: what its controller was refused, or its health. */
function ownTrouble(object: KubeObject, health: HealthStatus | undefined, events: EventIndex): Trouble | undefined {
  const { deletionTimestamp, finalizers = [] } = object.metadata
  if (deletionTimestamp !== undefined && finalizers.length > 0) {
    return { because: `it is being deleted and waits for ${finalizers.join(', ')}`, next: 'see who is to remove them' }
  }
  if (health?.status === 'Healthy') return undefined
  const refused = conditionsOf(object).find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
  if (refused)
    return {
      because: `its Pods cannot be made: ${shown(refused.message)}`,
      next: nextOfRefusal(shown(refused.message)),
    }
  const notice = events.warning(object, FAILURES)
  if (notice) return { because: `${verbOf(notice.reason)}: ${notice.message}`, next: nextOfRefusal(notice.message) }
  return kindTrouble(object) ?? (health?.message ? { because: health.message } : undefined)
}

const verbOf = (reason: string): string =>
  reason === 'FailedCreate'
    ? 'what it needs cannot be made'
    : reason === 'FailedBinding'
      ? 'it cannot be bound'
      : reason

function nextOfRefusal(message: string): string {
  if (/exceeded quota|forbidden: .*quota/i.test(message))
    return 'raise the ResourceQuota of the namespace, or ask for less'
  if (/admission webhook|denied|policy|violat/i.test(message)) return 'change the manifest so that the policy allows it'
  return 'see the message'
}

function kindTrouble(object: KubeObject): Trouble | undefined {
  switch (object.kind) {
    case 'PersistentVolumeClaim':
      return at(object, 'status.phase') === 'Pending'
        ? { because: `no volume is bound to it yet (class ${textAt(object, 'spec.storageClassName') || 'none'})` }
        : undefined
    case 'Service':
      return at(object, 'spec.type') === 'LoadBalancer' && at(object, 'status.loadBalancer.ingress') === undefined
        ? { because: 'it has no address yet', next: 'see whether the cluster provides load balancers' }
        : undefined
    case 'Job':
      return jobTrouble(object)
    default:
      return undefined
  }
}

function jobTrouble(job: KubeObject): Trouble | undefined {
  const failed = conditionsOf(job).find(({ type, status }) => type === 'Failed' && status === 'True')
  if (failed) return { because: `it failed: ${shown(failed.message)}` }
  const times = at(job, 'status.failed')
  return typeof times === 'number' && times > 0 ? { because: `its Pod failed ${times} times` } : undefined
}
