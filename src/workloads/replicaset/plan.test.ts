import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import type { Observed } from './observe.ts'
import { leavesFirst, planReplicaSet, planReplicaSetStatus } from './plan.ts'

interface PodText {
  node?: string
  phase?: string
  ready?: string
  cost?: string
  restarts?: number
  going?: boolean
}
const pod = (
  name: string,
  { node = '', phase = 'Running', ready, cost, restarts = 0, going }: PodText = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
    ...(going ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  },
  spec: { nodeName: node },
  status: {
    phase,
    ...(ready ? { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: ready }] } : {}),
    containerStatuses: [{ name: 'c', restartCount: restarts }],
  },
})
const seen = (replicas: number, pods: KubeObject[], metadata: object = {}): Observed => ({
  set: {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', generation: 3, ...metadata },
    spec: { replicas },
  },
  claims: { own: pods, adopt: [], release: [] },
  pods,
  crowd: new Map([['full', 3]]),
  nowMs: 0,
})
const told = (observed: Observed): string => {
  const plan = planReplicaSet(observed)
  if (plan.do === 'create') return `create ${plan.count}`
  return plan.do === 'delete' ? `delete ${plan.pods.map(({ metadata }) => metadata.name).join(' ')}` : 'keep'
}

test.each([
  { name: 'makes what is missing', observed: seen(3, [pod('a')]), want: 'create 2' },
  { name: 'makes five hundred at a time', observed: seen(2_000, []), want: 'create 500' },
  { name: 'replaces a Pod that is going', observed: seen(1, [pod('a', { going: true })]), want: 'create 1' },
  { name: 'leaves a full set alone', observed: seen(1, [pod('a')]), want: 'keep' },
  {
    name: 'does nothing while it is deleted',
    observed: seen(3, [], { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    want: 'keep',
  },
  {
    name: 'counts orphans that it takes over',
    observed: { ...seen(1, []), claims: { own: [], adopt: [pod('o')], release: [] } },
    want: 'keep',
  },
  { name: 'removes surplus', observed: seen(1, [pod('b', { node: 'n' }), pod('a')]), want: 'delete a' },
])('$name', ({ observed, want }) => expect(told(observed)).toBe(want))

test('what is missed least leaves first', () => {
  const inOrder = [
    pod('unplaced'),
    pod('pending', { node: 'n', phase: 'Pending' }),
    pod('unready', { node: 'n' }),
    pod('cheap', { node: 'n', ready: '2026-01-01T00:00:00Z', cost: '-5' }),
    pod('crowded', { node: 'full', ready: '2026-01-01T00:00:00Z' }),
    pod('young', { node: 'n', ready: '2026-01-01T00:09:00Z' }),
    pod('restless', { node: 'n', ready: '2026-01-01T00:00:00Z', restarts: 4 }),
    pod('old', { node: 'n', ready: '2026-01-01T00:00:00Z' }),
    pod('dear', { node: 'n', ready: '2026-01-01T00:09:00Z', cost: '5' }),
  ]
  const crowd = new Map([
    ['full', 3],
    ['n', 1],
  ])
  const sorted = inOrder.toReversed().toSorted((a, b) => leavesFirst(a, b, crowd))
  expect(sorted.map(({ metadata }) => metadata.name)).toEqual(inOrder.map(({ metadata }) => metadata.name))
})

test('a refusal is told as a condition, and forgotten when it is over', () => {
  const refused = planReplicaSetStatus(seen(1, []), { reason: 'FailedCreate', message: 'quota' })
  expect(refused.conditions).toMatchObject([{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' }])
  const after = { ...seen(1, []), set: { ...seen(1, []).set, status: refused } }
  expect(planReplicaSetStatus(after as Observed, undefined)).toEqual({ replicas: 0, observedGeneration: 3 })
})
