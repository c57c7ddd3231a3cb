import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { demandOf } from './demand.ts'
import { type NodeState, nodeState, withoutPod, withPod } from './node.ts'
import { comesBefore, planPlacement } from './plan.ts'
import { budgetOf, describeNoPreemption, planPreemption, type Preemption } from './preemption.ts'
import type { Snapshot } from './topology.ts'

interface NodeSpec {
  cpu?: string
  labels?: Record<string, string>
  taints?: object[]
  cordoned?: boolean
  pods?: number
}
const node = (
  name: string,
  { cpu = '4', labels = {}, taints = [], cordoned = false, pods = 110 }: NodeSpec = {},
): NodeState =>
  nodeState({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { taints, ...(cordoned ? { unschedulable: true } : {}) },
    status: { allocatable: { cpu, memory: '8Gi', pods } },
  })

interface PodSpecText {
  cpu?: string
  labels?: Record<string, string>
  priority?: number
  namespace?: string
  more?: object
}
const pod = (
  name: string,
  { cpu = '1', labels = {}, priority = 0, namespace = 'team', more = {} }: PodSpecText = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }], priority, ...more },
})
const on = (state: NodeState, ...pods: KubeObject[]): NodeState =>
  pods.reduce((next, one) => withPod(next, demandOf(one)), state)
