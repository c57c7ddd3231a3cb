import type { KubeObject } from '../../kube/object.ts'
import type { Program } from '../../lang/cel/program.ts'
import { nullType } from '../../lang/cel/type.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { CompiledPolicy, Phase } from '../engine/compiled-policy.ts'
import type { RuleResponse } from '../engine/rule-response.ts'
import { envelopeOf, policyOf, specFields } from './envelope.ts'
import { type PolicyEnvironment, proxyEnvironment } from './environment.ts'
import { type Evaluated, Evaluation, kyvernoMakers } from './evaluation.ts'
import { Exceptions } from './exceptions.ts'
import { Compilation } from './expression.ts'
import { Answer, envoyResponse, httpResponse } from './libraries/authorization.ts'
import { askerOf } from './libraries/outside.ts'
import { concernsOf } from './match.ts'
import { compileConditions, compileVariables, type Condition, conditionsHold } from './parts.ts'
import type { ValidatingSpec } from './validating.ts'

/** The modes in which a policy answers the requests of a proxy or a server instead of judging objects. */
export type ProxyMode = 'Envoy' | 'HTTP'

interface Compiled {
  readonly conditions: readonly Condition[]
  readonly variables: ReadonlyMap<string, Program>
  readonly steps: readonly Program[]
  readonly exceptions: Exceptions
}

function compile(object: KubeObject, mode: ProxyMode): Result<Compiled> {
  const spec: ValidatingSpec = specFields(object)
  const { identity } = envelopeOf(object)
  const environment: PolicyEnvironment = proxyEnvironment(mode, identity.namespace ?? '')
  const compilation = new Compilation(environment)
  const wanted = [mode === 'Envoy' ? envoyResponse : httpResponse, nullType]
  const conditions = compileConditions(compilation, spec.matchConditions, 'spec.matchConditions')
  const variables = compileVariables(compilation, spec.variables)
  const steps = (spec.validations ?? []).flatMap(({ expression }, index) => {
    const compiled = compilation.expression(expression, `spec.validations[${index}].expression`, wanted)
    return compiled ? [compiled.program] : []
  })
  if (compilation.problems.length > 0) return fail(...compilation.problems)
  return succeed({ conditions, variables, steps, exceptions: new Exceptions(identity, environment) })
}

/**
 * Reads a ValidatingPolicy that answers a proxy. It can be asked about recorded requests; nothing in the cluster asks it, which
 * is said as a warning.
 */
export function compileProxyPolicy(object: KubeObject, mode: ProxyMode): Result<CompiledPolicy> {
  const compiled = compile(object, mode)
  if (!compiled.ok) return compiled
  const envelope = envelopeOf(object)
  const message = `evaluation mode ${JSON.stringify(mode)} is only asked about recorded requests: nothing in the cluster enforces it`
  const kind = mode === 'Envoy' ? 'envoy' : 'http'
  return succeed(
    policyOf(
      {
        ...envelope,
        isAdmission: false,
        isBackground: false,
        phases: new Set<Phase>(['validate']),
        concerns: concernsOf({}),
        warnings: [{ code: 'policy-not-enforced', at: 'spec.evaluation.mode', message }],
      },
      (_phase, request, world) => {
        if (request.payload === undefined || request.payloadKind !== kind) return undefined
        const asker = askerOf(world)
        const occasion = { request, asker }
        const { variables } = compiled.value
        const evaluation = new Evaluation({ occasion, makers: kyvernoMakers, variables })
        const answer = answerOf(compiled.value, evaluation, world)
        const rule: Pick<RuleResponse, 'rule' | 'ruleType'> = { rule: envelope.identity.name, ruleType: 'Validation' }
        return { rules: [{ ...rule, ...verdictOf(answer, envelope.failurePolicy) }], needs: asker.needs.all }
      },
    ),
  )
}

/** The first expression that answers anything; none where the policy does not concern the request. */
function answerOf(
  { conditions, steps, exceptions }: Compiled,
  evaluation: Evaluation,
  world: Parameters<Exceptions['current']>[0],
): Evaluated<Answer | undefined> {
  const concerned = conditionsHold(conditions, evaluation)
  if (!concerned.ok) return concerned
  if (!concerned.value) return { ok: true, value: undefined }
  for (const exception of exceptions.current(world)) {
    const spared = conditionsHold(exception.conditions, evaluation)
    if (!spared.ok) return spared
    if (spared.value) return { ok: true, value: undefined }
  }
  for (const program of steps) {
    const result = evaluation.evaluate(program)
    if (!result.ok) return result
    if (result.value instanceof Answer) return { ok: true, value: result.value }
  }
  return { ok: true, value: undefined }
}

function verdictOf(
  answer: Evaluated<Answer | undefined>,
  failurePolicy: 'Fail' | 'Ignore',
): Pick<RuleResponse, 'verdict' | 'message'> {
  if (!answer.ok && failurePolicy === 'Fail') return { verdict: 'error', message: answer.because }
  if (!answer.ok || !answer.value) return { verdict: 'skip', message: 'request does not match' }
  return { verdict: answer.value.isAllowed ? 'pass' : 'fail', message: answer.value.because }
}
