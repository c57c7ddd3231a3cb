import type { KubeObject } from '../../kube/object.ts'
import { compileSelector, formatLabelSelector, type LabelSelectorObject } from '../../kube/selector.ts'
import { authorizerValue, type AuthorizerPort, requestResourceValue } from '../../lang/cel/kubernetes/authorizer.ts'
import { isObject } from '../../lib/json.ts'
import { explain } from '../../lib/result.ts'
import type { FactNeed } from '../engine/fact.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import { specFields } from './envelope.ts'
import type { Evaluated, Makers, Occasion } from './evaluation.ts'
import type { Asker } from './libraries/outside.ts'
import { compileMatch, type Matches, type MatchResources } from './match.ts'
import { pluralOf } from './plural.ts'

export interface ParamKind {
  readonly apiVersion?: string
  readonly kind?: string
}

interface ParamRef {
  readonly name?: string
  readonly namespace?: string
  readonly selector?: LabelSelectorObject
  readonly parameterNotFoundAction?: string
}

interface BindingSpec {
  readonly policyName?: string
  readonly paramRef?: ParamRef
  readonly matchResources?: MatchResources
  readonly validationActions?: readonly string[]
}

/** A binding of an admission policy of the API server. */
export interface Binding {
  readonly name: string
  readonly matches: Matches
  readonly paramRef: ParamRef | undefined
  readonly actions: readonly string[]
}

/** The bindings of one policy, read once for each list of bindings. */
export class Bindings {
  readonly #policy: string
  readonly #kind: string
  #seen: readonly KubeObject[] | undefined
  #bindings: readonly Binding[] = []

  constructor(policy: string, kind: string) {
    this.#policy = policy
    this.#kind = kind
  }

  of(objects: readonly KubeObject[]): readonly Binding[] {
    if (this.#seen === objects) return this.#bindings
    this.#seen = objects
    this.#bindings = objects
      .filter(({ kind }) => kind === `${this.#kind}Binding`)
      .flatMap((object) => this.#read(object))
    return this.#bindings
  }

  #read(object: KubeObject): readonly Binding[] {
    const { policyName, matchResources, paramRef, validationActions = [] }: BindingSpec = specFields(object)
    if (policyName !== this.#policy) return []
    const matches = compileMatch(matchResources ?? {}, 'spec.matchResources')
    return [
      {
        name: object.metadata.name ?? '',
        matches: matches.ok ? matches.value : () => false,
        paramRef,
        actions: validationActions,
      },
    ]
  }
}

/** Used where no binding is given: an offline run shows what the policy itself says. */
export const unbound: Binding = { name: '', matches: () => true, paramRef: undefined, actions: ['Deny'] }

/**
 * The parameters that a binding chooses; no parameters at all mean that there is nothing to be judged. Offline runs see those of
 * a selector as one list, as upstream's command line gives them (kyverno 1.18, pkg/admissionpolicy).
 */
export function paramsOf(
  kind: ParamKind | undefined,
  { paramRef }: Binding,
  request: PolicyRequest,
  asker: Asker,
): Evaluated<readonly unknown[]> {
  if (!kind || !paramRef) return { ok: true, value: [null] }
  const { apiVersion = '', kind: name = '' } = kind
  const namespace = paramRef.namespace ?? request.namespace
  const place = { apiVersion, kind: name, ...(namespace === undefined || namespace === '' ? {} : { namespace }) }
  const needed = needOf(paramRef, place)
  const found = asker.needs.lookUp(asker.world.facts, needed)
  if (!found) return { ok: true, value: [] }
  if (!found.ok) return { ok: false, because: `failed to configure policy: ${found.error.map(explain).join('; ')}` }
  const objects = (Array.isArray(found.value) ? found.value : [found.value]).filter(isObject)
  if (objects.length === 0) {
    return paramRef.parameterNotFoundAction === 'Allow'
      ? { ok: true, value: [] }
      : {
          ok: false,
          because: 'failed to configure policy: no params found for policy binding with `Deny` parameterNotFoundAction',
        }
  }
  const isList = request.source === 'offline' && paramRef.selector !== undefined
  return { ok: true, value: isList ? [{ apiVersion: 'v1', kind: 'List', items: objects }] : objects }
}

function needOf(
  { name, selector }: ParamRef,
  place: { readonly apiVersion: string; readonly kind: string; readonly namespace?: string },
): FactNeed {
  if (name !== undefined && name !== '') return { what: 'object', ...place, name }
  const compiled = compileSelector(selector ?? {})
  const text = compiled.ok ? formatLabelSelector(compiled.value) : ''
  return { what: 'objects', ...place, ...(text === '' ? {} : { selector: text }) }
}

/** Who may do what, asked as a fact: an answer that is not known yet is no, until the evaluation is repeated. */
function portOf({ request, asker }: Occasion): AuthorizerPort {
  return {
    decide({ serviceAccount, ...query }) {
      const user = serviceAccount
        ? `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`
        : request.user.username
      const groups = serviceAccount
        ? ['system:serviceaccounts', `system:serviceaccounts:${serviceAccount.namespace}`, 'system:authenticated']
        : request.user.groups
      const attributes = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))
      const fact = asker.needs.lookUp(asker.world.facts, { what: 'access', user, groups, attributes })
      return fact?.ok ? { allowed: fact.value === true } : { allowed: false }
    },
  }
}

function askedFor({ request }: Occasion): Parameters<typeof requestResourceValue>[1] {
  const { kind, namespace, name, subresource } = request
  return {
    group: kind.group,
    resource: pluralOf(request),
    ...(subresource ? { subresource } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name === '' ? {} : { name }),
  }
}

/** `authorizer`, and what it says about the request itself. */
export const authorizerMakers: Makers = {
  authorizer: (occasion) => authorizerValue(portOf(occasion)),
  'authorizer.requestResource': (occasion) => requestResourceValue(portOf(occasion), askedFor(occasion)),
}
