import type { Kind } from '../../kube/gvk.ts'

const group = 'external-secrets.io'
const namespaced = { group, version: 'v1', scope: 'Namespaced' } as const
const cluster = { group, version: 'v1', scope: 'Cluster' } as const

export const ExternalSecretKind: Kind = { ...namespaced, kind: 'ExternalSecret', plural: 'externalsecrets' }
export const SecretStoreKind: Kind = { ...namespaced, kind: 'SecretStore', plural: 'secretstores' }
export const ClusterSecretStoreKind: Kind = { ...cluster, kind: 'ClusterSecretStore', plural: 'clustersecretstores' }
export const ClusterExternalSecretKind: Kind = {
  ...cluster,
  kind: 'ClusterExternalSecret',
  plural: 'clusterexternalsecrets',
}
export const PushSecretKind: Kind = {
  ...namespaced,
  version: 'v1alpha1',
  kind: 'PushSecret',
  plural: 'pushsecrets',
}
export const ClusterPushSecretKind: Kind = {
  ...cluster,
  version: 'v1alpha1',
  kind: 'ClusterPushSecret',
  plural: 'clusterpushsecrets',
}

const core = { group: '', version: 'v1' } as const
export const SecretKind: Kind = { ...core, kind: 'Secret', plural: 'secrets', scope: 'Namespaced' }
export const ConfigMapKind: Kind = { ...core, kind: 'ConfigMap', plural: 'configmaps', scope: 'Namespaced' }
export const NamespaceKind: Kind = { ...core, kind: 'Namespace', plural: 'namespaces', scope: 'Cluster' }

/** The label of Secrets that are kept by an ExternalSecret; its value is `true`. */
export const MANAGED_LABEL = 'reconcile.external-secrets.io/managed'
/** The label that leads from a Secret to the ExternalSecret that made it: a hash of its namespace and name. */
export const OWNER_LABEL = 'reconcile.external-secrets.io/created-by'
/** The annotation that says what data an ExternalSecret wrote, as a hash. */
export const DATA_HASH_ANNOTATION = 'reconcile.external-secrets.io/data-hash'
/** What the operator puts on ExternalSecrets; we take it off, and never need it: Secrets go with their owner. */
export const CLEANUP_FINALIZER = 'externalsecrets.external-secrets.io/externalsecret-cleanup'
/** The class of stores that are ours besides those without one. */
export const CONTROLLER_CLASS = 'default'
