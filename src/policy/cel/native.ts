import { gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Program } from '../../lang/cel/program.ts'
import { isEqual } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { CompiledPolicy, Phase, PolicyWorld } from '../engine/compiled-policy.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import type { PolicyResponse, RuleResponse } from '../engine/rule-response.ts'
import { failurePolicyOf, identityOf, policyOf, specFields } from './envelope.ts'
import { nativeEnvironment } from './environment.ts'
import { type Evaluated, Evaluation, type Occasion, requestMakers } from './evaluation.ts'
import { Compilation } from './expression.ts'
import { askerOf } from './libraries/outside.ts'
import { compileMatch, concernsOf, constraintProblems, type Matches, type MatchResources } from './match.ts'
import { compileMutations, type MutationSpec } from './mutating.ts'
import { applyMutations, type CompiledMutation } from './mutation.ts'
import { authorizerMakers, type Binding, Bindings, type ParamKind, paramsOf, unbound } from './native-bindings.ts'
import {
  type AuditAnnotation,
  compileAnnotations,
  compileConditions,
  compileVariables,
  type Condition,
  conditionsHold,
  type Named,
} from './parts.ts'
import { compileValidations, type CompiledValidation, type Validation } from './validating.ts'

/** The fields of the API server's own admission policies that are read. */
interface NativeSpec {
  readonly paramKind?: ParamKind
  readonly matchConstraints?: MatchResources
  readonly matchConditions?: readonly Named[]
  readonly variables?: readonly Named[]
  readonly validations?: readonly Validation[]
  readonly auditAnnotations?: readonly AuditAnnotation[]
  readonly mutations?: readonly MutationSpec[]
}

interface Compiled {
  readonly name: string
  readonly paramKind: ParamKind | undefined
  readonly matches: Matches
  readonly conditions: readonly Condition[]
  readonly variables: ReadonlyMap<string, Program>
  readonly validations: readonly (CompiledValidation & { readonly expression: string })[]
  readonly mutations: readonly CompiledMutation[]
  readonly bindings: Bindings
  readonly ignoresFailures: boolean
}

const isMutating = ({ kind }: KubeObject): boolean => kind === 'MutatingAdmissionPolicy'

function compile(object: KubeObject): Result<Compiled> {
  const spec: NativeSpec = specFields(object)
  const compilation = new Compilation(nativeEnvironment(isMutating(object)))
  const matches = compilation.take(compileMatch(spec.matchConstraints, 'spec.matchConstraints'))
  const variables = compileVariables(compilation, spec.variables)
  const conditions = compileConditions(compilation, spec.matchConditions, 'spec.matchConditions')
  const validations = compileValidations(compilation, spec.validations)
  const mutations = isMutating(object) ? compileMutations(compilation, spec.mutations, { allowsAtomic: false }) : []
  compileAnnotations(compilation, spec.auditAnnotations)
  if (!matches || compilation.problems.length > 0) return fail(...compilation.problems)
  const { name = '' } = object.metadata
  return succeed({
    name,
    paramKind: spec.paramKind,
    matches,
    conditions,
    variables,
    validations: validations.map((validation, index) => ({
      ...validation,
      expression: spec.validations?.[index]?.expression ?? '',
    })),
    mutations,
    bindings: new Bindings(name, object.kind),
    ignoresFailures: failurePolicyOf(specFields(object)) === 'Ignore',
  })
}

/** Reads a ValidatingAdmissionPolicy or MutatingAdmissionPolicy, to be asked like Kyverno's policies: offline and in reports. */
export function compileNativePolicy(object: KubeObject): Result<CompiledPolicy> {
  const compiled = compile(object)
  if (!compiled.ok) return compiled
  const spec: NativeSpec = specFields(object)
  return succeed(
    policyOf(
      {
        identity: identityOf(object),
        source: object,
        phases: new Set<Phase>([isMutating(object) ? 'mutate' : 'validate']),
        concerns: concernsOf(spec.matchConstraints),
        // The API server itself judges requests by them.
        isAdmission: false,
        isBackground: true,
        failurePolicy: failurePolicyOf(specFields(object)),
      },
      (phase, request, world) => answer(phase, compiled.value, request, world),
    ),
  )
}

type Answered = Omit<PolicyResponse, 'policy'>

function answer(
  ...[phase, compiled, request, world]: [Phase, Compiled, PolicyRequest, PolicyWorld]
): Answered | undefined {
  if (request.payload !== undefined || !compiled.matches(request)) return undefined
  const asker = askerOf(world)
  const bound = compiled.bindings.of(world.bindings ?? [])
  const bindings = bound.length === 0 ? [unbound] : bound.filter(({ matches }) => matches(request))
  let current = request
  // One answer for a policy: that of its last binding.
  let rule: RuleResponse | undefined
  for (const binding of bindings) {
    if (phase === 'validate') rule = validate(compiled, binding, { request, asker }) ?? rule
    else {
      const changed = mutate(compiled, binding, { request: current, asker })
      rule = changed.rule ?? rule
      if (changed.object) current = { ...current, object: changed.object }
    }
  }
  return {
    rules: rule ? [rule] : [],
    needs: asker.needs.all,
    ...(phase === 'mutate' && current.object ? { object: current.object } : {}),
  }
}

