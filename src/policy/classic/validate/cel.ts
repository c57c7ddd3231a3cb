import type { Result } from '../../../lib/result.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { compile } from '../../../lang/cel/cel.ts'
import {
  type AuthorizerPort,
  authorizerType,
  authorizerValue,
  requestResourceValue,
  resourceCheckType,
} from '../../../lang/cel/kubernetes/authorizer.ts'
import { kubernetesEnvironment } from '../../../lang/cel/kubernetes/environment.ts'
import type { Program } from '../../../lang/cel/program.ts'
import { EvaluationError } from '../../../lang/cel/error.ts'
import { MapView } from '../../../lang/cel/value/map.ts'
import { dynType } from '../../../lang/cel/type.ts'
import type { Evaluation } from '../evaluation.ts'
import { RuleFailure } from '../evaluation.ts'
import { type Fields, fieldsOf, listOf, textOf } from '../read.ts'
import type { Outcome } from '../rule.ts'
import { paramsFor } from './cel-params.ts'
import { remembered } from '../../../lib/remembered.ts'

const environment = kubernetesEnvironment({
  variables: {
    object: dynType,
    oldObject: dynType,
    request: dynType,
    params: dynType,
    namespaceObject: dynType,
    variables: dynType,
    authorizer: authorizerType,
    'authorizer.requestResource': resourceCheckType,
  },
})

const MOST_PROGRAMS = 5_000

/** A compiled expression of a rule; the same text is compiled once. */
export const celProgram: (expression: string) => Result<Program> = remembered(MOST_PROGRAMS, (expression) =>
  compile(environment, expression),
)

/** What all expressions of one rule may cost, in CEL's units. */
const RULE_COST = 10_000_000

/** Evaluates expressions of one rule against one budget. */
class CelRun {
  private readonly bindings: Fields
  private cost = RULE_COST

  constructor(bindings: Fields, variables: readonly Fields[]) {
    this.bindings = { ...bindings, variables: new Variables(variables, (expression) => this.evaluate(expression)) }
  }

  evaluate(expression: string): Result<unknown> {
    const program = celProgram(expression)
    if (!program.ok) return program
    const outcome = program.value.evaluate(this.bindings, { cost: this.cost })
    if (!outcome.ok) return outcome
    this.cost -= outcome.value.cost
    return { ok: true, value: outcome.value.value }
  }
}

/** The variables of a rule: each is evaluated when it is first read, and then kept. */
class Variables extends MapView {
  readonly size: number
  private readonly expressions: ReadonlyMap<string, string>
  private readonly values = new Map<string, unknown>()
  private readonly evaluate: (expression: string) => Result<unknown>

  constructor(variables: readonly Fields[], evaluate: (expression: string) => Result<unknown>) {
    super()
    this.expressions = new Map(variables.map(({ name, expression }) => [textOf(name), textOf(expression)]))
    this.size = this.expressions.size
    this.evaluate = evaluate
  }

  get(key: string): unknown {
    if (this.values.has(key)) return this.values.get(key)
    const expression = this.expressions.get(key)
    if (expression === undefined) return undefined
    // A variable that reads itself finds nothing instead of going round for ever.
    this.values.set(key, undefined)
    const result = this.evaluate(expression)
    if (!result.ok) throw new EvaluationError(`the variable ${key}: ${because(result)}`)
    this.values.set(key, result.value)
    return result.value
  }

  keys(): Iterable<string> {
    return this.expressions.keys()
  }
}

const because = (failure: Extract<Result<unknown>, { ok: false }>): string =>
  failure.error.map(({ message }) => message).join('; ')

/** What a cel rule is held against. */
export interface CelSubject {
  readonly object: KubeObject | undefined
  readonly oldObject: KubeObject | undefined
  readonly evaluation: Evaluation
}

/** Tells whether the `celPreconditions` of a rule, or the match conditions of a policy, hold. */
export function celConditionsHold(conditions: unknown, subject: CelSubject): boolean {
  const run = new CelRun(bindingsOf(subject, null), [])
  let failure: string | undefined
  for (const item of listOf(conditions)) {
    const { name, expression } = fieldsOf(item)
    const result = run.evaluate(textOf(expression))
    if (result.ok && result.value === false) return false
    if (!result.ok) failure ??= `the condition ${textOf(name)} cannot be evaluated: ${because(result)}`
  }
  if (failure !== undefined) throw new RuleFailure('invalid', failure)
  return true
}