const cluster = (...nodes: NodeState[]): Snapshot => ({ nodes, namespaceLabels: (namespace) => ({ name: namespace }) })
const place = (asked: KubeObject, ...nodes: NodeState[]): string => {
  const placement = planPlacement(demandOf(asked), cluster(...nodes))
  return placement.do === 'bind' ? placement.node : placement.because
}
const zone = (name: string): NodeSpec => ({ labels: { zone: name } })
const master = { key: 'control-plane', effect: 'NoSchedule' }
const web = { matchLabels: { app: 'web' } }
const near = (key: string): object => ({
  affinity: {
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: key, labelSelector: web }] },
  },
})
const away = (key: string): object => ({
  affinity: {
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: key, labelSelector: web }] },
  },
})
const spread = (more: object = {}): object => ({
  topologySpreadConstraints: [
    { topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', labelSelector: web, ...more },
  ],
})
const app = (name: string): KubeObject => pod(name, { labels: { app: 'web' } })

describe('placement', () => {
  test.each<[string, string, string]>([
    ['the emptier node', place(pod('p'), on(node('a'), pod('x', { cpu: '3' })), node('b')), 'b'],
    ['the first by name where all are alike', place(pod('p'), node('b'), node('a')), 'a'],
    [
      'a node selector',
      place(pod('p', { more: { nodeSelector: { zone: 'z' } } }), node('a'), node('b', zone('z'))),
      'b',
    ],
    [
      'a tolerated taint',
      place(
        pod('p', { more: { tolerations: [{ key: 'control-plane', operator: 'Exists' }] } }),
        node('a', { taints: [master] }),
      ),
      'a',
    ],
    ['the node that is named', place(pod('p', { more: { nodeName: 'b' } }), node('a'), node('b')), 'b'],
    [
      'near its like',
      place(
        pod('p', { more: near('zone') }),
        node('a', zone('1')),
        on(node('b', zone('2')), app('w')),
        node('c', zone('2')),
      ),
      'c',
    ],
    [
      'the first of its like anywhere',
      place(pod('p', { labels: { app: 'web' }, more: near('zone') }), node('a', zone('1'))),
      'a',
    ],
    [
      'away from its like',
      place(pod('p', { more: away('kubernetes.io/hostname') }), on(node('a'), app('w')), node('b')),
      'b',
    ],
    [
      'away from those that want to be alone',
      place(app('p'), on(node('a'), pod('lonely', { more: away('kubernetes.io/hostname') })), node('b')),
      'b',
    ],
    [
      'spread over zones',
      place(
        pod('p', { labels: { app: 'web' }, more: spread() }),
        on(node('a', zone('1')), app('w')),
        node('b', zone('2')),
      ),
      'b',
    ],
    [
      'a preferred node',
      place(
        pod('p', {
          more: {
            affinity: {
              nodeAffinity: {
                preferredDuringSchedulingIgnoredDuringExecution: [
                  { weight: 10, preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: ['z'] }] } },
                ],
              },
            },
          },
        }),
        node('a'),
        node('b', zone('z')),
      ),
      'b',
    ],
    [
      'not where a soft taint is, if there is elsewhere',
      place(pod('p'), node('a', { taints: [{ key: 'x', effect: 'PreferNoSchedule' }] }), node('b')),
      'b',
    ],
    [
      'to the less crowded zone, softly',
      place(
        pod('p', { labels: { app: 'web' }, more: spread({ whenUnsatisfiable: 'ScheduleAnyway' }) }),
        on(node('a', zone('1')), app('w')),
        node('b', zone('2')),
      ),
      'b',
    ],
  ])('%s', (_name, placed, want) => {
    expect(placed).toBe(want)
  })

  test.each<[string, string, string]>([
    [
      'every obstacle is counted',
      place(
        pod('p', { cpu: '2' }),
        node('a', { taints: [master] }),
        on(node('b'), pod('x', { cpu: '3' })),
        node('c', { cordoned: true }),
      ),
      '0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {control-plane: }, 1 node(s) were unschedulable.',
    ],
    ['no nodes', place(pod('p')), 'no nodes available to schedule pods'],
    [
      'two lacks of one node',
      place(pod('p', { cpu: '9', more: { overhead: { memory: '9Gi' } } }), node('a')),
      '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.',
    ],
    [
      'too many Pods',
      place(pod('p'), on(node('a', { pods: 1 }), pod('x'))),
      '0/1 nodes are available: 1 Too many pods.',
    ],
    [
      'no such label',
      place(pod('p', { more: { nodeSelector: { zone: 'z' } } }), node('a')),
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    ],
    [
      'a port that is taken',
      place(
        pod('p', { more: { containers: [{ name: 'c', ports: [{ hostPort: 80 }] }] } }),
        on(
          node('a'),
          pod('x', { more: { containers: [{ name: 'c', ports: [{ hostPort: 80, hostIP: '10.0.0.1' }] }] } }),
        ),
      ),
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    ],
    [
      'nobody to be near',
      place(pod('p', { more: near('zone') }), node('a', zone('1'))),
      "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.",
    ],
    [
      'too few domains',
      place(pod('p', { labels: { app: 'web' }, more: spread({ minDomains: 2 }) }), on(node('a', zone('1')), app('w'))),
      "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints.",
    ],
    [
      'no domain at all',
      place(pod('p', { labels: { app: 'web' }, more: spread() }), node('a')),
      "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label).",
    ],
  ])('nowhere: %s', (_name, placed, want) => {
    expect(placed).toBe(want)
  })

  test('the Pods of one controller are spread over the nodes', () => {
    const owned = (name: string): KubeObject => {
      const plain = pod(name, { cpu: '10m' })
      const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true }
      return { ...plain, metadata: { ...plain.metadata, ownerReferences: [owner] } }
    }
    let nodes = [node('a'), node('b'), node('c')]
    const placed = ['1', '2', '3'].map((name) => {
      const where = place(owned(name), ...nodes)
      nodes = nodes.map((state) => (state.name === where ? on(state, owned(name)) : state))
      return where
    })
    expect(new Set(placed)).toEqual(new Set(['a', 'b', 'c']))
  })

  test('the more important Pod comes first, then the older one', () => {
    const old = demandOf(pod('old'))
    const important = demandOf(pod('important', { priority: 5 }))
    const young = demandOf({
      ...pod('young'),
      metadata: { name: 'young', namespace: 'team', creationTimestamp: '2026-01-02T00:00:00Z' },
    })
    expect([young, old, important].toSorted(comesBefore).map(({ key }) => key)).toEqual([
      'team/important',
      'team/old',
      'team/young',
    ])
  })
})

