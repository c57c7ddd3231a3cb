import { isEqual, isObject, own, setOwn } from '../../lib/json.ts'
import type { Result } from '../../lib/result.ts'
import { attempt, Refusal, refuseDeep } from './refusal.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Applies an RFC 7396 merge patch as the Kubernetes API server does (evanphx/json-patch 4.12): a null removes a key, lists
 * are replaced, and nulls inside of what is newly added are dropped, below lists too. Untouched parts keep their identity.
 */
export function applyMergePatch(document: unknown, patch: unknown): Result<unknown> {
  return attempt(() => {
    refuseDeep(document)
    refuseDeep(patch)
    return mergePatch(document, patch)
  })
}

/** The merge itself, for documents whose depth is known to be bounded. */
export function mergePatch(document: unknown, patch: unknown): unknown {
  if (document === null || document === undefined) return malformed('a merge patch cannot be applied to null')
  if (Array.isArray(patch)) return withoutNulls(patch)
  if (!isObject(patch)) return malformed('a merge patch must be an object')
  return isObject(document) ? mergeObject(document, patch) : withoutNulls(patch)
}

function malformed(message: string): never {
  throw new Refusal({ code: 'merge-patch-invalid', message })
}

function mergeObject(document: Fields, patch: Fields): Fields {
  let merged: Record<string, unknown> | undefined
  const write = (): Record<string, unknown> => (merged ??= { ...document })
  for (const key of Object.keys(patch)) {
    const wanted = patch[key]
    if (wanted === null) {
      if (Object.hasOwn(document, key)) delete write()[key]
      continue
    }
    const seen = own(document, key)
    const value = mergeValue(seen, wanted)
    if (value !== seen) setOwn(write(), key, value)
  }
  return merged ?? document
}

function mergeValue(seen: unknown, wanted: unknown): unknown {
  // Upstream keeps nulls below a list that takes the place of an object, and only there.
  if (isObject(seen)) return isObject(wanted) ? mergeObject(seen, wanted) : wanted
  const value = withoutNulls(wanted)
  return isEqual(seen, value) ? seen : value
}

/** Drops keys that hold null, at every depth; nulls that are elements of a list stay. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(withoutNulls)
    return items.every((item, index) => item === value[index]) ? value : items
  }
  if (!isObject(value)) return value
  let kept: Record<string, unknown> | undefined
  for (const key of Object.keys(value)) {
    const below = value[key]
    const pruned = withoutNulls(below)
    if (pruned === below && below !== null) continue
    kept ??= { ...value }
    if (below === null) delete kept[key]
    else setOwn(kept, key, pruned)
  }
  return kept ?? value
}

/** Makes the merge patch that turns one object into the other; a null in the target cannot be told from a removal. */
export function createMergePatch(original: unknown, modified: unknown): Result<Fields> {
  return attempt(() => {
    refuseDeep(original)
    refuseDeep(modified)
    return diffObjects(asObject(original, 'original'), asObject(modified, 'modified'))
  })
}

function asObject(value: unknown, name: string): Fields {
  if (value === undefined || value === null) return {}
  return isObject(value) ? value : malformed(`the ${name} document must be an object`)
}

function diffObjects(from: Fields, to: Fields): Fields {
  const patch: Record<string, unknown> = {}
  for (const key of Object.keys(to)) {
    const seen = own(from, key)
    const wanted = to[key]
    if (isObject(seen) && isObject(wanted)) {
      const below = diffObjects(seen, wanted)
      if (Object.keys(below).length > 0) setOwn(patch, key, below)
    } else if (seen === undefined || !isEqual(seen, wanted)) {
      setOwn(patch, key, wanted)
    }
  }
  for (const key of Object.keys(from)) {
    if (!Object.hasOwn(to, key)) setOwn(patch, key, null)
  }
  return patch
}

/** A path into the patch that must not be there: a change of what identifies the object. */
export type Precondition = readonly string[]

/** What `kubectl apply` insists on. */
export const identityUnchanged: readonly Precondition[] = [['apiVersion'], ['kind'], ['metadata', 'name']]

/** Stops when a patch changes what a precondition guards. */
export function requireUnchanged(patch: Fields, preconditions: readonly Precondition[]): void {
  for (const path of preconditions) {
    let here: unknown = patch
    for (const key of path) here = isObject(here) ? own(here, key) : undefined
    if (here === undefined) continue
    throw new Refusal({
      code: 'patch-precondition-failed',
      at: path.join('.'),
      message: `the patch would change ${path.join('.')}, which must stay as it is`,
    })
  }
}

export interface ThreeWayMerge {
  /** What was applied the last time; its fields that `modified` lacks are removed. */
  readonly original?: unknown
  readonly modified?: unknown
  readonly current?: unknown
  readonly preconditions?: readonly Precondition[]
}

/**
 * Makes the merge patch that `kubectl apply` sends for kinds without merge keys: additions and changes from current to
 * modified, removals from original to modified.
 */
export function createThreeWayMergePatch({
  original,
  modified,
  current,
  preconditions,
}: ThreeWayMerge): Result<Fields> {
  return attempt(() => {
    for (const document of [original, modified, current]) refuseDeep(document)
    const target = asObject(modified, 'modified')
    const additions = filterNulls(diffObjects(asObject(current, 'current'), target), 'drop')
    const removals = filterNulls(diffObjects(asObject(original, 'original'), target), 'keep')
    if (disagree(additions, removals)) {
      throw new Refusal({ code: 'patch-conflict', message: 'the additions and the removals of the patch disagree' })
    }
    const patch = mergeObject(removals, additions)
    requireUnchanged(patch, preconditions ?? [])
    return patch
  })
}

/** The removals of a merge patch alone, or everything else in it. */
export function filterPatch(patch: unknown, nulls: 'keep' | 'drop'): Result<Fields> {
  return attempt(() => {
    refuseDeep(patch)
    return filterNulls(asObject(patch, 'patch'), nulls)
  })
}

/** Keeps only the nulls of a patch, or everything but them. An object that was empty before is a value, not a patch. */
function filterNulls(patch: Fields, nulls: 'keep' | 'drop'): Fields {
  const kept: Record<string, unknown> = {}
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (isObject(value) && Object.keys(value).length > 0) {
      const below = filterNulls(value, nulls)
      if (Object.keys(below).length > 0) setOwn(kept, key, below)
    } else if ((value === null) === (nulls === 'keep')) {
      setOwn(kept, key, value)
    }
  }
  return kept
}

/** Two patches disagree where both hold a key with different values. */
function disagree(left: unknown, right: unknown): boolean {
  if (isObject(left) && isObject(right)) {
    return Object.keys(left).some((key) => Object.hasOwn(right, key) && disagree(left[key], right[key]))
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length !== right.length || left.some((item, index) => disagree(item, right[index]))
  }
  return !isEqual(left, right)
}
