import { own } from '../../lib/json.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Application } from '../application/application.ts'
import { aggregateHealth } from '../health/aggregate.ts'
import type { HealthStatus } from '../health/status.ts'
import { hasOption, listAnnotation, optionIn } from '../sync/annotation-options.ts'
import { isDeleteHook, isHook, isIgnoredHook, isSkipped, phasesOf, waveOf } from '../sync/hook.ts'
import { COMPARE_OPTIONS, type Comparer } from './comparer.ts'
import {
  type ComparedResource,
  type Comparison,
  type ComparisonCondition,
  keyText,
  type ResourceKey,
  type SyncStatusCode,
} from './comparison.ts'
import type { DiffFacts } from './diff.ts'
import type { ResourceSettings } from './resource-settings.ts'
import { prepareTargets, type PreparedTarget } from './targets.ts'
import { applicationOf, isSelfReferenced, keyOf } from './tracking.ts'

/** Everything that a comparison depends on. */
export interface ComparisonSeen {
  readonly application: Application
  /** What marks the objects of this Application. */
  readonly instanceName: string
  /** What the sources say; undefined when they could not be read. */
  readonly manifests: readonly KubeObject[] | undefined
  /** Why something could not be read, whether manifests or the cluster; then nothing can be said about being in sync. */
  readonly problems: readonly string[]
  /**
   * By `keyText`: the live objects that are marked as this Application's, and those that a target names, whoever they are
   * marked for. In the version of the target, where there is one. See `liveObjects`.
   */
  readonly live: ReadonlyMap<string, KubeObject>
  readonly settings: ResourceSettings
  readonly comparer: Comparer
  /** The destination cluster, as settings name it. */
  readonly server: string
  readonly isNamespaced: (group: string, kind: string) => boolean | undefined
  /** The project allows the kind. */
  readonly isKindPermitted: (object: KubeObject, isNamespaced: boolean) => boolean
  readonly healthOf: (object: KubeObject) => HealthStatus | undefined
  /** By `keyText`: what the API server said to tries. */
  readonly tried?: ReadonlyMap<string, DiffFacts>
}

/** Compares an Application with its cluster (argo-cd 3.x, controller/state.go). */
export function compareApplication(seen: ComparisonSeen): Comparison {
  const { application, instanceName, settings } = seen
  const { targets, conditions: found } = prepareTargets(seen.manifests ?? [], {
    instanceName,
    namespace: application.spec.destination.namespace ?? '',
    server: seen.server,
    tracking: settings.tracking,
    filter: settings.filter,
    isNamespaced: seen.isNamespaced,
  })
  const wanted = [...targets, ...managedNamespace(seen, targets)].filter(({ object }) => hasPlaceInSync(object))
  const conditions: ComparisonCondition[] = [
    ...seen.problems.map((message) => ({ type: 'ComparisonError' as const, message })),
    ...found,
    ...sharedWith(seen),
  ]
  const resources = pairs(seen, wanted).map((pair) => compared(pair, seen, conditions))
  const isUnknown = seen.manifests === undefined || seen.problems.length > 0
  const health = aggregateHealth(resources.filter(({ key }) => !isItself(key, seen)))
  return {
    resources: isUnknown
      ? resources.map((resource) => (resource.isHook ? resource : { ...resource, status: 'Unknown' }))
      : resources,
    syncStatus: isUnknown ? 'Unknown' : syncStatusOf(resources, seen),
    healthStatus: health.status,
    ...(health.message === undefined ? {} : { healthBecause: health.message }),
    conditions,
  }
}

/** Hooks of deletion take no part in a sync, unless they are also for one. */
function hasPlaceInSync(object: KubeObject): boolean {
  if (!isDeleteHook(object, 'PreDelete') && !isDeleteHook(object, 'PostDelete')) return true
  return isHook(object) && phasesOf(object).length > 0
}

