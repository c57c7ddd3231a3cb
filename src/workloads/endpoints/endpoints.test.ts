import { afterEach, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { endpoints, endpointSlices, pods, services } from '../collections.ts'
import { type World, world } from '../workloads.testkit.ts'
import { planEndpoints } from './plan.ts'
import { planSlices } from './slices.ts'

interface PodMore {
  readonly ready?: boolean
  readonly port?: number
  readonly deleted?: boolean
  readonly phase?: string
  readonly hostname?: string
}

const pod = (name: string, ip: string, more: PodMore = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'team',
    uid: `uid-${name}`,
    labels: { app: 'web' },
    ...(more.deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  },
  spec: {
    nodeName: 'n1',
    ...(more.hostname ? { hostname: more.hostname, subdomain: 'web' } : {}),
    containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: more.port ?? 8080 }] }],
  },
  status: {
    phase: more.phase ?? 'Running',
    podIP: ip,
    conditions: [{ type: 'Ready', status: more.ready === false ? 'False' : 'True' }],
  },
})
const service = (more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'team', uid: 'uid-service' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }], ...more },
})

/** One line for each endpoint: address, ports, and what it is (r: ready, s: serving, t: terminating). */
function told(seen: readonly KubeObject[], of: KubeObject = service()): readonly string[] {
  return planEndpoints({ service: of, pods: seen, zoneOf: () => 'z' }).flatMap(({ ports, endpoints: behind }) =>
    behind.map((one) => {
      const state = `${one.ready ? 'r' : ''}${one.serving ? 's' : ''}${one.terminating ? 't' : ''}`
      return `${one.address}:${ports.map(({ port }) => port).join('+')} ${state}${one.hostname ? ` ${one.hostname}` : ''}`
    }),
  )
}

describe('behind a Service', () => {
  test.each([
    { name: 'ready Pods are ready', seen: [pod('a', '10.0.0.1')], want: ['10.0.0.1:8080 rs'] },
    {
      name: 'Pods that are not ready are told',
      seen: [pod('a', '10.0.0.1', { ready: false })],
      want: ['10.0.0.1:8080 '],
    },
    { name: 'Pods that end still serve', seen: [pod('a', '10.0.0.1', { deleted: true })], want: ['10.0.0.1:8080 st'] },
    { name: 'Pods that have ended are gone', seen: [pod('a', '10.0.0.1', { phase: 'Succeeded' })], want: [] },
    { name: 'Pods without an address are not there yet', seen: [pod('a', '')], want: [] },
    {
      name: 'a named port is what each Pod calls so',
      seen: [pod('a', '10.0.0.1'), pod('b', '10.0.0.2', { port: 9090 })],
      want: ['10.0.0.1:8080 rs', '10.0.0.2:9090 rs'],
    },
    {
      name: 'a host name counts below the Service',
      seen: [pod('a', '10.0.0.1', { hostname: 'h' })],
      want: ['10.0.0.1:8080 rs h'],
    },
  ])('$name', ({ seen, want }) => expect(told(seen)).toEqual(want))

  test.each([
    {
      name: 'everything is ready where that is asked for',
      spec: { publishNotReadyAddresses: true },
      want: ['10.0.0.1:8080 r'],
    },
    { name: 'a number is itself', spec: { ports: [{ port: 80, targetPort: 81 }] }, want: ['10.0.0.1:81 '] },
    { name: 'a port without target is itself', spec: { ports: [{ port: 80 }] }, want: ['10.0.0.1:80 '] },
    {
      name: 'a name that no container has is no port',
      spec: { ports: [{ port: 80, targetPort: 'x' }] },
      want: ['10.0.0.1: '],
    },
    { name: 'nobody is behind an empty selector', spec: { selector: {} }, want: [] },
    { name: 'nobody is behind an external name', spec: { type: 'ExternalName' }, want: [] },
  ])('$name', ({ spec, want }) => expect(told([pod('a', '10.0.0.1', { ready: false })], service(spec))).toEqual(want))
})

