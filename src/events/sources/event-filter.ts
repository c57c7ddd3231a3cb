import type { ExprBudget } from '../../lang/exprlang/run.ts'
import { compileExpr, type Environment } from '../../lang/exprlang/exprlang.ts'
import { ExprError, ExprFunction, type Value } from '../../lang/exprlang/value.ts'
import { isObject, setOwn } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { FillTemplate } from '../filter/data-filter.ts'
import { goJson } from '../../lib/go-json.ts'

/** Says whether an event is wanted, by its data. */
export type EventFilter = (data: string, nowMs: number) => Result<boolean>

/** Wants everything. */
export const noFilter: EventFilter = () => succeed(true)

/** Every event is judged while others wait. */
const budget: ExprBudget = { steps: 200_000, size: 2_000_000 }

/** What expressions know by name besides the event. */
export type Functions = ReadonlyMap<string, Value>

const noFunctions: Functions = new Map()

/** The functions of sprig, as `sprig.trim(text)`: each call is a small template, so that they take what they take there. */
export function sprigFor(names: readonly string[], fill: FillTemplate): Functions {
  const call = (name: string, given: readonly Value[]): Value => {
    const args = given.map((_, at) => ` (index .Input ${at})`).join('')
    const filled = fill(`{{ ${name}${args} | toJson }}`, given as never) // what the event holds is JSON
    if (!filled.ok) throw new ExprError(`sprig.${name}: ${filled.error[0]?.message ?? 'failed'}`)
    return JSON.parse(filled.value) as Value
  }
  const table: Record<string, ExprFunction> = {}
  for (const name of names) setOwn(table, name, new ExprFunction((...given) => call(name, given)))
  return new Map([['sprig', table]])
}

/** Compiles `filter.expression`: what the data holds at its top is known by name, with `_` for every `-` (argo-events v1.9, eventing.go). */
export function compileEventFilter(expression: string, more: Functions = noFunctions): Result<EventFilter> {
  if (expression === '') return succeed(noFilter)
  const compiled = compileExpr(expression)
  if (!compiled.ok) return compiled
  return succeed((data, nowMs) => {
    const environment = environmentOf(data, more)
    if (!environment) return refuse('the data of the event is no JSON object')
    const made = compiled.value.run(environment, { nowMs, budget })
    if (!made.ok) return made
    if (typeof made.value !== 'boolean')
      return refuse(`${JSON.stringify(expression.slice(0, 80))} is not true or false`)
    return succeed(made.value)
  })
}

const refuse = (message: string): Result<never> => fail({ code: 'event-filter-failed', message })

function environmentOf(data: string, more: Functions): Environment | undefined {
  const parsed: unknown = JSON.parse(data)
  if (!isObject(parsed)) return undefined
  const environment: Record<string, Value> = {}
  for (const [name, value] of Object.entries(parsed)) setOwn(environment, name.replaceAll('-', '_'), value)
  for (const [name, act] of functions) setOwn(environment, name, act)
  for (const [name, value] of more) setOwn(environment, name, value)
  return environment
}

/** What upstream adds to the language; its `jsonpath` is not here. */
const functions: ReadonlyMap<string, ExprFunction> = new Map([
  ['asInt', new ExprFunction((value) => Math.trunc(numberOf(value)))],
  ['asFloat', new ExprFunction((value) => numberOf(value))],
  ['toJson', new ExprFunction((value) => goJson(value))],
])

function numberOf(value: Value): number {
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  if (Number.isFinite(number)) return number
  throw new ExprError(`${JSON.stringify(value)?.slice(0, 60) ?? 'nothing'} is not a number`)
}
