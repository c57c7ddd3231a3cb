import type { KubeObject } from '../../kube/object.ts'
import { hasOption, optionOf } from './annotation-options.ts'
import { HOOK_FINALIZER } from './hook.ts'
import { isDefinition } from './order-tasks.ts'
import type { ApplyMode, Stage, SyncAction } from './sync-action.ts'
import type { SyncSeen } from './sync-seen.ts'
import { hasPolicy, isPending, isPrune, plainName, type SyncTask } from './sync-task.ts'

/**
 * The writes of some tasks, in stages: leftovers of earlier hooks are let go, what is too much is removed, hooks make room
 * for their next run, then objects are applied, kind after kind. A dry run has only what can be tried.
 */
export function stagesOf(seen: SyncSeen, tasks: readonly SyncTask[], isDryRun: boolean): readonly Stage[] {
  const stages: Stage[] = []
  const prunes = tasks.filter(isPrune)
  const creations = tasks.filter((task) => !isPrune(task))
  if (!isDryRun) stages.push(tasks.filter((task) => task.isHook && isPending(task)).flatMap(releaseOf))
  stages.push(prunes.map((task) => pruneOf(seen, task)))
  if (!isDryRun) {
    stages.push(
      creations
        .filter((task) => isPending(task) && hasPolicy(task, 'BeforeHookCreation'))
        .flatMap((task) => deletionOf(seen, task, 'the hook of an earlier sync makes room for this one')),
    )
  }
  for (const group of byKind(creations)) {
    stages.push(
      group.filter(({ skipsDryRun }) => !isDryRun || !skipsDryRun).flatMap((task) => applyOf(seen, task, isDryRun)),
    )
  }
  return stages.filter((stage) => stage.length > 0)
}

function byKind(tasks: readonly SyncTask[]): readonly (readonly SyncTask[])[] {
  const groups: SyncTask[][] = []
  for (const task of tasks) {
    const last = groups.at(-1)
    if (last?.[0]?.key.kind === task.key.kind && last[0].key.group === task.key.group) last.push(task)
    else groups.push([task])
  }
  return groups
}

/** Tells whether somebody has to allow this removal first. */
export function needsPruneConfirmation({ settings, isPruneConfirmed }: SyncSeen, task: SyncTask): boolean {
  return !isPruneConfirmed && (optionOf(task.live, 'Prune') ?? settings.defaultPrune) === 'confirm'
}

function pruneOf(seen: SyncSeen, task: SyncTask): SyncAction {
  const { settings } = seen
  if (!task.live || !settings.prune) return { do: 'keep', task, because: 'ignored (requires pruning)' }
  if ((optionOf(task.live, 'Prune') ?? settings.defaultPrune) === 'false') {
    return { do: 'keep', task, because: 'ignored (no prune)' }
  }
  return {
    do: 'prune',
    task,
    object: task.live,
    propagation: settings.propagation,
    needsConfirmation: needsPruneConfirmation(seen, task),
    because: `${plainName(task.key)} is no longer in Git`,
  }
}

/** Removes the hook of a task, when it is there. */
export function deletionOf({ settings }: SyncSeen, task: SyncTask, because: string): readonly SyncAction[] {
  if (!task.live) return []
  return [{ do: 'delete-hook', task, object: task.live, propagation: settings.propagation, because }]
}

/** Lets the hook of a task go, when it is held. */
export function releaseOf(task: SyncTask): readonly SyncAction[] {
  if (!task.live?.metadata.finalizers?.includes(HOOK_FINALIZER)) return []
  return [{ do: 'release-hook', task, object: task.live, because: 'its result has been seen' }]
}

const either = (task: SyncTask, option: string): boolean =>
  hasOption(task.target, option) || hasOption(task.live, option)

function applyOf({ settings }: SyncSeen, task: SyncTask, isDryRun: boolean): readonly SyncAction[] {
  const { target, live } = task
  if (!target) return []
  const mode = modeOf(task, settings, isDryRun)
  return [
    {
      do: 'apply',
      task,
      object: target,
      mode,
      force: settings.force || either(task, 'Force=true'),
      validate: settings.validate && !hasOption(target, 'Validate=false'),
      migrates: mode === 'server' && settings.migratesClientSideApply,
      because: whyApply(task, live, target),
    },
  ]
}

function modeOf(task: SyncTask, settings: SyncSeen['settings'], isDryRun: boolean): ApplyMode {
  const { target } = task
  if (settings.replace || either(task, 'Replace=true')) return 'replace'
  if (isDryRun || settings.isDryRun || hasOption(target, 'ServerSideApply=false')) return 'client'
  return settings.serverSideApply || hasOption(target, 'ServerSideApply=true') ? 'server' : 'client'
}

function whyApply(
  { key, isHook, isInSync, phase }: SyncTask,
  live: KubeObject | undefined,
  target: KubeObject,
): string {
  if (isHook) return `${plainName(key)} is a ${phase} hook`
  if (!live) return isDefinition(target) ? `${plainName(key)} is not defined yet` : `${plainName(key)} is in Git only`
  return isInSync ? `${plainName(key)} is applied again with the others` : `${plainName(key)} differs from Git`
}
