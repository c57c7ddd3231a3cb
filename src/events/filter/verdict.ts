import type { Problem } from '../../lib/result.ts'

/** One comparison of a filter, with the values that were compared. */
export interface Check {
  readonly filter: 'exprs' | 'data' | 'context' | 'time' | 'script'
  /** The path, the attribute or the expression. */
  readonly at: string
  readonly passes: boolean
  /** What was found and what was wanted, in words. */
  readonly because: string
}

/** What a filter says of an event. With `or` an event may pass although a part of the filter could not be evaluated. */
export interface FilterVerdict {
  readonly passes: boolean
  readonly checks: readonly Check[]
  /** Why the filter, or a part of it, could not be evaluated. */
  readonly problem?: Problem
}

export type LogicalOperator = 'and' | 'or'

/** A filter that is not there lets everything pass. */
export const open: FilterVerdict = { passes: true, checks: [] }

/** A filter that could not be evaluated. */
export const broken = (filter: Check['filter'], message: string, checks: readonly Check[] = []): FilterVerdict => ({
  passes: false,
  checks,
  problem: { code: 'event-filter-failed', at: filter, message: `${filter} filter: ${message}` },
})

/** One part of a list filter: a check, or why there is none. */
export type Part = { readonly check: Check } | { readonly broken: string }

/** Joins parts: with `and` the first that fails or cannot be evaluated decides, with `or` the first that passes. */
export function joined(filter: Check['filter'], parts: Iterable<Part>, operator: LogicalOperator): FilterVerdict {
  const checks: Check[] = []
  const problems: string[] = []
  for (const part of parts) {
    if ('broken' in part) {
      if (operator === 'and') return broken(filter, part.broken, checks)
      problems.push(part.broken)
      continue
    }
    checks.push(part.check)
    if (part.check.passes === (operator === 'or')) return { passes: operator === 'or', checks }
  }
  if (operator === 'and') return { passes: true, checks }
  return problems.length === 0 ? { passes: false, checks } : broken(filter, problems.join(' / '), checks)
}
