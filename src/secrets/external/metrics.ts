import type { Condition } from '../../kube/condition.ts'
import { type Metrics, silentMetrics } from '../../lib/metrics.ts'

/** The figures of one kind, under the names that External Secrets gives them. */
export interface KindMetrics {
  synced(namespace: string, name: string): void
  failed(namespace: string, name: string): void
  /** How a condition stands; the other statuses are nought. */
  stands(namespace: string, name: string, condition: Condition): void
  refreshed(namespace: string, name: string, atMs: number): void
  forget(namespace: string, name: string): void
}

const STATUSES = ['True', 'False', 'Unknown']

/** The figures of a kind such as `externalsecret`. */
export function kindMetrics(kind: string, metrics: Metrics = silentMetrics): KindMetrics {
  const calls = metrics.counter(`${kind}_sync_calls_total`, `Turns on a ${kind} that looked at its sources.`)
  const errors = metrics.counter(`${kind}_sync_calls_error`, `Turns on a ${kind} that failed.`)
  const conditions = metrics.gauge(`${kind}_status_condition`, `The conditions of each ${kind}: 1 where it stands so.`)
  const refreshes = metrics.gauge(
    `idp_${kind}_refreshed_timestamp_seconds`,
    `When each ${kind} was last made from its sources; how stale it is follows.`,
  )
  const types = new Map<string, Set<string>>()
  return {
    synced: (namespace, name) => calls.with({ name, namespace }).add(),
    failed: (namespace, name) => errors.with({ name, namespace }).add(),
    stands(namespace, name, { type, status }) {
      const key = `${namespace}/${name}`
      types.set(key, (types.get(key) ?? new Set()).add(type))
      for (const one of STATUSES)
        conditions.with({ name, namespace, condition: type, status: one }).set(one === status ? 1 : 0)
    },
    refreshed: (namespace, name, atMs) => refreshes.with({ name, namespace }).set(atMs / 1_000),
    forget(namespace, name) {
      const key = `${namespace}/${name}`
      for (const type of types.get(key) ?? []) {
        for (const status of STATUSES) conditions.remove({ name, namespace, condition: type, status })
      }
      types.delete(key)
      for (const metric of [calls, errors, refreshes]) metric.remove({ name, namespace })
    },
  }
}
