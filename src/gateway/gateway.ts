import { silentMetrics } from '../lib/metrics.ts'
import { type ControllerPart, type ControllerPorts, controllersOf } from '../runtime/controller-part.ts'
import { gatewayController } from './controller.ts'
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
}

/** The Gateway API as a capability: Gateways served by this process. */
export function makeGateway({ host = '127.0.0.1', ports: bound = new Map() }: GatewayOptions = {}): MadeGateway {
  return {
    controllers(ports) {
      let reachedAt = (port: number): number => port
      const world: ProxyWorld = {
        clock: ports.clock,
        log: ports.log.child({ controller: 'gateway' }),
        upstreams: new Upstreams(ports.clock),
        figures: proxyFigures(ports.metrics ?? silentMetrics),
        chance: evenChances(),
        reachedAt: (port) => reachedAt(port),
      }
      const proxy = new GatewayProxy(world)
      const part = controllersOf<ControllerPorts>(({ client, clock, informers, surfaces }) =>
        gatewayController({
          client,
          clock,
          // Beside our own API server, only what really runs has an address that can be reached.
          caches: new GatewayCaches(informers, surfaces === undefined),
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
