import { isEqual, isObject, own } from '../../lib/json.ts'
import type { Schema } from './schema.ts'

/** Tells whether something on the way to a place, or the place itself, is equal in two values that correspond there. */
export function isAsItWas(
  steps: readonly (string | number)[],
  value: unknown,
  old: unknown,
  schema: Schema | undefined,
): boolean {
  let [now, before, node] = [value, old, schema]
  for (const step of steps) {
    if (isEqual(now, before)) return true
    if (typeof step === 'string') {
      if (!isObject(now) || !isObject(before) || !Object.hasOwn(before, step)) return false
      ;[now, before] = [own(now, step), own(before, step)]
      node =
        node?.properties?.get(step) ?? (isObject(node?.additionalProperties) ? node.additionalProperties : undefined)
    } else {
      if (!Array.isArray(now) || !Array.isArray(before) || node?.listType !== 'map') return false
      const item: unknown = now[step]
      const keys = node.listMapKeys ?? []
      const twin: unknown = before.find((one: unknown) => sameKeys(one, item, keys))
      if (twin === undefined) return false
      ;[now, before, node] = [item, twin, node.items]
    }
  }
  return isEqual(now, before)
}

const sameKeys = (a: unknown, b: unknown, keys: readonly string[]): boolean =>
  isObject(a) && isObject(b) && keys.every((key) => isEqual(own(a, key), own(b, key)))
