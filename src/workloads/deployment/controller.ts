import { controllerOf } from '../../kube/owner.ts'
import type { KubeObject } from '../../kube/object.ts'
import { matchesLabels } from '../../kube/selector.ts'
import { type Controller, ownerKeys } from '../../runtime/controller.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { done } from '../../runtime/work-queue.ts'
import { selectorOf } from '../pods/claim.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { applyDeployment } from './apply.ts'
import { deploymentSpecOf } from './deployment.ts'
import { observeDeployment } from './observe.ts'
import { planDeployment } from './plan.ts'

/** Rolls the present template of each Deployment out. */
export function deploymentController(ports: WorkloadPorts): Controller {
  const { caches } = ports
  const owners = ownerKeys('Deployment', 'apps')
  const adopters = (set: KubeObject): readonly string[] =>
    caches.deployments.cache
      .list(set.metadata.namespace ?? '')
      .filter((deployment) => {
        const selector = selectorOf(deploymentSpecOf(deployment).selector)
        return selector !== undefined && matchesLabels(selector, set.metadata.labels)
      })
      .map(keyOf)
  /** Recreate waits for the last old Pod. */
  const ownersOfOwner = (pod: KubeObject): readonly string[] => {
    const owner = controllerOf(pod)
    const set =
      owner?.kind === 'ReplicaSet'
        ? caches.replicaSets.cache.get(`${pod.metadata.namespace ?? ''}/${owner.name}`)
        : undefined
    return set ? owners(set) : []
  }
  return {
    name: 'deployment',
    concurrency: 8,
    watches: [
      { informer: caches.deployments },
      { informer: caches.replicaSets, keys: (set) => (controllerOf(set) ? owners(set) : adopters(set)) },
      { informer: caches.pods, keys: (pod, { type }) => (type === 'removed' ? ownersOfOwner(pod) : []) },
    ],
    async reconcile(key, context) {
      const seen = observeDeployment(key, ports)
      if (!seen) return done
      return applyDeployment(planDeployment(seen), seen, ports, context)
    },
  }
}
