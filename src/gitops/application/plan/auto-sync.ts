import { isEqual } from '../../../lib/json.ts'
import type { Comparison } from '../../compare/comparison.ts'
import type { SelfHealDelay } from '../../settings/argocd-settings.ts'
import { parseTime } from '../../../kube/time.ts'
import { AUTOMATED_RETRIES } from '../../sync/retry.ts'
import type { Application, Operation, OperationState, SyncOperation } from '../application.ts'

/** What the decision to sync on one's own depends on. */
export interface AutoSyncSeen {
  readonly nowMs: number
  readonly app: Application
  readonly comparison: Pick<Comparison, 'resources' | 'syncStatus'>
  /** What each source stands at. */
  readonly revisions: readonly string[]
  readonly selfHeal: SelfHealDelay
  /** Why the project's windows do not let it sync now; undefined when they do. */
  readonly blocked?: { readonly because: string; readonly untilMs?: number }
}

export type AutoSync =
  | { readonly do: 'start'; readonly operation: Operation; readonly because: string }
  | {
      readonly do: 'skip'
      readonly because: string
      /** What the user should know: it becomes the condition SyncError. */
      readonly problem?: string
      /** When the decision may be another. */
      readonly againAtMs?: number
    }

const skip = (because: string, more: { readonly problem?: string; readonly againAtMs?: number } = {}): AutoSync => ({
  do: 'skip',
  because,
  ...more,
})

/** Tells whether an Application syncs on its own. */
export function isAutomated({ spec }: Application): boolean {
  const automated = spec.syncPolicy?.automated
  return automated !== undefined && automated !== null && automated.enabled !== false
}

/** Decides whether an Application that differs from Git is synced without being asked. */
export function planAutoSync(seen: AutoSyncSeen): AutoSync {
  const { app, comparison, blocked } = seen
  if (!isAutomated(app)) return skip('it syncs only when it is asked to')
  if (app.operation) return skip('another operation is in progress')
  if (app.metadata.deletionTimestamp !== undefined) return skip('it is being deleted')
  if (comparison.syncStatus !== 'OutOfSync') return skip(`it is ${comparison.syncStatus}`)
  if (blocked) {
    return skip(blocked.because, blocked.untilMs === undefined ? {} : { againAtMs: blocked.untilMs })
  }
  const { prune = false, allowEmpty = false } = app.spec.syncPolicy?.automated ?? {}
  const differing = comparison.resources.filter(({ status }) => status !== undefined && status !== 'Synced')
  if (!prune && differing.length > 0 && differing.every(({ requiresPruning }) => requiresPruning)) {
    return skip('all that differs has to be pruned, and automated pruning is off')
  }
  const attempt = nextAttempt(seen)
  if (attempt.do === 'skip') return attempt
  const kept = comparison.resources.filter(({ isHook }) => !isHook)
  if (prune && !allowEmpty && kept.length > 0 && kept.every(({ requiresPruning }) => requiresPruning)) {
    const problem = `Skipping sync attempt to ${shownRevisions(seen.revisions)}: auto-sync will wipe out all resources`
    return skip('Git has nothing any more, and allowEmpty is off', { problem })
  }
  return attempt
}

const shownRevisions = (revisions: readonly string[]): string => `[${revisions.join(' ')}]`

/** The operation to begin, unless this revision was attempted and nothing asks for another attempt. */
function nextAttempt(seen: AutoSyncSeen): AutoSync {
  const { app, revisions } = seen
  const before = app.status?.operationState
  const sync = syncOf(app, revisions)
  const operation = (more: Partial<SyncOperation> = {}): Operation => ({
    sync: { ...sync, ...more },
    initiatedBy: { automated: true },
    retry: app.spec.syncPolicy?.retry ?? { limit: AUTOMATED_RETRIES },
  })
  if (!before || !wasAttempted(app, before, revisions)) {
    return { do: 'start', operation: operation(), because: `${shownRevisions(revisions)} has not been synced yet` }
  }
  if (before.phase !== 'Succeeded') {
    const problem = `Failed last sync attempt to ${shownRevisions(syncedRevisions(before))}: ${before.message ?? ''}`
    return skip('the last sync of this revision failed, and will not be tried again', { problem })
  }
  if (app.spec.syncPolicy?.automated?.selfHeal !== true) return skip('this revision was synced, and selfHeal is off')
  const attempts = before.operation.sync?.autoHealAttemptsCount ?? 0
  const againAtMs = healsAtMs(before, attempts, seen.selfHeal)
  if (againAtMs > seen.nowMs) return skip('self-healing waits before it tries again', { againAtMs })
  const resources = seen.comparison.resources
    .filter(({ status, isHook }) => !isHook && status !== undefined && status !== 'Synced')
    .map(({ key: { group, kind, name, namespace } }) => ({
      group,
      kind,
      name,
      ...(namespace === '' ? {} : { namespace }),
    }))
  return {
    do: 'start',
    operation: operation({ resources, autoHealAttemptsCount: attempts + 1 }),
    because: `${resources.map(({ kind, name }) => `${kind} ${name}`).join(', ')} no longer as in Git`,
  }
}

function syncOf({ spec }: Application, revisions: readonly string[]): SyncOperation {
  const isMany = (spec.sources?.length ?? 0) > 0
  const { syncOptions, automated } = spec.syncPolicy ?? {}
  return {
    ...(isMany && spec.sources ? { sources: spec.sources, revisions } : {}),
    ...(!isMany && spec.source ? { source: spec.source, revision: revisions[0] ?? '' } : {}),
    ...(automated?.prune ? { prune: true } : {}),
    ...(syncOptions && syncOptions.length > 0 ? { syncOptions } : {}),
  }
}

/** The revisions that an operation came to. */
export function syncedRevisions({ syncResult }: OperationState): readonly string[] {
  if (!syncResult) return []
  return syncResult.revisions && syncResult.revisions.length > 0 ? syncResult.revisions : [syncResult.revision]
}

function wasAttempted(app: Application, before: OperationState, revisions: readonly string[]): boolean {
  const { syncResult } = before
  // Without a result something went wrong early; trying for ever would not mend it.
  if (!syncResult) return before.phase !== 'Running' && before.phase !== 'Terminating'
  if (!isEqual(syncedRevisions(before), revisions)) return false
  const { source, sources } = app.spec
  return sources && sources.length > 0 ? isEqual(sources, syncResult.sources) : isEqual(source, syncResult.source)
}

/** When self-healing may try again: longer and longer after the last attempt. */
function healsAtMs(before: OperationState, attempts: number, delay: SelfHealDelay): number {
  const finishedMs = before.finishedAt === undefined ? undefined : parseTime(before.finishedAt)
  if (finishedMs === undefined) return 0
  if (delay.firstMs === 0) return finishedMs + delay.timeoutMs
  if (attempts === 0) return 0
  return finishedMs + Math.min(delay.firstMs * delay.factor ** (attempts - 1), delay.longestMs)
}
