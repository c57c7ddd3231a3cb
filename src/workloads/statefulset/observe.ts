import type { KubeObject } from '../../kube/object.ts'
import { type Claims, claimsOf, selectorOf } from '../pods/claim.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { observeRevisions, type Revisions } from '../pods/revisions.ts'
import { ordinalOf, statefulSetSpecOf } from './statefulset.ts'

/** Everything that a StatefulSet's next step depends on. */
export interface Observed {
  readonly set: KubeObject
  readonly claims: Claims
  /** Its Pods by their number. */
  readonly pods: ReadonlyMap<number, KubeObject>
  readonly revisions: Revisions
  readonly nowMs: number
}

/** Reads a StatefulSet and its Pods from the caches; undefined when it is gone. */
export function observeStatefulSet(key: string, ports: WorkloadPorts): Observed | undefined {
  const { caches, clock } = ports
  const set = caches.statefulSets.cache.get(key)
  if (!set) return undefined
  const { selector, template = {} } = statefulSetSpecOf(set)
  const hasOrdinal = (pod: KubeObject): boolean => ordinalOf(set, pod) !== undefined
  const claims = claimsOf(set, selectorOf(selector), {
    controlled: caches.pods.cache.by('controller', set.metadata.uid ?? ''),
    orphans: caches.pods.cache.by('orphans', set.metadata.namespace ?? '').filter(hasOrdinal),
  })
  const pods = new Map<number, KubeObject>()
  for (const pod of claims.own) {
    const ordinal = ordinalOf(set, pod)
    if (ordinal !== undefined) pods.set(ordinal, pod)
  }
  return { set, claims, pods, revisions: observeRevisions(set, template, ports), nowMs: clock.now() }
}
