import type { ResourceInfo } from '../../kube/client.ts'
import type { ResourceId } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Counted, formatAmounts, type QuotaSpec, totalUsage } from '../../kube/quota.ts'
import { isEqual } from '../../lib/json.ts'

/** Older names that count the objects of a core collection. */
const plainCounts: ReadonlySet<string> = new Set([
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
])

/** The collection that a limit counts, as `plural` or `plural.group`; undefined for what nobody counts. */
export function countedBy(limit: string): string | undefined {
  if (limit.startsWith('count/')) return limit.slice('count/'.length)
  if (plainCounts.has(limit)) return limit
  if (limit.startsWith('services.')) return 'services'
  if (limit === 'requests.storage' || limit.includes('.storageclass.storage.k8s.io/')) return 'persistentvolumeclaims'
  if (limit.startsWith('requests.') || limit.startsWith('limits.') || limit.startsWith('hugepages-')) return 'pods'
  return limit === 'cpu' || limit === 'memory' || limit === 'ephemeral-storage' ? 'pods' : undefined
}

/** The collections that a quota counts, of those that are served. */
export function collectionsOf(spec: QuotaSpec, resources: readonly ResourceInfo[]): readonly ResourceId[] {
  const names = new Set(Object.keys(spec.hard ?? {}).map(countedBy))
  const found = new Map<string, ResourceId>()
  for (const { group, version, plural, namespaced, subresource, verbs } of resources) {
    const name = group === '' ? plural : `${plural}.${group}`
    if (!namespaced || subresource !== undefined || !verbs.includes('list') || found.has(name)) continue
    if (names.has(name)) found.set(name, { group, version, plural })
  }
  return [...found.values()]
}

export interface Observed {
  readonly quota: KubeObject
  readonly counted: readonly Counted[]
  readonly nowMs: number
}

export type Plan =
  | { readonly do: 'nothing' }
  | {
      readonly do: 'write'
      readonly status: { readonly hard: unknown; readonly used: unknown }
      readonly because: string
    }

/** Decides what the status of a quota has to say. */
export function planQuotaStatus({ quota, counted, nowMs }: Observed): Plan {
  const spec = (quota['spec'] ?? {}) as QuotaSpec
  const used = formatAmounts(totalUsage(spec, counted, nowMs))
  const hard = spec.hard ?? {}
  const before = (quota['status'] ?? {}) as { readonly hard?: unknown; readonly used?: unknown }
  if (isEqual(before.hard ?? {}, hard) && isEqual(before.used ?? {}, used)) return { do: 'nothing' }
  const because = isEqual(before.hard ?? {}, hard) ? 'something else is used' : 'the limits have changed'
  return { do: 'write', status: { hard, used }, because }
}
