import type { KubeObject } from '../../kube/object.ts'
import { parseTime } from '../../kube/time.ts'
import { isEqual, isObject, own } from '../../lib/json.ts'
import type { Labels, Metrics } from '../../lib/metrics.ts'
import { fieldsOf, objectsOf, textOf } from '../fields.ts'
import { normalRepoUrl } from '../project/match-rule.ts'

/** What happened to an object, as an informer tells. */
export interface Seen {
  readonly type: 'added' | 'changed' | 'removed'
  readonly object: KubeObject
  readonly previous?: KubeObject
}

/** The server of a destination that is given by name. */
export type ServerOf = (destination: Readonly<Record<string, unknown>>) => string

const spec = (application: KubeObject): Readonly<Record<string, unknown>> => fieldsOf(application, 'spec')

const identity = (application: KubeObject): Labels => ({
  namespace: application.metadata.namespace ?? '',
  name: application.metadata.name ?? '',
  project: textOf(spec(application), 'project') || 'default',
})

/** The labels of `argocd_app_info` for an Application. */
export function infoLabels(application: KubeObject, serverOf: ServerOf): Labels {
  const status = fieldsOf(application, 'status')
  const destination = fieldsOf(spec(application), 'destination')
  const automated = own(fieldsOf(spec(application), 'syncPolicy'), 'automated')
  const [first] = objectsOf(spec(application), 'sources') ?? []
  const source = first ?? fieldsOf(spec(application), 'source')
  const isDeleted = application.metadata.deletionTimestamp !== undefined
  const isSyncing = isObject(own(fieldsOf(application, 'operation'), 'sync'))
  return {
    ...identity(application),
    autosync_enabled: String(isObject(automated) && own(automated, 'enabled') !== false),
    repo: normalRepoUrl(textOf(source, 'repoURL')),
    dest_server: serverOf(destination),
    dest_namespace: textOf(destination, 'namespace'),
    sync_status: textOf(fieldsOf(status, 'sync'), 'status') || 'Unknown',
    health_status: textOf(fieldsOf(status, 'health'), 'status') || 'Unknown',
    operation: isDeleted ? 'delete' : isSyncing ? 'sync' : '',
  }
}

/** A sync that has just ended, as its counters tell; undefined where none has. */
export interface EndedSync {
  readonly labels: Labels
  readonly durationLabels: Labels
  readonly seconds: number
}

const ENDED = ['Succeeded', 'Failed', 'Error']

/** What of a change is the end of a sync. */
export function endedSync({ type, object, previous }: Seen, serverOf: ServerOf): EndedSync | undefined {
  if (type !== 'changed' || !previous) return undefined
  const operation = fieldsOf(fieldsOf(object, 'status'), 'operationState')
  const before = fieldsOf(fieldsOf(previous, 'status'), 'operationState')
  const [phase, finishedAt] = [textOf(operation, 'phase'), textOf(operation, 'finishedAt')]
  const isNews = finishedAt !== textOf(before, 'finishedAt') || phase !== textOf(before, 'phase')
  if (!ENDED.includes(phase) || finishedAt === '' || !isNews) return undefined
  const durationLabels = { ...identity(object), dest_server: serverOf(fieldsOf(spec(object), 'destination')) }
  const dryRun = own(fieldsOf(fieldsOf(operation, 'operation'), 'sync'), 'dryRun') === true
  const started = parseTime(textOf(operation, 'startedAt'))
  const ended = parseTime(finishedAt)
  return {
    labels: { ...durationLabels, phase, dry_run: String(dryRun) },
    durationLabels,
    seconds: started === undefined || ended === undefined ? 0 : Math.max(0, (ended - started) / 1_000),
  }
}

/** Keeps Argo CD's metrics of Applications current: tell it every change. */
export function applicationMetrics(metrics: Metrics, serverOf: ServerOf): (seen: Seen) => void {
  const info = metrics.gauge('argocd_app_info', 'Information about application.')
  const syncs = metrics.counter('argocd_app_sync_total', 'Number of application syncs.')
  const took = metrics.counter(
    'argocd_app_sync_duration_seconds_total',
    'Application sync performance in seconds total.',
  )
  const shown = new Map<string, Labels>()
  return (seen) => {
    const { object, type } = seen
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`
    const before = shown.get(key)
    const labels = type === 'removed' ? undefined : infoLabels(object, serverOf)
    if (!isEqual(before, labels)) {
      if (before) info.remove(before)
      if (labels) {
        info.with(labels).set(1)
        shown.set(key, labels)
      } else shown.delete(key)
    }
    const ended = endedSync(seen, serverOf)
    if (!ended) return
    syncs.with(ended.labels).add()
    took.with(ended.durationLabels).add(ended.seconds)
  }
}

/** Keeps Argo CD's metrics of ApplicationSets current. */
export function applicationSetMetrics(metrics: Metrics): (seen: Seen) => void {
  const info = metrics.gauge('argocd_appset_info', 'Information about applicationset')
  const owned = metrics.gauge('argocd_appset_owned_applications', 'Number of applications owned by the applicationset')
  const shown = new Map<string, Labels>()
  return ({ type, object }) => {
    const place = { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' }
    const key = `${place.namespace}/${place.name}`
    const before = shown.get(key)
    if (type === 'removed') {
      if (before) info.remove(before)
      owned.remove(place)
      shown.delete(key)
      return
    }
    const status = fieldsOf(object, 'status')
    const upToDate = (objectsOf(status, 'conditions') ?? []).find((each) => each['type'] === 'ResourcesUpToDate')
    const labels = { ...place, resource_update_status: textOf(upToDate, 'reason') || 'Unknown' }
    if (before && !isEqual(before, labels)) info.remove(before)
    info.with(labels).set(1)
    shown.set(key, labels)
    owned.with(place).set(objectsOf(status, 'resources')?.length ?? 0)
  }
}
