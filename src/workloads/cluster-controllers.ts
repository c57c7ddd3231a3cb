import { controllersOf } from '../runtime/controller-part.ts'
import type { ClusterController } from './cluster-controller.ts'
import { roleAggregation } from './aggregation/controller.ts'
import { certificateRequests } from './certificates/controller.ts'
import { disruption } from './disruption/controller.ts'
import { serviceEndpoints } from './endpoints/controller.ts'
import { eventExpiry, finishedJobs } from './expiry/controller.ts'
import { podGarbage } from './pod-garbage/controller.ts'
import { quotaStatus } from './quota/controller.ts'
import { serviceProxyController } from './service-proxy/controller.ts'
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
  {
    name: 'service-proxy',
    does: 'makes Services reachable on this machine whose Pods run as processes',
    make: serviceProxyController,
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