/** Holds an object against the CEL expressions of a rule. */
export function checkCel(
  block: Fields,
  rule: { readonly name: string; readonly source: Fields },
  subject: CelSubject,
): Outcome {
  const cel = fieldsOf(block['cel'])
  if (!celConditionsHold(rule.source['celPreconditions'], subject)) {
    return { verdict: 'skip', message: 'cel preconditions not met' }
  }
  const annotations: Record<string, string> = {}
  for (const params of paramsFor(cel, subject)) {
    const run = new CelRun(bindingsOf(subject, params), listOf(cel['variables']).map(fieldsOf))
    const failure = firstFailure(cel, textOf(block['message']), run)
    if (failure) return failure
    annotate(cel, run, annotations)
  }
  const passed: Outcome = { verdict: 'pass', message: `Validation rule '${rule.name}' passed.` }
  return Object.keys(annotations).length > 0 ? { ...passed, auditAnnotations: annotations } : passed
}

function firstFailure(cel: Fields, message: string, run: CelRun): Outcome | undefined {
  for (const item of listOf(cel['expressions'])) {
    const validation = fieldsOf(item)
    const expression = textOf(validation['expression'])
    const result = run.evaluate(expression)
    if (!result.ok)
      return { verdict: 'error', message: `expression '${expression.trim()}' resulted in error: ${because(result)}` }
    if (result.value === true) continue
    return { verdict: 'fail', message: failureMessage(validation, expression, message, run) }
  }
  return undefined
}

function failureMessage(validation: Fields, expression: string, message: string, run: CelRun): string {
  const computed = textOf(validation['messageExpression'])
  if (computed !== '') {
    const result = run.evaluate(computed)
    if (result.ok && typeof result.value === 'string' && result.value.trim() !== '' && !result.value.includes('\n')) {
      return result.value.trim()
    }
  }
  return textOf(validation['message']) || message || `failed expression: ${expression.trim()}`
}

function annotate(cel: Fields, run: CelRun, annotations: Record<string, string>): void {
  for (const item of listOf(cel['auditAnnotations'])) {
    const { key, valueExpression } = fieldsOf(item)
    const result = run.evaluate(textOf(valueExpression))
    if (result.ok && typeof result.value === 'string') annotations[textOf(key)] = result.value
  }
}

function bindingsOf({ object, oldObject, evaluation }: CelSubject, params: unknown): Fields {
  const { request } = evaluation
  const { group, version, plural } = request.resource ?? {
    group: request.kind.group,
    version: request.kind.version,
    plural: '',
  }
  const isNamespace = request.kind.kind === 'Namespace' && request.kind.group === ''
  const port = authorizerPort(evaluation)
  const namespace = request.namespace ?? ''
  const resource = { group, version, resource: plural }
  const { username, uid, groups, extra } = request.user
  return {
    object: object ?? null,
    oldObject: oldObject ?? null,
    params,
    namespaceObject: isNamespace || namespace === '' ? null : namespaceObject(evaluation, namespace),
    request: {
      kind: { ...request.kind },
      requestKind: { ...request.kind },
      resource,
      requestResource: resource,
      subResource: request.subresource ?? '',
      name: request.name,
      namespace,
      operation: request.operation,
      userInfo: { username, uid: uid ?? '', groups, extra: extra ?? {} },
      dryRun: request.dryRun === true,
      uid: request.uid ?? '',
    },
    authorizer: authorizerValue(port),
    'authorizer.requestResource': requestResourceValue(port, {
      group,
      resource: plural,
      namespace,
      name: request.name,
    }),
  }
}

function namespaceObject({ request }: Evaluation, name: string): unknown {
  if (request.namespaceObject) return request.namespaceObject
  const labels = request.namespaceLabels ? { labels: request.namespaceLabels } : {}
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...labels } }
}

function authorizerPort(evaluation: Evaluation): AuthorizerPort {
  const { user } = evaluation.request
  return {
    decide({ serviceAccount, ...question }) {
      const who = serviceAccount
        ? {
            user: `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`,
            groups: [
              'system:serviceaccounts',
              `system:serviceaccounts:${serviceAccount.namespace}`,
              'system:authenticated',
            ],
          }
        : { user: user.username, groups: user.groups }
      const attributes = Object.fromEntries(
        Object.entries(question).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      )
      return { allowed: evaluation.fact({ what: 'access', ...who, attributes }) === true }
    },
  }
}
