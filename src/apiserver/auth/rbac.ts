import type { UserInfo } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type LabelSelectorObject, compileSelector, matchesLabels } from '../../kube/selector.ts'
import { type Attributes, type Decision, MASTERS } from './attributes.ts'

/** One rule of a Role or ClusterRole. */
export interface PolicyRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

/** The objects that RBAC decides by. */
export interface RbacObjects {
  readonly roles: Iterable<KubeObject>
  readonly clusterRoles: Iterable<KubeObject>
  readonly roleBindings: Iterable<KubeObject>
  readonly clusterRoleBindings: Iterable<KubeObject>
}

/** One set of rules that a subject holds, and the binding that gives it. */
export interface Grant {
  readonly rules: readonly PolicyRule[]
  readonly because: string
}

/** Grants by subject, for the whole cluster and for each namespace. Immutable; compiled anew when an RBAC object changes. */
export interface RbacIndex {
  readonly cluster: ReadonlyMap<string, readonly Grant[]>
  readonly namespaces: ReadonlyMap<string, ReadonlyMap<string, readonly Grant[]>>
}

interface Subject {
  readonly kind?: string
  readonly name?: string
  readonly namespace?: string
}

interface RoleRef {
  readonly kind?: string
  readonly name?: string
}

const userKey = (name: string): string => `user ${name}`
const groupKey = (name: string): string => `group ${name}`

