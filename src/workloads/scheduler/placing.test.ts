import { afterEach, expect, test } from 'vitest'
import type { Kind } from '../../kube/gvk.ts'
import { podSpecOf } from '../../kube/pod.ts'
import { Node, Pod } from '../pods/kinds.ts'
import { podStatusOf } from '../pods/pod-state.ts'
import { at, workloadWorld, type WorkloadWorld } from '../workload-world.testkit.ts'

const PriorityClass: Kind = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  scope: 'Cluster',
}
let world: WorkloadWorld
afterEach(() => world.stop())

const pod = (name: string, cpu: string, spec: object = {}): object => ({
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'web:1', resources: { requests: { cpu } } }], ...spec },
})
const phase = async (name: string): Promise<string | undefined> => {
  const found = await world.get(Pod, name)
  return found && podStatusOf(found).phase
}
const small = { nodeAgent: { nodes: [{ name: 'only', cpu: '2' }] } }

test('a Pod that fits nowhere says why, and is placed once there is room', async () => {
  world = await workloadWorld(small)
  await world.create(Pod, pod('first', '1500m'))
  await world.until(async () => (await phase('first')) === 'Running')
  await world.create(Pod, pod('second', '1'))
  await world.clock.advance(2_000)
  const message =
    '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.'
  const waiting = await world.get(Pod, 'second')
  expect(waiting && podStatusOf(waiting).conditions).toMatchObject([
    { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message },
  ])
  expect(await world.told('FailedScheduling')).toEqual([message])
  await world.remove(Pod, 'first')
  await world.until(async () => (await phase('second')) === 'Running')
  const placed = await world.get(Pod, 'second')
  expect(placed && podStatusOf(placed).conditions?.find(({ type }) => type === 'PodScheduled')?.status).toBe('True')
})

test('a new node takes what waits; taints keep Pods away from the control plane', async () => {
  world = await workloadWorld()
  await world.create(Pod, pod('p', '1', { nodeSelector: { pool: 'gpu' } }))
  await world.clock.advance(1_000)
  expect((await world.told('FailedScheduling'))[0]).toBe(
    "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
  )
  await world.create(Node, {
    metadata: { name: 'gpu', labels: { pool: 'gpu' } },
    status: { allocatable: { cpu: '4' } },
  })
  await world.until(async () => podSpecOf((await world.get(Pod, 'p')) ?? fail()).nodeName === 'gpu')
})

test('a more important Pod drives a less important one out, with its grace', async () => {
  world = await workloadWorld(small)
  await world.create(PriorityClass, { metadata: { name: 'high' }, value: 1_000 })
  await world.create(Pod, {
    ...pod('low', '1500m'),
    metadata: { name: 'low', annotations: { 'simulate.idp.dev/main': 'stop=10s' } },
  })
  await world.until(async () => (await phase('low')) === 'Running')
  await world.create(Pod, pod('high', '1', { priorityClassName: 'high' }))
  await world.clock.advance(1_000)
  expect(at(await world.get(Pod, 'high'), 'status', 'nominatedNodeName')).toBe('only')
  expect((await world.get(Pod, 'low'))?.metadata.deletionTimestamp).toBeDefined()
  // What is less important must not slip into the room that is being made.
  await world.create(Pod, pod('thief', '200m', { priorityClassName: '' }))
  await world.create(Pod, pod('thief-too', '1'))
  await world.until(async () => (await phase('high')) === 'Running')
  expect(await world.get(Pod, 'low')).toBeUndefined()
  expect(await phase('thief-too')).toBe('Pending')
  expect(await world.told('Preempted')).toHaveLength(1)
})

function fail(): never {
  throw new Error('there is no such Pod')
}
