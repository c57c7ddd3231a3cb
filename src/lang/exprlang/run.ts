import { ExprBudgetError } from './value.ts'

/** What a run may do. */
export interface ExprBudget {
  readonly steps: number
  /** The most items and characters that it makes. */
  readonly size: number
}

/** Enough for any condition that people write. */
export const usualExprBudget: ExprBudget = { steps: 1_000_000, size: 5_000_000 }

/** One run: its clock, and how much it may still do. */
export class Run {
  readonly nowMs: number
  #steps: number
  #size: number

  constructor({ steps, size }: ExprBudget, nowMs: number) {
    this.nowMs = nowMs
    this.#steps = steps
    this.#size = size
  }

  step(count: number = 1): void {
    this.#steps -= count
    if (this.#steps < 0) throw new ExprBudgetError('the expression takes more steps than it may')
  }

  /** Counts what is made before it is made. */
  make(size: number): void {
    this.#size -= size
    if (!(this.#size >= 0)) throw new ExprBudgetError('the expression makes more than it may')
  }
}
