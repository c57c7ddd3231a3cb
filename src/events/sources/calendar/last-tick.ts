import type { Client } from '../../../kube/client.ts'
import { parseTime as parseGoTime } from '../../../lib/go-layout.ts'
import { fieldsOf, isSet, textOf } from '../../../lib/fields.ts'
import { isObject, own } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'

const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps' }
const LAYOUT = '2006-01-02 15:04:05.999999999 -0700 MST'

/** The ConfigMap in which a calendar remembers its last event, as upstream does, under `<EventSource>.<event>`. */
export interface LastTick {
  /** The last event, as its data; undefined where none is remembered. Fails where there is no ConfigMap. */
  read(): Promise<Result<string | undefined>>
  write(data: string): Promise<Result<true>>
}

/** Remembers in the ConfigMap that a spec names; undefined where it names none. */
export function lastTick(
  spec: Readonly<Record<string, unknown>>,
  { client, namespace, key }: { readonly client: Client; readonly namespace: string; readonly key: string },
): LastTick | undefined {
  const given = own(fieldsOf(spec, 'persistence'), 'configMap')
  if (!isObject(given)) return undefined
  const name = textOf(given, 'name')
  const at = { resource: CONFIG_MAPS, namespace, name }
  const trouble = (because: string): Result<never> =>
    fail({
      code: 'calendar-not-remembered',
      at: `${namespace}/${name}`,
      message: `cannot remember the last event in ConfigMap ${JSON.stringify(name)}: ${because}`,
    })

  const make = async (data: Readonly<Record<string, string>>): Promise<Result<true>> => {
    if (!isSet(given, 'createIfNotExist')) return trouble('there is none, and createIfNotExist is not set')
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data }
    const made = await client.create({ resource: CONFIG_MAPS, namespace }, object)
    return made.ok || made.error.reason === 'AlreadyExists' ? succeed(true) : trouble(made.error.message)
  }
  return {
    async read() {
      const found = await client.get(at)
      if (found.ok) return succeed(textOf(found.value['data'], key) || undefined)
      if (found.error.reason !== 'NotFound') return trouble(found.error.message)
      const made = await make({})
      return made.ok ? succeed(undefined) : made
    },
    async write(data) {
      const written = await client.patch(at, { type: 'merge', body: { data: { [key]: data } } })
      if (written.ok) return succeed(true)
      return written.error.reason === 'NotFound' ? make({ [key]: data }) : trouble(written.error.message)
    },
  }
}

/** When the event of some data was; undefined where the data does not say. */
export function timeOfTick(data: string): number | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(data)
  } catch {
    // Somebody else has written it: it says nothing.
    return undefined
  }
  // Upstream's times may carry what its machine's clock showed.
  const [text = ''] = textOf(parsed, 'eventTime').split(' m=')
  const time = parseGoTime(LAYOUT, text)
  return typeof time === 'string' ? undefined : time.seconds * 1_000 + Math.floor(time.nanos / 1e6)
}
