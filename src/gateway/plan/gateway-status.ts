import type { KubeObject } from '../../kube/object.ts'
import { fieldsOf, objectsOf } from '../../lib/fields.ts'
import { isEqual } from '../../lib/json.ts'
import type { PlannedListener } from './listeners.ts'
import { type Finding, isFalseOf, isTrueOf } from './objects.ts'
import type { BoundGateway } from './ports.ts'
import { conditionsFrom, conditionsIn, type StatusPlan } from './status.ts'

/** A Gateway as far as its status goes. */
export interface PlannedGateway {
  readonly object: KubeObject
  readonly listeners: readonly PlannedListener[]
  /** What is said besides whether it is accepted and programmed. */
  readonly findings: readonly Finding[]
  readonly invalidParameters?: string
  /** The routes that are attached to each listener. */
  readonly attached: ReadonlyMap<PlannedListener, Set<string>>
}

/** What became of the ports of a Gateway. */
export interface Binding extends BoundGateway {
  /** Why a port could not be bound, by `address:port`. */
  readonly binds: ReadonlyMap<string, string>
  readonly reachedAt: (port: number) => number
}

/** The status of a Gateway; undefined where nothing changes. */
export function gatewayStatus(
  gateway: PlannedGateway,
  binding: Binding,
  nowMs: number,
): StatusPlan['status'] | undefined {
  const { object, listeners, attached } = gateway
  const before = fieldsOf(object, 'status')
  const { generation } = object.metadata
  const known = objectsOf(before, 'listeners') ?? []
  const told = listeners.map((listener) => {
    const { fields, kinds, findings } = listener
    const old = known.find((entry) => entry['name'] === fields.name)
    return {
      name: fields.name,
      supportedKinds: kinds,
      attachedRoutes: attached.get(listener)?.size ?? 0,
      conditions: conditionsFrom([...findings, programmed(listener, binding)], conditionsIn(old), generation, nowMs),
    }
  })
  const findings = [accepted(gateway, binding), gatewayProgrammed(gateway, binding), ...gateway.findings]
  const status = {
    ...before,
    ...(binding.addresses.length > 0
      ? { addresses: binding.addresses.map((value) => ({ type: 'IPAddress', value })) }
      : { addresses: [] }),
    conditions: conditionsFrom(findings, conditionsIn(before), generation, nowMs),
    listeners: told,
  }
  return isEqual(status, before) ? undefined : status
}

/** Why a listener is not bound; undefined where it is. */
function bindProblem({ fields }: PlannedListener, { addresses, binds, reachedAt }: Binding): string | undefined {
  for (const address of addresses) {
    const because = binds.get(`${address}:${reachedAt(fields.port)}`)
    if (because !== undefined) return `the port ${reachedAt(fields.port)} of ${address} cannot be bound: ${because}`
  }
  return undefined
}

function programmed(listener: PlannedListener, binding: Binding): Finding {
  if (!listener.isServed)
    return isFalseOf('Programmed', 'Invalid', 'the listener is not served, other conditions say why')
  if (binding.problem) return isFalseOf('Programmed', 'Invalid', binding.problem.message)
  const problem = bindProblem(listener, binding)
  if (problem !== undefined) return isFalseOf('Programmed', 'PortUnavailable', problem)
  const places = binding.addresses.map((address) => `${address}:${binding.reachedAt(listener.fields.port)}`)
  return isTrueOf('Programmed', 'Programmed', `the listener is served at ${places.join(', ')}`)
}

function accepted({ listeners, invalidParameters }: PlannedGateway, { problem }: Binding): Finding {
  if (invalidParameters !== undefined) return isFalseOf('Accepted', 'InvalidParameters', invalidParameters)
  if (problem?.reason === 'UnsupportedAddress') return isFalseOf('Accepted', problem.reason, problem.message)
  const invalid = listeners.filter(({ isServed }) => !isServed).map(({ fields }) => fields.name)
  if (invalid.length === 0) return isTrueOf('Accepted', 'Accepted', 'the Gateway is served')
  const rest =
    invalid.length === listeners.length
      ? 'none of its listeners is valid'
      : `listeners that are not served: ${invalid.join(', ')}`
  return invalid.length === listeners.length
    ? isFalseOf('Accepted', 'ListenersNotValid', rest)
    : isTrueOf('Accepted', 'ListenersNotValid', rest)
}

function gatewayProgrammed({ listeners, invalidParameters }: PlannedGateway, binding: Binding): Finding {
  if (invalidParameters !== undefined) return isFalseOf('Programmed', 'Invalid', invalidParameters)
  if (binding.problem) {
    const reason = binding.problem.reason === 'AddressNotUsable' ? 'AddressNotUsable' : 'Invalid'
    return isFalseOf('Programmed', reason, binding.problem.message)
  }
  const served = listeners.filter(({ isServed }) => isServed)
  if (served.length === 0) return isFalseOf('Programmed', 'Invalid', 'none of its listeners can be served')
  for (const listener of served) {
    const problem = bindProblem(listener, binding)
    if (problem !== undefined) return isFalseOf('Programmed', 'AddressNotUsable', problem)
  }
  const places = [...new Set(served.map(({ fields }) => fields.port))].map((port) =>
    binding.reachedAt(port) === port ? String(port) : `${port} as ${binding.reachedAt(port)}`,
  )
  return isTrueOf('Programmed', 'Programmed', `served at ${binding.addresses.join(', ')}, ports ${places.join(', ')}`)
}
