import type { Result } from '../../lib/result.ts'
import type { KubeObject, ManagedFieldsEntry } from '../object.ts'
import type { Schema } from '../schema/schema.ts'
import { writeFieldsV1 } from './apply/fields-v1.ts'
import { isSubset, leaves, type PathSet, union } from './apply/path-set.ts'
import { extractItems } from './apply/remove.ts'
import { objectTypeOf } from './apply/type.ts'
import { validate } from './apply/validate.ts'
import { setOfEntry } from './managed-entries.ts'
import { attempt } from './refusal.ts'

/** What `kubectl apply` is called when it does not apply on the server. */
export const clientSideApplyManager = 'kubectl-client-side-apply'

export interface Upgrade {
  /** The managers whose updates were client-side applies. */
  readonly from: readonly string[]
  /** The manager that applies on the server from now on. */
  readonly to: string
  readonly subresource?: string
}

/**
 * Gives what was applied by clients to the manager that applies on the server, so that its first apply neither conflicts with
 * nor forgets it (client-go, util/csaupgrade).
 */
export function upgradeManagedFields(
  entries: readonly ManagedFieldsEntry[],
  { from, to, subresource = '' }: Upgrade,
): Result<readonly ManagedFieldsEntry[]> {
  return attempt(() => from.reduce((current, manager) => upgradeOne(current, manager, to, subresource), entries))
}

function upgradeOne(
  entries: readonly ManagedFieldsEntry[],
  from: string,
  to: string,
  subresource: string,
): readonly ManagedFieldsEntry[] {
  const isHere = (entry: ManagedFieldsEntry): boolean => (entry.subresource ?? '') === subresource
  const isOld = (entry: ManagedFieldsEntry): boolean =>
    entry.manager === from && entry.operation === 'Update' && isHere(entry)
  const target =
    entries.find((entry) => entry.manager === to && entry.operation === 'Apply' && isHere(entry)) ?? entries.find(isOld)
  if (!target) return entries
  const old = entries.find((entry) => isOld(entry) && entry.apiVersion === target.apiVersion)
  const set = old ? union(setOfEntry(target), setOfEntry(old)) : setOfEntry(target)
  const upgraded: ManagedFieldsEntry = { ...target, manager: to, operation: 'Apply', fieldsV1: writeFieldsV1(set) }
  return entries
    .filter((entry) => entry === target || !isOld(entry))
    .map((entry) => (entry === target ? upgraded : entry))
}

/** The entries that own all of the fields; entries that cannot be read own nothing. */
export function ownersOf(
  entries: readonly ManagedFieldsEntry[],
  operation: 'Apply' | 'Update',
  fields: PathSet,
): readonly ManagedFieldsEntry[] {
  return entries.filter((entry) => {
    if (entry.operation !== operation) return false
    const set = attempt(() => setOfEntry(entry))
    return set.ok && isSubset(fields, set.value)
  })
}

/** What a manager applied, as an object that can be changed and applied again; undefined when it never applied. */
export function extractApplied(
  object: KubeObject,
  manager: string,
  { schema, subresource = '' }: { readonly schema?: Schema; readonly subresource?: string } = {},
): Result<unknown> {
  return attempt(() => {
    const entry = object.metadata.managedFields?.find(
      (one) => one.manager === manager && one.operation === 'Apply' && (one.subresource ?? '') === subresource,
    )
    if (!entry) return undefined
    const type = objectTypeOf(schema)
    validate(type, object, true)
    const extracted = extractItems(type, object, leaves(setOfEntry(entry)))
    return { apiVersion: object.apiVersion, kind: object.kind, ...(extracted as object | null) }
  })
}
