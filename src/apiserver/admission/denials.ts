import type { AdmissionRequest } from '../../kube/admission.ts'
import { failure, type Status, type StatusCause } from '../../kube/status.ts'

/** A refusal by a rule of the cluster, naming the object and the reason. */
export function forbidden(request: AdmissionRequest, because: string, causes?: readonly StatusCause[]): Status {
  const { group, plural } = request.resource
  const resource = group === '' ? plural : `${plural}.${group}`
  return failure('Forbidden', `${resource} ${JSON.stringify(nameOf(request))} is forbidden: ${because}`, {
    name: nameOf(request),
    ...(group === '' ? {} : { group }),
    kind: plural,
    ...(causes ? { causes } : {}),
  })
}

/** The name a request is about; one that is still to be generated shows its beginning. */
export function nameOf(request: AdmissionRequest): string {
  return request.name || request.object?.metadata.name || request.object?.metadata.generateName || ''
}

/** Tells whether a request is about the main resource of a core kind. */
export function isAbout(request: AdmissionRequest, plural: string, group: string = ''): boolean {
  return request.resource.plural === plural && request.resource.group === group && request.subresource === undefined
}
