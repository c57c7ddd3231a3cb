import { compile } from './cel.ts'
import { Environment } from './environment.ts'
import { libraries } from './libraries.ts'
import type { Bindings, Budget } from './program.ts'
import { type CelType, dynType } from './type.ts'
import { renderJson } from './wire/render.ts'

/** Everything there is, and variables of any type. */
export function everything(
  variables: Iterable<string> = [],
  types: Readonly<Record<string, CelType>> = {},
): Environment {
  return new Environment({
    libraries: [...libraries.values()],
    variables: new Map([...[...variables].map((name) => [name, dynType] as const), ...Object.entries(types)]),
  })
}

/** What an expression answers, as JSON; or the first problem's text. */
export function answer(source: string, bindings: Bindings = {}, budget: Budget = {}): unknown {
  const names = bindings instanceof Map ? bindings.keys() : Object.keys(bindings)
  const program = compile(everything(names), source)
  if (!program.ok) return `${program.error[0]?.code}: ${program.error[0]?.message}`
  const outcome = program.value.evaluate(bindings, budget)
  return outcome.ok ? renderJson(outcome.value.value) : `${outcome.error[0]?.code}: ${outcome.error[0]?.message}`
}
