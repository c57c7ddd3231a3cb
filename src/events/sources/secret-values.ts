import type { KubeObject } from '../../kube/object.ts'
import { fieldsOf, textOf } from '../../lib/fields.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'

/** Where the value of a secret lies. */
export interface SecretSelector {
  readonly name: string
  readonly key: string
}

/** Reads a value of a Secret in a namespace, as it is now. */
export type SecretValues = (namespace: string, selector: SecretSelector) => Result<string>

/** Reads values out of cached Secrets. What editors add at the end of a line is taken off, as upstream does. */
export function secretValues(cache: { get(key: string): KubeObject | undefined }): SecretValues {
  return (namespace, { name, key }) => {
    const secret = cache.get(`${namespace}/${name}`)
    const value = fieldsOf(secret, 'data')[key]
    if (!secret || !Object.hasOwn(fieldsOf(secret, 'data'), key) || typeof value !== 'string') {
      const what = secret
        ? `Secret ${JSON.stringify(name)} has no key ${JSON.stringify(key)}`
        : `there is no Secret ${JSON.stringify(name)}`
      return fail({ code: 'event-source-secret-missing', message: what })
    }
    return succeed(Buffer.from(value, 'base64').toString('utf8').replace(/\n$/, ''))
  }
}

const DEEPEST = 6

/** Every secret that a spec points to, wherever it does. */
export function selectorsIn(spec: unknown, depth: number = DEEPEST): readonly SecretSelector[] {
  if (depth === 0 || !isObject(spec)) return []
  const [name, key] = [textOf(spec, 'name'), textOf(spec, 'key')]
  const own = name !== '' && key !== '' ? [{ name, key }] : []
  return [...own, ...Object.values(spec).flatMap((value) => selectorsIn(value, depth - 1))]
}
