import type { KubeObject } from '../../kube/object.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { ResourceResult, SyncOperation } from '../application/application.ts'
import { type ComparedResource, keyText, type ResourceKey } from '../compare/comparison.ts'
import type { HealthStatus } from '../health/status.ts'
import { isHook, waveOf } from './hook.ts'
import { definedKind } from './order-tasks.ts'
import { planSync, type SyncStep } from './plan-sync.ts'
import { isSelected } from './selected.ts'
import type { SyncAction } from './sync-action.ts'
import { type ActionOutcome, ranOf, stopsAfter, updatesOf } from './sync-outcome.ts'
import type { Ran, SyncSeen } from './sync-seen.ts'
import { syncSettings } from './sync-settings.ts'
import { withUpdates } from './task-results.ts'

/** A cluster that does at once what it is told, and a record of what that was. */
export interface SyncWorld {
  /** What Git has; may be changed between turns. */
  targets: readonly KubeObject[]
  readonly live: Map<string, KubeObject>
  /** How objects are, by kind/name; what is not named has no health. */
  readonly health: Map<string, HealthStatus>
  /** Objects that the API refuses, by kind/name. */
  readonly refuses: Map<string, string>
  /** Objects that stay for a while when they are deleted, by kind/name. */
  readonly lingers: Set<string>
  readonly log: string[]
  results: readonly ResourceResult[]
  phase: string
  message: string
  /** Plans and acts until the sync waits or is over. */
  turn(more?: Partial<SyncSeen>): SyncStep
}

export const startedAtMs: number = Date.UTC(2026, 0, 1)

const short = ({ kind, name }: ResourceKey): string => `${kind}/${name}`

export function keyOf({ apiVersion, kind, metadata }: KubeObject): ResourceKey {
  const { namespace = '', name = '' } = metadata
  return { group: parseApiVersion(apiVersion).group, kind, namespace, name }
}

/** An object in few words: `manifest('ConfigMap', 'a', { wave: 1 })`. */
export function manifest(
  kind: string,
  name: string,
  {
    wave,
    hook,
    policy,
    options,
    namespace = 'shop',
    ...more
  }: {
    readonly wave?: number
    readonly hook?: string
    readonly policy?: string
    readonly options?: string
    readonly namespace?: string
    readonly [field: string]: unknown
  } = {},
): KubeObject {
  const annotations = {
    ...(wave === undefined ? {} : { 'argocd.argoproj.io/sync-wave': String(wave) }),
    ...(hook === undefined ? {} : { 'argocd.argoproj.io/hook': hook }),
    ...(policy === undefined ? {} : { 'argocd.argoproj.io/hook-delete-policy': policy }),
    ...(options === undefined ? {} : { 'argocd.argoproj.io/sync-options': options }),
  }
  const apiVersion = apiVersions.get(kind) ?? 'v1'
  const isCluster = kind === 'Namespace' || kind === 'CustomResourceDefinition'
  return {
    apiVersion,
    kind,
    metadata: { ...(isCluster ? {} : { namespace }), name, annotations },
    ...more,
  }
}

const apiVersions: ReadonlyMap<string, string> = new Map([
  ['Job', 'batch/v1'],
  ['Deployment', 'apps/v1'],
  ['CustomResourceDefinition', 'apiextensions.k8s.io/v1'],
  ['Widget', 'example.com/v1'],
])

/** A world in which a sync of the objects is about to begin. */
export function syncWorld(
  targets: readonly KubeObject[],
  operation: SyncOperation = {},
  present: readonly KubeObject[] = [],
): SyncWorld {
  const world: SyncWorld = {
    targets,
    live: new Map(present.map((object) => [keyText(keyOf(object)), object])),
    health: new Map(),
    refuses: new Map(),
    lingers: new Set(),
    log: [],
    results: [],
    phase: 'Running',
    message: '',
    turn(more = {}) {
      let ran: Ran | undefined
      for (let steps = 0; steps < 100; steps++) {
        const step = planSync({ ...seenIn(world, operation), ...(ran ? { ran } : {}), ...withNamespace(world, more) })
        world.results = step.results
        world.message = step.message
        if (step.do === 'wait') return step
        if (step.do === 'finish') {
          for (const action of step.last) act(world, action, false)
          world.phase = step.phase
          return step
        }
        const isTrial = step.purpose === 'dry-run' || operation.dryRun === true
        const outcomes: ActionOutcome[] = []
        for (const stage of step.stages) {
          const ended = stage.map((action) => act(world, action, isTrial))
          outcomes.push(...ended)
          if (stopsAfter(ended)) break
        }
        const settings = syncSettings(operation)
        world.results = withUpdates(world.results, updatesOf(step.purpose, outcomes, { settings }))
        ran = ranOf(step, outcomes)
      }
      throw new Error('the sync does not come to rest')
    },
  }
  return world
}

