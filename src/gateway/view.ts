import type { ResourceId } from '../kube/gvk.ts'
import type { KubeObject } from '../kube/object.ts'
import { slicesByService } from '../runtime/reach-services.ts'
import type { Watch } from '../runtime/controller.ts'
import type { Informer } from '../runtime/informer.ts'
import type { ControllerPorts } from '../runtime/controller-part.ts'
import type { Clock } from '../lib/clock.ts'
import { serviceOfSlice } from '../kube/local-endpoints.ts'
import { keyOf } from '../runtime/object-cache.ts'
import type { GatewayView } from './plan/objects.ts'
import { NetworkPolicies } from './network-policy/network-policies.ts'
import type { UsedService } from './plan/backends.ts'
import { type PlannedEndpoints, planEndpoints } from './plan/endpoints.ts'
import { gatewayResources, protectingResources, referredResources } from './resources.ts'

/** Everything is planned at once. */
export const ALL = 'all'
/** What answers behind Services changes more often, and nothing else has to be planned for it. */
export const ENDPOINTS = 'endpoints'

/** Kinds that not every cluster serves in the version that is read here: without them, there are none. */
const optional: ReadonlySet<ResourceId> = new Set([
  gatewayResources.grpcRoutes,
  gatewayResources.tlsRoutes,
  gatewayResources.tcpRoutes,
  gatewayResources.udpRoutes,
  gatewayResources.policies,
])
const PATIENCE_MS = 3_000

/** The caches that plans are made from, and which changes in them matter. */
export class GatewayCaches {
  readonly #informers: ReadonlyMap<ResourceId, Informer>
  readonly #slices: Informer
  /** What was looked up for the last plan, found or not: of these, changes matter. */
  #asked: ReadonlySet<string> = new Set()
  #used: ReadonlyMap<string, UsedService> = new Map()
  #services: ReadonlySet<string> = new Set()
  #pods: ReadonlySet<string> = new Set()
  #namespaces: ReadonlySet<string> = new Set()
  readonly #reachesPods: boolean
  readonly #clock: Clock

  /** With `reachesPods`, every address of a Pod can be reached, and the network itself keeps NetworkPolicies. */
  constructor({ informers, clock }: Pick<ControllerPorts, 'informers' | 'clock'>, reachesPods: boolean) {
    this.#reachesPods = reachesPods
    this.#clock = clock
    const protecting = reachesPods ? [] : Object.values(protectingResources)
    const all = [...Object.values(gatewayResources), ...Object.values(referredResources), ...protecting]
    this.#informers = new Map(all.map((resource) => [resource, informers.shared({ collection: { resource } })]))
    this.#slices = slicesByService(informers)
  }

  /** The cluster as it is now; `done` tells that the plan is made, so that what it looked up is known. */
  view(): { readonly view: GatewayView; readonly done: (used: ReadonlyMap<string, UsedService>) => void } {
    const asked = new Set<string>()
    const list = (resource: ResourceId): readonly KubeObject[] => this.informer(resource).cache.list()
    const find = (resource: ResourceId) => (key: string) => {
      asked.add(`${resource.plural} ${key}`)
      return this.informer(resource).cache.get(key)
    }
    const namespace = find(referredResources.namespaces)
    const { classes, gateways, httpRoutes, grpcRoutes, tlsRoutes, tcpRoutes, udpRoutes, policies, grants } =
      gatewayResources
    const view: GatewayView = {
      classes: list(classes),
      gateways: list(gateways),
      httpRoutes: list(httpRoutes),
      grpcRoutes: list(grpcRoutes),
      tlsRoutes: list(tlsRoutes),
      tcpRoutes: list(tcpRoutes),
      udpRoutes: list(udpRoutes),
      policies: list(policies),
      grants: list(grants),
      namespace: (name) => namespace(`/${name}`),
      service: find(referredResources.services),
      secret: find(referredResources.secrets),
      configMap: find(referredResources.configMaps),
    }
    const done = (used: ReadonlyMap<string, UsedService>): void => {
      this.#asked = asked
      this.#used = used
      this.#services = new Set([...used.values()].map(({ service }) => keyOf(service)))
    }
    return { view, done }
  }

  informer(resource: ResourceId): Informer {
    const found = this.#informers.get(resource)
    if (!found) throw new Error(`${resource.plural} are not watched`)
    return found
  }

  /** What answers behind the Services of the last plan. */
  endpoints(): ReadonlyMap<string, PlannedEndpoints> {
    const asked = new Set<string>()
    const askedNamespaces = new Set<string>()
    const { networkPolicies, pods } = protectingResources
    const { namespaces } = referredResources
    const planned = planEndpoints(this.#used, {
      slicesOf: (service) => this.#slices.cache.by('service', service),
      reachesPods: this.#reachesPods,
      policies: new NetworkPolicies(this.#reachesPods ? [] : this.informer(networkPolicies).cache.list()),
      pod: (key) => {
        asked.add(key)
        return this.informer(pods).cache.get(key)
      },
      namespace: (name) => {
        askedNamespaces.add(`/${name}`)
        return this.informer(namespaces).cache.get(`/${name}`)
      },
    })
    this.#pods = asked
    this.#namespaces = askedNamespaces
    return planned
  }

  /** An informer that is not waited for for ever; what it finds later is heard later. */
  #patient(informer: Informer): Watch['informer'] {
    return {
      listen: (listener) => informer.listen(listener),
      synced: (signal) => Promise.race([informer.synced(signal), this.#clock.sleep(PATIENCE_MS, { signal })]),
    }
  }

  /** What a controller has to watch. */
  watches(): readonly Watch[] {
    const own = Object.values(gatewayResources).map((resource) => ({
      informer: optional.has(resource) ? this.#patient(this.informer(resource)) : this.informer(resource),
      keys: () => [ALL],
    }))
    const referred = Object.values(referredResources).map((resource) => ({
      informer: this.informer(resource),
      keys: (object: KubeObject) => (this.#asked.has(`${resource.plural} ${keyOf(object)}`) ? [ALL] : []),
    }))
    const slices = {
      informer: this.#slices,
      keys: (slice: KubeObject) => (this.#services.has(serviceOfSlice(slice)) ? [ENDPOINTS] : []),
    }
    if (this.#reachesPods) return [...own, ...referred, slices]
    const policies = { informer: this.informer(protectingResources.networkPolicies), keys: () => [ENDPOINTS] }
    const pods = {
      informer: this.informer(protectingResources.pods),
      keys: (pod: KubeObject) => (this.#pods.has(keyOf(pod)) ? [ENDPOINTS] : []),
    }
    const namespaces = {
      informer: this.informer(referredResources.namespaces),
      keys: (object: KubeObject) => (this.#namespaces.has(keyOf(object)) ? [ENDPOINTS] : []),
    }
    return [...own, ...referred, slices, policies, pods, namespaces]
  }
}
