import { once } from 'node:events'
import { type IncomingMessage, createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { certificateMaker, type CertificatePair } from '../../lib/certificates.ts'
import { systemClock } from '../../lib/clock.ts'
import { silentLog } from '../../lib/log.ts'
import { metricsRegistry, type MetricsRegistry } from '../../lib/metrics.ts'
import { type AttachedRoute, type BackendTarget, noFilters, type RouteAction, type RouteRule } from '../table/route.ts'
import { compilePort, type KeyPair, type ListenerSpec, type PortSpec } from '../table/table.ts'
import { type PortLimits, PortServer, usualLimits } from './port-server.ts'
import { proxyFigures } from './proxy-figures.ts'
import type { Endpoint } from './upstream.ts'
import { type ServiceEndpoints, Upstreams } from './upstreams.ts'
import { evenChances, type ProxyWorld } from './world.ts'

/** What a backend heard. */
export interface Heard {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Ports, backends and what goes between them, for one test; `close` ends all of it. */
export class TestGateway {
  readonly world: ProxyWorld
  readonly metrics: MetricsRegistry = metricsRegistry()
  readonly heard: Heard[] = []
  readonly #closing: (() => Promise<void>)[] = []
  readonly #services = new Map<string, ServiceEndpoints>()

  constructor() {
    this.world = {
      clock: systemClock,
      log: silentLog,
      upstreams: new Upstreams(systemClock),
      figures: proxyFigures(this.metrics),
      chance: evenChances(),
      reachedAt: (port) => port,
    }
  }

  /** A port that serves these listeners. */
  async port(
    listeners: readonly ListenerSpec[],
    more: Partial<PortSpec> = {},
    limits: Partial<PortLimits> = {},
  ): Promise<{ readonly port: number; readonly server: PortServer }> {
    const server = new PortServer(compilePort({ address: '127.0.0.1', port: 0, listeners, ...more }), this.world, {
      ...usualLimits,
      ...limits,
    })
    const port = await server.listen()
    this.#closing.push(() => server.close(0))
    return { port, server }
  }

  /** Makes the endpoints of a Service known. */
  endpoints(service: string, endpoints: readonly Endpoint[], because?: string): BackendTarget & { do: 'forward' } {
    this.#services.set(service, { endpoints, ...(because === undefined ? {} : { because }) })
    this.world.upstreams.update(new Map(this.#services))
    return { do: 'forward', service, protocol: 'http1' }
  }

  /** A backend; without an answer of its own it says what it heard. */
  async backend(service: string, answer?: RequestListener): Promise<BackendTarget & { do: 'forward' }> {
    const server = createServer(
      (request, response) => void this.#hear(request, response, answer).catch(() => response.destroy()),
    )
    return this.endpoints(service, [await this.listen(server)])
  }

  /** Makes any server listen until the end of the test. */
  async listen(server: Server): Promise<Endpoint> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#closing.push(async () => {
      const closed = once(server, 'close')
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
    })
    return { address: '127.0.0.1', port: (server.address() as AddressInfo).port }
  }

  async #hear(request: IncomingMessage, response: ServerResponse, answer: RequestListener | undefined): Promise<void> {
    if (answer) {
      answer(request, response)
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const heard = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    }
    this.heard.push(heard)
    response.writeHead(200, { 'content-type': 'application/json', 'x-backend': 'yes' }).end(JSON.stringify(heard))
  }

  async close(): Promise<void> {
    // Backends wait for whoever keeps a connection.
    await this.world.upstreams.close()
    await Promise.all(this.#closing.map((close) => close()))
  }
}

/** A rule that sends what it matches to a target. */
export function rule(to: BackendTarget, action: Partial<RouteAction> = {}, path = ''): RouteRule {
  return {
    matches: [{ path: { by: 'prefix', value: path }, headers: [], query: [] }],
    action: {
      route: 'HTTPRoute/team/web',
      rule: '0',
      isGrpc: false,
      filters: noFilters,
      backends: [{ weight: 1, target: to, filters: noFilters }],
      ...action,
    },
  }
}

export const route = (rules: readonly RouteRule[], hosts: AttachedRoute['hosts'] = [undefined]): AttachedRoute => ({
  namespace: 'team',
  name: 'web',
  createdMs: 0,
  hosts,
  rules,
})

export const listener = (rules: readonly RouteRule[], more: Partial<ListenerSpec> = {}): ListenerSpec => ({
  name: 'team/gateway/http',
  host: undefined,
  mode: 'http',
  port: 80,
  routes: [route(rules, [more.host])],
  streams: [],
  certificates: [],
  ...more,
})

/** An authority, and certificates by it. */
export function testAuthority(): { readonly cert: string; pair(...names: string[]): KeyPair } {
  let serial = 1
  const make = (names: readonly string[], issuer?: CertificatePair): CertificatePair => {
    const made = certificateMaker.certificate({
      commonName: names[0] ?? 'test root',
      ips: [],
      dnsNames: names,
      notBeforeMs: Date.UTC(2020, 0, 1),
      notAfterMs: Date.UTC(2090, 0, 1),
      serial: Uint8Array.of(serial++),
      isAuthority: issuer === undefined,
      key: certificateMaker.privateKey('ecdsa'),
      ...(issuer ? { issuer } : {}),
    })
    if (typeof made === 'string') throw new Error(made)
    return made
  }
  const root = make([])
  return { cert: root.cert, pair: (...names) => ({ id: `${names.join()} ${serial}`, names, ...make(names, root) }) }
}

/** Sends bytes as they are, and answers all that comes back until the connection ends. */
export async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', () => {})
  socket.write(bytes, 'latin1')
  await once(socket, 'close')
  return Buffer.concat(chunks).toString('latin1')
}
