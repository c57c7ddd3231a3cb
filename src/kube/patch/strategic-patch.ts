import { isObject } from '../../lib/json.ts'
import type { Result } from '../../lib/result.ts'
import type { Schema } from '../schema/schema.ts'
import { type Precondition, requireUnchanged } from './merge-patch.ts'
import { attempt, Refusal, refuseDeep } from './refusal.ts'
import { mapsDisagree } from './strategic/conflicts.ts'
import { diffMaps } from './strategic/diff.ts'
import { badKind, type Fields } from './strategic/field-meta.ts'
import { mergeMap } from './strategic/merge.ts'

/**
 * Applies a strategic merge patch as the Kubernetes API server does. Below a field without a schema it behaves like a JSON
 * merge patch; a field that a known type does not have is refused when both sides would have to be merged.
 */
export function applyStrategicPatch(document: unknown, patch: unknown, schema: Schema | undefined): Result<Fields> {
  return attempt(() => {
    refuseDeep(document)
    refuseDeep(patch)
    return mergeMap(asMap(document), asMap(patch), schema, 'object')
  })
}

function asMap(value: unknown): Fields {
  if (value === undefined || value === null) return {}
  return isObject(value) ? value : badKind('map', value)
}

/** Makes the strategic merge patch that turns the original into the modified object. */
export function createStrategicPatch(
  original: unknown,
  modified: unknown,
  schema: Schema | undefined,
  preconditions: readonly Precondition[] = [],
): Result<Fields> {
  return attempt(() => {
    refuseDeep(original)
    refuseDeep(modified)
    const patch = diffMaps(asMap(original), asMap(modified), schema, { elementOrder: true })
    requireUnchanged(patch, preconditions)
    return patch
  })
}

export interface ThreeWayStrategicMerge {
  /** What was applied the last time; what `modified` lacks of it is removed. */
  readonly original?: unknown
  readonly modified?: unknown
  readonly current?: unknown
  readonly schema?: Schema | undefined
  /** Without it, changes that differ from what happened to the object since are a conflict. */
  readonly overwrite?: boolean
  readonly preconditions?: readonly Precondition[]
}

/**
 * Makes the patch that `kubectl apply` sends: additions and changes from current to modified, deletions from original to
 * modified.
 */
export function createThreeWayStrategicPatch(documents: ThreeWayStrategicMerge): Result<Fields> {
  return attempt(() => {
    const { schema, overwrite, preconditions } = documents
    const [original, modified, current] = [documents.original, documents.modified, documents.current].map(
      (document) => {
        refuseDeep(document)
        return asMap(document)
      },
    ) as [Fields, Fields, Fields]
    const changes = diffMaps(current, modified, schema, { ignoreDeletions: true, elementOrder: true })
    const deletions = diffMaps(original, modified, schema, { ignoreChanges: true, elementOrder: true })
    const patch = mergeMap(deletions, changes, schema, 'patch')
    requireUnchanged(patch, preconditions ?? [])
    if (!overwrite && mapsDisagree(patch, diffMaps(original, current, schema, {}), schema)) {
      throw new Refusal({
        code: 'patch-conflict',
        message: 'the patch conflicts with changes made from original to current',
        cure: 'overwrite them, or take them over first',
      })
    }
    return patch
  })
}
