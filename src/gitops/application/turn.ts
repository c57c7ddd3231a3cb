import type { TurnContext } from '../../runtime/controller.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import { parseTime } from '../../kube/time.ts'
import { canSync, windowsOf } from '../project/sync-windows.ts'
import type { AppProject } from '../project/app-project.ts'
import { annotationOf } from '../sync/annotation-options.ts'
import { isDeleteHook } from '../sync/hook.ts'
import { type AppMemory, type AppPorts, moreThorough } from './app-ports.ts'
import type { Application, ApplicationCondition, Operation, OperationState, RevisionHistory } from './application.ts'
import { deleteApplication } from './delete-application.ts'
import { type Compared, observe, type Observed } from './observe.ts'
import { type AutoSync, isAutomated, planAutoSync } from './plan/auto-sync.ts'
import { pauseOf } from './plan/pause.ts'
import { POST_DELETE_FINALIZER, PRE_DELETE_FINALIZER } from './plan/deletion.ts'
import { endAttempt, isInProgress, type OperationPlan, planOperation } from './plan/operation-state.ts'
import { type StatusFacts, statusOf } from './plan/status.ts'
import { conditionsText } from './begin-operation.ts'
import { runOperation } from './run-operation.ts'
import { type ApplicationChange, writeApplication } from './write-application.ts'

export const REFRESH = 'argocd.argoproj.io/refresh'
const SKIP = 'argocd.argoproj.io/skip-reconcile'
/** Whoever reads the cluster tells when that is done; this is only in case it does not. */
const UNREAD_AGAIN_MS = 30_000
const WRONG_AGAIN_MS = 30_000
const LATER_MS = 1_000
const LATER_SPREAD_MS = 4_000

/** One look at an Application: observe, decide, act, and tell on it what came of that. */
export async function takeTurn(
  app: Application,
  memory: AppMemory,
  ports: AppPorts,
  context: TurnContext,
): Promise<Turn> {
  if (annotationOf(app, SKIP)?.toLowerCase() === 'true') return done
  const asked = annotationOf(app, REFRESH)
  if (asked !== undefined) memory.wants = moreThorough(memory.wants, asked === 'hard' ? 'hard' : 'normal')
  if (app.metadata.deletionTimestamp !== undefined) return deletionTurn(app, memory, ports, context)
  // What is asked for from here on is for the next turn.
  const refresh = memory.wants
  memory.wants = 'live'
  const observed = await observe(app, memory, { refresh, mayWait: asked === undefined }, ports, context.signal).catch(
    (error: unknown) => {
      memory.wants = moreThorough(memory.wants, refresh)
      throw error
    },
  )
  if (observed.found === 'same') return again(laterMs(app), 'the sources say the same as before')
  if (observed.found === 'unread') {
    memory.wants = moreThorough(memory.wants, refresh)
    return again(UNREAD_AGAIN_MS, observed.because)
  }
  if (observed.found === 'wrong') {
    memory.wants = moreThorough(memory.wants, 'sources')
    return tellWrong(app, observed, ports, context)
  }
  return tellCompared(app, { memory, observed }, ports, context)
}

/** Spread out, and after what is urgent: one commit may concern every Application a little, and one of them much. */
function laterMs({ metadata }: Application): number {
  let hash = 0
  for (const letter of metadata.name ?? '') hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % LATER_SPREAD_MS
  return LATER_MS + hash
}

async function deletionTurn(app: Application, memory: AppMemory, ports: AppPorts, context: TurnContext): Promise<Turn> {
  const { turn, problem } = await deleteApplication(app, memory, ports, context)
  if (problem === undefined) return turn
  const condition = { type: 'DeletionError', message: problem }
  const facts = { ...commonFacts(ports), conditions: [condition] }
  const { conditions = [] } = statusOf({ ...app, status: app.status ?? {} }, facts)
  const outcome = await writeApplication(app, { status: { ...app.status, conditions } }, ports.client, context.signal)
  return outcome.ok || outcome.isGone ? turn : { do: 'retry', because: outcome.message, quietly: true }
}

function commonFacts({ clock, controllerNamespace, settings }: AppPorts): Omit<StatusFacts, 'conditions'> {
  return { nowMs: clock.now(), controllerNamespace, persistsHealth: settings().persistsHealth }
}

