import type { ResourceId } from '../kube/gvk.ts'

const core = (plural: string): ResourceId => ({ group: '', version: 'v1', plural })

export const configMaps: ResourceId = core('configmaps')
export const endpoints: ResourceId = core('endpoints')
export const events: ResourceId = core('events')
export const namespaces: ResourceId = core('namespaces')
export const nodes: ResourceId = core('nodes')
export const persistentVolumeClaims: ResourceId = core('persistentvolumeclaims')
export const persistentVolumes: ResourceId = core('persistentvolumes')
export const pods: ResourceId = core('pods')
export const resourceQuotas: ResourceId = core('resourcequotas')
export const secrets: ResourceId = core('secrets')
export const serviceAccounts: ResourceId = core('serviceaccounts')
export const services: ResourceId = core('services')
export const jobs: ResourceId = { group: 'batch', version: 'v1', plural: 'jobs' }
export const endpointSlices: ResourceId = { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' }
export const disruptionBudgets: ResourceId = { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets' }
export const clusterRoles: ResourceId = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterroles' }
export const definitions: ResourceId = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
}
export const signingRequests: ResourceId = {
  group: 'certificates.k8s.io',
  version: 'v1',
  plural: 'certificatesigningrequests',
}
