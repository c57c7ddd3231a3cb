import type { KubeObject } from '../../kube/object.ts'
import { formatMicroTime } from '../../kube/time.ts'
import { retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { Lease, Node } from '../pods/kinds.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import type { Addresses } from './addresses.ts'
import { type DeclaredNode, nodeObject } from './declared-nodes.ts'

const HEARTBEAT_MS = 10_000
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

/** Registers the node where it is missing, and renews its lease. */
export async function tendNode(
  seen: ObservedNode | undefined,
  ports: WorkloadPorts,
  { signal }: TurnContext,
): Promise<Turn> {
  if (!seen) return done
  const { client, caches } = ports
  if (!seen.found) {
    const created = await client.create({ resource: Node }, seen.wanted)
    if (!created.ok && created.error.reason !== 'AlreadyExists') return retryAfter(created.error)
    if (created.ok) await caches.nodes.caughtUp(created.value, signal)
  }
  const name = seen.wanted.metadata.name ?? ''
  const target = { resource: Lease, namespace: NAMESPACE, name }
  const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime: formatMicroTime(seen.nowMs) }
  const renewed = await client.patch(target, { type: 'merge', body: { spec } })
  if (!renewed.ok && renewed.error.reason === 'NotFound') {
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: NAMESPACE },
      spec,
    }
    const made = await client.create({ resource: Lease, namespace: NAMESPACE }, lease)
    if (!made.ok) return retryAfter(made.error)
  }
  return again(HEARTBEAT_MS, 'the lease is renewed')
}
