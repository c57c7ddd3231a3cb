import type { KubeObject } from '../../kube/object.ts'
import { controllerOf } from '../../kube/owner.ts'
import { matchesLabels } from '../../kube/selector.ts'
import { type Controller, ownerKeys } from '../../runtime/controller.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { done } from '../../runtime/work-queue.ts'
import { selectorOf } from '../pods/claim.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { applyReplicaSet } from './apply.ts'
import { observeReplicaSet } from './observe.ts'
import { planReplicaSet } from './plan.ts'
import { replicaSetSpecOf } from './replicaset.ts'

/** Keeps as many Pods as each ReplicaSet asks for. */
export function replicaSetController(ports: WorkloadPorts): Controller {
  const { caches } = ports
  const owners = ownerKeys('ReplicaSet', 'apps')
  const adopters = (pod: KubeObject): readonly string[] =>
    caches.replicaSets.cache
      .list(pod.metadata.namespace ?? '')
      .filter((set) => matchesLabels(selectorOf(replicaSetSpecOf(set).selector) ?? [], pod.metadata.labels))
      .map(keyOf)
  return {
    name: 'replicaset',
    concurrency: 8,
    watches: [
      { informer: caches.replicaSets },
      { informer: caches.pods, keys: (pod) => (controllerOf(pod) ? owners(pod) : adopters(pod)) },
    ],
    async reconcile(key, context) {
      const seen = observeReplicaSet(key, ports)
      if (!seen) return done
      return applyReplicaSet(planReplicaSet(seen), seen, ports, context)
    },
  }
}
