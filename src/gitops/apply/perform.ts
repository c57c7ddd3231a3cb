import type { Target } from '../../kube/client.ts'
import { isTrue, type Condition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { decodeBuiltin } from '../../kube/schema/decode.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import type { Clock } from '../../lib/clock.ts'
import { describeError, type Log } from '../../lib/log.ts'
import { keyText } from '../compare/comparison.ts'
import { fieldsOf, objectsOf } from '../fields.ts'
import type { LiveCluster } from '../live/live-cluster.ts'
import { HOOK_FINALIZER } from '../sync/hook.ts'
import { isDefinition } from '../sync/order-tasks.ts'
import type { Stage, SyncAction } from '../sync/sync-action.ts'
import { type ActionOutcome, stopsAfter } from '../sync/sync-outcome.ts'
import { applyObject, FIELD_MANAGER } from './apply-object.ts'
import type { Client } from '../../kube/client.ts'

/** With what the writes of a sync are done. */
export interface PerformPorts {
  readonly live: LiveCluster
  /** Writes as whom the project says; the cluster's own client when absent. */
  readonly client?: Client
  readonly clock: Clock
  readonly log: Log
  readonly schemaOf: (object: KubeObject) => Schema | undefined
  /** Whose client-side applies are taken over, when not kubectl's. */
  readonly migratesFrom?: string
}

/** What a run of stages has left behind, for looks that come before the watches do. */
export interface Written {
  /** Objects as the API answered them; undefined for what is gone. */
  readonly objects: Map<string, KubeObject | undefined>
}

const AT_ONCE = 8
const DEFINITION_WAIT_MS = 5_000
const DEFINITION_LOOK_MS = 20
const GOING_WAIT_MS = 2_000
const GOING_LOOK_MS = 20
const ATTEMPTS = 5

/** Does the writes of a step, stage by stage, and answers what became of each. */
export async function performStages(
  stages: readonly Stage[],
  { isTrial, written }: { readonly isTrial: boolean; readonly written: Written },
  ports: PerformPorts,
  signal: AbortSignal,
): Promise<readonly ActionOutcome[]> {
  const outcomes: ActionOutcome[] = []
  for (const stage of stages) {
    const ended = await eachOf(stage, async (action) => {
      signal.throwIfAborted()
      try {
        return isTrial ? tryAction(action, ports) : await perform(action, written, ports, signal)
      } catch (error) {
        if (signal.aborted) throw error
        // A lost connection is told on the object; the sync is tried again as its retries say.
        return { action, outcome: 'failed' as const, message: describeError(error) }
      }
    })
    for (const { action, outcome, message } of ended) {
      if (!isTrial)
        ports.log.info('a sync has acted', {
          act: action.do,
          object: keyText(action.task.key),
          outcome,
          message,
          because: action.because,
        })
    }
    outcomes.push(...ended)
    if (stopsAfter(ended)) break
  }
  return outcomes
}

async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  for (let at = 0; at < items.length; at += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(work))))
  }
  return results
}

const done = (action: SyncAction, message: string = ''): ActionOutcome => ({ action, outcome: 'done', message })
const failed = (action: SyncAction, message: string): ActionOutcome => ({ action, outcome: 'failed', message })

/** What can be told without the cluster: whether the object has the shape of its kind. */
function tryAction(action: SyncAction, { schemaOf }: PerformPorts): ActionOutcome {
  if (action.do === 'prune') return done(action, 'pruned (dry run)')
  if (action.do !== 'apply') return done(action)
  const name = `${action.object.kind.toLowerCase()}/${action.object.metadata.name ?? ''}`
  const schema = action.validate ? schemaOf(action.object) : undefined
  if (schema) {
    const decoded = decodeBuiltin(action.object, schema)
    if (!decoded.ok)
      return failed(
        action,
        `error validating data: ${decoded.error.map(({ at, message }) => (at ? `${at}: ${message}` : message)).join('; ')}`,
      )
    if (decoded.value.unknown.length > 0) {
      return failed(
        action,
        `error validating data: unknown field ${decoded.value.unknown.map((field) => JSON.stringify(field)).join(', ')}`,
      )
    }
  }
  return done(action, `${name} created (dry run)`)
}

async function perform(
  action: SyncAction,
  written: Written,
  ports: PerformPorts,
  signal: AbortSignal,
): Promise<ActionOutcome> {
  if (action.do === 'keep') return done(action, action.because)
  if (action.do === 'prune' && action.needsConfirmation)
    return { action, outcome: 'pending', message: 'waiting for confirmation' }
  const target = ports.live.targetOf(action.task.key, action.task.version)
  if (!target)
    return failed(
      action,
      `the destination does not serve ${action.task.key.kind} of ${action.task.key.group || 'the core group'}`,
    )
  switch (action.do) {
    case 'apply':
      return apply(action, { target, written, ports, signal })
    case 'release-hook':
      return release(action, { target, written, ports, signal })
    case 'prune':
    case 'delete-hook':
      return remove(action, { target, written, ports, signal })
  }
}

interface Doing {
  readonly target: Target
  readonly written: Written
  readonly ports: PerformPorts
  readonly signal: AbortSignal
}

