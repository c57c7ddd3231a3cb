import { describe, expect, test } from 'vitest'
import type { KubeObject } from './object.ts'
import { amountsOf } from './pod.ts'
import { type Counted, formatAmounts, planQuota, type QuotaSpec, totalUsage, usageOf } from './quota.ts'

const nowMs = Date.UTC(2026, 0, 1)
const pod = (cpu: string | undefined, more: { spec?: object; status?: object; metadata?: object } = {}): Counted => ({
  group: '',
  plural: 'pods',
  object: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', ...more.metadata },
    spec: {
      containers: [{ name: 'c', ...(cpu ? { resources: { requests: { cpu }, limits: { cpu } } } : {}) }],
      ...more.spec,
    },
    status: more.status ?? {},
  },
})
const other = (plural: string, object: Partial<KubeObject> = {}, group = ''): Counted => ({
  group,
  plural,
  object: { apiVersion: 'v1', kind: 'X', metadata: {}, ...object },
})

describe('usageOf', () => {
  test.each<[string, Counted, object]>([
    [
      'a running Pod',
      pod('100m'),
      { 'count/pods': '1', pods: '1', cpu: '100m', 'requests.cpu': '100m', 'limits.cpu': '100m' },
    ],
    ['a finished Pod only counts as an object', pod('1', { status: { phase: 'Succeeded' } }), { 'count/pods': '1' }],
    [
      'a Pod past its deletion only counts as an object',
      pod('1', { metadata: { deletionTimestamp: '2025-12-31T00:00:00Z', deletionGracePeriodSeconds: 30 } }),
      { 'count/pods': '1' },
    ],
    ['a ConfigMap', other('configmaps'), { 'count/configmaps': '1', configmaps: '1' }],
    ['a Deployment', other('deployments', {}, 'apps'), { 'count/deployments.apps': '1' }],
    [
      'a NodePort Service',
      other('services', { spec: { type: 'NodePort', ports: [1, 2] } }),
      { 'count/services': '1', services: '1', 'services.nodeports': '2' },
    ],
    [
      'a claim of a class',
      other('persistentvolumeclaims', {
        spec: { storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } },
      }),
      {
        'count/persistentvolumeclaims': '1',
        persistentvolumeclaims: '1',
        'requests.storage': '1Gi',
        'fast.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
        'fast.storageclass.storage.k8s.io/requests.storage': '1Gi',
      },
    ],
  ])('%s', (_name, counted, want) => {
    expect(formatAmounts(usageOf(counted, nowMs))).toEqual(want)
  })
})

describe('planQuota', () => {
  const plan = (spec: QuotaSpec, used: object, after: Counted, before?: Counted): ReturnType<typeof planQuota> =>
    planQuota({ name: 'q', spec, used: amountsOf(used as Record<string, string>), before, after, nowMs })

  test.each<[string, ReturnType<typeof planQuota>, object]>([
    ['fits', plan({ hard: { pods: 2 } }, { pods: '1' }, pod('1')), { fits: true }],
    [
      'does not fit, and says what would',
      plan({ hard: { pods: 2, 'requests.cpu': '1' } }, { pods: '2', 'requests.cpu': '500m' }, pod('600m')),
      {
        fits: false,
        because:
          'exceeded quota: q, requested: pods=1,requests.cpu=600m, used: pods=2,requests.cpu=500m, limited: pods=2,requests.cpu=1',
      },
    ],
    [
      'a container that says nothing is refused where cpu is limited',
      plan({ hard: { 'limits.cpu': '1', 'requests.memory': '1Gi' } }, {}, pod(undefined)),
      { fits: false, because: 'failed quota: q: must specify limits.cpu for: c; requests.memory for: c' },
    ],
    [
      'an update counts only what is more',
      plan({ hard: { 'requests.cpu': '1' } }, { 'requests.cpu': '800m' }, pod('900m'), pod('800m')),
      { fits: true },
    ],
    [
      'an update that uses less always fits',
      plan({ hard: { 'requests.cpu': '1' } }, { 'requests.cpu': '3' }, pod('1'), pod('2')),
      { fits: true, used: undefined },
    ],
    [
      'what the quota does not name is free',
      plan({ hard: { configmaps: 0 } }, {}, pod('1')),
      { fits: true, used: undefined },
    ],
    [
      'a scope it is not in',
      plan({ hard: { pods: 0 }, scopes: ['BestEffort'] }, {}, pod('1')),
      { fits: true, used: undefined },
    ],
    [
      'a scope it is in',
      plan({ hard: { pods: 0 }, scopes: ['NotBestEffort', 'NotTerminating'] }, {}, pod('1')),
      { fits: false },
    ],
    [
      'a priority class scope',
      plan(
        {
          hard: { pods: 0 },
          scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] },
        },
        {},
        pod('1', { spec: { priorityClassName: 'high' } }),
      ),
      { fits: false },
    ],
    [
      'a scoped quota counts nothing but Pods',
      plan({ hard: { 'count/configmaps': 0 }, scopes: ['BestEffort'] }, {}, other('configmaps')),
      { fits: true },
    ],
  ])('%s', (_name, decision, want) => {
    expect(decision).toMatchObject(want)
  })
})

test('the usage of a namespace names everything that is limited', () => {
  const spec = { hard: { pods: 5, 'requests.cpu': '2', secrets: 1 } }
  expect(formatAmounts(totalUsage(spec, [pod('1'), pod('250m'), other('configmaps')], nowMs))).toEqual({
    pods: '2',
    'requests.cpu': '1250m',
    secrets: '0',
  })
})
