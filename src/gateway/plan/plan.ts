import type { KubeObject } from '../../kube/object.ts'
import type { ResourceId } from '../../kube/gvk.ts'
import { gatewayResources } from '../resources.ts'
import type { HostPattern } from '../table/hostname.ts'
import type { AttachedRoute } from '../table/route.ts'
import type { ListenerSpec, PortSpec, StreamRoute } from '../table/table.ts'
import { attach, type Attachment, haveCommonHost } from './attach.ts'
import type { BackendContext, GatewayIdentity, RefProblem, UsedService } from './backends.ts'
import { BackendPolicies } from './backend-tls.ts'
import { classFindings, isOurs } from './classes.ts'
import { Grants } from './grants.ts'
import { gatewayStatus, type PlannedGateway } from './gateway-status.ts'
import { keyPair, planListeners, type PlannedListener } from './listeners.ts'
import {
  byAge,
  createdMs,
  type Finding,
  type GatewayFields,
  type GatewayView,
  GROUP,
  isFalseOf,
  isTrueOf,
  keyOf,
  nameOf,
  namespaceOf,
  type ParentRef,
  type RouteFields,
  specOf,
} from './objects.ts'
import { type BindOptions, planPorts } from './ports.ts'
import { planRules, type PlannedRules } from './rules.ts'
import { classStatus, type ParentFindings, policyStatus, routeStatus, type StatusPlan } from './status.ts'

/** What is made of all objects of the Gateway API together. */
export interface GatewayPlan {
  readonly ports: readonly PortSpec[]
  readonly reachedAt: (port: number) => number
  /** The Service ports that routes lead to. */
  readonly used: ReadonlyMap<string, UsedService>
  /** The statuses that have to be written, once it is known what could not be bound, by `address:port`. */
  statuses(binds: ReadonlyMap<string, string>, nowMs: number): readonly StatusPlan[]
}

/** A Gateway with what is attached to its listeners. */
interface Draft extends PlannedGateway {
  readonly context: BackendContext
  readonly byListener: ReadonlyMap<
    PlannedListener,
    { readonly routes: AttachedRoute[]; readonly streams: StreamRoute[] }
  >
  /** Hostnames by the kind of route that has them, for each listener. */
  readonly hosts: Map<PlannedListener, Map<string, HostPattern[]>>
  /** The Services that its routes lead to. */
  readonly services: Set<string>
}

interface Route {
  readonly kind: string
  readonly resource: ResourceId
  readonly object: KubeObject
}

/** Decides everything: what is bound, what is served there, and what every object is told. */
export function planGateways(view: GatewayView, options: BindOptions): GatewayPlan {
  const grants = new Grants(view.grants)
  const policies = new BackendPolicies(view)
  const classes = view.classes.filter(isOurs)
  const accepted = new Set(classes.filter((one) => classFindings(one)[0]?.status === 'True').map(nameOf))
  const used = new Map<string, UsedService>()
  const gateways = new Map<string, Draft>()
  for (const object of view.gateways.toSorted(byAge)) {
    if (!accepted.has(specOf<GatewayFields>(object).gatewayClassName)) continue
    const context = { view, grants, policies, used, gateway: identityOf(object) }
    gateways.set(keyOf(object), draftOf(object, view, grants, context))
  }
  const routes = allRoutes(view).toSorted((a, b) => byAge(a.object, b.object))
  const found = routes.map((route) => ({ route, parents: planRoute(route, gateways, view) }))
  const drafts = [...gateways.values()]
  const { ports, byGateway, reachedAt } = planPorts(
    drafts.map((draft) => ({ ...draft, specOf: (listener: PlannedListener) => listenerSpec(draft, listener) })),
    options,
  )
  return {
    ports,
    reachedAt,
    used,
    statuses(binds, nowMs) {
      const plans: StatusPlan[] = []
      const add = (
        resource: StatusPlan['resource'],
        object: KubeObject,
        status: StatusPlan['status'] | undefined,
      ): void => {
        if (status) plans.push({ resource, object, status })
      }
      for (const one of classes) add(gatewayResources.classes, one, classStatus(one, nowMs))
      for (const [key, draft] of gateways) {
        const bound = byGateway.get(key) ?? { addresses: [] }
        add(gatewayResources.gateways, draft.object, gatewayStatus(draft, { ...bound, binds, reachedAt }, nowMs))
      }
      for (const { route, parents } of found)
        add(route.resource, route.object, routeStatus(route.object, parents, nowMs))
      for (const { policy, findings, services } of policies.all()) {
        const concerned = drafts.filter((draft) => services.some((service) => draft.services.has(service)))
        const ancestors = concerned.map(({ object }) => ({ ancestorRef: ancestorRef(object), findings }))
        add(gatewayResources.policies, policy, policyStatus(policy, ancestors, nowMs))
      }
      return plans
    },
  }
}

