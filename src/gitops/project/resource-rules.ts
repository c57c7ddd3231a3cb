import { groupKindText } from '../../kube/gvk.ts'
import type { AppProject, GroupKind, NamedGroupKind } from './app-project.ts'
import { checkDestination, type ClusterIdentity } from './destination-rules.ts'
import { namesMatch } from './match-rule.ts'
import { deny, permit, type Verdict } from './verdict.ts'

/** An object that an Application wants to deploy. */
export interface WantedResource extends GroupKind {
  readonly name: string
  /** Whether its kind lives in namespaces. */
  readonly isNamespaced: boolean
  readonly namespace: string
}

/** Whether a project may deploy an object to a cluster: its kind must be allowed and, in a namespace, the destination too. */
export function isResourcePermitted(
  project: AppProject,
  resource: WantedResource,
  cluster: ClusterIdentity,
  clusters: readonly ClusterIdentity[] = [],
): Verdict {
  const kind = isKindPermitted(project, resource)
  if (!kind.permitted || !resource.isNamespaced) return kind
  const place = checkDestination(project, cluster, resource.namespace, clusters)
  return place.permitted ? kind : place
}

/** Whether a project may deploy objects of a kind, wherever to. */
export function isKindPermitted(
  project: AppProject,
  resource: Pick<WantedResource, 'group' | 'kind' | 'name' | 'isNamespaced'>,
): Verdict {
  return resource.isNamespaced ? namespacedKind(project, resource) : clusterKind(project, resource)
}

function namespacedKind(project: AppProject, wanted: GroupKind): Verdict {
  const shown = groupKindText(wanted)
  const denied = project.namespaceResourceBlacklist.findIndex((item) => isSameKind(item, wanted))
  if (denied >= 0) {
    const at = `spec.namespaceResourceBlacklist[${denied}]`
    return deny(at, `${shown} is on the list of namespaced kinds that are refused`, `remove ${at}`)
  }
  const allowed = project.namespaceResourceWhitelist
  if (allowed === undefined) {
    return permit('spec.namespaceResourceWhitelist', 'every namespaced kind is allowed where there is no list')
  }
  const found = allowed.findIndex((item) => isSameKind(item, wanted))
  if (found >= 0) return permit(`spec.namespaceResourceWhitelist[${found}]`, `${shown} is on the list of allowed kinds`)
  return deny(
    'spec.namespaceResourceWhitelist',
    `${shown} is not on the list of allowed namespaced kinds`,
    `add {group: "${wanted.group}", kind: "${wanted.kind}"} to spec.namespaceResourceWhitelist`,
  )
}

function clusterKind(project: AppProject, wanted: GroupKind & { readonly name: string }): Verdict {
  const shown = `${groupKindText(wanted)} "${wanted.name}"`
  const denied = project.clusterResourceBlacklist.findIndex((item) => isNamed(item, wanted))
  if (denied >= 0) {
    const at = `spec.clusterResourceBlacklist[${denied}]`
    return deny(at, `${shown} is on the list of cluster resources that are refused`, `remove ${at}`)
  }
  const found = project.clusterResourceWhitelist.findIndex((item) => isNamed(item, wanted))
  if (found >= 0)
    return permit(`spec.clusterResourceWhitelist[${found}]`, `${shown} is on the list of cluster resources`)
  return deny(
    'spec.clusterResourceWhitelist',
    project.clusterResourceWhitelist.length === 0
      ? `no cluster resources are allowed, so ${shown} is not`
      : `${shown} is not on the list of allowed cluster resources`,
    `add {group: "${wanted.group}", kind: "${wanted.kind}"} to spec.clusterResourceWhitelist`,
  )
}

const isSameKind = (item: GroupKind, wanted: GroupKind): boolean =>
  namesMatch(item.kind, wanted.kind) && namesMatch(item.group, wanted.group)

const isNamed = (item: NamedGroupKind, wanted: GroupKind & { readonly name: string }): boolean =>
  isSameKind(item, wanted) && (item.name === '' || namesMatch(item.name, wanted.name))
