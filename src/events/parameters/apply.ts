import { lookUp, stringOf } from '../../lang/gjson/gjson.ts'
import { setAt } from '../../lang/gjson/sjson.ts'
import type { Json } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { SensorEvent } from '../event.ts'
import type { FillTemplate } from '../filter/data-filter.ts'
import { type ParameterSource, type Resolved, resolveParameter } from './resolve.ts'

/** Takes a value out of events and puts it into what a trigger sends or makes. */
export interface TriggerParameter {
  readonly src: ParameterSource
  readonly dest?: string
  readonly operation?: string
}

const operations = ['append', 'prepend', 'overwrite', '']

/** Puts the values of parameters into a document, one after the other. */
export function applyParameters(
  document: Json,
  parameters: readonly TriggerParameter[],
  events: ReadonlyMap<string, SensorEvent>,
  fill: FillTemplate,
): Result<Json> {
  let made = document
  for (const { src, dest = '', operation = '' } of parameters) {
    const resolved = resolveParameter(src, events, fill)
    if (!resolved.ok) return resolved
    if (!resolved.value) continue
    if (!operations.includes(operation)) {
      const message = `${JSON.stringify(operation)} is not an operation: use overwrite, append or prepend`
      return fail({ code: 'event-parameter-invalid', at: dest, message })
    }
    const next = setAt(made, dest, valueFor(made, dest, { src, operation }, resolved.value))
    if (!next.ok) return next
    made = next.value
  }
  return succeed(made)
}

function valueFor(made: Json, dest: string, { src, operation = '' }: TriggerParameter, { text, raw }: Resolved): Json {
  const current = operation === 'append' || operation === 'prepend' ? lookUp(made, dest) : undefined
  if (current !== undefined) return operation === 'append' ? stringOf(current) + text : text + stringOf(current)
  return src.useRawData === true && raw !== undefined ? raw : text
}
