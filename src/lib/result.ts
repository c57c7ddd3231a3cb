/** Something the user of the system can mend: a code to look up, a place, a one-line message, and what to change. */
export interface Problem {
  /** Unique, kebab-case, listed in docs/problems.md. */
  readonly code: string
  /** Where: a field path, a file with its line, a position in an expression. */
  readonly at?: string
  readonly message: string
  /** What to change, when the message alone does not say it. */
  readonly cure?: string
}

/** An expected outcome as a value. Bugs and broken worlds are thrown instead. */
export type Result<T, E = readonly Problem[]> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E }

/** Wraps a value as a success. */
export const succeed = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })

/** Wraps problems as a failure. */
export const fail = (...problems: readonly Problem[]): { readonly ok: false; readonly error: readonly Problem[] } => ({
  ok: false,
  error: problems,
})

/** One line per problem, as the command line prints it. */
export function explain(problem: Problem): string {
  const place = problem.at ? `${problem.at}: ` : ''
  const cure = problem.cure ? ` (${problem.cure})` : ''
  return `${place}${problem.message}${cure} [${problem.code}]`
}
