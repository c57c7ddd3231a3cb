import { createHash } from 'node:crypto'
import type { KubeObject } from '../../kube/object.ts'
import type { ListenerSpec, PortSpec } from '../table/table.ts'
import type { PlannedListener } from './listeners.ts'
import { type GatewayFields, keyOf, specOf } from './objects.ts'

/** How Gateways are bound on this machine. */
export interface BindOptions {
  /** The address that Gateways share as long as their listeners do not ask for the same. */
  readonly host: string
  /** Ports of Gateways by what they are bound as; others below 1024 are 8000 higher, the rest are themselves. */
  readonly ports: ReadonlyMap<number, number>
}

/** A Gateway that is to be bound. */
export interface BindingGateway {
  readonly object: KubeObject
  readonly listeners: readonly PlannedListener[]
  readonly specOf: (listener: PlannedListener) => ListenerSpec
}

/** The addresses of a Gateway, or which one it cannot have. */
export interface BoundGateway {
  readonly addresses: readonly string[]
  readonly problem?: { readonly reason: 'UnsupportedAddress' | 'AddressNotUsable'; readonly message: string }
}

/** Everything that is bound. */
export interface PlannedPorts {
  readonly ports: readonly PortSpec[]
  readonly byGateway: ReadonlyMap<string, BoundGateway>
  readonly reachedAt: (port: number) => number
}

/** Gives Gateways, the older first, addresses and ports of this machine. */
export function planPorts(gateways: readonly BindingGateway[], options: BindOptions): PlannedPorts {
  const reachedAt = portMap(gateways, options)
  const open = new Map<
    string,
    { address: string; port: number; listeners: ListenerSpec[]; clients?: PortSpec['clients'] }
  >()
  const byGateway = new Map<string, BoundGateway>()
  for (const gateway of gateways) {
    const served = gateway.listeners.filter(({ isServed }) => isServed)
    const collides = (address: string): boolean =>
      served.some((listener) => {
        const known = open.get(`${address}:${reachedAt(listener.fields.port)}`)
        return known !== undefined && isTaken(known, listener)
      })
    const bound = addressesOf(gateway, options.host, collides)
    byGateway.set(keyOf(gateway.object), bound)
    for (const address of bound.addresses) {
      for (const listener of served) {
        const port = reachedAt(listener.fields.port)
        const key = `${address}:${port}`
        const known = open.get(key) ?? { address, port, listeners: [] }
        open.set(key, known)
        known.listeners.push(gateway.specOf(listener))
        if (listener.clients) known.clients = listener.clients
      }
    }
  }
  return { ports: [...open.values()], byGateway, reachedAt }
}

function isTaken({ listeners, clients }: Pick<PortSpec, 'listeners' | 'clients'>, listener: PlannedListener): boolean {
  const isTls = listener.mode !== 'http'
  return (
    listeners.some(
      ({ mode, host }) => (mode !== 'http') !== isTls || (host ?? '') === (listener.fields.hostname ?? ''),
    ) || clients?.id !== listener.clients?.id
  )
}

function portMap(gateways: readonly BindingGateway[], { ports }: BindOptions): (port: number) => number {
  const asked = new Set(gateways.flatMap(({ listeners }) => listeners.map(({ fields }) => fields.port)))
  return (port) => {
    const told = ports.get(port)
    if (told !== undefined) return told
    if (port >= 1024) return port
    // A Gateway that has both 80 and 8080 gets both.
    let mapped = port + 8_000
    while (asked.has(mapped)) mapped += 10_000
    return mapped
  }
}

const isLoopback = (address: string): boolean => /^127(\.\d{1,3}){3}$/.test(address)

function addressesOf({ object }: BindingGateway, host: string, collides: (address: string) => boolean): BoundGateway {
  const { addresses = [] } = specOf<GatewayFields>(object)
  const asked = addresses.filter(({ value }) => (value ?? '') !== '')
  if (asked.length === 0) return { addresses: [collides(host) ? ownAddress(keyOf(object)) : host] }
  const found: string[] = []
  for (const { type = 'IPAddress', value = '' } of asked) {
    const isLocalhost = type === 'Hostname' && value === 'localhost'
    if (type !== 'IPAddress' && !isLocalhost) {
      return {
        addresses: [],
        problem: {
          reason: 'UnsupportedAddress',
          message: `addresses of the type ${type} are not supported, only addresses of this machine are`,
        },
      }
    }
    const address = isLocalhost ? '127.0.0.1' : value
    if (address !== host && !isLoopback(address)) {
      return {
        addresses: [],
        problem: {
          reason: 'AddressNotUsable',
          message: `the address ${address} is not one that this gateway may bind: it is neither ${host} nor a loopback address`,
        },
      }
    }
    if (collides(address)) {
      return {
        addresses: [],
        problem: {
          reason: 'AddressNotUsable',
          message: `another Gateway has the same ports and hostnames at ${address}`,
        },
      }
    }
    found.push(address)
  }
  return { addresses: found }
}

/** A loopback address that belongs to a Gateway, the same in every run. */
function ownAddress(key: string): string {
  const [a = 1, b = 1] = createHash('sha256').update(key).digest()
  return `127.240.${a}.${(b % 253) + 1}`
}
