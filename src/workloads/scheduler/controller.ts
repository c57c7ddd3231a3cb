import { podSpecOf } from '../../kube/pod.ts'
import { isEqual } from '../../lib/json.ts'
import type { Controller, TurnContext } from '../../runtime/controller.ts'
import type { CacheChange } from '../../runtime/informer.ts'
import { done, retry, type Turn } from '../../runtime/work-queue.ts'
import { podStatusOf } from '../pods/pod-state.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { bindPod, evictVictims, tellUnschedulable } from './apply.ts'
import { ClusterView } from './cluster-view.ts'
import { decide } from './decision.ts'
import type { Demand } from './demand.ts'
import { nodeState } from './node.ts'
import { observePending, observePlacement, type Tried } from './observe.ts'

/** There is one key: all Pods compete for the same nodes, so one turn looks at all that wait. */
const CLUSTER = ['/cluster']
const nothing: readonly string[] = []

/** Places Pods on nodes, the most important first. */
export function schedulerController(ports: WorkloadPorts): Controller {
  const { caches } = ports
  const view = new ClusterView(caches)
  const tried = new Map<string, Tried>()
  let isFollowing = false
  return {
    name: 'scheduler',
    retryDelay: { firstMs: 100, longestMs: 10_000 },
    watches: [
      { informer: caches.pods, keys: (_pod, change) => (concernsPods(change) ? CLUSTER : nothing) },
      { informer: caches.nodes, keys: (_node, change) => (concernsNodes(change) ? CLUSTER : nothing) },
      { informer: caches.namespaces, keys: () => nothing },
      { informer: caches.budgets, keys: () => nothing },
    ],
    async reconcile(_key, context) {
      // The first turn comes once the caches are complete.
      if (!isFollowing) view.follow()
      isFollowing = true
      return placeAll(view, tried, ports, context)
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

async function placeAll(
  view: ClusterView,
  tried: Map<string, Tried>,
  ports: WorkloadPorts,
  { log, signal }: TurnContext,
): Promise<Turn> {
  const binds: Promise<void>[] = []
  const refusals: string[] = []
  for (const demand of observePending(view, tried)) {
    if (signal.aborted) break
    const seen = observePlacement(demand, view, ports)
    const decision = decide(seen)
    if (decision.do === 'bind') {
      view.assume(demand, decision.node)
      tried.delete(demand.key)
      binds.push(bind(demand, decision.node, refusals, { view, ports }))
      continue
    }
    log.debug('a pod has no node', { pod: demand.key, because: decision.because })
    const isMakingRoom = decision.do === 'make-room'
    if (isMakingRoom) await evictVictims(demand.pod, decision, ports)
    const nominated = isMakingRoom ? decision.node : undefined
    const refused = await tellUnschedulable(demand.pod, { because: decision.because, nominated }, ports)
    if (refused) refusals.push(refused.message)
    remember(tried, demand, view)
  }
  await Promise.all(binds)
  forgetGone(tried, ports)
  return refusals[0] === undefined ? done : retry(refusals[0])
}

function remember(tried: Map<string, Tried>, demand: Demand, { openings, arrivals }: ClusterView): void {
  tried.set(demand.key, { pod: podSpecOf(demand.pod), openings, arrivals })
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
