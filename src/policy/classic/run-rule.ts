import type { KubeObject } from '../../kube/object.ts'
import type { Phase, PolicyWorld } from '../engine/compiled-policy.ts'
import type { Needs } from '../engine/fact.ts'
import { namespaceLabelsOf, type PolicyRequest, subjectOf } from '../engine/policy-request.ts'
import type { RuleResponse, RuleType } from '../engine/rule-response.ts'
import { evaluateConditions } from './conditions/conditions.ts'
import { type ContextOwner, loadContext } from './context/load-context.ts'
import { requestScope } from './context/request-data.ts'
import type { Scope } from './context/scope.ts'
import { Evaluation, MissingFact, RuleFailure } from './evaluation.ts'
import { type Exempted, exemptionsFor } from './exceptions.ts'
import { generatedBy } from './generate/generate.ts'
import { type Subject, subjectFor } from './match/match.ts'
import { mutateObject } from './mutate/mutate-object.ts'
import { runTargets } from './mutate/run-targets.ts'
import type { MergeSchemas } from './mutate/patch-object.ts'
import { type ClassicPolicy, hasTargets } from './policy.ts'
import { fieldsOf, textMapOf } from './read.ts'
import type { Outcome, Rule } from './rule.ts'
import { templateOf } from './variables/template.ts'
import { failed } from './validate/check-resource.ts'
import { checkImages } from './validate/images.ts'
import { validateRule } from './validate/validate-rule.ts'

/** One rule that is asked about one request. */
export interface RuleRun {
  readonly policy: ClassicPolicy
  readonly rule: Rule
  readonly phase: Phase
  readonly request: PolicyRequest
  readonly world: PolicyWorld
  readonly needs: Needs
  readonly schemas: MergeSchemas
}

/** What a rule says, and what it made of the object. */
export interface RuleResult {
  readonly responses: readonly RuleResponse[]
  readonly object?: KubeObject
}

const silent: RuleResult = { responses: [] }

const types: Readonly<Record<Phase, RuleType>> = {
  mutate: 'Mutation',
  'mutate-existing': 'Mutation',
  validate: 'Validation',
  'verify-images': 'ImageVerify',
  generate: 'Generation',
  delete: 'Deletion',
}

/** Tells whether a rule has anything to do in a phase. */
export function isInPhase(rule: Rule, phase: Phase): boolean {
  switch (phase) {
    case 'validate':
      return rule.validate !== undefined || rule.verifyImages.length > 0
    case 'mutate':
      return rule.mutate !== undefined && !hasTargets(rule)
    case 'mutate-existing':
      return rule.mutate !== undefined && hasTargets(rule)
    case 'generate':
      return rule.generate !== undefined
    case 'verify-images':
    case 'delete':
      return false
  }
}

/** Asks one rule. Whatever policy and object hold ends in a response, or in a need. */
export function runRule(run: RuleRun): RuleResult {
  const { rule, request } = run
  const object = subjectOf(request)
  if (!object || !rule.matches(subjectFor(request, object))) return silent
  const evaluation = new Evaluation(request, run.world, run.needs)
  try {
    return matched(run, evaluation, subjectFor(request, object))
  } catch (failure) {
    if (failure instanceof MissingFact) return silent
    if (!(failure instanceof RuleFailure)) throw failure
    return told(run, { verdict: 'error', message: failure.message })
  }
}

