import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { Environment } from './environment.ts'
import { BudgetError, EvaluationError } from './error.ts'
import { positionOf } from './position.ts'
import { Lazy } from './evaluate/lazy.ts'
import { type Plan, plan } from './evaluate/plan.ts'
import { PER_CALL_LIMIT, Run, STEP_LIMIT } from './evaluate/run.ts'
import type { Ast } from './syntax/ast.ts'
import { fromJson } from './value/json.ts'

/** Where the values of variables come from: CEL values or JSON, by name. */
export type Bindings = ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>

/** What one evaluation may use. */
export interface Budget {
  /** In Kubernetes' cost units. */
  readonly cost?: number
  readonly steps?: number
}

export interface Outcome {
  readonly value: unknown
  readonly cost: number
}

/** A compiled expression; evaluating it is cheap and changes nothing. */
export class Program {
  readonly ast: Ast
  readonly #plan: Plan
  readonly #variables: readonly (readonly [string, number])[]
  /** Unset slots, to be copied for each evaluation. */
  readonly #empty: readonly unknown[]

  constructor(ast: Ast, environment: Environment) {
    this.ast = ast
    this.#plan = plan(ast, environment)
    this.#variables = [...this.#plan.variables]
    this.#empty = Array.from<unknown>({ length: this.#plan.slots })
  }

  /** Whether the expression reads a variable. */
  reads(variable: string): boolean {
    return this.#plan.variables.has(variable)
  }

  /** The value of the expression, or the reason why it has none. */
  evaluate(bindings: Bindings, budget: Budget = {}): Result<Outcome> {
    const slots = this.#empty.slice()
    for (const [name, slot] of this.#variables) {
      const value = valueOf(bindings, name)
      if (value !== undefined) slots[slot] = fromJson(value)
    }
    const run = new Run(slots, budget.cost ?? PER_CALL_LIMIT, budget.steps ?? STEP_LIMIT)
    try {
      const value = this.#plan.node(run)
      if (run.cost > run.limit) return fail(this.#budgetProblem('operation cancelled: actual cost limit exceeded'))
      return succeed({ value, cost: run.cost })
    } catch (error) {
      return fail(this.#problem(error))
    }
  }

  /**
   * The program's value as a variable of other expressions: computed when one first reads it and kept, with its cost on that
   * reader's budget; an error is the reader's error. What `variables` of admission policies are.
   */
  asVariable(bindings: Bindings): Lazy {
    let kept: { readonly value: unknown } | undefined
    return new Lazy((run) => {
      if (kept) return kept.value
      const outcome = this.evaluate(bindings, { cost: Math.max(run.limit - run.cost, 0), steps: run.steps })
      if (!outcome.ok) {
        const [problem] = outcome.error
        if (problem?.code === 'cel-budget-exceeded') throw new BudgetError(problem.message)
        throw new EvaluationError(problem?.message ?? 'the variable has no value')
      }
      run.charge(outcome.value.cost)
      kept = { value: outcome.value.value }
      return kept.value
    })
  }

  #budgetProblem(message: string): Problem {
    return { code: 'cel-budget-exceeded', message }
  }

  #problem(error: unknown): Problem {
    if (error instanceof BudgetError) return this.#budgetProblem(error.message)
    if (error instanceof EvaluationError) {
      const at = error.at === undefined ? {} : { at: positionOf(this.ast.source, error.at) }
      return { code: 'cel-evaluation-failed', ...at, message: error.message }
    }
    // What is left is a stack that a deep value filled, or a string too long for the machine.
    if (error instanceof RangeError)
      return { code: 'cel-evaluation-failed', message: `cannot evaluate: ${error.message}` }
    throw error
  }
}

const isMap = (bindings: Bindings): bindings is ReadonlyMap<string, unknown> => bindings instanceof Map

function valueOf(bindings: Bindings, name: string): unknown {
  if (isMap(bindings)) return bindings.get(name)
  return Object.hasOwn(bindings, name) ? bindings[name] : undefined
}
