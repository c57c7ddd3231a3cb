import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { KubeObject } from '../../kube/object.ts'
import { compare } from '../../kube/patch/apply/compare.ts'
import { merge } from '../../kube/patch/apply/merge.ts'
import { emptySet, type PathSet, union } from '../../kube/patch/apply/path-set.ts'
import { extractItems, removeItems } from '../../kube/patch/apply/remove.ts'
import { objectTypeOf } from '../../kube/patch/apply/type.ts'
import { setOfEntry } from '../../kube/patch/managed-entries.ts'
import { applyPatch } from '../../kube/patch/managed-fields.ts'
import { attempt } from '../../kube/patch/refusal.ts'
import type { KindFacts } from './normal-form.ts'

/** The name under which Applications own fields. */
export const FIELD_MANAGER = 'argocd-controller'

/** Any time will do: an ownership's date is no difference. */
const NEVER = '1970-01-01T00:00:00Z'

/** The live object as a forced server-side apply of the target would leave it, worked out here. */
export function applyStructured(
  target: KubeObject,
  live: KubeObject,
  facts: KindFacts | undefined,
): Result<KubeObject> {
  const outcome = applyPatch({
    live,
    manager: FIELD_MANAGER,
    apiVersion: target.apiVersion,
    now: NEVER,
    schema: facts?.schema,
    patch: target,
    force: true,
  })
  if (outcome.ok) return succeed(outcome.value.object)
  if (outcome.error.reason === 'invalid') return { ok: false, error: outcome.error.problems }
  return fail({ code: 'diff-failed', message: 'a forced apply met a conflict' })
}

/**
 * The live object as the API server predicts it, without what others than the Application add on the way: webhooks, policies
 * and controllers. `predicted` is the answer to a server-side apply that was only tried.
 */
export function withoutMutations(
  predicted: KubeObject,
  live: KubeObject,
  facts: KindFacts | undefined,
): Result<KubeObject> {
  return attempt(() => {
    const type = objectTypeOf(facts?.schema)
    let owned: PathSet = emptySet
    for (const entry of predicted.metadata.managedFields ?? []) {
      if (entry.manager === FIELD_MANAGER) owned = union(owned, setOfEntry(entry))
    }
    const bareLive = withoutManagers(live)
    const barePredicted = withoutManagers(predicted)
    const { removed } = compare(type, bareLive, barePredicted)
    const merged = merge(type, bareLive, extractItems(type, barePredicted, owned, { keys: true }))
    const result = removeItems(type, merged, removed)
    return (isObject(result) ? result : bareLive) as KubeObject // its identity is owned by nobody, so it stays
  })
}

function withoutManagers(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}
