/** Why an evaluation failed; `||` and `&&` may still absorb it. Never leaves the package: evaluate answers a Problem. */
export class EvaluationError extends Error {
  /** Character offset of the failing part, when it is known. */
  at: number | undefined

  constructor(message: string, at?: number) {
    super(message)
    this.at = at
  }
}

/** The budget of cost or steps is used up; nothing absorbs this. */
export class BudgetError extends Error {}

/** No overload of a function takes the values it was given. */
export const noSuchOverload = (name: string, detail = ''): EvaluationError =>
  new EvaluationError(`no such overload: ${name}${detail}`)
