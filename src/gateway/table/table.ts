import { HostIndex, type HostPattern } from './hostname.ts'
import type { AttachedRoute, BackendTarget, WeightedBackend } from './route.ts'
import { RuleIndex } from './rule-index.ts'

/** A certificate with its key, as it is served. */
export interface KeyPair {
  /** Changes when the certificate or its key does. */
  readonly id: string
  readonly cert: string
  readonly key: string
  /** The names that the certificate is for. */
  readonly names: readonly string[]
}

/** What a listener does with a connection. */
export type ListenerMode = 'http' | 'https' | 'passthrough' | 'terminate'

/** How clients prove who they are. */
export interface ClientValidation {
  readonly id: string
  /** PEM. */
  readonly authorities: string
  /** Whoever proves nothing is let in too. */
  readonly isOptional: boolean
}

/** A route that takes whole connections. */
export interface StreamRoute {
  readonly route: string
  readonly namespace: string
  readonly name: string
  readonly createdMs: number
  readonly hosts: readonly HostPattern[]
  readonly backends: readonly WeightedBackend[]
}

/** A listener with what is attached to it. */
export interface ListenerSpec {
  /** `namespace/gateway/listener`, for figures and logs. */
  readonly name: string
  readonly host: HostPattern
  readonly mode: ListenerMode
  /** The port as the Gateway has it. */
  readonly port: number
  readonly routes: readonly AttachedRoute[]
  readonly streams: readonly StreamRoute[]
  readonly certificates: readonly KeyPair[]
}

/** What is bound: an address and a port of this machine, with the listeners that share it. */
export interface PortSpec {
  readonly address: string
  readonly port: number
  readonly listeners: readonly ListenerSpec[]
  readonly clients?: ClientValidation | undefined
}

/** A listener, compiled. */
export interface Listener {
  readonly name: string
  readonly host: HostPattern
  readonly mode: ListenerMode
  readonly port: number
  readonly certificates: readonly KeyPair[]
  /** By the request's hostname. */
  readonly rules: HostIndex<RuleIndex>
  /** By the name that the client asked for in its greeting. */
  readonly streams: HostIndex<StreamRoute>
}

/** A bound port, compiled. A table is never changed: there is a new one instead. */
export interface PortTable {
  readonly address: string
  readonly port: number
  readonly isTls: boolean
  readonly clients: ClientValidation | undefined
  readonly listeners: HostIndex<Listener>
  /** Some connections are told apart by their greeting before anybody answers it. */
  readonly hasStreams: boolean
}

/** Compiles what is bound to one port. */
export function compilePort({ address, port, listeners, clients }: PortSpec): PortTable {
  const index = new HostIndex<Listener>()
  for (const spec of listeners) index.set(spec.host, compileListener(spec))
  return {
    address,
    port,
    clients,
    listeners: index,
    isTls: listeners.some(({ mode }) => mode !== 'http'),
    hasStreams: listeners.some(({ mode }) => mode === 'passthrough' || mode === 'terminate'),
  }
}

function compileListener({ name, host, mode, port, certificates, routes, streams }: ListenerSpec): Listener {
  const byHost = new Map<HostPattern, AttachedRoute[]>()
  for (const route of routes) {
    for (const pattern of new Set(route.hosts)) byHost.set(pattern, [...(byHost.get(pattern) ?? []), route])
  }
  const rules = new HostIndex<RuleIndex>()
  for (const [pattern, attached] of byHost) rules.set(pattern, new RuleIndex(attached))
  const streamIndex = new HostIndex<StreamRoute>()
  for (const stream of streams.toSorted(byAge)) {
    for (const pattern of stream.hosts) if (!streamIndex.get(pattern)) streamIndex.set(pattern, stream)
  }
  return { name, host, mode, port, certificates, rules, streams: streamIndex }
}

function byAge(a: StreamRoute, b: StreamRoute): number {
  return a.createdMs - b.createdMs || (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1)
}

const noBackend: BackendTarget = { do: 'refuse', status: 500, because: 'no backend is configured for this route' }

/** The backend that takes a request: each gets its weight's share of chances between 0 and 1. */
export function chooseBackend(backends: readonly WeightedBackend[], chance: number): WeightedBackend | undefined {
  if (backends.length === 1 && (backends[0]?.weight ?? 0) > 0) return backends[0]
  let total = 0
  for (const { weight } of backends) total += weight
  let left = chance * total
  for (const backend of backends) {
    left -= backend.weight
    if (left < 0) return backend
  }
  return undefined
}

/** Where the chosen backend is, or why there is none. */
export const targetOf = (backend: WeightedBackend | undefined): BackendTarget => backend?.target ?? noBackend
