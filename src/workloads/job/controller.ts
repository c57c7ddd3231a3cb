import { controllerOf } from '../../kube/owner.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Controller, ownerKeys, retryAfter } from '../../runtime/controller.ts'
import { keyOf } from '../../runtime/object-cache.ts'
import { done } from '../../runtime/work-queue.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { applyJob, release } from './apply.ts'
import { isTracked, jobSpecOf } from './job.ts'
import { observeJob } from './observe.ts'
import { planJob } from './plan.ts'

const OURS = 'kubernetes.io/job-controller'

/** Runs the Pods of each Job until enough of them have succeeded, or too many have failed. */
export function jobController(ports: WorkloadPorts): Controller {
  const { caches } = ports
  return {
    name: 'job',
    concurrency: 8,
    watches: [{ informer: caches.jobs }, { informer: caches.pods, keys: ownerKeys('Job', 'batch') }],
    async reconcile(key, context) {
      const seen = observeJob(key, ports)
      // A Job that somebody else manages is none of ours.
      if (!seen || (jobSpecOf(seen.job).managedBy ?? OURS) !== OURS) return done
      return applyJob(planJob(seen), seen, ports, context)
    },
  }
}

/** Lets Pods go whose Job is gone: nobody will count them any more. */
export function orphanedJobPodsController(ports: WorkloadPorts): Controller {
  const { caches } = ports
  const isOrphaned = (pod: KubeObject): boolean => {
    if (!isTracked(pod)) return false
    const owner = controllerOf(pod)
    if (owner?.kind !== 'Job') return true
    return caches.jobs.cache.get(`${pod.metadata.namespace ?? ''}/${owner.name}`)?.metadata.uid !== owner.uid
  }
  return {
    name: 'job-orphans',
    concurrency: 4,
    watches: [
      { informer: caches.pods, keys: (pod, { key }) => (isOrphaned(pod) ? [key] : []) },
      {
        informer: caches.jobs,
        keys: (job, { type }) =>
          type === 'removed' ? caches.pods.cache.by('controller', job.metadata.uid ?? '').map(keyOf) : [],
      },
    ],
    async reconcile(key) {
      const pod = caches.pods.cache.get(key)
      if (!pod || !isOrphaned(pod)) return done
      const refused = await release([pod], ports)
      return refused ? retryAfter(refused) : done
    },
  }
}
