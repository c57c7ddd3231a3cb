import { isObject } from '../../lib/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { SyncPhase } from './hook.ts'
import { kindRank } from './kind-order.ts'
import type { SyncTask } from './sync-task.ts'

const phaseRank: Readonly<Record<SyncPhase, number>> = { PreSync: 0, Sync: 1, PostSync: 2, SyncFail: 3 }

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Order: phase, wave, kind, name; then what makes it the same in every run. */
export function compareTasks(a: SyncTask, b: SyncTask): number {
  return (
    phaseRank[a.phase] - phaseRank[b.phase] ||
    a.wave - b.wave ||
    kindRank(a.key.kind) - kindRank(b.key.kind) ||
    byText(a.key.name, b.key.name) ||
    byText(a.key.namespace, b.key.namespace) ||
    byText(a.key.kind, b.key.kind) ||
    byText(a.key.group, b.key.group)
  )
}

/** Tasks in the order in which they are done; a Namespace and a definition come no later than what needs them. */
export function orderTasks(tasks: readonly SyncTask[]): readonly SyncTask[] {
  const sorted = tasks.toSorted(compareTasks)
  return raise(raise(sorted, namespaceNeeds), definitionNeeds)
}

/** What others may need from a task's object, and what it needs of others. */
interface Needs {
  readonly provides: (object: KubeObject) => string | undefined
  readonly needs: (object: KubeObject, task: SyncTask) => string | undefined
}

const namespaceNeeds: Needs = {
  provides: ({ kind, apiVersion, metadata }) =>
    kind === 'Namespace' && apiVersion === 'v1' ? metadata.name : undefined,
  needs: (_object, { key }) => key.namespace || undefined,
}

const definitionNeeds: Needs = {
  provides: (object) => definedKind(object),
  needs: (_object, { key }) => `${key.group}/${key.kind}`,
}

export const isDefinition = ({ kind, apiVersion }: KubeObject): boolean =>
  kind === 'CustomResourceDefinition' && parseApiVersion(apiVersion).group === 'apiextensions.k8s.io'

/** `group/kind` of what a CustomResourceDefinition defines. */
export function definedKind(object: KubeObject): string | undefined {
  if (!isDefinition(object)) return undefined
  const spec = object['spec']
  const names = isObject(spec) ? spec['names'] : undefined
  if (!isObject(spec) || !isObject(names)) return undefined
  const { group } = spec
  const { kind } = names
  return typeof group === 'string' && typeof kind === 'string' ? `${group}/${kind}` : undefined
}

/** Moves every provider that comes after the first task in need of it right before that task, into its phase and wave. */
function raise(sorted: readonly SyncTask[], { provides, needs }: Needs): readonly SyncTask[] {
  const firstInNeed = new Map<string, SyncTask>()
  const moved = new Map<SyncTask, SyncTask[]>()
  const late = new Set<SyncTask>()
  for (const task of sorted) {
    if (!task.target) continue
    const provided = provides(task.target)
    if (provided !== undefined) {
      const first = firstInNeed.get(provided)
      if (!first) continue
      late.add(task)
      const before = moved.get(first) ?? []
      moved.set(first, before)
      before.push({ ...task, wave: first.wave, phase: first.phase })
      continue
    }
    const needed = needs(task.target, task)
    if (needed !== undefined && !firstInNeed.has(needed)) firstInNeed.set(needed, task)
  }
  if (late.size === 0) return sorted
  return sorted.flatMap((task) => (late.has(task) ? [] : [...(moved.get(task) ?? []), task]))
}
