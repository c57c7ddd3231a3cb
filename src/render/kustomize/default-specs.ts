import type { FieldSpec } from './field-spec.ts'
import type { Gvk } from './resource-id.ts'

/** Which fields hold the name of a kind. */
export interface NameReference extends Gvk {
  readonly fields: readonly FieldSpec[]
}

/** `Kind`, `group/Kind`, `group/version/Kind` or `/version/Kind`; the core group is empty. */
function gvkOf(text: string): Gvk {
  const parts = text.split('/')
  const [group = '', version = ''] = parts.length === 3 ? parts : parts.length === 2 ? [parts[0]] : []
  return { group, version, kind: parts.at(-1) ?? '' }
}

const at = (path: string, create: boolean, ...kinds: readonly string[]): readonly FieldSpec[] =>
  (kinds.length === 0 ? [''] : kinds).map((kind) => ({ ...gvkOf(kind), path, create }))

const RBAC = 'rbac.authorization.k8s.io'
const ADMISSION = 'admissionregistration.k8s.io'

/** Kinds with a pod template, and where the pod's spec stands in them. */
const podSpecs: readonly (readonly [kind: string, path: string])[] = [
  ['/v1/Pod', 'spec'],
  ['PodTemplate', 'template/spec'],
  ...['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet', 'Job'].map(
    (kind) => [kind, 'spec/template/spec'] as const,
  ),
  ['CronJob', 'spec/jobTemplate/spec/template/spec'],
]
/** The same without the kinds that upstream's tables leave out for claims, accounts and classes. */
const podOwners: readonly (readonly [kind: string, path: string])[] = [
  ['Pod', 'spec'],
  ...['StatefulSet', 'Deployment', 'ReplicationController', 'Job', 'DaemonSet'].map(
    (kind) => [kind, 'spec/template/spec'] as const,
  ),
  ['CronJob', 'spec/jobTemplate/spec/template/spec'],
]

const below = (
  places: readonly (readonly [kind: string, path: string])[],
  ...paths: readonly string[]
): readonly FieldSpec[] =>
  places.flatMap(([kind, place]) => paths.flatMap((path) => at(`${place}/${path}`, false, kind)))

const templates = (path: string): readonly FieldSpec[] => [
  ...at(`spec/template/${path}`, true, '/v1/ReplicationController', 'Deployment', 'ReplicaSet', 'DaemonSet'),
]

const batchTemplates = (path: string): readonly FieldSpec[] => [
  ...at(`spec/template/${path}`, true, 'batch/Job'),
  ...at(`spec/jobTemplate/${path}`, true, 'batch/CronJob'),
  ...at(`spec/jobTemplate/spec/template/${path}`, true, 'batch/CronJob'),
]

const affinities = (kind: string): readonly FieldSpec[] => [
  ...['podAffinity', 'podAntiAffinity'].flatMap((affinity) =>
    [
      'preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm',
      'requiredDuringSchedulingIgnoredDuringExecution',
    ].flatMap((term) => at(`spec/template/spec/affinity/${affinity}/${term}/labelSelector/matchLabels`, false, kind)),
  ),
  ...at('spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels', false, kind),
]

/** Where labels stand in metadata, of the object and of the pods it makes. */
export const templateLabels: readonly FieldSpec[] = [
  ...at('metadata/labels', true),
  ...templates('metadata/labels'),
  ...at('spec/template/metadata/labels', true, 'apps/StatefulSet'),
  ...batchTemplates('metadata/labels'),
]

export const claimTemplateLabels: readonly FieldSpec[] = at(
  'spec/volumeClaimTemplates[]/metadata/labels',
  true,
  'apps/StatefulSet',
)

