import type { KubeObject } from '../../kube/object.ts'
import type { BackendTarget } from '../table/route.ts'
import type { BackendPolicies } from './backend-tls.ts'
import type { Grants } from './grants.ts'
import { type BackendRef, type GatewayView, namespaceOf, type ServiceFields, specOf } from './objects.ts'

/** What is wrong with a reference, in the words of a route's ResolvedRefs. */
export interface RefProblem {
  readonly reason: string
  readonly message: string
}

/** Where a backendRef leads, and what is wrong with it. */
export interface ResolvedBackend {
  readonly target: BackendTarget
  readonly problem?: RefProblem
}

/** What backends are resolved with. */
export interface BackendContext {
  readonly view: GatewayView
  readonly grants: Grants
  readonly policies: BackendPolicies
  readonly gateway: GatewayIdentity
  /** The certificate that the Gateway shows to backends. */
  readonly client?: { readonly id: string; readonly cert: string; readonly key: string } | undefined
  /** The Service ports that routes lead to are told here. */
  readonly used: Map<string, UsedService>
  /** The Services themselves, as `namespace/name`, whether or not anything can be sent to them. */
  readonly seen?: Set<string>
}

/** Who a Gateway is to the Pods that it opens connections to. */
export interface GatewayIdentity {
  /** `namespace/name` of the Gateway. */
  readonly key: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
}

/** A port of a Service that a route of a Gateway leads to. */
export interface UsedService {
  readonly service: KubeObject
  readonly portName: string
  readonly gateway: GatewayIdentity
}

/** Finds what a backendRef of a route leads to. */
export function resolveBackend(
  ref: BackendRef,
  route: { readonly kind: string; readonly object: KubeObject },
  context: BackendContext,
): ResolvedBackend {
  const { group = '', kind = 'Service', name, port } = ref
  const status = route.kind === 'GRPCRoute' ? 503 : 500
  const refused = (reason: string, message: string): ResolvedBackend => ({
    target: { do: 'refuse', status, because: message },
    problem: { reason, message },
  })
  const fromNamespace = namespaceOf(route.object)
  const toNamespace = ref.namespace ?? fromNamespace
  const key = `${toNamespace}/${name}`
  if (group !== '' || kind !== 'Service') {
    return refused(
      'InvalidKind',
      `a route leads to Services, not to a ${kind}${group === '' ? '' : ` of ${group}`} (${key})`,
    )
  }
  const reference = { fromKind: route.kind, fromNamespace, toGroup: '', toKind: 'Service', toNamespace, toName: name }
  if (!context.grants.allows(reference)) {
    return refused(
      'RefNotPermitted',
      `no ReferenceGrant in ${toNamespace} lets ${route.kind}s of ${fromNamespace} use the Service ${name}`,
    )
  }
  const service = context.view.service(key)
  if (!service) return refused('BackendNotFound', `there is no Service ${key}`)
  const { type, ports = [] } = specOf<ServiceFields>(service)
  if (type === 'ExternalName')
    return refused('InvalidKind', `the Service ${key} is an ExternalName, which is not forwarded to`)
  const found = ports.find((one) => one.port === port)
  if (port === undefined || !found)
    return refused('BackendNotFound', `the Service ${key} has no port ${port ?? '(none is named)'}`)
  return lead(service, found, route.kind, context, refused)
}

type ServicePort = NonNullable<ServiceFields['ports']>[number]

function lead(
  ...[service, { name: portName = '', port, protocol = 'TCP', appProtocol }, kind, context, refused]: [
    KubeObject,
    ServicePort,
    string,
    BackendContext,
    (reason: string, message: string) => ResolvedBackend,
  ]
): ResolvedBackend {
  const { policies, client, used, seen, gateway } = context
  const name = `${namespaceOf(service)}/${service.metadata.name ?? ''}`
  if (protocol !== 'TCP') {
    return refused(
      'UnsupportedProtocol',
      `the port ${port} of the Service ${name} is ${protocol}, which a ${kind} cannot use`,
    )
  }
  seen?.add(name)
  const policy = policies.of(service, portName)
  if (policy && 'refusal' in policy) return { target: { do: 'refuse', status: 500, because: policy.refusal } }
  if (!policy && (appProtocol === 'https' || appProtocol === 'kubernetes.io/wss')) {
    return refused(
      'UnsupportedProtocol',
      `the port ${port} of the Service ${name} speaks TLS (${appProtocol}): a BackendTLSPolicy has to say how it is verified`,
    )
  }
  // What may be reached depends on who asks.
  const serviceKey = `${name}:${port} via ${gateway.key}`
  used.set(serviceKey, { service, portName, gateway })
  const isHttp2 = kind === 'GRPCRoute' || appProtocol === 'kubernetes.io/h2c' || appProtocol === 'grpc'
  const tls = policy && client ? { ...policy.tls, client, id: `${policy.tls.id} ${client.id}` } : policy?.tls
  return {
    target: { do: 'forward', service: serviceKey, protocol: isHttp2 ? 'h2c' : 'http1', ...(tls ? { tls } : {}) },
  }
}
