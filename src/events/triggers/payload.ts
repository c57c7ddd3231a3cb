import { setAt } from '../../lang/gjson/sjson.ts'
import type { Json } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { SensorEvent } from '../event.ts'
import type { FillTemplate } from '../filter/data-filter.ts'
import type { TriggerParameter } from '../parameters/apply.ts'
import { resolveParameter } from '../parameters/resolve.ts'

/** A longer payload is a mistake, or an attack on whom it is sent to. */
const LONGEST = 4 * 1024 * 1024

/**
 * What a trigger sends, made of values of events; undefined where nothing is put in. A parameter without a destination is the
 * whole payload, as it is.
 */
export function payloadOf(
  parameters: readonly TriggerParameter[],
  events: ReadonlyMap<string, SensorEvent>,
  fill: FillTemplate,
): Result<string | undefined> {
  let made: Json | undefined
  for (const { src, dest = '' } of parameters) {
    const resolved = resolveParameter(src, events, fill)
    if (!resolved.ok) return resolved
    if (!resolved.value) continue
    const { text, raw } = resolved.value
    if (dest === '') return bounded(text)
    const next = setAt(made, dest, src.useRawData === true && raw !== undefined ? raw : text)
    if (!next.ok) return next
    made = next.value
  }
  return made === undefined ? succeed(undefined) : bounded(JSON.stringify(made))
}

function bounded(text: string): Result<string> {
  if (Buffer.byteLength(text) <= LONGEST) return succeed(text)
  return fail({ code: 'trigger-invalid', at: 'payload', message: `the payload is longer than ${LONGEST} bytes` })
}
