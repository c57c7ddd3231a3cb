import { silentMetrics } from '../lib/metrics.ts'
import { type ControllerPart, type ControllerPorts, controllersOf } from '../runtime/controller-part.ts'
import { gatewayController } from './controller.ts'
import { AccessLog } from './proxy/access-log.ts'
import { GatewayProxy } from './proxy/gateway-proxy.ts'
import { proxyFigures } from './proxy/proxy-figures.ts'
import { Upstreams } from './proxy/upstreams.ts'
import { evenChances, type ProxyWorld } from './proxy/world.ts'
import { GatewayCaches } from './view.ts'

/** Where the gateway listens. */
export interface GatewayOptions {
  /** The address that Gateways share; loopback, unless told otherwise. */
  readonly host?: string
  /** Ports of Gateways by what they are bound as: 80 as 8080 and 443 as 8443, unless told otherwise. */
  readonly ports?: ReadonlyMap<number, number>
}

/** What the gateway brings. */
export interface MadeGateway {
  readonly controllers: (ports: ControllerPorts) => ControllerPart
  /** Answers the last requests to who may read that path, those of `?route=` or `?host=` where one is asked for. */
  readonly receivers: readonly {
    readonly path: string
    readonly receive: (request: { readonly query: ReadonlyMap<string, readonly string[]> }) => {
      readonly status: number
      readonly body: string
      readonly contentType: string
    }
  }[]
}

const REQUESTS_PATH = '/idp/gateway/requests'

/** The Gateway API as a capability: Gateways served by this process. */
export function makeGateway({ host = '127.0.0.1', ports: bound = new Map() }: GatewayOptions = {}): MadeGateway {
  const accesses = new AccessLog()
  return {
    receivers: [
      {
        path: REQUESTS_PATH,
        receive: ({ query }) => ({
          status: 200,
          contentType: 'application/x-ndjson',
          body: accesses.lines({ route: query.get('route')?.[0], host: query.get('host')?.[0] }),
        }),
      },
    ],
    controllers(ports) {
      let reachedAt = (port: number): number => port
      const world: ProxyWorld = {
        clock: ports.clock,
        log: ports.log.child({ controller: 'gateway' }),
        upstreams: new Upstreams(ports.clock),
        figures: proxyFigures(ports.metrics ?? silentMetrics),
        chance: evenChances(),
        reachedAt: (port) => reachedAt(port),
        onAnswer: (record) => accesses.add(record),
      }
      const proxy = new GatewayProxy(world)
      const part = controllersOf<ControllerPorts>(({ client, clock, informers, surfaces }) =>
        gatewayController({
          client,
          clock,
          // Beside our own API server, only what really runs has an address that can be reached.
          caches: new GatewayCaches({ informers, clock }, surfaces === undefined),
          proxy,
          bind: { host, ports: bound },
          onPorts: (next) => (reachedAt = next),
        }),
      )(ports)
      return {
        pending: () => part.pending(),
        async run(signal) {
          try {
            await part.run(signal)
          } finally {
            await proxy.close()
          }
        },
      }
    },
  }
}
