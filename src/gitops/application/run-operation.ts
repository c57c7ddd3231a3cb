import type { Client } from '../../kube/client.ts'
import { gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseTime } from '../../kube/time.ts'
import { performStages, type PerformPorts, type Written } from '../apply/perform.ts'
import { type ComparedResource, keyText } from '../compare/comparison.ts'
import { keyOf } from '../compare/tracking.ts'
import { serviceAccountFor } from '../project/impersonation.ts'
import { isResourcePermitted } from '../project/resource-rules.ts'
import { annotationOf } from '../sync/annotation-options.ts'
import { isHook, waveOf } from '../sync/hook.ts'
import { planSync } from '../sync/plan-sync.ts'
import { isSelected } from '../sync/selected.ts'
import type { SyncAction } from '../sync/sync-action.ts'
import { ranOf, updatesOf } from '../sync/sync-outcome.ts'
import type { Ran, SyncSeen } from '../sync/sync-seen.ts'
import { syncSettings } from '../sync/sync-settings.ts'
import { withUpdates } from '../sync/task-results.ts'
import type { AppPorts } from './app-ports.ts'
import { type Application, type OperationState, type RevisionHistory, type SyncResult } from './application.ts'
import { comparerOf } from './comparer-of.ts'
import { begin, type OperationContext, runningHooks } from './begin-operation.ts'
import type { Compared } from './observe.ts'
import { type AttemptEnd, endAttempt, withHistory } from './plan/operation-state.ts'
import { blockerIn } from './blocker.ts'

/** What a turn of an operation has led to. */
export interface OperationTurn {
  readonly state: OperationState
  readonly history: readonly RevisionHistory[]
  /** Something was written: what was compared before is old. */
  readonly hasActed: boolean
}

const MOST_STEPS = 10_000

/** Takes an operation as far as it can go now: to its end, or to where it waits. */
export async function runOperation(context: OperationContext, ports: AppPorts): Promise<OperationTurn> {
  const { state, app } = context
  const { sync } = state.operation
  if (!sync)
    return ended(context, ports, {
      phase: 'Error',
      message: 'Invalid operation request: no operation specified',
      syncResult: undefined,
    })
  const begun = state.phase === 'Terminating' ? runningHooks(context) : await begin(context, ports)
  if ('end' in begun) return ended(context, ports, begun.end)
  const { compared, result } = begun
  const shared = settingsProblem(context, compared)
  if (shared !== undefined) return ended(context, ports, { ...shared, syncResult: result })
  const account = accountOf(app, compared, ports)
  if ('because' in account)
    return ended(context, ports, { phase: 'Error', message: account.because, syncResult: result })
  return drive(context, { compared, result, client: account.client }, ports)
}

function ended(
  { app, state }: OperationContext,
  { clock }: AppPorts,
  end: AttemptEnd,
  hasActed: boolean = false,
): OperationTurn {
  const next = endAttempt(state, end, clock.now())
  return { state: next, history: withHistory(app, next, clock.now()), hasActed }
}

function settingsProblem(
  { state }: OperationContext,
  { conditions }: Compared,
): { readonly phase: 'Failed' | 'Error'; readonly message: string } | undefined {
  const { failOnSharedResource } = syncSettings(state.operation.sync ?? {})
  const shared = conditions.filter(({ type }) => type === 'SharedResourceWarning')
  if (failOnSharedResource && shared.length > 0) {
    return { phase: 'Failed', message: `Shared resource found: ${shared.map(({ message }) => message).join(', ')}` }
  }
  const errors = conditions.filter(({ type }) => type === 'ComparisonError' || type === 'InvalidSpecError')
  if (errors.length === 0) return undefined
  return { phase: 'Error', message: errors.map(({ type, message }) => `${type}: ${message}`).join('; ') }
}

