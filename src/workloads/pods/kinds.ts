import type { Kind } from '../../kube/gvk.ts'

const kind = (group: string, name: string, plural: string, scope: Kind['scope'] = 'Namespaced'): Kind => ({
  group,
  version: 'v1',
  kind: name,
  plural,
  scope,
})

/** The kinds that run things, and what they run. */
export const Pod: Kind = kind('', 'Pod', 'pods')
export const Node: Kind = kind('', 'Node', 'nodes', 'Cluster')
export const Namespace: Kind = kind('', 'Namespace', 'namespaces', 'Cluster')
export const ConfigMap: Kind = kind('', 'ConfigMap', 'configmaps')
export const Secret: Kind = kind('', 'Secret', 'secrets')
export const PersistentVolumeClaim: Kind = kind('', 'PersistentVolumeClaim', 'persistentvolumeclaims')
export const PersistentVolume: Kind = kind('', 'PersistentVolume', 'persistentvolumes', 'Cluster')
export const StorageClass: Kind = kind('storage.k8s.io', 'StorageClass', 'storageclasses', 'Cluster')
export const Lease: Kind = kind('coordination.k8s.io', 'Lease', 'leases')
export const ReplicaSet: Kind = kind('apps', 'ReplicaSet', 'replicasets')
export const Deployment: Kind = kind('apps', 'Deployment', 'deployments')
export const StatefulSet: Kind = kind('apps', 'StatefulSet', 'statefulsets')
export const DaemonSet: Kind = kind('apps', 'DaemonSet', 'daemonsets')
export const ControllerRevision: Kind = kind('apps', 'ControllerRevision', 'controllerrevisions')
export const Job: Kind = kind('batch', 'Job', 'jobs')
export const CronJob: Kind = kind('batch', 'CronJob', 'cronjobs')
export const PodDisruptionBudget: Kind = kind('policy', 'PodDisruptionBudget', 'poddisruptionbudgets')
export const ServiceAccount: Kind = kind('', 'ServiceAccount', 'serviceaccounts')
