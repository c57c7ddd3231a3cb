import type { AdmissionPlugin } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { isAbout } from './denials.ts'

const isMarked = (object: KubeObject, annotation: string): boolean =>
  object.metadata.annotations?.[annotation] === 'true'

/** The newest object marked as default; names break ties, so that the choice is the same everywhere. */
function newestDefault(objects: readonly KubeObject[], annotation: string): KubeObject | undefined {
  const at = (object: KubeObject): string => object.metadata.creationTimestamp ?? ''
  return objects
    .filter((object) => isMarked(object, annotation))
    .toSorted((a, b) => at(b).localeCompare(at(a)) || (a.metadata.name ?? '').localeCompare(b.metadata.name ?? ''))[0]
}

/** A claim that names no class gets the default one. */
export function defaultStorageClass(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, 'persistentvolumeclaims'),
    mutate({ object }) {
      const spec = (object?.['spec'] ?? {}) as { readonly storageClassName?: string }
      const annotated = object?.metadata.annotations?.['volume.beta.kubernetes.io/storage-class']
      if (!object || spec.storageClassName !== undefined || annotated !== undefined)
        return Promise.resolve({ allowed: true })
      const found = newestDefault(
        reader.list('storage.k8s.io', 'storageclasses'),
        'storageclass.kubernetes.io/is-default-class',
      )
      if (!found) return Promise.resolve({ allowed: true })
      return Promise.resolve({
        allowed: true,
        object: { ...object, spec: { ...spec, storageClassName: found.metadata.name } },
      })
    },
  }
}

/** An Ingress that names no class gets the default one. */
export function defaultIngressClass(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, 'ingresses', 'networking.k8s.io'),
    mutate({ object }) {
      const spec = (object?.['spec'] ?? {}) as { readonly ingressClassName?: string }
      const annotated = object?.metadata.annotations?.['kubernetes.io/ingress.class']
      if (!object || spec.ingressClassName !== undefined || annotated !== undefined)
        return Promise.resolve({ allowed: true })
      const found = newestDefault(
        reader.list('networking.k8s.io', 'ingressclasses'),
        'ingressclass.kubernetes.io/is-default-class',
      )
      if (!found) return Promise.resolve({ allowed: true })
      return Promise.resolve({
        allowed: true,
        object: { ...object, spec: { ...spec, ingressClassName: found.metadata.name } },
      })
    },
  }
}

const protectedBy: ReadonlyMap<string, string> = new Map([
  ['persistentvolumeclaims', 'kubernetes.io/pvc-protection'],
  ['persistentvolumes', 'kubernetes.io/pv-protection'],
])

/** Claims and volumes stay until nothing uses them any more. */
export const storageProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: (request) =>
    request.operation === 'CREATE' &&
    protectedBy.has(request.resource.plural) &&
    isAbout(request, request.resource.plural),
  mutate({ object, resource }) {
    const finalizer = protectedBy.get(resource.plural) ?? ''
    const finalizers = object?.metadata.finalizers ?? []
    if (!object || finalizers.includes(finalizer)) return Promise.resolve({ allowed: true })
    return Promise.resolve({
      allowed: true,
      object: { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } },
    })
  },
}
