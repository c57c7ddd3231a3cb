import type { ResourceResult } from '../application/application.ts'
import { makeTasks } from './make-tasks.ts'
import { deletionOf, needsPruneConfirmation, releaseOf, stagesOf } from './plan-actions.ts'
import type { Stage, SyncAction } from './sync-action.ts'
import type { Ran, RunPurpose, SyncSeen } from './sync-seen.ts'
import {
  hasPolicy,
  isCompleted,
  isPending,
  isPrune,
  isRunning,
  isSuccessful,
  type SyncTask,
  taskKey,
} from './sync-task.ts'
import { healthUpdates } from './task-health.ts'
import { type TaskUpdate, withUpdates } from './task-results.ts'
import { waitingMessage } from './waiting-message.ts'

/** What a sync does next. Every step carries the results that are known by then. */
export type SyncStep =
  /** Try or do these writes, stage by stage; then ask again. */
  | {
      readonly do: 'run'
      readonly purpose: RunPurpose
      readonly stages: readonly Stage[]
      readonly tasks: readonly SyncTask[]
      readonly message: string
      readonly results: readonly ResourceResult[]
    }
  /** Something else has to happen first; the message names what. */
  | { readonly do: 'wait'; readonly message: string; readonly results: readonly ResourceResult[] }
  /** The sync is over, once these last writes are done. */
  | {
      readonly do: 'finish'
      readonly phase: 'Succeeded' | 'Failed'
      readonly message: string
      readonly last: readonly SyncAction[]
      readonly results: readonly ResourceResult[]
    }

/** A sync in the middle: what was seen, and its tasks in order with what is known of each. */
interface State {
  readonly seen: SyncSeen
  readonly tasks: readonly SyncTask[]
}

/** Decides the next step of a sync from what has been done and what the cluster looks like now. */
export function planSync(seen: SyncSeen): SyncStep {
  const { tasks, refused } = makeTasks(seen)
  const state = { seen, tasks }
  if (seen.isTerminating) return terminate(state)
  if (refused.length > 0) return refuse(seen, refused)
  const { ran } = seen
  if (ran?.outcome === 'failed') return afterFailure(state, ran)
  if (ran?.purpose === 'namespace') return dryRun(state)
  if (ran?.purpose === 'wave' && ran.outcome === 'pending') return waitForRoom(state, ran)
  if (ran?.purpose === 'wave') return afterWave(state, ran)
  if (!ran && seen.results.length === 0) return begin(state)
  return resume(state)
}

function finish(
  { results }: Pick<SyncSeen, 'results'>,
  phase: 'Succeeded' | 'Failed',
  message: string,
  last: readonly SyncAction[] = [],
): SyncStep {
  return { do: 'finish', phase, message, last, results }
}

function refuse(seen: SyncSeen, refused: readonly { readonly task: SyncTask; readonly because: string }[]): SyncStep {
  const updates = refused.map(({ task, because }): TaskUpdate => ({ task, status: 'SyncFailed', message: because }))
  const reasons = [...new Set(refused.map(({ because }) => because))].toSorted()
  const message = `one or more synchronization tasks are not valid: ${reasons.join('; ')}`
  return finish({ results: withUpdates(seen.results, updates) }, 'Failed', message)
}

/** The Namespace that everything goes into comes before anything can be tried in it. */
function begin(state: State): SyncStep {
  const { namespace, settings } = state.seen
  const creation = state.tasks.find(
    ({ target, live, key }) =>
      target && !live && key.kind === 'Namespace' && key.group === '' && key.name === namespace,
  )
  if (!creation || settings.isDryRun) return dryRun(state)
  return run(state, [creation], 'namespace', `creating namespace ${namespace}`)
}

/** Everything is tried before the first object is changed. */
function dryRun(state: State): SyncStep {
  const tasks = withoutInSync(state, state.tasks.filter(isPending))
  if (tasks.length === 0) return nextWave(state)
  return run(state, tasks, 'dry-run', 'trying every object before the first is applied')
}

