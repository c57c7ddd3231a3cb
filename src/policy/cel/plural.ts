import type { PolicyRequest } from '../engine/policy-request.ts'

/** Kinds whose plurals no rule gives. */
const irregular: ReadonlyMap<string, string> = new Map([['Endpoints', 'endpoints']])

/** The plural that a kind most probably has (apimachinery, meta.UnsafeGuessKindToResource). */
export function guessPlural(kind: string): string {
  const known = irregular.get(kind)
  if (known !== undefined) return known
  const singular = kind.toLowerCase()
  if (singular.endsWith('s')) return `${singular}es`
  if (singular.endsWith('y')) return `${singular.slice(0, -1)}ies`
  return `${singular}s`
}

/** The plural of what a request is about: as it says, or as its kind suggests. */
export const pluralOf = ({ resource, kind }: PolicyRequest): string => resource?.plural ?? guessPlural(kind.kind)

const commonKinds: Readonly<Record<string, readonly string[]>> = {
  '': [
    'ConfigMap',
    'Endpoints',
    'Event',
    'LimitRange',
    'Namespace',
    'Node',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'Pod',
    'ReplicationController',
    'ResourceQuota',
    'Secret',
    'Service',
    'ServiceAccount',
  ],
  apps: ['DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'],
  autoscaling: ['HorizontalPodAutoscaler'],
  batch: ['CronJob', 'Job'],
  'networking.k8s.io': ['Ingress', 'IngressClass', 'NetworkPolicy'],
  policy: ['PodDisruptionBudget'],
  'rbac.authorization.k8s.io': ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  'storage.k8s.io': ['StorageClass'],
}

const kindsByPlural: ReadonlyMap<string, string> = new Map(
  Object.entries(commonKinds).flatMap(([group, kinds]) => kinds.map((kind) => [`${group}/${guessPlural(kind)}`, kind])),
)

/** The kind that a collection of Kubernetes is known to hold: what makes it possible to look a policy up by kind. */
export const commonKindOf = (group: string, plural: string): string | undefined =>
  kindsByPlural.get(`${group}/${plural}`)
