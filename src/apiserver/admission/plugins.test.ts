import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { formatAmounts } from '../../kube/quota.ts'
import { movableClock } from '../../lib/clock.ts'
import { seededIds } from '../../lib/ids.ts'
import { defaultTolerations } from './default-tolerations.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { clusterOf, outcomeOf, writing } from './plugins.testkit.ts'
import { podSecurity } from './pod-security.ts'
import { priority } from './priority.ts'
import { resourceQuota } from './resource-quota.ts'
import { serviceAccount, TOKEN_MOUNT_PATH } from './service-account.ts'
import { defaultStorageClass, storageProtection } from './storage-defaults.ts'

const object = (kind: string, name: string, more: object = {}, apiVersion = 'v1'): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name },
  ...more,
})
const pod = (spec: object = {}, containers: object[] = [{ name: 'c' }]): KubeObject =>
  object('Pod', 'web', { spec: { containers, ...spec } })
const specOf = (outcome: unknown): Record<string, unknown> => (outcome as { spec: Record<string, unknown> }).spec

describe('namespace lifecycle', () => {
  const plugin = namespaceLifecycle(
    clusterOf({
      namespaces: [
        object('Namespace', 'team'),
        { ...object('Namespace', 'leaving'), metadata: { name: 'leaving', deletionTimestamp: '2026-01-01T00:00:00Z' } },
      ],
    }),
  )
  const map = object('ConfigMap', 'a')
  test.each([
    ['a namespace that is there', writing('configmaps', map), map],
    ['one that is not', writing('configmaps', map, { namespace: 'nope' }), 'namespaces "nope" not found'],
    [
      'one that is going away',
      writing('configmaps', map, { namespace: 'leaving' }),
      'configmaps "a" is forbidden: unable to create new content in namespace leaving because it is being terminated',
    ],
    [
      'a change in one that is going away',
      writing('configmaps', map, { namespace: 'leaving', operation: 'UPDATE' }),
      map,
    ],
    [
      'kube-system itself',
      writing('namespaces', object('Namespace', 'kube-system'), { operation: 'DELETE', namespace: undefined as never }),
      'namespaces "kube-system" is forbidden: this namespace may not be deleted',
    ],
  ])('%s', async (_name, request, want) => {
    expect(await outcomeOf(plugin, request)).toEqual(want)
  })
})

describe('priority', () => {
  const high = object('PriorityClass', 'high', { value: 1000, preemptionPolicy: 'Never' }, 'scheduling.k8s.io/v1')
  const usual = object('PriorityClass', 'usual', { value: 10, globalDefault: true }, 'scheduling.k8s.io/v1')
  const plugin = priority(clusterOf({ priorityclasses: [high, usual] }))
  test.each([
    [
      'a class gives its value',
      { priorityClassName: 'high' },
      { priority: 1000, preemptionPolicy: 'Never', priorityClassName: 'high' },
    ],
    [
      'no class is the default one',
      {},
      { priority: 10, preemptionPolicy: 'PreemptLowerPriority', priorityClassName: 'usual' },
    ],
  ])('%s', async (_name, spec, want) => {
    expect(specOf(await outcomeOf(plugin, writing('pods', pod(spec))))).toMatchObject(want)
  })
  test.each([
    ['an unknown class', 'pods', pod({ priorityClassName: 'nope' }), /no PriorityClass with name nope was found/],
    ['a value of its own', 'pods', pod({ priorityClassName: 'high', priority: 7 }), /must not be provided/],
    [
      'a reserved name',
      'priorityclasses',
      object('PriorityClass', 'system-x', { value: 1 }, 'scheduling.k8s.io/v1'),
      /reserved/,
    ],
    [
      'a value for the system',
      'priorityclasses',
      object('PriorityClass', 'x', { value: 2e9 }, 'scheduling.k8s.io/v1'),
      /maximum allowed/,
    ],
    [
      'a second default',
      'priorityclasses',
      object('PriorityClass', 'x', { value: 1, globalDefault: true }, 'scheduling.k8s.io/v1'),
      /usual is already marked as default/,
    ],
  ])('%s is refused', async (_name, plural, asked, message) => {
    expect(await outcomeOf(plugin, writing(plural, asked))).toMatch(message)
  })
})