/** As whom a sync writes, when the project names an account for the destination. */
function accountOf(
  app: Application,
  { project, cluster }: Compared,
  { settings, actAs }: AppPorts,
): { readonly client: Client | undefined } | { readonly because: string } {
  const { impersonation } = settings()
  if (!impersonation.isEnabled) return { client: undefined }
  const namespace = app.spec.destination.namespace ?? ''
  const found = serviceAccountFor(project, {
    server: cluster.entry.server,
    namespace,
    applicationNamespace: app.metadata.namespace ?? '',
  })
  if (!found.ok) {
    return {
      because: `failed to derive service account to impersonate: ${found.error.map(({ message }) => message).join('; ')}`,
    }
  }
  if (found.value === undefined) {
    if (!impersonation.isEnforced) return { client: undefined }
    return {
      because: `no matching service account found for destination server ${cluster.entry.server} and namespace ${namespace}`,
    }
  }
  const client = actAs?.(cluster, found.value)
  return client ? { client } : { because: `cannot act as ${found.value} on cluster ${cluster.entry.name}` }
}

interface Drive {
  readonly compared: Compared
  readonly result: SyncResult
  readonly client: Client | undefined
}

/** Plans and acts until the sync is over or waits. */
async function drive(
  context: OperationContext,
  { compared, result, client }: Drive,
  ports: AppPorts,
): Promise<OperationTurn> {
  const { state, log, signal, app } = context
  const { live } = compared.cluster
  const written: Written = { objects: new Map() }
  const settings = syncSettings(state.operation.sync ?? {})
  const migratesFrom = annotationOf(app, 'argocd.argoproj.io/client-side-apply-migration-manager')
  const perform: PerformPorts = {
    live,
    ...(client ? { client } : {}),
    clock: ports.clock,
    log,
    schemaOf: (object) => ports.schemas.schemaOf(gvkOf(object)),
    ...(migratesFrom ? { migratesFrom } : {}),
  }
  const wanted = settings.respectIgnoreDifferences
    ? respecting(context, compared, ports)
    : compared.comparison.resources
  let resources = wanted
  let results = result.resources ?? []
  let ran: Ran | undefined
  let hasActed = false
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const seen: SyncSeen = {
      ...(await seenOf(context, compared, { resources, written }, ports)),
      revision: result.revision || (result.revisions?.[0] ?? ''),
      settings,
      results,
      ...(ran ? { ran } : {}),
    }
    const step = planSync(seen)
    results = step.results
    const known: SyncResult = { ...result, resources: results }
    if (step.do === 'wait') {
      await settle(written, live, signal)
      return {
        state: { ...state, message: step.message, syncResult: known },
        history: app.status?.history ?? [],
        hasActed,
      }
    }
    if (step.do === 'finish') {
      const outcomes = await lastOf(step.last, written, perform, signal)
      results = withUpdates(results, updatesOf('wave', outcomes, { settings }))
      await settle(written, live, signal)
      const end = { phase: step.phase, message: step.message, syncResult: { ...result, resources: results } }
      return ended(context, ports, end, hasActed || step.last.length > 0)
    }
    const isTrial = step.purpose === 'dry-run' || settings.isDryRun
    const outcomes = await performStages(step.stages, { isTrial, written }, perform, signal)
    hasActed ||= !isTrial
    results = withUpdates(results, updatesOf(step.purpose, outcomes, { settings }))
    ran = ranOf(step, outcomes)
    resources = overlaid(wanted, written)
    if (!isTrial && ran.outcome === 'successful') {
      await context.save({ ...state, message: step.message, syncResult: { ...result, resources: results } })
    }
  }
  throw new Error('a sync does not come to rest')
}

/** The targets with live values where differences are ignored. */
function respecting(
  { app, memory }: OperationContext,
  { cluster, comparison }: Compared,
  ports: AppPorts,
): readonly ComparedResource[] {
  const comparer = comparerOf(app, memory, cluster, ports)
  return comparison.resources.map((resource) => {
    const { target, live, isHook: isRun } = resource
    return target && live && !isRun ? { ...resource, target: comparer.respecting(target, live) } : resource
  })
}

