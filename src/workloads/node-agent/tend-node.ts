import type { KubeObject } from '../../kube/object.ts'
import { type Condition, conditionOf } from '../../kube/condition.ts'
import { formatMicroTime, parseTime } from '../../kube/time.ts'
import { isEqual } from '../../lib/json.ts'
import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { Lease, Node } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { writeStatus } from '../pods/write.ts'
import type { Addresses } from './addresses.ts'
import { type DeclaredNode, nodeObject } from './declared-nodes.ts'

/** An annotation by which a node is lost (nothing is heard of it, nothing runs on it), or says that it is not ready. */
export const NODE_SIMULATION = 'simulate.idp.dev/node'

const HEARTBEAT_MS = 10_000
/** A node that is well says so again so often. */
const STATUS_MS = 300_000
const LEASE_SECONDS = 40
const NAMESPACE = 'kube-node-lease'

/** A declared node, and whether the cluster knows it. */
export interface ObservedNode {
  readonly wanted: KubeObject
  readonly found: KubeObject | undefined
  readonly nowMs: number
}

/** Reads a declared node from the cache. */
export function observeNode(
  key: string,
  nodes: readonly DeclaredNode[],
  addresses: Addresses,
  { caches, clock }: WorkloadPorts,
): ObservedNode | undefined {
  const name = key.slice(1)
  const index = nodes.findIndex((node) => node.name === name)
  const declared = nodes[index]
  if (!declared) return undefined
  const nowMs = clock.now()
  const wanted = nodeObject(declared, index, addresses.hostIP(name), nowMs)
  return { wanted, found: caches.nodes.cache.get(key), nowMs }
}

/** Nobody hears of the node: neither does it say anything, nor move its Pods. */
export const isLost = (node: KubeObject | undefined): boolean =>
  node?.metadata.annotations?.[NODE_SIMULATION] === 'lost'

/** Registers the node once, says how it is, and renews its lease. A node that was deleted stays away until the next start. */
export async function tendNode(
  seen: ObservedNode | undefined,
  registered: Set<string>,
  ports: WorkloadPorts,
  { signal }: TurnContext,
): Promise<Turn> {
  if (!seen) return done
  const { client, caches } = ports
  const known = seen.wanted.metadata.name ?? ''
  if (!seen.found && registered.has(known)) return done
  if (!seen.found) {
    const created = await client.create({ resource: Node }, seen.wanted)
    if (!created.ok && created.error.reason !== 'AlreadyExists') return retryAfter(created.error)
    if (created.ok) await caches.nodes.caughtUp(created.value, signal)
  }
  registered.add(known)
  if (isLost(seen.found)) return done
  const unsaid = seen.found && (await tellStatus(seen.found, seen, ports, signal))
  if (unsaid) return retryAfter(unsaid)
  const name = seen.wanted.metadata.name ?? ''
  const target = { resource: Lease, namespace: NAMESPACE, name }
  const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime: formatMicroTime(seen.nowMs) }
  const renewed = await client.patch(target, { type: 'merge', body: { spec } })
  if (!renewed.ok && renewed.error.reason === 'NotFound') {
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: NAMESPACE, ...ownedBy(seen.found) },
      spec,
    }
    const made = await client.create({ resource: Lease, namespace: NAMESPACE }, lease)
    if (!made.ok) return retryAfter(made.error)
  }
  return again(HEARTBEAT_MS, 'the lease is renewed')
}

/** The lease goes with its node. */
function ownedBy(node: KubeObject | undefined): object {
  const { name, uid } = node?.metadata ?? {}
  return uid === undefined ? {} : { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] }
}

/** Says how the node is, where what is said of it is different, and again from time to time. */
function tellStatus(
  node: KubeObject,
  { wanted, nowMs }: ObservedNode,
  { client, caches }: WorkloadPorts,
  signal: AbortSignal,
): ReturnType<typeof writeStatus> {
  const said = statusOf(node)
  const now = statusOf(wanted)
  const isUnready = node.metadata.annotations?.[NODE_SIMULATION] === 'not-ready'
  const conditions = (now.conditions ?? []).map((condition) => {
    const next: Condition =
      isUnready && condition.type === 'Ready'
        ? { ...condition, status: 'False', reason: 'KubeletNotReady', message: 'the node was told not to be ready' }
        : condition
    const before = conditionOf(said.conditions, condition.type)
    const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : next.lastTransitionTime
    return { ...next, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) }
  })
  const others = (said.conditions ?? []).filter(({ type }) => !conditionOf(conditions, type))
  const status = { ...said, ...now, conditions: [...others, ...conditions] }
  const heard = parseTime(
    (said.conditions?.[0] as { readonly lastHeartbeatTime?: string } | undefined)?.lastHeartbeatTime ?? '',
  )
  const isRecent = heard !== undefined && nowMs - heard < STATUS_MS
  if (isRecent && isEqual(quiet(said), quiet(status))) return Promise.resolve(undefined)
  return writeStatus({ client, kind: Node, informer: caches.nodes, signal }, node, status)
}

interface NodeStatus {
  readonly conditions?: readonly Condition[]
  readonly [field: string]: unknown
}

const statusOf = (node: KubeObject): NodeStatus => (node['status'] ?? {}) as NodeStatus

/** Without the times at which it was said. */
const quiet = ({ conditions = [], ...status }: NodeStatus): object => ({
  ...status,
  conditions: conditions
    .map(({ type, status: is, reason, message }) => ({ type, is, reason, message }))
    .toSorted((a, b) => (a.type < b.type ? -1 : 1)),
})
