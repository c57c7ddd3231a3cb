import type { Client, ResourceInfo } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Observed, Remaining } from './plan.ts'

/** Asks everything in a Namespace to go, Pods first, and answers what is still there. */
export async function emptyNamespace(
  namespace: KubeObject,
  { client, clock }: { readonly client: Client; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Observed> {
  const found = await client.discover({ signal })
  if (!found.ok) {
    return { namespace, nowMs: clock.now(), discoveryFailure: found.error.message, contentFailures: [], remaining: [] }
  }
  const contentFailures: string[] = []
  const remaining: Remaining[] = []
  const empty = async (resource: ResourceInfo): Promise<void> => {
    const outcome = await emptyCollection(resource, namespace.metadata.name ?? '', client, signal)
    if (outcome.failure !== undefined) contentFailures.push(outcome.failure)
    if (outcome.remaining) remaining.push(outcome.remaining)
  }
  const { first, others } = deletable(found.value)
  for (const resource of first) await empty(resource)
  // What Pods still use stays until they are gone.
  if (remaining.length === 0) await Promise.all(others.map(empty))
  return { namespace, nowMs: clock.now(), contentFailures, remaining }
}

/** Every namespaced collection once, in one of its versions. */
function deletable(resources: readonly ResourceInfo[]): {
  readonly first: readonly ResourceInfo[]
  readonly others: readonly ResourceInfo[]
} {
  const found = new Map<string, ResourceInfo>()
  for (const resource of resources) {
    const { namespaced, subresource, verbs, plural, group } = resource
    if (!namespaced || subresource !== undefined || !verbs.includes('delete') || !verbs.includes('list')) continue
    const name = `${plural}.${group}`
    if (!found.has(name)) found.set(name, resource)
  }
  const all = [...found.values()]
  const isPods = ({ plural, group }: ResourceInfo): boolean => plural === 'pods' && group === ''
  return { first: all.filter(isPods), others: all.filter((resource) => !isPods(resource)) }
}

async function emptyCollection(
  info: ResourceInfo,
  namespace: string,
  client: Client,
  signal: AbortSignal,
): Promise<{ readonly failure?: string; readonly remaining?: Remaining }> {
  const { group, version, plural } = info
  const collection = { resource: { group, version, plural }, namespace }
  const name = `${plural}.${group}`
  const before = await client.list(collection, { signal })
  if (!before.ok) return before.error.reason === 'NotFound' ? {} : { failure: `${name}: ${before.error.message}` }
  if (before.value.items.length === 0) return {}
  const failure = await deleteAll(info, namespace, before.value.items, client, signal)
  const after = await client.list(collection, { signal })
  const items = after.ok ? after.value.items : before.value.items
  return {
    ...(failure === undefined ? {} : { failure: `${name}: ${failure}` }),
    ...(items.length === 0 ? {} : { remaining: remainingOf(name, items) }),
  }
}

async function deleteAll(
  info: ResourceInfo,
  namespace: string,
  items: readonly KubeObject[],
  client: Client,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { group, version, plural } = info
  const collection = { resource: { group, version, plural }, namespace }
  const options = { propagationPolicy: 'Background', signal } as const
  if (info.verbs.includes('deletecollection')) {
    const deleted = await client.deleteCollection(collection, options)
    if (deleted.ok || deleted.error.reason === 'NotFound') return undefined
    if (deleted.error.reason !== 'MethodNotAllowed') return deleted.error.message
  }
  for (const { metadata } of items) {
    const deleted = await client.delete({ ...collection, name: metadata.name ?? '' }, options)
    if (!deleted.ok && deleted.error.reason !== 'NotFound') return deleted.error.message
  }
  return undefined
}

function remainingOf(name: string, items: readonly KubeObject[]): Remaining {
  const finalizers = new Map<string, number>()
  for (const { metadata } of items)
    for (const finalizer of metadata.finalizers ?? []) finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1)
  const graceSeconds = Math.max(0, ...items.map(({ metadata }) => metadata.deletionGracePeriodSeconds ?? 0))
  return { name, count: items.length, finalizers, graceSeconds }
}
