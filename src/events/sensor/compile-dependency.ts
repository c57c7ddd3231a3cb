import { compileJq } from '../../lang/jq/jq.ts'
import { compileLua } from '../../lang/lua/lua.ts'
import { compileGlob } from '../../lib/glob.ts'
import { isObject, type Json, type JsonObject } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { dataJson, type SensorEvent } from '../event.ts'
import type { FillTemplate } from '../filter/data-filter.ts'
import { filterEvent, operatorOf } from '../filter/filter-event.ts'
import { type FilterVerdict, open } from '../filter/verdict.ts'
import type { Dependency, Transform } from './sensor.ts'

/** What a dependency says of an event: the event as it goes on, and why it does or does not. */
export interface DependencyVerdict extends FilterVerdict {
  readonly event: SensorEvent
}

/** A dependency that can be asked about events. */
export interface CompiledDependency {
  readonly name: string
  /** Whether an event of this source and name is meant at all. */
  concerns(eventSourceName: string, eventName: string): boolean
  /** Transforms and filters an event that is meant. */
  judge(event: SensorEvent): DependencyVerdict
}

type TransformEvent = (event: SensorEvent) => Result<SensorEvent>

const unchanged: TransformEvent = succeed

/** Compiles a dependency without problems (`dependencyProblems`). */
export function compileDependency(dependency: Dependency, fill: FillTemplate): CompiledDependency {
  const { name, filters, filtersLogicalOperator } = dependency
  const isSource = matcherOf(dependency.eventSourceName)
  const isEvent = matcherOf(dependency.eventName)
  const transform = transformOf(dependency.transform)
  const operator = operatorOf(filtersLogicalOperator)
  const judge = (event: SensorEvent): DependencyVerdict => {
    const made = transform(event)
    if (!made.ok) return { passes: false, checks: [], problem: made.error[0] ?? unknown, event }
    const verdict = filters ? filterEvent(filters, operator, made.value, fill) : open
    return { ...verdict, event: made.value }
  }
  // Every trigger of a Sensor asks about the same events, at about the same time.
  let last: { readonly event: SensorEvent; readonly verdict: DependencyVerdict } | undefined
  return {
    name,
    concerns: (eventSourceName, eventName) => isSource(eventSourceName) && isEvent(eventName),
    judge(event) {
      if (last?.event !== event) last = { event, verdict: judge(event) }
      return last.verdict
    },
  }
}

const unknown: Problem = { code: 'event-transform-failed', message: 'the event cannot be transformed' }

function matcherOf(glob: string): (text: string) => boolean {
  if (/^[\w.-]*$/.test(glob)) return (text) => text === glob
  const compiled = compileGlob(glob, 'gobwas')
  return compiled.ok ? compiled.value : () => false
}

function transformOf({ jq = '', script = '' }: Transform = {}): TransformEvent {
  if (jq !== '') {
    const program = compileJq(jq)
    if (!program.ok) return () => program
    return transformData((data, nowMs) => {
      const outputs = program.value.run(data, { nowMs })
      if (!outputs.ok) return outputs
      const [first] = outputs.value
      return isObject(first) ? succeed(first) : failed('jq', 'its first output must be a JSON object')
    })
  }
  if (script === '') return unchanged
  const program = compileLua(script, 'transform')
  if (!program.ok) return () => program
  return transformData((data, nowMs) => {
    const made = program.value.run({ globals: { event: data }, nowMs })
    if (!made.ok) return made
    return typeof made.value === 'object' && made.value !== null
      ? succeed(made.value)
      : failed('script', 'it must return a table')
  })
}

const failed = (what: string, because: string): Result<never> =>
  fail({ code: 'event-transform-failed', at: `transform.${what}`, message: `transform.${what}: ${because}` })

/** Without data there is nothing to transform, as upstream. */
function transformData(make: (data: JsonObject, nowMs: number) => Result<Json>): TransformEvent {
  return (event) => {
    if (event.data === undefined) return succeed(event)
    const data = dataJson(event.data)
    if (data === undefined || !isObject(data)) return failed('data', 'the data of the event is not a JSON object')
    const made = make(data, Date.parse(event.context.time ?? '') || 0)
    if (!made.ok) return made
    return succeed({
      context: { ...event.context, datacontenttype: 'application/json' },
      data: JSON.stringify(made.value),
    })
  }
}
