import { isIP } from 'node:net'
import { join } from 'node:path'
import { type Clock } from '../lib/clock.ts'
import type { UserInfo } from '../kube/admission.ts'
import type { ApiResult } from '../kube/status.ts'
import type { Credentials } from './auth/authenticate.ts'
import { fiveMinutes, keepHistory } from '../store/history-window.ts'
import { makeFront } from './http/front.ts'
import { listen } from './http/listen.ts'
import { metricsPage, tokenPages } from './http/own-pages.ts'
import { openApiPages } from './http/openapi-pages.ts'
import { type HealthCheck, makePages, type PageHandler } from './http/pages.ts'
import type { KeyPair } from './pki/certificates.ts'
import { kubeconfigOf, loadServerPki } from './pki/server-pki.ts'
import { RequestMetrics } from './metrics.ts'
import { type ApiServer, serverUser } from './server.ts'
import { advertise } from './system-objects.ts'

/** Where a server listens, and where it keeps its keys. */
export interface RunOptions {
  readonly server: ApiServer
  readonly host: string
  readonly port: number
  readonly stateFolder: string
  readonly clock: Clock
  readonly authenticate: (credentials: Credentials) => ApiResult<UserInfo>
  readonly pages?: readonly PageHandler[]
  readonly checks?: readonly HealthCheck[]
  /** What the page of metrics shows beside what the server counts itself, in Prometheus' text format. */
  readonly furtherMetrics?: () => string
}

/** A server that answers. */
export interface RunningServer {
  readonly url: string
  readonly kubeconfig: string
  /** Who signs the certificates of this cluster. */
  readonly authority: KeyPair
  /** Ends watches, lets requests finish, closes. */
  close(): Promise<void>
}

const GRACE_MS = 5_000

/** Starts a server and listens for it. */
export async function runApiServer(options: RunOptions): Promise<RunningServer> {
  const { server, host, port, stateFolder, clock } = options
  const draining = new AbortController()
  const pki = await loadServerPki(join(stateFolder, 'pki'), namesOf(host), clock.now())
  const isDraining = (): string | undefined => (draining.signal.aborted ? 'the server is shutting down' : undefined)
  const checks: readonly HealthCheck[] = [
    { name: 'ping', ailing: () => undefined },
    { name: 'store', ailing: () => undefined },
    { name: 'shutdown', ailing: isDraining },
    ...(options.checks ?? []),
  ]
  const metrics = new RequestMetrics()
  const front = makeFront({
    server,
    authenticate: options.authenticate,
    metrics,
    pages: makePages(server, checks, [
      openApiPages(server),
      metricsPage(metrics, server, options.furtherMetrics ?? (() => '')),
      tokenPages(server.kernel.tokenKeys),
      ...(options.pages ?? []),
    ]),
    draining: draining.signal,
  })
  await server.start()
  const { log, store } = server.kernel
  const history = keepHistory(store, clock, fiveMinutes, draining.signal).catch((error: unknown) => {
    log.error('cannot forget what is long past', error)
  })
  const listening = await listen({
    host,
    port,
    key: pki.serving.key,
    cert: pki.serving.cert,
    clientCa: pki.authority.cert,
    clock,
    serve: (exchange) => front.serve(exchange),
  })
  const shown = listening.host === '0.0.0.0' || listening.host === '::' ? '127.0.0.1' : listening.host
  await advertise(server.client(serverUser), {
    host: isIP(shown) === 0 ? '127.0.0.1' : shown,
    port: listening.port,
  }).catch((error: unknown) => log.error('cannot say behind the Service kubernetes where this server is', error))
  const url = `https://${isIP(shown) === 6 ? `[${shown}]` : shown}:${listening.port}`
  return {
    url,
    kubeconfig: kubeconfigOf(url, pki),
    authority: pki.authority,
    async close() {
      draining.abort(new Error('the server is shutting down'))
      await listening.close(GRACE_MS)
      await history
      await server.close()
    },
  }
}

function namesOf(host: string): { readonly dns: readonly string[]; readonly ips: readonly string[] } {
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local']
  const dns = ['localhost', ...service]
  const ips = ['127.0.0.1', '::1', '10.96.0.1']
  if (isIP(host) === 0) return { dns: dns.includes(host) ? dns : [...dns, host], ips }
  return { dns, ips: ips.includes(host) || host === '0.0.0.0' || host === '::' ? ips : [...ips, host] }
}
