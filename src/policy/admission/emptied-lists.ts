import type { AdmissionRequest } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isObject, own, setOwn } from '../../lib/json.ts'

const DEEPEST = 200

/** The built-in kinds have no empty lists: a list from which a policy takes the last item is gone. */
export function withoutEmptied({ object, resource }: AdmissionRequest, mutated: KubeObject): KubeObject {
  const isBuiltIn = !resource.group.includes('.') || resource.group.endsWith('.k8s.io')
  // Dropping lists leaves an object an object.
  return isBuiltIn ? (dropEmptied(object, mutated, 0) as KubeObject) : mutated
}

/** Drops lists that are empty now and were not before. */
function dropEmptied(before: unknown, after: unknown, depth: number): unknown {
  if (before === after || depth > DEEPEST) return after
  if (Array.isArray(after)) {
    const old: readonly unknown[] = Array.isArray(before) ? before : []
    return after.map((item: unknown, at) => dropEmptied(old[at], item, depth + 1))
  }
  if (!isObject(after)) return after
  const old = isObject(before) ? before : {}
  const kept: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(after)) {
    const was = own(old, key)
    const isEmptied = Array.isArray(value) && value.length === 0 && Array.isArray(was) && was.length > 0
    if (!isEmptied) setOwn(kept, key, dropEmptied(was, value, depth + 1))
  }
  return kept
}
