import type { KubeObject } from '../../kube/object.ts'
import type { FieldError } from '../../kube/schema/field-error.ts'
import type { Schema } from '../../kube/schema/schema.ts'

/** What the CEL rules of a schema have against an object, given the one it replaces. */
export function checkRules(_object: KubeObject, _old: KubeObject | undefined, _schema: Schema): readonly FieldError[] {
  return []
}
