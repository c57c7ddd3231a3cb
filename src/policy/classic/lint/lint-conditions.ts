import { isObject } from '../../../lib/json.ts'
import type { Problem } from '../../../lib/result.ts'
import { operatorNamed, operatorNames } from '../conditions/operator.ts'
import { type Fields, fieldsOf, listOf, textOf } from '../read.ts'
import { invalid } from './finding.ts'

const requestOperations: ReadonlySet<unknown> = new Set(['CREATE', 'UPDATE', 'DELETE', 'CONNECT'])

/** What is wrong with conditions: keys, values and operators that are missing or unknown. */
export function lintConditions(conditions: unknown, at: string): readonly Problem[] {
  if (conditions === undefined || conditions === null) return []
  if (Array.isArray(conditions))
    return conditions.flatMap((item, index) => lintEntry(fieldsOf(item), `${at}[${index}]`))
  if (!isObject(conditions)) return [invalid(at, 'conditions must be a block of any and all, or a list')]
  return lintBlock(conditions, at)
}

const lintEntry = (entry: Fields, at: string): readonly Problem[] =>
  'any' in entry || 'all' in entry ? lintBlock(entry, at) : lintCondition(entry, at)

function lintBlock(block: Fields, at: string): readonly Problem[] {
  const unknown = Object.keys(block).filter((key) => key !== 'any' && key !== 'all')
  return [
    ...unknown.map((key) => invalid(`${at}.${key}`, `conditions know any and all, not ${key}`)),
    ...['any', 'all'].flatMap((key) =>
      listOf(block[key]).flatMap((item, index) => lintCondition(fieldsOf(item), `${at}.${key}[${index}]`)),
    ),
  ]
}

function lintCondition(condition: Fields, at: string): readonly Problem[] {
  const { key, value, operator } = condition
  const missing = ['key', 'value', 'operator'].filter(
    (name) => condition[name] === undefined || condition[name] === null,
  )
  if (missing.length > 0) return [invalid(at, `the condition has no ${missing.join(' and no ')}`)]
  if (!operatorNamed(textOf(operator)) || textOf(operator) !== knownSpelling(textOf(operator))) {
    return [
      invalid(
        `${at}.operator`,
        `entered value of \`operator\` is invalid: ${JSON.stringify(operator)} is not one of ${operatorNames.join(', ')}`,
      ),
    ]
  }
  const isOperation = typeof key === 'string' && key.replaceAll(' ', '') === '{{request.operation}}'
  return isOperation ? lintOperation(value, `${at}.value`) : []
}

const older = ['Equal', 'NotEqual', 'In', 'NotIn']

function knownSpelling(name: string): string | undefined {
  return [...operatorNames, ...older].find((known) => known === name)
}

function lintOperation(value: unknown, at: string): readonly Problem[] {
  if (typeof value === 'string' && value.startsWith('{{') && value.endsWith('}}')) return []
  if (typeof value !== 'string' && !Array.isArray(value))
    return [invalid(at, 'an operation must be a text or a list of texts')]
  const wrong = (Array.isArray(value) ? value : [value]).filter((one) => !requestOperations.has(one))
  return wrong.map((one) => invalid(at, `${JSON.stringify(one)} is not one of CREATE, UPDATE, DELETE, CONNECT`))
}

/** Operators in conditions that will go: what stands in their place. */
export function deprecatedOperators(conditions: unknown): readonly string[] {
  const text = JSON.stringify(conditions ?? null)
  return (['In', 'NotIn'] as const).flatMap((name) =>
    text.includes(`"operator":"${name}"`)
      ? [
          `Operator ${name} has been deprecated and will be removed soon. Use these instead: ["All${name}" "Any${name}"]`,
        ]
      : [],
  )
}