function run(
  { seen }: State,
  tasks: readonly SyncTask[],
  purpose: RunPurpose,
  message: string,
  before: readonly SyncAction[] = [],
): SyncStep {
  const stages = stagesOf(seen, tasks, purpose === 'dry-run')
  return {
    do: 'run',
    purpose,
    tasks,
    stages: before.length > 0 ? [before, ...stages] : stages,
    message,
    results: seen.results,
  }
}

function withoutInSync({ seen }: State, tasks: readonly SyncTask[]): readonly SyncTask[] {
  if (!seen.settings.applyOutOfSyncOnly) return tasks
  return tasks.filter((task) => task.isHook || !task.isInSync || !task.target || !task.live)
}

/** Looks at what runs, then waits, fails, or goes on to the next wave. */
function resume(before: State): SyncStep {
  const state = withHealth(before)
  const { tasks } = state
  const running = tasks.filter((task) => isRunning(task) && (task.isHook || isMultiStep(tasks)))
  if (running.length > 0) return wait(state, running)
  const going = tasks.filter(
    ({ status, live }) => status === 'Pruned' && live?.metadata.deletionTimestamp !== undefined,
  )
  if (going.length > 0) return wait(state, going, 'deletion')
  return nextWave(state)
}

/** What has become of the tasks that were running. */
function withHealth({ seen, tasks }: State): State {
  const updates = healthUpdates(seen, tasks)
  if (updates.length === 0) return { seen, tasks }
  const learnt = new Map(updates.map((update) => [taskKey(update.task), update]))
  return {
    seen: { ...seen, results: withUpdates(seen.results, updates) },
    tasks: tasks.map((task) => {
      const update = learnt.get(taskKey(task))
      if (!update) return task
      const { status, state, message } = update
      return {
        ...task,
        ...(status === undefined ? {} : { status }),
        ...(state === undefined ? {} : { state }),
        ...(message ? { message } : {}),
      }
    }),
  }
}

function isMultiStep(tasks: readonly SyncTask[]): boolean {
  const first = tasks[0]
  const last = tasks.at(-1)
  return first !== undefined && last !== undefined && (first.wave !== last.wave || first.phase !== last.phase)
}

function wait({ seen }: State, tasks: readonly SyncTask[], what: 'completion' | 'deletion' = 'completion'): SyncStep {
  return { do: 'wait', message: waitingMessage(tasks, seen, what), results: seen.results }
}

/** Nothing runs any more: fails, succeeds, or runs the first wave that is left. */
function nextWave(state: State): SyncStep {
  const { seen } = state
  const released = state.tasks.filter((task) => task.isHook && isCompleted(task)).flatMap(releaseOf)
  const tasks = state.tasks.filter(({ phase }) => phase !== 'SyncFail')
  if (tasks.some((task) => isCompleted(task) && !isSuccessful(task))) {
    return failPhase(state, {
      because: 'one or more synchronization tasks completed unsuccessfully',
      failed: tasks.filter(({ status }) => status === 'SyncFailed'),
      last: [...released, ...spent(state, 'HookFailed')],
    })
  }
  const left = withoutInSync(state, tasks.filter(isPending))
  const first = left[0]
  if (!first) {
    return finish(seen, 'Succeeded', 'successfully synced (no more tasks)', [
      ...released,
      ...spent(state, 'HookSucceeded'),
    ])
  }
  const wave = left.filter((task) => task.phase === first.phase && task.wave === first.wave)
  const count = `${wave.length} ${wave.length === 1 ? 'task' : 'tasks'}`
  return run(state, wave, 'wave', `running ${first.phase} wave ${first.wave}: ${count}`, released)
}

/** Hooks that ask to be deleted now that it has come to this. */
function spent({ seen, tasks }: State, policy: 'HookSucceeded' | 'HookFailed'): readonly SyncAction[] {
  return tasks
    .filter((task) => task.isHook && task.live && isCompleted(task) && hasPolicy(task, policy))
    .flatMap((task) => deletionOf(seen, task, `the hook asks for it by ${policy}`))
}

interface Failure {
  readonly because: string
  readonly failed: readonly SyncTask[]
  readonly last: readonly SyncAction[]
}

