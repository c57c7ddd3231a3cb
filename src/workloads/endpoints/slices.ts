import type { KubeObject } from '../../kube/object.ts'
import { isEqual, isObject } from '../../lib/json.ts'
import type { Endpoint, Subset } from './plan.ts'

export const SERVICE_NAME = 'kubernetes.io/service-name'
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
export const HEADLESS = 'service.kubernetes.io/headless'
const PER_SLICE = 100
/** Endpoints carry no more addresses than this, and say so. */
const PER_ENDPOINTS = 1_000

export type AddressType = 'IPv4' | 'IPv6'

/** What is to be done so that the slices of a Service are the wanted ones. */
export interface SlicePlan {
  readonly create: readonly KubeObject[]
  readonly update: readonly KubeObject[]
  readonly remove: readonly KubeObject[]
}

export interface WantedSlices {
  /** The Service, or the Endpoints that are mirrored: the owner. */
  readonly owner: KubeObject
  readonly serviceName: string
  readonly manager: string
  readonly labels: Readonly<Record<string, string>>
  readonly subsets: readonly Subset[]
  readonly existing: readonly KubeObject[]
  /** An empty slice says that nothing is behind a Service; absent where nobody asks. */
  readonly keepsOne?: boolean
}

/** Spreads endpoints over slices of at most 100 with the same ports. What is in a slice stays there as long as it can. */
export function planSlices(wanted: WantedSlices): SlicePlan {
  const create: KubeObject[] = []
  const update: KubeObject[] = []
  const kept = new Set<KubeObject>()
  for (const group of groupsOf(wanted.subsets)) {
    const mine = wanted.existing.filter((slice) => !kept.has(slice) && isOf(slice, group))
    const left = new Map(group.endpoints.map((endpoint) => [identityOf(endpoint), endpoint]))
    const filled = mine.map((slice) => {
      const endpoints = endpointsOf(slice).flatMap((old) => {
        const found = left.get(old)
        left.delete(old)
        return found ?? []
      })
      return { slice, endpoints }
    })
    const rest = [...left.values()]
    for (const { slice, endpoints } of filled) {
      endpoints.push(...rest.splice(0, Math.max(PER_SLICE - endpoints.length, 0)))
      if (endpoints.length === 0) continue
      kept.add(slice)
      const next = sliceOf(wanted, group, endpoints, slice)
      if (!isEqual(next, slice)) update.push(next)
    }
    for (; rest.length > 0;) create.push(sliceOf(wanted, group, rest.splice(0, PER_SLICE), undefined))
  }
  if (wanted.keepsOne && kept.size + create.length === 0) {
    const empty = { addressType: 'IPv4', ports: [], endpoints: [] } as const
    const slice = wanted.existing.find((one) => one['addressType'] === 'IPv4')
    const next = sliceOf(wanted, empty, [], slice)
    if (!slice) create.push(next)
    else {
      kept.add(slice)
      if (!isEqual(next, slice)) update.push(next)
    }
  }
  return { create, update, remove: wanted.existing.filter((slice) => !kept.has(slice)) }
}

interface Group extends Subset {
  readonly addressType: AddressType
}

function groupsOf(subsets: readonly Subset[]): readonly Group[] {
  return subsets.flatMap(({ ports, endpoints }) =>
    (['IPv4', 'IPv6'] as const).flatMap((addressType) => {
      const some = endpoints.filter(({ address }) => address.includes(':') === (addressType === 'IPv6'))
      return some.length > 0 ? [{ addressType, ports, endpoints: some }] : []
    }),
  )
}

const identityOf = ({ address, target }: Endpoint): string => `${address} ${target?.['uid'] ?? ''}`

function endpointsOf(slice: KubeObject): readonly string[] {
  const { endpoints } = slice as { readonly endpoints?: unknown }
  if (!Array.isArray(endpoints)) return []
  return endpoints.filter(isObject).map(({ addresses, targetRef }) => {
    const address: unknown = Array.isArray(addresses) ? addresses[0] : ''
    const uid = isObject(targetRef) && typeof targetRef['uid'] === 'string' ? targetRef['uid'] : ''
    return `${String(address)} ${uid}`
  })
}

const isOf = (slice: KubeObject, { addressType, ports }: Group): boolean =>
  slice['addressType'] === addressType && isEqual(slice['ports'] ?? [], ports)

