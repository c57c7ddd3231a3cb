import type { KubeObject } from '../../kube/object.ts'
import { applyConfiguration } from '../../kube/patch/apply-configuration.ts'
import { applyJsonPatch } from '../../kube/patch/json-patch.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { configurationOf, jsonPatchOf } from '../../lang/cel/kubernetes/mutation.ts'
import type { Program } from '../../lang/cel/program.ts'
import { isObject } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import type { Evaluated, Evaluation } from './evaluation.ts'

/** One mutation of a policy. */
export type CompiledMutation =
  | { readonly kind: 'apply'; readonly program: Program; readonly allowsAtomic: boolean }
  | { readonly kind: 'json-patch'; readonly program: Program }

/** What is changed, and what is known of its kind. */
export interface Subject {
  readonly object: KubeObject
  readonly schema: Schema | undefined
}

/** Carries out mutations in their order; each sees what those before it made, and so does what is evaluated afterwards. */
export function applyMutations(
  mutations: readonly CompiledMutation[],
  evaluation: Evaluation,
  subject: Subject,
): Evaluated<KubeObject> {
  let { object } = subject
  for (const mutation of mutations) {
    const result = evaluation.evaluate(mutation.program)
    if (!result.ok) return result
    const changed =
      mutation.kind === 'apply'
        ? applied(result.value, mutation.allowsAtomic, { ...subject, object })
        : patched(result.value, object)
    if (!changed.ok) return changed
    object = changed.value
    evaluation.bind('object', object)
  }
  return { ok: true, value: object }
}

const because = (problems: readonly Problem[]): { readonly ok: false; readonly because: string } => ({
  ok: false,
  because: problems.map(({ message }) => message).join('; '),
})

function applied(value: unknown, allowsAtomic: boolean, { object, schema }: Subject): Evaluated<KubeObject> {
  const configuration = configurationOf(value)
  if (!configuration.ok) return because(configuration.error)
  const merged = applyConfiguration(object, configuration.value, { schema, allowsAtomic })
  return merged.ok ? merged : because(merged.error)
}

function patched(value: unknown, object: KubeObject): Evaluated<KubeObject> {
  const operations = jsonPatchOf(value)
  if (!operations.ok) return because(operations.error)
  const result = applyJsonPatch(object, operations.value)
  if (!result.ok) {
    // A test that does not hold means that the patch is not for this object.
    if (result.error.some(({ code }) => code === 'json-patch-test-failed')) return { ok: true, value: object }
    return because(result.error)
  }
  if (!isObject(result.value) || !isObject(result.value['metadata']))
    return { ok: false, because: 'the patch leaves no object with metadata' }
  // It was an object of its kind before, and still has its metadata.
  return { ok: true, value: result.value as unknown as KubeObject }
}
