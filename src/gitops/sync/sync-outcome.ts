import type { OperationPhase } from '../application/application.ts'
import type { SyncAction } from './sync-action.ts'
import type { Ran, RunPurpose, SyncSeen } from './sync-seen.ts'
import type { SyncStep } from './plan-sync.ts'
import { taskKey } from './sync-task.ts'
import type { TaskUpdate } from './task-results.ts'

/** What became of one write. `pending`: it was begun, and something else has to end first. */
export interface ActionOutcome {
  readonly action: SyncAction
  readonly outcome: 'done' | 'failed' | 'pending'
  /** What the API or we say about it: `configmap/settings created`. */
  readonly message: string
}

/** What the outcomes of a step say about its tasks. Of a dry run only failures are worth keeping. */
export function updatesOf(
  purpose: RunPurpose,
  outcomes: readonly ActionOutcome[],
  { settings }: Pick<SyncSeen, 'settings'>,
): readonly TaskUpdate[] {
  const isTrial = purpose === 'dry-run'
  return outcomes.flatMap((one): readonly TaskUpdate[] => {
    if (isTrial && !settings.isDryRun && one.outcome !== 'failed') return []
    const update = updateOf(one, settings.isDryRun)
    return update ? [update] : []
  })
}

function updateOf({ action, outcome, message }: ActionOutcome, isDryRun: boolean): TaskUpdate | undefined {
  const { task } = action
  if (action.do === 'release-hook' || action.do === 'delete-hook') {
    return outcome === 'failed' ? { task, state: 'Error', message } : undefined
  }
  if (action.do === 'keep') return { task, status: 'PruneSkipped', state: 'Succeeded', message: action.because }
  if (outcome === 'failed') return { task, status: 'SyncFailed', state: 'Failed', message }
  if (outcome === 'pending') return undefined
  if (action.do === 'prune') {
    return { task, status: 'Pruned', state: 'Succeeded', message: isDryRun ? 'pruned (dry run)' : 'pruned' }
  }
  const state: OperationPhase = isDryRun ? 'Succeeded' : 'Running'
  return { task, status: 'Synced', state, message }
}

/** What a step came to as a whole. */
export function ranOf(step: Extract<SyncStep, { readonly do: 'run' }>, outcomes: readonly ActionOutcome[]): Ran {
  const isFailed = outcomes.some(({ outcome }) => outcome === 'failed')
  const isPending = outcomes.some(({ outcome }) => outcome === 'pending')
  return {
    purpose: step.purpose,
    outcome: isFailed ? 'failed' : isPending ? 'pending' : 'successful',
    tasks: new Set(step.tasks.map(taskKey)),
  }
}

/** Tells whether what comes after these outcomes of a stage must wait. What is applied does not wait for its neighbours. */
export function stopsAfter(outcomes: readonly ActionOutcome[]): boolean {
  return outcomes.some(({ action, outcome }) => outcome !== 'done' && action.do !== 'apply')
}
