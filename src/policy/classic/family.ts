import { isDeeperThan } from '../../kube/schema/walk.ts'
import { fail, succeed } from '../../lib/result.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { CompiledPolicy, Phase, PolicyFamily, PolicyWorld } from '../engine/compiled-policy.ts'
import { Needs } from '../engine/fact.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import type { PolicyResponse, RuleResponse } from '../engine/rule-response.ts'
import { compileCleanup, isCleanup } from './cleanup.ts'
import { Evaluation, MissingFact, RuleFailure } from './evaluation.ts'
import { lintPolicy } from './lint/lint-policy.ts'
import { warningsOf } from './lint/warnings.ts'
import type { MergeSchemas } from './mutate/patch-object.ts'
import { type ClassicPolicy, concernsOf, phasesOf, readPolicy, settingsOf } from './policy.ts'
import { isInPhase, runRule } from './run-rule.ts'
import { celConditionsHold } from './validate/cel.ts'

const GROUP = 'kyverno.io/'
const DEEPEST_POLICY = 200

/** ClusterPolicy, Policy and the cleanup policies. `schemas` says how lists of known kinds merge. */
export function classicPolicies(schemas: MergeSchemas): PolicyFamily {
  return {
    name: 'classic',
    reads: ({ apiVersion, kind }) =>
      apiVersion.startsWith(GROUP) && (kind === 'ClusterPolicy' || kind === 'Policy' || isCleanup(kind)),
    compile(object) {
      if (isDeeperThan(object['spec'], DEEPEST_POLICY)) {
        return fail({
          code: 'policy-invalid',
          at: 'spec',
          message: `the policy nests deeper than ${DEEPEST_POLICY} levels`,
        })
      }
      return succeed(isCleanup(object.kind) ? compileCleanup(object) : compilePolicy(object, schemas))
    },
    lint: lintPolicy,
  }
}

/** Reads a policy once, to be asked many times. */
export function compilePolicy(object: KubeObject, schemas: MergeSchemas): CompiledPolicy {
  const policy = readPolicy(object)
  return {
    identity: policy.identity,
    source: object,
    phases: phasesOf(policy),
    concerns: concernsOf(policy.rules),
    ...settingsOf(policy),
    warnings: warningsOf(object),
    evaluate: (phase, request, world) => evaluatePolicy(policy, { phase, request, world, schemas }),
  }
}

interface Question {
  readonly phase: Phase
  readonly request: PolicyRequest
  readonly world: PolicyWorld
  readonly schemas: MergeSchemas
}

function evaluatePolicy(policy: ClassicPolicy, { phase, request, world, schemas }: Question): PolicyResponse {
  const needs = new Needs()
  const answer = (rules: readonly RuleResponse[], object = request.object): PolicyResponse => ({
    policy: policy.identity,
    rules,
    ...(object ? { object } : {}),
    needs: needs.all,
  })
  if (!isInNamespace(policy, request) || !conditionsHold(policy, request, world, needs)) return answer([])
  const rules = phase === 'validate' ? policy.rulesFor(request.kind.kind) : policy.rules
  const responses: RuleResponse[] = []
  let current = request
  for (const rule of rules) {
    if (!isInPhase(rule, phase)) continue
    const result = runRule({ policy, rule, phase, request: current, world, needs, schemas })
    responses.push(...result.responses)
    if (result.object && result.object !== current.object) current = { ...current, object: result.object }
    if (policy.appliesOne && result.responses.some(({ verdict }) => verdict === 'pass' || verdict === 'fail')) break
  }
  return answer(responses, current.object)
}

/** A policy of a namespace is about the objects of that namespace only. */
function isInNamespace({ identity }: ClassicPolicy, { object, oldObject }: PolicyRequest): boolean {
  const { namespace } = identity
  if (namespace === undefined) return true
  return [object, oldObject].every((one) => !one || one.metadata.namespace === namespace)
}

/** Match conditions that cannot be evaluated do not match, as upstream. */
function conditionsHold(policy: ClassicPolicy, request: PolicyRequest, world: PolicyWorld, needs: Needs): boolean {
  if (policy.matchConditions.length === 0) return true
  const evaluation = new Evaluation(request, world, needs)
  try {
    return celConditionsHold(policy.matchConditions, {
      object: request.object,
      oldObject: request.oldObject,
      evaluation,
    })
  } catch (failure) {
    if (failure instanceof MissingFact || failure instanceof RuleFailure) return false
    throw failure
  }
}
