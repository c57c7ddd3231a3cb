import { fail, type Problem, type Result } from '../../lib/result.ts'

export type JmesPathCode =
  | 'jmespath-syntax'
  | 'jmespath-key-unknown'
  | 'jmespath-evaluation-failed'
  | 'jmespath-budget-exceeded'

/** Carries the one problem of an expression out of the closures; never leaves `lang/jmespath`. */
export class JmesPathError extends Error {
  readonly code: JmesPathCode
  /** Where in the expression, from 0. */
  readonly offset: number | undefined

  constructor(code: JmesPathCode, message: string, offset?: number) {
    super(message)
    this.code = code
    this.offset = offset
  }
}

/** The error of a value that cannot be computed. */
export const wrongValue = (message: string): JmesPathError => new JmesPathError('jmespath-evaluation-failed', message)

/** The error of an expression that asks for too much. */
export const overBudget = (message: string): JmesPathError => new JmesPathError('jmespath-budget-exceeded', message)

/** Line and column, both from one. */
const placeOf = (source: string, offset: number): string => {
  const before = source.slice(0, offset).split('\n')
  return `${before.length}:${Array.from(before.at(-1) ?? '').length + 1}`
}

/** The result of an expression that failed; errors of other kinds are bugs and go on. */
export function failure(source: string, error: unknown): Result<never> {
  if (!(error instanceof JmesPathError)) throw error
  const { code, message, offset } = error
  const problem: Problem = { code: codes[code], message }
  return fail(offset === undefined ? problem : { ...problem, at: placeOf(source, offset) })
}

/** Every code as the literal that docs/problems.md lists. */
const codes: Readonly<Record<JmesPathCode, string>> = {
  'jmespath-syntax': { code: 'jmespath-syntax' }.code,
  'jmespath-key-unknown': { code: 'jmespath-key-unknown' }.code,
  'jmespath-evaluation-failed': { code: 'jmespath-evaluation-failed' }.code,
  'jmespath-budget-exceeded': { code: 'jmespath-budget-exceeded' }.code,
}