function sliceOf(
  { owner, serviceName, manager, labels }: WantedSlices,
  { addressType, ports }: Group,
  endpoints: readonly Endpoint[],
  before: KubeObject | undefined,
): KubeObject {
  const { name = '', namespace = '', uid = '' } = owner.metadata
  const all = { ...labels, [SERVICE_NAME]: serviceName, [MANAGED_BY]: manager }
  const ownerReferences = [
    { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true, blockOwnerDeletion: true },
  ]
  return {
    ...before,
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: before
      ? { ...before.metadata, labels: all, ownerReferences }
      : { generateName: `${serviceName}-`, namespace, labels: all, ownerReferences },
    addressType,
    ports,
    endpoints: endpoints.map(({ address, hostname, nodeName, zone, target, ready, serving, terminating }) => ({
      addresses: [address],
      conditions: { ready, serving, terminating },
      ...(hostname === undefined ? {} : { hostname }),
      ...(target ? { targetRef: target } : {}),
      ...(nodeName === undefined ? {} : { nodeName }),
      ...(zone === undefined ? {} : { zone }),
    })),
  }
}

/** The same as older clients read it: subsets with ready and unready addresses. */
export function endpointsFrom(
  service: KubeObject,
  subsets: readonly Subset[],
  before: KubeObject | undefined,
): KubeObject {
  const { name = '', namespace = '', labels } = service.metadata
  let room = PER_ENDPOINTS
  let isCut = false
  const cut = (endpoints: readonly Endpoint[]): readonly object[] => {
    const some = endpoints.slice(0, Math.max(room, 0))
    room -= some.length
    isCut ||= some.length < endpoints.length
    return some.map(({ address, hostname, nodeName, target }) => ({
      ip: address,
      ...(hostname === undefined ? {} : { hostname }),
      ...(nodeName === undefined ? {} : { nodeName }),
      ...(target ? { targetRef: target } : {}),
    }))
  }
  const listed = subsets.flatMap(({ ports, endpoints }) => {
    const addresses = cut(endpoints.filter(({ ready }) => ready))
    const notReadyAddresses = cut(endpoints.filter(({ ready, terminating }) => !ready && !terminating))
    if (addresses.length + notReadyAddresses.length === 0) return []
    return [
      {
        ...(addresses.length > 0 ? { addresses } : {}),
        ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
        ...(ports.length > 0
          ? { ports: ports.map(({ name: called, ...port }) => (called ? { name: called, ...port } : port)) }
          : {}),
      },
    ]
  })
  const headless = (service['spec'] as { readonly clusterIP?: string } | undefined)?.clusterIP === 'None'
  const { [CAPACITY]: _, ...annotations } = before?.metadata.annotations ?? {}
  const noted = isCut ? { ...annotations, [CAPACITY]: 'truncated' } : annotations
  const { subsets: _subsets, ...kept } = before ?? { subsets: undefined }
  const { annotations: _annotations, labels: _labels, ...metadata } = before?.metadata ?? { name, namespace }
  return {
    ...kept,
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...metadata,
      labels: {
        ...labels,
        'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
        ...(headless ? { [HEADLESS]: '' } : {}),
      },
      ...(Object.keys(noted).length > 0 ? { annotations: noted } : {}),
    },
    ...(listed.length > 0 ? { subsets: listed } : {}),
  }
}

const CAPACITY = 'endpoints.kubernetes.io/over-capacity'

/** Endpoints that somebody wrote by hand, as subsets. */
export function subsetsOf(endpoints: KubeObject): readonly Subset[] {
  interface Address {
    readonly ip: string
    readonly hostname?: string
    readonly nodeName?: string
    readonly targetRef?: Readonly<Record<string, string>>
  }
  const { subsets = [] } = endpoints as {
    readonly subsets?: readonly {
      readonly addresses?: readonly Address[]
      readonly notReadyAddresses?: readonly Address[]
      readonly ports?: readonly { name?: string; protocol?: string; port: number; appProtocol?: string }[]
    }[]
  }
  const made = ({ ip, hostname, nodeName, targetRef }: Address, ready: boolean): Endpoint => ({
    address: ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef ? { target: targetRef } : {}),
    ready,
    serving: ready,
    terminating: false,
  })
  return subsets.map(({ addresses = [], notReadyAddresses = [], ports = [] }) => ({
    ports: ports.map(({ name = '', protocol = 'TCP', ...port }) => ({ name, protocol, ...port })),
    endpoints: [...addresses.map((one) => made(one, true)), ...notReadyAddresses.map((one) => made(one, false))],
  }))
}