/** A Namespace that a sync looks after is seen as it has become. */
function withNamespace(world: SyncWorld, more: Partial<SyncSeen>): Partial<SyncSeen> {
  if (!more.managedNamespace) return more
  const { target } = more.managedNamespace
  const live = world.live.get(keyText(keyOf(target)))
  return { ...more, managedNamespace: { target, ...(live ? { live } : {}) } }
}

function seenIn(world: SyncWorld, operation: SyncOperation): SyncSeen {
  const healthOf = (object: KubeObject): HealthStatus | undefined => world.health.get(short(keyOf(object)))
  return {
    isTerminating: world.phase === 'Terminating',
    startedAtMs,
    revision: 'abcdef0123456789',
    namespace: 'shop',
    resources: comparedIn(world, healthOf),
    settings: syncSettings(operation),
    results: world.results,
    isPruneConfirmed: false,
    isSelected: (key) => isSelected(key, operation.resources),
    kinds: {
      isNamespaced(group, _version, kind) {
        if (group === 'example.com') {
          const isDefined = [...world.live.values()].some((one) => definedKind(one) === `${group}/${kind}`)
          return isDefined ? true : undefined
        }
        return kind !== 'Namespace' && kind !== 'CustomResourceDefinition'
      },
    },
    refusal: () => undefined,
    healthOf,
    blockerOf: () => '',
  }
}

function comparedIn(world: SyncWorld, healthOf: SyncSeen['healthOf']): readonly ComparedResource[] {
  const compared: ComparedResource[] = []
  const wanted = new Set<string>()
  for (const target of world.targets) {
    const key = keyOf(target)
    wanted.add(keyText(key))
    compared.push(comparedOf(key, target, world.live.get(keyText(key)), healthOf))
  }
  for (const [text, live] of world.live) {
    if (!wanted.has(text)) compared.push(comparedOf(keyOf(live), undefined, live, healthOf))
  }
  return compared
}

function comparedOf(
  key: ResourceKey,
  target: KubeObject | undefined,
  live: KubeObject | undefined,
  healthOf: SyncSeen['healthOf'],
): ComparedResource {
  const object = target ?? live
  if (!object) throw new Error('nothing is compared with nothing')
  const health = live && healthOf(live)
  return {
    key,
    version: parseApiVersion(object.apiVersion).version,
    ...(target ? { target } : {}),
    ...(live ? { live } : {}),
    status: target && live && live['data'] === target['data'] ? 'Synced' : 'OutOfSync',
    isHook: isHook(object),
    requiresPruning: !target,
    requiresDeletionConfirmation: false,
    syncWave: waveOf(object),
    ...(health ? { health } : {}),
  }
}

function act(world: SyncWorld, action: SyncAction, isTrial: boolean): ActionOutcome {
  const { task } = action
  const text = keyText(task.key)
  const refused = world.refuses.get(short(task.key))
  if (action.do === 'keep') return { action, outcome: 'done', message: action.because }
  if (action.do === 'prune' && action.needsConfirmation) return { action, outcome: 'pending', message: '' }
  world.log.push(`${isTrial ? 'try ' : ''}${action.do} ${short(task.key)}`)
  if (refused !== undefined && action.do === 'apply') return { action, outcome: 'failed', message: refused }
  if (isTrial) return { action, outcome: 'done', message: '' }
  if (action.do === 'apply') {
    world.live.set(text, { ...action.object, metadata: { ...action.object.metadata, uid: text } })
    return { action, outcome: 'done', message: `${short(task.key)} created` }
  }
  const live = world.live.get(text)
  if (action.do === 'release-hook') {
    if (live) world.live.set(text, { ...live, metadata: { ...live.metadata, finalizers: [] } })
    return { action, outcome: 'done', message: '' }
  }
  if (world.lingers.has(short(task.key)) && live) {
    world.live.set(text, { ...live, metadata: { ...live.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
  } else world.live.delete(text)
  return { action, outcome: action.do === 'delete-hook' ? 'pending' : 'done', message: 'gone' }
}