async function apply(
  action: Extract<SyncAction, { readonly do: 'apply' }>,
  { target, written, ports, signal }: Doing,
): Promise<ActionOutcome> {
  const key = keyText(action.task.key)
  const client = ports.client ?? ports.live.client
  // What was removed to make room is not there any more.
  const live = written.objects.has(key) ? written.objects.get(key) : action.task.live
  const applyOver = (over: KubeObject | undefined): ReturnType<typeof applyObject> =>
    applyObject(
      {
        target,
        object: action.object,
        live: over,
        mode: action.mode,
        force: action.force,
        validate: action.validate,
        migrates: action.migrates,
        ...(ports.migratesFrom === undefined ? {} : { migratesFrom: ports.migratesFrom }),
      },
      { client, schemaOf: ports.schemaOf, signal },
    )
  let answer = await applyOver(live)
  if (answer.ok && isGoing(answer.object)) {
    // What is written on it goes with it.
    if (!(await isGoneSoon(answer.object, { target, written, ports, signal })))
      return failed(action, `${answer.message}, but it is being deleted: it can be made anew when it is gone`)
    answer = await applyOver(undefined)
  }
  if (!answer.ok) return failed(action, answer.message)
  written.objects.set(key, answer.object)
  if (isDefinition(answer.object)) await established(target, ports, signal)
  return done(action, answer.message)
}

/** An object that is there only until what it owns is gone. */
const isGoing = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).every((one) => one === 'foregroundDeletion')

async function isGoneSoon(object: KubeObject, { target, ports, signal }: Doing): Promise<boolean> {
  const until = ports.clock.now() + GOING_WAIT_MS
  for (;;) {
    const found = await ports.live.client.get(target, { signal })
    if (found.ok ? found.value.metadata.uid !== object.metadata.uid : found.error.reason === 'NotFound') return true
    if (ports.clock.now() >= until) return false
    await ports.clock.sleep(GOING_LOOK_MS, { signal })
  }
}

/** Waits until the cluster serves what a definition defines, so that its objects can follow. */
async function established(target: Target, { live, clock }: PerformPorts, signal: AbortSignal): Promise<void> {
  const until = clock.now() + DEFINITION_WAIT_MS
  for (;;) {
    const found = await live.client.get(target, { signal })
    const conditions = found.ok ? (objectsOf(fieldsOf(found.value, 'status'), 'conditions') ?? []) : []
    // A condition of the API has this shape.
    if (isTrue(conditions as unknown as readonly Condition[], 'Established')) break
    if (clock.now() >= until) return
    await clock.sleep(DEFINITION_LOOK_MS, { signal })
  }
  await live.discover()
}

async function remove(
  action: Extract<SyncAction, { readonly do: 'prune' | 'delete-hook' }>,
  doing: Doing,
): Promise<ActionOutcome> {
  const { target, written, ports, signal } = doing
  const key = keyText(action.task.key)
  const { uid, deletionTimestamp } = action.object.metadata
  if (deletionTimestamp === undefined) {
    const problem = await removeOurs(action, doing)
    if (problem !== undefined) return failed(action, problem)
  }
  const left = await ports.live.client.get(target, { signal })
  const isThere = left.ok && (uid === undefined || left.value.metadata.uid === uid)
  written.objects.set(key, left.ok ? left.value : undefined)
  if (isThere && action.do === 'prune' && !isOurs(left.value, action.object, ports)) {
    const because = `left to ${ports.live.instanceOf(left.value) ?? 'nobody'}, whose it is now`
    return done({ do: 'keep', task: action.task, because }, because)
  }
  if (!isThere || action.do === 'prune') return done(action, 'pruned')
  return { action, outcome: 'pending', message: 'waiting until it is gone' }
}

/** Deletes an object as it was seen, anew when it changes meanwhile, unless it becomes another Application's. */
async function removeOurs(
  action: Extract<SyncAction, { readonly do: 'prune' | 'delete-hook' }>,
  { target, ports, signal }: Doing,
): Promise<string | undefined> {
  const client = ports.client ?? ports.live.client
  const { uid } = action.object.metadata
  let { resourceVersion } = action.object.metadata
  for (let attempt = 0; ; attempt++) {
    const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) }
    const answer = await client.delete(target, { propagationPolicy: action.propagation, preconditions, signal })
    if (answer.ok || answer.error.reason === 'NotFound') return undefined
    if (answer.error.reason !== 'Conflict' || attempt === ATTEMPTS) return answer.error.message
    const now = await ports.live.client.get(target, { signal })
    // Gone, a namesake in its place, or given away: what was meant is not there any more.
    if (!now.ok || now.value.metadata.uid !== uid || !isOurs(now.value, action.object, ports)) return undefined
    resourceVersion = now.value.metadata.resourceVersion
  }
}

const isOurs = (now: KubeObject, seen: KubeObject, { live }: PerformPorts): boolean =>
  live.instanceOf(now) === live.instanceOf(seen)

async function release(
  action: Extract<SyncAction, { readonly do: 'release-hook' }>,
  { target, written, ports, signal }: Doing,
): Promise<ActionOutcome> {
  const client = ports.client ?? ports.live.client
  const key = keyText(action.task.key)
  let live: KubeObject = action.object
  for (let attempt = 0; ; attempt++) {
    const { finalizers = [], resourceVersion = '' } = live.metadata
    if (!finalizers.includes(HOOK_FINALIZER)) return done(action)
    const rest = finalizers.filter((one) => one !== HOOK_FINALIZER)
    const answer = await client.patch(
      target,
      { type: 'merge', body: { metadata: { finalizers: rest.length > 0 ? rest : null, resourceVersion } } },
      { fieldManager: FIELD_MANAGER, signal },
    )
    if (answer.ok) {
      const isGone = answer.value.metadata.deletionTimestamp !== undefined && rest.length === 0
      written.objects.set(key, isGone ? undefined : answer.value)
      return done(action)
    }
    if (answer.error.reason === 'NotFound') {
      written.objects.set(key, undefined)
      return done(action)
    }
    if (answer.error.reason !== 'Conflict' || attempt >= ATTEMPTS) return failed(action, answer.error.message)
    const found = await client.get(target, { signal })
    if (!found.ok) return found.error.reason === 'NotFound' ? done(action) : failed(action, found.error.message)
    live = found.value
  }
}
