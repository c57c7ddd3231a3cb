import type { KubeObject } from '../../kube/object.ts'
import { compileSelector, matchesLabels } from '../../kube/selector.ts'
import { type HostPattern, intersectHosts } from '../table/hostname.ts'
import type { PlannedListener } from './listeners.ts'
import {
  type Finding,
  type GatewayView,
  GROUP,
  isFalseOf,
  isTrueOf,
  namespaceOf,
  type ParentRef,
  type RouteNamespaces,
} from './objects.ts'

/** A listener that a route is attached to, for the hostnames that both know. */
export interface Attachment {
  readonly listener: PlannedListener
  readonly hosts: readonly HostPattern[]
}

/** Whether a parent takes a route, and where. */
export interface AttachResult {
  readonly accepted: Finding
  readonly attached: readonly Attachment[]
}

const refuse = (reason: string, message: string): AttachResult => ({
  accepted: isFalseOf('Accepted', reason, message),
  attached: [],
})

/** A route as far as where it is attached depends on it. */
export interface AttachingRoute {
  readonly kind: string
  readonly object: KubeObject
  readonly hostnames: readonly string[]
}

/** Finds the listeners of a Gateway that a parentRef of a route names and that take it. */
export function attach(
  { kind, object, hostnames }: AttachingRoute,
  { sectionName, port }: ParentRef,
  gateway: { readonly object: KubeObject; readonly listeners: readonly PlannedListener[] },
  view: GatewayView,
): AttachResult {
  const named = gateway.listeners.filter(
    ({ fields }) =>
      (sectionName === undefined || fields.name === sectionName) && (port === undefined || fields.port === port),
  )
  if (named.length === 0) {
    const wanted = [
      sectionName === undefined ? '' : ` called ${sectionName}`,
      port === undefined ? '' : ` with the port ${port}`,
    ]
    return refuse('NoMatchingParent', `the Gateway has no listener${wanted.join('')}`)
  }
  const ofKind = named.filter(({ kinds }) => kinds.some((one) => one.group === GROUP && one.kind === kind))
  if (ofKind.length === 0) return refuse('NotAllowedByListeners', `no listener of the Gateway takes ${kind}s`)
  const namespace = namespaceOf(object)
  const allowing = ofKind.filter(({ fields }) =>
    takesNamespace(fields.allowedRoutes?.namespaces ?? {}, namespace, namespaceOf(gateway.object), view),
  )
  if (allowing.length === 0) {
    return refuse('NotAllowedByListeners', `no listener of the Gateway takes routes of the namespace ${namespace}`)
  }
  const attached = allowing.flatMap((listener) => {
    const hosts = commonHosts(listener.fields.hostname, hostnames)
    return hosts.length === 0 ? [] : [{ listener, hosts }]
  })
  if (attached.length === 0) {
    const message = `no listener of the Gateway is for ${hostnames.join(', ')}`
    return refuse('NoMatchingListenerHostname', message)
  }
  return { accepted: isTrueOf('Accepted', 'Accepted', 'the route is attached'), attached }
}

function takesNamespace(
  { from = 'Same', selector }: RouteNamespaces,
  namespace: string,
  own: string,
  view: GatewayView,
): boolean {
  if (from === 'All') return true
  if (from === 'Same') return namespace === own
  if (from !== 'Selector' || !selector) return false
  const compiled = compileSelector(selector)
  const labels = view.namespace(namespace)?.metadata.labels
  return compiled.ok && view.namespace(namespace) !== undefined && matchesLabels(compiled.value, labels)
}

function commonHosts(listener: string | undefined, hostnames: readonly string[]): readonly HostPattern[] {
  const own = listener === undefined || listener === '' ? undefined : listener
  if (hostnames.length === 0) return [own]
  return hostnames.flatMap((hostname) => {
    const common = intersectHosts(own, hostname)
    return common ? [common.host] : []
  })
}

/** Tells whether two lists of hostnames have a name in common. */
export const haveCommonHost = (a: readonly HostPattern[], b: readonly HostPattern[]): boolean =>
  a.some((one) => b.some((other) => intersectHosts(one, other) !== undefined))
