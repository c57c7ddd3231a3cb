import type { KubeObject } from '../../kube/object.ts'
import type { CompiledPolicy, PolicyWorld } from '../engine/compiled-policy.ts'
import { Needs } from '../engine/fact.ts'
import { type PolicyRequest, subjectOf } from '../engine/policy-request.ts'
import type { PolicyIdentity, PolicyResponse } from '../engine/rule-response.ts'
import { evaluateConditions } from './conditions/conditions.ts'
import { loadContext } from './context/load-context.ts'
import { requestScope } from './context/request-data.ts'
import { Evaluation, MissingFact, RuleFailure } from './evaluation.ts'
import { compileMatch, subjectFor } from './match/match.ts'
import { concernsOf } from './policy.ts'
import { fieldsOf, textOf } from './read.ts'

/** Tells cleanup policies from others. */
export const isCleanup = (kind: string): boolean => kind === 'CleanupPolicy' || kind === 'ClusterCleanupPolicy'

/** A cleanup policy, which is asked in the phase `delete` whether an object goes. */
export function compileCleanup(object: KubeObject): CompiledPolicy {
  const spec = fieldsOf(object['spec'])
  const namespace = object.kind === 'CleanupPolicy' ? object.metadata.namespace || 'default' : undefined
  const name = textOf(object.metadata.name)
  const identity: PolicyIdentity = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name,
    ...(namespace ? { namespace } : {}),
  }
  const matches = compileMatch(spec['match'], spec['exclude'])

  function evaluate(request: PolicyRequest, world: PolicyWorld): PolicyResponse {
    const needs = new Needs()
    const subject = subjectOf(request)
    const answer = (rules: PolicyResponse['rules']): PolicyResponse => ({ policy: identity, rules, needs: needs.all })
    if (!subject || (namespace !== undefined && subject.metadata.namespace !== namespace)) return answer([])
    if (!matches(subjectFor(request, subject))) return answer([])
    const scope = requestScope(new Evaluation(request, world, needs)).inner({ target: subject })
    const told = (verdict: 'pass' | 'skip' | 'error', message: string): PolicyResponse =>
      answer([{ rule: name, ruleType: 'Deletion', verdict, message }])
    try {
      loadContext(spec['context'], scope, { policy: name, rule: name, namespace })
      return evaluateConditions(spec['conditions'], scope).holds
        ? told('pass', 'the object is to be deleted')
        : told('skip', 'conditions not met')
    } catch (failure) {
      if (failure instanceof MissingFact) return answer([])
      if (failure instanceof RuleFailure) return told('error', failure.message)
      throw failure
    }
  }

  return {
    identity,
    source: object,
    phases: new Set(['delete']),
    concerns: concernsOf([{ source: spec }]),
    isAdmission: false,
    isBackground: true,
    failurePolicy: 'Ignore',
    warnings: [],
    evaluate: (phase, request, world) =>
      phase === 'delete' ? evaluate(request, world) : { policy: identity, rules: [], needs: [] },
  }
}
