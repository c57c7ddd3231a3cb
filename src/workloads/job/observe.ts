import type { KubeObject } from '../../kube/object.ts'
import type { LabelSelectorObject } from '../../kube/selector.ts'
import { type Claims, claimsOf, selectorOf } from '../pods/claim.ts'
import type { WorkloadPorts } from '../pods/ports.ts'

/** Everything that a Job's next step depends on. */
export interface Observed {
  readonly job: KubeObject
  readonly claims: Claims
  readonly pods: readonly KubeObject[]
  readonly nowMs: number
}

/** Reads a Job and its Pods from the caches; undefined when it is gone. */
export function observeJob(key: string, { caches, clock }: WorkloadPorts): Observed | undefined {
  const job = caches.jobs.cache.get(key)
  if (!job) return undefined
  const { selector } = (job['spec'] ?? {}) as { readonly selector?: LabelSelectorObject }
  const claims = claimsOf(job, selectorOf(selector), {
    controlled: caches.pods.cache.by('controller', job.metadata.uid ?? ''),
    orphans: caches.pods.cache.by('orphans', job.metadata.namespace ?? ''),
  })
  return { job, claims, pods: claims.own, nowMs: clock.now() }
}
