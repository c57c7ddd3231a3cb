import type { AdmissionPlugin, AdmissionRequest } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseQuantity, compareQuantity } from '../../kube/quantity.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { forbidden, isAbout } from './denials.ts'

interface Claim {
  readonly spec?: {
    readonly resources?: { readonly requests?: Readonly<Record<string, string | number>> }
    readonly storageClassName?: string
  }
}

const requestedBy = (claim: KubeObject | undefined): string =>
  String((claim as Claim | undefined)?.spec?.resources?.requests?.['storage'] ?? '0')

function isLarger(next: string, old: string): boolean {
  const [a, b] = [parseQuantity(next), parseQuantity(old)]
  return a.ok && b.ok && compareQuantity(a.value, b.value) > 0
}

/** A bound claim may ask for more only where its class says that volumes can grow. */
export function claimResize(reader: ClusterReader): AdmissionPlugin {
  const grows = ({ object, oldObject }: AdmissionRequest): boolean =>
    isLarger(requestedBy(object), requestedBy(oldObject))
  return {
    name: 'PersistentVolumeClaimResize',
    handles: (request) => request.operation === 'UPDATE' && isAbout(request, 'persistentvolumeclaims'),
    validate(request) {
      const { oldObject } = request
      const isBound = (oldObject?.['status'] as { readonly phase?: string } | undefined)?.phase === 'Bound'
      if (!grows(request)) return Promise.resolve({ allowed: true })
      if (!isBound)
        return Promise.resolve({
          allowed: false,
          status: forbidden(request, 'Only bound persistent volume claims can be expanded'),
        })
      const name = (oldObject as Claim | undefined)?.spec?.storageClassName
      const storage = name ? reader.get('storage.k8s.io', 'storageclasses', { name }) : undefined
      if (storage?.['allowVolumeExpansion'] === true) return Promise.resolve({ allowed: true })
      const because =
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize'
      return Promise.resolve({ allowed: false, status: forbidden(request, because) })
    },
  }
}
