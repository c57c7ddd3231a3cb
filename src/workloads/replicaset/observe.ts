import type { KubeObject } from '../../kube/object.ts'
import { isFinished } from '../../kube/pod.ts'
import { type Claims, claimsOf, selectorOf } from '../pods/claim.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { replicaSetSpecOf } from './replicaset.ts'

/** Everything that a ReplicaSet's next step depends on. */
export interface Observed {
  readonly set: KubeObject
  readonly claims: Claims
  /** Its Pods that have not run to their end; those on their way out are among them. */
  readonly pods: readonly KubeObject[]
  /** How many Pods of the same owner's sets are on each node. */
  readonly crowd: ReadonlyMap<string, number>
  readonly nowMs: number
}

/** Reads a ReplicaSet and its Pods from the caches; undefined when it is gone. */
export function observeReplicaSet(key: string, { caches, clock }: WorkloadPorts): Observed | undefined {
  const set = caches.replicaSets.cache.get(key)
  if (!set) return undefined
  const claims = claimsOf(set, selectorOf(replicaSetSpecOf(set).selector), {
    controlled: caches.pods.cache.by('controller', set.metadata.uid ?? ''),
    orphans: caches.pods.cache.by('orphans', set.metadata.namespace ?? ''),
  })
  const pods = claims.own.filter((pod) => !isFinished(pod))
  return { set, claims, pods, crowd: crowdOf(set, caches), nowMs: clock.now() }
}

function crowdOf(set: KubeObject, caches: WorkloadPorts['caches']): ReadonlyMap<string, number> {
  const owner = set.metadata.ownerReferences?.find(({ controller }) => controller)
  const sets = owner ? caches.replicaSets.cache.by('controller', owner.uid) : [set]
  const counts = new Map<string, number>()
  for (const { metadata } of sets) {
    for (const pod of caches.pods.cache.by('controller', metadata.uid ?? '')) {
      const { nodeName } = (pod['spec'] ?? {}) as { readonly nodeName?: string }
      if (nodeName && !isFinished(pod)) counts.set(nodeName, (counts.get(nodeName) ?? 0) + 1)
    }
  }
  return counts
}
