import { gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { jsonPatchType, objectType } from '../../lang/cel/kubernetes/mutation.ts'
import type { Program } from '../../lang/cel/program.ts'
import { anyType, listOf, mapOf, stringType } from '../../lang/cel/type.ts'
import { isEqual } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { CompiledPolicy, Phase, PolicyWorld } from '../engine/compiled-policy.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import type { PolicyIdentity, PolicyResponse, RuleResponse } from '../engine/rule-response.ts'
import { mutatingAutogen } from './autogen.ts'
import { envelopeOf, isEnabled, policyOf, specFields } from './envelope.ts'
import { policyEnvironment } from './environment.ts'
import { type Evaluated, Evaluation, kyvernoMakers, type Occasion } from './evaluation.ts'
import { Exceptions, exemptionOf, exemptResponse } from './exceptions.ts'
import { Compilation } from './expression.ts'
import { type Asker, askerOf } from './libraries/outside.ts'
import { compileMatch, concernsOf, constraintProblems, type Matches, type MatchResources } from './match.ts'
import { applyMutations, type CompiledMutation } from './mutation.ts'
import {
  annotationsOf,
  type AuditAnnotation,
  compileAnnotations,
  compileConditions,
  compileVariables,
  type Condition,
  conditionsHold,
  type Named,
} from './parts.ts'
import { type Target, type TargetConstraints, targetsOf } from './targets.ts'
import { autogenWarning } from './validating.ts'

export interface MutationSpec {
  readonly patchType?: string
  readonly applyConfiguration?: { readonly expression?: string }
  readonly jsonPatch?: { readonly expression?: string }
}

/** The fields of a MutatingPolicy that are read. */
export interface MutatingSpec {
  readonly matchConstraints?: MatchResources
  readonly matchConditions?: readonly Named[]
  readonly targetMatchConstraints?: TargetConstraints
  readonly targetMatchConditions?: readonly Named[]
  readonly variables?: readonly Named[]
  readonly mutations?: readonly MutationSpec[]
  readonly auditAnnotations?: readonly AuditAnnotation[]
  readonly evaluation?: { readonly useServerSideApply?: boolean }
  readonly autogen?: {
    readonly podControllers?: { readonly controllers?: readonly string[] }
    readonly mutatingAdmissionPolicy?: { readonly enabled?: boolean }
  }
}

interface Variant {
  readonly matches: Matches
  readonly matchesTarget: Matches
  readonly conditions: readonly Condition[]
  readonly targetConditions: readonly Condition[]
  readonly targetProgram: Program | undefined
  readonly variables: ReadonlyMap<string, Program>
  readonly mutations: readonly CompiledMutation[]
  readonly annotations: ReadonlyMap<string, Program>
  readonly exceptions: Exceptions
}

/** Compiles the mutations of a policy in their order. */
export function compileMutations(
  compilation: Compilation,
  mutations: readonly MutationSpec[] | undefined,
  options: { readonly allowsAtomic: boolean },
): readonly CompiledMutation[] {
  return (mutations ?? []).flatMap(
    ({ patchType, applyConfiguration, jsonPatch }, index): readonly CompiledMutation[] => {
      const at = `spec.mutations[${index}]`
      if (patchType === 'JSONPatch' && jsonPatch?.expression) {
        const compiled = compilation.expression(jsonPatch.expression, `${at}.jsonPatch.expression`, [
          listOf(jsonPatchType),
        ])
        return compiled ? [{ kind: 'json-patch', program: compiled.program }] : []
      }
      if (patchType === 'ApplyConfiguration' && applyConfiguration?.expression) {
        const compiled = compilation.expression(applyConfiguration.expression, `${at}.applyConfiguration.expression`, [
          objectType,
        ])
        return compiled ? [{ kind: 'apply', program: compiled.program, allowsAtomic: options.allowsAtomic }] : []
      }
      compilation.refuse({
        code: 'policy-field-required',
        at,
        message: 'a mutation needs patchType ApplyConfiguration or JSONPatch, and the expression for it',
      })
      return []
    },
  )
}

function compileVariant(spec: MutatingSpec, identity: PolicyIdentity): Result<Variant> {
  const environment = policyEnvironment('mutate', identity.namespace ?? '')
  const compilation = new Compilation(environment)
  const matches = compilation.take(compileMatch(spec.matchConstraints, 'spec.matchConstraints'))
  const target = spec.targetMatchConstraints
  const hasTargetRules = (target?.resourceRules ?? []).length > 0
  const matchesTarget = hasTargetRules ? compilation.take(compileMatch(target, 'spec.targetMatchConstraints')) : matches
  const variables = compileVariables(compilation, spec.variables)
  const conditions = compileConditions(compilation, spec.matchConditions, 'spec.matchConditions')
  const expression = target?.expression ?? ''
  const targetProgram =
    expression === ''
      ? undefined
      : compilation.expression(expression, 'spec.targetMatchConstraints.expression', [mapOf(stringType, anyType)])
  const targetConditions = compileConditions(compilation, spec.targetMatchConditions, 'spec.targetMatchConditions')
  const annotations = compileAnnotations(compilation, spec.auditAnnotations)
  const mutations = compileMutations(compilation, spec.mutations, {
    allowsAtomic: spec.evaluation?.useServerSideApply === true,
  })
  if (!matches || !matchesTarget || compilation.problems.length > 0) return fail(...compilation.problems)
  return succeed({
    matches,
    matchesTarget,
    conditions,
    targetConditions,
    targetProgram: targetProgram?.program,
    variables,
    mutations,
    annotations,
    exceptions: new Exceptions(identity, environment),
  })
}

const specOf = (object: KubeObject): MutatingSpec => specFields(object)

/** Reads a MutatingPolicy or NamespacedMutatingPolicy. */
export function compileMutatingPolicy(object: KubeObject): Result<CompiledPolicy> {
  const envelope = envelopeOf(object)
  const spec = specOf(object)
  const { identity } = envelope
  const first = compileVariant(spec, identity)
  if (!first.ok) return first
  const generated = mutatingAutogen(spec).map(({ name, spec: variant }) => ({
    name,
    constraints: variant.matchConstraints,
    compiled: compileVariant(variant, identity),
  }))
  const variants = [first.value, ...generated.flatMap(({ compiled }) => (compiled.ok ? [compiled.value] : []))]
  const changesExisting = isEnabled(specFields(object), 'mutateExisting', false)
  const phases = new Set<Phase>(changesExisting ? ['mutate', 'mutate-existing'] : ['mutate'])
  const context: Existing = { identity, spec, variant: first.value }
  return succeed(
    policyOf(
      {
        ...envelope,
        phases,
        concerns: [
          spec.matchConstraints,
          spec.targetMatchConstraints,
          ...generated.map((each) => each.constraints),
        ].flatMap(concernsOf),
        warnings: generated.flatMap(({ name, compiled }) => (compiled.ok ? [] : autogenWarning(name, compiled.error))),
      },
      (phase, request, world) =>
        phase === 'mutate' ? mutate(variants, request, world) : mutateExisting(context, request, world),
    ),
  )
}

const RULE = { rule: '', ruleType: 'Mutation' } as const

function mutate(variants: readonly Variant[], request: PolicyRequest, world: PolicyWorld): Answered | undefined {
  const asker = askerOf(world)
  const rules: RuleResponse[] = []
  let current = request
  for (const variant of variants) {
    if (!variant.matches(current)) continue
    const { rule, object } = change(variant, { request: current, asker }, variant.conditions)
    rules.push(rule)
    if (object) current = { ...current, object }
  }
  return { rules, needs: asker.needs.all, ...(current.object ? { object: current.object } : {}) }
}

type Answered = Omit<PolicyResponse, 'policy'>

/** What a policy makes of the object of one request. */
function change(
  variant: Variant,
  { request, asker }: Occasion,
  conditions: readonly Condition[],
  trigger: PolicyRequest = request,
): { readonly rule: RuleResponse; readonly object?: KubeObject } {
  const failure = (because: string): { readonly rule: RuleResponse } => ({
    rule: { ...RULE, rule: 'evaluation', verdict: 'error', message: `failed to evaluate policy: ${because}` },
  })
  const evaluation = new Evaluation({
    occasion: { request: trigger, asker },
    makers: kyvernoMakers,
    variables: variant.variables,
  })
  if (trigger !== request) {
    // Expressions see the request that set the change off, and the object that is changed.
    evaluation.bind('object', request.object ?? null)
    evaluation.bind('oldObject', null)
  }
  const current = variant.exceptions.current(asker.world)
  if (current.length > 0) {
    const exempted = exemptionOf(current, evaluation, conditionsHold)
    if (!exempted.ok) return failure(exempted.because)
    if (exempted.value.granted) return { rule: exemptResponse(exempted.value.granted, 'Mutation') }
    evaluation.bind('exceptions', exempted.value.scope)
  }
  const concerned = conditionsHold(conditions, evaluation)
  if (!concerned.ok) return failure(concerned.because)
  if (!concerned.value) return { rule: { ...RULE, verdict: 'skip', message: 'skip' } }
  const { object } = request
  // A deletion has nothing that could be changed.
  if (!object) return { rule: { ...RULE, verdict: 'skip', message: 'there is no object to change' } }
  const schema = asker.world.schemaOf?.(gvkOf(object))
  const mutated = applyMutations(variant.mutations, evaluation, { object, schema })
  if (!mutated.ok) return failure(mutated.because)
  const annotated = annotationsOf(variant.annotations, evaluation)
  if (!annotated.ok) return failure(annotated.because)
  const rule: RuleResponse = {
    ...RULE,
    verdict: 'pass',
    message: 'success',
    ...(Object.keys(annotated.value).length > 0 ? { auditAnnotations: annotated.value } : {}),
  }
  return { rule, object: isEqual(object, mutated.value) ? object : mutated.value }
}

interface Existing {
  readonly identity: PolicyIdentity
  readonly spec: MutatingSpec
  readonly variant: Variant
}

/**
 * Changes objects that exist already. In a background scan the object of the request is the one that may be changed;
 * otherwise it is what sets the change off, and the objects to change are looked for.
 */
function mutateExisting(context: Existing, request: PolicyRequest, world: PolicyWorld): Answered | undefined {
  const asker = askerOf(world)
  const { variant } = context
  if (request.source === 'background') {
    const { object } = request
    if (!object || variant.targetProgram || !variant.matchesTarget(request)) return undefined
    const rule = changeTarget(variant, { object }, { request, asker })
    return { rules: [rule], needs: asker.needs.all }
  }
  if (!variant.matches(request)) return undefined
  const evaluation = new Evaluation({
    occasion: { request, asker },
    makers: kyvernoMakers,
    variables: variant.variables,
  })
  const concerned = conditionsHold(variant.conditions, evaluation)
  if (!concerned.ok || !concerned.value) return { rules: [], needs: asker.needs.all }
  const found = chosenTargets(context, evaluation, asker)
  if (!found.ok) {
    const message = `cannot find the objects to change: ${found.because}`
    return { rules: [{ ...RULE, verdict: 'error', message }], needs: asker.needs.all }
  }
  const rules = found.value
    .filter(({ object }) => !variant.targetProgram || object.metadata.name !== undefined)
    .filter((target) => variant.targetProgram !== undefined || variant.matchesTarget(asTarget(target, request)))
    .map((target) => changeTarget(variant, target, { request, asker }))
  return { rules, needs: asker.needs.all }
}

function chosenTargets(
  { identity, spec, variant }: Existing,
  evaluation: Evaluation,
  asker: Asker,
): Evaluated<readonly Target[]> {
  const constraints =
    (spec.targetMatchConstraints?.resourceRules ?? []).length > 0 ? spec.targetMatchConstraints : spec.matchConstraints
  return targetsOf({ constraints, program: variant.targetProgram, namespace: identity.namespace }, evaluation, asker)
}

/** The request as which a target's constraints see it. */
function asTarget({ object, subresource, namespaceLabels }: Target, trigger: PolicyRequest): PolicyRequest {
  const { name = '', namespace } = object.metadata
  return {
    source: trigger.source,
    operation: trigger.operation,
    kind: gvkOf(object),
    name,
    object,
    user: trigger.user,
    ...(namespace === undefined ? {} : { namespace }),
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespaceLabels === undefined ? {} : { namespaceLabels }),
  }
}