describe('service account', () => {
  const accounts = [
    object('ServiceAccount', 'default', { imagePullSecrets: [{ name: 'registry' }] }),
    object('ServiceAccount', 'quiet', { automountServiceAccountToken: false }),
  ]
  const plugin = serviceAccount(clusterOf({ serviceaccounts: accounts }), seededIds())

  test('a Pod gets the default account, its pull secrets and a token', async () => {
    const spec = specOf(await outcomeOf(plugin, writing('pods', pod({ initContainers: [{ name: 'i' }] }))))
    expect(spec).toMatchObject({
      serviceAccountName: 'default',
      imagePullSecrets: [{ name: 'registry' }],
      containers: [{ volumeMounts: [{ mountPath: TOKEN_MOUNT_PATH, readOnly: true }] }],
      initContainers: [{ volumeMounts: [{ mountPath: TOKEN_MOUNT_PATH }] }],
      volumes: [{ projected: { sources: [{ serviceAccountToken: { path: 'token' } }, {}, {}] } }],
    })
  })
  test.each([
    ['the account says no', { serviceAccountName: 'quiet' }],
    ['the Pod says no', { automountServiceAccountToken: false }],
  ])('no token where %s', async (_name, spec) => {
    expect(specOf(await outcomeOf(plugin, writing('pods', pod(spec))))['volumes']).toBeUndefined()
  })
  test('an account that is not there is named', async () => {
    expect(await outcomeOf(plugin, writing('pods', pod({ serviceAccountName: 'nope' })))).toBe(
      'pods "web" is forbidden: error looking up service account team/nope: serviceaccount "nope" not found',
    )
  })
})

test('a Pod tolerates a troubled node for five minutes unless it says otherwise', async () => {
  const tolerations = [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 },
  ]
  const spec = specOf(await outcomeOf(defaultTolerations, writing('pods', pod({ tolerations }))))
  expect(spec['tolerations']).toEqual([
    ...tolerations,
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
  ])
  const all = pod({ tolerations: [{ operator: 'Exists' }] })
  expect(await outcomeOf(defaultTolerations, writing('pods', all))).toBe(all)
})

describe('limit ranges', () => {
  const limits = [
    {
      type: 'Container',
      default: { cpu: '500m' },
      defaultRequest: { cpu: '100m', memory: '64Mi' },
      max: { cpu: '1' },
      min: { cpu: '50m' },
      maxLimitRequestRatio: { cpu: 5 },
    },
    { type: 'Pod', max: { memory: '1Gi' } },
    { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '10Gi' } },
  ]
  const plugin = limitRanger(clusterOf({ limitranges: [object('LimitRange', 'l', { spec: { limits } })] }))
  const container = (requests: object, more: object): object => ({
    name: 'c',
    resources: { requests, limits: { memory: '64Mi', ...more } },
  })

  test('a container that says nothing gets the defaults, and the Pod tells of it', async () => {
    const outcome = (await outcomeOf(
      plugin,
      writing('pods', pod({}, [{ name: 'c', resources: { limits: { memory: '1Gi' } } }])),
    )) as KubeObject
    expect(specOf(outcome)['containers']).toEqual([
      { name: 'c', resources: { limits: { memory: '1Gi', cpu: '500m' }, requests: { memory: '1Gi', cpu: '100m' } } },
    ])
    expect(outcome.metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
    )
  })
  test.each([
    ['too much', container({ cpu: '500m' }, { cpu: '2' }), /maximum cpu usage per Container is 1, but limit is 2/],
    [
      'too little',
      container({ cpu: '10m' }, { cpu: '50m' }),
      /minimum cpu usage per Container is 50m, but request is 10m/,
    ],
    [
      'too wide a ratio',
      container({ cpu: '100m' }, { cpu: '600m' }),
      /ratio per Container is 5, but provided ratio is 6/,
    ],
    [
      'too large a Pod',
      { name: 'c', resources: { limits: { memory: '2Gi' } } },
      /maximum memory usage per Pod is 1Gi, but limit is 2Gi/,
    ],
  ])('%s is refused', async (_name, asked, message) => {
    expect(await outcomeOf(plugin, writing('pods', pod({}, [asked])))).toMatch(message)
  })
  test('a claim is held to its bounds too', async () => {
    const claim = object('PersistentVolumeClaim', 'c', { spec: { resources: { requests: { storage: '20Gi' } } } })
    expect(await outcomeOf(plugin, writing('persistentvolumeclaims', claim))).toMatch(
      /maximum storage usage .* is 10Gi, but limit is 20Gi/,
    )
  })
})

