import { absent, type FillTable } from '../defaulting.ts'

// Semantics: kubernetes 1.36, pkg/apis/storage/v1/defaults.go.

/** Defaults of the storage group by type. */
export const storageDefaults: FillTable = {
  'io.k8s.api.storage.v1.StorageClass': absent({ reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  'io.k8s.api.storage.v1.CSIDriverSpec': absent({
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    volumeLifecycleModes: ['Persistent'],
    requiresRepublish: false,
    seLinuxMount: false,
  }),
}
