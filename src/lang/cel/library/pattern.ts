import { compilePattern, type Pattern } from '../../../lib/re2.ts'
import { EvaluationError } from '../error.ts'

/** A compiled RE2 pattern; throws EvaluationError when it is none. */
export function patternOf(source: string): Pattern {
  const compiled = compilePattern(source)
  if (!compiled.ok) throw new EvaluationError(compiled.error[0]?.message ?? 'the pattern is not valid')
  return compiled.value
}

/** One match with its groups; a group that took no part is undefined. */
export interface Match {
  readonly start: number
  readonly end: number
  readonly groups: readonly (string | undefined)[]
}

/** The matches of a pattern from left to right, at most so many. */
export function* matchesOf(pattern: Pattern, text: string, limit: number = Infinity): Generator<Match> {
  const matcher = pattern.matcher(text)
  const groups = pattern.groupCount()
  for (let count = 0; count < limit && matcher.find(); count++) {
    const parts = Array.from({ length: groups + 1 }, (_, group) => matcher.group(group) ?? undefined)
    yield { start: matcher.start(), end: matcher.end(), groups: parts }
  }
}
