import { compileGovaluate } from '../../lang/govaluate/govaluate.ts'
import { lookUp } from '../../lang/gjson/gjson.ts'
import { type Json, setOwn } from '../../lib/json.ts'
import { dataJson, type SensorEvent } from '../event.ts'
import { broken, type FilterVerdict, joined, type LogicalOperator, open, type Part } from './verdict.ts'

/** An expression over values in an event's data. */
export interface ExprFilter {
  readonly expr?: string
  readonly fields?: readonly { readonly name?: string; readonly path?: string }[]
}

/** Evaluates expressions over the data of an event. Without data everything passes, as upstream. */
export function filterExprs(
  filters: readonly ExprFilter[] | undefined,
  operator: LogicalOperator,
  event: SensorEvent | undefined,
): FilterVerdict {
  if (!filters) return open
  if (!event) return broken('exprs', 'there is no event')
  if (event.data === undefined) return open
  const data = dataJson(event.data)
  if (data === undefined) return broken('exprs', 'the data of the event is not JSON')
  return joined('exprs', partsOf(filters, data), operator)
}

function* partsOf(filters: readonly ExprFilter[], data: Json): Generator<Part> {
  for (const filter of filters) {
    const part = partOf(filter, data)
    if (part) yield part
  }
}

/** An expression without fields says nothing, as upstream. */
function partOf({ expr = '', fields = [] }: ExprFilter, data: Json): Part | undefined {
  const parameters: Record<string, Json> = {}
  for (const { name = '', path = '' } of fields) {
    const found = lookUp(data, path)
    if (found === undefined) return { broken: `path '${path}' does not exist` }
    setOwn(parameters, name, found)
  }
  if (fields.length === 0) return undefined
  const compiled = compileGovaluate(expr)
  const made = compiled.ok ? compiled.value.evaluate(parameters) : compiled
  if (!made.ok) return { broken: made.error[0]?.message ?? 'the expression has no value' }
  const values = Object.entries(parameters).map(([name, value]) => `${name} = ${JSON.stringify(value).slice(0, 60)}`)
  return { check: { filter: 'exprs', at: expr, passes: made.value === true, because: `with ${values.join(', ')}` } }
}