/** The Namespace whose labels the Application looks after is compared with what it wants of it. */
function managedNamespace(seen: ComparisonSeen, targets: readonly PreparedTarget[]): readonly PreparedTarget[] {
  const { spec } = seen.application
  const wanted = spec.syncPolicy?.managedNamespaceMetadata
  const name = spec.destination.namespace ?? ''
  const key: ResourceKey = { group: '', kind: 'Namespace', namespace: '', name }
  const live = seen.live.get(keyText(key))
  if (!wanted || name === '' || !live || targets.some((target) => keyText(target.key) === keyText(key))) return []
  const labels = { ...live.metadata.labels, ...wanted.labels }
  const annotations = { ...live.metadata.annotations, ...wanted.annotations }
  return [{ key, object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, annotations } } }]
}

interface Pair {
  readonly key: ResourceKey
  readonly target?: KubeObject
  readonly live?: KubeObject
}

/** Targets in their order, each with its live object; then what is live and marked, and in no manifest. */
function pairs(
  { live, isNamespaced, application }: ComparisonSeen,
  targets: readonly PreparedTarget[],
): readonly Pair[] {
  const left = new Map(live)
  const found = targets.map(({ key, object }): Pair => {
    if (isIgnoredHook(object)) return { key, target: object }
    const namespace = key.namespace || (application.spec.destination.namespace ?? '')
    const places =
      isNamespaced(key.group, key.kind) === undefined
        ? [
            { ...key, namespace },
            { ...key, namespace: '' },
          ]
        : [key]
    for (const place of places.map(keyText)) {
      const object_ = left.get(place)
      if (!object_) continue
      left.delete(place)
      return { key: keyOf(object_), target: object, live: object_ }
    }
    return { key, target: object }
  })
  const ids = new Set(found.flatMap(({ live: object }) => object?.metadata.uid ?? []))
  const extra = [...left.values()].filter(({ metadata }) => {
    // Some kinds are served by two groups: the same object is not its own leftover.
    if (metadata.uid === undefined || !ids.has(metadata.uid)) {
      if (metadata.uid !== undefined) ids.add(metadata.uid)
      return true
    }
    return false
  })
  return [...found, ...extra.map((object): Pair => ({ key: keyOf(object), live: object }))]
}

function compared(pair: Pair, seen: ComparisonSeen, conditions: ComparisonCondition[]): ComparedResource {
  const { key, target, live } = pair
  const object = live ?? target
  if (!object) throw new Error('a pair has a side')
  const isOwn = isSelfReferenced(live, target, seen.settings.tracking)
  const isHookHere = [target, object].some((side) => side !== undefined && isAnyHook(side))
  const isLeftOut = isHookHere || isIgnoredHook(object) || (target !== undefined && isSkipped(target)) || !isOwn
  const isNamespaced = seen.isNamespaced(key.group, key.kind)
  if (isNamespaced === true && key.namespace === '') {
    const message = `Namespace for ${key.name} ${object.apiVersion}, Kind=${key.kind} is missing.`
    conditions.push({ type: 'InvalidSpecError', message })
  }
  const health = healthIn(pair, isHookHere, seen)
  return {
    key,
    version: parseApiVersion(object.apiVersion).version,
    isHook: isHookHere,
    requiresPruning: !target && live !== undefined && isOwn,
    requiresDeletionConfirmation: [target, live].some((side) => needsConfirmation(side, seen.application)),
    syncWave: target ? waveOf(target) : 0,
    ...(target ? { target } : {}),
    ...(live ? { live } : {}),
    ...(isLeftOut ? {} : judged(verdictOf(pair, seen, conditions), seen.isKindPermitted(object, isNamespaced ?? true))),
    ...(health ? { health } : {}),
  }
}

const isAnyHook = (object: KubeObject): boolean =>
  isHook(object) || isDeleteHook(object, 'PreDelete') || isDeleteHook(object, 'PostDelete')

/** Nothing can be said of being in sync where the project does not allow the kind. */
const judged = (verdict: Verdict, isPermitted: boolean): Verdict =>
  isPermitted ? verdict : { ...verdict, status: 'Unknown' }

function healthIn({ live }: Pair, isHookHere: boolean, { healthOf }: ComparisonSeen): HealthStatus | undefined {
  if (live) return healthOf(live)
  return isHookHere ? undefined : { status: 'Missing' }
}

