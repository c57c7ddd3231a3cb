import type { AdmissionPlugin, AdmissionRequest } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { invalidStatus } from '../../kube/schema/field-error.ts'
import type { ApiResult } from '../../kube/status.ts'
import type { JsonObject } from '../../lib/json.ts'
import { succeed } from '../../lib/result.ts'
import { concerned, runMutating, runValidating } from '../admission/run-chain.ts'
import type { Kernel } from '../kernel.ts'
import type { ApiRequest } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'
import type { Warnings } from './body.ts'

/** A write under way: what every step of it needs to know. */
export interface Write {
  readonly kernel: Kernel
  readonly resource: ServedResource
  readonly request: ApiRequest
  readonly warnings: Warnings
}

/** An object as it would be stored, and as it is. */
export interface Candidate {
  readonly object: KubeObject
  readonly old: KubeObject | undefined
}

/** The write as admission sees it, with the plugins it concerns. */
export interface Admission {
  readonly plugins: readonly AdmissionPlugin[]
  readonly request: AdmissionRequest
}

/** Prepares admission of a write; cheap where no plugin is concerned. */
export function admissionOf(
  { kernel, resource, request }: Write,
  operation: AdmissionRequest['operation'],
  { object, old }: { readonly object?: KubeObject; readonly old?: KubeObject | undefined },
): Admission {
  const subresource = request.subresource === undefined ? undefined : resource.subresources.get(request.subresource)
  const admitted: AdmissionRequest = {
    uid: kernel.ids.uid(),
    operation,
    kind: subresource
      ? { group: subresource.group, version: subresource.version, kind: subresource.kind }
      : { group: resource.group, version: resource.version, kind: resource.kind },
    resource: { group: resource.group, version: resource.version, plural: resource.plural },
    ...(request.subresource === undefined ? {} : { subresource: request.subresource }),
    ...(request.namespace === undefined ? {} : { namespace: request.namespace }),
    name: request.name ?? object?.metadata.name ?? '',
    user: request.user,
    dryRun: request.options.dryRun ?? false,
    options: admissionOptions(operation, request),
    ...(object ? { object } : {}),
    ...(old ? { oldObject: old } : {}),
  }
  return { plugins: concerned(kernel.admission, admitted), request: admitted }
}

function admissionOptions(operation: AdmissionRequest['operation'], { options, verb }: ApiRequest): JsonObject {
  const dryRun = options.dryRun ? { dryRun: ['All'] } : {}
  if (operation === 'DELETE') {
    return {
      kind: 'DeleteOptions',
      apiVersion: 'meta.k8s.io/v1',
      ...dryRun,
      ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
      ...(options.propagationPolicy === undefined ? {} : { propagationPolicy: options.propagationPolicy }),
    }
  }
  const kind = operation === 'CREATE' ? 'CreateOptions' : verb === 'patch' ? 'PatchOptions' : 'UpdateOptions'
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...dryRun,
    ...(options.fieldManager === undefined ? {} : { fieldManager: options.fieldManager }),
    ...(options.fieldValidation === undefined ? {} : { fieldValidation: options.fieldValidation }),
  }
}

/** Lets admission change the candidate, and completes what it changed. */
export async function mutateByAdmission(
  write: Write,
  admission: Admission,
  object: KubeObject,
): Promise<ApiResult<KubeObject>> {
  if (admission.plugins.length === 0) return succeed(object)
  const mutated = await runMutating(
    admission.plugins,
    { ...admission.request, object },
    write.warnings.add,
    write.request.signal,
  )
  if (!mutated.ok) return mutated
  if (!mutated.value || mutated.value === object) return succeed(object)
  return succeed(write.resource.typing.complete(mutated.value))
}

/** Checks the candidate against its type; every cause is told. */
export function validateObject(
  { resource, request, warnings }: Write,
  { object, old }: Candidate,
): ApiResult<undefined> {
  const problems = resource.typing.validate(object, old, request.subresource)
  if (problems.length > 0) return { ok: false, error: invalidStatus(resource, object.metadata.name ?? '', problems) }
  resource.strategy.warnings?.(object, old).forEach(warnings.add)
  return succeed(undefined)
}

/** Lets admission judge the candidate as it will be stored. */
export async function judgeByAdmission(
  write: Write,
  admission: Admission,
  { object, old }: { readonly object?: KubeObject; readonly old?: KubeObject | undefined },
): Promise<ApiResult<undefined>> {
  if (admission.plugins.length === 0) return succeed(undefined)
  return runValidating(
    admission.plugins,
    { ...admission.request, ...(object ? { object } : {}), ...(old ? { oldObject: old } : {}) },
    write.warnings.add,
    write.request.signal,
  )
}
