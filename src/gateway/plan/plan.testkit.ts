import type { Condition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { objectsOf } from '../../lib/fields.ts'
import { deepFreeze } from '../../lib/json.ts'
import { parseYamlDocuments } from '../../lib/yaml.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { keyOf, type GatewayView } from './objects.ts'
import { type GatewayPlan, planGateways } from './plan.ts'
import type { BindOptions } from './ports.ts'

/** The class that the Gateways of tests have. */
const CLASS = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: idp, generation: 1}
spec: {controllerName: idp-blueprint.io/gateway}
`

/** Objects from YAML; those without a namespace are in `team`, and the API version of the Gateway API is left out. */
export function objectsFrom(yaml: string): readonly KubeObject[] {
  const documents = parseYamlDocuments(yaml)
  if (!documents.ok) throw new Error(JSON.stringify(documents.error))
  return documents.value.flatMap(({ value }) => {
    if (value === null) return []
    const object = value as unknown as KubeObject
    const apiVersion = object.apiVersion ?? 'gateway.networking.k8s.io/v1'
    const isOfCluster = object.kind === 'Namespace' || object.kind === 'GatewayClass'
    const metadata = { generation: 1, ...(isOfCluster ? {} : { namespace: 'team' }), ...object.metadata }
    return [deepFreeze({ ...object, apiVersion, metadata })]
  })
}

/** A cluster in which there is what the objects say. */
export function viewOf(objects: readonly KubeObject[]): GatewayView {
  const of = (kind: string): readonly KubeObject[] => objects.filter((object) => object.kind === kind)
  const find = (kind: string) => (key: string) => of(kind).find((object) => keyOf(object) === key)
  return {
    classes: of('GatewayClass'),
    gateways: of('Gateway'),
    httpRoutes: of('HTTPRoute'),
    grpcRoutes: of('GRPCRoute'),
    tlsRoutes: of('TLSRoute'),
    tcpRoutes: of('TCPRoute'),
    udpRoutes: of('UDPRoute'),
    grants: of('ReferenceGrant'),
    policies: of('BackendTLSPolicy'),
    namespace: (name) => of('Namespace').find(({ metadata }) => metadata.name === name),
    service: find('Service'),
    secret: find('Secret'),
    configMap: find('ConfigMap'),
  }
}

const OPTIONS: BindOptions = { host: '127.0.0.1', ports: new Map() }

export interface Planned {
  readonly plan: GatewayPlan
  /** What objects are told, one line each place. */
  readonly told: readonly string[]
}

/** Plans what YAML describes. */
export function planned(yaml: string, binds: ReadonlyMap<string, string> = new Map()): Planned {
  const plan = planGateways(viewOf(objectsFrom(`${CLASS}---\n${yaml}`)), OPTIONS)
  const told = plan.statuses(binds, 0).flatMap(({ object, status }) => {
    const place = `${object.kind} ${object.metadata.name ?? ''}`
    if (object.kind === 'GatewayClass') return []
    const parts = (objectsOf(status, 'parents') ?? objectsOf(status, 'ancestors'))?.map((entry) => {
      const { name, sectionName } = (entry['parentRef'] ?? entry['ancestorRef']) as Record<string, string>
      return `${place} at ${name}${sectionName === undefined ? '' : `/${sectionName}`}: ${conditions(entry)}`
    })
    const listeners = (objectsOf(status, 'listeners') ?? []).map((entry) => {
      const kinds = (objectsOf(entry, 'supportedKinds') ?? []).map(({ kind }) => String(kind)).join()
      return `${place} listener ${String(entry['name'])}: ${String(entry['attachedRoutes'])} of [${kinds}] ${conditions(entry)}`
    })
    return parts ?? [`${place}: ${conditions(status)}`, ...listeners]
  })
  return { plan, told }
}

/** `Accepted Conflicted=True/HostnameConflict`: what is true with its usual reason is just its name. */
function conditions(holder: unknown): string {
  const all = (objectsOf(holder, 'conditions') ?? []) as unknown as readonly Condition[]
  return all
    .filter(({ type, status }) => !(type === 'Conflicted' && status === 'False'))
    .map(({ type, status, reason = '' }) =>
      status === 'True' && reason === type ? type : `${type}=${status}/${reason}`,
    )
    .join(' ')
}

/** A Secret with a certificate for the names, as YAML. */
export function tlsSecret(name: string, names: readonly string[], namespace = 'team'): string {
  const made = certificateMaker.certificate({
    commonName: names[0] ?? '',
    ips: [],
    dnsNames: names,
    notBeforeMs: Date.UTC(2020, 0, 1),
    notAfterMs: Date.UTC(2090, 0, 1),
    serial: Uint8Array.of(1),
    isAuthority: true,
    key: certificateMaker.privateKey('ecdsa'),
  })
  if (typeof made === 'string') throw new Error(made)
  const encoded = (text: string): string => Buffer.from(text).toString('base64')
  return `
apiVersion: v1
kind: Secret
metadata: {name: ${name}, namespace: ${namespace}}
type: kubernetes.io/tls
data: {tls.crt: ${encoded(made.cert)}, tls.key: ${encoded(made.key)}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}-ca, namespace: ${namespace}}
data: {ca.crt: ${JSON.stringify(made.cert)}}
`
}

/** Services with a port 80 called `http`, as YAML. */
export const servicesOf = (...names: readonly string[]): string =>
  names
    .map((name) => {
      const [namespace = 'team', own] = name.includes('/') ? name.split('/') : ['team', name]
      return `
apiVersion: v1
kind: Service
metadata: {name: ${own}, namespace: ${namespace}}
spec: {ports: [{name: http, port: 80}]}
`
    })
    .join('---')
