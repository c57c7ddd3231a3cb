import type { AdmissionRequest } from '../../../kube/admission.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { compileSelector, type LabelSelectorObject, matchesLabels } from '../../../kube/selector.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { nameOf } from '../denials.ts'
import { namespaceMatches, objectMatches, ruleMatches, type WebhookRule } from '../webhooks/configuration.ts'

/** Which writes a policy or a binding is about. */
export interface MatchResources {
  readonly namespaceSelector?: LabelSelectorObject
  readonly objectSelector?: LabelSelectorObject
  readonly resourceRules?: readonly MatchRule[]
  readonly excludeResourceRules?: readonly MatchRule[]
  readonly matchPolicy?: 'Exact' | 'Equivalent'
}

type MatchRule = Partial<WebhookRule> & { readonly resourceNames?: readonly string[] }

export interface PolicySpec {
  readonly failurePolicy?: 'Fail' | 'Ignore'
  readonly matchConstraints?: MatchResources
  readonly paramKind?: { readonly apiVersion: string; readonly kind: string }
  readonly validations?: readonly Validation[]
  readonly auditAnnotations?: readonly { readonly key: string; readonly valueExpression: string }[]
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[]
  readonly variables?: readonly { readonly name: string; readonly expression: string }[]
  readonly mutations?: readonly MutationSpec[]
  readonly reinvocationPolicy?: 'Never' | 'IfNeeded'
}

export interface MutationSpec {
  readonly patchType?: 'ApplyConfiguration' | 'JSONPatch'
  readonly applyConfiguration?: { readonly expression: string }
  readonly jsonPatch?: { readonly expression: string }
}

export interface Validation {
  readonly expression: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
}

export interface BindingSpec {
  readonly policyName?: string
  readonly paramRef?: ParamRef
  readonly matchResources?: MatchResources
  readonly validationActions?: readonly ('Deny' | 'Warn' | 'Audit')[]
}

export interface ParamRef {
  readonly name?: string
  readonly namespace?: string
  readonly selector?: LabelSelectorObject
  readonly parameterNotFoundAction?: 'Allow' | 'Deny'
}

/** The spec of an admission policy; its shape was checked when it was written. */
export const policySpecOf = (policy: KubeObject): PolicySpec => policy['spec'] ?? {}
/** The spec of a binding. */
export const bindingSpecOf = (binding: KubeObject): BindingSpec => binding['spec'] ?? {}

/** Tells whether a request is among those that are meant; no rules means all that the other side allows. */
export function matchesRequest(
  match: MatchResources | undefined,
  request: AdmissionRequest,
  reader: ClusterReader,
): boolean {
  if (!match) return true
  const { resourceRules = [], excludeResourceRules = [], matchPolicy = 'Equivalent' } = match
  const fits = (rule: MatchRule): boolean =>
    ruleMatches(
      { operations: [], apiGroups: [], apiVersions: [], resources: [], scope: '*', ...rule },
      request,
      matchPolicy,
    ) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(nameOf(request)))
  if (excludeResourceRules.some(fits)) return false
  if (resourceRules.length > 0 && !resourceRules.some(fits)) return false
  return (
    namespaceMatches(match.namespaceSelector ?? {}, request, reader) &&
    objectMatches(match.objectSelector ?? {}, request)
  )
}

/** What a binding's policy is evaluated with: objects, one without any, or why there is none. */
export type Params =
  | { readonly ok: true; readonly params: readonly (KubeObject | null)[] }
  | { readonly ok: false; readonly because: string }

/** Where objects of a kind are, as the server's registry knows. */
export type FindResource = (
  apiVersion: string,
  kind: string,
) => { readonly group: string; readonly plural: string; readonly isNamespaced: boolean } | undefined

/** The parameter objects that a binding chooses. */
export function paramsOf(
  spec: PolicySpec,
  ref: ParamRef | undefined,
  request: AdmissionRequest,
  ports: { readonly reader: ClusterReader; readonly find: FindResource },
): Params {
  if (!spec.paramKind) return { ok: true, params: [null] }
  if (!ref) return { ok: true, params: [null] }
  const { apiVersion, kind } = spec.paramKind
  const resource = ports.find(apiVersion, kind)
  if (!resource)
    return { ok: false, because: `failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'` }
  const namespace = resource.isNamespaced ? (ref.namespace ?? request.namespace) : undefined
  if (resource.isNamespaced && namespace === undefined) {
    return {
      ok: false,
      because: 'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    }
  }
  const found = findParams(ref, resource, namespace, ports.reader)
  if (found.length > 0) return { ok: true, params: found }
  if (ref.parameterNotFoundAction === 'Allow') return { ok: true, params: [] }
  return { ok: false, because: 'no params found for policy binding with `Deny` parameterNotFoundAction' }
}

function findParams(
  ref: ParamRef,
  { group, plural }: { readonly group: string; readonly plural: string },
  namespace: string | undefined,
  reader: ClusterReader,
): readonly KubeObject[] {
  if (ref.name !== undefined && ref.name !== '') {
    const object = reader.get(group, plural, { name: ref.name, ...(namespace === undefined ? {} : { namespace }) })
    return object ? [object] : []
  }
  const selector = compileSelector(ref.selector ?? {})
  return selector.ok
    ? reader.list(group, plural, namespace).filter((object) => matchesLabels(selector.value, object.metadata.labels))
    : []
}
