import { isObject, own } from '../../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../../lib/result.ts'
import type { Lookup, Outcome } from './need.ts'
import { type Params, paramsFrom, textMap, withParams } from './params.ts'
import type { Replace, TemplateDialect } from './renderer.ts'

export type Fields = Readonly<Record<string, unknown>>

/** The generators, in the order in which upstream looks for them. */
export const generatorNames = [
  'list',
  'clusters',
  'git',
  'scmProvider',
  'clusterDecisionResource',
  'pullRequest',
  'matrix',
  'merge',
  'plugin',
] as const

export type GeneratorName = (typeof generatorNames)[number]

/** What the installation lets generators do. */
export interface GeneratorSettings {
  /** Whether generators may ask services of source code. */
  readonly scmEnabled: boolean
  /** The API URLs that they may ask; empty allows all. */
  readonly scmAllowed: readonly string[]
  /** How often generators that ask the outside are asked again, where they do not say. */
  readonly requeueAfterMs: number
}

/** Argo CD's defaults. */
export const usualGeneratorSettings: GeneratorSettings = { scmEnabled: true, scmAllowed: [], requeueAfterMs: 180_000 }

/** Everything that generators see beside their own part of the ApplicationSet. */
export interface GeneratorContext {
  readonly applicationSet: string
  /** The project of the template, '' where it is itself a template. */
  readonly project: string
  readonly dialect: TemplateDialect
  readonly replace: Replace
  readonly lookup: Lookup
  readonly settings: GeneratorSettings
}

/** Makes sets of parameters from its part of the ApplicationSet. */
export type Generator = (spec: Fields, context: GeneratorContext) => Outcome<readonly Params[]>

/** A generator's refusal, in upstream's words. */
export const refuse = (message: string): Result<never> => fail({ code: 'appset-generator-failed', message })

/** The same problems, each with words before it. */
export function wrap<T>(result: Result<T>, words: string): Result<T> {
  if (result.ok) return result
  return fail(...result.error.map((problem): Problem => ({ ...problem, message: `${words}: ${problem.message}` })))
}

/** What upstream says of a generator that has nothing to work with. */
export const EMPTY = 'ApplicationSet is empty'

/** The parameters with `values` of a generator filled and added. */
export function withValues(params: Params, spec: Fields, { dialect, replace }: GeneratorContext): Result<Params> {
  const values = own(spec, 'values')
  if (!isObject(values)) return succeed(params)
  const filled: (readonly [string, string])[] = []
  for (const [key, value] of Object.entries(values)) {
    const text = replace(String(value), params, dialect)
    if (!text.ok)
      return wrap(text, 'failed to replace templated string: failed to replace templated string with rendered values')
    filled.push([key, text.value])
  }
  if (filled.length === 0) return succeed(params)
  if (dialect.goTemplate) return succeed(withParams(params, paramsFrom([['values', textMap(filled)]])))
  return succeed(withParams(params, paramsFrom(filled.map(([key, value]) => [`values.${key}`, value]))))
}
