import type { SensorEvent } from '../../events/event.ts'
import { filterData, type DataFilter } from '../../events/filter/data-filter.ts'
import { type ExprFilter, filterExprs } from '../../events/filter/expr-filter.ts'
import { filterContext, filterEvent, filterScript, filterTime, operatorOf } from '../../events/filter/filter-event.ts'
import type { FilterVerdict } from '../../events/filter/verdict.ts'
import { applyParameters, type TriggerParameter } from '../../events/parameters/apply.ts'
import { resolveParameter } from '../../events/parameters/resolve.ts'
import { templateFiller } from '../../events/template.ts'
import { sprigFunctions } from '../../lang/gotemplate/sprig/sprig.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import { isObject, type Json } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { EvalRequest } from './ops.ts'

const fill = templateFiller(sprigFunctions({ clock: systemClock, ids: systemIds, certificates: certificateMaker }))

const invalid = (message: string): Result<never> => fail({ code: 'eval-request-invalid', message })

function eventIn(value: unknown): SensorEvent | undefined {
  if (!isObject(value)) return undefined
  const { context, data } = value
  return {
    context: isObject(context) ? context : {}, // its fields are texts, or are compared as what they are
    ...(typeof data === 'string'
      ? { data }
      : data === undefined || data === null
        ? {}
        : { data: JSON.stringify(data) }),
  }
}

function eventsIn(value: unknown): ReadonlyMap<string, SensorEvent> {
  return new Map(
    Object.entries(isObject(value) ? value : {}).flatMap(([name, one]) => {
      const event = eventIn(one)
      return event ? [[name, event] as const] : []
    }),
  )
}

type List<T> = readonly T[] | undefined

/** The parts of a filter by their name; each reads `filter` as its own form. */
function verdictOf(part: string, { filter, operator, event: given }: EvalRequest): FilterVerdict | undefined {
  const event = eventIn(given)
  const joint = operatorOf(typeof operator === 'string' ? operator : undefined)
  // The forms are those of the resource; what does not fit is compared as what it is.
  switch (part) {
    case 'all':
      return filterEvent(filter ?? {}, joint, event ?? { context: {} }, fill)
    case 'data':
      return filterData((filter ?? undefined) as List<DataFilter>, joint, event, fill)
    case 'exprs':
      return filterExprs((filter ?? undefined) as List<ExprFilter>, joint, event)
    case 'context':
      return filterContext(filter ?? undefined, event?.context)
    case 'time':
      return filterTime(filter ?? undefined, event?.context.time)
    case 'script':
      return filterScript(typeof filter === 'string' ? filter : undefined, event)
    default:
      return undefined
  }
}

/** Judges an event by a Sensor's filters, or fills parameters from events: `{do, ...}` (docs/eval.md). */
export function evaluate(request: EvalRequest): Result<unknown> {
  const { do: action = 'filter', part = 'all', source, parameters, document } = request
  if (action === 'filter') {
    const verdict = verdictOf(String(part), request)
    return verdict ? succeed(verdict) : invalid('part must be all, data, exprs, context, time or script')
  }
  const events = eventsIn(request['events'])
  if (action === 'parameter') {
    if (!isObject(source)) return invalid('source must be an object')
    const resolved = resolveParameter(source, events, fill)
    return resolved.ok ? succeed(resolved.value?.text ?? null) : resolved
  }
  if (action !== 'apply') return invalid('do must be filter, parameter or apply')
  if (!Array.isArray(parameters)) return invalid('parameters must be a list')
  return applyParameters((document ?? null) as Json, parameters as readonly TriggerParameter[], events, fill)
}
