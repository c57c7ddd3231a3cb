import { type FieldError, forbidden, notSupported } from '../../kube/schema/field-error.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type ApiResult, type Status } from '../../kube/status.ts'
import { formatTime, parseTime } from '../../kube/time.ts'
import { succeed } from '../../lib/result.ts'
import type { Entry } from '../../store/store.ts'
import type { Kernel } from '../kernel.ts'
import { conflict, invalidOptions, methodNotAllowed, notFound, OBJECT_MODIFIED } from '../refusals.ts'
import { type ApiRequest, type ApiResponse, refused, type RequestOptions } from '../request.ts'
import type { ServedResource, Strategy } from '../resources/resource.ts'
import { keyOf } from '../storage/keys.ts'
import { withMetadata, withRevision } from '../storage/stamp.ts'
import { Warnings } from './body.ts'
import { keptForm, servedForm } from './forms.ts'
import { admissionOf, judgeByAdmission, type Write } from './write.ts'

const ORPHAN = 'orphan'
const FOREGROUND = 'foregroundDeletion'

/** Removes an object, or marks it as going where a grace period or finalizers stand before that. */
export async function deleteOne(kernel: Kernel, resource: ServedResource, request: ApiRequest): Promise<ApiResponse> {
  const warnings = new Warnings()
  const outcome = await deleteObject({ kernel, resource, request, warnings })
  if (!outcome.ok) return refused(outcome.error, warnings.said)
  const { object, isGone } = outcome.value
  if (
    !isGone ||
    resource.plural === 'pods' ||
    resource.plural === 'services' ||
    resource.plural === 'customresourcedefinitions'
  ) {
    return { answer: 'object', code: 200, object, warnings: warnings.said }
  }
  return { answer: 'status', status: success(resource, object), warnings: warnings.said }
}

function success(resource: ServedResource, { metadata }: KubeObject): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      ...(metadata.name === undefined ? {} : { name: metadata.name }),
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.plural,
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    },
  } as unknown as Status // A success carries neither a message nor a reason.
}

/** The object as it is left, and whether it has gone. */
export interface Deleted {
  readonly object: KubeObject
  readonly isGone: boolean
}

const ATTEMPTS = 30

/** Deletes the object that the request names, again if it changes meanwhile. */
export async function deleteObject(write: Write): Promise<ApiResult<Deleted>> {
  const { kernel, resource, request } = write
  const { storage } = resource
  const name = request.name ?? ''
  if (!storage) return { ok: false, error: methodNotAllowed() }
  const causes = checkOptions(request.options)
  if (causes.length > 0) return { ok: false, error: invalidOptions('DeleteOptions', causes) }
  const key = keyOf(storage.prefix, request.namespace, name)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = kernel.store.get(key)
    if (!entry) return { ok: false, error: notFound(resource, name) }
    const outcome = await tryDelete(write, key, entry)
    if (outcome) return outcome
  }
  return { ok: false, error: conflict(resource, name, OBJECT_MODIFIED) }
}

function checkOptions({ orphanDependents, propagationPolicy }: RequestOptions): readonly FieldError[] {
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    return [forbidden('propagationPolicy', 'orphanDependents and deletionPropagation cannot be both set')]
  }
  if (propagationPolicy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(propagationPolicy)) {
    return [notSupported('propagationPolicy', propagationPolicy, ['Foreground', 'Background', 'Orphan'])]
  }
  return []
}

/** Undefined when somebody else changed the object first. */
async function tryDelete(write: Write, key: string, entry: Entry<KubeObject>): Promise<ApiResult<Deleted> | undefined> {
  const { kernel, resource, request } = write
  const { storage } = resource
  if (!storage) return { ok: false, error: methodNotAllowed() }
  const read = await servedForm(storage, entry.value)
  if (!read.ok) return read
  const old = read.value
  const unmet = preconditionUnmet(resource, request.options, old)
  if (unmet) return { ok: false, error: unmet }
  const refusal = resource.strategy.refuseDelete?.(old)
  if (refusal) return { ok: false, error: refusal }
  const admission = admissionOf(write, 'DELETE', { old })
  const judged = await judgeByAdmission(write, admission, { old })
  if (!judged.ok) return judged
  const step = planDelete(resource, request.options, old, kernel.clock.now())
  if (step.do === 'wait') return succeed({ object: old, isGone: false })
  if (request.options.dryRun) return succeed({ object: step.object, isGone: step.do === 'remove' })
  const form = await keptForm(storage, step.object)
  if (!form.ok) return form
  const kept = form.value
  const value = (revision: number): KubeObject => withRevision(kept, revision)
  const expect = { revision: entry.revision }
  const outcome =
    step.do === 'remove' ? await kernel.store.delete(key, value, expect) : await kernel.store.put(key, value, expect)
  if (!outcome.ok) return undefined
  const written = await servedForm(storage, outcome.entry.value)
  return written.ok ? succeed({ object: written.value, isGone: step.do === 'remove' }) : written
}

