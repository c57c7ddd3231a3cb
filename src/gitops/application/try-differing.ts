import { gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isEqual } from '../../lib/json.ts'
import { applyObject, FIELD_MANAGER } from '../apply/apply-object.ts'
import type { OpenCluster } from '../clusters/clusters.ts'
import type { ComparisonSeen } from '../compare/compare.ts'
import { type ComparedResource, type Comparison, keyText } from '../compare/comparison.ts'
import type { DiffFacts } from '../compare/diff.ts'
import { hasOption } from '../sync/annotation-options.ts'
import type { AppMemory, AppPorts } from './app-ports.ts'

const MOST_REMEMBERED = 10_000

interface Trying {
  readonly seen: ComparisonSeen
  readonly cluster: OpenCluster
  readonly memory: AppMemory
}

/**
 * Asks the API server what it would make of what differs, without doing it: so what admission and defaulting add is not taken
 * for drift. An answer counts until the target or the live object is another one.
 */
export async function tryDiffering(
  comparison: Comparison,
  { seen, cluster, memory }: Trying,
  ports: AppPorts,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, DiffFacts>> {
  const { asksServer } = seen.comparer
  const tried = new Map<string, DiffFacts>()
  for (const resource of comparison.resources) {
    const { target, live, status, key } = resource
    if (!target || !live || resource.isHook || status === undefined) continue
    if (!asksServer && resource.diff?.modified !== true) continue
    const text = keyText(key)
    const known = memory.tried?.get(text)
    const isKnown =
      known !== undefined && known.version === live.metadata.resourceVersion && isEqual(known.target, target)
    const facts = isKnown
      ? known.facts
      : await tryOne(resource, { target, live, asksServer, seen, cluster }, ports, signal)
    if (!facts) continue
    tried.set(text, facts)
    memory.tried ??= new Map()
    if (memory.tried.size >= MOST_REMEMBERED) memory.tried.clear()
    memory.tried.set(text, { target, version: live.metadata.resourceVersion, facts })
  }
  return tried
}

interface One {
  readonly target: KubeObject
  readonly live: KubeObject
  readonly asksServer: boolean
  readonly seen: ComparisonSeen
  readonly cluster: OpenCluster
}

async function tryOne(
  { key }: ComparedResource,
  { target, live, asksServer, seen, cluster }: One,
  { schemas }: Pick<AppPorts, 'schemas'>,
  signal: AbortSignal,
): Promise<DiffFacts | undefined> {
  const { client } = cluster.live
  const where = cluster.live.targetOf(key, gvkOf(target).version)
  if (!where) return undefined
  if (asksServer) {
    const answer = await client.patch(
      where,
      { type: 'apply', body: target },
      { fieldManager: FIELD_MANAGER, force: true, dryRun: true, signal },
    )
    return answer.ok ? { predicted: answer.value } : undefined
  }
  const { syncOptions = [] } = seen.application.spec.syncPolicy ?? {}
  const isServer = syncOptions.includes('ServerSideApply=true') || hasOption(target, 'ServerSideApply=true')
  const answer = await applyObject(
    {
      target: where,
      object: target,
      live,
      mode: isServer ? 'server' : 'client',
      force: false,
      validate: false,
      migrates: false,
      dryRun: true,
    },
    { client, schemaOf: (object) => schemas.schemaOf(gvkOf(object)), signal },
  )
  return answer.ok ? { admitted: answer.object } : undefined
}
