import type { Attributes } from '../auth/attributes.ts'
import { coversPath } from '../auth/rbac.ts'

/** How much of a request is written down. */
export type AuditLevel = 'None' | 'Metadata' | 'Request' | 'RequestResponse'

/** One rule of an audit policy, in the form of audit.k8s.io/v1; the first that fits decides. */
export interface AuditRule {
  readonly level: AuditLevel
  readonly users?: readonly string[]
  readonly userGroups?: readonly string[]
  readonly verbs?: readonly string[]
  readonly resources?: readonly {
    readonly group?: string
    readonly resources?: readonly string[]
    readonly resourceNames?: readonly string[]
  }[]
  readonly namespaces?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

const READS = ['get', 'list', 'watch']

/** What is written when nobody asked for anything else: every change and who made it, no reading, no bodies. */
export const usualAuditRules: readonly AuditRule[] = [
  { level: 'None', verbs: READS },
  { level: 'None', resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
  {
    level: 'None',
    resources: [
      { group: '', resources: ['events'] },
      { group: 'events.k8s.io', resources: ['events'] },
    ],
  },
  {
    level: 'None',
    nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version', '/metrics', '/openapi*', '/api*'],
  },
  { level: 'Metadata' },
]

/** The level of one request. */
export function auditLevelOf(rules: readonly AuditRule[], attributes: Attributes): AuditLevel {
  return rules.find((rule) => fits(rule, attributes))?.level ?? 'None'
}

const isAmong = (list: readonly string[] | undefined, wanted: string): boolean =>
  !list || list.length === 0 || list.includes(wanted)

function fits(rule: AuditRule, attributes: Attributes): boolean {
  const { user, verb } = attributes
  if (!isAmong(rule.users, user.username) || !isAmong(rule.verbs, verb)) return false
  if (rule.userGroups?.length && !rule.userGroups.some((group) => user.groups.includes(group))) return false
  const asksResources = Boolean(rule.resources?.length) || Boolean(rule.namespaces?.length)
  const asksPaths = Boolean(rule.nonResourceURLs?.length)
  if (!asksResources && !asksPaths) return true
  if ('path' in attributes)
    return asksPaths && (rule.nonResourceURLs ?? []).some((pattern) => coversPath(pattern, attributes.path))
  return asksResources && isAmong(rule.namespaces, attributes.namespace ?? '') && fitsResource(rule, attributes)
}

function fitsResource(
  rule: AuditRule,
  { group, plural, subresource, name }: Exclude<Attributes, { readonly path: string }>,
): boolean {
  if (!rule.resources?.length) return true
  return rule.resources.some((wanted) => {
    if ((wanted.group ?? '') !== group) return false
    if (wanted.resourceNames?.length && !wanted.resourceNames.includes(name ?? '')) return false
    return !wanted.resources?.length || wanted.resources.some((pattern) => fitsPattern(pattern, plural, subresource))
  })
}

function fitsPattern(pattern: string, plural: string, subresource: string | undefined): boolean {
  if (pattern === '*') return true
  const [wanted, wantedSub] = pattern.split('/')
  if (wanted !== '*' && wanted !== plural) return false
  return wantedSub === '*' ? subresource !== undefined : wantedSub === subresource
}
