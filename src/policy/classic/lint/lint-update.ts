import type { KubeObject } from '../../../kube/object.ts'
import type { Problem } from '../../../lib/result.ts'
import { goJson } from '../variables/go-json.ts'
import { type Fields, fieldsOf, listOf } from '../read.ts'
import { invalid } from './finding.ts'

/** What a change of a policy would do to what it made before. */
export interface UpdateFindings {
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

const nothing: UpdateFindings = { problems: [], warnings: [] }

/** A generate rule keeps its trigger, and a change of its target leaves the old one behind. */
export function lintUpdate(before: KubeObject, after: KubeObject): UpdateFindings {
  const old = generateRules(before)
  const now = generateRules(after)
  if (old.length === 0) return nothing
  const isSynchronized = old.some((rule) => fieldsOf(rule['generate'])['synchronize'] === true)
  const targets = new Set(now.map(targetOf))
  if (!old.every((rule) => targets.has(targetOf(rule)))) {
    const warning = 'no synchronization will be performed to the old target resource upon policy updates'
    return { problems: [], warnings: [warning] }
  }
  const triggers = new Set(now.map((rule) => triggerOf(rule, isSynchronized)))
  if (old.every((rule) => triggers.has(triggerOf(rule, isSynchronized)))) return nothing
  const cure = 'delete the rule and make another one'
  return {
    problems: [
      invalid('spec.rules', 'a generate rule cannot change its name, match, exclude, context or preconditions', cure),
    ],
    warnings: [],
  }
}

const generateRules = (policy: KubeObject): readonly Fields[] =>
  listOf(fieldsOf(policy['spec'])['rules'])
    .map(fieldsOf)
    .filter((rule) => Object.keys(fieldsOf(rule['generate'])).length > 0)

/** What a rule makes, without what may change. */
function targetOf(rule: Fields): string {
  const {
    synchronize: _s,
    data: _d,
    foreach: _f,
    orphanDownstreamOnPolicyDelete: _o,
    generateExisting: _g,
    ...target
  } = fieldsOf(rule['generate'])
  return goJson(target)
}

/** What sets a rule off; its match may change while nothing is kept in step. */
function triggerOf({ generate: _generate, match, ...rule }: Fields, isSynchronized: boolean): string {
  return goJson(isSynchronized ? { ...rule, match } : rule)
}
