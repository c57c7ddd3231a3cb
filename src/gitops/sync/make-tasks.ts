import type { KubeObject } from '../../kube/object.ts'
import { gvkOf } from '../../kube/gvk.ts'
import type { ResourceResult } from '../application/application.ts'
import { keyText, type ComparedResource, type ResourceKey } from '../compare/comparison.ts'
import { hasOption } from './annotation-options.ts'
import { HOOK_FINALIZER, isHook, isIgnoredHook, phasesOf, type SyncPhase, waveOf } from './hook.ts'
import { definedKind, orderTasks } from './order-tasks.ts'
import type { SyncSeen } from './sync-seen.ts'
import { isPrune, type SyncTask, taskKey } from './sync-task.ts'

/** The tasks of a sync in order, and what makes it impossible. */
export interface MadeTasks {
  readonly tasks: readonly SyncTask[]
  /** Tasks that may not be, each with its reason. */
  readonly refused: readonly { readonly task: SyncTask; readonly because: string }[]
}

/** Works out everything that a sync has to do, with what is known of each from before. */
export function makeTasks(seen: SyncSeen): MadeTasks {
  const facts = factsOf(seen)
  const drafts = [...resourceTasks(seen), ...hookTasks(seen, facts), ...namespaceTask(seen)]
  const refused: { readonly task: SyncTask; readonly because: string }[] = []
  const tasks: SyncTask[] = []
  for (const draft of drafts) {
    const { task, because } = checked(draft, seen, facts)
    if (because !== undefined) refused.push({ task, because })
    tasks.push(task)
  }
  const placed = placePrunes(tasks, seen.settings.pruneLast)
  return { tasks: orderTasks(placed).map((task) => withResult(task, facts.results)), refused }
}

interface Facts {
  readonly live: ReadonlyMap<string, ComparedResource>
  readonly defined: ReadonlySet<string>
  readonly results: ReadonlyMap<string, ResourceResult>
}

function factsOf(seen: SyncSeen): Facts {
  const targets = seen.resources.flatMap(({ target }) => target ?? [])
  return {
    live: new Map(seen.resources.filter(({ live }) => live).map((resource) => [keyText(resource.key), resource])),
    defined: new Set(targets.flatMap((target) => definedKind(target) ?? [])),
    results: new Map(seen.results.map((result) => [resultKey(result), result])),
  }
}

/** Where a result belongs. */
export function resultKey({ group, kind, namespace, name, syncPhase }: ResourceResult): string {
  return `${keyText({ group, kind, namespace, name })}:${syncPhase ?? ''}`
}

function resourceTasks({ resources, isSelected }: SyncSeen): readonly SyncTask[] {
  return resources.flatMap((resource) => {
    const object = resource.target ?? resource.live
    if (!object || !isSelected(resource.key)) return []
    // A hook that is left over is nobody's garbage but its own; what another Application keeps is not ours to prune.
    if (resource.isHook || isHook(object)) return []
    if (!resource.target && !resource.requiresPruning) return []
    return phasesOf(object).map((phase) => taskOf(resource, object, phase))
  })
}

function taskOf(resource: ComparedResource, object: KubeObject, phase: SyncPhase): SyncTask {
  const { key, version, target, live, health, status } = resource
  return {
    key,
    version,
    phase,
    wave: waveOf(object),
    isHook: false,
    skipsDryRun: false,
    isInSync: status === 'Synced',
    ...(target ? { target } : {}),
    ...(live ? { live } : {}),
    ...(health && live ? { health } : {}),
  }
}

function hookTasks(seen: SyncSeen, { live }: Facts): readonly SyncTask[] {
  if (seen.settings.skipsHooks) return []
  return seen.resources.flatMap((resource) => {
    const { target } = resource
    if (!target || !isHook(target) || isIgnoredHook(target)) return []
    return phasesOf(target).map((phase): SyncTask => {
      const name = target.metadata.name ?? generatedName(target, phase, seen)
      const key = { ...resource.key, name }
      const found = live.get(keyText(key))?.live
      const health = found && seen.healthOf(found)
      return {
        key,
        version: resource.version,
        phase,
        wave: waveOf(target),
        isHook: true,
        skipsDryRun: false,
        isInSync: false,
        target: hookObject(target, name),
        ...(found ? { live: found } : {}),
        ...(health ? { health } : {}),
      }
    })
  })
}

