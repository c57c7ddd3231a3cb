import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readData } from '../../../lib/data-file.ts'
import type { KubeObject } from '../../object.ts'
import { builtinSchemas } from '../../schema/builtin.ts'
import { durationText } from './column.ts'
import { cellsOf, columnsOf, customColumns } from './index.ts'

const now = Date.parse('2026-01-01T12:00:00Z')

interface Case {
  readonly name: string
  readonly kind: readonly [group: string, kind: string]
  readonly fields: object
  readonly metadata?: object
  /** Cells by column, those of wide output included. */
  readonly want: Readonly<Record<string, unknown>>
}

function cells({ kind: [group, kind], fields, metadata }: Case): Readonly<Record<string, unknown>> {
  const object = {
    apiVersion: 'x/v1',
    kind,
    metadata: { name: 'a', creationTimestamp: '2026-01-01T11:00:00Z', ...metadata },
    ...fields,
  } as KubeObject
  const columns = columnsOf({ group, kind })
  const row = cellsOf(columns, object, now)
  return Object.fromEntries(columns.map((column, index) => [column.name, row[index]]))
}

const running = { name: 'c', ready: true, restartCount: 0, state: { running: {} } }

test.each<Case>([
  {
    name: 'a Pod that runs',
    kind: ['', 'Pod'],
    fields: {
      spec: { nodeName: 'n1', containers: [{ name: 'c' }, { name: 'd' }] },
      status: {
        phase: 'Running',
        podIP: '10.0.0.1',
        containerStatuses: [
          running,
          {
            ...running,
            name: 'd',
            ready: false,
            restartCount: 2,
            lastState: { terminated: { finishedAt: '2026-01-01T11:55:00Z' } },
          },
        ],
      },
    },
    want: {
      Name: 'a',
      Ready: '1/2',
      Status: 'Running',
      Restarts: '2 (5m ago)',
      Age: '60m',
      IP: '10.0.0.1',
      Node: 'n1',
      'Nominated Node': '<none>',
      'Readiness Gates': '<none>',
    },
  },
  {
    name: 'a Pod whose image cannot be pulled',
    kind: ['', 'Pod'],
    fields: {
      spec: { containers: [{}] },
      status: {
        phase: 'Pending',
        containerStatuses: [{ restartCount: 0, state: { waiting: { reason: 'ImagePullBackOff' } } }],
      },
    },
    want: { Ready: '0/1', Status: 'ImagePullBackOff', Restarts: '0' },
  },
  {
    name: 'a Pod whose container ended with a code',
    kind: ['', 'Pod'],
    fields: {
      spec: { containers: [{}] },
      status: { phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 3 } } }] },
    },
    want: { Status: 'ExitCode:3' },
  },
  {
    name: 'a Pod that initialises',
    kind: ['', 'Pod'],
    fields: {
      spec: { initContainers: [{ name: 'i' }, { name: 'j' }], containers: [{}] },
      status: {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'i', state: { terminated: { exitCode: 0 } } },
          { name: 'j', restartCount: 1, state: { running: {} } },
        ],
      },
    },
    want: { Ready: '0/1', Status: 'Init:1/2', Restarts: '1' },
  },
  {
    name: 'a Pod whose initialisation fails',
    kind: ['', 'Pod'],
    fields: {
      spec: { initContainers: [{ name: 'i' }], containers: [{}] },
      status: { initContainerStatuses: [{ name: 'i', state: { terminated: { exitCode: 1, reason: 'Error' } } }] },
    },
    want: { Status: 'Init:Error' },
  },
  {
    name: 'a Pod with a sidecar, which counts',
    kind: ['', 'Pod'],
    fields: {
      spec: { initContainers: [{ name: 'i', restartPolicy: 'Always' }], containers: [{}] },
      status: {
        phase: 'Running',
        initContainerStatuses: [{ name: 'i', ready: true, started: true, state: { running: {} } }],
        containerStatuses: [running],
      },
    },
    want: { Ready: '2/2', Status: 'Running' },
  },
  {
    name: 'a Pod that is deleted',
    kind: ['', 'Pod'],
    metadata: { deletionTimestamp: '2026-01-01T12:00:00Z' },
    fields: { spec: { containers: [{}] }, status: { phase: 'Running', containerStatuses: [running] } },
    want: { Status: 'Terminating' },
  },
  {
    name: 'a Pod that waits for its gates',
    kind: ['', 'Pod'],
    fields: {
      spec: { containers: [{}], readinessGates: [{ conditionType: 'x' }] },
      status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    },
    want: { Status: 'SchedulingGated', 'Readiness Gates': '0/1' },
  },
  {
    name: 'a Deployment',
    kind: ['apps', 'Deployment'],
    fields: {
      spec: {
        replicas: 3,
        selector: {
          matchLabels: { b: '2', a: '1' },
          matchExpressions: [{ key: 'c', operator: 'In', values: ['y', 'x'] }],
        },
        template: {
          spec: {
            containers: [
              { name: 'c', image: 'i:1' },
              { name: 'd', image: 'j' },
            ],
          },
        },
      },
      status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 },
    },
    want: {
      Name: 'a',
      Ready: '2/3',
      'Up-to-date': 3,
      Available: 1,
      Age: '60m',
      Containers: 'c,d',
      Images: 'i:1,j',
      Selector: 'a=1,b=2,c in (x,y)',
    },
  },
  {
    name: 'a Job that is done',
    kind: ['batch', 'Job'],
    fields: {
      spec: { completions: 2 },
      status: {
        succeeded: 2,
        startTime: '2026-01-01T11:00:00Z',
        completionTime: '2026-01-01T11:01:30Z',
        conditions: [{ type: 'Complete', status: 'True' }],
      },
    },
    want: { Status: 'Complete', Completions: '2/2', Duration: '90s' },
  },
  {
    name: 'a Job that runs on',
    kind: ['batch', 'Job'],
    fields: { spec: { parallelism: 3 }, status: { startTime: '2026-01-01T11:55:00Z' } },
    want: { Status: 'Running', Completions: '0/1 of 3', Duration: '5m' },
  },
  {
    name: 'a CronJob',
    kind: ['batch', 'CronJob'],
    fields: {
      spec: { schedule: '* * * * *', suspend: false },
      status: { active: [{}], lastScheduleTime: '2026-01-01T11:59:00Z' },
    },
    want: { Schedule: '* * * * *', Timezone: '<none>', Suspend: 'False', Active: 1, 'Last Schedule': '60s' },
  },
  {
    name: 'a Service with a node port',
    kind: ['', 'Service'],
    fields: {
      spec: {
        type: 'NodePort',
        clusterIP: '10.96.0.1',
        ports: [
          { port: 80, nodePort: 30_080, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
        selector: { app: 'x' },
      },
    },
    want: {
      Type: 'NodePort',
      'Cluster-IP': '10.96.0.1',
      'External-IP': '<none>',
      'Port(s)': '80:30080/TCP,53/UDP',
      Selector: 'app=x',
    },
  },
  {
    name: 'a Service that waits for its balancer',
    kind: ['', 'Service'],
    fields: { spec: { type: 'LoadBalancer', clusterIP: '10.96.0.1' } },
    want: { 'External-IP': '<pending>', 'Port(s)': '<none>' },
  },
  {
    name: 'an Ingress',
    kind: ['networking.k8s.io', 'Ingress'],
    fields: {
      spec: { ingressClassName: 'c', tls: [{}], rules: [{ host: 'a' }, { host: 'b' }, { host: 'c' }, { host: 'd' }] },
      status: { loadBalancer: { ingress: [{ hostname: 'h' }] } },
    },
    want: { Class: 'c', Hosts: 'a,b,c + 1 more...', Address: 'h', Ports: '80, 443' },
  },
  {
    name: 'a Node',
    kind: ['', 'Node'],
    metadata: { labels: { 'node-role.kubernetes.io/control-plane': '', 'node-role.kubernetes.io/infra': '' } },
    fields: {
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        nodeInfo: { kubeletVersion: 'v1.36.0' },
        addresses: [{ type: 'InternalIP', address: '10.0.0.2' }],
      },
    },
    want: {
      Status: 'Ready,SchedulingDisabled',
      Roles: 'control-plane,infra',
      Version: 'v1.36.0',
      'Internal-IP': '10.0.0.2',
      'External-IP': '<none>',
      'OS-Image': '<unknown>',
    },
  },
  {
    name: 'a claim that is bound',
    kind: ['', 'PersistentVolumeClaim'],
    fields: {
      spec: { volumeName: 'v', storageClassName: 's', volumeMode: 'Filesystem' },
      status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany', 'ReadWriteOnce'] },
    },
    want: {
      Status: 'Bound',
      Volume: 'v',
      Capacity: '1Gi',
      'Access Modes': 'RWO,RWX',
      StorageClass: 's',
      VolumeAttributesClass: '<unset>',
      VolumeMode: 'Filesystem',
    },
  },
  {
    name: 'an Event',
    kind: ['', 'Event'],
    fields: {
      type: 'Warning',
      reason: 'Failed',
      message: 'no\n',
      involvedObject: { kind: 'Pod', name: 'p' },
      source: { component: 'kubelet', host: 'n' },
      lastTimestamp: '2026-01-01T11:58:00Z',
      count: 4,
    },
    want: {
      'Last Seen': '2m',
      Type: 'Warning',
      Reason: 'Failed',
      Object: 'pod/p',
      Message: 'no',
      Source: 'kubelet, n',
      Count: '4',
      Name: 'a',
    },
  },
  {
    name: 'an autoscaler',
    kind: ['autoscaling', 'HorizontalPodAutoscaler'],
    fields: {
      spec: {
        minReplicas: 1,
        maxReplicas: 5,
        scaleTargetRef: { kind: 'Deployment', name: 'd' },
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
      },
      status: {
        currentReplicas: 2,
        currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 12 } } }],
      },
    },
    want: { Reference: 'Deployment/d', Targets: 'cpu: 12%/80%', MinPods: '1', MaxPods: 5, Replicas: 2 },
  },
  {
    name: 'a quota',
    kind: ['', 'ResourceQuota'],
    fields: {
      status: {
        hard: { pods: '10', 'limits.cpu': '4', 'requests.cpu': '2' },
        used: { pods: '1', 'limits.cpu': '500m' },
      },
    },
    want: { Request: 'pods: 1/10, requests.cpu: 0/2', Limit: 'limits.cpu: 500m/4' },
  },
  {
    name: 'a binding',
    kind: ['rbac.authorization.k8s.io', 'RoleBinding'],
    fields: {
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', namespace: 'n', name: 's' },
      ],
    },
    want: { Role: 'Role/r', Users: 'u', Groups: '', ServiceAccounts: 'n/s' },
  },
  {
    name: 'a kind without a table of its own',
    kind: ['example.io', 'Widget'],
    fields: {},
    want: { Name: 'a', Age: '60m' },
  },
])('$name', (one) => {
  expect(cells(one)).toMatchObject(one.want)
})

