import type { KubeObject } from '../../kube/object.ts'
import type { OperationPhase, ResourceResult } from '../application/application.ts'
import { keyText, type ResourceKey } from '../compare/comparison.ts'
import type { HealthStatus } from '../health/status.ts'
import { deletePoliciesOf, type DeletePolicy, type SyncPhase } from './hook.ts'

/** One thing that a sync does: apply an object, remove one, or run a hook, in a phase and a wave. */
export interface SyncTask {
  readonly key: ResourceKey
  readonly version: string
  readonly phase: SyncPhase
  readonly wave: number
  /** Absent where the object is to be removed. */
  readonly target?: KubeObject
  readonly live?: KubeObject
  readonly isHook: boolean
  /** The kind is not served yet: its definition comes with the same sync, or the object says that it may be so. */
  readonly skipsDryRun: boolean
  /** Git and the cluster agree. */
  readonly isInSync: boolean
  /** How the live object is; undefined where its kind has no health. */
  readonly health?: HealthStatus
  readonly status?: NonNullable<ResourceResult['status']>
  /** Undefined while nothing has been done about it. */
  readonly state?: OperationPhase
  readonly message?: string
}

/** Where the outcome of a task is kept: one object may have a task in several phases. */
export function taskKey(task: { readonly key: ResourceKey; readonly phase: SyncPhase }): string {
  return `${keyText(task.key)}:${task.phase}`
}

export const isPrune = (task: SyncTask): boolean => task.target === undefined
export const isPending = (task: SyncTask): boolean => task.state === undefined
export const isRunning = (task: SyncTask): boolean => task.state === 'Running'
export const isCompleted = (task: SyncTask): boolean =>
  task.state === 'Succeeded' || task.state === 'Failed' || task.state === 'Error'
export const isSuccessful = (task: SyncTask): boolean => task.state === 'Succeeded'

/** The object a task is about: what shall be, or what is where that shall not be any more. */
export function objectOf({ target, live }: Pick<SyncTask, 'target' | 'live'>): KubeObject | undefined {
  return target ?? live
}

/** Tells whether a hook asks to be deleted at that moment. */
export function hasPolicy(task: SyncTask, policy: DeletePolicy): boolean {
  const object = objectOf(task)
  return task.isHook && object !== undefined && deletePoliciesOf(object).includes(policy)
}

/** `Job shop/migrate`: how a user calls what a task is about. */
export function plainName({ kind, namespace, name }: ResourceKey): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`
}
