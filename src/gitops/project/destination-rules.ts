import type { AppProject, Destination } from './app-project.ts'
import { accepts, isDenial } from './match-rule.ts'
import { deny, permit, type Verdict } from './verdict.ts'

/** What identifies a cluster, and the project that it belongs to, if any. */
export interface ClusterIdentity {
  readonly server: string
  readonly name: string
  readonly project?: string
}

/**
 * Whether a project may deploy to a namespace of a cluster. Rules are read in order: an exclusion that covers the
 * destination ends the search, whatever other rules allow (Argo CD 3.x, app_project_types.go isDestinationMatched).
 */
export function checkDestination(
  project: AppProject,
  cluster: ClusterIdentity,
  namespace: string,
  clusters: readonly ClusterIdentity[] = [],
): Verdict {
  const verdict = matchDestination(project, cluster, namespace)
  if (!verdict.permitted || !project.permitOnlyProjectScopedClusters) return verdict
  const scoped = clusters.filter((each) => each.project === project.name)
  if (scoped.some((each) => each.name === cluster.name || each.server === cluster.server)) return verdict
  return deny(
    'spec.permitOnlyProjectScopedClusters',
    `the cluster "${shown(cluster)}" does not belong to the project`,
    `set project: ${project.name} in the Secret of the cluster, or set spec.permitOnlyProjectScopedClusters to false`,
  )
}

function matchDestination(project: AppProject, cluster: ClusterIdentity, namespace: string): Verdict {
  const wanted = `"${shown(cluster)}" namespace "${namespace}"`
  let accepted: Verdict | undefined
  for (const [index, rule] of project.destinations.entries()) {
    const at = `spec.destinations[${index}]`
    const text = ruleText(rule)
    const nameOk = cluster.name !== '' && accepts(rule.name, cluster.name)
    const serverOk = cluster.server !== '' && accepts(rule.server, cluster.server)
    const namespaceOk = accepts(rule.namespace, namespace)
    if ((serverOk || nameOk) && namespaceOk) accepted ??= permit(at, `the rule ${text} accepts ${wanted}`)
    else if (excludes(rule, { nameOk, serverOk, namespaceOk })) {
      return deny(at, `the rule ${text} excludes ${wanted}`, `remove ${at}, or make it narrower`)
    }
  }
  if (accepted) return accepted
  return deny(
    'spec.destinations',
    project.destinations.length === 0
      ? 'no destination is allowed'
      : `no rule accepts ${wanted}: ${project.destinations.map(ruleText).join(', ')}`,
    `add {server: "${cluster.server}", namespace: "${namespace}"} to spec.destinations`,
  )
}

interface Parts {
  readonly nameOk: boolean
  readonly serverOk: boolean
  readonly namespaceOk: boolean
}

/** An exclusion by name ends the search in every namespace; one by server only where the namespace fits. So does upstream. */
function excludes(rule: Destination, { nameOk, serverOk, namespaceOk }: Parts): boolean {
  if (!nameOk && isDenial(rule.name)) return true
  if (!serverOk && isDenial(rule.server) && namespaceOk) return true
  return !namespaceOk && isDenial(rule.namespace) && serverOk
}

const shown = (cluster: ClusterIdentity): string => cluster.server || cluster.name

function ruleText(rule: Destination): string {
  const parts = [
    rule.server === '' ? '' : `server: "${rule.server}"`,
    rule.name === '' ? '' : `name: "${rule.name}"`,
    `namespace: "${rule.namespace}"`,
  ]
  return `{${parts.filter((part) => part !== '').join(', ')}}`
}
