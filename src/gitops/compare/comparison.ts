import type { KubeObject } from '../../kube/object.ts'
import type { HealthStatus, HealthStatusCode } from '../health/status.ts'

export type SyncStatusCode = 'Synced' | 'OutOfSync' | 'Unknown'

/** What identifies an object across versions of its API. A cluster-scoped object has the empty namespace. */
export interface ResourceKey {
  readonly group: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** A key as one text, for maps. */
export function keyText({ group, kind, namespace, name }: ResourceKey): string {
  return `${group}/${kind}/${namespace}/${name}`
}

/** One object of an Application: what Git wants, what the cluster has, and whether they agree. */
export interface ComparedResource {
  readonly key: ResourceKey
  readonly version: string
  /** What to apply, tracked and with its namespace; absent when Git does not have it. */
  readonly target?: KubeObject
  /** What the cluster has; absent when it has nothing. */
  readonly live?: KubeObject
  /** Absent for a hook: hooks are run, not kept. */
  readonly status?: SyncStatusCode
  readonly isHook: boolean
  readonly requiresPruning: boolean
  readonly requiresDeletionConfirmation: boolean
  readonly syncWave: number
  readonly health?: HealthStatus
  readonly diff?: ResourceDiff
  /** Why it has this status, in plain words, when that is not obvious. */
  readonly because?: string
}

/** Both sides without what is never a difference. */
export interface ResourceDiff {
  readonly modified: boolean
  readonly normalizedLive?: KubeObject
  /** What the cluster would have after a sync. */
  readonly predictedLive?: KubeObject
}

/** A condition that a comparison gives rise to. */
export interface ComparisonCondition {
  readonly type:
    | 'ComparisonError'
    | 'ExcludedResourceWarning'
    | 'InvalidSpecError'
    | 'OrphanedResourceWarning'
    | 'RepeatedResourceWarning'
    | 'SharedResourceWarning'
    | 'UnknownError'
  readonly message: string
}

/** How an Application as a whole compares with the cluster. */
export interface Comparison {
  readonly resources: readonly ComparedResource[]
  readonly syncStatus: SyncStatusCode
  readonly healthStatus: HealthStatusCode
  /** Why the health is what it is: the worst object's reason. */
  readonly healthBecause?: string
  readonly conditions: readonly ComparisonCondition[]
}
