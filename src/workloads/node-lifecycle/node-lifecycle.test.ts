import { afterEach, beforeEach, expect, test } from 'vitest'
import { conditionOf } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { DaemonSet, Deployment, Node, Pod } from '../pods/kinds.ts'
import { at, template, workloadWorld, type WorkloadWorld } from '../workload-world.testkit.ts'
import { nodeConditionsOf, taintsOf } from './plan.ts'

let world: WorkloadWorld
beforeEach(async () => {
  world = await workloadWorld()
  await world.until(async () => (await world.list(Node)).length === 3)
})
afterEach(() => world.stop())

const lose = (name: string) =>
  world.change(Node, name, { metadata: { annotations: { 'simulate.idp.dev/node': 'lost' } } })
const find = (name: string) =>
  world.change(Node, name, { metadata: { annotations: { 'simulate.idp.dev/node': null } } })
const node = async (name: string): Promise<KubeObject> =>
  (await world.get(Node, name)) ?? { apiVersion: '', kind: '', metadata: {} }
const readiness = async (name: string): Promise<unknown> =>
  conditionOf(nodeConditionsOf(await node(name)), 'Ready')?.status
const taints = async (name: string): Promise<readonly string[]> =>
  taintsOf(await node(name)).map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`)
const pods = async (): Promise<readonly string[]> =>
  (await world.list(Pod)).map((pod) => {
    const going = pod.metadata.deletionTimestamp === undefined ? '' : ' going'
    return `${String(at(pod, 'spec', 'nodeName'))}${going}`
  })
const web = (replicas: number, spec: object = {}): object => ({
  metadata: { name: 'web' },
  spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: template('web', { spec }) },
})
const isReady = (replicas: number) => async (): Promise<boolean> =>
  at(await world.get(Deployment, 'web'), 'status', 'readyReplicas') === replicas

test('nodes that live stay ready and untainted, and do not write much', async () => {
  await world.clock.advance(3_600_000)
  expect(await Promise.all(['control-plane', 'infra', 'workload'].map(readiness))).toEqual(['True', 'True', 'True'])
  expect(await taints('workload')).toEqual([])
})

test('a node that falls silent is unknown after its grace, tainted, and its Pods are not ready', async () => {
  await world.create(Deployment, web(2, { nodeSelector: { 'idp.dev/pool': 'workload' } }))
  await world.until(isReady(2))
  await lose('workload')
  await world.clock.advance(35_000)
  expect(await readiness('workload')).toBe('True')
  await world.clock.advance(30_000)
  expect(conditionOf(nodeConditionsOf(await node('workload')), 'Ready')).toMatchObject({
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
  })
  expect(await taints('workload')).toEqual(['unreachable:NoSchedule', 'unreachable:NoExecute'])
  expect(at(await world.get(Deployment, 'web'), 'status', 'readyReplicas')).toBeUndefined()
  expect(await world.told('NodeNotReady')).toContain('Node workload status is now: NodeNotReady')
})

test('after five minutes its Pods are sent away and run elsewhere; they end when it comes back', async () => {
  await world.create(Deployment, web(2))
  await world.until(isReady(2))
  await world.change(Node, 'infra', { spec: { unschedulable: true } })
  await world.until(async () => (await taints('infra')).includes('unschedulable:NoSchedule'))
  await world.change(Node, 'infra', { spec: { unschedulable: null } })
  await lose('workload')
  await world.clock.advance(300_000)
  expect(await pods()).toEqual(expect.arrayContaining(['infra', 'workload']))
  await world.until(isReady(2), { withinMs: 120_000 })
  expect((await pods()).toSorted()).toEqual(['infra', 'infra', 'workload going'])
  await find('workload')
  await world.until(async () => (await pods()).length === 2)
  await world.until(async () => (await taints('workload')).length === 0)
  expect(await readiness('workload')).toBe('True')
})

test('a node that comes back in time keeps its Pods', async () => {
  await world.create(Deployment, web(2))
  await world.until(isReady(2))
  const before = (await world.list(Pod)).map(({ metadata }) => metadata.uid)
  await lose('workload')
  await world.clock.advance(200_000)
  await find('workload')
  await world.until(isReady(2))
  await world.clock.advance(600_000)
  expect((await world.list(Pod)).map(({ metadata }) => metadata.uid)).toEqual(before)
  expect(await world.told('TaintManagerEviction')).toHaveLength(1)
})

test('the agents of every node stay where their node is in trouble', async () => {
  await world.create(DaemonSet, {
    metadata: { name: 'agent' },
    spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent') },
  })
  await world.until(async () => (await pods()).length === 2)
  await lose('workload')
  await world.clock.advance(900_000)
  expect((await pods()).toSorted()).toEqual(['infra', 'workload'])
})

test('a node that says it is not ready is tainted as such', async () => {
  await world.change(Node, 'infra', { metadata: { annotations: { 'simulate.idp.dev/node': 'not-ready' } } })
  await world.until(async () => (await readiness('infra')) === 'False')
  await world.until(async () => (await taints('infra')).length === 2)
  expect(await taints('infra')).toEqual(['not-ready:NoSchedule', 'not-ready:NoExecute'])
})

test('the Pods of a node that is only unready are told so once, not again and again', async () => {
  await world.create(Deployment, web(1, { nodeSelector: { 'idp.dev/pool': 'infra' } }))
  await world.until(isReady(1))
  await world.change(Node, 'infra', { metadata: { annotations: { 'simulate.idp.dev/node': 'not-ready' } } })
  await world.clock.advance(20_000)
  expect(await world.told('NodeNotReady')).toContain('Node is not ready')
  const version = (await world.list(Pod))[0]?.metadata.resourceVersion
  await world.clock.advance(120_000)
  expect((await world.list(Pod))[0]?.metadata.resourceVersion).toBe(version)
})

test('nobody is sent away when no node works', async () => {
  await world.create(Deployment, web(2))
  await world.until(isReady(2))
  for (const name of ['control-plane', 'infra', 'workload']) await lose(name)
  await world.clock.advance(1_200_000)
  expect(await taints('workload')).toEqual(['unreachable:NoSchedule'])
  expect((await pods()).every((one) => !one.endsWith('going'))).toBe(true)
})

test('a node that is deleted stays away', async () => {
  await world.remove(Node, 'infra')
  await world.clock.advance(60_000)
  expect(await world.get(Node, 'infra')).toBeUndefined()
})

test('a taint of a person sends away at once, or when the toleration has run out', async () => {
  const tolerations = [{ key: 'maintenance', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }]
  await world.create(Pod, {
    metadata: { name: 'a' },
    spec: { nodeName: 'workload', containers: [{ name: 'c', image: 'a:1' }] },
  })
  await world.create(Pod, {
    metadata: { name: 'b' },
    spec: { nodeName: 'workload', tolerations, containers: [{ name: 'c', image: 'a:1' }] },
  })
  await world.clock.advance(2_000)
  await world.change(Node, 'workload', { spec: { taints: [{ key: 'maintenance', effect: 'NoExecute' }] } })
  await world.clock.advance(5_000)
  expect((await world.list(Pod)).map(({ metadata }) => metadata.name)).toEqual(['b'])
  await world.until(async () => (await world.list(Pod)).length === 0)
})
