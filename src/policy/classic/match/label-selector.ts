import { compileSelector, matchesLabels } from '../../../kube/selector.ts'
import { isWildcard, matchesWildcard } from '../../engine/wildcard.ts'
import { fieldsOf, textMapOf } from '../read.ts'

/** Tells whether labels are selected. */
export type LabelMatcher = (labels: Readonly<Record<string, string>>) => boolean

/** Compiles a selector whose `matchLabels` may hold wildcards in keys and values. One that cannot be read selects nothing. */
export function compileLabelMatcher(selector: unknown): LabelMatcher {
  const { matchLabels, matchExpressions } = fieldsOf(selector)
  const all = Object.entries(textMapOf(matchLabels))
  const patterns = all.filter(([key, value]) => isWildcard(key) || isWildcard(value))
  const exact = Object.fromEntries(all.filter(([key, value]) => !isWildcard(key) && !isWildcard(value)))
  const compiled = compileSelector({
    matchLabels: exact,
    ...(Array.isArray(matchExpressions) ? { matchExpressions: matchExpressions.map(requirementOf) } : {}),
  })
  if (!compiled.ok) return () => false
  const requirements = compiled.value
  return (labels) =>
    matchesLabels(requirements, labels) &&
    patterns.every(([key, value]) =>
      Object.entries(labels).some(([name, found]) => matchesWildcard(key, name) && matchesWildcard(value, found)),
    )
}

function requirementOf(value: unknown): { key: string; operator: string; values: string[] } {
  const { key, operator, values } = fieldsOf(value)
  return {
    key: String(key),
    operator: String(operator),
    values: Array.isArray(values) ? values.map(String) : [],
  }
}