/** Everywhere that common labels go: selectors too. */
export const commonLabels: readonly FieldSpec[] = [
  ...at('spec/selector', true, '/v1/Service', '/v1/ReplicationController'),
  ...at('spec/selector/matchLabels', true, 'Deployment'),
  ...affinities('apps/Deployment'),
  ...at('spec/selector/matchLabels', true, 'ReplicaSet', 'DaemonSet', 'apps/StatefulSet'),
  ...affinities('apps/StatefulSet'),
  ...at('spec/selector/matchLabels', false, 'batch/Job'),
  ...at('spec/jobTemplate/spec/selector/matchLabels', false, 'batch/CronJob'),
  ...at('spec/selector/matchLabels', false, 'policy/PodDisruptionBudget'),
  ...at('spec/podSelector/matchLabels', false, 'networking.k8s.io/NetworkPolicy'),
  ...at('spec/ingress/from/podSelector/matchLabels', false, 'networking.k8s.io/NetworkPolicy'),
  ...at('spec/egress/to/podSelector/matchLabels', false, 'networking.k8s.io/NetworkPolicy'),
  ...templateLabels,
  ...claimTemplateLabels,
]

export const commonAnnotations: readonly FieldSpec[] = [
  ...at('metadata/annotations', true),
  ...templates('metadata/annotations'),
  ...at('spec/template/metadata/annotations', true, 'StatefulSet'),
  ...batchTemplates('metadata/annotations'),
]

export const names: readonly FieldSpec[] = at('metadata/name', false)

export const namespaces: readonly FieldSpec[] = [
  ...at('metadata/name', true, 'Namespace'),
  ...at('spec/service/namespace', true, 'apiregistration.k8s.io/APIService'),
  ...at(
    'spec/conversion/webhook/clientConfig/service/namespace',
    false,
    'apiextensions.k8s.io/CustomResourceDefinition',
  ),
]

export const images: readonly FieldSpec[] = ['spec', 'spec/template/spec'].flatMap((spec) =>
  ['containers[]/image', 'initContainers[]/image', 'volumes[]/image/reference'].flatMap((path) =>
    at(`${spec}/${path}`, true),
  ),
)

export const replicas: readonly FieldSpec[] = at(
  'spec/replicas',
  true,
  'Deployment',
  'ReplicationController',
  'ReplicaSet',
  'StatefulSet',
)

const containerReferences = (source: string): readonly string[] => [
  `containers/env/valueFrom/${source}KeyRef/name`,
  `initContainers/env/valueFrom/${source}KeyRef/name`,
  `containers/envFrom/${source}Ref/name`,
  `initContainers/envFrom/${source}Ref/name`,
]

const reference = (target: string, ...fields: readonly (readonly FieldSpec[])[]): NameReference => ({
  ...gvkOf(target),
  fields: fields.flat(),
})

const annotation = (name: string): readonly FieldSpec[] =>
  at(`metadata/annotations/${name.replaceAll('/', '\\/')}`, false, 'Ingress')

