import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import type { Application } from '../application/application.ts'
import type { ComparedResource, Comparison } from '../compare/comparison.ts'
import { keyOf } from '../compare/tracking.ts'
import { healthOf } from '../health/health.ts'
import { describe } from './describe.ts'
import { eventIndex } from './events.ts'
import { explain } from './explain.ts'
import { orphansOf } from './orphans.ts'
import { OwnerIndex } from './owner-index.ts'
import { resourceTree, summaryOf } from './tree.ts'
import { whyApplication } from './why.ts'

const versions: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1',
  ReplicaSet: 'apps/v1',
  StatefulSet: 'apps/v1',
  Job: 'batch/v1',
  Ingress: 'networking.k8s.io/v1',
  EndpointSlice: 'discovery.k8s.io/v1',
}

const object = (kind: string, name: string, more: object = {}, metadata: object = {}): KubeObject => ({
  apiVersion: versions[kind] ?? 'v1',
  kind,
  metadata: { name, namespace: 'prod', uid: `${kind}/${name}`, resourceVersion: '1', ...metadata },
  ...more,
})

const owned = (kind: string, name: string, by: KubeObject, more: object = {}, metadata: object = {}): KubeObject =>
  object(kind, name, more, {
    ownerReferences: [
      { apiVersion: by.apiVersion, kind: by.kind, name: by.metadata.name, uid: by.metadata.uid, controller: true },
    ],
    ...metadata,
  })

const revision = (nth: number): object => ({ annotations: { 'deployment.kubernetes.io/revision': String(nth) } })

const web = object('Deployment', 'web', { spec: { replicas: 2 }, status: { observedGeneration: 0 } })
const old = owned('ReplicaSet', 'web-1', web, { spec: { replicas: 0 } }, revision(1))
const set = owned('ReplicaSet', 'web-2', web, { spec: { replicas: 2 } }, revision(2))
const stuck = (name: string): KubeObject =>
  owned('Pod', name, set, {
    spec: { restartPolicy: 'Always', containers: [{ name: 'main', image: 'web:2' }] },
    status: {
      phase: 'Pending',
      containerStatuses: [
        { name: 'main', ready: false, state: { waiting: { reason: 'ImagePullBackOff', message: 'manifest unknown' } } },
      ],
    },
  })

function indexOf(...objects: readonly KubeObject[]): OwnerIndex {
  const index = new OwnerIndex()
  for (const one of objects) index.set(one)
  return index
}

const managed = (live: KubeObject): ComparedResource => {
  const health = healthOf(live)
  return {
    key: keyOf(live),
    version: 'v1',
    target: live,
    live,
    status: 'Synced',
    isHook: false,
    requiresPruning: false,
    requiresDeletionConfirmation: false,
    syncWave: 0,
    ...(health ? { health } : {}),
  }
}

const treeOf = (index: OwnerIndex, ...roots: readonly KubeObject[]) =>
  resourceTree({ resources: roots.map(managed), index, healthOf, isPermitted: () => true })

const names = (
  nodes: readonly { readonly key: { readonly kind: string; readonly name: string } }[],
): readonly string[] => nodes.map(({ key }) => `${key.kind} ${key.name}`)

test('a tree holds what is owned, to any depth', () => {
  const index = indexOf(web, old, set, stuck('a'), stuck('b'), object('ConfigMap', 'other'))
  expect(names(treeOf(index, web).nodes)).toEqual([
    'Deployment web',
    'ReplicaSet web-1',
    'ReplicaSet web-2',
    'Pod a',
    'Pod b',
  ])
})

test('owners that are not in the references are found', () => {
  const service = object('Service', 'web')
  const store = object('StatefulSet', 'db', { spec: { volumeClaimTemplates: [{ metadata: { name: 'data' } }] } })
  const account = object('ServiceAccount', 'bot')
  const index = indexOf(
    service,
    store,
    account,
    object('Endpoints', 'web'),
    object('EndpointSlice', 'web-x', {}, { labels: { 'kubernetes.io/service-name': 'web' } }),
    object('PersistentVolumeClaim', 'data-db-0'),
    object('PersistentVolumeClaim', 'data-db-x'),
    object(
      'Secret',
      'bot-token',
      { type: 'kubernetes.io/service-account-token' },
      {
        annotations: {
          'kubernetes.io/service-account.name': 'bot',
          'kubernetes.io/service-account.uid': 'ServiceAccount/bot',
        },
      },
    ),
  )
  expect(names(treeOf(index, service, store, account).nodes)).toEqual([
    'Service web',
    'EndpointSlice web-x',
    'Endpoints web',
    'StatefulSet db',
    'PersistentVolumeClaim data-db-0',
    'ServiceAccount bot',
    'Secret bot-token',
  ])
})