describe('resource quota', () => {
  const quota = object('ResourceQuota', 'q', { spec: { hard: { pods: 2 } }, status: { used: { pods: '1' } } })
  const make = (commit: () => Promise<boolean>, quotas = [quota]): ReturnType<typeof resourceQuota> =>
    resourceQuota({
      reader: clusterOf({ resourcequotas: quotas, pods: [pod(), pod()] }),
      clock: movableClock(),
      counted: () => [{ group: '', plural: 'pods' }],
      commit,
    })

  test('a write that fits takes its room', async () => {
    const taken: unknown[] = []
    const plugin = resourceQuota({
      reader: clusterOf({ resourcequotas: [quota] }),
      clock: movableClock(),
      counted: () => [],
      commit: (_quota, used) => Promise.resolve(taken.push(formatAmounts(used)) > 0),
    })
    await outcomeOf(plugin, writing('pods', pod()))
    expect(taken).toEqual([{ pods: '2' }])
    await outcomeOf(plugin, writing('pods', pod(), { dryRun: true }))
    expect(taken, 'a dry run takes none').toHaveLength(1)
  })
  test('a quota that has not been counted yet is counted now', async () => {
    const fresh = object('ResourceQuota', 'q', { spec: { hard: { pods: 2 } } })
    expect(
      await outcomeOf(
        make(() => Promise.resolve(true), [fresh]),
        writing('pods', pod()),
      ),
    ).toMatch(/exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2/)
  })
  test('it looks again when somebody else was faster, and gives up with a reason', async () => {
    let calls = 0
    await outcomeOf(
      make(() => Promise.resolve(++calls === 3)),
      writing('pods', pod()),
    )
    expect(calls).toBe(3)
    expect(
      await outcomeOf(
        make(() => Promise.resolve(false)),
        writing('pods', pod()),
      ),
    ).toMatch(/changes too fast/)
  })
})

test('a claim without a class gets the newest default, and is protected', async () => {
  const storageClass = (name: string, created: string): KubeObject => ({
    ...object('StorageClass', name),
    metadata: {
      name,
      creationTimestamp: created,
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
    },
  })
  const reader = clusterOf({
    storageclasses: [
      storageClass('old', '2025-01-01T00:00:00Z'),
      storageClass('new', '2026-01-01T00:00:00Z'),
      object('StorageClass', 'x'),
    ],
  })
  const claim = object('PersistentVolumeClaim', 'c', { spec: {} })
  expect(specOf(await outcomeOf(defaultStorageClass(reader), writing('persistentvolumeclaims', claim)))).toEqual({
    storageClassName: 'new',
  })
  const explicit = object('PersistentVolumeClaim', 'c', { spec: { storageClassName: '' } })
  expect(await outcomeOf(defaultStorageClass(reader), writing('persistentvolumeclaims', explicit))).toBe(explicit)
  expect(await outcomeOf(storageProtection, writing('persistentvolumeclaims', claim))).toMatchObject({
    metadata: { finalizers: ['kubernetes.io/pvc-protection'] },
  })
})

describe('pod security', () => {
  const labelled = (labels: Record<string, string>): ReturnType<typeof podSecurity> =>
    podSecurity(clusterOf({ namespaces: [{ ...object('Namespace', 'team'), metadata: { name: 'team', labels } }] }))
  const enforce = 'pod-security.kubernetes.io/enforce'
  const root = pod({ hostNetwork: true })

  test('a namespace without labels asks nothing', async () => {
    expect(await outcomeOf(labelled({}), writing('pods', root))).toBe(root)
  })
  test('an enforced standard refuses a Pod, and says which', async () => {
    expect(
      await outcomeOf(labelled({ [enforce]: 'baseline', [`${enforce}-version`]: 'v1.30' }), writing('pods', root)),
    ).toBe('pods "web" is forbidden: violates PodSecurity "baseline:v1.30": host namespaces (hostNetwork=true)')
  })
  test('what makes Pods is warned of, not refused', async () => {
    const deployment = object(
      'Deployment',
      'd',
      { spec: { template: { spec: { hostPID: true, containers: [{ name: 'c' }] } } } },
      'apps/v1',
    )
    const plugin = labelled({ [enforce]: 'baseline', 'pod-security.kubernetes.io/warn': 'baseline' })
    const verdict = await plugin.validate?.(writing('deployments', deployment), new AbortController().signal)
    expect(verdict).toMatchObject({
      allowed: true,
      warnings: [expect.stringMatching(/would violate PodSecurity "baseline:latest": host namespaces/)],
    })
  })
  test('a misspelt level is the strictest', async () => {
    expect(await outcomeOf(labelled({ [enforce]: 'basline' }), writing('pods', pod()))).toMatch(/restricted:latest/)
  })
  test('a change that leaves the spec alone is not judged again', async () => {
    const request = writing('pods', root, { operation: 'UPDATE', oldObject: pod({ hostNetwork: true }) })
    expect(await outcomeOf(labelled({ [enforce]: 'restricted' }), request)).toBe(root)
  })
})
