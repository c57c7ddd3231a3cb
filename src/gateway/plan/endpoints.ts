import type { KubeObject } from '../../kube/object.ts'
import { fieldsOf, numberOf, objectsOf, textOf, textsOf } from '../../lib/fields.ts'
import type { NetworkPolicies } from '../network-policy/network-policies.ts'
import type { UsedService } from './backends.ts'

/** What answers behind a port of a Service; where nothing does, why. */
export interface PlannedEndpoints {
  readonly endpoints: readonly { readonly address: string; readonly port: number }[]
  readonly because?: string
}

interface Found {
  readonly endpoint: { readonly address: string; readonly port: number }
  readonly isReady: boolean
  /** The Pod that answers there, if it is one. */
  readonly podName?: string
  /** It ends, but still answers. */
  readonly isServing: boolean
}

/** What the endpoints of Services are found in. */
export interface EndpointSources {
  /** The EndpointSlices of a Service, by `namespace/name`. */
  readonly slicesOf: (service: string) => readonly KubeObject[]
  /** Where every address of a Pod can be reached, not only those on this machine; then nothing is left out. */
  readonly reachesPods: boolean
  readonly policies: NetworkPolicies
  readonly pod: (key: string) => KubeObject | undefined
  readonly namespace: (name: string) => KubeObject | undefined
}

/** The address that a Pod sees the gateway come from. */
const OWN_ADDRESS = '127.0.0.1'

/**
 * The endpoints of the Services that routes lead to. Those that end are used as long as no other is ready. Addresses that are
 * not on this machine belong to Pods that are simulated, and Pods may be protected from the Gateway that asks.
 */
export function planEndpoints(
  used: ReadonlyMap<string, UsedService>,
  sources: EndpointSources,
): ReadonlyMap<string, PlannedEndpoints> {
  const planned = new Map<string, PlannedEndpoints>()
  for (const [key, one] of used) {
    const { service, portName } = one
    const name = `${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`
    const found = sources.slicesOf(name).flatMap((slice) => endpointsOf(slice, portName))
    planned.set(key, protect(choose(name, found, sources.reachesPods), one, sources))
  }
  return planned
}

/** Leaves out the Pods that NetworkPolicies keep the Gateway from. */
function protect(
  { usable, because }: Chosen,
  { service, gateway }: UsedService,
  sources: EndpointSources,
): PlannedEndpoints {
  const { reachesPods, policies, pod, namespace } = sources
  const all = usable.map(({ endpoint }) => endpoint)
  const told = because === undefined ? {} : { because }
  const own = service.metadata.namespace ?? ''
  // Elsewhere, it is the network itself that keeps them.
  if (reachesPods || usable.length === 0 || policies.isOpen(own)) return { endpoints: all, ...told }
  const namespaceLabels = namespace(gateway.namespace)?.metadata.labels
  const source = { namespace: gateway.namespace, namespaceLabels, labels: gateway.labels, address: OWN_ADDRESS }
  let refusal: string | undefined
  const allowed = usable.filter(({ endpoint, podName }) => {
    const target = podName === undefined ? undefined : pod(`${own}/${podName}`)
    const refused = target && policies.refusal(source, { pod: target, port: endpoint.port })
    refusal ??= refused
    return refused === undefined
  })
  if (allowed.length > 0) return { endpoints: allowed.map(({ endpoint }) => endpoint) }
  return { endpoints: [], because: `the Gateway ${gateway.key} is not let in: ${refusal ?? ''}` }
}

interface Chosen {
  readonly usable: readonly Found[]
  readonly because?: string
}

function choose(name: string, found: readonly Found[], reachesPods: boolean): Chosen {
  const reached = reachesPods ? found : found.filter(({ endpoint }) => endpoint.address.startsWith('127.'))
  const ready = reached.filter(({ isReady }) => isReady)
  const usable = ready.length > 0 ? ready : reached.filter(({ isServing }) => isServing)
  if (usable.length > 0) return { usable }
  if (found.length === 0) return { usable: [], because: `no Pod is behind the Service ${name}` }
  return reached.length > 0
    ? { usable: [], because: `no Pod behind the Service ${name} is ready` }
    : {
        usable: [],
        because: `the Pods behind the Service ${name} are simulated: nothing that could answer runs on this machine`,
      }
}

function endpointsOf(slice: KubeObject, portName: string): readonly Found[] {
  const port = (objectsOf(slice, 'ports') ?? []).find((one) => textOf(one, 'name') === portName)
  const number = numberOf(port, 'port')
  if (number === undefined || (textOf(port, 'protocol') || 'TCP') !== 'TCP') return []
  return (objectsOf(slice, 'endpoints') ?? []).flatMap((endpoint) => {
    const { ready = true, serving, terminating = false } = fieldsOf(endpoint, 'conditions')
    const target = fieldsOf(endpoint, 'targetRef')
    const podName = textOf(target, 'kind') === 'Pod' ? textOf(target, 'name') : ''
    return (textsOf(endpoint, 'addresses') ?? []).map((address) => ({
      ...(podName === '' ? {} : { podName }),
      endpoint: { address, port: number },
      isReady: ready !== false && terminating !== true,
      isServing: serving === undefined ? ready !== false : serving === true,
    }))
  })
}
