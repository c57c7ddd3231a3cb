import { expect, test } from 'vitest'
import { deepFreeze } from '../../lib/json.ts'
import type { KubeObject, ObjectMeta } from '../object.ts'
import { builtinStrategy } from './kinds.ts'
import { customResourceStrategy, prepareCreate, prepareStatusUpdate, prepareUpdate } from './strategy.ts'

const object = (kind: string, metadata: ObjectMeta, fields: object): KubeObject =>
  deepFreeze({ apiVersion: 'x/v1', kind, metadata, ...fields })

const deployment = builtinStrategy({ group: 'apps', kind: 'Deployment' }, true)

test('a new object starts at generation 1 without the status that its writer sent', () => {
  const created = prepareCreate(
    object('Deployment', { name: 'a', generation: 7 }, { spec: {}, status: { replicas: 3 } }),
    deployment,
  )
  expect(created).toEqual({ apiVersion: 'x/v1', kind: 'Deployment', metadata: { name: 'a', generation: 1 }, spec: {} })
})

test('a kind that counts nothing has no generation', () => {
  const created = prepareCreate(
    object('ConfigMap', { name: 'a', generation: 7 }, { data: {} }),
    builtinStrategy({ group: '', kind: 'ConfigMap' }, false),
  )
  expect(created.metadata).toEqual({ name: 'a' })
})

const old = object(
  'Deployment',
  { name: 'a', generation: 4, labels: { a: '1' } },
  { spec: { replicas: 1 }, status: { replicas: 1 } },
)

test('an update keeps the status and counts a changed spec', () => {
  const next = object(
    'Deployment',
    { name: 'a', labels: { a: '2' } },
    { spec: { replicas: 2 }, status: { replicas: 9 } },
  )
  expect(prepareUpdate(next, old, deployment)).toEqual(
    object(
      'Deployment',
      { name: 'a', generation: 5, labels: { a: '2' } },
      { spec: { replicas: 2 }, status: { replicas: 1 } },
    ),
  )
})

test('an update of metadata alone does not count, the mark of deletion does', () => {
  const labelled = prepareUpdate(
    object('Deployment', { name: 'a', labels: { b: '' } }, { spec: { replicas: 1 } }),
    old,
    deployment,
  )
  expect(labelled.metadata.generation).toBe(4)
  const leaving = object(
    'Deployment',
    { name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z' },
    { spec: { replicas: 1 } },
  )
  expect(prepareUpdate(leaving, old, deployment).metadata.generation).toBe(5)
})

test('a write to the status changes nothing else', () => {
  const next = object(
    'Deployment',
    { name: 'a', labels: { a: '9' }, annotations: { seen: 'yes' } },
    { spec: { replicas: 9 }, status: { replicas: 2 } },
  )
  expect(prepareStatusUpdate(next, old, deployment)).toEqual(
    object(
      'Deployment',
      { name: 'a', generation: 4, labels: { a: '1' }, annotations: { seen: 'yes' } },
      { spec: { replicas: 1 }, status: { replicas: 2 } },
    ),
  )
  const custom = prepareStatusUpdate(next, old, customResourceStrategy(true))
  expect(custom.metadata).toEqual({ name: 'a', generation: 4, labels: { a: '1' } })
})

test('a custom resource without a status of its own counts every change outside metadata', () => {
  const next = object('Deployment', { name: 'a' }, { spec: { replicas: 1 }, status: { replicas: 2 } })
  expect(prepareUpdate(next, old, customResourceStrategy(false))).toMatchObject({
    metadata: { generation: 5 },
    status: { replicas: 2 },
  })
})

test('a Job selects its Pods by its uid', () => {
  const job = object('Job', { name: 'j', uid: 'u' }, { spec: { template: { metadata: { labels: { a: 'b' } } } } })
  expect(prepareCreate(job, builtinStrategy({ group: 'batch', kind: 'Job' }, true))['spec']).toEqual({
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
    template: {
      metadata: {
        labels: {
          a: 'b',
          'controller-uid': 'u',
          'batch.kubernetes.io/controller-uid': 'u',
          'job-name': 'j',
          'batch.kubernetes.io/job-name': 'j',
        },
      },
    },
  })
})

test.each([
  ['Guaranteed', [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } }]],
  ['Burstable', [{ limits: { cpu: '1' } }]],
  ['Burstable', [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }]],
  ['Burstable', [{ limits: { cpu: '1', memory: '1Gi' } }, {}]],
  ['BestEffort', [{}, { limits: { cpu: '0' } }]],
])('a new Pod waits, as %s for %j', (qosClass, resources) => {
  const pod = object(
    'Pod',
    { name: 'p' },
    { spec: { containers: resources.map((one) => ({ resources: one })) }, status: { phase: 'Running' } },
  )
  expect(prepareCreate(pod, builtinStrategy({ group: '', kind: 'Pod' }, true))['status']).toEqual({
    phase: 'Pending',
    qosClass,
  })
})

const service = builtinStrategy({ group: '', kind: 'Service' }, true)

test('a Service keeps the addresses and node ports that an update leaves out', () => {
  const before = object(
    'Service',
    { name: 's' },
    {
      spec: {
        type: 'NodePort',
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1'],
        ports: [{ port: 80, protocol: 'TCP', nodePort: 30_000 }],
      },
    },
  )
  const next = object(
    'Service',
    { name: 's' },
    {
      spec: {
        type: 'NodePort',
        ports: [
          { port: 80, protocol: 'TCP' },
          { port: 81, protocol: 'TCP' },
        ],
      },
    },
  )
  expect(prepareUpdate(next, before, service)['spec']).toEqual({
    type: 'NodePort',
    clusterIP: '10.0.0.1',
    clusterIPs: ['10.0.0.1'],
    ports: [
      { port: 80, protocol: 'TCP', nodePort: 30_000 },
      { port: 81, protocol: 'TCP' },
    ],
  })
})

test('a Namespace is finalized by the server, whatever its writer says', () => {
  const namespace = builtinStrategy({ group: '', kind: 'Namespace' }, true)
  const created = prepareCreate(object('Namespace', { name: 'n' }, {}), namespace)
  expect(created).toMatchObject({ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } })
  expect(
    prepareUpdate(object('Namespace', { name: 'n' }, { spec: { finalizers: [] } }), created, namespace),
  ).toMatchObject({
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  })
})

test('what is written into a Secret as text is kept as bytes', () => {
  const secret = builtinStrategy({ group: '', kind: 'Secret' }, false)
  const written = { data: { a: 'MQ==', b: 'Mg==' }, stringData: { b: 'zwei', ['__proto__']: 'é' } }
  const created = prepareCreate(object('Secret', { name: 's' }, written), secret)
  expect(created['stringData']).toBeUndefined()
  expect(Object.entries(created['data'] ?? {})).toEqual([
    ['a', 'MQ=='],
    ['b', 'endlaQ=='],
    ['__proto__', 'w6k='],
  ])
  const next = object('Secret', { name: 's' }, { data: { a: 'MQ==' }, stringData: { a: 'x' } })
  expect(prepareUpdate(next, created, secret)['data']).toEqual({ a: 'eA==' })
})
