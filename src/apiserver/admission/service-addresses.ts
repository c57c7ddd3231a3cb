import type { AdmissionPlugin } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type FieldError, invalid, invalidStatus } from '../../kube/schema/field-error.ts'
import type { Status } from '../../kube/status.ts'
import { isEqual, isObject } from '../../lib/json.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { isAbout } from './denials.ts'

/** Service addresses come from 10.96.0.0/16; the first ones are left for those who ask for one, such as `kubernetes`. */
const NETWORK = '10.96'
const FIRST = 256
const LAST = 65_534
const FIRST_PORT = 30_000
const LAST_PORT = 32_767

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** What Services hold at one moment. */
interface Taken {
  readonly addresses: ReadonlyMap<string, string>
  /** Who has which port on the nodes. */
  readonly ports: ReadonlyMap<number, string>
}

/** So long an address that was let through belongs to its Service, whether it can be seen already or not. */
const UNDER_WAY_MS = 5_000

/** What was let through and may not be committed yet: two who ask for the same at once do not both get it. */
class UnderWay {
  readonly #nowMs: () => number
  readonly #held = new Map<string, { readonly holder: string; readonly untilMs: number }>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  holder(what: string): string | undefined {
    const held = this.#held.get(what)
    return held && held.untilMs > this.#nowMs() ? held.holder : undefined
  }

  keep(what: readonly string[], holder: string): void {
    const nowMs = this.#nowMs()
    for (const [old, { untilMs }] of this.#held) if (untilMs <= nowMs) this.#held.delete(old)
    for (const one of what) this.#held.set(one, { holder, untilMs: nowMs + UNDER_WAY_MS })
  }
}

/** Gives Services their cluster addresses and node ports, and lets nobody take another's. */
export function serviceAddresses(reader: ClusterReader, nowMs: () => number): AdmissionPlugin {
  const underWay = new UnderWay(nowMs)
  const known = new WeakMap<readonly KubeObject[], Taken>()
  let nextAddress = FIRST
  let nextPort = FIRST_PORT
  const taken = (): Taken => {
    const services = reader.list('', 'services')
    const before = known.get(services)
    if (before) return before
    const made = takenBy(services)
    known.set(services, made)
    return made
  }
  /** Moving on with every address means that two requests under way never get the same one. */
  const freeAddress = ({ addresses }: Taken): string | undefined => {
    for (let tries = 0; tries <= LAST - FIRST; tries++) {
      const address = `${NETWORK}.${nextAddress >> 8}.${nextAddress & 255}`
      nextAddress = nextAddress === LAST ? FIRST : nextAddress + 1
      if (!addresses.has(address)) return address
    }
    return undefined
  }
  const freePort = ({ ports }: Taken): number | undefined => {
    for (let tries = 0; tries <= LAST_PORT - FIRST_PORT; tries++) {
      const port = nextPort
      nextPort = nextPort === LAST_PORT ? FIRST_PORT : nextPort + 1
      if (!ports.has(port)) return port
    }
    return undefined
  }
  return {
    name: 'ServiceAddresses',
    handles: (request) =>
      (request.operation === 'CREATE' || request.operation === 'UPDATE') && isAbout(request, 'services'),
    mutate(request) {
      const { object } = request
      if (!object) return Promise.resolve({ allowed: true })
      const now = taken()
      const spec = withPorts(
        withAddress(fieldsOf(object['spec']), () => freeAddress(now)),
        () => freePort(now),
      )
      return Promise.resolve({ allowed: true, ...(spec === object['spec'] ? {} : { object: { ...object, spec } }) })
    },
    validate(request) {
      const { object, dryRun } = request
      if (!object) return Promise.resolve({ allowed: true })
      const { addresses, ports } = taken()
      const holders: Holders = {
        address: (address) => addresses.get(address) ?? underWay.holder(address),
        port: (port) => ports.get(port) ?? underWay.holder(String(port)),
      }
      const status = clash(object, holders)
      if (status) return Promise.resolve({ allowed: false, status })
      if (!dryRun) underWay.keep(heldBy(object), nameOf(object))
      return Promise.resolve({ allowed: true })
    },
  }
}

const nameOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`

function takenBy(services: readonly KubeObject[]): Taken {
  const addresses = new Map<string, string>()
  const ports = new Map<number, string>()
  for (const service of services) {
    const spec = fieldsOf(service['spec'])
    const { clusterIP } = spec
    if (typeof clusterIP === 'string' && clusterIP !== '' && clusterIP !== 'None')
      addresses.set(clusterIP, nameOf(service))
    for (const { nodePort } of listOf(spec['ports']))
      if (typeof nodePort === 'number') ports.set(nodePort, nameOf(service))
  }
  return { addresses, ports }
}

const single = { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' } as const

function withAddress(spec: Fields, free: () => string | undefined): Fields {
  if (spec['type'] === 'ExternalName') return spec
  const { clusterIP, clusterIPs } = spec
  const said =
    typeof clusterIP === 'string' && clusterIP !== ''
      ? clusterIP
      : Array.isArray(clusterIPs)
        ? (clusterIPs[0] as unknown)
        : undefined
  const address = typeof said === 'string' && said !== '' ? said : free()
  if (address === undefined) return spec
  const next = {
    ...spec,
    clusterIP: address,
    clusterIPs: Array.isArray(clusterIPs) && clusterIPs.length > 0 ? clusterIPs : [address],
    ipFamilies: spec['ipFamilies'] ?? single.ipFamilies,
    ipFamilyPolicy: spec['ipFamilyPolicy'] ?? single.ipFamilyPolicy,
  }
  return isEqual(next, spec) ? spec : next
}

function withPorts(spec: Fields, free: () => number | undefined): Fields {
  const isOnNodes =
    spec['type'] === 'NodePort' || (spec['type'] === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false)
  const ports = listOf(spec['ports'])
  if (!isOnNodes || ports.every(({ nodePort }) => nodePort !== undefined && nodePort !== 0)) return spec
  return {
    ...spec,
    ports: ports.map((port) => {
      if (port['nodePort'] !== undefined && port['nodePort'] !== 0) return port
      const nodePort = free()
      return nodePort === undefined ? port : { ...port, nodePort }
    }),
  }
}

interface Holders {
  readonly address: (address: string) => string | undefined
  readonly port: (port: number) => string | undefined
}

/** The address and the ports that a Service holds, as they are told apart. */
function heldBy(object: KubeObject): readonly string[] {
  const { clusterIP, ports } = fieldsOf(object['spec'])
  const isAddress = typeof clusterIP === 'string' && clusterIP !== '' && clusterIP !== 'None'
  return [
    ...(isAddress ? [clusterIP] : []),
    ...listOf(ports).flatMap(({ nodePort }) =>
      typeof nodePort === 'number' && nodePort > 0 ? [String(nodePort)] : [],
    ),
  ]
}

/** An address or a port that another Service holds, or that nobody may have. */
function clash(object: KubeObject, holders: Holders): Status | undefined {
  const { clusterIP, ports } = fieldsOf(object['spec'])
  const isOthers = (holder: string | undefined): boolean => holder !== undefined && holder !== nameOf(object)
  const problems: FieldError[] = []
  if (typeof clusterIP === 'string' && isOthers(holders.address(clusterIP))) {
    const because = `failed to allocate IP ${clusterIP}: provided IP is already allocated`
    problems.push(invalid('spec.clusterIPs', [clusterIP], because))
  }
  for (const [at, { nodePort }] of listOf(ports).entries()) {
    if (typeof nodePort !== 'number' || nodePort === 0) continue
    const place = `spec.ports[${at}].nodePort`
    if (nodePort < FIRST_PORT || nodePort > LAST_PORT) {
      const range = `${FIRST_PORT}-${LAST_PORT}`
      const because = `provided port is not in the valid range. The range of valid ports is ${range}`
      problems.push(invalid(place, nodePort, because))
    } else if (isOthers(holders.port(nodePort)))
      problems.push(invalid(place, nodePort, 'provided port is already allocated'))
  }
  if (problems.length === 0) return undefined
  return invalidStatus({ group: '', kind: 'Service' }, object.metadata.name ?? '', problems)
}
