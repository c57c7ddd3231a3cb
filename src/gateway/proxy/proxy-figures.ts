import type { CounterSeries, HistogramSeries, Metrics } from '../../lib/metrics.ts'

/** What the proxy counts. */
export interface ProxyFigures {
  /** An answer to the client. `route` is empty where none matched. */
  answered(route: string, status: number, tookMs: number): void
  /** A backend could not be talked to. */
  upstreamFailed(route: string): void
  /** Forgets the figures of routes that are not among these. */
  keep(routes: ReadonlySet<string>): void
  connected(port: number): void
  disconnected(port: number): void
}

/** Counts in metrics, keeping the series that are in use at hand. */
export function proxyFigures(metrics: Metrics): ProxyFigures {
  const requests = metrics.counter('idp_gateway_requests_total', 'Answers of the gateway by route and status.')
  const seconds = metrics.histogram(
    'idp_gateway_request_seconds',
    'How long requests through the gateway took, by route.',
  )
  const failures = metrics.counter(
    'idp_gateway_upstream_errors_total',
    'Requests that a backend did not answer, by route.',
  )
  const connections = metrics.gauge('idp_gateway_connections', 'Connections of clients, by port.')
  const byRoute = new Map<string, { readonly took: HistogramSeries; readonly byStatus: Map<number, CounterSeries> }>()
  return {
    answered(route, status, tookMs) {
      let known = byRoute.get(route)
      if (!known) {
        known = { took: seconds.with({ route }), byStatus: new Map() }
        byRoute.set(route, known)
      }
      let count = known.byStatus.get(status)
      if (!count) {
        count = requests.with({ route, status: String(status) })
        known.byStatus.set(status, count)
      }
      count.add()
      known.took.observe(tookMs / 1_000)
    },
    keep(routes) {
      for (const [route, { byStatus }] of byRoute) {
        if (route === '' || routes.has(route)) continue
        byRoute.delete(route)
        seconds.remove({ route })
        failures.remove({ route })
        for (const status of byStatus.keys()) requests.remove({ route, status: String(status) })
      }
    },
    upstreamFailed: (route) => failures.with({ route }).add(),
    connected: (port) => connections.with({ port: String(port) }).add(1),
    disconnected: (port) => connections.with({ port: String(port) }).add(-1),
  }
}
