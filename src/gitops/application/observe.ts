import { apiVersionOf, gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { explain, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { OpenCluster } from '../clusters/clusters.ts'
import { compareApplication, type ComparisonSeen } from '../compare/compare.ts'
import { type Comparison, keyText } from '../compare/comparison.ts'
import { instanceName, keyOf } from '../compare/tracking.ts'
import { isPartial } from '../live/partial-object.ts'
import type { Manifests } from '../manifests/manifest-source.ts'
import type { AppProject } from '../project/app-project.ts'
import { checkApplication } from '../project/check-application.ts'
import { isKindPermitted, isResourcePermitted } from '../project/resource-rules.ts'
import type { AppMemory, AppPorts } from './app-ports.ts'
import type { Application, ApplicationCondition } from './application.ts'
import { isInProgress } from './plan/operation-state.ts'
import { comparerOf } from './comparer-of.ts'
import { orphanConditions } from './orphan-conditions.ts'
import { tryDiffering } from './try-differing.ts'
import { renderTargets, type Wanted } from './render-targets.ts'

/** What a look at an Application has found. */
export type Observed =
  /** The destination is still being read: nothing can be said yet. */
  | { readonly found: 'unread'; readonly because: string }
  /** The sources have moved on, and say the same: that can be told when there is time. */
  | { readonly found: 'same' }
  | {
      readonly found: 'wrong'
      readonly conditions: readonly ApplicationCondition[]
      readonly project?: AppProject
    }
  | ({ readonly found: 'compared' } & Compared)

export interface Compared {
  readonly project: AppProject
  readonly cluster: OpenCluster
  readonly manifests: Manifests
  readonly comparison: Comparison
  readonly conditions: readonly ApplicationCondition[]
}

const condition = (type: string, message: string): ApplicationCondition => ({ type, message })

/** Reads everything that a decision about an Application needs. */
export async function observe(
  app: Application,
  memory: AppMemory,
  wanted: Wanted,
  ports: AppPorts,
  signal: AbortSignal,
): Promise<Observed> {
  const place = placeOf(app, ports)
  if (!place.ok) return { found: 'wrong', conditions: place.error }
  const { project, cluster } = place.value
  const { live } = cluster
  if (!live.isSynced) {
    const { trouble } = live
    if (trouble === undefined) return { found: 'unread', because: `cluster ${cluster.entry.name} is being read` }
    return {
      found: 'wrong',
      project,
      conditions: [condition('ComparisonError', `Failed to load live state: ${trouble}`)],
    }
  }
  const before = memory.rendered
  const rendered = await renderTargets(app, { memory, wanted, cluster }, ports, signal)
  if (!rendered.ok) {
    const message = `Failed to load target state: ${rendered.error.map(explain).join('; ')}`
    return { found: 'wrong', project, conditions: [condition('ComparisonError', message)] }
  }
  const manifests = rendered.value
  const isSame = before?.manifests.digest === manifests.digest && before.inputs === memory.rendered?.inputs
  if (wanted.mayWait && wanted.refresh === 'sources' && isSame && isSettled(app)) return { found: 'same' }
  const comparison = await compare(app, { memory, project, cluster, manifests: manifests.manifests }, ports, signal)
  return { found: 'compared', project, cluster, manifests, comparison, conditions: comparison.conditions }
}

/** Nothing is under way, and what was compared last was all well. */
function isSettled({ status, operation }: Application): boolean {
  return operation === undefined && !isInProgress(status?.operationState) && status?.sync?.status === 'Synced'
}

/** The project and the destination of an Application, or the conditions that say what is wrong with them. */
export function placeOf(
  app: Application,
  { projectOf, clusters, controllerNamespace }: AppPorts,
): Result<{ readonly project: AppProject; readonly cluster: OpenCluster }, readonly ApplicationCondition[]> {
  const project = projectOf(app.spec.project || 'default')
  if (!project.ok) return { ok: false, error: [condition('InvalidSpecError', project.error.map(messageOf).join('; '))] }
  const entry = clusters.find(app.spec.destination)
  const violations = checkApplication(project.value, app, {
    cluster: entry,
    clusters: clusters.entries(),
    controllerNamespace,
  })
  if (violations.length > 0 || !entry) {
    return { ok: false, error: violations.map((violation) => condition('InvalidSpecError', messageOf(violation))) }
  }
  const cluster = clusters.open(entry)
  if (!cluster.ok) return { ok: false, error: [condition('UnknownError', cluster.error.map(messageOf).join('; '))] }
  return succeed({ project: project.value, cluster: cluster.value })
}

const messageOf = ({ message, cure }: Problem): string => (cure ? `${message} (${cure})` : message)

interface Comparing {
  readonly memory: AppMemory
  readonly project: AppProject
  readonly cluster: OpenCluster
  readonly manifests: readonly KubeObject[]
}

async function compare(
  app: Application,
  { memory, project, cluster, manifests }: Comparing,
  ports: AppPorts,
  signal: AbortSignal,
): Promise<Comparison> {
  const { settings, controllerNamespace, healthOf, clusters } = ports
  const { live, entry } = cluster
  const { resources } = settings()
  const instance = instanceName(app, controllerNamespace)
  const isLivePermitted = (object: KubeObject): boolean => {
    const key = keyOf(object)
    const isNamespaced = live.kinds.preferred(key.group, key.kind)?.namespaced ?? true
    return isResourcePermitted(project, { ...key, isNamespaced }, entry, clusters.entries()).permitted
  }
  await live.describe(manifests.map(gvkOf), signal)
  const seen: ComparisonSeen = {
    application: app,
    instanceName: instance,
    manifests,
    problems: [],
    live: await liveObjects(app, { instance, cluster, manifests, isLivePermitted }, signal),
    settings: resources,
    comparer: comparerOf(app, memory, cluster, ports),
    server: entry.server,
    isNamespaced: (group, kind) => live.kinds.preferred(group, kind)?.namespaced,
    isKindPermitted: (object, isNamespaced) => isKindPermitted(project, { ...keyOf(object), isNamespaced }).permitted,
    healthOf,
  }
  const first = compareApplication(seen)
  const tried = await tryDiffering(first, { seen, cluster, memory }, ports, signal)
  const comparison = tried.size === 0 ? first : compareApplication({ ...seen, tried })
  const { tracking } = resources
  const orphans = orphanConditions({ app, project, cluster, comparison, tracking, isPermitted: isLivePermitted })
  return orphans.length === 0 ? comparison : { ...comparison, conditions: [...comparison.conditions, ...orphans] }
}

/** What the cluster has of an Application: what is marked for it, and what its manifests name. */
async function liveObjects(
  app: Application,
  {
    instance,
    cluster: { live },
    manifests,
    isLivePermitted,
  }: {
    readonly instance: string
    readonly cluster: OpenCluster
    readonly manifests: readonly KubeObject[]
    readonly isLivePermitted: (object: KubeObject) => boolean
  },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, KubeObject>> {
  const found = new Map<string, KubeObject>()
  for (const object of live.managed(instance)) found.set(keyText(keyOf(object)), object)
  const namespace = app.spec.destination.namespace ?? ''
  const wanted = manifests.map((manifest) => ({ key: keyOf(manifest), version: gvkOf(manifest).version }))
  const managed = app.spec.syncPolicy?.managedNamespaceMetadata
  if (managed && namespace !== '')
    wanted.push({ key: { group: '', kind: 'Namespace', namespace: '', name: namespace }, version: 'v1' })
  for (const { key: written, version } of wanted) {
    const isNamespaced = live.kinds.preferred(written.group, written.kind)?.namespaced ?? true
    const key = { ...written, namespace: isNamespaced ? written.namespace || namespace : '' }
    const text = keyText(key)
    const known = found.get(text) ?? live.get(key)
    const isOther = known !== undefined && known.apiVersion !== apiVersionOf({ group: key.group, version })
    // What the cache has without its bulk, or in another version, is asked for; that is rare.
    const object = known && (isPartial(known) || isOther) ? await live.whole(key, version, signal) : known
    if (object) found.set(text, object)
  }
  for (const [text, object] of found) if (!isLivePermitted(object)) found.delete(text)
  return found
}
