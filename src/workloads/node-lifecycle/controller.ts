import { conditionOf, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Controller, retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { Node, Pod } from '../pods/kinds.ts'
import { podStatusOf } from '../pods/pod-state.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { targetOf, writeStatus } from '../pods/write.ts'
import { EvictionPace } from './evictions.ts'
import { isNodeReady, nodeConditionsOf, type NodePlan, planNode, taintsOf } from './plan.ts'

/** Notices nodes that fall silent, taints those in trouble, and says of their Pods that they are not ready. */
export function nodeLifecycleController(ports: WorkloadPorts): Controller {
  const { caches, clock } = ports
  const heard = new Map<string, number>()
  /** Nodes that have ceased to be ready, and whose Pods have not been told so yet. */
  const failed = new Set<string>()
  const pace = new EvictionPace()
  const hear = (name: string): void => void heard.set(name, clock.now())
  return {
    name: 'node-lifecycle',
    watches: [
      {
        informer: caches.nodes,
        // It is also asked about what was before the change: that has nothing to say.
        keys(_about, { object: node, key, type, previous }) {
          const name = node.metadata.name ?? ''
          if (previous && isNodeReady(previous) && !isNodeReady(node)) failed.add(name)
          if (isNodeReady(node)) failed.delete(name)
          if (type === 'removed') heard.delete(name)
          else if (!heard.has(name) || (previous && heartbeatOf(node) !== heartbeatOf(previous))) hear(name)
          return [key]
        },
      },
      {
        informer: caches.leases,
        keys(lease, { type }) {
          if (type !== 'removed') hear(lease.metadata.name ?? '')
          return []
        },
      },
      { informer: caches.pods, keys: () => [] },
    ],
    async reconcile(key, context) {
      const node = caches.nodes.cache.get(key)
      if (!node || node.metadata.deletionTimestamp !== undefined) return done
      const nowMs = clock.now()
      const name = node.metadata.name ?? ''
      const heardMs = heard.get(name) ?? nowMs
      const nodes = caches.nodes.cache.list()
      const plan = planNode({ node, heardMs, nowMs, ...pace.allowance(node, nodes, nowMs) })
      const evicts = (plan.taints ?? []).some(isEvicting) && !taintsOf(node).some(isEvicting)
      if (evicts) pace.spend(node, nodes, nowMs)
      return applyNode(node, plan, failed, ports, context)
    },
  }
}

const isEvicting = ({ key, effect }: { readonly key: string; readonly effect: string }): boolean =>
  effect === 'NoExecute' && (key === 'node.kubernetes.io/not-ready' || key === 'node.kubernetes.io/unreachable')

/** When the node itself said last how it is. */
const heartbeatOf = (node: KubeObject): unknown =>
  (conditionOf(nodeConditionsOf(node), 'Ready') as { readonly lastHeartbeatTime?: string } | undefined)
    ?.lastHeartbeatTime

async function applyNode(
  node: KubeObject,
  plan: NodePlan,
  failed: Set<string>,
  ports: WorkloadPorts,
  { log, signal }: TurnContext,
): Promise<Turn> {
  const { client, caches, events } = ports
  const name = node.metadata.name ?? ''
  let latest = node
  if (plan.conditions) {
    log.info('a node is silent', { node: name, because: plan.because })
    const status = { ...(node['status'] as object), conditions: plan.conditions }
    const written = await client.update({ ...targetOf(Node, node), subresource: 'status' }, { ...node, status })
    if (!written.ok) return written.error.reason === 'NotFound' ? done : retryAfter(written.error)
    latest = written.value
    await caches.nodes.caughtUp(latest, signal)
  }
  if (plan.taints) {
    const spec = { ...(latest['spec'] as object), taints: plan.taints }
    const written = await client.update(targetOf(Node, latest), { ...latest, spec })
    if (!written.ok) return written.error.reason === 'NotFound' ? done : retryAfter(written.error)
    latest = written.value
    await caches.nodes.caughtUp(latest, signal)
  }
  if (plan.hasFailed)
    events.note(node, { type: 'Normal', reason: 'NodeNotReady', message: `Node ${name} status is now: NodeNotReady` })
  // Pods of a silent node stay as they are told to be; a node that is only unready may say again how they are.
  const isSilent = conditionOf(nodeConditionsOf(latest), 'Ready')?.status === 'Unknown'
  const refused = isSilent || failed.has(name) ? await markPods(name, ports, signal) : undefined
  if (refused) return retryAfter(refused)
  failed.delete(name)
  return again(plan.againAfterMs, plan.because)
}

/** Nothing behind a Service should still count on Pods of a node that is not ready. */
async function markPods(
  node: string,
  { client, caches, clock, events }: WorkloadPorts,
  signal: AbortSignal,
): ReturnType<typeof writeStatus> {
  for (const pod of caches.pods.cache.by('node', node)) {
    const status = podStatusOf(pod)
    const ready = conditionOf(status.conditions, 'Ready')
    if (ready?.status !== 'True') continue
    const conditions = setCondition(status.conditions, { ...ready, status: 'False' }, clock.now())
    const place = { client, kind: Pod, informer: caches.pods, signal }
    const refused = await writeStatus(place, pod, { ...status, conditions })
    if (refused) return refused
    events.note(pod, { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' })
  }
  return undefined
}
