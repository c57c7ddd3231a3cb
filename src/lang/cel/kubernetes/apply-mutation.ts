import type { KubeObject } from '../../../kube/object.ts'
import { applyConfiguration } from '../../../kube/patch/apply-configuration.ts'
import { applyJsonPatch } from '../../../kube/patch/json-patch.ts'
import type { Schema } from '../../../kube/schema/schema.ts'
import { isObject } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import { configurationOf, jsonPatchOf } from './mutation.ts'

/** How a mutation's value changes an object. */
export type MutationKind =
  | { readonly kind: 'json-patch' }
  | {
      readonly kind: 'apply'
      /** Whether parts that can only be replaced as a whole may be set. */
      readonly allowsAtomic: boolean
      /** What tells how the object's parts merge; undefined when nothing is known of its kind. */
      readonly schema: Schema | undefined
    }

/** The object changed by what a mutation's expression made. */
export function applyMutation(object: KubeObject, value: unknown, how: MutationKind): Result<KubeObject> {
  if (how.kind === 'json-patch') return patched(object, value)
  const configuration = configurationOf(value)
  return configuration.ok ? applyConfiguration(object, configuration.value, how) : configuration
}

function patched(object: KubeObject, value: unknown): Result<KubeObject> {
  const operations = jsonPatchOf(value)
  if (!operations.ok) return operations
  const result = applyJsonPatch(object, operations.value)
  // A test that does not hold means that the patch is not for this object.
  if (!result.ok) return result.error.some(({ code }) => code === 'json-patch-test-failed') ? succeed(object) : result
  return isObject(result.value) && isObject(result.value['metadata'])
    ? // It was an object of its kind before, and still has its metadata.
      succeed(result.value as unknown as KubeObject)
    : fail({ code: 'mutation-invalid', message: 'the patch leaves no object with metadata' })
}
