import { type Controller, ownerKeys } from '../../runtime/controller.ts'
import { done } from '../../runtime/work-queue.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { applyJob } from './apply.ts'
import { observeJob } from './observe.ts'
import { planJob } from './plan.ts'

/** Runs the Pods of each Job until enough of them have succeeded, or too many have failed. */
export function jobController(ports: WorkloadPorts): Controller {
  const { caches } = ports
  return {
    name: 'job',
    concurrency: 8,
    watches: [{ informer: caches.jobs }, { informer: caches.pods, keys: ownerKeys('Job', 'batch') }],
    async reconcile(key, context) {
      const seen = observeJob(key, ports)
      return seen ? applyJob(planJob(seen), seen, ports, context) : done
    },
  }
}