/** The hooks that are for failures run before a sync has failed. */
function failPhase(state: State, { because, failed, last }: Failure): SyncStep {
  const message = withReasons(because, failed)
  const hooks = state.tasks.filter(({ phase }) => phase === 'SyncFail')
  if (hooks.every(isCompleted)) {
    const broken = hooks.filter(({ status }) => status === 'SyncFailed')
    const more = broken.length > 0 ? `\n${withReasons('one or more SyncFail hooks failed', broken)}` : ''
    return finish(state.seen, 'Failed', `${message}${more}`, last)
  }
  const pending = hooks.filter(isPending)
  if (pending.length === 0) return wait(state, hooks.filter(isRunning))
  return run(state, pending, 'wave', `running SyncFail hooks: ${message}`, last)
}

function withReasons(because: string, tasks: readonly SyncTask[]): string {
  const reasons = [...new Set(tasks.flatMap(({ message }) => message ?? []))]
  return reasons.length > 0 ? `${because}, reason: ${reasons.join(',')}` : because
}

function afterFailure(state: State, { purpose, tasks: keys }: Ran): SyncStep {
  const run = state.tasks.filter((task) => keys.has(taskKey(task)))
  const failed = run.filter(({ status }) => status === 'SyncFailed')
  if (purpose === 'dry-run') return finish(state.seen, 'Failed', 'one or more objects failed to apply (dry run)')
  if (purpose === 'namespace') return failPhase(state, { because: 'the namespace failed to apply', failed, last: [] })
  // Hooks for failures that could not even be applied: nothing more is tried.
  if (run.every(({ phase }) => phase === 'SyncFail')) return resume(state)
  const isQuiet = !run.some(isRunning)
  const hasFailHooks = state.tasks.some((task) => task.phase === 'SyncFail' && isPending(task))
  // What was started ends before the sync does.
  if (!isQuiet && !hasFailHooks) return resume(state)
  const last = isQuiet ? spent(state, 'HookFailed') : []
  return failPhase(state, { because: 'one or more objects failed to apply', failed, last })
}

function afterWave(state: State, { tasks: keys }: Ran): SyncStep {
  const { seen, tasks } = state
  const run = tasks.filter((task) => keys.has(taskKey(task)))
  const isLast = !tasks.some((task) => isPending(task) && task.phase !== 'SyncFail' && !keys.has(taskKey(task)))
  const isPlain = run.every((task) => !task.isHook && task.phase !== 'SyncFail')
  // What was applied last need not be healthy for the sync to have done its work.
  if (isLast && isPlain) {
    return finish(seen, 'Succeeded', 'successfully synced (all tasks run)', spent(state, 'HookSucceeded'))
  }
  return resume(state)
}

/** Something has to go, or to be allowed to go, before the wave can be run. */
function waitForRoom(state: State, { tasks: keys }: Ran): SyncStep {
  const run = state.tasks.filter((task) => keys.has(taskKey(task)) && isPending(task))
  const unconfirmed = run.filter((task) => isPrune(task) && needsPruneConfirmation(state.seen, task))
  if (unconfirmed.length > 0) return wait(state, unconfirmed)
  const inTheWay = run.filter((task) => task.isHook && task.live)
  return inTheWay.length > 0 ? wait(state, inTheWay, 'deletion') : resume(state)
}

/** Ends hooks that run; what was applied stays as it is. */
function terminate({ seen, tasks }: State): SyncStep {
  const last: SyncAction[] = []
  const updates: TaskUpdate[] = []
  for (const task of tasks) {
    if (!task.isHook) continue
    if (isCompleted(task)) last.push(...releaseOf(task))
    if (!isRunning(task)) continue
    if (!task.live) {
      updates.push({ task, state: 'Succeeded', message: 'Terminated' })
      continue
    }
    const ended = healthUpdates(seen, [task]).find(({ state }) => state !== 'Running')
    last.push(...releaseOf(task))
    if (!ended || hasPolicy(task, 'HookFailed')) last.push(...deletionOf(seen, task, 'the operation was terminated'))
    updates.push(ended ?? { task, state: 'Failed', message: 'Terminated' })
  }
  return finish({ results: withUpdates(seen.results, updates) }, 'Failed', 'Operation terminated', last)
}
