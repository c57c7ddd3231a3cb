import type { Patch } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { applyJsonPatch } from '../../kube/patch/json-patch.ts'
import { applyMergePatch } from '../../kube/patch/merge-patch.ts'
import { applyStrategicPatch } from '../../kube/patch/strategic-patch.ts'
import { type ApiResult, failure, refuse, type Status } from '../../kube/status.ts'
import type { Problem, Result } from '../../lib/result.ts'
import type { Kernel } from '../kernel.ts'
import { type ApiRequest, type ApiResponse, refused } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'
import { applyProposal, checkPatchOptions } from './apply.ts'
import { decodeObject, Warnings } from './body.ts'
import { nameMismatch } from './create.ts'
import { type Proposal, updateObject } from './update.ts'
import type { Write } from './write.ts'

/** Changes an object by parts; an apply patch creates it where there is none. */
export async function patch(kernel: Kernel, resource: ServedResource, request: ApiRequest): Promise<ApiResponse> {
  return patchWith({ kernel, resource, request, warnings: new Warnings() })
}

/** A patch of the object or of a part of it, such as its status. */
export async function patchWith(write: Write, prepare?: Proposal['prepare']): Promise<ApiResponse> {
  const { request, resource, warnings } = write
  const patchOf = request.patch
  if (!patchOf) return refused(failure('BadRequest', 'a PATCH needs a body'))
  const unsupported = unsupportedPatch(resource, patchOf) ?? checkPatchOptions(write, patchOf)
  if (unsupported) return refused(unsupported)
  const proposal: Proposal =
    patchOf.type === 'apply' ? applyProposal(write, patchOf) : { propose: (old) => patched(write, patchOf, old) }
  const outcome = await updateObject(write, { ...proposal, ...(prepare ? { prepare } : {}) })
  if (!outcome.ok) return refused(outcome.error, warnings.said)
  const { object, isNew } = outcome.value
  return { answer: 'object', code: isNew ? 201 : 200, object, warnings: warnings.said }
}

/** Strategic merge needs Go struct tags upstream, which custom resources do not have. */
export function unsupportedPatch(resource: ServedResource, { type }: Patch): Status | undefined {
  if (type !== 'strategic' || resource.definedBy === undefined) return undefined
  return failure(
    'UnsupportedMediaType',
    'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
  )
}

/** The object with a JSON, merge or strategic patch applied, as its kind. */
function patched(write: Write, patch: Exclude<Patch, { type: 'apply' }>, old: KubeObject): ApiResult<KubeObject> {
  const { resource, request, warnings } = write
  const applied = applyTo(old, patch, resource)
  if (!applied.ok) return { ok: false, error: rejected(patch, applied.error) }
  const decoded = decodeObject(resource, request, applied.value, warnings)
  if (!decoded.ok) return decoded
  const { name } = decoded.value.metadata
  if (name !== old.metadata.name) return { ok: false, error: nameMismatch(name ?? '', old.metadata.name ?? '') }
  return decoded
}

/** Applies a patch to any document of a resource's kind. */
export function applyTo(
  document: unknown,
  patch: Exclude<Patch, { type: 'apply' }>,
  { typing }: Pick<ServedResource, 'typing'>,
): Result<unknown> {
  switch (patch.type) {
    case 'json':
      return applyJsonPatch(document, patch.body)
    case 'merge':
      return applyMergePatch(document, patch.body)
    case 'strategic':
      return applyStrategicPatch(document, patch.body, typing.schema)
  }
}

/** A JSON patch that does not fit the object is unprocessable; the others are malformed. */
export function rejected({ type }: Patch, problems: readonly Problem[]): Status {
  const because = problems.map(({ message }) => message).join('; ')
  if (type !== 'json') return failure('BadRequest', `error decoding patch: ${because}`)
  return refuse('Invalid', `the server rejected our request due to an error in our request: ${because}`, {}).error
}
