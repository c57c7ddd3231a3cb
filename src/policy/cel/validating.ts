import type { KubeObject } from '../../kube/object.ts'
import { boolType, stringType } from '../../lang/cel/type.ts'
import type { Program } from '../../lang/cel/program.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { CompiledPolicy, Phase } from '../engine/compiled-policy.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import type { PolicyIdentity, RuleResponse } from '../engine/rule-response.ts'
import { validatingAutogen } from './autogen.ts'
import { compileProxyPolicy } from './authorizing.ts'
import { envelopeOf, policyOf, specFields } from './envelope.ts'
import { policyEnvironment } from './environment.ts'
import { Evaluation, kyvernoMakers } from './evaluation.ts'
import { Exceptions, exemptionOf, exemptResponse } from './exceptions.ts'
import { Compilation } from './expression.ts'
import { type Asker, askerOf } from './libraries/outside.ts'
import { compileMatch, concernsOf, constraintProblems, type Matches, type MatchResources } from './match.ts'
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

export interface Validation {
  readonly expression: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
}

/** The fields of a ValidatingPolicy that are read. */
export interface ValidatingSpec {
  readonly matchConstraints?: MatchResources
  readonly matchConditions?: readonly Named[]
  readonly variables?: readonly Named[]
  readonly validations?: readonly Validation[]
  readonly auditAnnotations?: readonly AuditAnnotation[]
  readonly validationActions?: readonly string[]
  readonly failurePolicy?: string
  readonly evaluation?: { readonly mode?: string }
  readonly autogen?: { readonly podControllers?: { readonly controllers?: readonly string[] } }
}

export interface CompiledValidation {
  readonly program: Program
  readonly message: string
  readonly messageProgram: Program | undefined
}

/** A policy, or what was generated from it for other kinds. */
interface Variant {
  readonly matches: Matches
  readonly conditions: readonly Condition[]
  readonly variables: ReadonlyMap<string, Program>
  readonly validations: readonly CompiledValidation[]
  readonly annotations: ReadonlyMap<string, Program>
  readonly exceptions: Exceptions
  readonly ignoresFailures: boolean
}

/** Compiles the checks of a policy; their messages too. */
export function compileValidations(
  compilation: Compilation,
  validations: readonly Validation[] | undefined,
): readonly CompiledValidation[] {
  return (validations ?? []).flatMap(({ expression, message = '', messageExpression = '' }, index) => {
    const at = `spec.validations[${index}]`
    const compiled = compilation.expression(expression, `${at}.expression`, [boolType])
    const text =
      messageExpression === ''
        ? undefined
        : compilation.expression(messageExpression, `${at}.messageExpression`, [stringType])
    return compiled ? [{ program: compiled.program, message, messageProgram: text?.program }] : []
  })
}

function compileVariant(spec: ValidatingSpec, identity: PolicyIdentity): Result<Variant> {
  const environment = policyEnvironment('validate', identity.namespace ?? '')
  const compilation = new Compilation(environment)
  const matches = isJson(spec)
    ? () => true
    : compilation.take(compileMatch(spec.matchConstraints, 'spec.matchConstraints'))
  const conditions = compileConditions(compilation, spec.matchConditions, 'spec.matchConditions')
  const variables = compileVariables(compilation, spec.variables)
  const validations = compileValidations(compilation, spec.validations)
  const annotations = compileAnnotations(compilation, spec.auditAnnotations)
  if (!matches || compilation.problems.length > 0) return fail(...compilation.problems)
  return succeed({
    matches,
    conditions,
    variables,
    validations,
    annotations,
    exceptions: new Exceptions(identity, environment),
    ignoresFailures: spec.failurePolicy === 'Ignore',
  })
}

const isJson = ({ evaluation }: ValidatingSpec): boolean => evaluation?.mode === 'JSON'

const specOf = (object: KubeObject): ValidatingSpec => specFields(object)

/** Reads a ValidatingPolicy or NamespacedValidatingPolicy. */
export function compileValidatingPolicy(object: KubeObject): Result<CompiledPolicy> {
  const envelope = envelopeOf(object)
  const spec = specOf(object)
  const { mode = 'Kubernetes' } = spec.evaluation ?? {}
  if (mode === 'Envoy' || mode === 'HTTP') return compileProxyPolicy(object, mode)
  if (mode !== 'Kubernetes' && mode !== 'JSON') return succeed(otherMode(object, mode))
  const first = compileVariant(spec, envelope.identity)
  if (!first.ok) return first
  const generated = (isJson(spec) ? [] : validatingAutogen(spec)).map(({ name, spec: variant }) => ({
    name,
    constraints: variant.matchConstraints,
    compiled: compileVariant(variant, envelope.identity),
  }))
  const warnings: Problem[] = generated.flatMap(({ name, compiled }) =>
    compiled.ok ? [] : autogenWarning(name, compiled.error),
  )
  const variants = [first.value, ...generated.flatMap(({ compiled }) => (compiled.ok ? [compiled.value] : []))]
  const json = isJson(spec)
  const constraints = [spec.matchConstraints, ...generated.map((each) => each.constraints)]
  return succeed(
    policyOf(
      {
        ...envelope,
        phases: new Set<Phase>(['validate']),
        concerns: json ? anything : constraints.flatMap(concernsOf),
        warnings,
      },
      (_phase, request, world) => {
        if (json !== (request.payload !== undefined) || (request.payloadKind ?? 'json') !== 'json') return undefined
        const asker = askerOf(world)
        const rules = variants
          .filter(({ matches }) => matches(request))
          .map((variant) => withActions(judge(variant, request, asker), spec))
        return { rules, needs: asker.needs.all }
      },
    ),
  )
}

