import { gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseTime } from '../../kube/time.ts'
import { explain } from '../../lib/result.ts'
import { again, done, type Turn } from '../../runtime/work-queue.ts'
import type { TurnContext } from '../../runtime/controller.ts'
import { FIELD_MANAGER } from '../apply/apply-object.ts'
import type { OpenCluster } from '../clusters/clusters.ts'
import { keyOf } from '../compare/tracking.ts'
import { instanceName, withTracking } from '../compare/tracking.ts'
import type { AppProject } from '../project/app-project.ts'
import { isResourcePermitted } from '../project/resource-rules.ts'
import { annotationOf } from '../sync/annotation-options.ts'
import { isDeleteHook } from '../sync/hook.ts'
import type { AppMemory, AppPorts } from './app-ports.ts'
import type { Application } from './application.ts'
import {
  type DeletionSeen,
  type DeletionStep,
  hasOurFinalizers,
  planDeletion,
  POST_DELETE_FINALIZER,
  PRE_DELETE_FINALIZER,
} from './plan/deletion.ts'
import { renderTargets } from './render-targets.ts'
import { writeApplication } from './write-application.ts'

const MOST_STEPS = 100
const FAILED_HOOK_AGAIN_MS = 5_000
const CHANGED_AGAIN_MS = 50

/** What a turn of a deletion leaves to be told on the Application. */
export type DeletionTurn = { readonly turn: Turn; readonly problem?: string }

/** Takes the deletion of an Application as far as it can go now. */
export async function deleteApplication(
  app: Application,
  memory: AppMemory,
  ports: AppPorts,
  { log, signal }: TurnContext,
): Promise<DeletionTurn> {
  if (!hasOurFinalizers(app)) return { turn: done }
  let current = app
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const seen = await observeDeletion(current, memory, ports, signal)
    if ('because' in seen) return { turn: again(seen.afterMs, seen.because), problem: seen.because }
    const step = planDeletion(seen.seen)
    log.info('a deletion goes on', { step: step.do, because: 'because' in step ? step.because : '' })
    const ended = await act(step, { app: current, cluster: seen.cluster, ports, signal })
    if ('turn' in ended) return ended
    current = ended.app
  }
  return { turn: again(0, 'the deletion goes on') }
}

type Seen = { readonly seen: DeletionSeen; readonly cluster: OpenCluster | undefined }

async function observeDeletion(
  app: Application,
  memory: AppMemory,
  ports: AppPorts,
  signal: AbortSignal,
): Promise<Seen | { readonly because: string; readonly afterMs: number }> {
  const entry = ports.clusters.find(app.spec.destination)
  const opened = entry ? ports.clusters.open(entry) : undefined
  const cluster = opened?.ok ? opened.value : undefined
  const deletedMs = parseTime(app.metadata.deletionTimestamp ?? '') ?? 0
  const approved = parseTime(annotationOf(app, 'argocd.argoproj.io/deletion-approved') ?? '')
  const common = {
    app,
    hasCluster: entry !== undefined,
    isConfirmed: approved !== undefined && approved >= deletedMs,
    healthOf: ports.healthOf,
  }
  if (!entry) return { seen: { ...common, live: [], hooks: [] }, cluster: undefined }
  if (!cluster?.live.isSynced)
    return { because: cluster?.live.trouble ?? `cluster ${entry.name} is being read`, afterMs: 200 }
  const project = ports.projectOf(app.spec.project || 'default')
  // Without its rules nobody can say what may be deleted.
  if (!project.ok) return { because: project.error.map(explain).join('; '), afterMs: 5_000 }
  const finalizers = app.metadata.finalizers ?? []
  const needsHooks = finalizers.includes(PRE_DELETE_FINALIZER) || finalizers.includes(POST_DELETE_FINALIZER)
  const hooks = needsHooks ? await hooksOf(app, { memory, cluster }, ports, signal) : []
  if ('because' in hooks) return { because: hooks.because, afterMs: 5_000 }
  return { seen: { ...common, live: permittedLive(app, project.value, cluster, ports), hooks }, cluster }
}

function permittedLive(
  app: Application,
  project: AppProject,
  { live, entry }: OpenCluster,
  { controllerNamespace, clusters }: AppPorts,
): DeletionSeen['live'] {
  return live.managed(instanceName(app, controllerNamespace)).flatMap((object) => {
    const key = keyOf(object)
    const isNamespaced = live.kinds.preferred(key.group, key.kind)?.namespaced ?? true
    const verdict = isResourcePermitted(project, { ...key, isNamespaced }, entry, clusters.entries())
    return verdict.permitted ? [{ key, object }] : []
  })
}