test('owners that own each other end the tree', () => {
  const a = object(
    'ConfigMap',
    'a',
    {},
    { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'b', uid: 'ConfigMap/b' }] },
  )
  const b = owned('ConfigMap', 'b', a)
  expect(names(treeOf(indexOf(a, b), a).nodes)).toEqual(['ConfigMap a', 'ConfigMap b'])
})

test('the index follows what changes and goes', () => {
  const index = indexOf(web, set, stuck('a'))
  index.set({ ...stuck('a'), metadata: { ...stuck('a').metadata, ownerReferences: [] } })
  expect(names(index.childrenOf(set).map((one) => ({ key: keyOf(one) })))).toEqual([])
  index.delete(stuck('a'))
  expect(index.size).toBe(2)
})

test('what nobody owns and no Application has is an orphan', () => {
  const index = indexOf(
    web,
    set,
    object('ConfigMap', 'lost'),
    object('ConfigMap', 'kube-root-ca.crt'),
    object('Secret', 'known'),
  )
  const orphans = orphansOf({
    index,
    namespace: 'prod',
    isManaged: ({ kind }) => kind === 'Deployment',
    isPermitted: () => true,
    ignore: [{ kind: 'Secret', name: 'kn*' }],
  })
  expect(orphans.map(({ metadata }) => metadata.name)).toEqual(['lost'])
})

test('facts are shown by kind', () => {
  const pod = owned('Pod', 'p', set, {
    spec: {
      nodeName: 'n1',
      containers: [
        { name: 'main', image: 'web:2' },
        { name: 'side', image: 'web:2' },
      ],
    },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'main', ready: true, restartCount: 3, state: { running: {} } }],
    },
  })
  expect(describe(pod)).toMatchObject({
    images: ['web:2'],
    info: [
      { name: 'Status Reason', value: 'Running' },
      { name: 'Node', value: 'n1' },
      { name: 'Containers', value: '1/2' },
      { name: 'Restart Count', value: '3' },
    ],
  })
  expect(describe(set).info).toContainEqual({ name: 'Revision', value: 'Rev:2' })
})

const ingress = object(
  'Ingress',
  'web',
  {
    spec: {
      tls: [{ hosts: ['a.example'], secretName: 's' }],
      rules: [
        { host: 'a.example', http: { paths: [{ path: '/shop*', backend: { service: { name: 'web' } } }] } },
        { http: { paths: [{ path: '/', backend: { service: { name: 'web' } } }] } },
      ],
    },
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } },
  },
  {
    annotations: {
      'link.argocd.argoproj.io/docs': 'Docs|https://docs.example',
      'link.argocd.argoproj.io/bad': 'java\tscript:alert(1)',
    },
  },
)

test('addresses are read off what brings traffic in, and harmful links are none', () => {
  const tree = treeOf(indexOf(ingress), ingress)
  expect(tree.nodes[0]?.networking).toEqual({
    targetRefs: [{ group: '', kind: 'Service', namespace: 'prod', name: 'web' }],
    ingress: [{ ip: '192.0.2.7' }],
    externalURLs: ['Docs|https://docs.example', 'https://a.example/shop', 'https://192.0.2.7/'],
  })
  const application = { metadata: { name: 'x' }, spec: {} } as Application
  expect(summaryOf(tree, application)).toEqual({
    externalURLs: ['Docs|https://docs.example', 'https://192.0.2.7/', 'https://a.example/shop'],
  })
})

const because = (
  root: KubeObject,
  objects: readonly KubeObject[],
  events: readonly KubeObject[] = [],
): string | undefined =>
  explain(root, { index: indexOf(root, ...objects), events: eventIndex(events), healthOf })?.because

const event = (about: KubeObject, reason: string, message: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'e' },
  type: 'Warning',
  reason,
  message,
  involvedObject: { uid: about.metadata.uid },
})

test('a Deployment that waits says for what, down to the image', () => {
  expect(because(web, [old, set, stuck('web-2-a'), stuck('web-2-b')])).toBe(
    'waiting: ReplicaSet web-2: Pod web-2-a (and 1 more): image web:2 cannot be pulled: manifest unknown',
  )
})

test('Pods that cannot be made are told of by the one who was refused', () => {
  expect(because(web, [set], [event(set, 'FailedCreate', 'pods "x" is forbidden: exceeded quota: q')])).toBe(
    'waiting: ReplicaSet web-2: what it needs cannot be made: pods "x" is forbidden: exceeded quota: q',
  )
})

const pod = (status: object, spec: object = {}): KubeObject =>
  object('Pod', 'p', {
    spec: { restartPolicy: 'Always', containers: [{ name: 'main', image: 'web:2' }], ...spec },
    status,
  })