/** The labels that a Gateway's own Pods have elsewhere, and those that it asks for. */
const identityOf = (object: KubeObject): GatewayIdentity => ({
  key: keyOf(object),
  namespace: namespaceOf(object),
  labels: {
    ...specOf<GatewayFields>(object).infrastructure?.labels,
    'gateway.networking.k8s.io/gateway-name': nameOf(object),
    'gateway.networking.k8s.io/gateway-class-name': specOf<GatewayFields>(object).gatewayClassName,
  },
})

const ancestorRef = (gateway: KubeObject): Readonly<Record<string, unknown>> => ({
  group: GROUP,
  kind: 'Gateway',
  namespace: namespaceOf(gateway),
  name: nameOf(gateway),
})

function allRoutes(view: GatewayView): Route[] {
  const of = (kind: string, resource: ResourceId, objects: readonly KubeObject[]): Route[] =>
    objects.map((object) => ({ kind, resource, object }))
  return [
    ...of('HTTPRoute', gatewayResources.httpRoutes, view.httpRoutes),
    ...of('GRPCRoute', gatewayResources.grpcRoutes, view.grpcRoutes),
    ...of('TLSRoute', gatewayResources.tlsRoutes, view.tlsRoutes),
    ...of('TCPRoute', gatewayResources.tcpRoutes, view.tcpRoutes),
    ...of('UDPRoute', gatewayResources.udpRoutes, view.udpRoutes),
  ]
}

function draftOf(object: KubeObject, view: GatewayView, grants: Grants, context: BackendContext): Draft {
  const listeners = planListeners(object, view, grants)
  const { tls, infrastructure } = specOf<GatewayFields>(object)
  const ref = tls?.backend?.clientCertificateRef
  const client = ref && keyPair(ref, object, view, grants)
  const findings: Finding[] = []
  if (client) {
    findings.push(
      'pair' in client
        ? isTrueOf('ResolvedRefs', 'ResolvedRefs', 'everything that the Gateway names was found')
        : isFalseOf(
            'ResolvedRefs',
            client.reason === 'RefNotPermitted' ? client.reason : 'InvalidClientCertificateRef',
            client.problem,
          ),
    )
  }
  if (listeners.some(({ clients }) => clients?.isOptional)) {
    findings.push(
      isTrueOf(
        'InsecureFrontendValidationMode',
        'ConfigurationChanged',
        'clients are let in whether or not they prove who they are',
      ),
    )
  }
  const parameters = infrastructure?.parametersRef
  return {
    object,
    listeners,
    findings,
    ...(parameters
      ? {
          invalidParameters: `infrastructure takes no parameters, and ${parameters.kind ?? ''} ${parameters.name} is named`,
        }
      : {}),
    attached: new Map(listeners.map((listener) => [listener, new Set()])),
    context: { ...context, ...(client && 'pair' in client ? { client: client.pair } : {}) },
    byListener: new Map(listeners.map((listener) => [listener, { routes: [], streams: [] }])),
    hosts: new Map(),
    services: new Set(),
  }
}

/** Attaches a route to those of its parents that are ours. */
function planRoute({ kind, object }: Route, gateways: ReadonlyMap<string, Draft>, view: GatewayView): ParentFindings[] {
  const { parentRefs = [], hostnames = [] } = specOf<RouteFields>(object)
  const found: ParentFindings[] = []
  const compiled = new Map<Draft, PlannedRules>()
  for (const parentRef of parentRefs) {
    const { group = GROUP, kind: parentKind = 'Gateway', name, namespace = namespaceOf(object) } = parentRef
    const gateway = group === GROUP && parentKind === 'Gateway' ? gateways.get(`${namespace}/${name}`) : undefined
    if (!gateway) continue
    const rules = compiled.get(gateway) ?? planRules(kind, object, gateway.context)
    compiled.set(gateway, rules)
    found.push({ parentRef, findings: planParent({ kind, object, hostnames }, parentRef, gateway, { rules, view }) })
  }
  return found
}