const makers = { ...requestMakers, ...authorizerMakers }

function evaluationOf({ variables }: Compiled, occasion: Occasion, params: unknown): Evaluation {
  const evaluation = new Evaluation({ occasion, makers, variables })
  evaluation.bind('params', params)
  return evaluation
}

function validate(compiled: Compiled, binding: Binding, occasion: Occasion): RuleResponse | undefined {
  const respond = (verdict: RuleResponse['verdict'], message: string): RuleResponse => ({
    rule: compiled.name,
    ruleType: 'Validation',
    verdict,
    message,
    action: binding.actions.includes('Deny') ? 'Enforce' : 'Audit',
    ...(binding.actions.includes('Warn') ? { isWarned: true } : {}),
    ...(binding.name === '' ? {} : { properties: { binding: binding.name } }),
  })
  const params = paramsOf(compiled.paramKind, binding, occasion.request, occasion.asker)
  if (!params.ok) return compiled.ignoresFailures ? undefined : respond('error', params.because)
  let last: RuleResponse | undefined
  for (const param of params.value) {
    const evaluation = evaluationOf(compiled, occasion, param)
    const concerned = concernedBy(compiled, evaluation)
    if (!concerned.ok) return respond('error', concerned.because)
    if (!concerned.value) {
      last ??= respond('skip', "match conditions aren't met")
      continue
    }
    const failed = firstFailure(compiled, evaluation)
    if (failed) return respond(failed.verdict, failed.message)
    last = respond('pass', '')
  }
  return last
}

function concernedBy({ conditions, ignoresFailures }: Compiled, evaluation: Evaluation): Evaluated<boolean> {
  const concerned = conditionsHold(conditions, evaluation)
  return !concerned.ok && ignoresFailures ? { ok: true, value: false } : concerned
}

function firstFailure(
  { validations, ignoresFailures }: Compiled,
  evaluation: Evaluation,
): { readonly verdict: 'fail' | 'error'; readonly message: string } | undefined {
  for (const { program, message, messageProgram, expression } of validations) {
    const result = evaluation.evaluate(program)
    if (!result.ok) {
      if (ignoresFailures) continue
      return { verdict: 'error', message: `expression '${expression.trim()}' resulted in error: ${result.because}` }
    }
    if (result.value === true) continue
    const computed = messageProgram ? evaluation.evaluate(messageProgram) : undefined
    const isFit = computed?.ok && typeof computed.value === 'string' && /^[^\n]*\S[^\n]*$/.test(computed.value)
    const text = isFit ? computed.value : message
    return { verdict: 'fail', message: text === '' ? `failed expression: ${expression.trim()}` : text }
  }
  return undefined
}

function mutate(
  compiled: Compiled,
  binding: Binding,
  occasion: Occasion,
): { readonly rule?: RuleResponse; readonly object?: KubeObject } {
  const respond = (verdict: RuleResponse['verdict'], message: string): RuleResponse => ({
    rule: compiled.name,
    ruleType: 'Mutation',
    verdict,
    message,
    ...(binding.name === '' ? {} : { properties: { binding: binding.name } }),
  })
  const { request, asker } = occasion
  const params = paramsOf(compiled.paramKind, binding, request, asker)
  if (!params.ok) return compiled.ignoresFailures ? {} : { rule: respond('error', params.because) }
  let { object } = request
  if (!object) return {}
  let last: RuleResponse | undefined
  for (const param of params.value) {
    const evaluation = evaluationOf(compiled, { request: { ...request, object }, asker }, param)
    const concerned = concernedBy(compiled, evaluation)
    if (!concerned.ok) return { rule: respond('error', concerned.because) }
    if (!concerned.value) {
      last ??= respond('skip', "match conditions aren't met")
      continue
    }
    const schema = asker.world.schemaOf?.(gvkOf(object))
    const changed = applyMutations(compiled.mutations, evaluation, { object, schema })
    if (!changed.ok) {
      if (compiled.ignoresFailures) continue
      return { rule: respond('error', changed.because) }
    }
    const isAsItWas = isEqual(object, changed.value)
    if (!isAsItWas) object = changed.value
    last =
      request.source === 'background' && !isAsItWas
        ? respond('fail', 'mutation is not applied')
        : respond('pass', 'mutation is successfully applied')
  }
  return { ...(last ? { rule: last } : {}), object }
}

/** What an author of such a policy must change. */
export function lintNativePolicy(object: KubeObject): readonly Problem[] {
  const compiled = compile(object)
  const spec: NativeSpec = specFields(object)
  return [...(compiled.ok ? [] : compiled.error), ...constraintProblems(spec.matchConstraints)]
}
