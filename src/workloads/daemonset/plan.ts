import type { KubeObject } from '../../kube/object.ts'
import { isFinished } from '../../kube/pod.ts'
import { isAvailable, isReady, nextAvailableInMs } from '../pods/pod-state.ts'
import { amountOf } from '../deployment/deployment.ts'
import { daemonSetSpecOf } from './daemonset.ts'
import type { NodeView, Observed } from './observe.ts'

/** What brings a DaemonSet closer to one Pod of the present template on every node that it wants. */
export interface DaemonSetPlan {
  /** Nodes that get a Pod. */
  readonly create: readonly string[]
  readonly remove: readonly KubeObject[]
  readonly status: object
  readonly againAfterMs?: number
  readonly because: string
}

const isGoing = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined

/** First every node gets what is missing and loses what is too much; then old Pods make way, a few at a time. */
export function planDaemonSet(seen: Observed): DaemonSetPlan {
  const { set, nodes, nowMs } = seen
  const { minReadySeconds = 0 } = daemonSetSpecOf(set)
  const status = statusOf(seen)
  const pods = nodes.flatMap((node) => node.pods)
  const waitMs = nextAvailableInMs(pods, minReadySeconds, nowMs)
  const later = waitMs === undefined ? {} : { againAfterMs: waitMs }
  if (isGoing(set)) return { create: [], remove: [], status, because: 'the DaemonSet is being deleted' }
  const create: string[] = []
  const remove: KubeObject[] = []
  for (const node of nodes) tend(node, seen, create, remove)
  if (create.length + remove.length > 0)
    return { create, remove, status, ...later, because: 'nodes lack or have too many Pods' }
  const update = planUpdate(seen)
  return { ...update, status, ...later, because: update.remove.length > 0 ? 'the template is new' : 'nothing to do' }
}

function tend(node: NodeView, seen: Observed, create: string[], remove: KubeObject[]): void {
  const ended = node.pods.filter((pod) => isFinished(pod) && !isGoing(pod))
  const living = node.pods.filter((pod) => !isFinished(pod) && !isGoing(pod))
  remove.push(...ended)
  if (!node.mayStay) remove.push(...living)
  else if (node.shouldRun && node.pods.length === 0) create.push(node.name)
  else {
    // While one is replaced by surge there are two: the old one and the new one.
    const groups = [living.filter((pod) => isCurrent(pod, seen)), living.filter((pod) => !isCurrent(pod, seen))]
    for (const group of groups) remove.push(...group.toSorted(olderFirst).slice(1))
  }
}

const isCurrent = (pod: KubeObject, { revisions }: Observed): boolean =>
  pod.metadata.labels?.['controller-revision-hash'] === revisions.hash

const olderFirst = (a: KubeObject, b: KubeObject): number =>
  (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1

// Semantics: kubernetes 1.33, pkg/controller/daemon/update.go.
function planUpdate(seen: Observed): Pick<DaemonSetPlan, 'create' | 'remove'> {
  const { set, nodes, nowMs } = seen
  const { updateStrategy = {}, minReadySeconds = 0 } = daemonSetSpecOf(set)
  if (updateStrategy.type === 'OnDelete') return { create: [], remove: [] }
  const wanted = nodes.filter(({ shouldRun }) => shouldRun)
  const { maxUnavailable = 1, maxSurge = 0 } = updateStrategy.rollingUpdate ?? {}
  const surge = amountOf(maxSurge, wanted.length, Math.ceil)
  const serves = (pod: KubeObject | undefined): boolean => pod !== undefined && isAvailable(pod, minReadySeconds, nowMs)
  const pairs = nodes.map(({ name, pods, shouldRun }): Pair => {
    const living = pods.filter((pod) => !isGoing(pod))
    const [next, old] = [living.find((pod) => isCurrent(pod, seen)), living.find((pod) => !isCurrent(pod, seen))]
    return { name, next, old, shouldRun, nextServes: serves(next), oldServes: serves(old) }
  })
  if (surge > 0) return bySurge(pairs, surge)
  const allowed = Math.max(1, amountOf(maxUnavailable, wanted.length, Math.ceil))
  return byReplacing(pairs, allowed)
}

/** The Pods of a node that are not on their way out: that of the present template, and an older one. */
interface Pair {
  readonly name: string
  readonly next: KubeObject | undefined
  readonly old: KubeObject | undefined
  readonly shouldRun: boolean
  readonly nextServes: boolean
  readonly oldServes: boolean
}

/** Old Pods that do not work go at once; the others as far as enough nodes are served. */
function byReplacing(pairs: readonly Pair[], most: number): Pick<DaemonSetPlan, 'create' | 'remove'> {
  const only = pairs.filter(({ next, old }) => !next && old)
  const broken = only.flatMap(({ old, oldServes }) => (old && !oldServes ? [old] : []))
  const working = only.flatMap(({ old, oldServes }) => (old && oldServes ? [old] : []))
  const unavailable = pairs.filter(
    ({ next, old, shouldRun, nextServes }) => shouldRun && (next ? !old && !nextServes : !old),
  ).length
  return { create: [], remove: [...broken, ...working.slice(0, Math.max(0, most - unavailable))] }
}

/** A new Pod comes beside the old one, which goes when the new one serves. */
function bySurge(pairs: readonly Pair[], most: number): Pick<DaemonSetPlan, 'create' | 'remove'> {
  const doubled = pairs.filter(({ next, old }) => next && old)
  const remove = doubled.flatMap(({ old, nextServes }) => (old && nextServes ? [old] : []))
  const coming = doubled.filter(({ nextServes }) => !nextServes).length
  const alone = pairs.filter(({ next, old, shouldRun }) => !next && old && shouldRun)
  const broken = alone.filter(({ oldServes }) => !oldServes)
  const working = alone.filter(({ oldServes }) => oldServes).slice(0, Math.max(0, most - coming))
  return { create: [...broken, ...working].map(({ name }) => name), remove }
}

function statusOf(seen: Observed): object {
  const { set, nodes, nowMs } = seen
  const { minReadySeconds = 0 } = daemonSetSpecOf(set)
  const before = (set['status'] ?? {}) as { readonly collisionCount?: number }
  const wanted = nodes.filter(({ shouldRun }) => shouldRun)
  const count = (views: readonly NodeView[], holds: (pod: KubeObject) => boolean): number =>
    views.filter(({ pods }) => pods.some((pod) => !isGoing(pod) && holds(pod))).length
  const available = count(wanted, (pod) => isAvailable(pod, minReadySeconds, nowMs))
  const updated = count(wanted, (pod) => isCurrent(pod, seen))
  const unavailable = wanted.length - available
  return {
    currentNumberScheduled: count(wanted, () => true),
    numberMisscheduled: count(
      nodes.filter(({ shouldRun }) => !shouldRun),
      () => true,
    ),
    desiredNumberScheduled: wanted.length,
    numberReady: count(wanted, isReady),
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(updated > 0 ? { updatedNumberScheduled: updated } : {}),
    ...(available > 0 ? { numberAvailable: available } : {}),
    ...(unavailable > 0 ? { numberUnavailable: unavailable } : {}),
    ...(before.collisionCount === undefined ? {} : { collisionCount: before.collisionCount }),
  }
}