test('a definition declares its own columns', () => {
  const columns = customColumns([
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
    { name: 'Since', type: 'date', jsonPath: '.metadata.creationTimestamp', priority: 1 },
    { name: 'Odd', type: 'string', jsonPath: '[' },
  ])
  const object = {
    apiVersion: 'x/v1',
    kind: 'X',
    metadata: { name: 'a', creationTimestamp: '2026-01-01T11:00:00Z' },
    spec: { replicas: '3' },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  }
  expect(cellsOf(columns, object, now)).toEqual(['a', 'True', null, '60m', null])
  expect(columns[3]).toMatchObject({ name: 'Since', type: 'date', priority: 1 })
  expect(customColumns(undefined).map(({ name }) => name)).toEqual(['Name', 'Age'])
})

test.each([
  [-5_000, '<invalid>'],
  [0, '0s'],
  [119_000, '119s'],
  [125_000, '2m5s'],
  [10 * 60_000, '10m'],
  [3 * 3_600_000 + 60_000, '3h1m'],
  [50 * 3_600_000, '2d2h'],
  [10 * 86_400_000, '10d'],
  [800 * 86_400_000, '2y70d'],
])('%i ms is %s', (ms, want) => {
  expect(durationText(ms)).toBe(want)
})

test('no object breaks a table', () => {
  const kinds = builtinSchemas(readData).kinds()
  const fields = fc.constantFrom(
    'spec',
    'status',
    'subsets',
    'ports',
    'endpoints',
    'subjects',
    'roleRef',
    'data',
    'webhooks',
  )
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.dictionary(fields, fc.jsonValue()), (kind, value) => {
      cellsOf(columnsOf(kind), { ...value, apiVersion: 'v1', kind: kind.kind, metadata: {} }, now)
    }),
  )
})
