import type { ResourceId } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import { partsOf } from '../../runtime/object-cache.ts'
import { again, done } from '../../runtime/work-queue.ts'
import type { ClusterPorts } from '../cluster-controller.ts'
import { events, jobs } from '../collections.ts'
import { type Plan, planEvent, planFinishedJob } from './plan.ts'

interface Expiring {
  readonly name: string
  readonly resource: ResourceId
  readonly plan: (object: KubeObject, nowMs: number) => Plan
  readonly propagationPolicy: 'Background' | 'Foreground'
}

function expiry({ name, resource, plan: decide, propagationPolicy }: Expiring): (ports: ClusterPorts) => Controller {
  return ({ client, clock, informers }) => {
    const informer = informers.shared({ collection: { resource } })
    return {
      name,
      watches: [{ informer }],
      concurrency: 8,
      async reconcile(key, { log, signal }) {
        const object = informer.cache.get(key)
        const plan: Plan = object ? decide(object, clock.now()) : { do: 'nothing' }
        if (!object || plan.do === 'nothing') return done
        if (plan.do === 'wait') return again(plan.afterMs, plan.because)
        log.debug('removing what has expired', { because: plan.because })
        const { namespace = '', name: called } = partsOf(key)
        const { uid, resourceVersion } = object.metadata
        // Decided about this version: one that was told again, or whose time was changed, is looked at anew.
        const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) }
        const target = { resource, namespace, name: called }
        const deleted = await client.delete(target, { propagationPolicy, preconditions, signal })
        return deleted.ok || deleted.error.reason === 'NotFound' ? done : retryAfter(deleted.error)
      },
    }
  }
}

/** Removes Events an hour after they were told last. */
export const eventExpiry: (ports: ClusterPorts) => Controller = expiry({
  name: 'event-expiry',
  resource: events,
  plan: planEvent,
  propagationPolicy: 'Background',
})

/** Removes finished Jobs, with what they own, when their time has come. */
export const finishedJobs: (ports: ClusterPorts) => Controller = expiry({
  name: 'ttl-after-finished',
  resource: jobs,
  plan: planFinishedJob,
  propagationPolicy: 'Foreground',
})
