import { type Controller, ownerKeys } from '../../runtime/controller.ts'
import { done } from '../../runtime/work-queue.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { applyStatefulSet } from './apply.ts'
import { observeStatefulSet } from './observe.ts'
import { planStatefulSet } from './plan.ts'

/** Keeps the numbered Pods of each StatefulSet, with their names and their volumes. */
export function statefulSetController(ports: WorkloadPorts): Controller {
  const { caches } = ports
  return {
    name: 'statefulset',
    concurrency: 4,
    watches: [
      { informer: caches.statefulSets },
      { informer: caches.pods, keys: ownerKeys('StatefulSet', 'apps') },
      { informer: caches.revisions, keys: () => [] },
      { informer: caches.claims, keys: () => [] },
    ],
    async reconcile(key, context) {
      const seen = observeStatefulSet(key, ports)
      return seen ? applyStatefulSet(planStatefulSet(seen), seen, ports, context) : done
    },
  }
}
