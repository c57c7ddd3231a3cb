import { applyTemplatePatch } from '../../gitops/applicationset/engine/template-patch.ts'
import { unknownGenerators, unknownGeneratorsText } from '../../gitops/applicationset/engine/check-generators.ts'
import { generate, type GenerateOptions, contextOf } from '../../gitops/applicationset/engine/generate.ts'
import type { Fields } from '../../gitops/applicationset/engine/generator.ts'
import { type Facts, lookupIn, type Need } from '../../gitops/applicationset/engine/need.ts'
import { renderApplication } from '../../gitops/applicationset/engine/render-application.ts'
import { templateReplacer } from '../../gitops/applicationset/engine/renderer.ts'
import { requeueAfterMs, usualRequeueMs } from '../../gitops/applicationset/engine/requeue.ts'
import { fillGenerator, transform, type Transformed } from '../../gitops/applicationset/engine/transform.ts'
import { type ApplicationSet, parseApplicationSet } from '../../gitops/applicationset/application-set.ts'
import { answered, recordedFacts } from '../../gitops/applicationset/recorded-facts.ts'
import { fieldsOf, isSet, objectsOf, textOf, textsOf } from '../../gitops/fields.ts'
import { isDeeperThan } from '../../kube/schema/walk.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { jsonForm } from '../../render/helm/json-form.ts'
import { act, type Actions } from './action.ts'
import type { EvalRequest } from './ops.ts'

const replace = templateReplacer({ clock: systemClock, ids: systemIds, certificates: certificateMaker })

/** Deeper requests are refused: templates walk them by recursion. */
const DEEPEST = 200

function optionsOf(request: EvalRequest): Required<GenerateOptions> {
  const settings = fieldsOf(request, 'settings')
  return {
    replace,
    settings: {
      scmEnabled: settings['enableScmProviders'] !== false,
      scmAllowed: textsOf(settings, 'allowedScmProviders') ?? [],
      requeueAfterMs: usualRequeueMs(textOf(settings, 'requeueAfter')),
    },
  }
}

/** The ApplicationSet of a request; the parts that a request does not care for may be left out. */
function setOf(request: EvalRequest): Result<ApplicationSet> {
  const object = fieldsOf(request, 'applicationSet')
  const metadata = { name: 'set', namespace: 'argocd', ...fieldsOf(object, 'metadata') }
  const spec = { generators: [], template: {}, ...fieldsOf(object, 'spec') }
  return parseApplicationSet({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata,
    spec,
  })
}

const answersOf = (request: EvalRequest): ReturnType<typeof recordedFacts> =>
  recordedFacts(
    fieldsOf(request, 'facts'),
    isSet(fieldsOf(request, 'settings'), 'newGitFileGlobbing') ? 'doublestar' : 'pathspec',
  )

function generated(request: EvalRequest): Result<unknown> {
  const set = setOf(request)
  if (!set.ok) return set
  const options = optionsOf(request)
  const done = answered((facts) => {
    const generation = generate(set.value, facts, options)
    return generation.state === 'needs' ? generation : { done: generation }
  }, answersOf(request))
  if (!done.ok) return done
  if (done.value.state === 'failed') return fail(...done.value.problems)
  return succeed({
    applications: done.value.applications.map(({ application, generator, params }) => ({
      application,
      generator,
      params: jsonForm(params),
    })),
    requeueAfterMs: requeueAfterMs(set.value.generators, options.settings) ?? null,
  })
}

/** What one entry of `generators` makes, before templates. */
function parameters(request: EvalRequest): Result<unknown> {
  const set = setOf(request)
  if (!set.ok) return set
  const options = optionsOf(request)
  const entry = fieldsOf(request, 'generator')
  const done = answered((facts: Facts): { needs: readonly Need[] } | { done: Result<readonly Transformed[]> } => {
    const { context, missing } = contextOf(set.value, facts, options)
    const made = transform(entry, { context, template: set.value.template })
    return made ? { done: made } : { needs: [...missing.values()] }
  }, answersOf(request))
  if (!done.ok) return done
  if (!done.value.ok) return done.value
  return succeed(
    done.value.value.map(({ params, template }) => ({ params: params.map((one) => jsonForm(one)), template })),
  )
}

const dialectOf = (request: EvalRequest): { goTemplate: boolean; options: readonly string[] } => ({
  goTemplate: isSet(request, 'goTemplate'),
  options: textsOf(request, 'goTemplateOptions') ?? [],
})

function rendered(request: EvalRequest): Result<unknown> {
  return renderApplication(fieldsOf(request, 'application'), fieldsOf(request, 'params'), {
    replace,
    dialect: dialectOf(request),
    preserveResourcesOnDeletion: isSet(fieldsOf(request, 'syncPolicy'), 'preserveResourcesOnDeletion'),
  })
}

function filled(request: EvalRequest): Result<unknown> {
  const options = optionsOf(request)
  const context = {
    applicationSet: '',
    project: '',
    dialect: dialectOf(request),
    replace,
    lookup: lookupIn(new Map()),
    settings: options.settings,
  }
  return fillGenerator(fieldsOf(request, 'generator'), fieldsOf(request, 'params'), context)
}

function requeue(request: EvalRequest): Result<unknown> {
  const options = optionsOf(request)
  const generators: readonly Fields[] = objectsOf(request, 'generators') ?? []
  return succeed(requeueAfterMs(generators, options.settings) ?? null)
}

function checked(request: EvalRequest): Result<unknown> {
  const set = setOf(request)
  if (!set.ok) return set
  return succeed({ ...unknownGenerators(set.value), message: unknownGeneratorsText(set.value) ?? null })
}

const actions: Actions = [
  ['generate', generated],
  ['params', parameters],
  ['render', rendered],
  ['fill', filled],
  ['patch', (request) => applyTemplatePatch(fieldsOf(request, 'application'), textOf(request, 'templatePatch'))],
  ['requeue', requeue],
  ['check', checked],
]

/** ApplicationSets: `{do?, applicationSet, facts?, settings?, ...}` (docs/eval.md). */
export function evaluate(request: EvalRequest): Result<unknown> {
  if (isDeeperThan(request, DEEPEST)) {
    return fail({ code: 'document-too-deep', message: `the request is nested deeper than ${DEEPEST} levels` })
  }
  return act(request, actions)
}
