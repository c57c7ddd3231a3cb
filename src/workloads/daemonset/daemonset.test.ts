import { afterEach, beforeEach, expect, test } from 'vitest'
import { podSpecOf } from '../../kube/pod.ts'
import { ControllerRevision, DaemonSet, Node, Pod } from '../pods/kinds.ts'
import { at, template, workloadWorld, type WorkloadWorld } from '../workload-world.testkit.ts'

let world: WorkloadWorld
beforeEach(async () => void (world = await workloadWorld()))
afterEach(() => world.stop())

const agent = (spec: object = {}): object => ({
  metadata: { name: 'agent' },
  spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent'), ...spec },
})
const count = async (name: string): Promise<unknown> => at(await world.get(DaemonSet, 'agent'), 'status', name)
const nodes = async (): Promise<readonly string[]> =>
  (await world.list(Pod)).map((pod) => podSpecOf(pod).nodeName ?? '').toSorted((a, b) => (a < b ? -1 : 1))

test('every node that tolerates it gets one Pod, a new node too', async () => {
  await world.create(DaemonSet, agent())
  await world.until(async () => (await count('numberAvailable')) === 2)
  expect(await nodes()).toEqual(['infra', 'workload'])
  await world.create(Node, { metadata: { name: 'late' }, status: { allocatable: { cpu: '4' } } })
  await world.until(async () => (await count('desiredNumberScheduled')) === 3)
  await world.until(async () => (await nodes()).includes('late'))
  await world.change(Node, 'infra', { spec: { taints: [{ key: 'out', effect: 'NoExecute' }] } })
  await world.until(async () => !(await nodes()).includes('infra'))
})

test('with a toleration the control plane gets one as well', async () => {
  await world.create(
    DaemonSet,
    agent({ template: template('agent', { spec: { tolerations: [{ operator: 'Exists' }] } }) }),
  )
  await world.until(async () => (await count('numberAvailable')) === 3)
  expect(await nodes()).toEqual(['control-plane', 'infra', 'workload'])
})

test('a new template replaces the Pods one node after the other, and is remembered as a revision', async () => {
  await world.create(DaemonSet, agent())
  await world.until(async () => (await count('numberAvailable')) === 2)
  const slow = {
    containers: [{ name: 'main', image: 'web:2', readinessProbe: { initialDelaySeconds: 3, tcpSocket: { port: 1 } } }],
  }
  await world.change(DaemonSet, 'agent', { spec: { template: { spec: slow } } })
  let least = 2
  await world.until(async () => {
    least = Math.min(least, Number((await count('numberAvailable')) ?? 0))
    return (
      (await count('observedGeneration')) === 2 &&
      (await count('updatedNumberScheduled')) === 2 &&
      (await count('numberAvailable')) === 2
    )
  })
  expect(least).toBe(1)
  expect((await world.list(ControllerRevision)).map((one) => one['revision'])).toHaveLength(2)
})