/** What ends a sync must not keep it from ending: hooks are let go first, then removed. */
async function lastOf(
  actions: readonly SyncAction[],
  written: Written,
  ports: PerformPorts,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<typeof performStages>>> {
  const releases = actions.filter((action) => action.do === 'release-hook')
  const others = actions.filter((action) => action.do !== 'release-hook')
  return performStages(
    [releases, others].filter((stage) => stage.length > 0),
    { isTrial: false, written },
    ports,
    signal,
  )
}

/** Waits until the watches have told what was written, so that the next look sees it. */
async function settle(written: Written, live: Compared['cluster']['live'], signal: AbortSignal): Promise<void> {
  const there = [...written.objects.values()].filter((object) => object !== undefined)
  await Promise.all(there.map((object) => live.caughtUp(object, signal)))
}

/** The resources with what was just written, before any watch can tell. */
function overlaid(resources: readonly ComparedResource[], { objects }: Written): readonly ComparedResource[] {
  if (objects.size === 0) return resources
  const left = new Map(objects)
  const known = resources.map((resource) => {
    const text = keyText(resource.key)
    if (!left.has(text)) return resource
    const live = left.get(text)
    left.delete(text)
    const { live: _before, ...rest } = resource
    return live ? { ...rest, live } : rest
  })
  const more = [...left.values()].flatMap((live): readonly ComparedResource[] =>
    live
      ? [
          {
            key: keyOf(live),
            version: gvkOf(live).version,
            live,
            isHook: isHook(live),
            requiresPruning: false,
            requiresDeletionConfirmation: false,
            syncWave: waveOf(live),
          },
        ]
      : [],
  )
  return [...known, ...more]
}

async function seenOf(
  { app, state, signal }: OperationContext,
  { project, cluster }: Compared,
  { resources, written }: { readonly resources: readonly ComparedResource[]; readonly written: Written },
  { healthOf, clusters }: AppPorts,
): Promise<Omit<SyncSeen, 'settings' | 'results' | 'revision' | 'ran'>> {
  const { live, entry } = cluster
  const sync = state.operation.sync ?? {}
  const startedAtMs = parseTime(state.startedAt) ?? 0
  const namespace = app.spec.destination.namespace ?? ''
  const approved = parseTime(annotationOf(app, 'argocd.argoproj.io/deletion-approved') ?? '')
  const managedNamespace = await namespaceOf(app, { namespace, live, written }, signal)
  return {
    isTerminating: state.phase === 'Terminating',
    startedAtMs,
    namespace,
    resources,
    isPruneConfirmed: approved !== undefined && approved >= startedAtMs,
    ...(managedNamespace && syncSettings(sync).createNamespace ? { managedNamespace } : {}),
    isSelected: (key) => isSelected(key, sync.resources),
    kinds: live.kinds,
    refusal(object) {
      const { group, version, kind } = gvkOf(object)
      const isNamespaced = live.kinds.isNamespaced(group, version, kind) ?? true
      const wanted = {
        group,
        kind,
        name: object.metadata.name ?? '',
        isNamespaced,
        namespace: object.metadata.namespace ?? '',
      }
      const verdict = isResourcePermitted(project, wanted, entry, clusters.entries())
      if (verdict.permitted) return undefined
      const what = `resource ${group}:${kind}`
      return `${what} is not permitted in project ${project.name}: ${verdict.because} (${verdict.cure})`
    },
    healthOf,
    blockerOf: blockerIn(live, healthOf),
  }
}

/** The destination's Namespace as `CreateNamespace=true` wants it. */
async function namespaceOf(
  { spec }: Application,
  {
    namespace,
    live,
    written,
  }: { readonly namespace: string; readonly live: Compared['cluster']['live']; readonly written: Written },
  signal: AbortSignal,
): Promise<SyncSeen['managedNamespace']> {
  if (namespace === '') return undefined
  const key = { group: '', kind: 'Namespace', namespace: '', name: namespace }
  const found = written.objects.has(keyText(key))
    ? written.objects.get(keyText(key))
    : await live.whole(key, 'v1', signal)
  const managed = spec.syncPolicy?.managedNamespaceMetadata
  const target: KubeObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      ...(managed
        ? {
            ...(managed.labels ? { labels: managed.labels } : {}),
            // Only these labels and annotations are looked after; others on the Namespace stay.
            annotations: { ...managed.annotations, 'argocd.argoproj.io/sync-options': 'ServerSideApply=true' },
          }
        : {}),
    },
  }
  return { target, ...(found ? { live: found } : {}) }
}
