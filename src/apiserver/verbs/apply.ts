import type { Patch } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type ApplyFailure, applyPatch } from '../../kube/patch/managed-fields.ts'
import { forbidden, invalidStatus, required } from '../../kube/schema/field-error.ts'
import { type ApiResult, failure, refuse, type Status } from '../../kube/status.ts'
import { isObject } from '../../lib/json.ts'
import { succeed } from '../../lib/result.ts'
import { decodeObject } from './body.ts'
import { nameMismatch } from './create.ts'
import { fieldWriteOf } from './field-management.ts'
import type { Proposal } from './update.ts'
import type { Write } from './write.ts'

type Apply = Extract<Patch, { type: 'apply' }>

/** What a patch's options must and must not say. */
export function checkPatchOptions({ request }: Write, { type }: Patch): Status | undefined {
  const { fieldManager, force } = request.options
  const kind = { group: 'meta.k8s.io', kind: 'PatchOptions' }
  if (type === 'apply' && !fieldManager) {
    return invalidStatus(kind, '', [required('fieldManager', 'is required for apply patch')])
  }
  if (type !== 'apply' && force !== undefined) {
    return invalidStatus(kind, '', [forbidden('force', 'may not be specified for non-apply patch')])
  }
  return undefined
}

/** How a server-side apply arrives at its object: what the applier wants, merged with what others manage. */
export function applyProposal(write: Write, { body }: Apply): Proposal {
  return {
    propose: (old) => applied(write, body, old),
    create: () => applied(write, body, undefined),
    isTracked: true,
  }
}

function applied(write: Write, body: unknown, live: KubeObject | undefined): ApiResult<KubeObject> {
  const { resource, request, warnings } = write
  const wanted = namedAs(body, request.name ?? '')
  if (!wanted.ok) return wanted
  // Decoding the patch alone finds what it says that its type does not know.
  const known = decodeObject(resource, request, wanted.value, warnings)
  if (!known.ok) return known
  const outcome = applyPatch({ ...fieldWriteOf(write, live), patch: wanted.value, force: request.options.force })
  if (!outcome.ok) return { ok: false, error: refusalOf(outcome.error) }
  if (live && !outcome.value.changed) return succeed(live)
  return decodeObject(
    resource,
    { ...request, options: { ...request.options, fieldValidation: 'Ignore' } },
    outcome.value.object,
    warnings,
  )
}

/** The patch under the name of the path; it may leave its name out, but not have another one. */
function namedAs(body: unknown, name: string): ApiResult<Readonly<Record<string, unknown>>> {
  if (!isObject(body)) return refuse('BadRequest', 'an apply patch must be an object')
  const metadata = isObject(body['metadata']) ? body['metadata'] : {}
  const said = metadata['name']
  if (said === name) return succeed(body)
  if (said !== undefined)
    return { ok: false, error: nameMismatch(typeof said === 'string' ? said : JSON.stringify(said), name) }
  return succeed({ ...body, metadata: { ...metadata, name } })
}

function refusalOf(why: ApplyFailure): Status {
  if (why.reason === 'conflict') {
    const causes = why.conflicts.map(({ field, message }) => ({ reason: 'FieldManagerConflict', message, field }))
    return failure('Conflict', why.message, { causes })
  }
  return failure('BadRequest', why.problems.map(({ at, message }) => (at ? `${at}: ${message}` : message)).join('; '))
}
