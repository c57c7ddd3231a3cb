import { type Condition, isTrue } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isFinished, podSpecOf } from '../../kube/pod.ts'
import { matchesLabels } from '../../kube/selector.ts'

/** The part of a Service that decides where its traffic goes. */
export interface ServiceSpec {
  readonly type?: string
  readonly clusterIP?: string
  readonly selector?: Readonly<Record<string, string>>
  readonly ports?: readonly ServicePort[]
  readonly publishNotReadyAddresses?: boolean
}

export interface ServicePort {
  readonly name?: string
  readonly protocol?: string
  readonly port?: number
  readonly targetPort?: number | string
  readonly appProtocol?: string
}

/** A port as it is on a Pod. */
export interface EndpointPort {
  readonly name: string
  readonly protocol: string
  readonly port: number
  readonly appProtocol?: string
}

/** One Pod behind a Service. */
export interface Endpoint {
  readonly address: string
  readonly hostname?: string
  readonly nodeName?: string
  readonly zone?: string
  readonly target?: Readonly<Record<string, string>>
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
}

/** Endpoints that listen on the same ports. */
export interface Subset {
  readonly ports: readonly EndpointPort[]
  readonly endpoints: readonly Endpoint[]
}

export interface Observed {
  readonly service: KubeObject
  readonly pods: readonly KubeObject[]
  readonly zoneOf: (nodeName: string) => string | undefined
}

export const specOf = (service: KubeObject): ServiceSpec => service['spec'] ?? {}

/** Whether a Service finds its Pods by labels. */
export const selectsPods = ({ type, selector }: ServiceSpec): boolean =>
  type !== 'ExternalName' && selector !== undefined && Object.keys(selector).length > 0

/** Whether a Service's selector takes a Pod in. */
export function isBehind(service: KubeObject, pod: KubeObject): boolean {
  const spec = specOf(service)
  if (!selectsPods(spec)) return false
  const wanted = Object.entries(spec.selector ?? {}).map(([key, value]) => ({
    key,
    operator: 'in' as const,
    values: new Set([value]),
  }))
  return matchesLabels(wanted, pod.metadata.labels)
}

/** Which Pods are behind a Service, and where they listen: a named port may be another number on each. */
export function planEndpoints({ service, pods, zoneOf }: Observed): readonly Subset[] {
  const spec = specOf(service)
  const subsets = new Map<string, { readonly ports: readonly EndpointPort[]; readonly endpoints: Endpoint[] }>()
  for (const pod of pods.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))) {
    const endpoint = isBehind(service, pod) ? endpointOf(pod, service, zoneOf) : undefined
    if (!endpoint) continue
    const ports = portsOn(pod, spec)
    const key = JSON.stringify(ports)
    const subset = subsets.get(key) ?? { ports, endpoints: [] }
    subsets.set(key, subset)
    subset.endpoints.push(endpoint)
  }
  return [...subsets].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, subset]) => subset)
}

const nameOf = ({ metadata }: KubeObject): string => metadata.name ?? ''

function endpointOf(
  pod: KubeObject,
  service: KubeObject,
  zoneOf: (nodeName: string) => string | undefined,
): Endpoint | undefined {
  const { podIP, conditions } = (pod['status'] ?? {}) as {
    readonly podIP?: string
    readonly conditions?: readonly Condition[]
  }
  if (!podIP || isFinished(pod)) return undefined
  const { publishNotReadyAddresses = false } = specOf(service)
  const { nodeName, hostname, subdomain } = podSpecOf(pod) as {
    readonly nodeName?: string
    readonly hostname?: string
    readonly subdomain?: string
  }
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const serving = isTrue(conditions, 'Ready')
  const zone = nodeName ? zoneOf(nodeName) : undefined
  const { namespace = '', name = '', uid = '' } = pod.metadata
  return {
    address: podIP,
    ...(hostname && subdomain === service.metadata.name ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(zone === undefined ? {} : { zone }),
    target: { kind: 'Pod', name, namespace, uid },
    ready: publishNotReadyAddresses || (serving && !terminating),
    serving,
    terminating,
  }
}

function portsOn(pod: KubeObject, { ports = [] }: ServiceSpec): readonly EndpointPort[] {
  return ports.flatMap(({ name = '', protocol = 'TCP', port = 0, targetPort, appProtocol }) => {
    const found = portNumber(pod, targetPort === undefined || targetPort === 0 ? port : targetPort, protocol)
    if (found === undefined) return []
    return [{ name, protocol, port: found, ...(appProtocol === undefined ? {} : { appProtocol }) }]
  })
}

function portNumber(pod: KubeObject, target: number | string, protocol: string): number | undefined {
  if (typeof target === 'number') return target
  const { containers = [], initContainers = [] } = podSpecOf(pod)
  const sidecars = initContainers.filter((container) => container['restartPolicy'] === 'Always')
  for (const container of [...containers, ...sidecars]) {
    const { ports = [] } = container as {
      readonly ports?: readonly { name?: string; protocol?: string; containerPort?: number }[]
    }
    const found = ports.find((port) => port.name === target && (port.protocol ?? 'TCP') === protocol)
    if (found) return found.containerPort
  }
  return undefined
}