describe('preemption', () => {
  const ask = (asked: KubeObject, nodes: NodeState[], budgets: KubeObject[] = []): Preemption | undefined => {
    const snapshot = cluster(...nodes)
    const placement = planPlacement(demandOf(asked), snapshot)
    if (placement.do === 'bind') throw new Error('it fits as it is')
    return planPreemption({
      demand: demandOf(asked),
      snapshot,
      obstacles: placement.obstacles,
      budgets: budgets.map(budgetOf),
    })
  }
  const told = (preemption: Preemption | undefined): string =>
    preemption
      ? `${preemption.node}: ${preemption.victims.map(({ key }) => key.split('/')[1]).join(' ')}${preemption.broken > 0 ? ` breaking ${preemption.broken}` : ''}`
      : 'none'
  const important = (more: PodSpecText = {}): KubeObject => pod('p', { cpu: '3', priority: 100, ...more })
  const low = (name: string, cpu: string, priority = 1, labels = {}): KubeObject => pod(name, { cpu, priority, labels })
  const budget = (allowed: number): KubeObject => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'b', namespace: 'team' },
    spec: { selector: { matchLabels: { app: 'web' } } },
    status: { disruptionsAllowed: allowed },
  })

  test.each<[string, string, string]>([
    ['the least important go', told(ask(important(), [on(node('a'), low('x', '2', 50), low('y', '2', 1))])), 'a: x y'],
    [
      'only as many as needed',
      told(ask(important({ cpu: '2' }), [on(node('a'), low('x', '2', 50), low('y', '1', 1), low('z', '1', 1))])),
      'a: y z',
    ],
    [
      'the node where it hurts least',
      told(ask(important(), [on(node('a'), low('x', '4', 50)), on(node('b'), low('y', '4', 2))])),
      'b: y',
    ],
    ['never an equal', told(ask(important(), [on(node('a'), low('x', '4', 100))])), 'none'],
    [
      'a budget is kept where another node can do',
      told(
        ask(
          important(),
          [on(node('a'), low('x', '4', 1, { app: 'web' })), on(node('b'), low('y', '4', 50))],
          [budget(0)],
        ),
      ),
      'b: y',
    ],
    [
      'and broken where none can',
      told(ask(important(), [on(node('a'), low('x', '4', 1, { app: 'web' }))], [budget(0)])),
      'a: x breaking 1',
    ],
    [
      'a budget that allows one',
      told(ask(important(), [on(node('a'), low('x', '4', 1, { app: 'web' }))], [budget(1)])),
      'a: x',
    ],
    [
      'who may not preempt does not',
      told(ask(important({ more: { preemptionPolicy: 'Never' } }), [on(node('a'), low('x', '4'))])),
      'none',
    ],
    ['no use where the node is too small', told(ask(important({ cpu: '9' }), [on(node('a'), low('x', '4'))])), 'none'],
    ['no use against a taint', told(ask(important(), [on(node('a', { taints: [master] }), low('x', '4'))])), 'none'],
    [
      'to be alone',
      told(
        ask(important({ cpu: '1', more: away('kubernetes.io/hostname') }), [
          on(node('a'), low('x', '1', 1, { app: 'web' }), low('y', '1')),
        ]),
      ),
      'a: x',
    ],
  ])('%s', (_name, decided, want) => {
    expect(decided).toBe(want)
  })

  test('why nobody makes room is told', () => {
    const obstacles = new Map([
      ['a', { because: 'x', isMendedByPreemption: false }],
      ['b', { because: 'y', isMendedByPreemption: true }],
    ])
    expect(describeNoPreemption(2, obstacles)).toBe(
      'preemption: 0/2 nodes are available: 1 Preemption is not helpful for scheduling, 1 No preemption victims found for incoming pod.',
    )
  })
})

test('taking a Pod off a node undoes putting it there', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 900 })), { maxLength: 20 }),
      (steps) => {
        const empty = node('a')
        let state = empty
        for (const [name, milli] of steps) state = withPod(state, demandOf(pod(`p${name}`, { cpu: `${milli}m` })))
        for (const key of state.pods.keys()) state = withoutPod(state, key)
        return state.pods.size === 0 && [...state.taken.values()].every((amount) => amount === 0)
      },
    ),
  )
})
