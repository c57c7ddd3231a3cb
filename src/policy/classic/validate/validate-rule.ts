import type { KubeObject } from '../../../kube/object.ts'
import type { PolicyRequest } from '../../engine/policy-request.ts'
import { evaluateConditions } from '../conditions/conditions.ts'
import { type ContextOwner, loadContext } from '../context/load-context.ts'
import { requestScope } from '../context/request-data.ts'
import type { Scope } from '../context/scope.ts'
import { Evaluation, RuleFailure } from '../evaluation.ts'
import type { Exempted } from '../exceptions.ts'
import { subjectFor } from '../match/match.ts'
import { type Fields, fieldsOf, textOf } from '../read.ts'
import type { Outcome, Rule } from '../rule.ts'
import { checkAssertion } from './assertion.ts'
import { checkCel } from './cel.ts'
import { checkResource } from './check-resource.ts'
import { checkPodSecurity } from './pod-security.ts'

/** One validate rule that is asked about one request. */
export interface Validation {
  readonly rule: Rule
  readonly request: PolicyRequest
  readonly scope: Scope
  readonly owner: ContextOwner
  readonly exempted: Exempted | undefined
}

/** Judges the object of a request; undefined when the rule has nothing to say of it. */
export function validateRule(validation: Validation): Outcome | undefined {
  const outcome = judge(validation)
  if (outcome?.verdict !== 'fail' || !isFailureForgiven(validation)) return outcome
  return {
    verdict: 'skip',
    message: 'skipping the rule evaluation as pre-existing violations are allowed',
    isExistingViolation: true,
  }
}

function judge({ rule, request, scope, owner, exempted }: Validation): Outcome | undefined {
  const block = fieldsOf(rule.validate)
  const { object, oldObject } = request
  if (isSet(block['manifests'])) {
    return {
      verdict: 'skip',
      message: 'signatures of manifests are not verified: validate.manifests is accepted and not enforced',
    }
  }
  if (isSet(block['podSecurity'])) return object && podSecurity(block, rule, object, exempted)
  if (isSet(block['cel'])) return checkCel(block, rule, { object, oldObject, evaluation: scope.evaluation })
  if (isSet(block['assert'])) return object && checkAssertion(block, rule.name, object, scope)
  return checkResource(block, {
    rule: rule.name,
    owner,
    message: textOf(block['message']),
    object: request.operation === 'DELETE' ? undefined : object,
    scope,
    nesting: 0,
  })
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null

function podSecurity(block: Fields, rule: Rule, object: KubeObject, exempted: Exempted | undefined): Outcome {
  const outcome = checkPodSecurity(block, rule.name, object, exempted?.podSecurity)
  if (outcome.verdict !== 'skip' || !exempted) return outcome
  return { ...outcome, message: `${outcome.message} ${exempted.keys.join(', ')}`, exceptions: exempted.keys }
}

/** A change of an object that failed before as well is let through, unless the rule says otherwise. */
function isFailureForgiven(validation: Validation): boolean {
  const { rule, request } = validation
  if (request.operation !== 'UPDATE' || !request.object || !request.oldObject) return false
  const block = fieldsOf(rule.validate)
  if (block['allowExistingViolations'] === false || isSet(block['cel'])) return false
  if (rule.actionFor(request.namespace ?? '', {}) !== 'Enforce' && !isEnforcedAnywhere(validation)) return false
  return failedBefore(validation, request.oldObject)
}

const isEnforcedAnywhere = ({ rule, request }: Validation): boolean =>
  rule.actionFor(request.namespace ?? '', request.namespaceLabels ?? {}) === 'Enforce'

function failedBefore({ rule, request, scope, owner, exempted }: Validation, oldObject: KubeObject): boolean {
  const { oldObject: _old, ...rest } = request
  const before: PolicyRequest = { ...rest, operation: 'CREATE', object: oldObject }
  if (!rule.matches(subjectFor(before, oldObject))) return false
  const { evaluation } = scope
  const earlier = requestScope(new Evaluation(before, evaluation.world, evaluation.needs))
  try {
    loadContext(rule.source['context'], earlier, owner)
    if (!evaluateConditions(rule.source['preconditions'], earlier).holds) return false
    return judge({ rule, request: before, scope: earlier, owner, exempted })?.verdict === 'fail'
  } catch (failure) {
    if (failure instanceof RuleFailure) return false
    throw failure
  }
}