test('slices take 100 endpoints each, and an endpoint stays where it is', () => {
  const many = Array.from({ length: 250 }, (_, index) => pod(`p${1000 + index}`, `10.0.${index >> 8}.${index & 255}`))
  const planned = (seen: readonly KubeObject[], existing: readonly KubeObject[]) =>
    planSlices({
      owner: service(),
      serviceName: 'web',
      manager: 'm',
      labels: {},
      subsets: planEndpoints({ service: service(), pods: seen, zoneOf: () => undefined }),
      existing,
      keepsOne: true,
    })
  const first = planned(many, [])
  const sizes = (slices: readonly KubeObject[]): readonly number[] =>
    slices.map((slice) => (slice['endpoints'] as readonly unknown[]).length)
  expect(sizes(first.create)).toEqual([100, 100, 50])
  expect(planned(many, first.create)).toEqual({ create: [], update: [], remove: [] })
  const without = planned(many.slice(1), first.create)
  expect([without.create, sizes(without.update), without.remove]).toEqual([[], [99], []])
  const empty = planned([], first.create)
  expect([empty.create, sizes(empty.update), empty.remove.length]).toEqual([[], [0], 2])
})

let open: World | undefined
afterEach(() => open?.stop())

test('Endpoints and slices follow Pods and Services, mirror what is written by hand, and go with the Service', async () => {
  const here = (open = await world({ controllers: 'service-account,endpoints' }))
  const inDefault = { namespace: 'default' }
  const ports = [{ port: 80, targetPort: 'http' }]
  await here.create(services, { metadata: { name: 'web', ...inDefault }, spec: { selector: { app: 'web' }, ports } })
  await here.clock.advance(100)
  expect(await here.client.list({ resource: endpointSlices, ...inDefault })).toMatchObject({
    value: { items: [{ addressType: 'IPv4', metadata: { generateName: 'web-' } }] },
  })
  const { spec, status } = pod('a', '10.0.0.1')
  const made = await here.create(pods, { metadata: { name: 'a', ...inDefault, labels: { app: 'web' } }, spec })
  await here.client.update({ resource: pods, ...inDefault, name: 'a', subresource: 'status' }, { ...made, status })
  await here.clock.advance(100)
  expect(await here.get(endpoints, 'web', 'default')).toMatchObject({
    subsets: [{ addresses: [{ ip: '10.0.0.1', targetRef: { kind: 'Pod', name: 'a' } }], ports: [{ port: 8080 }] }],
  })
  expect(await here.client.list({ resource: endpointSlices, ...inDefault })).toMatchObject({
    value: {
      items: [
        {
          metadata: { labels: { 'kubernetes.io/service-name': 'web' }, ownerReferences: [{ kind: 'Service' }] },
          endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true }, nodeName: 'n1' }],
        },
      ],
    },
  })
  const settled = here.cluster.server.kernel.store.revision
  await here.start()
  expect(here.cluster.server.kernel.store.revision).toBe(settled)

  await here.create(services, { metadata: { name: 'outside', ...inDefault }, spec: { ports: [{ port: 443 }] } })
  const subsets = [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port: 443 }] }]
  await here.create(endpoints, { metadata: { name: 'outside', ...inDefault }, subsets })
  await here.clock.advance(100)
  const slices = await here.client.list({ resource: endpointSlices, ...inDefault })
  expect(
    slices.ok && slices.value.items.map((slice) => slice.metadata.labels?.['endpointslice.kubernetes.io/managed-by']),
  ).toEqual(['endpointslicemirroring-controller.k8s.io', 'endpointslice-controller.k8s.io'])
  for (const name of ['web', 'outside']) await here.client.delete({ resource: services, ...inDefault, name })
  await here.clock.advance(100)
  expect(await here.names(endpointSlices, 'default')).toEqual([])
  // What somebody wrote by hand is theirs.
  expect(await here.names(endpoints, 'default')).toEqual(['outside'])
})
