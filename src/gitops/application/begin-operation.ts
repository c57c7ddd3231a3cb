import { isEqual } from '../../lib/json.ts'
import type { Log } from '../../lib/log.ts'
import type { ComparedResource } from '../compare/comparison.ts'
import { waveOf } from '../sync/hook.ts'
import type { AppMemory, AppPorts } from './app-ports.ts'
import {
  type Application,
  type ApplicationCondition,
  type ApplicationSource,
  type OperationState,
  type SyncResult,
  sourcesOf,
} from './application.ts'
import { type Compared, observe } from './observe.ts'
import type { AttemptEnd } from './plan/operation-state.ts'

/** An operation with everything around it. */
export interface OperationContext {
  readonly app: Application
  readonly state: OperationState
  readonly memory: AppMemory
  /** What the spec asks for, when it could be compared. */
  readonly observed: Compared
  readonly log: Log
  readonly signal: AbortSignal
  /** Keeps what is known so far, so that a crash loses no more than the step under way. */
  readonly save: (state: OperationState) => Promise<void>
}

/** What an operation goes by, or why it cannot begin. */
export type Begun = { readonly compared: Compared; readonly result: SyncResult } | { readonly end: AttemptEnd }

/** To end an operation only what it has started is looked at: its manifests may not be there any more. */
export function runningHooks({ state, observed }: OperationContext): Begun {
  const { live } = observed.cluster
  const result: SyncResult = state.syncResult ?? { revision: '' }
  const resources = (result.resources ?? []).flatMap((one): readonly ComparedResource[] => {
    const { group, kind, namespace, name, version, hookType } = one
    const key = { group, kind, namespace, name }
    const found = hookType === undefined ? undefined : live.get(key)
    if (!found) return []
    return [
      {
        key,
        version,
        target: found,
        live: found,
        isHook: true,
        requiresPruning: false,
        requiresDeletionConfirmation: false,
        syncWave: waveOf(found),
      },
    ]
  })
  const comparison = { ...observed.comparison, resources }
  return { compared: { ...observed, comparison, conditions: [] }, result }
}

/** What an operation asks for: sources, whether there are several, and the revisions that it is bound to. */
interface Asked {
  readonly sources: readonly ApplicationSource[]
  readonly isMany: boolean
  readonly revisions: readonly string[]
}

function askedBy({ app, state }: OperationContext): Asked {
  const { sources, source, revisions, revision } = state.operation.sync ?? {}
  const before = state.syncResult
  if (sources && sources.length > 0) return { sources, isMany: true, revisions: before?.revisions ?? revisions ?? [] }
  if (source) return { sources: [source], isMany: false, revisions: [before?.revision || revision || ''] }
  const isMany = (app.spec.sources?.length ?? 0) > 0
  const pinned = isMany ? (before?.revisions ?? revisions ?? []) : [before?.revision || revision || '']
  return { sources: sourcesOf(app.spec), isMany, revisions: pinned }
}

/** Finds out what the operation is to bring, at a revision that stays the same until it ends. */
export async function begin(context: OperationContext, ports: AppPorts): Promise<Begun> {
  const { app, state } = context
  const asked = askedBy(context)
  const found = await comparedFor(context, asked, ports)
  if ('because' in found) return { end: { phase: 'Error', message: found.because, syncResult: state.syncResult } }
  const { revisions } = found.manifests
  const { sources, isMany } = asked
  const managed = app.spec.syncPolicy?.managedNamespaceMetadata
  return {
    compared: found,
    result: {
      ...state.syncResult,
      revision: isMany ? '' : (revisions[0] ?? ''),
      ...(isMany ? { sources, revisions } : sources[0] ? { source: sources[0] } : {}),
      ...(managed ? { managedNamespaceMetadata: managed } : {}),
    },
  }
}

/** The comparison that the operation goes by: the one of the spec, when it asks for nothing else. */
async function comparedFor(
  { app, state, memory, observed, signal }: OperationContext,
  { sources, revisions }: Asked,
  ports: AppPorts,
): Promise<Compared | { readonly because: string }> {
  const local = state.operation.sync?.manifests ?? []
  const isLatest = revisions.every((revision) => revision === '') || isEqual(revisions, observed.manifests.revisions)
  if (local.length === 0 && isLatest && isEqual(sources, sourcesOf(app.spec))) return observed
  const other = await observe(app, memory, { sources, revisions, local }, ports, signal)
  if (other.found === 'compared') return other
  if (other.found === 'wrong') return { because: conditionsText(other.conditions) }
  return { because: other.found === 'unread' ? other.because : 'its sources say nothing new' }
}

/** What the user should know of an operation that could not even begin. */
export function conditionsText(conditions: readonly ApplicationCondition[]): string {
  return conditions.map(({ type, message }) => `${type}: ${message}`).join('; ')
}
