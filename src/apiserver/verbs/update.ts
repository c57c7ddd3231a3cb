import { invalid, invalidStatus, required } from '../../kube/schema/field-error.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { ApiResult } from '../../kube/status.ts'
import { isEqual } from '../../lib/json.ts'
import { succeed } from '../../lib/result.ts'
import type { Kernel } from '../kernel.ts'
import { conflict, methodNotAllowed, notFound, OBJECT_MODIFIED } from '../refusals.ts'
import { type ApiRequest, type ApiResponse, refused } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'
import { keyOf } from '../storage/keys.ts'
import { withMetadata, withRevision } from '../storage/stamp.ts'
import { decodeBody, Warnings } from './body.ts'
import { createObject, nameMismatch } from './create.ts'
import { trackFields } from './field-management.ts'
import { keptForm, servedForm } from './forms.ts'
import {
  type Admission,
  admissionOf,
  judgeByAdmission,
  mutateByAdmission,
  validateObject,
  type Write,
} from './write.ts'

/** Replaces an object, or creates it where the kind allows that. */
export async function update(kernel: Kernel, resource: ServedResource, request: ApiRequest): Promise<ApiResponse> {
  const warnings = new Warnings()
  const decoded = decodeBody(resource, request, warnings)
  if (!decoded.ok) return refused(decoded.error, warnings.said)
  const { name } = decoded.value.metadata
  if (!name) {
    return refused(invalidStatus(resource, '', [required('metadata.name', 'name must be provided')]), warnings.said)
  }
  if (name !== request.name) return refused(nameMismatch(name, request.name ?? ''), warnings.said)
  const write: Write = { kernel, resource, request, warnings }
  const outcome = await updateObject(write, {
    propose: () => succeed(decoded.value),
    create: resource.strategy.createOnUpdate ? () => succeed(decoded.value) : undefined,
  })
  if (!outcome.ok) return refused(outcome.error, warnings.said)
  return {
    answer: 'object',
    code: outcome.value.isNew ? 201 : 200,
    object: outcome.value.object,
    warnings: warnings.said,
  }
}

/** How a write arrives at the new object from the one there is. May be asked again when somebody else was faster. */
export interface Proposal {
  readonly propose: (old: KubeObject) => ApiResult<KubeObject> | Promise<ApiResult<KubeObject>>
  /** What to create where there is nothing; absent where that is an error. */
  readonly create?: (() => ApiResult<KubeObject>) | undefined
  /** Set when the proposal brings its managedFields up to date itself. */
  readonly isTracked?: boolean
  /** Keeps everything but the part that this write may change; the strategy's rule for updates when absent. */
  readonly prepare?: ((object: KubeObject, old: KubeObject) => KubeObject) | undefined
}

/** What came of it. */
export interface Updated {
  readonly object: KubeObject
  readonly isNew: boolean
}

/** After this many lost races a write gives up with a conflict. */
const ATTEMPTS = 30

/** The one way in which stored objects change: read, propose, admit, validate, commit if nobody else did; else again. */
export async function updateObject(write: Write, proposal: Proposal): Promise<ApiResult<Updated>> {
  const { kernel, resource, request } = write
  const { storage } = resource
  const name = request.name ?? ''
  if (!storage) return { ok: false, error: methodNotAllowed() }
  const key = keyOf(storage.prefix, request.namespace, name)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = kernel.store.get(key)
    if (!entry) {
      if (!proposal.create) return { ok: false, error: notFound(resource, name) }
      const created = await createFrom(write, proposal.create, proposal.isTracked ?? false)
      if (created.ok || created.error.reason !== 'AlreadyExists') return created
      continue
    }
    const read = await servedForm(storage, entry.value)
    if (!read.ok) return read
    const old = read.value
    const next = await nextState(write, proposal, old)
    if (!next.ok) return next
    const object = next.value
    if (object === old || request.options.dryRun) return succeed({ object, isNew: false })
    const form = await keptForm(storage, object)
    if (!form.ok) return form
    const kept = form.value
    const outcome = isFinished(resource, object, old)
      ? await kernel.store.delete(key, (revision) => withRevision(kept, revision), { revision: entry.revision })
      : await kernel.store.put(key, (revision) => withRevision(kept, revision), { revision: entry.revision })
    if (!outcome.ok) continue
    const written = await servedForm(storage, outcome.entry.value)
    return written.ok ? succeed({ object: written.value, isNew: false }) : written
  }
  return { ok: false, error: conflict(resource, name, OBJECT_MODIFIED) }
}

