import { RE2JS } from 're2js'
import { fail, type Result, succeed } from './result.ts'
import { remembered } from './remembered.ts'

/** A compiled RE2 pattern: linear in its input, whatever a user wrote. */
export type Pattern = RE2JS

const MOST_PATTERNS = 2_000

/** Compiles a user-written pattern with RE2's syntax; compiled patterns are shared. */
export const compilePattern: (source: string) => Result<Pattern> = remembered(MOST_PATTERNS, compile)

function compile(source: string): Result<Pattern> {
  try {
    return succeed(RE2JS.compile(source))
  } catch (cause) {
    const because = cause instanceof Error ? cause.message : String(cause)
    return fail({
      code: 'pattern-invalid',
      message: `cannot compile the pattern ${JSON.stringify(source)}: ${because}`,
    })
  }
}
