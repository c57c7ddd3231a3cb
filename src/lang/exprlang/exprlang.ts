import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { type Environment, evaluateNode } from './evaluate.ts'
import { parseExpression } from './parser.ts'
import { type ExprBudget, Run, usualExprBudget } from './run.ts'
import { ExprBudgetError, ExprError, type Value } from './value.ts'

export type { Environment } from './evaluate.ts'

/** What a run is given besides its environment. */
export interface ExprOptions {
  /** What `now()` says; 1970 where nobody says. */
  readonly nowMs?: number
  readonly budget?: ExprBudget
}

/** A compiled expression: made once, run often. */
export interface ExprProgram {
  readonly source: string
  run(environment: Environment, options?: ExprOptions): Result<Value>
}

const SHOWN = 80

function problemOf(source: string, code: Problem['code'], error: ExprError | ExprBudgetError): Problem {
  const shown = JSON.stringify(source.length > SHOWN ? `${source.slice(0, SHOWN - 3)}...` : source)
  const position = error instanceof ExprError ? error.position : undefined
  const at = position === undefined ? {} : { at: String(position + 1) }
  const place = position === undefined ? '' : ` at position ${position + 1}`
  return { code, ...at, message: `${shown}: ${error.message}${place}` }
}

function guarded<T>(source: string, act: () => T, onError: (error: ExprError) => Problem): Result<T> {
  try {
    return succeed(act())
  } catch (thrown) {
    if (thrown instanceof ExprError) return fail(onError(thrown))
    // The stack is the last of the bounds: how much of it a caller has left cannot be known.
    if (thrown instanceof ExprBudgetError || thrown instanceof RangeError) {
      const error = thrown instanceof ExprBudgetError ? thrown : new ExprBudgetError('the expression nests too deeply')
      return fail({ ...problemOf(source, '', error), code: 'exprlang-budget-exceeded' })
    }
    throw thrown
  }
}

/** Compiles an expression. */
export function compileExpr(source: string): Result<ExprProgram> {
  const parsed = guarded(
    source,
    () => parseExpression(source),
    (error) => ({ ...problemOf(source, '', error), code: 'exprlang-syntax' }),
  )
  if (!parsed.ok) return parsed
  const node = parsed.value
  return succeed({
    source,
    run: (environment, { nowMs = 0, budget = usualExprBudget } = {}) =>
      guarded(
        source,
        () => evaluateNode(node, environment, new Run(budget, nowMs)),
        (error) => ({ ...problemOf(source, '', error), code: 'exprlang-failed' }),
      ),
  })
}
