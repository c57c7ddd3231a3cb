import { isDeepStrictEqual } from 'node:util'
import { wordOf } from '../chainsaw/chainsaw-test.ts'
import { part } from './argocd.ts'
import type { Context } from './context.ts'
import { fromGo, type GoValue, Lost, pathOf } from './go-values.ts'

/** One assertion of a block: a function of the testify library and its arguments. */
export interface Assertion {
  readonly fn: string
  readonly args: readonly GoValue[]
}

/** What the expressions of a block may refer to. */
export interface Facts {
  readonly context: Context
  readonly app: unknown
  readonly lastOutput: string
  readonly serverVersion: string
  /** The error of what was run in the block. */
  readonly error: string
  readonly output: string
  /** What expressions were in the block before: a variable of the case that kept an earlier value. */
  readonly before: ReadonlyMap<string, unknown>
  readonly now: Map<string, unknown>
}

const expressionOf = (value: GoValue | undefined): string | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && '$expr' in value
    ? wordOf(value['$expr'])
    : undefined

const APPLICATION_GET = /^fixture\.AppClientset\.ArgoprojV1alpha1\(\)\.Applications\([^]*?\)\.Get\([^]*?\)\[(\d)\](.*)$/

/** The value of an expression, or Lost when the extract does not tell what it stands for. */
function valueOf(expression: string, facts: Facts): unknown {
  if (expression === 'err' || expression === 'err.Error()') return facts.error
  if (expression === 'output' || expression === 'NormalizeOutput(output)') return facts.output
  if (expression.startsWith('errors.NewHandler(')) return facts.output
  if (expression === 'fixture.GetVersions(\u2026).ServerVersion.String()') return facts.serverVersion
  if (expression === 'ctx.GetLastOutput()') return facts.lastOutput
  if (expression === 'string(app.Spec.Source.Helm.ValuesObject.Raw)') {
    return JSON.stringify(part(facts.app, 'spec', 'source', 'helm', 'valuesObject'))
  }
  const got = APPLICATION_GET.exec(expression)
  if (got) return got[1] === '1' ? '' : fieldAt(`app${got[2]}`, facts.app)
  if (/^app\.\w/.test(expression) && expression !== 'app.Name' && expression !== 'app.QualifiedName()') {
    return fieldAt(expression, facts.app)
  }
  return facts.context.text(expression)
}

/** `app.Status.Conditions[0].Type`, `app.Labels["test"]`, and a time that is formatted. */
function fieldAt(expression: string, app: unknown): unknown {
  const plain = expression.replace(/\.UTC\(\)\.Format\([^)]*\)$/, '').replace(/\.Time$/, '')
  const indexed = plain.replace(/\["([^"]+)"\]/g, '.[$1').replace(/\[(\d+)\]/g, '.[$1')
  let value: unknown = app
  const steps: string[] = []
  for (const field of indexed.split('.').slice(1)) {
    if (field.startsWith('[')) {
      value = part(part(value, ...pathOf(`app.${steps.join('.')}`)), field.slice(1))
      steps.length = 0
    } else steps.push(field)
  }
  if (steps.some((step) => step.includes('('))) {
    if (!steps.includes('GetSource()')) throw new Lost(`what ${expression} stands for`)
  }
  return steps.length === 0 ? value : part(value, ...pathOf(`app.${steps.join('.')}`))
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === false ||
  value === 0 ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && Object.keys(value).length === 0)

const say = (value: unknown): string => JSON.stringify(value) ?? 'nothing'
const sorted = (value: unknown): unknown =>
  value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown)

type Judge = (args: readonly unknown[]) => boolean

const JUDGES: Readonly<Record<string, Judge>> = {
  Equal: ([wanted, actual]) => isDeepStrictEqual(sorted(wanted), sorted(actual)),
  NotEqual: ([a, b]) => !isDeepStrictEqual(sorted(a), sorted(b)),
  JSONEq: ([a, b]) => isDeepStrictEqual(JSON.parse(wordOf(a)), JSON.parse(wordOf(b))),
  Empty: ([value]) => isEmpty(value),
  NotEmpty: ([value]) => !isEmpty(value),
  Nil: ([value]) => value === undefined || value === null,
  NotNil: ([value]) => value !== undefined && value !== null,
  True: ([value]) => value === true,
  False: ([value]) => value === false || value === undefined,
  Len: ([value, count]) => Array.isArray(value) && value.length === count,
  Contains: ([whole, text]) => (Array.isArray(whole) ? whole.includes(text) : wordOf(whole).includes(wordOf(text))),
  NotContains: ([whole, text]) => !wordOf(whole).includes(wordOf(text)),
  LessOrEqual: ([a, b]) => wordOf(a) <= wordOf(b),
  NoError: ([error]) => isEmpty(error),
  ErrorContains: ([error, text]) => wordOf(error).includes(wordOf(text)),
  Regexp: ([pattern, text]) => new RegExp(wordOf(pattern)).test(wordOf(text)),
}

/** Why an assertion does not hold; undefined when it does. */
export function judge({ fn, args }: Assertion, facts: Facts): string | undefined {
  const judged = JUDGES[fn]
  if (!judged) throw new Lost(`the assertion ${fn}`)
  const expressions = args.map(expressionOf)
  const values = args.map((arg, index) => {
    const expression = expressions[index]
    if (expression === undefined) return fromGo(arg, facts.context)
    const value = valueOf(expression, facts)
    // Twice the same expression: the first is a variable that was set in the block before.
    if (index === 0 && expressions[1] === expression && facts.before.has(expression))
      return facts.before.get(expression)
    return value
  })
  for (const expression of expressions)
    if (expression !== undefined) facts.now.set(expression, valueOf(expression, facts))
  return judged(values)
    ? undefined
    : `${fn}(${args.map((arg) => say(arg)).join(', ')}) does not hold: ${values.map(say).join(', ')}`
}
