import { isObject } from '../../../lib/json.ts'
import { type Result, succeed } from '../../../lib/result.ts'
import { checkQualifiedName } from '../../../kube/names.ts'
import type { LabelSelectorObject } from '../../../kube/selector.ts'
import { objectsOf, textOf, textsOf } from '../../fields.ts'
import { type Fields, refuse } from './generator.ts'

/** A selector as an object carries it, read from what may be anything. */
export function selectorOf(object: Fields): LabelSelectorObject {
  const labels = object['matchLabels']
  const expressions = objectsOf(object, 'matchExpressions')
  return {
    ...(isObject(labels) ? { matchLabels: labels as Readonly<Record<string, string>> } : {}),
    ...(expressions
      ? {
          matchExpressions: expressions.map((item) => ({
            key: textOf(item, 'key'),
            operator: textOf(item, 'operator'),
            values: textsOf(item, 'values') ?? [],
          })),
        }
      : {}),
  }
}

/** Tells whether flattened parameters fit. */
export type ParamsSelector = (flat: Readonly<Record<string, string>>) => boolean

/** Compiles a generator's selector. Values may be any text, which label selectors refuse (applicationset/utils/selector.go). */
export function paramsSelector(selector: LabelSelectorObject): Result<ParamsSelector> {
  const checks: ParamsSelector[] = []
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    const bad = badKey(key)
    if (bad) return refuse(bad)
    checks.push((flat) => Object.hasOwn(flat, key) && flat[key] === value)
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const bad = badKey(key)
    if (bad) return refuse(bad)
    const check = checkOf(key, operator, values)
    if (typeof check === 'string') return refuse(`error parsing label selector: ${check}`)
    checks.push(check)
  }
  return succeed((flat) => checks.every((check) => check(flat)))
}

function badKey(key: string): string | undefined {
  const [because] = checkQualifiedName(key)
  return because && `error parsing label selector: key: Invalid value: ${JSON.stringify(key)}: ${because}`
}

function checkOf(key: string, operator: string, values: readonly string[]): ParamsSelector | string {
  const set = new Set(values)
  switch (operator) {
    case 'In':
      if (set.size === 0) return "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"
      return (flat) => Object.hasOwn(flat, key) && set.has(flat[key] ?? '')
    case 'NotIn':
      if (set.size === 0) return "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"
      return (flat) => !Object.hasOwn(flat, key) || !set.has(flat[key] ?? '')
    case 'Exists':
    case 'DoesNotExist':
      if (set.size > 0) return 'values: Invalid value: values set must be empty for exists and does not exist'
      return (flat) => Object.hasOwn(flat, key) === (operator === 'Exists')
    default:
      return `${JSON.stringify(operator)} is not a valid pod selector operator`
  }
}
