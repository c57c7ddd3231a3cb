import type { Metrics } from '../../lib/metrics.ts'
import type { Operation } from './logical.ts'

/** What is counted of the store; there are no paths in it, which are many and may say too much. */
export interface StoreMetrics {
  answered(operation: Operation, status: number, ms: number): void
  /** Told whenever it becomes another. */
  isOpen(isOpen: boolean): void
}

/** The store's figures among those of the platform. */
export function storeMetrics(metrics: Metrics): StoreMetrics {
  const requests = metrics.counter(
    'idp_secret_store_requests_total',
    'Requests to the secret store, by operation and status.',
  )
  const seconds = metrics.histogram('idp_secret_store_request_seconds', 'How long requests to the secret store took.')
  // Under the name that it has in Vault, so that its alerts fit.
  const unsealed = metrics.gauge(
    'vault_core_unsealed',
    'Whether the secret store can be read: 1, or 0 while it is sealed.',
  )
  return {
    isOpen: (isOpen) => unsealed.with({}).set(isOpen ? 1 : 0),
    answered(operation, status, ms) {
      requests.with({ operation, status: String(status) }).add()
      seconds.with({ operation }).observe(ms / 1_000)
    },
  }
}
