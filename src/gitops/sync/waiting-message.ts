import type { SyncSeen } from './sync-seen.ts'
import { needsPruneConfirmation } from './plan-actions.ts'
import { isPrune, type SyncTask } from './sync-task.ts'

/**
 * What a sync waits for, in upstream's form so that scripts find it, and then why that takes so long:
 * `waiting for completion of hook batch/Job/migrate: Pod migrate-x7k2p failed 3 times: exit code 1`.
 */
export function waitingMessage(tasks: readonly SyncTask[], seen: SyncSeen, what: 'completion' | 'deletion'): string {
  const unconfirmed = tasks.filter((task) => isPrune(task) && needsPruneConfirmation(seen, task))
  const hooks = tasks.filter(({ isHook }) => isHook)
  const isOfHooks = hooks.length > 0
  const [first] = unconfirmed.length > 0 ? unconfirmed : isOfHooks ? hooks : tasks
  if (!first) return ''
  const others = (unconfirmed.length > 0 ? unconfirmed : tasks).length - 1
  const { group, kind, name } = first.key
  const reason =
    unconfirmed.length > 0
      ? 'pruning confirmation of'
      : what === 'deletion'
        ? `deletion of${isOfHooks ? ' hook' : ''}`
        : isOfHooks
          ? 'completion of hook'
          : 'healthy state of'
  const more = others > 0 ? ` and ${others} more ${hooks.length === tasks.length ? 'hooks' : 'resources'}` : ''
  const because = unconfirmed.length > 0 ? '' : whyNot(first, seen, what)
  return `waiting for ${reason} ${group}/${kind}/${name}${more}${because === '' ? '' : `: ${because}`}`
}

function whyNot(task: SyncTask, seen: SyncSeen, what: 'completion' | 'deletion'): string {
  const { live } = task
  if (!live) return ''
  if (what === 'deletion') {
    const finalizers = live.metadata.finalizers ?? []
    return finalizers.length > 0 ? `its finalizers have not been removed: ${finalizers.join(', ')}` : ''
  }
  const blocker = seen.blockerOf(live)
  return blocker === '' ? (seen.healthOf(live)?.message ?? '') : blocker
}
