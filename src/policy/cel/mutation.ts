import type { KubeObject } from '../../kube/object.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { applyMutation } from '../../lang/cel/kubernetes/apply-mutation.ts'
import type { Program } from '../../lang/cel/program.ts'
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
  { object: before, schema }: Subject,
): Evaluated<KubeObject> {
  let object = before
  for (const mutation of mutations) {
    const result = evaluation.evaluate(mutation.program)
    if (!result.ok) return result
    const how = mutation.kind === 'apply' ? { ...mutation, schema } : mutation
    const changed = applyMutation(object, result.value, how)
    if (!changed.ok) return { ok: false, because: changed.error.map(({ message }) => message).join('; ') }
    object = changed.value
    evaluation.bind('object', object)
  }
  return { ok: true, value: object }
}
