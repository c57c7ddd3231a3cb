import { checkDnsLabel, checkDnsSubdomain } from '../../../kube/names.ts'
import { LIST_COST, sizeOf, STRING_FACTOR, STRUCT_COST } from '../cost/size.ts'
import { EvaluationError } from '../error.ts'
import { type CostRule, type Library, overload } from '../library/library.ts'
import { opaque, type CelType } from '../type.ts'
import { CelObject } from '../value/boxed.ts'

/** What an expression asks the authorizer. */
export interface AuthorizationQuery {
  readonly verb: string
  /** Set when the question is about another identity than the requester's. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string }
  /** Set for a path that is no resource; the other fields are not set then. */
  readonly path?: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
}

export interface AuthorizationDecision {
  readonly allowed: boolean
  readonly reason?: string
  readonly error?: string
}

/** The way to decisions, injected by whoever evaluates. It must answer from what is already known. */
export interface AuthorizerPort {
  decide(query: AuthorizationQuery): AuthorizationDecision
}

const NAMESPACE = 'kubernetes.authorization'
/** The type to declare the variable `authorizer` with. */
export const authorizerType: CelType = opaque(`${NAMESPACE}.Authorizer`)
const pathCheckType = opaque(`${NAMESPACE}.PathCheck`)
const groupCheckType = opaque(`${NAMESPACE}.GroupCheck`)
/** The type to declare the variable `authorizer.requestResource` with. */
export const resourceCheckType: CelType = opaque(`${NAMESPACE}.ResourceCheck`)
const decisionType = opaque(`${NAMESPACE}.Decision`)

type Question = Omit<AuthorizationQuery, 'verb'>

/** An authorizer, or a question to it that is not complete yet. */
class Check extends CelObject {
  readonly type: CelType
  readonly port: AuthorizerPort
  readonly question: Question

  constructor(type: CelType, port: AuthorizerPort, question: Question = {}) {
    super()
    this.type = type
    this.port = port
    this.question = question
  }

  equals(other: unknown): boolean {
    return this === other
  }

  with(more: Question, type: CelType = this.type): Check {
    return new Check(type, this.port, { ...this.question, ...more })
  }

  ask(verb: string): Decision {
    return new Decision(this.port.decide({ ...this.question, verb }))
  }
}

class Decision extends CelObject {
  readonly type = decisionType
  readonly decision: AuthorizationDecision

  constructor(decision: AuthorizationDecision) {
    super()
    this.decision = decision
  }

  equals(other: unknown): boolean {
    return this === other
  }
}

/** The value of the variable `authorizer`. */
export const authorizerValue = (port: AuthorizerPort): CelObject => new Check(authorizerType, port)

/** The value of `authorizer.requestResource`: a question about what the request is about. */
export const requestResourceValue = (port: AuthorizerPort, question: Question): CelObject =>
  new Check(resourceCheckType, port, question)

function nonEmpty(text: string, what: string): string {
  if (text.trim() === '') throw new EvaluationError(`${what} must not be empty`)
  return text
}

function serviceAccount(check: Check, namespace: string, name: string): Check {
  if (checkDnsSubdomain(name).length > 0) throw new EvaluationError('Invalid service account name')
  if (checkDnsLabel(namespace).length > 0) throw new EvaluationError('Invalid service account namespace')
  return check.with({ serviceAccount: { namespace, name } })
}

/** Two checks an expression are what Kubernetes allows. */
const CHECK_COST = 350_000
const checkCost: CostRule = () => CHECK_COST
const selectorCost: CostRule = (_receiver, text) => {
  const length = sizeOf(text)
  return LIST_COST + Math.ceil(length * STRING_FACTOR) + Math.ceil(length * 0.5) * (LIST_COST + STRUCT_COST)
}

const A = authorizerType.name
const P = pathCheckType.name
const G = groupCheckType.name
const R = resourceCheckType.name
const D = decisionType.name

const field =
  (name: 'subresource' | 'namespace' | 'name' | 'fieldSelector' | 'labelSelector') =>
  (check: Check, text: string): Check =>
    check.with({ [name]: text })

/** `authorizer.group('apps').resource('deployments').check('create').allowed()`. */
export const authorizerLibrary: Library = {
  name: 'kubernetes.authorizer',
  types: [authorizerType, pathCheckType, groupCheckType, resourceCheckType, decisionType],
  overloads: [
    overload('authorizer_path', `${A} -> path(string): ${P}`, (check: Check, path: string) =>
      check.with({ path: nonEmpty(path, 'path') }, pathCheckType),
    ),
    overload('authorizer_group', `${A} -> group(string): ${G}`, (check: Check, group: string) =>
      check.with({ group }, groupCheckType),
    ),
    overload('authorizer_serviceaccount', `${A} -> serviceAccount(string, string): ${A}`, serviceAccount),
    overload('groupcheck_resource', `${G} -> resource(string): ${R}`, (check: Check, resource: string) =>
      check.with({ resource: nonEmpty(resource, 'resource') }, resourceCheckType),
    ),
    overload('resourcecheck_subresource', `${R} -> subresource(string): ${R}`, field('subresource')),
    overload('resourcecheck_namespace', `${R} -> namespace(string): ${R}`, field('namespace')),
    overload('resourcecheck_name', `${R} -> name(string): ${R}`, field('name')),
    overload('authorizer_fieldselector', `${R} -> fieldSelector(string): ${R}`, field('fieldSelector'), selectorCost),
    overload('authorizer_labelselector', `${R} -> labelSelector(string): ${R}`, field('labelSelector'), selectorCost),
    overload(
      'pathcheck_check',
      `${P} -> check(string): ${D}`,
      (check: Check, verb: string) => check.ask(verb),
      checkCost,
    ),
    overload(
      'resourcecheck_check',
      `${R} -> check(string): ${D}`,
      (check: Check, verb: string) => check.ask(verb),
      checkCost,
    ),
    overload('decision_errored', `${D} -> errored(): bool`, ({ decision }: Decision) => decision.error !== undefined),
    overload('decision_error', `${D} -> error(): string`, ({ decision }: Decision) => decision.error ?? ''),
    overload('decision_allowed', `${D} -> allowed(): bool`, ({ decision }: Decision) => decision.allowed),
    overload('decision_reason', `${D} -> reason(): string`, ({ decision }: Decision) => decision.reason ?? ''),
  ],
}
