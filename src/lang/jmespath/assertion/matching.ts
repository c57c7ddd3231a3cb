import { isObject, own } from '../../../lib/json.ts'

/** How a value compares with what was expected; values of different types cannot be compared, which is a failure of its own. */
export type Match = 'same' | 'different' | { readonly incomparable: string }

const typeOf = (value: unknown): string =>
  value === null || value === undefined ? 'null' : Array.isArray(value) ? 'list' : typeof value

const DEEPEST = 200

/** Compares partially: an expected object needs its own keys only (kyverno-json, pkg/core/matching). */
export function mismatch(expected: unknown, actual: unknown, depth: number = 0): Match {
  if (depth > DEEPEST) return { incomparable: `the values nest deeper than ${DEEPEST} levels` }
  const [wanted, seen] = [typeOf(expected), typeOf(actual)]
  if (wanted === 'null' || (seen === 'null' && wanted !== 'list' && wanted !== 'object')) {
    return wanted === seen ? 'same' : 'different'
  }
  if (wanted !== seen) return { incomparable: `a ${wanted} and a ${seen} cannot be compared` }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length) return 'different'
    return firstOther(expected.map((item, index) => () => mismatch(item, actual[index], depth + 1)))
  }
  if (isObject(expected) && isObject(actual)) {
    return firstOther(
      Object.entries(expected).map(([key, item]) => () => {
        const found = own(actual, key)
        return found === undefined ? 'different' : mismatch(item, found, depth + 1)
      }),
    )
  }
  return expected === actual ? 'same' : 'different'
}

function firstOther(comparisons: readonly (() => Match)[]): Match {
  for (const compare of comparisons) {
    const outcome = compare()
    if (outcome !== 'same') return outcome
  }
  return 'same'
}
