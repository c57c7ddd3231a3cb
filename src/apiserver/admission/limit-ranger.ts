import type { AdmissionPlugin, AdmissionRequest } from '../../kube/admission.ts'
import {
  claimLimitViolations,
  type LimitItem,
  limitItemsOf,
  podLimitViolations,
  withDefaultAmounts,
} from '../../kube/limit-range.ts'
import { podSpecOf } from '../../kube/pod.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { forbidden, isAbout } from './denials.ts'

/** Fills in the defaults of the namespace's LimitRanges and refuses what leaves their bounds. */
export function limitRanger(reader: ClusterReader): AdmissionPlugin {
  const itemsFor = ({ namespace = '' }: AdmissionRequest): readonly LimitItem[] =>
    reader.list('', 'limitranges', namespace).flatMap(limitItemsOf)
  return {
    name: 'LimitRanger',
    handles: (request) =>
      (request.operation === 'CREATE' && (isAbout(request, 'pods') || isAbout(request, 'persistentvolumeclaims'))) ||
      (request.operation === 'UPDATE' && isAbout(request, 'persistentvolumeclaims')),
    mutate(request) {
      const { object, resource } = request
      const items = object && resource.plural === 'pods' ? itemsFor(request) : []
      if (!object || items.length === 0) return Promise.resolve({ allowed: true })
      const { spec, told } = withDefaultAmounts(podSpecOf(object), items)
      if (told.length === 0) return Promise.resolve({ allowed: true, object: { ...object, spec } })
      const annotations = {
        ...object.metadata.annotations,
        'kubernetes.io/limit-ranger': `LimitRanger plugin set: ${told.join('; ')}`,
      }
      return Promise.resolve({
        allowed: true,
        object: { ...object, metadata: { ...object.metadata, annotations }, spec },
      })
    },
    validate(request) {
      const { object, resource } = request
      if (!object) return Promise.resolve({ allowed: true })
      const items = itemsFor(request)
      const found =
        resource.plural === 'pods' ? podLimitViolations(podSpecOf(object), items) : claimLimitViolations(object, items)
      if (found.length === 0) return Promise.resolve({ allowed: true })
      const text = found.length === 1 ? found[0] : `[${found.join(', ')}]`
      return Promise.resolve({ allowed: false, status: forbidden(request, text ?? '') })
    },
  }
}
