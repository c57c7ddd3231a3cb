import type { Application, OperationState, ResourceResult } from '../../../gitops/application/application.ts'
import type { Io } from '../../command.ts'

/** Tells how a sync goes, one line for whatever is new: a wave that runs, an object that is done, what is waited for. */
export function progressTeller(io: Pick<Io, 'out'>): (app: Application) => void {
  const told = new Map<string, string>()
  let message: string | undefined
  return ({ status }) => {
    const state = status?.operationState
    if (!state) return
    for (const result of state.syncResult?.resources ?? []) {
      const key = `${result.syncPhase ?? ''} ${nameOf(result)}`
      const text = resultText(result, state)
      if (told.get(key) === text) continue
      told.set(key, text)
      io.out(`${(result.syncPhase ?? '').padEnd(9)}${nameOf(result).padEnd(42)} ${text}\n`)
    }
    if (state.message === message || state.message === undefined) return
    message = state.message
    if (state.phase === 'Running' || state.phase === 'Terminating') io.out(`${state.phase.toLowerCase()}: ${message}\n`)
  }
}

function nameOf({ group, kind, namespace, name }: ResourceResult): string {
  const what = group === '' ? kind : `${kind}.${group}`
  return namespace === '' ? `${what} ${name}` : `${what} ${namespace}/${name}`
}

function resultText({ status, hookPhase, hookType, message = '' }: ResourceResult, state: OperationState): string {
  const isWaited = hookType !== undefined || state.phase === 'Running'
  const how = hookPhase === 'Running' && !isWaited ? '' : (hookPhase ?? '')
  return [status ?? '', how === 'Running' && hookType === undefined ? '' : how, message]
    .filter((text) => text !== '')
    .join(', ')
}

/** The last line of a sync. */
export function outcomeText(app: Application): string {
  const state = app.status?.operationState
  return `${app.metadata.name ?? ''}: ${state?.phase ?? 'no sync'}${state?.message ? `: ${state.message}` : ''}\n`
}
