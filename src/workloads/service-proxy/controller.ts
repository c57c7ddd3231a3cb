import { controllersOf, type ControllerPart } from '../../runtime/controller-part.ts'
import { done } from '../../runtime/work-queue.ts'
import type { ClusterPorts } from '../cluster-controller.ts'
import { serviceOfSlice } from '../../kube/local-endpoints.ts'
import { slicesByService } from '../../runtime/reach-services.ts'
import { services } from '../collections.ts'
import { planProxy } from './plan.ts'

/** Keeps the Services reachable whose Pods really run here. Without a proxy there is nothing to do. */
export function serviceProxyController(ports: ClusterPorts): ControllerPart {
  const { serviceProxy } = ports
  if (!serviceProxy) return { run: () => Promise.resolve(), pending: () => [] }
  return controllersOf(({ informers }: ClusterPorts) => {
    const all = informers.shared({ collection: { resource: services } })
    const slices = slicesByService(informers)
    return {
      name: 'service-proxy',
      concurrency: 4,
      watches: [{ informer: all }, { informer: slices, keys: (slice) => [serviceOfSlice(slice)] }],
      async reconcile(key) {
        // What runs in Pods has the API's own address in its environment.
        const service = key === 'default/kubernetes' ? undefined : all.cache.get(key)
        await serviceProxy.set(key, service && planProxy(service, slices.cache.by('service', key)))
        return done
      },
    }
  })(ports)
}
