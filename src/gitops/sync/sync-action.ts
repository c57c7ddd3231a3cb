import type { KubeObject } from '../../kube/object.ts'
import type { Propagation } from './sync-settings.ts'
import type { SyncTask } from './sync-task.ts'

/** How an object gets into the cluster. */
export type ApplyMode =
  /** Three ways: what was applied before, what is there, what shall be. */
  | 'client'
  | 'server'
  /** Puts the whole object in place of the live one. */
  | 'replace'

/** One write of a sync, with the reason for it. */
export type SyncAction =
  | {
      readonly do: 'apply'
      readonly task: SyncTask
      readonly object: KubeObject
      readonly mode: ApplyMode
      /** Delete and create again where the object cannot be changed. */
      readonly force: boolean
      readonly validate: boolean
      /** Takes over first what a client-side apply had managed. */
      readonly migrates: boolean
      readonly because: string
    }
  | {
      readonly do: 'prune'
      readonly task: SyncTask
      readonly object: KubeObject
      readonly propagation: Propagation
      /** Nobody has allowed it yet: nothing of its wave is done before. */
      readonly needsConfirmation: boolean
      readonly because: string
    }
  /** Nothing is written: the object stays, and the result says why. */
  | { readonly do: 'keep'; readonly task: SyncTask; readonly because: string }
  /** Removes a hook, which has done its work or stands in the way of its next run. */
  | {
      readonly do: 'delete-hook'
      readonly task: SyncTask
      readonly object: KubeObject
      readonly propagation: Propagation
      readonly because: string
    }
  /** Lets a hook go whose result has been seen. */
  | { readonly do: 'release-hook'; readonly task: SyncTask; readonly object: KubeObject; readonly because: string }

/** Writes that may be done at once; the next ones only after all of them went well. */
export type Stage = readonly SyncAction[]
