import { BudgetError } from '../error.ts'

/** The state of one evaluation: the values of variables by slot, and what it has cost. */
export class Run {
  readonly slots: unknown[]
  readonly limit: number
  cost = 0
  /** Turns of loops left; a backstop for work that costs too little. */
  steps: number

  constructor(slots: unknown[], limit: number, steps: number) {
    this.slots = slots
    this.limit = limit
    this.steps = steps
  }

  /** Adds to the cost and ends the evaluation when the budget is used up. */
  charge(cost: number): void {
    this.cost += cost
    if (this.cost > this.limit) throw new BudgetError('operation cancelled: actual cost limit exceeded')
  }

  /** Counts one turn of a loop. */
  turn(): void {
    if (this.cost > this.limit) throw new BudgetError('operation cancelled: actual cost limit exceeded')
    if (--this.steps < 0) throw new BudgetError('operation cancelled: step limit exceeded')
  }
}

/** A compiled expression. */
export type Node = (run: Run) => unknown

/** The budget of one call in Kubernetes. */
export const PER_CALL_LIMIT = 1_000_000
/** The budget of all rules of one object in Kubernetes. */
export const PER_OBJECT_LIMIT = 10_000_000
/** Enough for every list that fits into a request. */
export const STEP_LIMIT = 20_000_000
