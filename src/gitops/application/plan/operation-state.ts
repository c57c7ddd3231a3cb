import { formatTime, parseTime } from '../../../kube/time.ts'
import { mayRetry, retryDelayMs } from '../../sync/retry.ts'
import type { Application, Operation, OperationState, RevisionHistory, SyncResult } from '../application.ts'
import { isAutomated } from './auto-sync.ts'

/** What is to be done about the operation of an Application. */
export type OperationPlan =
  | { readonly do: 'nothing' }
  | { readonly do: 'run'; readonly state: OperationState; readonly isNew: boolean; readonly because: string }
  | { readonly do: 'wait'; readonly untilMs: number; readonly because: string }

export const isInProgress = (state: OperationState | undefined): state is OperationState =>
  state !== undefined && (state.phase === 'Running' || state.phase === 'Terminating')

/** Tells whether an operation has ended, one way or the other. */
export const isOver = ({ phase }: OperationState): boolean => phase !== 'Running' && phase !== 'Terminating'

export interface OperationSeen {
  readonly nowMs: number
  readonly app: Application
  readonly syncTimeoutMs: number
  /** What Git has now, where that is known. */
  readonly desired?: { readonly revisions: readonly string[]; readonly isChanged: boolean }
}

/** Begins, resumes, repeats, or ends an operation. */
export function planOperation(seen: OperationSeen): OperationPlan {
  const { app, nowMs } = seen
  const state = app.status?.operationState
  if (!isInProgress(state)) {
    if (!app.operation) return { do: 'nothing' }
    return { do: 'run', isNew: true, state: newOperation(app.operation, nowMs), because: 'an operation was asked for' }
  }
  if (state.phase === 'Terminating')
    return { do: 'run', isNew: false, state, because: 'the operation is being terminated' }
  const superseding = supersededBy(seen, state)
  if (superseding !== undefined) {
    return {
      do: 'run',
      isNew: false,
      state: { ...withoutEnd(state), phase: 'Terminating', message: superseding },
      because: superseding,
    }
  }
  if (hasTimedOut(seen, state)) {
    const message = 'operation is terminating due to timeout'
    return { do: 'run', isNew: false, state: { ...withoutEnd(state), phase: 'Terminating', message }, because: message }
  }
  if (state.finishedAt === undefined) return { do: 'run', isNew: false, state, because: 'an operation is in progress' }
  return planRetry(state, nowMs)
}

/** An attempt that failed waits for its time, then everything is done anew. */
function planRetry(state: OperationState, nowMs: number): OperationPlan {
  const { retry } = state.operation
  const count = state.retryCount ?? 0
  const delay = retryDelayMs(retry, Math.max(count - 1, 0))
  const finishedMs = parseTime(state.finishedAt ?? '') ?? nowMs
  const untilMs = finishedMs + (delay.ok ? delay.value : 0)
  if (untilMs > nowMs) return { do: 'wait', untilMs, because: state.message ?? `attempt #${count} waits for its time` }
  const { sync } = state.operation
  const refreshes = retry?.refresh === true && sync !== undefined
  const operation: Operation = refreshes
    ? { ...state.operation, sync: { ...sync, revision: '', revisions: [] } }
    : state.operation
  const { syncResult: _result, ...rest } = withoutEnd(state)
  const message = `Retrying operation${refreshes ? ' with latest revisions' : ''}. Attempt #${count}`
  return { do: 'run', isNew: false, state: { ...rest, operation, message }, because: message }
}

function withoutEnd(state: OperationState): Omit<OperationState, 'finishedAt'> {
  const { finishedAt: _ended, ...rest } = state
  return rest
}

function newOperation(operation: Operation, nowMs: number): OperationState {
  return { phase: 'Running', operation, startedAt: formatTime(nowMs) }
}

