import { invalidStatus, required } from '../../kube/schema/field-error.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type ApiResult, refuse } from '../../kube/status.ts'
import { formatTime } from '../../kube/time.ts'
import { succeed } from '../../lib/result.ts'
import type { Kernel } from '../kernel.ts'
import { alreadyExists, methodNotAllowed } from '../refusals.ts'
import { type ApiRequest, type ApiResponse, refused } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'
import { keyOf } from '../storage/keys.ts'
import { withMetadata, withRevision } from '../storage/stamp.ts'
import { decodeBody, Warnings } from './body.ts'
import { trackFields } from './field-management.ts'
import { keptForm, servedForm } from './forms.ts'
import { admissionOf, judgeByAdmission, mutateByAdmission, validateObject, type Write } from './write.ts'

/** How often a taken generated name is replaced by another one. */
const NAME_ATTEMPTS = 8
/** So that a generated name stays a DNS label with its five characters. */
const LONGEST_GENERATED_BASE = 58

/** Makes a new object. */
export async function create(kernel: Kernel, resource: ServedResource, request: ApiRequest): Promise<ApiResponse> {
  const warnings = new Warnings()
  const decoded = decodeBody(resource, request, warnings)
  if (!decoded.ok) return refused(decoded.error, warnings.said)
  const named = decoded.value.metadata
  if (request.name !== undefined && named.name !== undefined && named.name !== request.name) {
    return refused(nameMismatch(named.name, request.name), warnings.said)
  }
  const made = await createObject({ kernel, resource, request, warnings }, decoded.value)
  if (!made.ok) return refused(made.error, warnings.said)
  return { answer: 'object', code: 201, object: made.value, warnings: warnings.said }
}

/** The object says another name than the path. */
export function nameMismatch(objectName: string, urlName: string): ReturnType<typeof methodNotAllowed> {
  return refuse('BadRequest', `the name of the object (${objectName}) does not match the name on the URL (${urlName})`)
    .error
}

/** Creates a decoded object: also the way of an apply or update that finds nothing. */
export async function createObject(
  write: Write,
  decoded: KubeObject,
  options: { readonly isTracked?: boolean } = {},
): Promise<ApiResult<KubeObject>> {
  const isGenerated = !decoded.metadata.name && Boolean(decoded.metadata.generateName)
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryCreate(write, decoded, options.isTracked ?? false)
    const isTaken = !outcome.ok && outcome.error.reason === 'AlreadyExists'
    if (!isTaken || !isGenerated || attempt === NAME_ATTEMPTS) return outcome
  }
}

async function tryCreate(write: Write, decoded: KubeObject, isTracked: boolean): Promise<ApiResult<KubeObject>> {
  const { kernel, resource, request } = write
  const { storage, strategy } = resource
  if (!storage) return { ok: false, error: methodNotAllowed() }
  const prepared = strategy.prepareCreate(stamp(kernel, decoded))
  const tracked = isTracked ? prepared : trackFields(write, prepared, undefined)
  const admission = admissionOf(write, 'CREATE', { object: tracked })
  const mutated = await mutateByAdmission(write, admission, tracked)
  if (!mutated.ok) return mutated
  const object = mutated.value
  const name = object.metadata.name
  if (name === undefined || name === '') {
    const missing = required('metadata.name', 'name or generateName is required')
    return { ok: false, error: invalidStatus(resource, '', [missing]) }
  }
  const valid = validateObject(write, { object, old: undefined })
  if (!valid.ok) return valid
  const judged = await judgeByAdmission(write, admission, { object })
  if (!judged.ok) return judged
  const key = keyOf(storage.prefix, request.namespace, name)
  if (request.options.dryRun) {
    return kernel.store.get(key) ? { ok: false, error: alreadyExists(resource, name) } : succeed(object)
  }
  const form = await keptForm(storage, object)
  if (!form.ok) return form
  const kept = form.value
  const outcome = await kernel.store.put(key, (revision) => withRevision(kept, revision), 'absent')
  if (!outcome.ok) return { ok: false, error: alreadyExists(resource, name) }
  return servedForm(storage, outcome.entry.value)
}

/** What only the server says about a new object. */
function stamp(kernel: Kernel, decoded: KubeObject): KubeObject {
  const { name, generateName } = decoded.metadata
  return withMetadata(decoded, {
    ...(!name && generateName ? { name: generateName.slice(0, LONGEST_GENERATED_BASE) + kernel.ids.suffix() } : {}),
    uid: kernel.ids.uid(),
    creationTimestamp: formatTime(kernel.clock.now()),
    resourceVersion: undefined,
    generation: undefined,
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
    selfLink: undefined,
  })
}
