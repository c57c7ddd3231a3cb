import type { KubeObject } from '../../kube/object.ts'

/** A place where something answers. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** How a Service is reached on this machine: the ports that it listens on, and what answers behind each. */
export interface ProxyPlan {
  readonly names: readonly string[]
  readonly ports: ReadonlyMap<number, readonly Endpoint[]>
}

interface ServicePort {
  readonly name?: string
  readonly port: number
  readonly protocol?: string
}

interface Slice {
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[]
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[]
    readonly conditions?: { readonly ready?: boolean }
  }[]
}

const isHere = (address: string): boolean => address.startsWith('127.')

/** The names under which Pods know a Service. */
export function namesOf(service: KubeObject): readonly string[] {
  const { name = '', namespace = '' } = service.metadata
  return ['', '.svc', '.svc.cluster.local'].map((suffix) => `${name}.${namespace}${suffix}`)
}

/** What has to listen for a Service; undefined when none of its ready endpoints really runs here. */
export function planProxy(service: KubeObject, slices: readonly KubeObject[]): ProxyPlan | undefined {
  const { ports = [] } = (service['spec'] ?? {}) as { readonly ports?: readonly ServicePort[] }
  const found = new Map<number, readonly Endpoint[]>()
  for (const { name = '', port, protocol = 'TCP' } of ports) {
    if (protocol !== 'TCP') continue
    const endpoints = slices.flatMap((slice) => endpointsOf(slice as unknown as Slice, name))
    if (endpoints.length > 0) found.set(port, endpoints)
  }
  return found.size === 0 ? undefined : { names: namesOf(service), ports: found }
}

function endpointsOf({ ports = [], endpoints = [] }: Slice, name: string): readonly Endpoint[] {
  const port = ports.find((one) => (one.name ?? '') === name)?.port
  if (port === undefined) return []
  return endpoints.flatMap(({ addresses = [], conditions }) =>
    conditions?.ready === false ? [] : addresses.filter(isHere).map((address) => ({ address, port })),
  )
}
