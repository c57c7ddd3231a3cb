import type { ResourceId } from '../kube/gvk.ts'

type GatewayResource =
  | 'classes'
  | 'gateways'
  | 'httpRoutes'
  | 'grpcRoutes'
  | 'tlsRoutes'
  | 'tcpRoutes'
  | 'udpRoutes'
  | 'policies'
  | 'grants'
type ReferredResource = 'namespaces' | 'services' | 'secrets' | 'configMaps'
type ProtectingResource = 'networkPolicies' | 'pods'

const of = (version: string, plural: string): ResourceId => ({ group: 'gateway.networking.k8s.io', version, plural })

/** The collections of the Gateway API that are read, and written to as far as their statuses go. */
export const gatewayResources: Readonly<Record<GatewayResource, ResourceId>> = {
  classes: of('v1', 'gatewayclasses'),
  gateways: of('v1', 'gateways'),
  httpRoutes: of('v1', 'httproutes'),
  grpcRoutes: of('v1', 'grpcroutes'),
  tlsRoutes: of('v1', 'tlsroutes'),
  tcpRoutes: of('v1', 'tcproutes'),
  udpRoutes: of('v1', 'udproutes'),
  policies: of('v1', 'backendtlspolicies'),
  grants: of('v1beta1', 'referencegrants'),
}

/** What routes and listeners refer to. */
export const referredResources: Readonly<Record<ReferredResource, ResourceId>> = {
  namespaces: { group: '', version: 'v1', plural: 'namespaces' },
  services: { group: '', version: 'v1', plural: 'services' },
  secrets: { group: '', version: 'v1', plural: 'secrets' },
  configMaps: { group: '', version: 'v1', plural: 'configmaps' },
}

/** What says which Pods a Gateway may open connections to. */
export const protectingResources: Readonly<Record<ProtectingResource, ResourceId>> = {
  networkPolicies: { group: 'networking.k8s.io', version: 'v1', plural: 'networkpolicies' },
  pods: { group: '', version: 'v1', plural: 'pods' },
}