function matched(run: RuleRun, evaluation: Evaluation, subject: Subject): RuleResult {
  const { policy, rule } = run
  const scope = requestScope(evaluation)
  const owner: ContextOwner = { policy: policy.identity.name, rule: rule.name, namespace: policy.identity.namespace }
  try {
    loadContext(rule.source['context'], scope, owner)
  } catch (failure) {
    return told(run, failed('failed to load context', failure))
  }
  try {
    const { holds, message } = evaluateConditions(rule.source['preconditions'], scope)
    if (!holds)
      return told(run, { verdict: 'skip', message: ['preconditions not met', message].filter(Boolean).join('; ') })
  } catch (failure) {
    return told(run, failed('failed to evaluate preconditions', failure))
  }
  const exempted = exemptionsFor(evaluation.world.exceptions, { policy: policy.key, rule: rule.name }, subject, scope)
  const isPartial = exempted?.podSecurity !== undefined && rule.validate?.['podSecurity'] !== undefined
  if (exempted && !isPartial) return told(run, skipped(exempted))
  return act(run, scope, owner, exempted)
}

const skipped = ({ keys }: Exempted): Outcome => ({
  verdict: 'skip',
  message: `rule is skipped due to policy exceptions ${keys.join(', ')}`,
  exceptions: keys,
})

function act(run: RuleRun, scope: Scope, owner: ContextOwner, exempted: Exempted | undefined): RuleResult {
  switch (run.phase) {
    case 'validate': {
      const outcome = run.rule.validate
        ? validateRule({ ...run, scope, owner, exempted })
        : run.request.object && checkImages(run.rule, run.request.object, scope.evaluation)
      return outcome ? told(run, withProperties(outcome, run.rule, scope)) : silent
    }
    case 'mutate':
      return mutate(run, scope, owner)
    case 'mutate-existing':
      return {
        responses: runTargets({ ...run, scope, owner }).map(({ outcome, ...rest }) => ({
          ...respond(run, outcome),
          ...rest,
        })),
      }
    case 'generate':
      return generate(run, scope, owner)
    case 'verify-images':
    case 'delete':
      return silent
  }
}

function mutate(run: RuleRun, scope: Scope, owner: ContextOwner): RuleResult {
  const { object } = run.request
  if (!object) return silent
  const { outcome, object: patched } = mutateObject(fieldsOf(run.rule.mutate), object, {
    scope,
    owner,
    schemas: run.schemas,
    nesting: 0,
  })
  return { ...told(run, outcome), object: patched }
}

function generate(run: RuleRun, scope: Scope, owner: ContextOwner): RuleResult {
  try {
    const generated = generatedBy(fieldsOf(run.rule.generate), scope, owner)
    const outcome: Outcome =
      generated.length > 0
        ? { verdict: 'pass', message: 'resources are to be generated' }
        : { verdict: 'skip', message: 'there is nothing to generate' }
    return { responses: [{ ...respond(run, outcome), generated }] }
  } catch (failure) {
    return told(run, failed('failed to generate', failure))
  }
}

const told = (run: RuleRun, outcome: Outcome): RuleResult => ({ responses: [respond(run, outcome)] })

function respond({ policy, rule, phase, request }: RuleRun, outcome: Outcome): RuleResponse {
  const response = { rule: rule.name, ruleType: types[phase], ...outcome }
  if (phase === 'mutate' && outcome.verdict !== 'skip' && policy.spec['emitWarning'] === true) {
    return { ...response, isWarned: true }
  }
  if (phase !== 'validate') return response
  const namespace = subjectOf(request)?.metadata.namespace ?? ''
  const action = rule.actionFor(namespace, namespaceLabelsOf(request) ?? {})
  const isWarned = outcome.verdict === 'fail' && action === 'Audit' && policy.spec['emitWarning'] === true
  return { ...response, action, ...(isWarned ? { isWarned } : {}) }
}

/** The properties that a rule adds to its reports. */
function withProperties(outcome: Outcome, rule: Rule, scope: Scope): Outcome {
  const wanted = rule.source['reportProperties']
  if (wanted === undefined || wanted === null) return outcome
  try {
    const filled = textMapOf(scope.fill(templateOf(wanted)))
    return { ...outcome, properties: { ...filled, ...outcome.properties } }
  } catch (failure) {
    if (failure instanceof RuleFailure && failure.kind !== 'over-budget') return outcome
    throw failure
  }
}
