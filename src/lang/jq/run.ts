import { JqBudgetError } from './error.ts'

/** How much one run of a program may do. */
export interface JqBudget {
  readonly steps: number
  readonly depth: number
  /** Most characters or items that one value may have. */
  readonly size: number
}

export const usualBudget: JqBudget = { steps: 2_000_000, depth: 1_000, size: 10_000_000 }

/** One run: its budget and its time. */
export class Run {
  readonly nowMs: number
  readonly #budget: JqBudget
  #steps = 0
  #depth = 0

  constructor(budget: JqBudget, nowMs: number) {
    this.#budget = budget
    this.nowMs = nowMs
  }

  step(): void {
    if (++this.#steps > this.#budget.steps) throw new JqBudgetError(`it takes more than ${this.#budget.steps} steps`)
  }

  enter(): void {
    this.step()
    if (++this.#depth > this.#budget.depth) throw new JqBudgetError(`it nests deeper than ${this.#budget.depth} levels`)
  }

  leave(): void {
    this.#depth--
  }

  /** Takes note that a value of some size is being made. */
  make(size: number): void {
    if (size > this.#budget.size) throw new JqBudgetError(`a value gets larger than ${this.#budget.size}`)
    this.#steps += size >>> 5
    this.step()
  }
}