const anything = concernsOf({})

/** A mode that nobody knows yet is accepted, and said not to be enforced. */
function otherMode(object: KubeObject, mode: string): CompiledPolicy {
  const message = `evaluation mode ${JSON.stringify(mode)} is accepted but not enforced`
  const warnings = [{ code: 'policy-not-enforced', at: 'spec.evaluation.mode', message }]
  return policyOf({ ...envelopeOf(object), phases: new Set(), concerns: [], warnings }, () => undefined)
}

/** What was generated for other kinds and does not compile is left out, and said. */
export const autogenWarning = (name: string, problems: readonly Problem[]): readonly Problem[] =>
  problems.slice(0, 1).map((problem) => ({
    ...problem,
    code: 'policy-autogen-failed',
    message: `the policy does not apply to Pod controllers (${name}): ${problem.message}`,
  }))

/** Deny blocks, Warn tells who asked, Audit only reports. */
function withActions(response: RuleResponse, { validationActions = [] }: ValidatingSpec): RuleResponse {
  const denies = validationActions.length === 0 || validationActions.includes('Deny')
  return {
    ...response,
    action: denies ? 'Enforce' : 'Audit',
    ...(validationActions.includes('Warn') ? { isWarned: true } : {}),
  }
}

const RULE = { rule: '', ruleType: 'Validation' } as const

const errorResponse = (message: string, rule = ''): RuleResponse => ({ ...RULE, rule, verdict: 'error', message })

function judge(variant: Variant, request: PolicyRequest, asker: Asker): RuleResponse {
  const { conditions, variables, exceptions, ignoresFailures, annotations } = variant
  const evaluation = new Evaluation({ occasion: { request, asker }, makers: kyvernoMakers, variables })
  const holds = (list: readonly Condition[]): ReturnType<typeof conditionsHold> => {
    const result = conditionsHold(list, evaluation)
    return !result.ok && ignoresFailures ? { ok: true, value: false } : result
  }
  const current = exceptions.current(asker.world)
  if (current.length > 0) {
    const exempted = exemptionOf(current, evaluation, holds)
    if (!exempted.ok) return errorResponse(exempted.because, 'exception')
    if (exempted.value.granted) return exemptResponse(exempted.value.granted, 'Validation')
    evaluation.bind('exceptions', exempted.value.scope)
  }
  const concerned = holds(conditions)
  if (!concerned.ok) return { ...errorResponse(concerned.because, 'evaluation'), isUndecided: true }
  if (!concerned.value) return { ...RULE, verdict: 'skip', message: 'skip' }
  const failed = firstFailure(variant.validations, evaluation)
  if (failed?.error !== undefined) return { ...errorResponse(`error: ${failed.error}`), properties: indexOf(failed) }
  const annotated = annotationsOf(annotations, evaluation)
  if (!annotated.ok) return errorResponse(`error: ${annotated.because}`)
  const auditAnnotations = Object.keys(annotated.value).length > 0 ? { auditAnnotations: annotated.value } : {}
  return failed
    ? { ...RULE, verdict: 'fail', message: failed.message, properties: indexOf(failed), ...auditAnnotations }
    : { ...RULE, verdict: 'pass', message: 'success', ...auditAnnotations }
}

const indexOf = ({ index }: { readonly index: number }): Readonly<Record<string, string>> => ({
  'cel.validationIndex': String(index),
})

interface Failure {
  readonly index: number
  readonly message: string
  readonly error?: string
}

/** The first check that does not hold, or cannot be made. */
function firstFailure(validations: readonly CompiledValidation[], evaluation: Evaluation): Failure | undefined {
  for (const [index, { program, message, messageProgram }] of validations.entries()) {
    const result = evaluation.evaluate(program)
    if (!result.ok) return { index, message: '', error: result.because }
    if (result.value === true) continue
    if (result.value !== false) return { index, message: '', error: 'the expression is neither true nor false' }
    return { index, message: messageOf(message, messageProgram, evaluation, index) }
  }
  return undefined
}

function messageOf(...[fixed, program, evaluation, index]: [string, Program | undefined, Evaluation, number]): string {
  if (!program) return fixed === '' ? `CEL expression validation failed at index ${index}` : fixed
  const result = evaluation.evaluate(program)
  if (!result.ok) return `failed to evaluate message expression: ${result.because}`
  if (typeof result.value !== 'string') return 'failed to convert message expression to string'
  return result.value === '' ? `CEL expression validation failed at index ${index}` : result.value
}

/** What an author of such a policy must change. */
export function lintValidatingPolicy(object: KubeObject): readonly Problem[] {
  const spec = specOf(object)
  const { mode } = spec.evaluation ?? {}
  const compiled: Result<unknown> =
    mode === 'Envoy' || mode === 'HTTP'
      ? compileProxyPolicy(object, mode)
      : compileVariant(spec, envelopeOf(object).identity)
  return [...(compiled.ok ? [] : compiled.error), ...constraintProblems(spec.matchConstraints)]
}