type Verdict = Pick<ComparedResource, 'status' | 'diff' | 'because'>

function verdictOf({ key, target, live }: Pair, seen: ComparisonSeen, conditions: ComparisonCondition[]): Verdict {
  if (!target) return { status: 'OutOfSync', because: 'Git does not have it' }
  if (!live) {
    return {
      status: 'OutOfSync',
      diff: { modified: true, predictedLive: target },
      because: 'the cluster does not have it',
    }
  }
  const outcome = seen.comparer.diff(target, live, seen.tried?.get(keyText(key)))
  for (const { message } of outcome.problems) {
    conditions.push({ type: 'ComparisonError', message: `Failed to compare ${key.kind} ${key.name}: ${message}` })
  }
  const { modified, normalizedLive, predictedLive, admittedPaths } = outcome
  const diff = {
    modified,
    ...(normalizedLive ? { normalizedLive } : {}),
    ...(predictedLive ? { predictedLive } : {}),
  }
  if (modified) return { status: 'OutOfSync', diff }
  if (admittedPaths.length === 0) return { status: 'Synced', diff }
  return { status: 'Synced', diff, because: `admission sets ${admittedPaths.join(', ')}: a sync would not change it` }
}

/** Deletions of it wait for a word: its own option decides, or else the Application's. */
function needsConfirmation(object: KubeObject | undefined, application: Application): boolean {
  if (!object) return false
  if (hasOption(object, 'Prune=confirm') || hasOption(object, 'Delete=confirm')) return true
  const options = application.spec.syncPolicy?.syncOptions ?? []
  const confirms = (name: string): boolean =>
    optionIn(listAnnotation(object, 'argocd.argoproj.io/sync-options'), name) === undefined &&
    optionIn(options, name) === 'confirm'
  return confirms('Prune') || confirms('Delete')
}

/** Objects that carry the marks of another Application. */
function sharedWith({ live, instanceName, application, settings }: ComparisonSeen): readonly ComparisonCondition[] {
  return [...live.values()].flatMap((object): readonly ComparisonCondition[] => {
    const owner = applicationOf(object, settings.tracking)
    if (owner === '' || owner === instanceName) return []
    const { namespace = '', name = '' } = application.metadata
    const itself = instanceName.includes('_') ? `${namespace}/${name}` : name
    const message = `${object.kind}/${object.metadata.name ?? ''} is part of applications ${itself} and ${owner.replaceAll('_', '/')}`
    return [{ type: 'SharedResourceWarning', message }]
  })
}

/** An Application that manages itself says nothing about its own health. */
function isItself({ group, kind, namespace, name }: ResourceKey, { application }: ComparisonSeen): boolean {
  const { metadata } = application
  return (
    group === 'argoproj.io' &&
    kind === 'Application' &&
    name === metadata.name &&
    namespace === (metadata.namespace ?? '')
  )
}

function syncStatusOf(resources: readonly ComparedResource[], { application }: ComparisonSeen): SyncStatusCode {
  const isOut = resources.some((resource) => {
    const { target, live, status, isHook: isHookHere, diff } = resource
    if (isHookHere || status === undefined) return false
    if (target && live) return diff?.modified === true
    const object = target ?? live
    return !(live && !target && listAnnotation(object, COMPARE_OPTIONS).includes('IgnoreExtraneous'))
  })
  return isOut || hasNewNamespaceMetadata(application) ? 'OutOfSync' : 'Synced'
}

/** What the Application wants of its Namespace is not what the last sync was asked for. */
function hasNewNamespaceMetadata({ spec, status }: Application): boolean {
  const wanted = spec.syncPolicy?.managedNamespaceMetadata
  const done = status?.operationState?.syncResult
  if (!wanted || !done) return false
  const before = done.managedNamespaceMetadata
  const same = (a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean =>
    Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((key) => own(a, key) === own(b, key))
  return !same(wanted.labels, before?.labels) || !same(wanted.annotations, before?.annotations)
}
