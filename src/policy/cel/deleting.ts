import type { KubeObject } from '../../kube/object.ts'
import { parseCron } from '../../lib/cron.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { Program } from '../../lang/cel/program.ts'
import type { CompiledPolicy, Phase, PolicyWorld } from '../engine/compiled-policy.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import type { PolicyIdentity, PolicyResponse, RuleResponse } from '../engine/rule-response.ts'
import { envelopeOf, policyOf, specFields } from './envelope.ts'
import { policyEnvironment } from './environment.ts'
import { Evaluation, kyvernoMakers } from './evaluation.ts'
import { Exceptions, exemptionOf } from './exceptions.ts'
import { Compilation } from './expression.ts'
import { askerOf } from './libraries/outside.ts'
import { compileMatch, concernsOf, constraintProblems, type Matches, type MatchResources } from './match.ts'
import { compileConditions, compileVariables, type Condition, conditionsHold, type Named } from './parts.ts'

/** The fields of a DeletingPolicy that are read. */
export interface DeletingSpec {
  readonly matchConstraints?: MatchResources
  readonly conditions?: readonly Named[]
  readonly variables?: readonly Named[]
  readonly schedule?: string
  readonly deletionPropagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
}

interface Compiled {
  readonly matches: Matches
  readonly variables: ReadonlyMap<string, Program>
  readonly conditions: readonly Condition[]
  readonly exceptions: Exceptions
}

/** Such a policy looks at what is there, whatever operations its rules name. */
function constraintsOf({ matchConstraints }: DeletingSpec): MatchResources | undefined {
  if (!matchConstraints) return undefined
  const everything = (matchConstraints.resourceRules ?? []).map((rule) => ({ ...rule, operations: ['*'] }))
  return { ...matchConstraints, resourceRules: everything }
}

function compile(spec: DeletingSpec, identity: PolicyIdentity): Result<Compiled> {
  const environment = policyEnvironment('delete', identity.namespace ?? '')
  const compilation = new Compilation(environment)
  const matches = compilation.take(compileMatch(constraintsOf(spec), 'spec.matchConstraints'))
  const variables = compileVariables(compilation, spec.variables)
  const conditions = compileConditions(compilation, spec.conditions, 'spec.conditions')
  if (!matches || compilation.problems.length > 0) return fail(...compilation.problems)
  return succeed({ matches, variables, conditions, exceptions: new Exceptions(identity, environment) })
}

const specOf = (object: KubeObject): DeletingSpec => specFields(object)

/** Reads a DeletingPolicy or NamespacedDeletingPolicy; when it is asked is for its schedule to say. */
export function compileDeletingPolicy(object: KubeObject): Result<CompiledPolicy> {
  const envelope = envelopeOf(object)
  const spec = specOf(object)
  const compiled = compile(spec, envelope.identity)
  if (!compiled.ok) return compiled
  return succeed(
    policyOf(
      {
        ...envelope,
        isAdmission: false,
        phases: new Set<Phase>(['delete']),
        concerns: concernsOf(constraintsOf(spec)),
      },
      (_phase, request, world) => judge(compiled.value, envelope.identity, request, world),
    ),
  )
}

/** There is no request: expressions see the object, its namespace, and what they ask for. */
const { request: _request, oldObject: _oldObject, ...withoutRequest } = kyvernoMakers

function judge(
  ...[compiled, identity, request, world]: [Compiled, PolicyIdentity, PolicyRequest, PolicyWorld]
): Omit<PolicyResponse, 'policy'> | undefined {
  const { object } = request
  if (!object || !compiled.matches(request)) return undefined
  if (identity.namespace !== undefined && object.metadata.namespace !== identity.namespace) return undefined
  const asker = askerOf(world)
  const evaluation = new Evaluation({
    occasion: { request, asker },
    makers: withoutRequest,
    variables: compiled.variables,
  })
  const answer = (verdict: RuleResponse['verdict'], message: string): Omit<PolicyResponse, 'policy'> => ({
    rules: [{ rule: identity.name, ruleType: 'Deletion', verdict, message }],
    needs: asker.needs.all,
  })
  const exempted = exemptionOf(compiled.exceptions.current(world), evaluation, conditionsHold)
  if (!exempted.ok) return answer('error', exempted.because)
  const { granted = [] } = exempted.value
  if (granted.length > 0) {
    const names = granted.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`)
    return answer('fail', `resource is spared by the policy exceptions ${names.join(', ')}`)
  }
  const held = conditionsHold(compiled.conditions, evaluation)
  if (!held.ok) return answer('error', held.because)
  return held.value ? answer('pass', 'resource matched') : answer('fail', 'resource did not match')
}

/** What an author of such a policy must change. */
export function lintDeletingPolicy(object: KubeObject): readonly Problem[] {
  const spec = specOf(object)
  const compiled = compile(spec, envelopeOf(object).identity)
  const problems: Problem[] = [...(compiled.ok ? [] : compiled.error), ...constraintProblems(spec.matchConstraints)]
  const { schedule = '' } = spec
  if (schedule === '') {
    problems.push({
      code: 'policy-field-required',
      at: 'spec.schedule',
      message: 'Required value: schedule is required',
    })
  } else {
    const read = parseCron(schedule)
    if (!read.ok) problems.push(...read.error.map((problem) => ({ ...problem, at: 'spec.schedule' })))
  }
  return problems
}
