import { type Controller, ownerKeys } from '../../runtime/controller.ts'
import { done } from '../../runtime/work-queue.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { applyCronJob } from './apply.ts'
import { observeCronJob } from './observe.ts'
import { planCronJob } from './plan.ts'

/** Starts the Jobs of each CronJob when their time comes. */
export function cronJobController(ports: WorkloadPorts): Controller {
  const { caches } = ports
  return {
    name: 'cronjob',
    watches: [{ informer: caches.cronJobs }, { informer: caches.jobs, keys: ownerKeys('CronJob', 'batch') }],
    async reconcile(key, context) {
      const seen = observeCronJob(key, ports)
      return seen ? applyCronJob(planCronJob(seen), seen, ports, context) : done
    },
  }
}
