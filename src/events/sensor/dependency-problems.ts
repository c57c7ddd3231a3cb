import { compileGovaluate } from '../../lang/govaluate/govaluate.ts'
import { compileJq } from '../../lang/jq/jq.ts'
import { compileLua } from '../../lang/lua/lua.ts'
import { findZone } from '../../lib/go-zone.ts'
import { compilePattern } from '../../lib/re2.ts'
import { compileGlob } from '../../lib/glob.ts'
import type { Problem, Result } from '../../lib/result.ts'
import type { DataFilter } from '../filter/data-filter.ts'
import type { ExprFilter } from '../filter/expr-filter.ts'
import type { EventFilter, TimeFilter } from '../filter/filter-event.ts'
import type { Dependency, Transform } from './sensor.ts'

/** Tells what is wrong with a template's syntax. */
export type CheckTemplate = (template: string) => Result<unknown>

const problem = (at: string, message: string): Problem => ({ code: 'sensor-dependency-invalid', at, message })

/** What a compiler said, at a place. */
const compiled = (made: Result<unknown>, at: string): readonly Problem[] =>
  made.ok ? [] : [problem(at, made.error[0]?.message ?? 'it cannot be compiled')]

const comparators = ['>=', '>', '=', '!=', '<', '<=', '']
const operators = ['and', 'or', '']
const truths = ['1', 't', 'T', 'true', 'TRUE', 'True', '0', 'f', 'F', 'false', 'FALSE', 'False']

/** Everything that would keep events from ever passing a dependency, or makes it ambiguous. */
export function dependencyProblems(dependency: Dependency, at: string, template: CheckTemplate): readonly Problem[] {
  const { name, eventSourceName, eventName, filters, filtersLogicalOperator, transform } = dependency
  const named = [
    ['name', name],
    ['eventSourceName', eventSourceName],
    ['eventName', eventName],
  ] as const
  return [
    ...named.flatMap(([field, value]) =>
      value === '' ? [problem(`${at}.${field}`, `a dependency must say its ${field}`)] : [],
    ),
    ...compiled(compileGlob(eventSourceName, 'gobwas'), `${at}.eventSourceName`),
    ...compiled(compileGlob(eventName, 'gobwas'), `${at}.eventName`),
    ...operatorProblems(filtersLogicalOperator, `${at}.filtersLogicalOperator`),
    ...(filters ? filterProblems(filters, `${at}.filters`, template) : []),
    ...(transform ? transformProblems(transform, `${at}.transform`) : []),
  ]
}

const operatorProblems = (operator: string | undefined, at: string): readonly Problem[] =>
  operators.includes(operator ?? '')
    ? []
    : [problem(at, `${JSON.stringify(operator)} is not a logical operator: use and, or`)]

function filterProblems(filters: EventFilter, at: string, template: CheckTemplate): readonly Problem[] {
  const { exprs = [], data = [], context, time, script = '', exprLogicalOperator, dataLogicalOperator } = filters
  const attributes = [context?.type, context?.subject, context?.source, context?.datacontenttype]
  return [
    ...operatorProblems(exprLogicalOperator, `${at}.exprLogicalOperator`),
    ...operatorProblems(dataLogicalOperator, `${at}.dataLogicalOperator`),
    ...exprs.flatMap((expr, index) => exprProblems(expr, `${at}.exprs[${index}]`)),
    ...data.flatMap((one, index) => dataProblems(one, `${at}.data[${index}]`, template)),
    ...(context && attributes.every((value) => (value ?? '') === '')
      ? [
          problem(
            `${at}.context`,
            'a context filter must name one of type, subject, source, datacontenttype, or no event passes',
          ),
        ]
      : []),
    ...(time ? timeProblems(time, `${at}.time`) : []),
    ...(script === '' ? [] : compiled(compileLua(script, 'filter'), `${at}.script`)),
  ]
}

function exprProblems({ expr = '', fields = [] }: ExprFilter, at: string): readonly Problem[] {
  if (expr === '' || fields.length === 0)
    return [problem(at, 'an expression filter must have expr and at least one of fields')]
  const unnamed = fields.findIndex(({ name = '', path = '' }) => name === '' || path === '')
  if (unnamed >= 0) return [problem(`${at}.fields[${unnamed}]`, 'a field must have name and path')]
  const made = compileGovaluate(expr)
  if (!made.ok) return compiled(made, `${at}.expr`)
  const names = new Set(fields.map(({ name }) => name))
  const missing = [...made.value.names].filter((name) => !names.has(name))
  if (missing.length === 0) return []
  const known = [...names].join(', ')
  return [problem(`${at}.expr`, `${missing.join(', ')} in ${JSON.stringify(expr)} is not among fields (${known})`)]
}

function dataProblems(filter: DataFilter, at: string, checkTemplate: CheckTemplate): readonly Problem[] {
  const { path = '', type = '', value = [], comparator = '', template = '' } = filter
  if (path === '' || type === '' || value.length === 0)
    return [problem(at, 'a data filter must have path, type and at least one value')]
  const empty = value.findIndex((one) => one === '')
  if (empty >= 0) return [problem(`${at}.value[${empty}]`, 'a value of a data filter cannot be empty')]
  if (!comparators.includes(comparator))
    return [problem(`${at}.comparator`, `${JSON.stringify(comparator)} is not a comparator: use >=, >, =, !=, <, <=`)]
  return [
    ...(template === '' ? [] : compiled(checkTemplate(template), `${at}.template`)),
    ...value.flatMap((one, index) => valueProblems(type, one, `${at}.value[${index}]`)),
    ...(type === 'string' && !['=', '!=', ''].includes(comparator)
      ? [problem(`${at}.comparator`, `texts cannot be compared by ${comparator}, so that no event passes: use = or !=`)]
      : []),
  ]
}

function valueProblems(type: string, value: string, at: string): readonly Problem[] {
  switch (type) {
    case 'string':
      return compiled(compilePattern(value), at)
    case 'number': {
      const isNumber = value.trim() === value && !Number.isNaN(Number(value))
      return isNumber ? [] : [problem(at, `${JSON.stringify(value)} is not a number`)]
    }
    case 'bool':
      return truths.includes(value) ? [] : [problem(at, `${JSON.stringify(value)} is not true or false`)]
    default:
      return [
        problem(
          at.replace(/\.value\[\d+\]$/, '.type'),
          `type ${JSON.stringify(type)} is not one of bool, number, string`,
        ),
      ]
  }
}

const TIME_OF_DAY = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/

function timeProblems({ start = '', stop = '', timezone = '' }: TimeFilter, at: string): readonly Problem[] {
  const times = [
    ['start', start],
    ['stop', stop],
  ] as const
  const wrong = times.flatMap(([field, value]) =>
    TIME_OF_DAY.test(value)
      ? []
      : [problem(`${at}.${field}`, `${JSON.stringify(value)} is not a time of the day, such as 09:30:00`)],
  )
  if (timezone !== '' && !findZone(timezone))
    wrong.push(problem(`${at}.timezone`, `there is no time zone ${JSON.stringify(timezone)}`))
  if (wrong.length === 0 && start === stop)
    wrong.push(problem(at, `start and stop are both ${start}, so that no event passes`))
  return wrong
}

function transformProblems({ jq = '', script = '' }: Transform, at: string): readonly Problem[] {
  if (jq !== '' && script !== '') return [problem(at, 'a transform has jq or script, not both')]
  if (jq !== '') return compiled(compileJq(jq), `${at}.jq`)
  return script === '' ? [] : compiled(compileLua(script, 'transform'), `${at}.script`)
}
