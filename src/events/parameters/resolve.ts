import { lookUp, stringOf } from '../../lang/gjson/gjson.ts'
import type { Json } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { contextJson, dataJson, eventJson, type SensorEvent } from '../event.ts'
import type { FillTemplate } from '../filter/data-filter.ts'

/** Where the value of a parameter comes from. */
export interface ParameterSource {
  readonly dependencyName?: string
  readonly contextKey?: string
  readonly contextTemplate?: string
  readonly dataKey?: string
  readonly dataTemplate?: string
  readonly value?: string
  readonly useRawData?: boolean
}

/** A value for a parameter, and whether it is JSON that may be put in as such. */
export interface Resolved {
  readonly text: string
  readonly raw?: Json
}

/** What of an event a source looks at. */
interface Selection {
  readonly ofData: boolean
  readonly key: string
  readonly template: string
}

/** Data goes before attributes where a source names both; undefined where it names neither. */
function selectionOf(source: ParameterSource): Selection | undefined {
  const { contextKey = '', contextTemplate = '', dataKey = '', dataTemplate = '' } = source
  if (dataKey !== '' || dataTemplate !== '') return { ofData: true, key: dataKey, template: dataTemplate }
  const ofContext = contextKey !== '' || contextTemplate !== ''
  return ofContext ? { ofData: false, key: contextKey, template: contextTemplate } : undefined
}

/** The value of a parameter; undefined where its dependency has no event and nothing is said instead. */
export function resolveParameter(
  source: ParameterSource,
  events: ReadonlyMap<string, SensorEvent>,
  fill: FillTemplate,
): Result<Resolved | undefined> {
  const { dependencyName = '', value } = source
  const otherwise = value === undefined ? undefined : succeed({ text: value })
  const event = events.get(dependencyName)
  if (!event) return otherwise ?? succeed(undefined)
  const selection = selectionOf(source)
  if (!selection) return otherwise ?? succeed({ text: JSON.stringify(eventJson(event)) })
  const payload = selection.ofData ? payloadOf(event) : succeed(contextJson(event.context))
  if (!payload.ok) return otherwise ?? payload
  const found = select(payload.value, selection, fill)
  if (typeof found !== 'string') return succeed(found)
  const message = `cannot find a value in the event of ${JSON.stringify(dependencyName)}: ${found}; give a value to use instead`
  return otherwise ?? fail({ code: 'event-parameter-unresolved', at: dependencyName, message })
}

/** What a template makes, else what is at a key; or why there is nothing. */
function select(payload: Json, { key, template }: Selection, fill: FillTemplate): Resolved | string {
  let problem = `nothing is at ${JSON.stringify(key)}`
  if (template !== '') {
    const filled = fill(template, payload)
    if (filled.ok && filled.value !== '' && filled.value !== '<no value>') return { text: filled.value }
    problem = filled.ok ? 'the template makes nothing' : (filled.error[0]?.message ?? 'the template cannot be filled')
  }
  const found = key === '' ? undefined : lookUp(payload, key)
  return found === undefined ? problem : resolvedOf(found)
}

function resolvedOf(found: Json): Resolved {
  if (typeof found === 'string') return { text: found }
  return { text: found === null ? 'null' : stringOf(found), raw: found }
}

function payloadOf({ context, data = '' }: SensorEvent): Result<Json> {
  const { datacontenttype = '' } = context
  const wrong = (message: string): Result<never> => fail({ code: 'event-parameter-unresolved', at: 'data', message })
  if (datacontenttype === 'application/json') {
    const json = dataJson(data)
    return json === undefined ? wrong('the data of the event is not JSON') : succeed(json)
  }
  if (datacontenttype !== 'application/yaml')
    return wrong(`data of the content type ${JSON.stringify(datacontenttype)} cannot be looked into; use JSON or YAML`)
  const read = parseYaml(data)
  if (!read.ok) return read
  return succeed(read.value as Json) // what YAML of plain values makes
}
