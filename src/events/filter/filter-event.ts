import { compileLua } from '../../lang/lua/lua.ts'
import { findZone, utc } from '../../lib/go-zone.ts'
import { timeFromMs, civilOf, instantOf, utcSeconds } from '../../lib/go-time.ts'
import { dataJson, type EventContext, type SensorEvent } from '../event.ts'
import { type DataFilter, type FillTemplate, filterData } from './data-filter.ts'
import { type ExprFilter, filterExprs } from './expr-filter.ts'
import { broken, type Check, type FilterVerdict, type LogicalOperator, open } from './verdict.ts'

/** When of the day an event may have happened: from `start` on, before `stop`. */
export interface TimeFilter {
  readonly start?: string
  readonly stop?: string
  readonly timezone?: string
}

/** What an event has to be for a dependency. */
export interface EventFilter {
  readonly exprs?: readonly ExprFilter[]
  readonly exprLogicalOperator?: string
  readonly data?: readonly DataFilter[]
  readonly dataLogicalOperator?: string
  readonly context?: EventContext
  readonly time?: TimeFilter
  readonly script?: string
}

/** Only `or` is `or`; everything else is `and`. */
export const operatorOf = (word: string | undefined): LogicalOperator => (word === 'or' ? 'or' : 'and')

/** Judges an event by a dependency's filters, joined by an operator. */
export function filterEvent(
  filter: EventFilter,
  operator: LogicalOperator,
  event: SensorEvent,
  fill: FillTemplate,
): FilterVerdict {
  const verdicts = [
    {
      isThere: filter.exprs !== undefined,
      verdict: filterExprs(filter.exprs, operatorOf(filter.exprLogicalOperator), event),
    },
    {
      isThere: filter.data !== undefined,
      verdict: filterData(filter.data, operatorOf(filter.dataLogicalOperator), event, fill),
    },
    { isThere: filter.context !== undefined, verdict: filterContext(filter.context, event.context) },
    { isThere: filter.time !== undefined, verdict: filterTime(filter.time, event.context.time) },
    { isThere: (filter.script ?? '') !== '', verdict: filterScript(filter.script, event) },
  ]
  const checks = verdicts.flatMap(({ verdict }) => verdict.checks)
  const problems = verdicts.flatMap(({ verdict }) => verdict.problem ?? [])
  const script = verdicts.at(-1)?.verdict.problem
  const passes =
    operator === 'or'
      ? verdicts.some(({ isThere, verdict }) => isThere && verdict.passes)
      : verdicts.every(({ verdict }) => verdict.passes)
  const [first] = problems
  if (!first) return { passes, checks }
  // A script that fails decides alone, as upstream.
  if (operator === 'and' || script) return { passes: false, checks, problem: script ?? first }
  return { passes, checks, problem: { ...first, message: problems.map(({ message }) => message).join(' / ') } }
}

const attributes = ['type', 'subject', 'source', 'datacontenttype'] as const

/** Compares the attributes that are wanted. */
export function filterContext(wanted: EventContext | undefined, context: EventContext | undefined): FilterVerdict {
  if (!wanted) return open
  if (!context)
    return { passes: false, checks: [{ filter: 'context', at: '', passes: false, because: 'there is no context' }] }
  const checks = attributes.flatMap((name): readonly Check[] => {
    const want = wanted[name] ?? ''
    const found = context[name] ?? ''
    if (want === '') return []
    const passes = want === found
    const because = passes ? JSON.stringify(found) : `${JSON.stringify(found)} is not ${JSON.stringify(want)}`
    return [{ filter: 'context', at: name, passes, because }]
  })
  return { passes: checks.every(({ passes }) => passes), checks }
}

/** A time of the day on a day, in seconds since 1970. */
function secondsOn(text: string, atMs: number, zone: ReturnType<typeof findZone> & object): number | undefined {
  const found = /^(\d\d):(\d\d):(\d\d)$/.exec(text)
  if (!found) return undefined
  const [hour, minute, second] = [Number(found[1]), Number(found[2]), Number(found[3])]
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const { year, month, day } = civilOf(timeFromMs(atMs, zone))
  return instantOf(utcSeconds(year, month, day, hour * 3_600 + minute * 60 + second), 0, zone).seconds
}

/** Tells whether a time lies in a part of the day; `start` after `stop` reaches over midnight. */
export function filterTime(filter: TimeFilter | undefined, time: string | undefined): FilterVerdict {
  if (!filter) return open
  const { start = '', stop = '', timezone = '' } = filter
  const zone = timezone === '' ? utc : findZone(timezone)
  if (!zone) return broken('time', `invalid timezone ${JSON.stringify(timezone)}: give a name such as Europe/Berlin`)
  const atMs = Date.parse(time ?? '')
  if (Number.isNaN(atMs)) return broken('time', 'the event says no time')
  const from = secondsOn(start, atMs, zone)
  const to = secondsOn(stop, atMs, zone)
  if (from === undefined || to === undefined)
    return broken(
      'time',
      `${JSON.stringify(from === undefined ? start : stop)} is not a time of the day, such as 09:30:00`,
    )
  const at = atMs / 1_000
  const passes = from < to ? at >= from && at < to : at >= from || at < to
  const where = `from ${start} to ${stop}${timezone === '' ? '' : ` in ${timezone}`}`
  return { passes, checks: [{ filter: 'time', at: where, passes, because: `the event is of ${time ?? ''}` }] }
}

/** Runs a script with the event's data as `event`; it passes what it returns true for. */
export function filterScript(script: string | undefined, event: SensorEvent | undefined): FilterVerdict {
  if (script === undefined || script === '') return open
  if (!event) return broken('script', 'there is no event')
  if (event.data === undefined) return open
  const data = dataJson(event.data)
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    return broken('script', 'the data of the event is not a JSON object')
  const compiled = compileLua(script, 'filter')
  const made = compiled.ok
    ? compiled.value.run({ globals: { event: data }, nowMs: Date.parse(event.context.time ?? '') || 0 })
    : compiled
  if (!made.ok) return broken('script', made.error[0]?.message ?? 'the script cannot be run')
  const passes = made.value === true
  return {
    passes,
    checks: [
      { filter: 'script', at: '', passes, because: `the script returned ${JSON.stringify(made.value).slice(0, 60)}` },
    ],
  }
}
