import { type Problem, type Result, succeed } from '../../../lib/result.ts'
import type { ApplicationSet } from '../application-set.ts'
import {
  type Fields,
  type GeneratorContext,
  type GeneratorSettings,
  refuse,
  usualGeneratorSettings,
  wrap,
} from './generator.ts'
import { MOST_PARAMS } from './generators/matrix.ts'
import { type Facts, lookupIn, type Need } from './need.ts'
import type { Params } from './params.ts'
import { projectOf, renderApplication, templateApplication } from './render-application.ts'
import type { Replace } from './renderer.ts'
import { applyTemplatePatch } from './template-patch.ts'
import { transform } from './transform.ts'

/** An Application that an ApplicationSet describes, and what it was made of. */
export interface GeneratedApplication {
  readonly application: Fields
  /** Which entry of `spec.generators`, from 0. */
  readonly generator: number
  readonly params: Params
}

/** What became of an ApplicationSet: its Applications, a failure that says at which stage, or facts that are missing. */
export type Generation =
  | { readonly state: 'done'; readonly applications: readonly GeneratedApplication[] }
  | { readonly state: 'failed'; readonly reason: FailureReason; readonly problems: readonly Problem[] }
  | { readonly state: 'needs'; readonly needs: readonly Need[] }

/** The reasons of upstream's ErrorOccurred condition. */
export type FailureReason = 'ApplicationGenerationFromParamsError' | 'RenderTemplateParamsError'

export interface GenerateOptions {
  readonly replace: Replace
  readonly settings?: GeneratorSettings
}

/** What generators see of an ApplicationSet, with a lookup over known facts. */
export function contextOf(
  set: ApplicationSet,
  facts: Facts,
  { replace, settings = usualGeneratorSettings }: GenerateOptions,
): { readonly context: GeneratorContext; readonly missing: ReadonlyMap<string, Need> } {
  const lookup = lookupIn(facts)
  const context = {
    applicationSet: set.name,
    project: projectOf(set.template),
    dialect: { goTemplate: set.goTemplate, options: set.goTemplateOptions },
    replace,
    lookup,
    settings,
  }
  return { context, missing: lookup.missing }
}

/** What has to be fetched before anything can be said; more may follow once it is known. */
export function neededFor(set: ApplicationSet, options: GenerateOptions): readonly Need[] {
  const generation = generate(set, new Map(), options)
  return generation.state === 'needs' ? generation.needs : []
}

/**
 * The Applications of an ApplicationSet, from facts alone. One failing generator fails all of it, so that nobody takes
 * what is missing for what shall be gone.
 */
export function generate(set: ApplicationSet, facts: Facts, options: GenerateOptions): Generation {
  const { context, missing } = contextOf(set, facts, options)
  const made: GeneratedApplication[] = []
  for (const [index, entry] of set.generators.entries()) {
    const transformed = transform(entry, { context, template: set.template })
    if (!transformed) continue
    if (!transformed.ok) {
      return {
        state: 'failed',
        reason: 'ApplicationGenerationFromParamsError',
        problems: placed(transformed.error, index),
      }
    }
    for (const { params, template } of transformed.value) {
      const rendered = missing.size > 0 ? succeed([]) : renderAll(set, template, params, index, options.replace)
      if (!rendered.ok) {
        return { state: 'failed', reason: 'RenderTemplateParamsError', problems: placed(rendered.error, index) }
      }
      made.push(...rendered.value)
    }
    if (made.length > MOST_PARAMS) {
      const { error } = refuse(`the generators make more than ${MOST_PARAMS} Applications`) as {
        error: readonly Problem[]
      }
      return { state: 'failed', reason: 'ApplicationGenerationFromParamsError', problems: error }
    }
  }
  return missing.size > 0 ? { state: 'needs', needs: [...missing.values()] } : { state: 'done', applications: made }
}

const placed = (problems: readonly Problem[], index: number): readonly Problem[] =>
  problems.map((problem) => ({ ...problem, at: problem.at ?? `spec.generators[${index}]` }))

function renderAll(
  set: ApplicationSet,
  template: Fields,
  sets: readonly Params[],
  generator: number,
  replace: Replace,
): Result<readonly GeneratedApplication[]> {
  const blank = templateApplication(template)
  const made: GeneratedApplication[] = []
  for (const params of sets) {
    const rendered = renderOne(set, blank, params, replace)
    if (!rendered.ok) return rendered
    made.push({ application: rendered.value, generator, params })
  }
  return succeed(made)
}

function renderOne(set: ApplicationSet, blank: Fields, params: Params, replace: Replace): Result<Fields> {
  const { preserveResourcesOnDeletion, goTemplate, goTemplateOptions } = set
  const dialect = { goTemplate, options: goTemplateOptions }
  const rendered = renderApplication(blank, params, { replace, dialect, preserveResourcesOnDeletion })
  if (!rendered.ok || set.templatePatch === undefined)
    return rendered.ok ? succeed(inNamespace(rendered.value, set)) : rendered
  const patch = replace(set.templatePatch, params, dialect)
  if (!patch.ok) return wrap(patch, 'error replacing values in templatePatch')
  const patched = applyTemplatePatch(rendered.value, patch.value)
  return patched.ok ? succeed(inNamespace(patched.value, set)) : patched
}

/** Applications live beside their ApplicationSet, whatever the template says: what may be in a namespace is a boundary. */
const inNamespace = (application: Fields, { namespace }: ApplicationSet): Fields => ({
  ...application,
  metadata: { ...(application['metadata'] as Fields), namespace }, // templateApplication gave it metadata
})