async function hooksOf(
  app: Application,
  { memory, cluster }: { readonly memory: AppMemory; readonly cluster: OpenCluster },
  ports: AppPorts,
  signal: AbortSignal,
): Promise<DeletionSeen['hooks'] | { readonly because: string }> {
  const rendered = await renderTargets(app, { memory, wanted: {}, cluster }, ports, signal)
  if (!rendered.ok)
    return { because: `cannot read the hooks of the deletion: ${rendered.error.map(explain).join('; ')}` }
  const instance = instanceName(app, ports.controllerNamespace)
  return rendered.value.manifests
    .filter((object) => isDeleteHook(object, 'PreDelete') || isDeleteHook(object, 'PostDelete'))
    .map((object) => {
      const placed = tracked(object, { app, instance, cluster, ports })
      return { key: keyOf(placed), object: placed }
    })
}

function tracked(
  object: KubeObject,
  {
    app,
    instance,
    cluster,
    ports,
  }: { readonly app: Application; readonly instance: string; readonly cluster: OpenCluster; readonly ports: AppPorts },
): KubeObject {
  const { group, version, kind } = gvkOf(object)
  const isNamespaced = cluster.live.kinds.isNamespaced(group, version, kind) ?? true
  const namespace = isNamespaced ? object.metadata.namespace || (app.spec.destination.namespace ?? '') : ''
  const placed: KubeObject = { ...object, metadata: { ...object.metadata, ...(namespace === '' ? {} : { namespace }) } }
  return withTracking(placed, instance, namespace, ports.settings().resources.tracking)
}

interface Doing {
  readonly app: Application
  readonly cluster: OpenCluster | undefined
  readonly ports: AppPorts
  readonly signal: AbortSignal
}

async function act(step: DeletionStep, doing: Doing): Promise<DeletionTurn | { readonly app: Application }> {
  switch (step.do) {
    case 'nothing':
      return { turn: done }
    case 'wait':
      return { turn: done, problem: step.because }
    case 'remove-finalizers':
      return release(step, doing)
    case 'create-hooks':
      return createHooks(step, doing)
    case 'fail':
      for (const hook of step.hooks) await remove(hook, 'Background', doing)
      return { turn: again(FAILED_HOOK_AGAIN_MS, step.because), problem: step.because }
    case 'delete': {
      let problem: string | undefined
      let hasChanged = false
      for (const doomed of step.objects) {
        const removal = await remove(doomed, step.propagation, doing)
        if (removal.outcome === 'failed') problem = removal.message
        hasChanged ||= removal.outcome === 'changed'
      }
      if (problem !== undefined) return { turn: { do: 'retry', because: problem }, problem }
      if (hasChanged) return { turn: again(CHANGED_AGAIN_MS, 'objects have changed while they were to be deleted') }
      // What is gone tells of itself; what is held by finalizers too.
      return { turn: done }
    }
  }
}

async function release(
  step: Extract<DeletionStep, { readonly do: 'remove-finalizers' }>,
  { app, ports, signal }: Doing,
): Promise<DeletionTurn | { readonly app: Application }> {
  const finalizers = (app.metadata.finalizers ?? []).filter((one) => !step.finalizers.includes(one))
  const outcome = await writeApplication(app, { finalizers }, ports.client, signal)
  if (!outcome.ok) return { turn: outcome.isGone ? done : { do: 'retry', because: outcome.message } }
  return finalizers.length === 0 ? { turn: done } : { app: outcome.app }
}

async function createHooks(
  step: Extract<DeletionStep, { readonly do: 'create-hooks' }>,
  { cluster, signal }: Doing,
): Promise<DeletionTurn> {
  for (const { key, object } of step.hooks) {
    const target = cluster?.live.targetOf(key, gvkOf(object).version)
    if (!cluster || !target) {
      const problem = `the destination does not serve ${key.kind}`
      return { turn: again(FAILED_HOOK_AGAIN_MS, problem), problem }
    }
    const { name: _named, ...collection } = target
    const made = await cluster.live.client.create(collection, object, { fieldManager: FIELD_MANAGER, signal })
    if (made.ok) await cluster.live.caughtUp(made.value, signal)
    else if (made.error.reason !== 'AlreadyExists') {
      return { turn: { do: 'retry', because: made.error.message }, problem: made.error.message }
    }
  }
  return { turn: done, problem: step.because }
}

type Removal = { readonly outcome: 'gone' | 'changed' } | { readonly outcome: 'failed'; readonly message: string }

/** Deletes an object as it was seen: meanwhile it may have become another Application's, or a namesake stands in its place. */
async function remove(
  { key, object }: DeletionSeen['live'][number],
  propagationPolicy: 'Foreground' | 'Background',
  { cluster, signal }: Pick<Doing, 'cluster' | 'signal'>,
): Promise<Removal> {
  const target = cluster?.live.targetOf(key)
  if (!cluster || !target) return { outcome: 'gone' }
  const { uid, resourceVersion } = object.metadata
  const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) }
  const answer = await cluster.live.client.delete(target, { propagationPolicy, preconditions, signal })
  if (answer.ok || answer.error.reason === 'NotFound') return { outcome: 'gone' }
  if (answer.error.reason === 'Conflict') return { outcome: 'changed' }
  return { outcome: 'failed', message: answer.error.message }
}
