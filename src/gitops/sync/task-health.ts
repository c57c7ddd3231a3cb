import type { OperationPhase } from '../application/application.ts'
import type { SyncSeen } from './sync-seen.ts'
import { isRunning, plainName, type SyncTask } from './sync-task.ts'
import type { TaskUpdate } from './task-results.ts'

/** What has become of running tasks, by the health of their live objects. */
export function healthUpdates({ healthOf, ran }: SyncSeen, tasks: readonly SyncTask[]): readonly TaskUpdate[] {
  return tasks.filter(isRunning).flatMap((task): readonly TaskUpdate[] => {
    const { live, isHook } = task
    if (!live) {
      // What was just written may not be seen yet; later, it is gone.
      if (ran) return []
      const because = `${plainName(task.key)} is missing, it might have been deleted`
      return [{ task, status: 'SyncFailed', state: 'Error', message: because }]
    }
    const health = healthOf(live)
    if (isHook) {
      const state: OperationPhase =
        health === undefined || health.status === 'Healthy'
          ? 'Succeeded'
          : health.status === 'Degraded' || health.status === 'Unknown'
            ? 'Failed'
            : 'Running'
      return [{ task, state, ...(health?.message ? { message: health.message } : {}) }]
    }
    if (!health) return [{ task, state: 'Succeeded' }]
    if (health.status === 'Healthy') return [{ task, state: 'Succeeded', ...said(health.message) }]
    if (health.status === 'Degraded') return [{ task, state: 'Failed', ...said(health.message) }]
    return []
  })
}

const said = (message: string | undefined): { readonly message?: string } => (message ? { message } : {})
