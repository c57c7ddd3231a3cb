import { isObject } from '../../lib/json.ts'
import { fail, type Result } from '../../lib/result.ts'
import type { KubeObject } from '../object.ts'
import type { Schema } from '../schema/schema.ts'
import { merge } from './apply/merge.ts'
import { objectTypeOf, settle, shapeOf, type Type } from './apply/type.ts'
import { validate } from './apply/validate.ts'
import { attempt, refuseBelow } from './refusal.ts'

/**
 * Merges what a mutating admission policy wants into an object, by the object's schema and without looking at who owns which
 * field (apiserver, pkg/admission/plugin/policy/mutating/patch/smd.go). Atomic parts are refused unless they are allowed.
 */
export function applyConfiguration(
  live: KubeObject,
  configuration: Readonly<Record<string, unknown>>,
  options: { readonly schema: Schema | undefined; readonly allowsAtomic?: boolean },
): Result<KubeObject> {
  const type = objectTypeOf(options.schema)
  const patch = { ...configuration, apiVersion: live.apiVersion, kind: live.kind }
  if (!options.allowsAtomic && options.schema) {
    const atomics = attempt(() => atomicsIn(type, patch, []))
    if (!atomics.ok) return atomics
    if (atomics.value.length > 0) {
      return fail({
        code: 'mutation-invalid',
        message: `may not mutate atomic arrays, maps or structs: ${atomics.value.join(', ')}`,
      })
    }
  }
  return attempt(() => {
    validate(type, patch, false)
    // Merging an object with an object gives one.
    return merge(type, live, patch) as KubeObject
  })
}

/** Where a value holds parts that can only be replaced as a whole. */
function atomicsIn(type: Type | undefined, value: unknown, path: readonly string[]): readonly string[] {
  refuseBelow(path.length)
  if (!type || value === null || value === undefined) return []
  const shape = settle(type, shapeOf(type, value))
  if (shape === 'map' && type.map && isObject(value)) {
    if (type.map.isAtomic) return [path.join('')]
    const { map } = type
    return Object.entries(value).flatMap(([name, part]) => atomicsIn(map.typeOf(name), part, [...path, `.${name}`]))
  }
  if (shape === 'list' && type.list && Array.isArray(value)) {
    if (type.list.relation !== 'associative') return [path.join('')]
    const { element } = type.list
    return value.flatMap((item, index) => atomicsIn(element, item, [...path, `[${index}]`]))
  }
  return []
}
