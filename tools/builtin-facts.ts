// What users of kubectl know about the built-in resources and OpenAPI version 2 does not say.

const shortNames: Readonly<Record<string, readonly string[]>> = {
  '/componentstatuses': ['cs'],
  '/configmaps': ['cm'],
  '/endpoints': ['ep'],
  '/events': ['ev'],
  '/limitranges': ['limits'],
  '/namespaces': ['ns'],
  '/nodes': ['no'],
  '/persistentvolumeclaims': ['pvc'],
  '/persistentvolumes': ['pv'],
  '/pods': ['po'],
  '/replicationcontrollers': ['rc'],
  '/resourcequotas': ['quota'],
  '/serviceaccounts': ['sa'],
  '/services': ['svc'],
  'apiextensions.k8s.io/customresourcedefinitions': ['crd', 'crds'],
  'apps/daemonsets': ['ds'],
  'apps/deployments': ['deploy'],
  'apps/replicasets': ['rs'],
  'apps/statefulsets': ['sts'],
  'autoscaling/horizontalpodautoscalers': ['hpa'],
  'batch/cronjobs': ['cj'],
  'certificates.k8s.io/certificatesigningrequests': ['csr'],
  'events.k8s.io/events': ['ev'],
  'networking.k8s.io/ingresses': ['ing'],
  'networking.k8s.io/ipaddresses': ['ip'],
  'networking.k8s.io/networkpolicies': ['netpol'],
  'policy/poddisruptionbudgets': ['pdb'],
  'scheduling.k8s.io/priorityclasses': ['pc'],
  'storage.k8s.io/storageclasses': ['sc'],
  'storage.k8s.io/volumeattributesclasses': ['vac'],
}

const all: readonly string[] = [
  '/pods',
  '/replicationcontrollers',
  '/services',
  'apps/daemonsets',
  'apps/deployments',
  'apps/replicasets',
  'apps/statefulsets',
  'autoscaling/horizontalpodautoscalers',
  'batch/cronjobs',
  'batch/jobs',
]

const apiExtensions: readonly string[] = [
  'admissionregistration.k8s.io/mutatingadmissionpolicies',
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings',
  'admissionregistration.k8s.io/mutatingwebhookconfigurations',
  'admissionregistration.k8s.io/validatingadmissionpolicies',
  'admissionregistration.k8s.io/validatingadmissionpolicybindings',
  'admissionregistration.k8s.io/validatingwebhookconfigurations',
  'apiextensions.k8s.io/customresourcedefinitions',
  'apiregistration.k8s.io/apiservices',
]

/** The abbreviations that kubectl accepts for a resource. */
export const shortNamesOf = (group: string, plural: string): readonly string[] => shortNames[`${group}/${plural}`] ?? []

/** The names of the sets that a resource belongs to, such as `all`. */
export function categoriesOf(group: string, plural: string): readonly string[] {
  const key = `${group}/${plural}`
  return [...(all.includes(key) ? ['all'] : []), ...(apiExtensions.includes(key) ? ['api-extensions'] : [])]
}

const core = 'io.k8s.api.core.v1'
const rbd = { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' }
const scaleIo = { storageMode: 'ThinProvisioned', fsType: 'xfs' }
const azureDisk = { cachingMode: 'ReadWrite', fsType: 'ext4', readOnly: false, kind: 'Shared' }
const fieldsOf = (definition: string, defaults: Readonly<Record<string, unknown>>): readonly [string, unknown][] =>
  Object.entries(defaults).map(([field, value]) => [`${core}.${definition}.${field}`, value])

/**
 * Defaults that the types themselves declare, so that they are part of the schema: a list that merges by `containerPort`
 * and `protocol` needs to know that an absent protocol is TCP. Everything else that is defaulted is behaviour: src/kube/builtin.
 */
export const declaredDefaults: Readonly<Record<string, unknown>> = Object.fromEntries([
  ...fieldsOf('ContainerPort', { protocol: 'TCP' }),
  ...fieldsOf('ServicePort', { protocol: 'TCP' }),
  ...fieldsOf('RBDVolumeSource', rbd),
  ...fieldsOf('RBDPersistentVolumeSource', rbd),
  ...fieldsOf('ISCSIVolumeSource', { iscsiInterface: 'default' }),
  ...fieldsOf('ISCSIPersistentVolumeSource', { iscsiInterface: 'default' }),
  ...fieldsOf('AzureDiskVolumeSource', azureDisk),
  ...fieldsOf('ScaleIOVolumeSource', scaleIo),
  ...fieldsOf('ScaleIOPersistentVolumeSource', scaleIo),
  ...fieldsOf('GRPCAction', { service: '' }),
  ...fieldsOf('ReplicationControllerSpec', { replicas: 1, minReadySeconds: 0 }),
])
