import { isEqual, isObject, own } from '../../lib/json.ts'
import type { Problem, Result } from '../../lib/result.ts'
import type { KubeObject } from '../object.ts'
import { type Conflicts, conflictsOf } from './apply-conflicts.ts'
import { sameSet } from './apply/path-set.ts'
import { objectTypeOf } from './apply/type.ts'
import { apply, type Conflict } from './apply/updater.ts'
import { validate } from './apply/validate.ts'
import { bare, emptyObject, type FieldWrite, named, validateOnce, withEntries, worldOf } from './field-write.ts'
import { appliedBefore, withLastApplied } from './last-applied.ts'
import { decodeManaged, encodeManaged, identifierOf, type Managed, sameButTimes } from './managed-entries.ts'
import { attempt, Refusal } from './refusal.ts'
import { tracked } from './track-update.ts'

export { trackUpdate, type UpdatedObject } from './track-update.ts'
export type { FieldWrite } from './field-write.ts'

export interface ApplyPatch extends FieldWrite {
  readonly patch: unknown
  readonly force?: boolean | undefined
}

/** Why an apply was not carried out. */
export type ApplyFailure =
  | ({ readonly reason: 'conflict' } & Conflicts)
  | { readonly reason: 'invalid'; readonly problems: readonly Problem[] }

export interface AppliedObject {
  readonly object: KubeObject
  /** False when nothing is to be written: then the object is the live one. */
  readonly changed: boolean
}

/**
 * Carries out a server-side apply (apimachinery, util/managedfields): merges the patch, removes what its manager applied
 * before and nobody owns, and brings managedFields up to date. Defaults, pruning and dropping nulls are the caller's.
 */
export function applyPatch(write: ApplyPatch): Result<AppliedObject, ApplyFailure> {
  const result = attempt(() => applied(write))
  if (!result.ok) return { ok: false, error: { reason: 'invalid', problems: result.error } }
  return 'conflicts' in result.value
    ? { ok: false, error: { reason: 'conflict', ...conflictsOf(result.value.conflicts) } }
    : { ok: true, value: result.value }
}

function applied(write: ApplyPatch): AppliedObject | { readonly conflicts: readonly Conflict[] } {
  const patch = checkPatch(write)
  const live = bare(write.live ?? emptyObject(write, patch.kind))
  const before = write.live?.metadata.managedFields
  const managed = managedBefore(write, live, decodeManaged(before))
  const type = objectTypeOf(write.schema)
  validate(type, patch, false)
  validateOnce(type, live)
  const manager = identifierOf({ ...named(write), operation: 'Apply' })
  const request = {
    live: { value: live, type },
    config: { value: patch, type },
    apiVersion: write.apiVersion,
    managers: managed.managers,
    manager,
  }
  const world = worldOf(write, type)
  let outcome = apply({ ...request, force: write.force === true }, world)
  if (!outcome.ok && write.manager === 'kubectl') {
    // What client-side apply set and nobody changed since may be taken over (apimachinery, lastappliedmanager.go).
    const ours = appliedBefore(live, type, write.apiVersion)
    const others = outcome.conflicts.filter(({ path }) => !ours?.has(path))
    outcome = others.length > 0 ? { ok: false, conflicts: others } : apply({ ...request, force: true }, world)
  }
  if (!outcome.ok) return outcome
  const { managers } = outcome
  const isSame = outcome.object.value === live
  const times = new Map(managed.times)
  const [mine, previous] = [managers.get(manager)?.set, managed.managers.get(manager)?.set]
  if (!isSame || !mine || !previous || !sameSet(mine, previous)) times.set(manager, write.now)
  const object = (outcome.object.value ?? live) as KubeObject
  const annotated = write.manager === 'kubectl' ? withLastApplied(object, patch) : object
  return finish(write, annotated, { managers, times })
}

function checkPatch({ patch, apiVersion, live }: ApplyPatch): KubeObject {
  if (!isObject(patch)) throw new Refusal({ code: 'apply-invalid', message: 'an apply patch must be an object' })
  if (patch['apiVersion'] !== apiVersion) {
    const found = JSON.stringify(patch['apiVersion']) ?? 'none'
    throw new Refusal({
      code: 'apply-version-mismatch',
      at: 'apiVersion',
      message: `the patch is in version ${found}, the request in ${apiVersion}`,
    })
  }
  if (typeof patch['kind'] !== 'string' || (live && patch['kind'] !== live.kind)) {
    throw new Refusal({
      code: 'apply-kind-mismatch',
      at: 'kind',
      message: `invalid object type: ${JSON.stringify(patch['kind'])}`,
    })
  }
  const metadata = own(patch, 'metadata')
  const entries = isObject(metadata) ? own(metadata, 'managedFields') : undefined
  if (entries !== undefined && entries !== null) {
    throw new Refusal({
      code: 'apply-managed-fields-set',
      at: 'metadata.managedFields',
      message: 'metadata.managedFields must be nil',
    })
  }
  // The patch was checked to have what every object has; metadata may be absent, and is only read through `own`.
  return patch as unknown as KubeObject
}

/** Puts the entries into the object, unless all that would change are times. */
function finish(write: FieldWrite, object: KubeObject, managed: Managed): AppliedObject {
  const { live } = write
  const before = live?.metadata.managedFields ?? []
  const entries = encodeManaged(managed, before)
  if (live && sameButTimes(before, entries) && isEqual(bare(live), object)) return { object: live, changed: false }
  return { object: withEntries(object, entries), changed: true }
}

/** An object that was never tracked belongs, as it is, to whoever made it before the first apply. */
function managedBefore(write: FieldWrite, live: KubeObject, managed: Managed): Managed {
  if (managed.managers.size > 0 || !write.live) return managed
  return tracked({ ...write, manager: 'before-first-apply' }, emptyObject(write, live.kind), live, managed)
}
