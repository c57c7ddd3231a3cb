import type { Run } from './run.ts'

/** The value of a variable that is computed when it is first read, at the expense of whoever reads it. */
export class Lazy {
  readonly #compute: (run: Run) => unknown

  constructor(compute: (run: Run) => unknown) {
    this.#compute = compute
  }

  force(run: Run): unknown {
    return this.#compute(run)
  }
}