/** Which fields hold which names, as upstream knows them without any configuration. */
export const nameReferences: readonly NameReference[] = [
  ...['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) =>
    reference(kind, at('spec/scaleTargetRef/name', false, 'HorizontalPodAutoscaler')),
  ),
  reference(
    '/v1/ConfigMap',
    below(
      podSpecs,
      'volumes/configMap/name',
      ...containerReferences('configMap'),
      'volumes/projected/sources/configMap/name',
    ),
    at('spec/configSource/configMap', false, 'Node'),
    at('rules/resourceNames', false, 'Role', 'ClusterRole'),
    annotation('nginx.ingress.kubernetes.io/fastcgi-params-configmap'),
  ),
  reference(
    '/v1/Secret',
    below(
      podSpecs,
      'volumes/secret/secretName',
      ...containerReferences('secret'),
      'imagePullSecrets/name',
      'volumes/projected/sources/secret/name',
    ),
    at('spec/tls/secretName', false, 'Ingress'),
    annotation('ingress.kubernetes.io/auth-secret'),
    annotation('nginx.ingress.kubernetes.io/auth-secret'),
    annotation('nginx.ingress.kubernetes.io/auth-tls-secret'),
    at('imagePullSecrets/name', false, 'ServiceAccount'),
    ...['secretName', 'adminSecretName', 'userSecretName', 'secretRef'].map((name) =>
      at(`parameters/${name}`, false, 'StorageClass'),
    ),
    at('rules/resourceNames', false, 'Role', 'ClusterRole'),
    at('spec/template/spec/containers/env/valueFrom/secretKeyRef/name', false, 'serving.knative.dev/v1/Service'),
    at('spec/azureFile/secretName', false, 'PersistentVolume'),
  ),
  reference(
    '/v1/Service',
    at('spec/serviceName', false, 'apps/StatefulSet'),
    ...[
      'spec/rules/http/paths/backend/serviceName',
      'spec/backend/serviceName',
      'spec/rules/http/paths/backend/service/name',
      'spec/defaultBackend/service/name',
    ].map((path) => at(path, false, 'Ingress')),
    at('spec/service/name', false, 'apiregistration.k8s.io/APIService'),
    at(
      'webhooks/clientConfig/service',
      false,
      `${ADMISSION}/ValidatingWebhookConfiguration`,
      `${ADMISSION}/MutatingWebhookConfiguration`,
    ),
  ),
  reference(`${RBAC}/Role`, at('roleRef/name', false, `${RBAC}/RoleBinding`)),
  reference(`${RBAC}/ClusterRole`, at('roleRef/name', false, `${RBAC}/RoleBinding`, `${RBAC}/ClusterRoleBinding`)),
  reference(
    '/v1/ServiceAccount',
    at('subjects', false, `${RBAC}/RoleBinding`, `${RBAC}/ClusterRoleBinding`),
    below(podOwners, 'serviceAccountName'),
  ),
  reference('/v1/PersistentVolumeClaim', below(podOwners, 'volumes/persistentVolumeClaim/claimName')),
  reference(
    '/v1/PersistentVolume',
    at('spec/volumeName', false, 'PersistentVolumeClaim'),
    at('rules/resourceNames', false, 'ClusterRole'),
  ),
  reference(
    'storage.k8s.io/v1/StorageClass',
    at('spec/storageClassName', false, 'PersistentVolume', 'PersistentVolumeClaim'),
    at('spec/volumeClaimTemplates/spec/storageClassName', false, 'StatefulSet'),
  ),
  reference('scheduling.k8s.io/v1/PriorityClass', below(podOwners, 'priorityClassName')),
  // Upstream's group of this row ends in a version, so that it matches no class; kept, because names would change.
  {
    group: 'networking.k8s.io/v1',
    version: 'v1',
    kind: 'IngressClass',
    fields: at('spec/ingressClassName', false, 'Ingress'),
  },
  reference(
    `${ADMISSION}/ValidatingAdmissionPolicy`,
    at('spec/policyName', false, `${ADMISSION}/ValidatingAdmissionPolicyBinding`),
  ),
]

const containerVariables: readonly string[] = ['containers', 'initContainers'].flatMap((list) =>
  ['args', 'command', 'env/value', 'volumeMounts/mountPath'].map((path) => `${list}/${path}`),
)

/** Where `$(NAME)` is replaced by the value of a var. */
export const variableReferences: readonly FieldSpec[] = [
  ...below([['CronJob', 'spec/jobTemplate/spec/template/spec']], ...containerVariables),
  // As upstream has it: without `spec`.
  ...at('spec/jobTemplate/spec/template/volumes/nfs/server', false, 'CronJob'),
  ...below(
    ['DaemonSet', 'Deployment', 'Job', 'ReplicaSet'].map((kind) => [kind, 'spec/template/spec'] as const),
    ...containerVariables,
    'volumes/nfs/server',
  ),
  ...at('spec/template/metadata/annotations', false, 'Deployment'),
  ...['spec/rules/host', 'spec/tls/hosts', 'spec/tls/secretName'].flatMap((path) => at(path, false, 'Ingress')),
  ...below([['Pod', 'spec']], ...containerVariables, 'volumes/nfs/server'),
  ...at('spec/ports/port', false, 'Service'),
  ...at('spec/ports/targetPort', false, 'Service'),
  ...below([['StatefulSet', 'spec/template/spec']], ...containerVariables),
  ...at('spec/volumeClaimTemplates/spec/nfs/server', false, 'StatefulSet'),
  ...at('spec/nfs/server', false, 'PersistentVolume'),
  ...at('metadata/labels', false),
  ...at('metadata/annotations', false),
]
