import { isObject, own } from '../../../lib/json.ts'
import { type Result, succeed } from '../../../lib/result.ts'
import { fieldsOf } from '../../fields.ts'
import {
  type Fields,
  type Generator,
  type GeneratorContext,
  type GeneratorName,
  generatorNames,
  refuse,
  wrap,
} from './generator.ts'
import { clusters } from './generators/clusters.ts'
import { clusterDecisionResource } from './generators/decision.ts'
import { git } from './generators/git.ts'
import { list } from './generators/list.ts'
import { matrix, type Nested } from './generators/matrix.ts'
import { merge } from './generators/merge.ts'
import { plugin } from './generators/plugin.ts'
import { pullRequest } from './generators/pull-request.ts'
import { scmProvider } from './generators/scm-provider.ts'
import type { Outcome } from './need.ts'
import { fillFrom, flatTexts, type Params } from './params.ts'
import { type Exception, renderDeep } from './render-deep.ts'
import { paramsSelector, selectorOf } from './selector.ts'

/** What one generator made, and the template that goes with it. */
export interface Transformed {
  readonly params: readonly Params[]
  readonly template: Fields
}

type Table = Readonly<Partial<Record<GeneratorName, Generator>>>

const terminal: Table = { list, clusters, git, scmProvider, clusterDecisionResource, pullRequest, plugin }
const middle: Table = { ...terminal, matrix: matrix(nestedIn(terminal)), merge: merge(nestedIn(terminal)) }

/** Generators by name. Matrix and merge may hold each other once, and below that only what holds nothing. */
export const topLevel: Table = { ...terminal, matrix: matrix(nestedIn(middle)), merge: merge(nestedIn(middle)) }

/** The generators that an entry of `generators` holds, in upstream's order. */
export const generatorsIn = (entry: Fields): readonly GeneratorName[] =>
  generatorNames.filter((name) => isObject(own(entry, name)))

function nestedIn(table: Table): Nested {
  return (entry, context, known) => {
    const made = transform(entry, { table, context, template: {}, known })
    if (!made?.ok) return made && wrap(made, 'child generator returned an error on parameter generation')
    const [only, ...more] = made.value
    if (!only) return refuse('child generator generated no parameters')
    if (more.length > 0) return refuse('found more than one generator in matrix.Generators')
    return succeed(only.params)
  }
}

export interface TransformOptions {
  readonly table?: Table
  readonly context: GeneratorContext
  /** What a generator's own template is filled from. */
  readonly template: Fields
  /** Parameters to fill into the generator before it runs. */
  readonly known?: Params
}

/** Runs the generators of one entry: fill in what is known, make parameters, keep those that the selector wants. */
export function transform(entry: Fields, options: TransformOptions): Outcome<readonly Transformed[]> {
  const { table = topLevel, context, template, known = {} } = options
  const isWanted = wantedBy(entry)
  if (!isWanted.ok) return isWanted
  const made: Transformed[] = []
  let isComplete = true
  for (const name of generatorsIn(entry)) {
    const generator = table[name]
    if (!generator)
      return refuse(`the generator ${name} is nested too deeply: matrix and merge may hold each other once`)
    const filled = Object.keys(known).length === 0 ? succeed(entry) : fillGenerator(entry, known, context)
    if (!filled.ok) return filled
    const params = generator(fieldsOf(filled.value, name), context)
    if (!params) isComplete = false
    else if (!params.ok) return params
    else {
      made.push({
        params: params.value.filter(isWanted.value),
        template: fillFrom(fieldsOf(fieldsOf(entry, name), 'template'), template) as Fields, // both are objects
      })
    }
  }
  return isComplete ? succeed(made) : undefined
}

function wantedBy(entry: Fields): Result<(params: Params) => boolean> {
  const selector = own(entry, 'selector')
  if (!isObject(selector)) return succeed(() => true)
  const compiled = paramsSelector(selectorOf(selector))
  return compiled.ok ? succeed((params) => compiled.value(flatTexts(params))) : compiled
}

const HAVE_VALUES: readonly GeneratorName[] = [
  'clusters',
  'git',
  'scmProvider',
  'clusterDecisionResource',
  'pullRequest',
  'plugin',
]

const isAboutMissing = (message: string): boolean =>
  message.includes('map has no entry for key') || message.includes("can't evaluate field")

/**
 * A generator with known parameters filled in. Its `values` may speak of what the generator itself is about to make:
 * what cannot be filled there yet stays as it is (applicationset/utils RenderGeneratorParams).
 */
export function fillGenerator(entry: Fields, known: Params, context: GeneratorContext): Result<Fields> {
  const { dialect, replace } = context
  const strict = {
    ...dialect,
    options: [...dialect.options.filter((option) => !option.startsWith('missingkey=')), 'missingkey=error'],
  }
  const except: Exception = (value, path) => {
    const [generator, field] = path
    if (path.length !== 2 || field !== 'values' || !HAVE_VALUES.some((name) => name === generator)) return undefined
    if (!isObject(value)) return undefined
    const entries: (readonly [string, unknown])[] = []
    for (const [key, text] of Object.entries(value)) {
      const filled = replace(String(text), known, dialect.goTemplate ? strict : dialect)
      if (filled.ok) entries.push([key, filled.value])
      else if (isAboutMissing(filled.error[0]?.message ?? '')) entries.push([key, text])
      else return wrap(filled, `failed to pre-resolve Values key ${JSON.stringify(key)}`)
    }
    return succeed(Object.fromEntries(entries))
  }
  const filled = renderDeep(entry, { replace, params: known, dialect, except })
  return filled.ok ? succeed(filled.value as Fields) : wrap(filled, 'failed to replace parameters in generator')
}
