import type { Labels, Metrics } from '../../lib/metrics.ts'
import { type Application, sourcesOf } from './application.ts'
import { isInProgress, isOver } from './plan/operation-state.ts'

/** The figures of Applications, under the names that Argo CD's dashboards and alerts read. */
export interface AppMetrics {
  /** An Application as it is now, or gone. */
  seen(now: Application | undefined, before: Application): void
  wrote(before: Application, after: Application): void
}

/** Makes the figures; one Application has one series of `argocd_app_info`, whatever its state. */
export function appMetrics(metrics: Metrics): AppMetrics {
  const info = metrics.gauge('argocd_app_info', 'Information about an Application.')
  const syncs = metrics.counter('argocd_app_sync_total', 'Number of application syncs.')
  const shown = new Map<string, Labels>()
  return {
    seen(now, before) {
      const key = `${before.metadata.namespace ?? ''}/${before.metadata.name ?? ''}`
      const labels = now && infoOf(now)
      const old = shown.get(key)
      if (old && labels && sameLabels(old, labels)) return
      if (old) info.remove(old)
      shown.delete(key)
      if (!labels) return
      info.with(labels).set(1)
      shown.set(key, labels)
    },
    wrote(before, after) {
      const [was, state] = [before.status?.operationState, after.status?.operationState]
      if (!state || !isOver(state) || (was?.finishedAt === state.finishedAt && was?.phase === state.phase)) return
      const { name = '', namespace = '' } = after.metadata
      const { server = '', name: cluster = '' } = after.spec.destination
      syncs
        .with({
          namespace,
          name,
          project: after.spec.project,
          dest_server: server || cluster,
          phase: state.phase,
          dry_run: String(state.operation.sync?.dryRun ?? false),
        })
        .add()
    },
  }
}

function infoOf({ metadata, spec, status }: Application): Labels {
  const automated = spec.syncPolicy?.automated
  return {
    autosync_enabled: String(automated !== undefined && automated !== null && automated.enabled !== false),
    repo: sourcesOf(spec)[0]?.repoURL ?? '',
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    project: spec.project,
    dest_server: spec.destination.server ?? spec.destination.name ?? '',
    dest_namespace: spec.destination.namespace ?? '',
    sync_status: status?.sync?.status ?? 'Unknown',
    health_status: status?.health?.status ?? 'Unknown',
    operation:
      metadata.deletionTimestamp === undefined ? (isInProgress(status?.operationState) ? 'sync' : '') : 'delete',
  }
}

const sameLabels = (a: Labels, b: Labels): boolean => Object.keys(b).every((name) => a[name] === b[name])
