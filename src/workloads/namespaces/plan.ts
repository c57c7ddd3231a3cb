import { type Condition, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'

/** The finalizer in `spec.finalizers` that stands for the content of a Namespace. */
export const CONTENT = 'kubernetes'

/** What is left in one collection after everything in it was asked to go. */
export interface Remaining {
  /** `deployments.apps`; the core group leaves a dot behind the plural. */
  readonly name: string
  readonly count: number
  /** How many of them wait for each finalizer. */
  readonly finalizers: ReadonlyMap<string, number>
  /** How long the slowest of them may take. */
  readonly graceSeconds: number
}

/** Everything that decides about a Namespace that is going away. */
export interface Observed {
  readonly namespace: KubeObject
  readonly nowMs: number
  /** Why not everything that is served could be found out. */
  readonly discoveryFailure?: string
  /** Why content could not be deleted, by collection. */
  readonly contentFailures: readonly string[]
  readonly remaining: readonly Remaining[]
}

export type Plan = { readonly because: string; readonly conditions: readonly Condition[] } & (
  | { readonly do: 'finalize' }
  | { readonly do: 'wait'; readonly afterMs: number }
)

/** Whether the content of a Namespace has to go. */
export function isToBeEmptied(namespace: KubeObject): boolean {
  const { finalizers } = (namespace['spec'] ?? {}) as { readonly finalizers?: readonly string[] }
  return namespace.metadata.deletionTimestamp !== undefined && (finalizers ?? []).includes(CONTENT)
}

/** Decides whether a Namespace may go, and what its conditions say about why not. */
export function planNamespace(seen: Observed): Plan {
  const { status } = seen.namespace as { readonly status?: { readonly conditions?: readonly Condition[] } }
  const conditions = facts(seen).reduce<readonly Condition[]>(
    (list, condition) => setCondition(list, condition, seen.nowMs),
    status?.conditions ?? [],
  )
  const failures = [...(seen.discoveryFailure === undefined ? [] : [seen.discoveryFailure]), ...seen.contentFailures]
  if (failures.length > 0) return { do: 'wait', afterMs: 1_000, because: failures.join('; '), conditions }
  const count = seen.remaining.reduce((sum, { count: more }) => sum + more, 0)
  if (count === 0) return { do: 'finalize', because: 'nothing is left in it', conditions }
  const graceSeconds = Math.max(...seen.remaining.map((one) => one.graceSeconds))
  const afterMs = graceSeconds > 0 ? Math.min(graceSeconds * 500 + 1_000, 15_000) : 250
  return { do: 'wait', afterMs, because: `${count} objects are left in it`, conditions }
}

function facts({ discoveryFailure, contentFailures, remaining }: Observed): readonly Condition[] {
  const left = remaining.filter(({ count }) => count > 0)
  const finalizers = new Map<string, number>()
  for (const one of left)
    for (const [name, count] of one.finalizers) finalizers.set(name, (finalizers.get(name) ?? 0) + count)
  const kept = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).toSorted()
  const instances = left.map(({ name, count }) => `${name} has ${count} resource instances`).toSorted()
  return [
    fact(
      'NamespaceDeletionDiscoveryFailure',
      discoveryFailure === undefined ? undefined : `Discovery failed for some groups: ${discoveryFailure}`,
      ['DiscoveryFailed', 'ResourcesDiscovered', 'All resources successfully discovered'],
    ),
    fact('NamespaceDeletionGroupVersionParsingFailure', undefined, [
      'GroupVersionParsingFailed',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ]),
    fact(
      'NamespaceDeletionContentFailure',
      contentFailures.length === 0
        ? undefined
        : `Failed to delete all resource types, ${contentFailures.length} remaining: ${contentFailures.toSorted().join(', ')}`,
      ['ContentDeletionFailed', 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    ),
    fact(
      'NamespaceContentRemaining',
      instances.length === 0 ? undefined : `Some resources are remaining: ${instances.join(', ')}`,
      ['SomeResourcesRemain', 'ContentRemoved', 'All content successfully removed'],
    ),
    fact(
      'NamespaceFinalizersRemaining',
      kept.length === 0 ? undefined : `Some content in the namespace has finalizers remaining: ${kept.join(', ')}`,
      ['SomeFinalizersRemain', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    ),
  ]
}

function fact(type: string, trouble: string | undefined, words: readonly [string, string, string]): Condition {
  return trouble === undefined
    ? { type, status: 'False', reason: words[1], message: words[2] }
    : { type, status: 'True', reason: words[0], message: trouble }
}