function changeTarget(
  variant: Variant,
  target: Target,
  { request, asker }: { readonly request: PolicyRequest; readonly asker: Asker },
): RuleResponse {
  const { object: before, subresource } = target
  const occasion = { request: asTarget(target, request), asker }
  const { rule, object: after } = change(variant, occasion, variant.targetConditions, request)
  if (!after || after === before) return rule
  return { ...rule, patchedTarget: { before, after, ...(subresource === undefined ? {} : { subresource }) } }
}

/** What an author of such a policy must change. */
export function lintMutatingPolicy(object: KubeObject): readonly Problem[] {
  const spec = specOf(object)
  const compiled = compileVariant(spec, envelopeOf(object).identity)
  const fields = specFields(object)
  const problems: Problem[] = [...(compiled.ok ? [] : compiled.error), ...constraintProblems(spec.matchConstraints)]
  if (!isEnabled(fields, 'admission', true) && !isEnabled(fields, 'mutateExisting', false)) {
    problems.push({
      code: 'policy-field-invalid',
      at: 'spec.evaluation',
      message: 'Forbidden: disabling both admission and mutateExisting evaluation modes is not allowed',
    })
  }
  return [...problems, ...nativeProblems(spec, compiled)]
}

/** A native policy asks its conditions before it has variables, so a policy that shall become one may not use them there. */
function nativeProblems(spec: MutatingSpec, compiled: Result<Variant>): readonly Problem[] {
  if (spec.autogen?.mutatingAdmissionPolicy?.enabled !== true || !compiled.ok) return []
  return compiled.value.conditions.flatMap(({ program }, index) =>
    program.reads('variables')
      ? [
          {
            code: 'policy-field-invalid',
            at: `spec.matchConditions[${index}].expression`,
            message:
              'variables cannot be used in matchConditions of a policy that becomes a MutatingAdmissionPolicy; write the expression out instead',
          },
        ]
      : [],
  )
}
