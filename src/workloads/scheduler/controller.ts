import type { KubeObject } from '../../kube/object.ts'
import { podSpecOf } from '../../kube/pod.ts'
import { isEqual } from '../../lib/json.ts'
import type { Controller, TurnContext } from '../../runtime/controller.ts'
import type { CacheChange } from '../../runtime/informer.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { again, done, retry, type Turn } from '../../runtime/work-queue.ts'
import { podStatusOf } from '../pods/pod-state.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { volumeSpecOf } from '../volumes/volumes.ts'
import { bindPod, evictVictims, tellUnschedulable, writeVolumeSteps } from './apply.ts'
import { ClusterView } from './cluster-view.ts'
import { decide, type Decision } from './decision.ts'
import type { Demand } from './demand.ts'
import { nodeState } from './node.ts'
import { observePending, observePlacement, type Tried } from './observe.ts'
import { Reservations } from './reservations.ts'

/** There is one key: all Pods compete for the same nodes, so one turn looks at all that wait. */
const CLUSTER = ['/cluster']
const nothing: readonly string[] = []

/** Places Pods on nodes, the most important first. */
export function schedulerController(ports: WorkloadPorts): Controller {
  const { caches } = ports
  const view = new ClusterView(caches)
  const tried = new Map<string, Tried>()
  const reserved = new Reservations()
  /** A claim that a Pod without a node uses, or that a place is kept for. */
  const concernsClaims = (claim: KubeObject): boolean =>
    reserved.size > 0 || caches.pods.cache.by('claim', keyOf(claim)).length > 0
  let isFollowing = false
  return {
    name: 'scheduler',
    retryDelay: { firstMs: 100, longestMs: 10_000 },
    watches: [
      { informer: caches.pods, keys: (_pod, change) => (concernsPods(change) ? CLUSTER : nothing) },
      { informer: caches.nodes, keys: (_node, change) => (concernsNodes(change) ? CLUSTER : nothing) },
      { informer: caches.namespaces, keys: () => nothing },
      { informer: caches.budgets, keys: () => nothing },
      { informer: caches.claims, keys: (claim) => (concernsClaims(claim) ? CLUSTER : nothing) },
      { informer: caches.volumes, keys: (volume) => (isFree(volume) ? CLUSTER : nothing) },
      { informer: caches.classes, keys: () => CLUSTER },
    ],
    async reconcile(_key, context) {
      // The first turn comes once the caches are complete.
      if (!isFollowing) view.follow()
      isFollowing = true
      return placeAll({ view, tried, reserved, ports }, context)
    },
  }
}

/** A status that changes frees nothing, unless the Pod has ended. */
function concernsPods({ type, object, previous }: CacheChange): boolean {
  if (type !== 'changed' || !previous) return true
  if (!podSpecOf(object).nodeName) return podSpecOf(previous) !== podSpecOf(object)
  return (podStatusOf(previous).phase ?? '') !== (podStatusOf(object).phase ?? '')
}

const concernsNodes = ({ object, previous }: CacheChange): boolean =>
  previous === undefined || !isEqual(nodeState(object), nodeState(previous))

/** A volume that anybody may have. */
const isFree = (volume: KubeObject): boolean => volumeSpecOf(volume).claimRef === undefined

interface Scheduling {
  readonly view: ClusterView
  readonly tried: Map<string, Tried>
  readonly reserved: Reservations
  readonly ports: WorkloadPorts
}

async function placeAll(scheduling: Scheduling, { log, signal }: TurnContext): Promise<Turn> {
  const { view, tried, reserved, ports } = scheduling
  const binds: Promise<void>[] = []
  const refusals: string[] = []
  for (const { demand, node, verdict, because } of reserved.settled(ports)) {
    if (verdict === 'ready') binds.push(bind(demand, node, refusals, { view, ports }))
    else {
      view.withdraw(demand)
      const refused = await tellUnschedulable(demand.pod, { because, nominated: undefined }, ports)
      if (refused) refusals.push(refused.message)
    }
  }
  for (const demand of observePending(view, tried)) {
    if (signal.aborted) break
    // As it was when the decision was made: what comes while it is written counts as new.
    const stamp: Tried = {
      pod: podSpecOf(demand.pod),
      openings: view.openings,
      arrivals: view.arrivals,
      storage: view.storage,
    }
    const seen = observePlacement(demand, view, ports)
    const decision = decide(seen)
    if (decision.do === 'bind') {
      view.assume(demand, decision.node)
      tried.delete(demand.key)
      if (decision.volumes.length > 0) {
        reserved.keep(demand, decision.node, ports.clock.now())
        binds.push(prepareVolumes(demand, decision, refusals, scheduling))
        continue
      }
      binds.push(bind(demand, decision.node, refusals, { view, ports }))
      continue
    }
    log.debug('a pod has no node', { pod: demand.key, because: decision.because })
    const isMakingRoom = decision.do === 'make-room'
    if (isMakingRoom) await evictVictims(demand.pod, decision, ports)
    const promised =
      decision.do === 'wait' && decision.isPromiseKept ? podStatusOf(demand.pod).nominatedNodeName : undefined
    const nominated = isMakingRoom ? decision.node : promised
    const refused = await tellUnschedulable(demand.pod, { because: decision.because, nominated }, ports)
    if (refused) refusals.push(refused.message)
    tried.set(demand.key, stamp)
  }
  await Promise.all(binds)
  forgetGone(tried, ports)
  if (refusals[0] !== undefined) return retry(refusals[0])
  const waitMs = reserved.nextTimeoutMs(ports.clock.now())
  return waitMs === undefined ? done : again(waitMs, 'volumes are being made')
}

async function prepareVolumes(
  demand: Demand,
  { node, volumes }: Extract<Decision, { do: 'bind' }>,
  refusals: string[],
  { view, reserved, ports }: Scheduling,
): Promise<void> {
  const refused = await writeVolumeSteps(volumes, ports)
  if (!refused) return
  reserved.drop(demand.key)
  view.withdraw(demand)
  refusals.push(`${node} is not taken: ${refused.message}`)
}

function forgetGone(tried: Map<string, Tried>, { caches }: WorkloadPorts): void {
  for (const key of tried.keys()) if (!caches.pods.cache.get(key)) tried.delete(key)
}

async function bind(
  demand: Demand,
  node: string,
  refusals: string[],
  { view, ports }: { readonly view: ClusterView; readonly ports: WorkloadPorts },
): Promise<void> {
  const refused = await bindPod(demand, node, ports)
  if (!refused) return
  view.withdraw(demand)
  if (refused.reason !== 'NotFound') refusals.push(refused.message)
}
