import type { Target } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Controller, retryAfter, type TurnContext } from '../../runtime/controller.ts'
import { partsOf } from '../../runtime/object-cache.ts'
import { done, type Turn } from '../../runtime/work-queue.ts'
import type { ClusterPorts } from '../cluster-controller.ts'
import { persistentVolumeClaims, persistentVolumes, pods } from '../collections.ts'
import { claimsOf, type Plan, planClaim, planVolume } from './plan.ts'

/** Keeps claims that Pods use and volumes that are bound from going. */
export function storageProtection({ client, informers }: ClusterPorts): readonly Controller[] {
  const claims = informers.shared({ collection: { resource: persistentVolumeClaims } })
  const volumes = informers.shared({ collection: { resource: persistentVolumes } })
  const all = informers.shared({ collection: { resource: pods } })

  const apply = async (plan: Plan, object: KubeObject, target: Target, { log, signal }: TurnContext): Promise<Turn> => {
    if (plan.do === 'nothing') return done
    log.info('protecting storage', { do: plan.do, because: plan.because })
    const next = { ...object, metadata: { ...object.metadata, finalizers: plan.finalizers } }
    const written = await client.update(target, next, { signal })
    return written.ok || written.error.reason === 'NotFound' ? done : retryAfter(written.error)
  }

  return [
    {
      name: 'pvc-protection',
      watches: [
        { informer: claims },
        {
          informer: all,
          keys: (pod) => claimsOf(pod).map((claim) => `${pod.metadata.namespace ?? ''}/${claim}`),
        },
      ],
      async reconcile(key, context) {
        const claim = claims.cache.get(key)
        if (!claim) return done
        const { namespace = '', name } = partsOf(key)
        if (planClaim(claim, all.cache.list(namespace)).do === 'nothing') return done
        // A Pod that the cache does not have yet must not lose its storage.
        const live = await client.list({ resource: pods, namespace }, { signal: context.signal })
        if (!live.ok) return retryAfter(live.error)
        const target = { resource: persistentVolumeClaims, namespace, name }
        return apply(planClaim(claim, live.value.items), claim, target, context)
      },
    },
    {
      name: 'pv-protection',
      watches: [{ informer: volumes }],
      reconcile(key, context) {
        const volume = volumes.cache.get(key)
        if (!volume) return Promise.resolve(done)
        return apply(planVolume(volume), volume, { resource: persistentVolumes, name: partsOf(key).name }, context)
      },
    },
  ]
}
