import { apiVersionOf, type ResourceId } from '../../kube/gvk.ts'
import type { Counted } from '../../kube/quota.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import { controllerLoop } from '../../runtime/controller.ts'
import { keyOf, partsOf } from '../../runtime/object-cache.ts'
import { again, done } from '../../runtime/work-queue.ts'
import type { ControllerPart } from '../../runtime/controller-part.ts'
import type { ClusterPorts } from '../cluster-controller.ts'
import { resourceQuotas } from '../collections.ts'
import { collectionsOf, planQuotaStatus } from './plan.ts'

/** Pods that should be gone stop counting without anything changing. */
const RECOUNT_EVERY_MS = 300_000

/** Keeps the status of ResourceQuotas: what is used of what is limited. Only what some quota limits is watched. */
export function quotaStatus(ports: ClusterPorts): ControllerPart {
  const { client, clock, informers } = ports
  const quotas = informers.shared({ collection: { resource: resourceQuotas } })
  const watched = new Map<string, () => void>()
  const controller: Controller = {
    name: 'resourcequota',
    watches: [{ informer: quotas }],
    concurrency: 4,
    async reconcile(key, { log, signal }) {
      if (!quotas.cache.get(key)) return done
      const { namespace = '', name } = partsOf(key)
      const target = { resource: resourceQuotas, namespace, name }
      const served = await client.discover({ signal })
      // Read live, the quota first: what admission has added since makes the write below a conflict.
      const quota = await client.get(target, { signal })
      if (!quota.ok) return quota.error.reason === 'NotFound' ? done : retryAfter(quota.error)
      if (!served.ok) return retryAfter(served.error)
      const counted: Counted[] = []
      for (const resource of collectionsOf(quota.value['spec'] ?? {}, served.value)) {
        await follow(resource, signal)
        const listed = await client.list({ resource, namespace }, { signal })
        if (!listed.ok) return retryAfter(listed.error)
        const { group, plural } = resource
        for (const object of listed.value.items) counted.push({ group, plural, object })
      }
      const plan = planQuotaStatus({ quota: quota.value, counted, nowMs: clock.now() })
      if (plan.do === 'write') {
        log.info('counting what a quota limits', { because: plan.because })
        const next = { ...quota.value, status: plan.status }
        const written = await client.update({ ...target, subresource: 'status' }, next, { signal })
        if (!written.ok) return written.error.reason === 'NotFound' ? done : retryAfter(written.error)
      }
      return again(RECOUNT_EVERY_MS, 'what is used is counted again')
    },
  }
  const loop = controllerLoop(controller, ports)

  /** Watches a collection from the first time a quota limits it; resolves once it is known what is there. */
  async function follow(resource: ResourceId, signal: AbortSignal): Promise<void> {
    const name = `${apiVersionOf(resource)}/${resource.plural}`
    const informer = informers.shared({ collection: { resource } })
    if (!watched.has(name)) {
      watched.set(name, () => {})
      await informer.synced(signal)
      const leave = informer.listen(({ object }) => {
        for (const quota of quotas.cache.list(object.metadata.namespace ?? '')) loop.queue.add(keyOf(quota))
      })
      watched.set(name, leave)
    }
  }

  return {
    pending: () => loop.queue.pending(),
    async run(signal) {
      await loop.run(signal)
      for (const leave of watched.values()) leave()
    },
  }
}
