import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { createMergePatch } from '../../kube/patch/merge-patch.ts'
import { isEqual, type Json } from '../../lib/json.ts'
import { FIELD_MANAGER } from '../apply/apply-object.ts'
import { type Application, ApplicationKind, type ApplicationStatus, type Operation } from './application.ts'
import { isInProgress } from './plan/operation-state.ts'

/** What of an Application shall become different. */
export interface ApplicationChange {
  readonly status?: ApplicationStatus
  /** Set when an operation begins; `null` when the one that is there has ended. */
  readonly operation?: Operation | null
  readonly removeAnnotations?: readonly string[]
  readonly finalizers?: readonly string[]
}

export type WriteOutcome =
  | { readonly ok: true; readonly app: Application }
  | { readonly ok: false; readonly isGone: boolean; readonly message: string }

const ATTEMPTS = 5

/** Writes what has changed and nothing else; when nothing has, nothing is sent. */
export async function writeApplication(
  app: Application,
  change: ApplicationChange,
  client: Client,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  let base = app
  for (let attempt = 0; ; attempt++) {
    const next = changed(base, attempt === 0 ? change : merged(base, change))
    const patch = createMergePatch(base, next)
    if (!patch.ok) return { ok: false, isGone: false, message: patch.error.map(({ message }) => message).join('; ') }
    if (Object.keys(patch.value).length === 0) return { ok: true, app: base }
    const { metadata = {} } = patch.value as { readonly metadata?: object } // made from two objects with metadata
    const target = { resource: ApplicationKind, namespace: app.metadata.namespace ?? '', name: app.metadata.name ?? '' }
    const body = { ...patch.value, metadata: { ...metadata, resourceVersion: base.metadata.resourceVersion ?? '' } }
    const answer = await client.patch(
      target,
      { type: 'merge', body: body as Json },
      { fieldManager: FIELD_MANAGER, signal },
    )
    if (answer.ok) return { ok: true, app: asApplication(answer.value) }
    if (answer.error.reason === 'NotFound') return { ok: false, isGone: true, message: answer.error.message }
    if (answer.error.reason !== 'Conflict' || attempt >= ATTEMPTS) {
      return { ok: false, isGone: false, message: `${answer.error.reason}: ${answer.error.message}` }
    }
    const fresh = await client.get(target, { signal })
    if (!fresh.ok) return { ok: false, isGone: fresh.error.reason === 'NotFound', message: fresh.error.message }
    base = asApplication(fresh.value)
    if (base.metadata.uid !== app.metadata.uid)
      return { ok: false, isGone: true, message: 'another one has taken its place' }
  }
}

const asApplication = (object: KubeObject): Application => object as Application // the API serves what its schema allows

/** What somebody asked for meanwhile is not written over: a word to terminate, and another operation. */
function merged(fresh: Application, change: ApplicationChange): ApplicationChange {
  const theirs = fresh.status?.operationState
  const ours = change.status?.operationState
  const isTerminated = theirs?.phase === 'Terminating' && isInProgress(ours)
  const isOther =
    change.operation === null && fresh.operation !== undefined && !isEqual(fresh.operation, ours?.operation)
  const { operation: _kept, ...rest } = change
  return {
    ...(isOther ? rest : change),
    ...(change.status && ours && isTerminated
      ? { status: { ...change.status, operationState: { ...ours, phase: 'Terminating' as const } } }
      : {}),
  }
}

function changed(
  app: Application,
  { status, operation, removeAnnotations = [], finalizers }: ApplicationChange,
): Application {
  const { operation: before, ...rest } = app
  const kept = operation === undefined ? before : (operation ?? undefined)
  const annotations = Object.entries(app.metadata.annotations ?? {}).filter(
    ([name]) => !removeAnnotations.includes(name),
  )
  return {
    ...rest,
    metadata: {
      ...app.metadata,
      ...(app.metadata.annotations ? { annotations: Object.fromEntries(annotations) } : {}),
      ...(finalizers ? { finalizers } : {}),
    },
    ...(kept ? { operation: kept } : {}),
    ...(status ? { status } : {}),
  }
}
