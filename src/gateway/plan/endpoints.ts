import type { KubeObject } from '../../kube/object.ts'
import { fieldsOf, numberOf, objectsOf, textOf, textsOf } from '../../lib/fields.ts'
import type { UsedService } from './backends.ts'

/** What answers behind a port of a Service; where nothing does, why. */
export interface PlannedEndpoints {
  readonly endpoints: readonly { readonly address: string; readonly port: number }[]
  readonly because?: string
}

interface Found {
  readonly endpoint: { readonly address: string; readonly port: number }
  readonly isReady: boolean
  /** It ends, but still answers. */
  readonly isServing: boolean
}

/**
 * The endpoints of the Services that routes lead to. Those that end are used as long as no other is ready. Addresses that are
 * not on this machine belong to Pods that are simulated, unless all addresses can be reached.
 */
export function planEndpoints(
  used: ReadonlyMap<string, UsedService>,
  slicesOf: (service: string) => readonly KubeObject[],
  reachesPods: boolean,
): ReadonlyMap<string, PlannedEndpoints> {
  const planned = new Map<string, PlannedEndpoints>()
  for (const [key, { service, portName }] of used) {
    const name = `${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`
    const found = slicesOf(name).flatMap((slice) => endpointsOf(slice, portName))
    planned.set(key, choose(name, found, reachesPods))
  }
  return planned
}

function choose(name: string, found: readonly Found[], reachesPods: boolean): PlannedEndpoints {
  const reached = reachesPods ? found : found.filter(({ endpoint }) => endpoint.address.startsWith('127.'))
  const ready = reached.filter(({ isReady }) => isReady)
  const usable = ready.length > 0 ? ready : reached.filter(({ isServing }) => isServing)
  if (usable.length > 0) return { endpoints: usable.map(({ endpoint }) => endpoint) }
  if (found.length === 0) return { endpoints: [], because: `no Pod is behind the Service ${name}` }
  return reached.length > 0
    ? { endpoints: [], because: `no Pod behind the Service ${name} is ready` }
    : {
        endpoints: [],
        because: `the Pods behind the Service ${name} are simulated: nothing that could answer runs on this machine`,
      }
}

function endpointsOf(slice: KubeObject, portName: string): readonly Found[] {
  const port = (objectsOf(slice, 'ports') ?? []).find((one) => textOf(one, 'name') === portName)
  const number = numberOf(port, 'port')
  if (number === undefined || (textOf(port, 'protocol') || 'TCP') !== 'TCP') return []
  return (objectsOf(slice, 'endpoints') ?? []).flatMap((endpoint) => {
    const { ready = true, serving, terminating = false } = fieldsOf(endpoint, 'conditions')
    return (textsOf(endpoint, 'addresses') ?? []).map((address) => ({
      endpoint: { address, port: number },
      isReady: ready !== false && terminating !== true,
      isServing: serving === undefined ? ready !== false : serving === true,
    }))
  })
}
