import { isEqual } from '../../lib/json.ts'
import { type Controller, ownerKeys } from '../../runtime/controller.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { done } from '../../runtime/work-queue.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { nodeState } from '../scheduler/node.ts'
import { applyDaemonSet } from './apply.ts'
import { observeDaemonSet } from './observe.ts'
import { planDaemonSet } from './plan.ts'

/** Keeps one Pod on every node that each DaemonSet wants. */
export function daemonSetController(ports: WorkloadPorts): Controller {
  const { caches } = ports
  return {
    name: 'daemonset',
    concurrency: 4,
    watches: [
      { informer: caches.daemonSets },
      { informer: caches.pods, keys: ownerKeys('DaemonSet', 'apps') },
      { informer: caches.revisions, keys: () => [] },
      {
        informer: caches.nodes,
        keys: (node, { previous }) =>
          previous && isEqual(nodeState(node), nodeState(previous)) ? [] : caches.daemonSets.cache.list().map(keyOf),
      },
    ],
    async reconcile(key, context) {
      const seen = observeDaemonSet(key, ports)
      return seen ? applyDaemonSet(planDaemonSet(seen), seen, ports, context) : done
    },
  }
}
