import type { KubeObject } from '../../kube/object.ts'
import {
  type ClaimRef,
  claimSpecOf,
  BOUND_BY_CONTROLLER,
  PROVISIONED_BY,
  PROVISIONER,
  type StorageClass,
} from './volumes.ts'

/** Where the built-in provisioner keeps the folders of volumes, as a container's node would see it. */
export const VOLUMES_FOLDER = '/var/lib/idp/volumes'

/** The classes that an embedded cluster begins with. */
export const usualClasses: readonly { readonly name: string; readonly isDefault: boolean; readonly spec: object }[] = [
  {
    name: 'standard',
    isDefault: true,
    spec: { volumeBindingMode: 'WaitForFirstConsumer', parameters: { reach: 'cluster' } },
  },
  {
    name: 'local',
    isDefault: false,
    spec: { volumeBindingMode: 'WaitForFirstConsumer', parameters: { reach: 'node' } },
  },
]

/** A class as it is created: it makes folders, which go with their claims and can grow. */
export function classObject({ name, isDefault, spec }: (typeof usualClasses)[number], annotation: string): KubeObject {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, ...(isDefault ? { annotations: { [annotation]: 'true' } } : {}) },
    provisioner: PROVISIONER,
    reclaimPolicy: 'Delete',
    allowVolumeExpansion: true,
    ...spec,
  }
}

/** The reference of a volume to its claim. */
export function claimRefOf({ metadata }: KubeObject): ClaimRef {
  const { namespace = '', name = '', uid = '', resourceVersion } = metadata
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace,
    name,
    uid,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  }
}

/** The name of the volume that is made for a claim: there is never a second one. */
export const provisionedName = ({ metadata }: KubeObject): string => `pvc-${metadata.uid ?? ''}`

/** The volume that the built-in provisioner makes for a claim, on the node that was chosen where that matters. */
export function provisioned(claim: KubeObject, storage: StorageClass, node: string | undefined): KubeObject {
  const { accessModes = [], resources, volumeMode = 'Filesystem' } = claimSpecOf(claim)
  const name = provisionedName(claim)
  const isOnNode = storage.parameters?.['reach'] === 'node' && node !== undefined
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { [BOUND_BY_CONTROLLER]: 'yes', [PROVISIONED_BY]: PROVISIONER } },
    spec: {
      capacity: { storage: resources?.requests?.['storage'] ?? '0' },
      accessModes,
      volumeMode,
      claimRef: claimRefOf(claim),
      persistentVolumeReclaimPolicy: storage.reclaimPolicy ?? 'Delete',
      storageClassName: storage.metadata.name ?? '',
      ...(storage.mountOptions ? { mountOptions: storage.mountOptions } : {}),
      hostPath: { path: `${VOLUMES_FOLDER}/${name}`, type: 'DirectoryOrCreate' },
      ...(isOnNode ? { nodeAffinity: { required: { nodeSelectorTerms: [hostTerm(node)] } } } : {}),
    },
  }
}

const hostTerm = (node: string): object => ({
  matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }],
})
