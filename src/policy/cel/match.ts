import { compileSelector, type LabelSelector, type LabelSelectorObject, matchesLabels } from '../../kube/selector.ts'
import type { Problem, Result } from '../../lib/result.ts'
import { succeed } from '../../lib/result.ts'
import type { Concern } from '../engine/compiled-policy.ts'
import { namespaceLabelsOf, type Operation, type PolicyRequest } from '../engine/policy-request.ts'
import { commonKindOf, pluralOf } from './plural.ts'

/** Which operations on which collections. */
export interface MatchRule {
  readonly operations?: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly apiVersions?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly scope?: string
}

/** `matchConstraints` of policies and `matchResources` of bindings. */
export interface MatchResources {
  readonly namespaceSelector?: LabelSelectorObject
  readonly objectSelector?: LabelSelectorObject
  readonly resourceRules?: readonly MatchRule[]
  readonly excludeResourceRules?: readonly MatchRule[]
  readonly matchPolicy?: string
}

/** Tells whether a request is meant. */
export type Matches = (request: PolicyRequest) => boolean

const covers = (list: readonly string[] | undefined, wanted: string): boolean =>
  list !== undefined && (list.includes(wanted) || list.includes('*'))

const isNamespace = ({ kind }: PolicyRequest): boolean => kind.group === '' && kind.kind === 'Namespace'

function ruleMatches(rule: MatchRule, request: PolicyRequest): boolean {
  const { kind, operation, subresource = '' } = request
  const version = request.resource?.version ?? kind.version
  const group = request.resource?.group ?? kind.group
  if (!covers(rule.operations, operation) || !covers(rule.apiGroups, group) || !covers(rule.apiVersions, version))
    return false
  const isNamespaced = request.namespace !== undefined && request.namespace !== '' && !isNamespace(request)
  if (rule.scope === 'Namespaced' && !isNamespaced) return false
  if (rule.scope === 'Cluster' && isNamespaced) return false
  const plural = pluralOf(request)
  return (rule.resources ?? []).some((pattern) => resourceMatches(pattern, plural, subresource)) && named(rule, request)
}

function resourceMatches(pattern: string, plural: string, subresource: string): boolean {
  const slash = pattern.indexOf('/')
  const wanted = slash < 0 ? pattern : pattern.slice(0, slash)
  const wantedSub = slash < 0 ? '' : pattern.slice(slash + 1)
  return (wanted === '*' || wanted === plural) && (wantedSub === '*' || wantedSub === subresource)
}

/** An object that has no name yet is known by what its name will begin with. */
function named({ resourceNames = [] }: MatchRule, { name, object }: PolicyRequest): boolean {
  if (resourceNames.length === 0) return true
  if (name !== '') return resourceNames.includes(name)
  const prefix = object?.metadata.generateName ?? ''
  return resourceNames.some((wanted) => prefix.startsWith(wanted))
}

const NAME_LABEL = 'kubernetes.io/metadata.name'

function namespaceMatches(selector: LabelSelector, request: PolicyRequest): boolean {
  if (selector.length === 0) return true
  if (isNamespace(request)) return matchesLabels(selector, (request.object ?? request.oldObject)?.metadata.labels)
  const { namespace } = request
  if (namespace === undefined || namespace === '') return true
  return matchesLabels(selector, { [NAME_LABEL]: namespace, ...namespaceLabelsOf(request) })
}

/** Either of the two versions counts, so that a label cannot be used to slip past. */
function objectMatches(selector: LabelSelector, { object, oldObject }: PolicyRequest): boolean {
  if (selector.length === 0) return true
  return (
    (object !== undefined && matchesLabels(selector, object.metadata.labels)) ||
    (oldObject !== undefined && matchesLabels(selector, oldObject.metadata.labels))
  )
}

/** Compiles constraints. Absent ones match nothing; without resource rules everything that the selectors let through. */
export function compileMatch(constraints: MatchResources | undefined, at: string): Result<Matches> {
  if (!constraints) return succeed(() => false)
  const namespaces = compileSelector(constraints.namespaceSelector ?? {}, `${at}.namespaceSelector`)
  if (!namespaces.ok) return namespaces
  const objects = compileSelector(constraints.objectSelector ?? {}, `${at}.objectSelector`)
  if (!objects.ok) return objects
  const { resourceRules = [], excludeResourceRules = [] } = constraints
  return succeed(
    (request) =>
      (resourceRules.length === 0 || resourceRules.some((rule) => ruleMatches(rule, request))) &&
      !excludeResourceRules.some((rule) => ruleMatches(rule, request)) &&
      namespaceMatches(namespaces.value, request) &&
      objectMatches(objects.value, request),
  )
}

const OPERATIONS: readonly Operation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT']

const operationsOf = ({ operations = [] }: MatchRule): readonly Operation[] =>
  OPERATIONS.filter((operation) => operations.includes('*') || operations.includes(operation))

/** What constraints may be interested in, for the index of a set of policies. */
export function concernsOf(constraints: MatchResources | undefined): readonly Concern[] {
  if (!constraints) return []
  const { resourceRules = [] } = constraints
  if (resourceRules.length === 0)
    return [{ group: '*', version: '*', kind: '*', subresource: '*', operations: OPERATIONS }]
  return resourceRules.flatMap((rule) => {
    const operations = operationsOf(rule)
    return (rule.apiGroups ?? []).flatMap((group) =>
      (rule.apiVersions ?? []).flatMap((version) =>
        (rule.resources ?? []).map((pattern) => {
          const [plural = '*', subresource = ''] = pattern.split('/')
          const kind = subresource === '' ? commonKindOf(group, plural) : undefined
          return { group, version, ...(kind === undefined ? { plural } : { kind }), subresource, operations }
        }),
      ),
    )
  })
}

/** What is missing in constraints that must say what they are about. */
export function constraintProblems(constraints: MatchResources | undefined): readonly Problem[] {
  if (constraints?.resourceRules && constraints.resourceRules.length > 0) return []
  return [
    {
      code: 'policy-field-required',
      at: 'spec.matchConstraints',
      message: 'Required value: a matchConstraints with at least one resource rule is required',
    },
  ]
}