test.each([
  [
    'no node takes it',
    pod({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }],
    }),
    'no node can take it: 0/3 nodes are available',
  ],
  [
    'it crashes',
    pod({
      phase: 'Running',
      containerStatuses: [
        {
          name: 'main',
          restartCount: 4,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { exitCode: 1, message: 'starting\nno database' } },
        },
      ],
    }),
    'container main keeps crashing, 4 times so far: it exited with code 1: no database',
  ],
  [
    'it ran out of memory',
    pod({
      phase: 'Failed',
      containerStatuses: [{ name: 'main', state: { terminated: { reason: 'OOMKilled', exitCode: 137 } } }],
    }),
    'container main failed: it used more memory than its limit',
  ],
  [
    'it is not ready',
    pod({
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'False' }],
      containerStatuses: [{ name: 'main', ready: false }],
    }),
    'container main runs and is not ready yet',
  ],
  ['it is done', pod({ phase: 'Succeeded' }), undefined],
])('of a Pod: %s', (_name, given, want) => {
  expect(because(given, [])).toBe(want)
})

test('a Job says how often its Pods failed, and why', () => {
  const job = object('Job', 'migrate', { spec: {}, status: { failed: 3 } })
  const failed = owned('Pod', 'migrate-x', job, {
    spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'm' }] },
    status: { phase: 'Failed', containerStatuses: [{ name: 'main', state: { terminated: { exitCode: 2 } } }] },
  })
  expect(because(job, [failed])).toBe('waiting: Pod failed 3 times: container main failed: it exited with code 2')
})

test('an Application is explained, without the values of its Secrets', () => {
  const secret = object('Secret', 's', { data: { a: 'Z2VoZWlt' } })
  const changed = { ...secret, data: { a: 'bmV1' } }
  const comparison: Comparison = {
    resources: [
      managed(web),
      {
        ...managed(secret),
        status: 'OutOfSync',
        diff: { modified: true, normalizedLive: secret, predictedLive: changed },
      },
    ],
    syncStatus: 'OutOfSync',
    healthStatus: 'Progressing',
    conditions: [],
  }
  const application = { metadata: { name: 'shop' }, spec: { syncPolicy: { automated: {} } } } as Application
  const why = whyApplication(application, comparison, {
    index: indexOf(web, set, stuck('a')),
    events: eventIndex([]),
    healthOf,
  })
  expect(why).toEqual({
    headline: 'shop is OutOfSync and Progressing',
    lines: [
      {
        about: 'health',
        subject: 'Deployment web',
        because: 'waiting: ReplicaSet web-2: Pod a: image web:2 cannot be pulled: manifest unknown',
        next: 'correct the name and tag of the image, or give the Pod a pull secret for its registry',
      },
      {
        about: 'sync',
        subject: 'Secret s',
        because: 'it differs from Git in data.a',
        next: 'it is synced by itself for new revisions only: idp app sync shop, or spec.syncPolicy.automated.selfHeal',
      },
    ],
  })
  expect(JSON.stringify(why)).not.toContain('bmV1')
})

test('an Application whose sync is refused and tried again says by whom, and that a commit mends it', () => {
  const application = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'argocd' },
    spec: { project: 'default', destination: {}, syncPolicy: { automated: { selfHeal: true } } },
    operation: { sync: {} },
    status: {
      operationState: {
        phase: 'Running',
        retryCount: 2,
        message: 'one or more objects failed to apply, reason: no owner. Retrying attempt #3 at 2026-01-01T00:00:00Z.',
        syncResult: {
          resources: [
            {
              group: '',
              kind: 'Namespace',
              name: 'x',
              namespace: '',
              version: 'v1',
              status: 'SyncFailed',
              message: 'a\n\n  b: c\n',
            },
            { group: '', kind: 'ConfigMap', name: 'y', namespace: 'x', version: 'v1', status: 'Synced' },
          ],
        },
      },
    },
  } as unknown as Parameters<typeof whyApplication>[0]
  const comparison = { resources: [], conditions: [], syncStatus: 'OutOfSync', healthStatus: 'Healthy' }
  const why = whyApplication(application, comparison as unknown as Parameters<typeof whyApplication>[1], {
    index: indexOf(),
    events: eventIndex([]),
    healthOf,
  })
  expect(why.lines).toEqual([
    {
      about: 'operation',
      because: 'a sync was refused 2 times. Retrying attempt #3 at 2026-01-01T00:00:00Z.',
      next: 'mend what is named below and commit it: a new commit is taken up at once',
    },
    { about: 'operation', subject: 'Namespace x', because: 'a b: c' },
  ])
})
