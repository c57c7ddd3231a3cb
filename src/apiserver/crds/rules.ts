import type { KubeObject } from '../../kube/object.ts'
import type { FieldError } from '../../kube/schema/field-error.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { compileRules, type CompiledRules } from '../../lang/cel/schema/compile-rules.ts'
import { evaluateRules } from '../../lang/cel/schema/evaluate-rules.ts'

const compiled = new WeakMap<Schema, CompiledRules>()

/** What the CEL rules of a schema have against an object, given the one it replaces. Rules are compiled with their first object. */
export function checkRules(object: KubeObject, old: KubeObject | undefined, schema: Schema): readonly FieldError[] {
  const known = compiled.get(schema) ?? compileRules(schema, { checksEstimates: false })
  compiled.set(schema, known)
  return evaluateRules(known, object, old)
}

/** What keeps the rules of a schema from being compiled, or makes them cost more than they may by estimate. */
export function checkRuleTexts(schema: Schema, at: string): readonly FieldError[] {
  return compileRules(schema, { at }).problems
}
