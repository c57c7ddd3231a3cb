import type { KubeObject } from '../../kube/object.ts'
import { isFinished } from '../../kube/pod.ts'
import { type Claims, claimsOf, selectorOf } from '../pods/claim.ts'
import type { WorkloadPorts } from '../pods/ports.ts'
import { deploymentSpecOf } from './deployment.ts'

/** Everything that a Deployment's next step depends on. */
export interface Observed {
  readonly deployment: KubeObject
  readonly claims: Claims
  /** Its ReplicaSets. */
  readonly sets: readonly KubeObject[]
  /** How many Pods that have not ended each set still has, those on their way out included, by the set's uid. */
  readonly podsOf: ReadonlyMap<string, number>
  readonly nowMs: number
}

/** Reads a Deployment, its ReplicaSets and their Pods from the caches; undefined when it is gone. */
export function observeDeployment(key: string, { caches, clock }: WorkloadPorts): Observed | undefined {
  const deployment = caches.deployments.cache.get(key)
  if (!deployment) return undefined
  const claims = claimsOf(deployment, selectorOf(deploymentSpecOf(deployment).selector), {
    controlled: caches.replicaSets.cache.by('controller', deployment.metadata.uid ?? ''),
    orphans: caches.replicaSets.cache.by('orphans', deployment.metadata.namespace ?? ''),
  })
  const podsOf = new Map<string, number>()
  for (const { metadata } of claims.own) {
    const uid = metadata.uid ?? ''
    podsOf.set(uid, caches.pods.cache.by('controller', uid).filter((pod) => !isFinished(pod)).length)
  }
  return { deployment, claims, sets: claims.own, podsOf, nowMs: clock.now() }
}