/** The user name under which a ServiceAccount acts. */
export function serviceAccountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`
}

function subjectKey(subject: Subject, bindingNamespace: string | undefined): string | undefined {
  const { kind, name = '' } = subject
  if (kind === 'User') return userKey(name)
  if (kind === 'Group') return groupKey(name)
  const namespace = subject.namespace ?? bindingNamespace
  return kind === 'ServiceAccount' && namespace ? userKey(serviceAccountUser(namespace, name)) : undefined
}

/** The rules an object of kind Role or ClusterRole holds as written. */
export function rulesOf(role: KubeObject): readonly PolicyRule[] {
  return Array.isArray(role['rules']) ? (role['rules'] as readonly PolicyRule[]) : []
}

/** The rules of a ClusterRole with those that its aggregation rule collects, however deep. */
function effectiveRules(
  role: KubeObject,
  clusterRoles: ReadonlyMap<string, KubeObject>,
  path: ReadonlySet<string> = new Set(),
): readonly PolicyRule[] {
  const selectors = aggregationOf(role)
  const name = role.metadata.name ?? ''
  if (!selectors || path.has(name)) return rulesOf(role)
  const deeper = new Set(path).add(name)
  return [...clusterRoles.values()].flatMap((other) =>
    other !== role && isSelected(selectors, other) ? effectiveRules(other, clusterRoles, deeper) : [],
  )
}

/** The selectors of an aggregated ClusterRole. */
export function aggregationOf(role: KubeObject): readonly LabelSelectorObject[] | undefined {
  const rule = role['aggregationRule'] as { readonly clusterRoleSelectors?: readonly LabelSelectorObject[] } | undefined
  return rule?.clusterRoleSelectors
}

function isSelected(selectors: readonly LabelSelectorObject[], role: KubeObject): boolean {
  return selectors.some((selector) => {
    const compiled = compileSelector(selector)
    return compiled.ok && matchesLabels(compiled.value, role.metadata.labels)
  })
}

/** What an aggregated ClusterRole's rules must read; undefined for one that does not aggregate. */
export function aggregateRules(
  role: KubeObject,
  clusterRoles: Iterable<KubeObject>,
): readonly PolicyRule[] | undefined {
  if (!aggregationOf(role)) return undefined
  const byName = new Map([...clusterRoles].map((other) => [other.metadata.name ?? '', other]))
  const seen = new Set<string>()
  return effectiveRules(role, byName).filter((rule) => {
    const text = JSON.stringify(rule)
    return !seen.has(text) && seen.add(text)
  })
}

/** Compiles the objects into an index by subject. */
export function compileRbac(objects: RbacObjects): RbacIndex {
  const clusterRoles = new Map([...objects.clusterRoles].map((role) => [role.metadata.name ?? '', role]))
  const roles = new Map(
    [...objects.roles].map((role) => [`${role.metadata.namespace ?? ''}/${role.metadata.name ?? ''}`, role]),
  )
  const rules = new Map<KubeObject, readonly PolicyRule[]>()
  const rulesFor = (role: KubeObject): readonly PolicyRule[] => {
    const known = rules.get(role) ?? effectiveRules(role, clusterRoles)
    rules.set(role, known)
    return known
  }
  const cluster = new Map<string, Grant[]>()
  for (const binding of objects.clusterRoleBindings) {
    const role = clusterRoles.get(refOf(binding).name ?? '')
    if (role) addGrants(cluster, binding, rulesFor(role))
  }
  const namespaces = new Map<string, Map<string, Grant[]>>()
  for (const binding of objects.roleBindings) {
    const namespace = binding.metadata.namespace ?? ''
    const { kind, name = '' } = refOf(binding)
    const role = kind === 'ClusterRole' ? clusterRoles.get(name) : roles.get(`${namespace}/${name}`)
    if (!role) continue
    const grants = namespaces.get(namespace) ?? new Map<string, Grant[]>()
    namespaces.set(namespace, grants)
    addGrants(grants, binding, rulesFor(role))
  }
  return { cluster, namespaces }
}

const refOf = (binding: KubeObject): RoleRef => binding['roleRef'] ?? {}

function addGrants(index: Map<string, Grant[]>, binding: KubeObject, rules: readonly PolicyRule[]): void {
  const { kind = '', name = '' } = refOf(binding)
  const subjects = (binding['subjects'] ?? []) as readonly Subject[]
  for (const subject of subjects) {
    const key = subjectKey(subject, binding.metadata.namespace)
    if (key === undefined) continue
    const given = `${binding.kind} ${JSON.stringify(binding.metadata.name ?? '')} of ${kind} ${JSON.stringify(name)}`
    const grant = {
      rules,
      because: `RBAC: allowed by ${given} to ${subject.kind ?? ''} ${JSON.stringify(subject.name ?? '')}`,
    }
    const known = index.get(key)
    if (known) known.push(grant)
    else index.set(key, [grant])
  }
}

/** Every grant that somebody holds: cluster-wide ones first, then those of the namespace. */
export function* grantsOf(index: RbacIndex, user: UserInfo, namespace: string | undefined): Generator<Grant> {
  const local = namespace === undefined ? undefined : index.namespaces.get(namespace)
  for (const grants of [index.cluster, local]) {
    if (!grants) continue
    yield* grants.get(userKey(user.username)) ?? []
    for (const group of user.groups) yield* grants.get(groupKey(group)) ?? []
  }
}

/** Tells whether somebody may do something, and which binding says so. */
export function authorize(index: RbacIndex, attributes: Attributes): Decision {
  const { user } = attributes
  if (user.groups.includes(MASTERS)) return { allowed: true, because: `allowed: member of ${MASTERS}` }
  const namespace = 'path' in attributes ? undefined : attributes.namespace
  for (const grant of grantsOf(index, user, namespace)) {
    if (grant.rules.some((rule) => allows(rule, attributes))) return { allowed: true, because: grant.because }
  }
  return { allowed: false, because: '' }
}

const hasOrAll = (list: readonly string[] | undefined, wanted: string): boolean =>
  list !== undefined && (list.includes(wanted) || list.includes('*'))

/** Tells whether one rule covers what is asked. */
export function allows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!hasOrAll(rule.verbs, attributes.verb)) return false
  if ('path' in attributes)
    return rule.nonResourceURLs?.some((pattern) => coversPath(pattern, attributes.path)) ?? false
  if (!hasOrAll(rule.apiGroups, attributes.group)) return false
  if (!coversResource(rule.resources, attributes.plural, attributes.subresource)) return false
  const names = rule.resourceNames ?? []
  return names.length === 0 || (attributes.name !== undefined && names.includes(attributes.name))
}

function coversResource(
  resources: readonly string[] | undefined,
  plural: string,
  subresource: string | undefined,
): boolean {
  if (!resources) return false
  const wanted = subresource === undefined ? plural : `${plural}/${subresource}`
  return resources.some(
    (listed) => listed === '*' || listed === wanted || (subresource !== undefined && listed === `*/${subresource}`),
  )
}

/** Paths match exactly, or by a trailing star. */
export function coversPath(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)))
}
