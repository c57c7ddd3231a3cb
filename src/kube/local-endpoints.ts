import type { KubeObject } from './object.ts'

/** The label of an EndpointSlice that names its Service. */
export const SERVICE_NAME = 'kubernetes.io/service-name'

/** A place where something answers. */
export interface Endpoint {
  readonly address: string
  readonly port: number
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

/** What is ready and really runs on this machine behind each TCP port of a Service; ports with nothing behind them are left out. */
export function localEndpoints(
  service: KubeObject,
  slices: readonly KubeObject[],
): ReadonlyMap<number, readonly Endpoint[]> {
  const { ports = [] } = (service['spec'] ?? {}) as { readonly ports?: readonly ServicePort[] }
  const found = new Map<number, readonly Endpoint[]>()
  for (const { name = '', port, protocol = 'TCP' } of ports) {
    if (protocol !== 'TCP') continue
    const endpoints = slices.flatMap((slice) => endpointsOf(slice as unknown as Slice, name))
    if (endpoints.length > 0) found.set(port, endpoints)
  }
  return found
}

function endpointsOf({ ports = [], endpoints = [] }: Slice, name: string): readonly Endpoint[] {
  const port = ports.find((one) => (one.name ?? '') === name)?.port
  if (port === undefined) return []
  return endpoints.flatMap(({ addresses = [], conditions }) =>
    conditions?.ready === false ? [] : addresses.filter(isHere).map((address) => ({ address, port })),
  )
}

/** The key of the Service that a slice belongs to. */
export const serviceOfSlice = ({ metadata }: KubeObject): string =>
  `${metadata.namespace ?? ''}/${metadata.labels?.[SERVICE_NAME] ?? ''}`