async function createFrom(
  write: Write,
  make: () => ApiResult<KubeObject>,
  isTracked: boolean,
): Promise<ApiResult<Updated>> {
  const made = make()
  if (!made.ok) return made
  const { resourceVersion, uid } = made.value.metadata
  const name = write.request.name ?? ''
  if (uid) {
    return {
      ok: false,
      error: conflict(write.resource, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: `),
    }
  }
  if (resourceVersion && resourceVersion !== '0')
    return { ok: false, error: conflict(write.resource, name, OBJECT_MODIFIED) }
  const created = await createObject(write, made.value, { isTracked })
  return created.ok ? succeed({ object: created.value, isNew: true }) : created
}

/** From the object as it is to the object as it is to be; the same object where nothing changes. */
async function nextState(write: Write, proposal: Proposal, old: KubeObject): Promise<ApiResult<KubeObject>> {
  const { resource } = write
  const proposed = await proposal.propose(old)
  if (!proposed.ok) return proposed
  const stale = staleness(resource, proposed.value, old)
  if (stale) return { ok: false, error: stale }
  const prepare = proposal.prepare ?? resource.strategy.prepareUpdate
  const prepared = prepare(withServerMetadata(proposed.value, old), old)
  const tracked = proposal.isTracked ? prepared : trackFields(write, prepared, old)
  const admission = admissionOf(write, 'UPDATE', { object: tracked, old })
  const mutated = await mutateByAdmission(write, admission, tracked)
  if (!mutated.ok) return mutated
  const object = mutated.value === tracked ? tracked : prepare(withServerMetadata(mutated.value, old), old)
  const accepted = await accept(write, admission, object, old)
  if (!accepted.ok) return accepted
  return succeed(isUnchanged(resource, object, old) ? old : object)
}

async function accept(
  write: Write,
  admission: Admission,
  object: KubeObject,
  old: KubeObject,
): Promise<ApiResult<undefined>> {
  const valid = validateObject(write, { object, old })
  if (!valid.ok) return valid
  return judgeByAdmission(write, admission, { object, old })
}

/** Why the writer's idea of the object is out of date, if it is. */
function staleness(
  resource: ServedResource,
  { metadata }: KubeObject,
  old: KubeObject,
): ReturnType<typeof conflict> | undefined {
  const name = old.metadata.name ?? ''
  const { uid, resourceVersion } = metadata
  if (uid && uid !== old.metadata.uid) {
    return conflict(
      resource,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid ?? ''}`,
    )
  }
  if (resourceVersion === undefined || resourceVersion === '' || resourceVersion === '0') {
    if (resource.strategy.unconditionalUpdate) return undefined
    return invalidStatus({ group: resource.group, kind: resource.plural }, name, [
      { ...invalid('metadata.resourceVersion', 0, ''), message: 'Invalid value: 0x0: must be specified for an update' },
    ])
  }
  return resourceVersion === old.metadata.resourceVersion ? undefined : conflict(resource, name, OBJECT_MODIFIED)
}

/** What an update can never change. */
function withServerMetadata(object: KubeObject, { metadata: old }: KubeObject): KubeObject {
  return withMetadata(object, {
    uid: old.uid,
    creationTimestamp: old.creationTimestamp,
    generation: old.generation,
    deletionTimestamp: old.deletionTimestamp,
    deletionGracePeriodSeconds:
      old.deletionTimestamp === undefined
        ? undefined
        : (object.metadata.deletionGracePeriodSeconds ?? old.deletionGracePeriodSeconds),
    resourceVersion: old.resourceVersion,
    selfLink: undefined,
  })
}

/** The last finalizer has gone from an object that was waiting for it. */
function isFinished({ strategy }: ServedResource, object: KubeObject, { metadata: old }: KubeObject): boolean {
  return (
    old.deletionTimestamp !== undefined &&
    (object.metadata.finalizers ?? []).length === 0 &&
    (old.deletionGracePeriodSeconds ?? 0) === 0 &&
    !strategy.isHeld?.(object)
  )
}

/** Nothing but the times in managedFields differs: then nothing is written. */
function isUnchanged(resource: ServedResource, object: KubeObject, old: KubeObject): boolean {
  if (isFinished(resource, object, old)) return false
  return isEqual(withoutTimes(object), withoutTimes(old))
}

function withoutTimes(object: KubeObject): KubeObject {
  const { managedFields } = object.metadata
  if (!managedFields) return object
  return {
    ...object,
    metadata: { ...object.metadata, managedFields: managedFields.map(({ time: _time, ...entry }) => entry) },
  }
}
