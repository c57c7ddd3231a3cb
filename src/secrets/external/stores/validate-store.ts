import { compilePattern } from '../../../lib/re2.ts'
import { own } from '../../../lib/json.ts'
import { fieldsOf } from '../../../lib/fields.ts'
import { parseDuration } from '../../../lib/duration.ts'
import type { StoreProblems } from '../providers/provider.ts'
import { checkStore } from '../providers/check-store.ts'
import type { SecretStore } from '../spec/secret-store.ts'

/** What is wrong with a store as far as it alone tells: its conditions, its interval, its provider. */
export function problemsOfStore(store: SecretStore): StoreProblems {
  const { spec } = store.parsed
  const patterns = spec.conditions.flatMap((condition, index) =>
    condition.patterns.flatMap((pattern, at) => {
      const compiled = compilePattern(pattern)
      return compiled.ok
        ? []
        : [`failed to compile ${at}th namespace regex in ${index}th condition: ${compiled.error[0]?.message ?? ''}`]
    }),
  )
  const interval = own(fieldsOf(store, 'spec'), 'refreshInterval')
  const isBadInterval = typeof interval === 'string' && interval !== '' && !parseDuration(interval).ok
  const { errors, warnings } = checkStore(store)
  return {
    errors: [
      ...patterns,
      ...(isBadInterval ? [`invalid refreshInterval ${JSON.stringify(interval)}: it is not a duration`] : []),
      ...errors,
    ],
    warnings,
  }
}
