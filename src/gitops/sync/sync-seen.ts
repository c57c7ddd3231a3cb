import type { KubeObject } from '../../kube/object.ts'
import type { ResourceResult } from '../application/application.ts'
import type { ComparedResource, ResourceKey } from '../compare/comparison.ts'
import type { HealthStatus } from '../health/status.ts'
import type { SyncSettings } from './sync-settings.ts'

/** Everything that the next step of a sync depends on. */
export interface SyncSeen {
  readonly isTerminating: boolean
  readonly startedAtMs: number
  /** The concrete revision that is synced. */
  readonly revision: string
  /** The namespace of objects that name none. */
  readonly namespace: string
  readonly resources: readonly ComparedResource[]
  readonly settings: SyncSettings
  /** What was done so far, in the order in which it was first done. */
  readonly results: readonly ResourceResult[]
  /** What has just been run in this turn, when something was. */
  readonly ran?: Ran
  /** Somebody has allowed the deletions of this sync that wait for a word. */
  readonly isPruneConfirmed: boolean
  /** The destination's Namespace as it shall be, when this sync looks after it, and as it is. */
  readonly managedNamespace?: { readonly target: KubeObject; readonly live?: KubeObject }
  /** Which objects a selective sync means. */
  readonly isSelected: (key: ResourceKey) => boolean
  readonly kinds: ServedKinds
  /** Why the project does not let an object be synced; undefined when it does. */
  readonly refusal: (object: KubeObject) => string | undefined
  readonly healthOf: (object: KubeObject) => HealthStatus | undefined
  /** What stands behind the state of a live object, such as the Pod that fails; '' where nothing more is known. */
  readonly blockerOf: (object: KubeObject) => string
}

/** Which kinds the destination serves. */
export interface ServedKinds {
  /** Undefined when the kind is not served. */
  isNamespaced(group: string, version: string, kind: string): boolean | undefined
}

/** What a run step was for. */
export type RunPurpose = 'namespace' | 'dry-run' | 'wave'

/** What the last run came to. */
export interface Ran {
  readonly purpose: RunPurpose
  readonly outcome: 'successful' | 'pending' | 'failed'
  /** The keys of the tasks that were run. */
  readonly tasks: ReadonlySet<string>
}
