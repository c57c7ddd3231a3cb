import type { KubeObject } from '../../../kube/object.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import type { ServiceResolver } from './call.ts'

interface ServiceSpec {
  readonly type?: string
  readonly externalName?: string
  readonly ports?: readonly { readonly name?: string; readonly port: number }[]
}

interface Slice extends KubeObject {
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[]
    readonly conditions?: { readonly ready?: boolean }
  }[]
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[]
}

/** Finds an address behind a Service: its first ready endpoint, or the external name. There are no cluster addresses to route to here. */
export function serviceResolver(reader: ClusterReader): ServiceResolver {
  return ({ namespace, name, port }) => {
    const service = reader.get('', 'services', { namespace, name })
    const spec: ServiceSpec = service?.['spec'] ?? {}
    if (spec.type === 'ExternalName') return spec.externalName ? { host: spec.externalName, port } : undefined
    const portName = spec.ports?.find((candidate) => candidate.port === port)?.name ?? ''
    for (const object of reader.list('discovery.k8s.io', 'endpointslices', namespace)) {
      if (object.metadata.labels?.['kubernetes.io/service-name'] !== name) continue
      const slice = object as Slice
      const target = slice.ports?.find((candidate) => (candidate.name ?? '') === portName)?.port
      const host = slice.endpoints?.find(({ conditions }) => conditions?.ready !== false)?.addresses?.[0]
      if (host !== undefined && target !== undefined) return { host, port: target }
    }
    return undefined
  }
}
