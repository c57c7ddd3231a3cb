import type { Client } from '../kube/client.ts'
import { parseApiVersion } from '../kube/gvk.ts'
import type { KubeObject } from '../kube/object.ts'
import { systemPriorityClasses } from './admission/priority.ts'
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from './auth/bootstrap-roles.ts'

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

const plurals: ReadonlyMap<string, string> = new Map([
  ['ClusterRole', 'clusterroles'],
  ['ClusterRoleBinding', 'clusterrolebindings'],
  ['PriorityClass', 'priorityclasses'],
])

/** Creates what every cluster has: namespaces, roles, priorities, and the Service by which Pods find the API. */
export async function createSystemObjects(client: Client): Promise<void> {
  const namespaces = { group: '', version: 'v1', plural: 'namespaces' }
  await Promise.all(
    NAMESPACES.map((name) => ensure(client, namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
  )
  const objects = [...bootstrapClusterRoles, ...bootstrapClusterRoleBindings, ...systemPriorityClasses]
  await Promise.all(
    objects.map((object) => {
      const plural = plurals.get(object.kind)
      if (plural === undefined) throw new Error(`no collection is known for ${object.kind}`)
      return ensure(client, { ...parseApiVersion(object.apiVersion), plural }, object)
    }),
  )
  await ensure(
    client,
    { group: '', version: 'v1', plural: 'services' },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { component: 'apiserver', provider: 'kubernetes' },
      },
      spec: {
        type: 'ClusterIP',
        clusterIP: '10.96.0.1',
        clusterIPs: ['10.96.0.1'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        sessionAffinity: 'None',
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 443 }],
      },
    },
  )
}

/** Says behind the Service `kubernetes` where this server listens; it may be another place than before. */
export async function advertise(
  client: Client,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  const metadata = { name: 'kubernetes', namespace: 'default' }
  const skipMirror = { 'endpointslice.kubernetes.io/skip-mirror': 'true' }
  const ports = [{ name: 'https', port, protocol: 'TCP' }]
  const isIPv6 = host.includes(':')
  await put(
    client,
    { group: '', version: 'v1', plural: 'endpoints' },
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { ...metadata, labels: skipMirror },
      subsets: [{ addresses: [{ ip: host }], ports }],
    },
  )
  await put(
    client,
    { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: isIPv6 ? 'IPv6' : 'IPv4',
      endpoints: [{ addresses: [host], conditions: { ready: true } }],
      ports,
    },
  )
}

async function put(
  client: Client,
  resource: { group: string; version: string; plural: string },
  object: KubeObject,
): Promise<void> {
  const place = { resource, namespace: 'default' }
  const name = object.metadata.name ?? ''
  const made = await client.create(place, object)
  if (made.ok) return
  const answer = made.error.reason === 'AlreadyExists' ? await client.update({ ...place, name }, object) : made
  if (!answer.ok) throw new Error(`cannot write ${object.kind} ${name}: ${answer.error.message}`)
}

async function ensure(
  client: Client,
  resource: { group: string; version: string; plural: string },
  object: KubeObject,
): Promise<void> {
  const { name = '', namespace } = object.metadata
  const place = { resource, ...(namespace === undefined ? {} : { namespace }) }
  const found = await client.get({ ...place, name })
  if (found.ok) return
  const created = await client.create(place, object)
  if (!created.ok && created.error.reason !== 'AlreadyExists') {
    throw new Error(`cannot create ${object.kind} ${name}: ${created.error.message}`)
  }
}