function planParent(
  route: { readonly kind: string; readonly object: KubeObject; readonly hostnames: readonly string[] },
  parentRef: ParentRef,
  gateway: Draft,
  { rules, view }: { readonly rules: PlannedRules; readonly view: GatewayView },
): readonly Finding[] {
  const { kind, object } = route
  const refs = refsFinding(rules.problems)
  const { accepted, attached } = attach(route, parentRef, gateway, view)
  if (attached.length === 0) return [accepted, refs]
  const kept = attached.filter((one) => !isTakenByOther(kind, one, gateway))
  if (kept.length === 0) {
    const message = 'an older route of another kind has the same hostnames at the listener'
    return [isFalseOf('Accepted', 'HostnameConflict', message), refs]
  }
  for (const { listener } of kept) gateway.attached.get(listener)?.add(`${kind} ${keyOf(object)}`)
  if (rules.dropped.length > 0 && rules.rules.length === 0) {
    return [isFalseOf('Accepted', 'UnsupportedValue', `no rule can be kept: ${rules.dropped.join('; ')}`), refs]
  }
  for (const one of kept) add(kind, object, rules, one, gateway)
  for (const service of rules.services) gateway.services.add(service)
  if (rules.dropped.length === 0) return [accepted, refs]
  const message = `Dropped Rule(s) ${rules.dropped.join('; ')}`
  return [accepted, refs, isTrueOf('PartiallyInvalid', 'UnsupportedValue', message)]
}

/** References are told the reason of the first one that is wrong, and about all of them. */
function refsFinding(problems: readonly RefProblem[]): Finding {
  const [first] = problems
  if (!first) return isTrueOf('ResolvedRefs', 'ResolvedRefs', 'everything that the route names was found')
  const messages = [...new Set(problems.map(({ message }) => message))]
  return isFalseOf('ResolvedRefs', first.reason, messages.slice(0, 8).join('; '))
}

/** Routes of HTTP and of gRPC do not share a hostname: the older one has it. */
function isTakenByOther(kind: string, { listener, hosts }: Attachment, gateway: Draft): boolean {
  const byKind = gateway.hosts.get(listener) ?? new Map<string, HostPattern[]>()
  gateway.hosts.set(listener, byKind)
  for (const [other, taken] of byKind) if (other !== kind && haveCommonHost(hosts, taken)) return true
  const own = byKind.get(kind)
  if (own) own.push(...hosts)
  else byKind.set(kind, [...hosts])
  return false
}

function add(
  ...[kind, object, { rules }, { listener, hosts }, gateway]: [string, KubeObject, PlannedRules, Attachment, Draft]
): void {
  const lists = gateway.byListener.get(listener)
  const route = { namespace: namespaceOf(object), name: nameOf(object), createdMs: createdMs(object), hosts }
  if (kind !== 'TLSRoute') {
    // The same route may name a listener twice, as a whole Gateway and by its name; then it comes right after itself.
    const last = lists?.routes.at(-1)
    if (last?.rules !== rules || last.name !== route.name || last.namespace !== route.namespace) {
      lists?.routes.push({ ...route, rules })
    }
    return
  }
  const backends = rules[0]?.action.backends ?? []
  lists?.streams.push({ ...route, route: `TLSRoute/${keyOf(object)}`, backends })
}

function listenerSpec(gateway: Draft, listener: PlannedListener): ListenerSpec {
  const { fields, mode, certificates } = listener
  const { routes = [], streams = [] } = gateway.byListener.get(listener) ?? {}
  return {
    name: `${keyOf(gateway.object)}/${fields.name}`,
    host: fields.hostname === '' ? undefined : fields.hostname,
    mode: mode ?? 'http',
    port: fields.port,
    routes,
    streams,
    certificates,
  }
}