/** The name that a hook with generateName has in this sync: the same one however often it is worked out. */
function generatedName({ metadata }: KubeObject, phase: SyncPhase, { revision, startedAtMs }: SyncSeen): string {
  const short = revision.length >= 8 ? revision.slice(0, 7) : revision
  const suffix = `${short}-${phase}-${Math.floor(startedAtMs / 1_000)}`.toLowerCase()
  return `${metadata.generateName ?? ''}${suffix}`
}

function hookObject(target: KubeObject, name: string): KubeObject {
  const { generateName: _replaced, ...metadata } = target.metadata
  const finalizers = metadata.finalizers ?? []
  return {
    ...target,
    metadata: {
      ...metadata,
      name,
      finalizers: finalizers.includes(HOOK_FINALIZER) ? finalizers : [...finalizers, HOOK_FINALIZER],
    },
  }
}

function namespaceTask({ managedNamespace, resources, results, namespace }: SyncSeen): readonly SyncTask[] {
  if (!managedNamespace) return []
  const key: ResourceKey = { group: '', kind: 'Namespace', namespace: '', name: namespace }
  // Git's own Namespace wins.
  if (resources.some(({ target, key: other }) => target && keyText(other) === keyText(key))) return []
  const { target, live } = managedNamespace
  const isKnown = results.some(({ kind, name, group }) => kind === 'Namespace' && group === '' && name === namespace)
  const isManaged = target.metadata.labels !== undefined || target.metadata.annotations !== undefined
  if (live && !isManaged && !isKnown) return []
  return [
    {
      key,
      version: 'v1',
      phase: 'PreSync',
      wave: 0,
      isHook: false,
      skipsDryRun: false,
      isInSync: false,
      target,
      ...(live ? { live } : {}),
    },
  ]
}

/** A task with its place in the destination: a kind that is not served, or is not permitted, is told. */
function checked(
  task: SyncTask,
  { kinds, settings, refusal }: SyncSeen,
  { defined }: Facts,
): { readonly task: SyncTask; readonly because?: string } {
  const object = task.target ?? task.live
  if (!object) return { task }
  const { group, version, kind } = gvkOf(object)
  if (kinds.isNamespaced(group, version, kind) === undefined) {
    const isExpected =
      settings.skipDryRunOnMissingResource ||
      hasOption(task.target, 'SkipDryRunOnMissingResource=true') ||
      defined.has(`${group}/${kind}`)
    if (isExpected) return { task: { ...task, skipsDryRun: true } }
    const at = `${group === '' ? version : `${group}/${version}`} ${kind}`
    return { task, because: `the destination does not serve ${at}: install its CustomResourceDefinition first` }
  }
  const because = refusal(object)
  return because === undefined ? { task } : { task, because }
}

/** What is removed goes in the reverse order of waves, or at the very end. */
function placePrunes(tasks: readonly SyncTask[], pruneLast: boolean): readonly SyncTask[] {
  const waves = [...new Set(tasks.filter(isPrune).map(({ wave }) => wave))].toSorted((a, b) => a - b)
  const mirrored = new Map(waves.map((wave, index) => [wave, waves[waves.length - 1 - index] ?? wave]))
  const turned = tasks.map((task) => (isPrune(task) ? { ...task, wave: mirrored.get(task.wave) ?? task.wave } : task))
  let last = 0
  for (const { phase, wave } of turned) if (phase === 'Sync') last = Math.max(last, wave)
  return turned.map((task) =>
    isPrune(task) && (pruneLast || hasOption(task.live, 'PruneLast=true')) ? { ...task, wave: last + 1 } : task,
  )
}

function withResult(task: SyncTask, results: Facts['results']): SyncTask {
  const result = results.get(taskKey(task))
  if (!result) return task
  const { status, hookPhase, message } = result
  return {
    ...task,
    ...(status === undefined ? {} : { status }),
    ...(hookPhase === undefined ? {} : { state: hookPhase }),
    ...(message === undefined ? {} : { message }),
  }
}
