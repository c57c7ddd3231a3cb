import type { AdmissionRequest } from '../../../kube/admission.ts'
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
import { jsonPatchLibrary } from '../../../lang/cel/kubernetes/json-patch.ts'
import { mutationTypes } from '../../../lang/cel/kubernetes/mutation.ts'
import { EvaluationError } from '../../../lang/cel/error.ts'
import type { Program } from '../../../lang/cel/program.ts'
import { dynType } from '../../../lang/cel/type.ts'
import { MapView } from '../../../lang/cel/value/map.ts'
import { explain, type Result } from '../../../lib/result.ts'
import type { Authorizer } from '../../auth/attributes.ts'
import { serviceAccountUser } from '../../auth/rbac.ts'
import { reviewOf } from '../webhooks/review.ts'
import { remembered } from '../../../lib/remembered.ts'

/** What the expressions of admission policies and match conditions may speak of. */
const environment = kubernetesEnvironment({
  // What only mutations make may be made anywhere: no other expression can answer with it.
  messages: mutationTypes,
  libraries: [jsonPatchLibrary],
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

/** A compiled expression; the same text is compiled once. */
export const programOf: (expression: string) => Result<Program> = remembered(MOST_PROGRAMS, (expression) =>
  compile(environment, expression),
)

/** The values that one request gives to expressions. */
export type Bindings = Readonly<Record<string, unknown>>

export interface BindingsInput {
  readonly request: AdmissionRequest
  readonly namespaceObject: KubeObject | undefined
  readonly authorizer: Authorizer
}

/** The variables of a request, before parameters and a policy's own variables. */
export function bindingsOf({ request, namespaceObject, authorizer }: BindingsInput): Bindings {
  const {
    object: _object,
    oldObject: _old,
    ...asked
  } = (reviewOf(request) as { readonly request: Record<string, unknown> }).request
  const port = authorizerPort(request, authorizer)
  const { resource, subresource, namespace, name } = request
  const question = {
    group: resource.group,
    resource: resource.plural,
    ...(subresource ? { subresource } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
  }
  return {
    object: request.object ?? null,
    oldObject: request.oldObject ?? null,
    request: asked,
    namespaceObject: namespaceObject ?? null,
    authorizer: authorizerValue(port),
    'authorizer.requestResource': requestResourceValue(port, question),
  }
}

/** Expressions ask in the name of the requester, or of a ServiceAccount. */
function authorizerPort({ user }: AdmissionRequest, authorizer: Authorizer): AuthorizerPort {
  return {
    decide({ verb, serviceAccount, path, group = '', resource = '', subresource, namespace, name }) {
      const account = serviceAccount && {
        username: serviceAccountUser(serviceAccount.namespace, serviceAccount.name),
        groups: [
          'system:serviceaccounts',
          `system:serviceaccounts:${serviceAccount.namespace}`,
          'system:authenticated',
        ],
      }
      const who = account ?? user
      const decision =
        path === undefined
          ? authorizer({
              user: who,
              verb,
              group,
              version: '*',
              plural: resource,
              ...(subresource ? { subresource } : {}),
              ...(namespace ? { namespace } : {}),
              ...(name ? { name } : {}),
            })
          : authorizer({ user: who, verb, path })
      return { allowed: decision.allowed, ...(decision.because ? { reason: decision.because } : {}) }
    },
  }
}

/** What all expressions of one policy may cost for one request, in CEL's units. */
export const POLICY_COST = 10_000_000

/** Evaluates expressions of one policy and request against one budget. */
export class Evaluation {
  #bindings: Bindings
  #cost = POLICY_COST

  constructor(bindings: Bindings, variables: readonly { readonly name: string; readonly expression: string }[] = []) {
    this.#bindings = { ...bindings, variables: new Variables(variables, (expression) => this.#valueOf(expression)) }
  }

  /** The value, or the reason why there is none, as one line. */
  evaluate(
    expression: string,
  ): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly because: string } {
    const program = programOf(expression)
    if (!program.ok) return { ok: false, because: `compilation failed: ${program.error.map(explain).join('; ')}` }
    const outcome = program.value.evaluate(this.#bindings, { cost: this.#cost })
    if (!outcome.ok) return { ok: false, because: outcome.error.map(({ message }) => message).join('; ') }
    this.#cost -= outcome.value.cost
    return { ok: true, value: outcome.value.value }
  }

  /** Gives a variable another value from here on. */
  bind(name: string, value: unknown): void {
    this.#bindings = { ...this.#bindings, [name]: value }
  }

  #valueOf(expression: string): unknown {
    const result = this.evaluate(expression)
    if (!result.ok) throw new EvaluationError(result.because)
    return result.value
  }
}

/** The variables of a policy: each is evaluated when it is first read, and then kept. */
class Variables extends MapView {
  readonly size: number
  readonly #expressions: ReadonlyMap<string, string>
  readonly #values = new Map<string, unknown>()
  readonly #evaluate: (expression: string) => unknown

  constructor(
    variables: readonly { readonly name: string; readonly expression: string }[],
    evaluate: (expression: string) => unknown,
  ) {
    super()
    this.#expressions = new Map(variables.map(({ name, expression }) => [name, expression]))
    this.size = this.#expressions.size
    this.#evaluate = evaluate
  }

  get(key: string): unknown {
    if (this.#values.has(key)) return this.#values.get(key)
    const expression = this.#expressions.get(key)
    if (expression === undefined) return undefined
    // A variable that reads itself finds nothing instead of going round for ever.
    this.#values.set(key, undefined)
    const value = this.#evaluate(expression)
    this.#values.set(key, value)
    return value
  }

  keys(): Iterable<string> {
    return this.#expressions.keys()
  }
}
