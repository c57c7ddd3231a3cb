import { Buffer } from 'node:buffer'
import { openIdConfiguration, publicKeySet, type TokenKeys } from '../auth/service-account-tokens.ts'
import type { RequestMetrics } from '../metrics.ts'
import type { ApiServer } from '../server.ts'
import { send, sendBytes } from './answer.ts'
import type { PageHandler } from './pages.ts'

/** What the server counts, for Prometheus, and behind it what else the process counts. */
export function metricsPage(metrics: RequestMetrics, server: ApiServer, others: () => string): PageHandler {
  return async ({ path, reply }) => {
    if (path !== '/metrics') return false
    const { heapUsed, rss } = process.memoryUsage()
    const text = metrics.text({
      apiserver_storage_revision: server.kernel.store.revision,
      process_resident_memory_bytes: rss,
      nodejs_heap_used_bytes: heapUsed,
    })
    await sendBytes(reply, 200, Buffer.from(text + others()), 'text/plain; version=0.0.4; charset=utf-8')
    return true
  }
}

/** Where others learn how to check the tokens of ServiceAccounts. */
export function tokenPages(keys: TokenKeys | undefined): PageHandler {
  return async ({ path, reply }) => {
    if (!keys) return false
    if (path === '/.well-known/openid-configuration') await send(reply, 200, openIdConfiguration())
    else if (path === '/openid/v1/jwks') await send(reply, 200, publicKeySet(keys))
    else return false
    return true
  }
}
