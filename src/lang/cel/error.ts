import type { Problem } from '../../lib/result.ts'

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

/** A place in a source text: line and column count from one, columns in code points. */
export function positionOf(source: string, offset: number): string {
  const before = source.slice(0, offset)
  const line = before.split('\n').length
  const column = [...before.slice(before.lastIndexOf('\n') + 1)].length + 1
  return `${line}:${column}`
}

/** A mistake in an expression's text. */
export function syntaxProblem(source: string, offset: number, message: string): Problem {
  return { code: 'cel-syntax', at: positionOf(source, offset), message }
}
