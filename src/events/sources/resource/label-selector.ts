import { formatLabelSelector, parseLabelSelector } from '../../../kube/selector.ts'
import { textOf } from '../../../lib/fields.ts'
import { fail, type Problem, type Result, succeed } from '../../../lib/result.ts'

type Fields = Readonly<Record<string, unknown>>

/** Reads `filter.labels` as the selector that the cluster is asked with; '' for none. */
export function labelSelectorOf(selectors: readonly Fields[]): Result<string> {
  const problems: Problem[] = []
  const parts: string[] = []
  for (const selector of selectors) {
    const part = requirementOf(selector)
    const read = part === undefined ? undefined : parseLabelSelector(part)
    if (read?.ok && read.value.length === 1) parts.push(formatLabelSelector(read.value))
    else problems.push(invalid(selector, read?.ok === false ? read.error[0]?.message : undefined))
  }
  return problems.length === 0 ? succeed(parts.join(',')) : fail(...problems)
}

/** One condition in the words of a request; undefined where there is no such operation, or no key. */
function requirementOf(selector: Fields): string | undefined {
  const [key = '', operation = '', value = ''] = ['key', 'operation', 'value'].map((name) => textOf(selector, name))
  if (key === '') return undefined
  switch (operation) {
    case '':
    case '=':
    case '==':
      return `${key}=${value}`
    case '!=':
      return `${key}!=${value}`
    case 'in':
    case 'notin':
      return `${key} ${operation} (${value})`
    case 'exists':
      return value === '' ? key : undefined
    case '!':
      return value === '' ? `!${key}` : undefined
    case 'gt':
      return `${key}>${value}`
    case 'lt':
      return `${key}<${value}`
    default:
      return undefined
  }
}

const invalid = (
  selector: Fields,
  because: string = 'it needs a key and one of =, ==, !=, in, notin, exists, !, gt, lt',
): Problem => ({
  code: 'event-source-invalid',
  message: `cannot select by ${JSON.stringify(selector).slice(0, 200)}: ${because}`,
})
