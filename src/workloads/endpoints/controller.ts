import type { KubeObject } from '../../kube/object.ts'
import type { ApiResult } from '../../kube/status.ts'
import { isEqual } from '../../lib/json.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import { keyOf, partsOf } from '../../runtime/object-cache.ts'
import { done, type Turn } from '../../runtime/work-queue.ts'
import type { ClusterPorts } from '../cluster-controller.ts'
import { endpoints, endpointSlices, nodes, pods, services } from '../collections.ts'
import { isBehind, planEndpoints, selectsPods, specOf, type Subset } from './plan.ts'
import { endpointsFrom, HEADLESS, MANAGED_BY, planSlices, SERVICE_NAME, subsetsOf } from './slices.ts'

const SLICES_BY = 'endpointslice-controller.k8s.io'
const MIRRORED_BY = 'endpointslicemirroring-controller.k8s.io'
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror'
const ZONE = 'topology.kubernetes.io/zone'

const isServices = ({ metadata }: KubeObject): string =>
  `${metadata.namespace ?? ''}/${metadata.labels?.[SERVICE_NAME] ?? ''}`

/** Keeps EndpointSlices and Endpoints of Services: from the Pods they select, or from what somebody wrote by hand. */
export function serviceEndpoints({ client, informers }: ClusterPorts): Controller {
  const all = informers.shared({ collection: { resource: services } })
  const running = informers.shared({ collection: { resource: pods } })
  const written = informers.shared({ collection: { resource: endpoints } })
  const known = informers.shared({ collection: { resource: nodes } })
  const slices = informers.own({
    collection: { resource: endpointSlices },
    indexes: { service: (slice) => [isServices(slice)] },
  })
  const zoneOf = (node: string): string | undefined => known.cache.get(`/${node}`)?.metadata.labels?.[ZONE]
  const servicesOf = (pod: KubeObject): readonly string[] =>
    all.cache
      .list(pod.metadata.namespace ?? '')
      .filter((service) => isBehind(service, pod))
      .map(keyOf)

  return {
    name: 'endpoints',
    watches: [
      { informer: all },
      { informer: running, keys: servicesOf },
      { informer: written },
      { informer: slices, keys: (slice) => [isServices(slice)] },
      { informer: known, keys: () => [] },
    ],
    concurrency: 4,
    async reconcile(key, { signal }) {
      const service = all.cache.get(key)
      const { namespace = '', name } = partsOf(key)
      const mine = (manager: string): readonly KubeObject[] =>
        slices.cache.by('service', key).filter(({ metadata }) => metadata.labels?.[MANAGED_BY] === manager)
      if (!service || service.metadata.deletionTimestamp !== undefined) {
        const left = written.cache.get(key)
        // What was written for a Service goes with it; so do its slices, also without a garbage collector.
        if (!service && left && left.metadata.labels?.[ENDPOINTS_BY] === 'endpoint-controller')
          await client.delete({ resource: endpoints, namespace, name }, { signal })
        return writeSlices(
          { create: [], update: [], remove: [...mine(SLICES_BY), ...mine(MIRRORED_BY)] },
          namespace,
          signal,
        )
      }
      if (!selectsPods(specOf(service))) {
        const source = written.cache.get(key)
        const isMirrored = source && source.metadata.labels?.[SKIP_MIRROR] !== 'true'
        const owner = source ?? service
        const subsets = isMirrored ? subsetsOf(source) : []
        const labels = source?.metadata.labels ?? {}
        const existing = mine(MIRRORED_BY)
        const plan = planSlices({ owner, serviceName: name, manager: MIRRORED_BY, labels, subsets, existing })
        return writeSlices({ ...plan, remove: [...plan.remove, ...mine(SLICES_BY)] }, namespace, signal)
      }
      const subsets = planEndpoints({ service, pods: running.cache.list(namespace), zoneOf })
      const headless = specOf(service).clusterIP === 'None' ? { [HEADLESS]: '' } : {}
      const labels = { ...service.metadata.labels, ...headless }
      const existing = mine(SLICES_BY)
      const plan = planSlices({
        owner: service,
        serviceName: name,
        manager: SLICES_BY,
        labels,
        subsets,
        existing,
        keepsOne: true,
      })
      const turn = await writeSlices({ ...plan, remove: [...plan.remove, ...mine(MIRRORED_BY)] }, namespace, signal)
      return turn.do === 'done' ? writeEndpoints(service, subsets, signal) : turn
    },
  }

  async function writeSlices(
    plan: ReturnType<typeof planSlices>,
    namespace: string,
    signal: AbortSignal,
  ): Promise<Turn> {
    const collection = { resource: endpointSlices, namespace }
    const target = ({ metadata }: KubeObject) => ({ ...collection, name: metadata.name ?? '' })
    const outcomes: ApiResult<unknown>[] = []
    for (const slice of plan.create) outcomes.push(await client.create(collection, slice, { signal }))
    for (const slice of plan.update) outcomes.push(await client.update(target(slice), slice, { signal }))
    for (const slice of plan.remove) outcomes.push(await client.delete(target(slice), { signal }))
    return turnAfter(outcomes)
  }

  async function writeEndpoints(service: KubeObject, subsets: readonly Subset[], signal: AbortSignal): Promise<Turn> {
    const before = written.cache.get(keyOf(service))
    const next = endpointsFrom(service, subsets, before)
    if (before && isEqual(next, before)) return done
    const { namespace = '', name = '' } = service.metadata
    const collection = { resource: endpoints, namespace }
    return turnAfter([
      before
        ? await client.update({ ...collection, name }, next, { signal })
        : await client.create(collection, next, { signal }),
    ])
  }
}

const ENDPOINTS_BY = 'endpoints.kubernetes.io/managed-by'

/** What is gone is gone, and a namespace that is emptied takes nothing more. */
function turnAfter(outcomes: readonly ApiResult<unknown>[]): Turn {
  for (const outcome of outcomes) {
    if (outcome.ok || outcome.error.reason === 'NotFound') continue
    const causes = outcome.error.details?.causes ?? []
    if (causes.some(({ reason }) => reason === 'NamespaceTerminating')) continue
    return retryAfter(outcome.error)
  }
  return done
}
