import type { KubeObject } from '../../kube/object.ts'
import { podSpecOf } from '../../kube/pod.ts'
import { isEqual } from '../../lib/json.ts'
import { podStatusOf } from '../pods/pod-state.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { candidates } from '../volumes/observe.ts'
import { podClaimsOf } from '../volumes/pod-claims.ts'
import { classOf } from '../volumes/volumes.ts'
import type { ClusterView } from './cluster-view.ts'
import { type Demand, demandOf } from './demand.ts'
import { type Budget, budgetOf } from './preemption.ts'
import { comesBefore } from './plan.ts'
import type { Snapshot } from './topology.ts'
import { type VolumeFacts, volumeFacts } from './volumes.ts'

/** A Pod that wants a node, and all that its way there depends on. */
export interface Observed {
  readonly pod: KubeObject
  readonly demand: Demand
  readonly snapshot: Snapshot
  readonly budgets: readonly Budget[]
  /** The volumes of its claims; undefined when it has none. */
  readonly volumes: VolumeFacts | undefined
  /** Pods of lower priority are already leaving the node that this one was promised. */
  readonly isRoomBeingMade: boolean
}

/** What the last try was made on; while nothing of it has moved, another would end the same. */
export interface Tried {
  readonly pod: unknown
  readonly openings: number
  readonly arrivals: number
  readonly storage: number
}

/** The Pods to try now, the most important first. */
export function observePending(view: ClusterView, tried: ReadonlyMap<string, Tried>): readonly Demand[] {
  return view
    .pending('default-scheduler')
    .filter((pod) => !isGated(pod))
    .map(demandOf)
    .filter((demand) => isWorthTrying(demand, view, tried.get(demand.key)))
    .toSorted(comesBefore)
}

function isGated(pod: KubeObject): boolean {
  const gates = podSpecOf(pod)['schedulingGates']
  return Array.isArray(gates) && gates.length > 0
}

function isWorthTrying(demand: Demand, view: ClusterView, last: Tried | undefined): boolean {
  if (!last || last.openings !== view.openings || !isEqual(last.pod, podSpecOf(demand.pod))) return true
  if (demand.claims.length > 0 && last.storage !== view.storage) return true
  const wantsCompany = demand.affinity.length > 0 || demand.spread.length > 0
  return wantsCompany && last.arrivals !== view.arrivals
}

/** Reads what placing one Pod depends on, at this moment. */
export function observePlacement(demand: Demand, view: ClusterView, { caches }: WorkloadPorts): Observed {
  const { nominatedNodeName } = podStatusOf(demand.pod)
  const nominated = nominatedNodeName ? view.node(nominatedNodeName) : undefined
  const isRoomBeingMade = [...(nominated?.pods.values() ?? [])].some(
    ({ pod, priority }) => pod.metadata.deletionTimestamp !== undefined && priority < demand.priority,
  )
  return {
    pod: demand.pod,
    demand,
    snapshot: view.snapshotFor(demand),
    budgets: caches.budgets.cache.list().map(budgetOf),
    isRoomBeingMade,
    volumes: observeVolumes(demand, caches),
  }
}

/** Reads the claims of a Pod and what could become their volumes. */
export function observeVolumes(demand: Demand, caches: WorkloadPorts['caches']): VolumeFacts | undefined {
  if (demand.claims.length === 0) return undefined
  const { namespace, pod } = demand
  const uses = podClaimsOf(pod).map(({ claim: name, template }) => {
    const key = `${namespace}/${name}`
    const claim = caches.claims.cache.get(key)
    const storage = claim && classOf(claim)
    return {
      name,
      isOwn: template !== undefined,
      claim,
      storage: storage ? caches.classes.cache.get(`/${storage}`) : undefined,
      candidates: claim ? candidates(claim, key, caches) : [],
    }
  })
  return volumeFacts(pod, uses)
}
