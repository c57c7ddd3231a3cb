import type { EventRecorder } from '../../runtime/event-recorder.ts'
import type { Application, OperationState } from './application.ts'
import { isInProgress, isOver } from './plan/operation-state.ts'

/** What a sync leads to when it goes well: that it went well says as much. */
const good: ReadonlySet<string> = new Set(['Synced', 'Healthy', 'Progressing'])

/** Tells users as Kubernetes Events what became different about an Application: how a sync ended, and what nobody asked for. */
export function noteChange(events: EventRecorder, before: Application, after: Application): void {
  const [was, is] = [before.status, after.status]
  const [wasState, state] = [was?.operationState, is?.operationState]
  const isOther = wasState?.startedAt !== state?.startedAt
  const hasEnded = state !== undefined && isOver(state) && (isOther || isInProgress(wasState))
  if (hasEnded) events.note(after, { ...outcomeOf(state), reason: 'OperationCompleted' })
  const note = (what: string, from: string | undefined, to: string | undefined): void => {
    if (from === undefined || to === undefined || from === to || (good.has(to) && (hasEnded || isInProgress(state))))
      return
    events.note(after, {
      type: 'Normal',
      reason: 'ResourceUpdated',
      message: `Updated ${what} status: ${from} -> ${to}`,
    })
  }
  note('health', was?.health?.status, is?.health?.status)
  note('sync', was?.sync?.status, is?.sync?.status)
}

function outcomeOf({ operation, syncResult, phase, message = '' }: OperationState): {
  readonly type: 'Normal' | 'Warning'
  readonly message: string
} {
  const what = (operation.sync?.resources ?? []).length > 0 ? 'Partial sync operation' : 'Sync operation'
  const to = syncResult?.revision ? ` to ${syncResult.revision}` : ''
  return phase === 'Succeeded'
    ? { type: 'Normal', message: `${what}${to} succeeded` }
    : { type: 'Warning', message: `${what}${to} failed: ${message}` }
}
