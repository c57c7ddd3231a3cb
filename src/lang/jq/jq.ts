import type { Json } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { Environment } from './environment.ts'
import { JqBudgetError, JqError, JqSyntaxError } from './error.ts'
import { Evaluator } from './evaluate.ts'
import { parse } from './parser.ts'
import { deletePaths, type Path } from './paths.ts'
import { type JqBudget, Run, usualBudget } from './run.ts'

/** What a run is given besides its input. */
export interface JqOptions {
  readonly budget?: JqBudget
  /** What `now` says; 1970 where nobody says. */
  readonly nowMs?: number
  /** Values for `$name`. */
  readonly variables?: Readonly<Record<string, Json>>
}

/** A compiled program: made once, run many times. Inputs are never changed. */
export interface JqProgram {
  readonly source: string
  /** All outputs for an input. */
  run(input: Json, options?: JqOptions): Result<readonly Json[]>
  /** Where the outputs lie in the input: the program must be a path expression. */
  paths(input: Json, options?: JqOptions): Result<readonly Path[]>
  /** The input without what the program's paths lead to, as `del(...)` makes it. */
  deletePaths(input: Json, options?: JqOptions): Result<Json>
}

function guarded<T>(source: string, act: () => T): Result<T> {
  const shown = JSON.stringify(source.length > 80 ? `${source.slice(0, 77)}...` : source)
  try {
    return succeed(act())
  } catch (thrown) {
    if (thrown instanceof JqSyntaxError) {
      const message = `${shown} is not a jq program: ${thrown.message} at position ${thrown.at + 1}`
      return fail({ code: 'jq-syntax', at: String(thrown.at + 1), message })
    }
    if (thrown instanceof JqError) return fail({ code: 'jq-failed', message: `jq ${shown}: ${thrown.message}` })
    // The stack is the last of the bounds: a budget of depth cannot know how much of it a caller has left.
    if (thrown instanceof JqBudgetError || thrown instanceof RangeError)
      return fail({ code: 'jq-budget-exceeded', message: `jq ${shown} was stopped: ${thrown.message}` })
    throw thrown
  }
}

/** Compiles a program. */
export function compileJq(source: string): Result<JqProgram> {
  const parsed = guarded(source, () => parse(source))
  if (!parsed.ok) return parsed
  const node = parsed.value
  const start = ({ budget = usualBudget, nowMs = 0, variables = {} }: JqOptions): [Evaluator, Environment] => {
    let environment: Environment
    for (const [name, value] of Object.entries(variables))
      environment = { is: 'variable', name, value, up: environment }
    return [new Evaluator(new Run(budget, nowMs)), environment]
  }
  const pathsIn = (input: Json, options: JqOptions): readonly Path[] => {
    const [evaluator, environment] = start(options)
    const found: Path[] = []
    evaluator.paths(node, environment, input, (path) => found.push(path))
    return found
  }
  return succeed({
    source,
    run: (input, options = {}) =>
      guarded(source, () => {
        const [evaluator, environment] = start(options)
        return evaluator.all(node, environment, input)
      }),
    paths: (input, options = {}) => guarded(source, () => pathsIn(input, options)),
    deletePaths: (input, options = {}) => guarded(source, () => deletePaths(input, pathsIn(input, options))),
  })
}