function preconditionUnmet(
  resource: ServedResource,
  { preconditions }: RequestOptions,
  { metadata }: KubeObject,
): Status | undefined {
  const name = metadata.name ?? ''
  if (preconditions?.uid !== undefined && preconditions.uid !== metadata.uid) {
    return conflict(
      resource,
      name,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${metadata.uid ?? ''}). The object might have been deleted and then recreated`,
    )
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== metadata.resourceVersion) {
    return conflict(
      resource,
      name,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion ?? ''}). The object might have been modified`,
    )
  }
  return undefined
}

/** What a deletion does to an object now. */
export type DeleteStep =
  | { readonly do: 'remove'; readonly object: KubeObject }
  | { readonly do: 'mark'; readonly object: KubeObject }
  | { readonly do: 'wait' }

/** Decides between removing, marking and leaving alone (registry/generic/registry/store.go and rest/delete.go). */
export function planDelete(
  resource: ServedResource,
  options: RequestOptions,
  old: KubeObject,
  nowMs: number,
): DeleteStep {
  const { strategy } = resource
  const graceful = gracefully(resource, old, options.gracePeriodSeconds, nowMs)
  if (graceful === 'pending') return { do: 'wait' }
  const object = withFinalizers(graceful ?? old, options, strategy)
  if ((object.metadata.finalizers ?? []).length > 0 || strategy.isHeld?.(object)) {
    const going = graceful ? object : asGoing(object, nowMs)
    return going === old ? { do: 'wait' } : { do: 'mark', object: strategy.markGoing?.(going) ?? going }
  }
  const isWaiting = graceful !== undefined && (object.metadata.deletionGracePeriodSeconds ?? 0) > 0
  return { do: isWaiting ? 'mark' : 'remove', object }
}

/** The object with the finalizers that this deletion calls for: the garbage collector's, and those of its kind. */
function withFinalizers(object: KubeObject, options: RequestOptions, strategy: Strategy): KubeObject {
  const before = object.metadata.finalizers ?? []
  const collected = finalizersAfter(options, before, strategy.orphansByDefault ?? false)
  const isFirst = object.metadata.deletionTimestamp === undefined
  const own = isFirst ? (strategy.finalizersOfDeletion ?? []).filter((name) => !collected.includes(name)) : []
  const after = own.length > 0 ? [...collected, ...own] : collected
  if (sameList(after, before)) return object
  return withMetadata(object, { finalizers: after.length > 0 ? after : undefined })
}

/** The object marked with a grace period; undefined where the kind or the request has none; pending where one runs. */
function gracefully(
  resource: ServedResource,
  old: KubeObject,
  wanted: number | undefined,
  nowMs: number,
): KubeObject | 'pending' | undefined {
  // A negative period means as soon as is graceful.
  const asked = wanted !== undefined && wanted < 0 ? 1 : wanted
  const { gracePeriod } = resource.strategy
  if (!gracePeriod) return undefined
  const { deletionTimestamp, deletionGracePeriodSeconds: running } = old.metadata
  if (deletionTimestamp === undefined) {
    const seconds = gracePeriod(old, asked)
    return withMetadata(old, {
      deletionTimestamp: formatTime(nowMs + seconds * 1_000),
      deletionGracePeriodSeconds: seconds,
      ...raised(old),
    })
  }
  if (running === undefined || running === 0) return undefined
  if (asked === undefined || asked >= running) return 'pending'
  const moved = (parseTime(deletionTimestamp) ?? nowMs) - running * 1_000 + asked * 1_000
  const isPast = moved < nowMs
  return withMetadata(old, {
    deletionTimestamp: formatTime(isPast ? nowMs : moved),
    deletionGracePeriodSeconds: isPast && asked !== 0 ? 1 : asked,
  })
}

const raised = ({ metadata }: KubeObject): { generation?: number } =>
  metadata.generation !== undefined && metadata.generation > 0 ? { generation: metadata.generation + 1 } : {}

/** Marks an object whose kind knows no grace period as waiting for its finalizers. */
function asGoing(object: KubeObject, nowMs: number): KubeObject {
  const { deletionTimestamp } = object.metadata
  if (deletionTimestamp !== undefined && (parseTime(deletionTimestamp) ?? 0) <= nowMs) {
    return object.metadata.deletionGracePeriodSeconds === 0
      ? object
      : withMetadata(object, { deletionGracePeriodSeconds: 0 })
  }
  return withMetadata(object, {
    deletionTimestamp: formatTime(nowMs),
    deletionGracePeriodSeconds: 0,
    ...(deletionTimestamp === undefined ? raised(object) : {}),
  })
}

/** The finalizers with the garbage collector's ones as the request wants them. */
function finalizersAfter(
  { orphanDependents, propagationPolicy }: RequestOptions,
  finalizers: readonly string[],
  orphansByDefault: boolean,
): readonly string[] {
  if (orphanDependents === undefined && propagationPolicy === undefined) {
    const isSaid = finalizers.includes(ORPHAN) || finalizers.includes(FOREGROUND)
    return orphansByDefault && !isSaid ? [...finalizers, ORPHAN] : finalizers
  }
  const others = finalizers.filter((name) => name !== ORPHAN && name !== FOREGROUND)
  if (orphanDependents ?? propagationPolicy === 'Orphan') return [...others, ORPHAN]
  if (propagationPolicy === 'Foreground') return [...others, FOREGROUND]
  return others
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index])
}