/** Nothing can be compared: that is told, and an operation that was asked for ends with it. */
async function tellWrong(
  app: Application,
  { conditions }: Extract<Observed, { readonly found: 'wrong' }>,
  ports: AppPorts,
  { signal }: TurnContext,
): Promise<Turn> {
  const nowMs = ports.clock.now()
  const plan = planOperation({ app, nowMs, syncTimeoutMs: ports.settings().syncTimeoutMs })
  const state =
    plan.do === 'run'
      ? endAttempt(
          plan.state,
          { phase: 'Error', message: conditionsText(conditions), syncResult: plan.state.syncResult },
          nowMs,
        )
      : undefined
  const status = statusOf(app, { ...commonFacts(ports), conditions, ...(state ? { operationState: state } : {}) })
  return write(app, { status, ...endOf(state) }, ports, {
    signal,
    turn: again(WRONG_AGAIN_MS, conditionsText(conditions)),
  })
}

/** An operation that is over is taken away; one that will be tried again stays. */
const endOf = (state: OperationState | undefined): Pick<ApplicationChange, 'operation'> =>
  state && !isInProgress(state) ? { operation: null } : {}

interface Look {
  readonly memory: AppMemory
  readonly observed: Compared
}

async function tellCompared(app: Application, look: Look, ports: AppPorts, context: TurnContext): Promise<Turn> {
  const nowMs = ports.clock.now()
  const { settings } = ports
  const { memory, observed } = look
  const { revisions, digest } = observed.manifests
  const plan = planOperation({
    app,
    nowMs,
    syncTimeoutMs: settings().syncTimeoutMs,
    desired: { revisions, isChanged: digest !== memory.operationDigest },
  })
  if (plan.do === 'run') return operate({ app, plan, ...look }, ports, context)
  if (plan.do === 'wait') {
    return tell({ app, ...look }, ports, context, again(plan.untilMs - nowMs, plan.because))
  }
  const auto = decideAutoSync(app, observed, ports)
  if (auto.do === 'start') {
    context.log.info('an automated sync begins', { because: auto.because })
    const started = planOperation({ app: { ...app, operation: auto.operation }, nowMs, syncTimeoutMs: 0 })
    if (started.do === 'run') return operate({ app, plan: started, ...look, operation: auto.operation }, ports, context)
  }
  const turn = auto.do === 'skip' && auto.againAtMs !== undefined ? again(auto.againAtMs - nowMs, auto.because) : done
  const problem = auto.do === 'skip' ? auto.problem : undefined
  return tell({ app, ...look, ...(problem === undefined ? {} : { problem }) }, ports, context, turn)
}

function decideAutoSync(
  app: Application,
  { comparison, manifests, project, conditions }: Compared,
  ports: AppPorts,
): AutoSync {
  const nowMs = ports.clock.now()
  if (!isAutomated(app)) return { do: 'skip', because: 'it syncs only when it is asked to' }
  if (conditions.some(({ type }) => type === 'ComparisonError' || type === 'InvalidSpecError')) {
    return { do: 'skip', because: 'it could not be compared as a whole' }
  }
  const blocked = pauseOf(app, nowMs) ?? windowBlock(app, project, { nowMs, isManual: false })
  return planAutoSync({
    nowMs,
    app,
    comparison,
    revisions: manifests.revisions,
    selfHeal: ports.settings().selfHeal,
    ...(blocked ? { blocked } : {}),
  })
}

interface Block {
  readonly because: string
  readonly untilMs?: number
}

/** Why no window lets it sync now. */
function windowBlock(
  app: Application,
  project: AppProject,
  attempt: { readonly nowMs: number; readonly isManual: boolean; readonly startedAtMs?: number },
): Block | undefined {
  const permission = canSync(windowsOf(project, app), attempt)
  if (!permission.ok) return { because: permission.error.map(({ message }) => message).join('; ') }
  if (permission.value.allowed) return undefined
  const { because, cure, untilMs } = permission.value
  return { because: `${because} (${cure})`, ...(untilMs === undefined ? {} : { untilMs }) }
}

interface Operating extends Look {
  readonly app: Application
  readonly plan: Extract<OperationPlan, { readonly do: 'run' }>
  /** The operation that nobody has written down yet. */
  readonly operation?: Operation
}

