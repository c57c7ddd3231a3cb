import { setMaxListeners } from 'node:events'
import { type ClusterController, type ClusterPorts, controllersOf, type ControllerPart } from './cluster-controller.ts'
import { type EventRecorder, eventRecorder } from '../runtime/event-recorder.ts'
import { Informers } from '../runtime/informers.ts'
import { roleAggregation } from './aggregation/controller.ts'
import { certificateRequests } from './certificates/controller.ts'
import { disruption } from './disruption/controller.ts'
import { serviceEndpoints } from './endpoints/controller.ts'
import { eventExpiry, finishedJobs } from './expiry/controller.ts'
import { podGarbage } from './pod-garbage/controller.ts'
import { quotaStatus } from './quota/controller.ts'
import { storageProtection } from './storage-protection/controller.ts'
import { garbageCollector } from './garbage/controller.ts'
import { namespaceController } from './namespaces/controller.ts'
import { namespaceAccounts, tokenSecrets } from './service-accounts/controller.ts'
import { workloadControllers } from './workload-controllers.ts'

/** Every controller of a cluster, by the name under which it can be chosen. */
export const clusterControllers: readonly ClusterController[] = [
  {
    name: 'garbage-collector',
    does: 'deletes what is owned only by what is gone, in the background, in the foreground, or not at all',
    make: garbageCollector,
  },
  { name: 'namespace', does: 'empties deleted namespaces', make: controllersOf(namespaceController) },
  {
    name: 'service-account',
    does: 'gives every namespace its default ServiceAccount and kube-root-ca.crt',
    make: controllersOf(namespaceAccounts),
  },
  { name: 'service-account-token', does: 'fills the Secrets that hold tokens', make: controllersOf(tokenSecrets) },
  {
    name: 'clusterrole-aggregation',
    does: 'writes into aggregating ClusterRoles what they add up to',
    make: controllersOf(roleAggregation),
  },
  {
    name: 'certificate-signing',
    does: 'signs approved certificate requests with the authority, and removes old ones',
    make: controllersOf(certificateRequests),
  },
  {
    name: 'endpoints',
    does: 'keeps Endpoints and EndpointSlices of Services',
    make: controllersOf(serviceEndpoints),
  },
  { name: 'resourcequota', does: 'counts what quotas limit', make: quotaStatus },
  { name: 'disruption', does: 'counts how many Pods budgets let go', make: controllersOf(disruption) },
  { name: 'ttl-after-finished', does: 'removes finished Jobs in time', make: controllersOf(finishedJobs) },
  { name: 'event-expiry', does: 'removes Events after an hour', make: controllersOf(eventExpiry) },
  {
    name: 'pod-garbage-collector',
    does: 'removes Pods that nobody looks after: finished ones above 12,500, those of gone nodes',
    make: controllersOf(podGarbage),
  },
  {
    name: 'storage-protection',
    does: 'keeps claims that Pods use and bound volumes from going',
    make: controllersOf(storageProtection),
  },
  ...workloadControllers.map(({ name, does, controllers }) => ({ name, does, make: controllersOf(controllers) })),
]

export type ChosenControllers = readonly ClusterController[]

/** The controllers that a list of names, `all` or `none` stands for; a name with a minus in front is left out. */
export function chosenControllers(
  choice: string,
):
  | { readonly ok: true; readonly chosen: readonly ClusterController[] }
  | { readonly ok: false; readonly because: string } {
  if (choice === 'none') return { ok: true, chosen: [] }
  const words = choice.split(',').flatMap((word) => word.trim() || [])
  const left = words.flatMap((word) => (word.startsWith('-') ? word.slice(1) : []))
  const named = words.filter((word) => !word.startsWith('-') && word !== 'all' && word !== '*')
  const known = clusterControllers.map(({ name }) => name)
  const unknown = [...left, ...named].filter((name) => !known.includes(name))
  if (words.length === 0 || unknown.length > 0) {
    const which = unknown.map((name) => JSON.stringify(name)).join(', ')
    const are = unknown.length === 1 ? `${which} is not a controller` : `${which} are not controllers`
    return {
      ok: false,
      because: `${unknown.length === 0 ? 'no controller is named' : are}; there are ${known.join(', ')}`,
    }
  }
  const isAll = words.length > named.length + left.length || named.length === 0
  return {
    ok: true,
    chosen: clusterControllers.filter(({ name }) => (isAll || named.includes(name)) && !left.includes(name)),
  }
}

/** Controllers that run, together with their informers and the Events they write. */
export interface RunningControllers {
  readonly names: readonly string[]
  run(signal: AbortSignal): Promise<void>
  /** What is not at rest, by controller. */
  pending(): ReadonlyMap<string, ReturnType<ControllerPart['pending']>>
}

/** Makes the controllers, sharing informers and recorders. Nothing runs before `run`. */
export function makeControllers(
  chosen: readonly ClusterController[],
  ports: Omit<ClusterPorts, 'informers' | 'events'>,
): RunningControllers {
  const informers = new Informers({ ...ports, watchSeconds: 0 })
  const recorders = new Map<string, EventRecorder>()
  const events = (component: string): EventRecorder => {
    const known = recorders.get(component) ?? eventRecorder({ ...ports, component })
    recorders.set(component, known)
    return known
  }
  const parts = chosen.map(({ name, make }) => ({ name, part: make({ ...ports, informers, events }) }))
  return {
    names: parts.map(({ name }) => name),
    pending: () => new Map(parts.map(({ name, part }) => [name, part.pending()])),
    async run(outer) {
      const stopping = new AbortController()
      const { signal } = stopping
      // Every informer and queue listens to it.
      setMaxListeners(0, signal)
      const stop = (): void => stopping.abort(outer.reason)
      if (outer.aborted) stop()
      outer.addEventListener('abort', stop, { once: true })
      const running = [informers, ...recorders.values(), ...parts.map(({ part }) => part)]
      await Promise.all(running.map((one) => one.run(signal)))
    },
  }
}
