import { describeError } from '../../lib/log.ts'
import { compilePort, type PortSpec } from '../table/table.ts'
import { PortServer } from './port-server.ts'
import type { EndpointTable } from './upstreams.ts'
import type { ProxyWorld } from './world.ts'

/** What could not be bound, by `address:port`, and why. */
export type BindProblems = ReadonlyMap<string, string>

const DRAIN_MS = 10_000

function routesOf(specs: readonly PortSpec[]): ReadonlySet<string> {
  const routes = new Set<string>()
  for (const { listeners } of specs) {
    for (const listener of listeners) {
      for (const { rules } of listener.routes) for (const { action } of rules) routes.add(action.route)
      for (const { route } of listener.streams) routes.add(route)
    }
  }
  return routes
}

/** The name of a place to bind. */
export const bindKey = ({ address, port }: { readonly address: string; readonly port: number }): string =>
  `${address}:${port}`

/** The data plane: binds what it is told to and serves it. What changes is served from the next request on. */
export class GatewayProxy {
  readonly #world: ProxyWorld
  readonly #ports = new Map<string, PortServer>()
  readonly #closing = new Set<Promise<void>>()

  constructor(world: ProxyWorld) {
    this.#world = world
  }

  /** Takes new endpoints of Services. */
  endpoints(services: EndpointTable): void {
    this.#world.upstreams.update(services)
  }

  /** Binds and serves exactly these ports; answers which cannot be bound. Calls must not overlap. */
  async apply(specs: readonly PortSpec[]): Promise<BindProblems> {
    const problems = new Map<string, string>()
    const wanted = new Set(specs.map(bindKey))
    this.#world.figures.keep(routesOf(specs))
    for (const [key, server] of this.#ports) {
      if (wanted.has(key)) continue
      this.#ports.delete(key)
      const closing = server.close(DRAIN_MS)
      this.#closing.add(closing)
      void closing.finally(() => this.#closing.delete(closing))
    }
    for (const spec of specs) {
      const key = bindKey(spec)
      const table = compilePort(spec)
      const known = this.#ports.get(key)
      if (known) {
        known.update(table)
        continue
      }
      const server = new PortServer(table, this.#world)
      try {
        await server.listen()
        this.#ports.set(key, server)
        this.#world.log.info('the gateway listens', { address: spec.address, port: spec.port })
      } catch (error) {
        problems.set(key, describeError(error))
      }
    }
    return problems
  }

  /** Ends everything, soon. */
  async close(): Promise<void> {
    const closing = [...this.#ports.values()].map((server) => server.close(0))
    this.#ports.clear()
    await Promise.all(closing)
    await this.#world.upstreams.close()
  }
}