async function operate(
  { app, plan, memory, observed, operation }: Operating,
  ports: AppPorts,
  context: TurnContext,
): Promise<Turn> {
  const { signal, log } = context
  const nowMs = ports.clock.now()
  const startedAtMs = parseTime(plan.state.startedAt) ?? nowMs
  const isManual = plan.state.operation.initiatedBy?.automated !== true
  const block = windowBlock(app, observed.project, { nowMs, isManual, startedAtMs })
  if (block && plan.state.phase === 'Running') {
    const state = { ...plan.state, message: `Sync operation blocked by sync window: ${block.because}` }
    const turn = again(block.untilMs === undefined ? WRONG_AGAIN_MS : block.untilMs - nowMs, block.because)
    return tell({ app, memory, observed, state }, ports, context, turn)
  }
  if (plan.isNew) memory.operationDigest = observed.manifests.digest
  let current = app
  const save = async (state: OperationState): Promise<void> => {
    const status = statusOf(current, { ...factsOf({ observed, memory }, ports), operationState: state })
    const outcome = await writeApplication(
      current,
      { status, ...(operation ? { operation } : {}) },
      ports.client,
      signal,
    )
    if (!outcome.ok) throw new Error(`cannot write down how the sync goes: ${outcome.message}`)
    current = outcome.app
  }
  // First written down, then done: a crash in between is a resumption.
  if (plan.isNew || plan.state !== app.status?.operationState) await save(plan.state)
  const turn = await runOperation({ app: current, state: plan.state, memory, observed, log, signal, save }, ports)
  const after = turn.hasActed ? await observe(current, memory, {}, ports, signal) : undefined
  const compared = after?.found === 'compared' ? after : observed
  const isOver = !isInProgress(turn.state)
  const waits = turn.state.finishedAt !== undefined && !isOver
  const next = isOver || waits ? again(1, 'a sync has ended') : done
  return tell(
    { app: current, memory, observed: compared, state: turn.state, history: turn.history },
    ports,
    context,
    next,
  )
}

function factsOf({ observed, memory }: Look, ports: AppPorts): StatusFacts {
  const { comparison, manifests, conditions } = observed
  return {
    ...commonFacts(ports),
    conditions,
    compared: {
      comparison,
      revisions: manifests.revisions,
      sourceTypes: manifests.sourceTypes,
      isFresh: memory.isFresh ?? false,
    },
  }
}

interface Telling extends Look {
  readonly app: Application
  readonly state?: OperationState
  readonly history?: readonly RevisionHistory[]
  readonly problem?: string
}

/** Writes what was found and done, if that is any news. */
async function tell(
  { app, observed, memory, state, history, problem }: Telling,
  ports: AppPorts,
  { signal }: TurnContext,
  turn: Turn,
): Promise<Turn> {
  const conditions: readonly ApplicationCondition[] = [
    ...observed.conditions,
    ...(problem === undefined ? [] : [{ type: 'SyncError', message: problem }]),
  ]
  const status = statusOf(app, {
    ...factsOf({ observed, memory }, ports),
    conditions,
    ...(state ? { operationState: state } : {}),
    ...(history ? { history } : {}),
  })
  memory.isFresh = false
  const finalizers = hookFinalizers(app, observed)
  return write(app, { status, ...endOf(state), ...(finalizers ? { finalizers } : {}) }, ports, { signal, turn })
}

/** The finalizers that hooks of a deletion need; undefined when they are as they should be. */
function hookFinalizers({ metadata }: Application, { manifests }: Compared): readonly string[] | undefined {
  const before = metadata.finalizers ?? []
  const wanted = [
    ...(manifests.manifests.some((one) => isDeleteHook(one, 'PreDelete'))
      ? [PRE_DELETE_FINALIZER, `${PRE_DELETE_FINALIZER}/cleanup`]
      : []),
    ...(manifests.manifests.some((one) => isDeleteHook(one, 'PostDelete'))
      ? [POST_DELETE_FINALIZER, `${POST_DELETE_FINALIZER}/cleanup`]
      : []),
  ]
  const isHook = (one: string): boolean => one.startsWith(PRE_DELETE_FINALIZER) || one.startsWith(POST_DELETE_FINALIZER)
  const kept = before.filter((one) => !isHook(one) || wanted.includes(one))
  const missing = wanted.filter((one) => !before.includes(one))
  return missing.length === 0 && kept.length === before.length ? undefined : [...kept, ...missing]
}

async function write(
  app: Application,
  change: ApplicationChange,
  { client, caughtUp, wrote }: AppPorts,
  { signal, turn }: { readonly signal: AbortSignal; readonly turn: Turn },
): Promise<Turn> {
  const isAsked = annotationOf(app, REFRESH) !== undefined
  const outcome = await writeApplication(
    app,
    { ...change, ...(isAsked ? { removeAnnotations: [REFRESH] } : {}) },
    client,
    signal,
  )
  if (outcome.ok) {
    wrote?.(app, outcome.app)
    await caughtUp(outcome.app, signal)
  }
  if (outcome.ok || outcome.isGone) return turn
  return { do: 'retry', because: outcome.message }
}
