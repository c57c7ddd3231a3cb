import type { Client } from '../../kube/client.ts'
import { textOf } from '../../lib/fields.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'

/** The one thing that is needed of a cluster here. */
export type ReadObjects = Pick<Client, 'get'>

const plurals = { Secret: 'secrets', ConfigMap: 'configmaps' } as const

/**
 * The text at a key of a Secret or ConfigMap, selected by `name` and `key`. It is read as a volume of the Sensor's Pod would be:
 * from the Sensor's own namespace, without a right of its ServiceAccount. Values never appear in a problem.
 */
export async function readKey(
  kind: keyof typeof plurals,
  selector: unknown,
  { namespace, client }: { readonly namespace: string; readonly client: ReadObjects },
): Promise<Result<string>> {
  const missing = (message: string): Result<never> => fail({ code: 'trigger-key-missing', message })
  if (!isObject(selector)) return missing(`a reference to a ${kind} needs name and key`)
  const name = textOf(selector, 'name')
  const key = textOf(selector, 'key')
  if (name === '' || key === '') return missing(`a reference to a ${kind} needs name and key`)
  const found = await client.get({ resource: { group: '', version: 'v1', plural: plurals[kind] }, namespace, name })
  if (!found.ok) return missing(`cannot read ${kind} ${namespace}/${name}: ${found.error.message}`)
  const { data } = found.value
  const text = isObject(data) && Object.hasOwn(data, key) ? data[key] : undefined
  if (typeof text !== 'string') return missing(`${kind} ${namespace}/${name} has no key ${JSON.stringify(key)}`)
  return succeed(kind === 'Secret' ? Buffer.from(text, 'base64').toString('utf8') : text)
}
