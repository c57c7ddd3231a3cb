import type { RuleResponse } from '../../engine/rule-response.ts'
import { evaluateConditions } from '../conditions/conditions.ts'
import { type ContextOwner, loadContext } from '../context/load-context.ts'
import type { Scope } from '../context/scope.ts'
import type { ClassicPolicy } from '../policy.ts'
import { fieldsOf, listOf } from '../read.ts'
import type { Outcome, Rule } from '../rule.ts'
import { failed } from '../validate/check-resource.ts'
import { mutateObject } from './mutate-object.ts'
import type { MergeSchemas } from './patch-object.ts'
import { type MutationTarget, targetsOf } from './targets.ts'

interface TargetsRun {
  readonly policy: ClassicPolicy
  readonly rule: Rule
  readonly scope: Scope
  readonly owner: ContextOwner
  readonly schemas: MergeSchemas
}

/** What became of one target. */
export interface TargetResult extends Pick<RuleResponse, 'patchedTarget'> {
  readonly outcome: Outcome
}

/** Changes every object that the targets of a rule choose. */
export function runTargets(run: TargetsRun): readonly TargetResult[] {
  return listOf(run.rule.mutate?.['targets']).flatMap((item): readonly TargetResult[] => {
    let targets: readonly MutationTarget[]
    try {
      targets = targetsOf(fieldsOf(item), run.scope, run.policy.identity.namespace)
    } catch (failure) {
      return [{ outcome: failed('failed to find the targets', failure) }]
    }
    return targets.map((target) => runTarget(target, run))
  })
}

function runTarget(
  { object, subresource, entry }: MutationTarget,
  { rule, scope: outer, owner, schemas }: TargetsRun,
): TargetResult {
  const scope = outer.inner({ target: object })
  scope.self = 'target'
  try {
    loadContext(entry['context'], scope, owner)
    const { holds, message } = evaluateConditions(entry['preconditions'], scope)
    if (!holds) {
      return { outcome: { verdict: 'skip', message: ['preconditions not met', message].filter(Boolean).join('; ') } }
    }
  } catch (failure) {
    return { outcome: failed('failed to evaluate preconditions', failure) }
  }
  const { targets: _targets, ...block } = fieldsOf(rule.mutate)
  const { outcome, object: after } = mutateObject(block, object, { scope, owner, schemas, nesting: 0 })
  if (outcome.verdict !== 'pass') return { outcome }
  return { outcome, patchedTarget: { before: object, after, ...(subresource === '' ? {} : { subresource }) } }
}
