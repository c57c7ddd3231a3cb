import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { describeError, type Log } from '../../lib/log.ts'
import { LoopbackAddresses } from './loopback.ts'
import type { Endpoint } from '../../kube/local-endpoints.ts'
import type { ProxyPlan } from './plan.ts'

const ownNames = '127.0.0.1 localhost\n::1 localhost\n'

interface Listener {
  readonly server: Server
  endpoints: readonly Endpoint[]
  next: number
}

interface Proxied {
  readonly address: string
  names: readonly string[]
  readonly listeners: Map<number, Listener>
}

/** Makes Services reachable on this machine: an address of the loopback network for each, and a file that names them. */
export class ServiceProxy {
  readonly hostsFile: string
  readonly #log: Log
  readonly #addresses: LoopbackAddresses
  readonly #services = new Map<string, Proxied>()

  constructor(hostsFile: string, network: string, log: Log) {
    this.hostsFile = hostsFile
    this.#addresses = new LoopbackAddresses(network)
    this.#log = log
    mkdirSync(dirname(hostsFile), { recursive: true, mode: 0o700 })
    this.#tell()
  }

  /** Where a Service is reached, if it is. */
  addressOf(key: string): string | undefined {
    return this.#services.get(key)?.address
  }

  /** Makes a Service reachable as planned, or not any more. */
  async set(key: string, plan: ProxyPlan | undefined): Promise<void> {
    const known = this.#services.get(key)
    if (!plan) {
      if (!known) return
      for (const { server } of known.listeners.values()) server.close()
      this.#services.delete(key)
      this.#addresses.release(key)
      this.#tell()
      return
    }
    const proxied = known ?? {
      address: this.#addresses.of(key),
      names: plan.names,
      listeners: new Map<number, Listener>(),
    }
    this.#services.set(key, proxied)
    if (!known) this.#tell()
    for (const [port, listener] of proxied.listeners) {
      if (plan.ports.has(port)) continue
      listener.server.close()
      proxied.listeners.delete(port)
    }
    for (const [port, endpoints] of plan.ports) {
      const listener = proxied.listeners.get(port)
      if (listener) listener.endpoints = endpoints
      else await this.#listen(key, proxied, port, endpoints)
    }
  }

  close(): void {
    for (const { listeners } of this.#services.values()) for (const { server } of listeners.values()) server.close()
  }

  async #listen(
    key: string,
    { address, listeners }: Proxied,
    port: number,
    endpoints: readonly Endpoint[],
  ): Promise<void> {
    const server = createServer({ allowHalfOpen: true })
    const listener: Listener = { server, endpoints, next: 0 }
    server.on('connection', (client) => forward(client, listener))
    try {
      server.listen(port, address)
      await once(server, 'listening')
      listeners.set(port, listener)
    } catch (error) {
      const because = describeError(error)
      const cure = port < 1_024 ? 'use a port above 1023, or let the program bind low ports' : 'free the port'
      this.#log.warn('cannot make a Service reachable', { service: key, at: `${address}:${port}`, because, cure })
    }
  }

  /** Containers have the file itself, so it is written where it is. */
  #tell(): void {
    const lines = [...this.#services.values()].map(({ address, names }) => `${address} ${names.join(' ')}\n`)
    writeFileSync(this.hostsFile, ownNames + lines.join(''))
  }
}

/** Connects a client to the next endpoint; one that refuses is passed over. */
function forward(client: Socket, listener: Listener): void {
  client.on('error', () => client.destroy())
  const attempt = (left: number): void => {
    const endpoint = listener.endpoints[listener.next++ % Math.max(1, listener.endpoints.length)]
    if (!endpoint || left === 0) {
      client.destroy()
      return
    }
    const upstream = connect({ host: endpoint.address, port: endpoint.port, allowHalfOpen: true })
    upstream.once('error', () => attempt(left - 1))
    upstream.once('connect', () => {
      upstream.removeAllListeners('error')
      upstream.on('error', () => client.destroy())
      client.on('close', () => upstream.destroy())
      upstream.on('close', () => client.destroy())
      client.pipe(upstream)
      upstream.pipe(client)
    })
  }
  attempt(listener.endpoints.length)
}
