import { podSpecOf } from '../../kube/pod.ts'
import type { Controller } from '../../runtime/controller.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { done } from '../../runtime/work-queue.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { Addresses } from './addresses.ts'
import { applyPod } from './apply.ts'
import { declarations, type NodeAgentOptions } from './node-agent.ts'
import { observePod } from './observe.ts'
import { planPod } from './plan.ts'
import { observeNode, tendNode } from './tend-node.ts'

/** Runs the Pods of the declared nodes by pretending. */
export function podAgentController(ports: WorkloadPorts, options: NodeAgentOptions = {}): Controller {
  const { caches } = ports
  const { nodes, isImageMissing } = declarations(options)
  const names = new Map(nodes.map((node) => [node.name, node]))
  const declared = {
    nodes: names,
    isImageMissing,
    addresses: new Addresses(
      caches.pods,
      nodes.map(({ name }) => name),
    ),
  }
  return {
    name: 'node-agent',
    concurrency: 16,
    watches: [{ informer: caches.pods, keys: (pod) => (names.has(podSpecOf(pod).nodeName ?? '') ? [keyOf(pod)] : []) }],
    async reconcile(key, context) {
      const seen = observePod(key, ports, declared)
      return seen ? applyPod(planPod(seen), seen, ports, context) : done
    },
  }
}

/** Registers the declared nodes, and says that they live. */
export function nodesController(ports: WorkloadPorts, options: NodeAgentOptions = {}): Controller {
  const { caches } = ports
  const { nodes } = declarations(options)
  const names = nodes.map(({ name }) => name)
  const addresses = new Addresses(caches.pods, names)
  const ours = new Set(names)
  return {
    name: 'nodes',
    watches: [
      {
        informer: {
          synced: (signal) => caches.nodes.synced(signal),
          // Nodes that are not there yet are to be made: every declared one is a key from the start.
          listen(listener) {
            for (const name of names)
              listener({
                type: 'added',
                key: `/${name}`,
                object: { apiVersion: 'v1', kind: 'Node', metadata: { name } },
              })
            return caches.nodes.listen(listener)
          },
        },
        keys: (node) => (ours.has(node.metadata.name ?? '') ? [keyOf(node)] : []),
      },
    ],
    reconcile: (key, context) => tendNode(observeNode(key, nodes, addresses, ports), ports, context),
  }
}
