import { boolOf, floatOf, lookUp, stringOf } from '../../lang/gjson/gjson.ts'
import type { Json } from '../../lib/json.ts'
import { compilePattern } from '../../lib/re2.ts'
import type { Result } from '../../lib/result.ts'
import { dataJson, type SensorEvent } from '../event.ts'
import { type FilterVerdict, joined, type LogicalOperator, open, broken, type Part } from './verdict.ts'

/** A comparison of a value in an event's data. */
export interface DataFilter {
  readonly path?: string
  readonly type?: string
  readonly value?: readonly string[]
  readonly comparator?: string
  readonly template?: string
}

/** Fills a template with what `.Input` stands for. */
export type FillTemplate = (template: string, input: Json) => Result<string>

const shown = (value: Json): string => {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** Compares values in the data of an event. Without data everything passes, as upstream. */
export function filterData(
  filters: readonly DataFilter[] | undefined,
  operator: LogicalOperator,
  event: SensorEvent | undefined,
  fill: FillTemplate,
): FilterVerdict {
  if (!filters || filters.length === 0) return open
  if (!event) return broken('data', 'there is no event')
  if (event.data === undefined) return open
  const data = dataJson(event.data)
  if (data === undefined) return broken('data', 'the data of the event is not JSON')
  return joined('data', partsOf(filters, data, fill), operator)
}

function* partsOf(filters: readonly DataFilter[], data: Json, fill: FillTemplate): Generator<Part> {
  for (const filter of filters) yield partOf(filter, data, fill)
}

function partOf(filter: DataFilter, data: Json, fill: FillTemplate): Part {
  const { path = '', type = '', value: wanted = [], comparator = '', template = '' } = filter
  const found = lookUp(data, path)
  if (found === undefined) return { broken: `path '${path}' does not exist` }
  if (wanted.length === 0) return { broken: `no values are given for '${path}'` }
  let value = found
  if (template !== '') {
    const filled = fill(template, stringOf(found))
    if (!filled.ok) return { broken: filled.error[0]?.message ?? 'the template cannot be filled' }
    if (filled.value === '' || filled.value === '<no value>')
      return { broken: `template '${template}' evaluated to an empty text or no value` }
    value = filled.value
  }
  const compare = comparisons[type]
  if (!compare) return { broken: `type '${type}' of '${path}' is not one of bool, number, string` }
  for (const one of wanted) {
    const same = compare(value, one, comparator)
    if (typeof same === 'string') return { broken: same }
    if (same)
      return {
        check: { filter: 'data', at: path, passes: true, because: `${shown(value)} ${comparator || '='} ${one}` },
      }
  }
  const because = `${shown(value)} is not ${comparator || '='} ${wanted.join(' or ')}`
  return { check: { filter: 'data', at: path, passes: false, because } }
}

/** Compares by a type: whether it holds, or why that cannot be said. */
type Compare = (value: Json, wanted: string, comparator: string) => boolean | string

const booleans: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['1', 't', 'T', 'true', 'TRUE', 'True'].map((word) => [word, true])),
  ...Object.fromEntries(['0', 'f', 'F', 'false', 'FALSE', 'False'].map((word) => [word, false])),
}

function compareNumbers(value: Json, wanted: string, comparator: string): boolean | string {
  const right = wanted.trim() === '' || wanted.trim() !== wanted ? Number.NaN : Number(wanted)
  if (Number.isNaN(right)) return `${JSON.stringify(wanted)} is not a number`
  const left = floatOf(value)
  switch (comparator) {
    case '>=':
      return left >= right
    case '>':
      return left > right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '!=':
      return left !== right
    case '=':
    case '':
      return left === right
    default:
      return false
  }
}

function compareTexts(value: Json, wanted: string, comparator: string): boolean | string {
  const pattern = compilePattern(wanted)
  if (!pattern.ok) return pattern.error[0]?.message ?? `${JSON.stringify(wanted)} is not a pattern`
  const isMatch = pattern.value.matcher(stringOf(value)).find()
  if (comparator === '!=') return !isMatch
  return (comparator === '=' || comparator === '') && isMatch
}

const comparisons: Readonly<Record<string, Compare>> = {
  bool: (value, wanted) =>
    Object.hasOwn(booleans, wanted)
      ? booleans[wanted] === boolOf(value)
      : `${JSON.stringify(wanted)} is not true or false`,
  number: compareNumbers,
  string: compareTexts,
}
