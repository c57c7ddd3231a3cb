import type { ResourceId } from '../kube/gvk.ts'
import { type Endpoint, localEndpoints, serviceOfSlice } from '../kube/local-endpoints.ts'
import type { Informer } from './informer.ts'
import type { Informers } from './informers.ts'

const services: ResourceId = { group: '', version: 'v1', plural: 'services' }
const endpointSlices: ResourceId = { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' }

/** The EndpointSlices of a cluster, indexed by `service`. */
export function slicesByService(informers: Informers): Informer {
  return informers.own({
    collection: { resource: endpointSlices },
    indexes: { service: (slice) => [serviceOfSlice(slice)] },
  })
}

/** Where a Service that a URL names is reached from this process; undefined for what is no Service that runs here. */
export type ReachService = (host: string, port: number) => Endpoint | undefined

const inCluster = /^([a-z0-9-]+)\.([a-z0-9-]+)(?:\.svc(?:\.cluster\.local)?)?$/

/** Finds Services by names such as `vault.vault-system.svc`, passing from one of their endpoints to the next. */
export function reachServices(informers: Informers): ReachService {
  const all = informers.shared({ collection: { resource: services } })
  const slices = slicesByService(informers)
  let turn = 0
  return (host, port) => {
    const [, name, namespace] = inCluster.exec(host) ?? []
    if (name === undefined || namespace === undefined) return undefined
    const key = `${namespace}/${name}`
    const service = all.cache.get(key)
    const endpoints = service && localEndpoints(service, slices.cache.by('service', key)).get(port)
    return endpoints?.[turn++ % endpoints.length]
  }
}