function hasTimedOut({ nowMs, syncTimeoutMs }: OperationSeen, { startedAt }: OperationState): boolean {
  const startedMs = parseTime(startedAt)
  return syncTimeoutMs > 0 && startedMs !== undefined && nowMs >= startedMs + syncTimeoutMs
}

/**
 * Why an operation that began on its own has lost its sense: Git has moved on. Upstream waits for the old one to end, for ever
 * if it must; a commit that repairs a stuck hook must be able to get in.
 */
function supersededBy({ app, desired }: OperationSeen, { operation, finishedAt }: OperationState): string | undefined {
  const { sync, initiatedBy, retry } = operation
  // Its next attempt looks for what is newest anyway.
  if (finishedAt !== undefined && retry?.refresh === true) return undefined
  if (!desired?.isChanged || initiatedBy?.automated !== true || !isAutomated(app) || !sync) return undefined
  const before = sync.revisions && sync.revisions.length > 0 ? sync.revisions : [sync.revision ?? '']
  // An operation that takes whatever is newest looks for itself.
  if (before.every((revision) => revision === '')) return undefined
  if (before.length === desired.revisions.length && before.every((one, index) => one === desired.revisions[index]))
    return undefined
  return `superseded by revision ${desired.revisions.map((revision) => revision.slice(0, 12)).join(', ')}`
}

/** How an attempt ended. */
export interface AttemptEnd {
  readonly phase: 'Succeeded' | 'Failed' | 'Error'
  readonly message: string
  readonly syncResult: SyncResult | undefined
}

/** The state after an attempt: over, or waiting for the next attempt. */
export function endAttempt(state: OperationState, end: AttemptEnd, nowMs: number): OperationState {
  const { retry } = state.operation
  const count = state.retryCount ?? 0
  const wasTerminated = state.phase === 'Terminating'
  const ended: OperationState = {
    ...state,
    phase: end.phase,
    message: end.message,
    finishedAt: formatTime(nowMs),
    ...(end.syncResult ? { syncResult: end.syncResult } : {}),
  }
  if (end.phase === 'Succeeded') return ended
  if (wasTerminated) {
    const because =
      state.message?.startsWith('superseded') || state.message?.includes('timeout') ? ` (${state.message})` : ''
    return { ...ended, message: `${end.message}${because}` }
  }
  if (!mayRetry(retry, count)) {
    return count > 0 ? { ...ended, message: `${end.message} (retried ${count} times).` } : ended
  }
  const delay = retryDelayMs(retry, count)
  if (!delay.ok)
    return { ...ended, phase: 'Error', message: `${end.message} (failed to retry: ${delay.error[0]?.message ?? ''})` }
  const at = formatTime(nowMs + delay.value)
  return {
    ...ended,
    phase: 'Running',
    retryCount: count + 1,
    message: `${end.message}. Retrying attempt #${count + 1} at ${at}.`,
  }
}

const USUAL_HISTORY = 10

/** The history with a sync that went well; the oldest entries make room. */
export function withHistory(app: Application, state: OperationState, nowMs: number): readonly RevisionHistory[] {
  const history = app.status?.history ?? []
  const { syncResult, operation, startedAt } = state
  if (
    !syncResult ||
    state.phase !== 'Succeeded' ||
    operation.sync?.dryRun ||
    (operation.sync?.resources ?? []).length > 0
  ) {
    return history
  }
  const { source, sources, revision, revisions } = syncResult
  const isMany = sources !== undefined && sources.length > 0
  const entry: RevisionHistory = {
    id: (history.at(-1)?.id ?? -1) + 1,
    deployedAt: formatTime(nowMs),
    deployStartedAt: startedAt,
    ...(isMany ? { sources, revisions: revisions ?? [] } : { revision, ...(source ? { source } : {}) }),
    ...(operation.initiatedBy ? { initiatedBy: operation.initiatedBy } : {}),
  }
  const limit = Math.max(app.spec.revisionHistoryLimit ?? USUAL_HISTORY, 0)
  return limit === 0 ? [] : [...history, entry].slice(-limit)
}
