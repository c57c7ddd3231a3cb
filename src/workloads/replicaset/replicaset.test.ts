import { afterEach, expect, test } from 'vitest'
import { isReady, podStatusOf } from '../pods/pod-state.ts'
import { Pod, ReplicaSet } from '../pods/kinds.ts'
import { at, template, workloadWorld, type WorkloadWorld } from '../workload-world.testkit.ts'

let world: WorkloadWorld
afterEach(() => world.stop())

const set = (replicas: number, more: object = {}): object => ({
  metadata: { name: 'web' },
  spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: template('web'), ...more },
})
const status = async (): Promise<unknown> => at(await world.get(ReplicaSet, 'web'), 'status')

test('Pods are made, placed and started, and the status counts them; scaling down takes them away', async () => {
  world = await workloadWorld()
  await world.create(ReplicaSet, set(5))
  await world.until(async () => at(await world.get(ReplicaSet, 'web'), 'status', 'availableReplicas') === 5)
  expect(await status()).toEqual({
    replicas: 5,
    fullyLabeledReplicas: 5,
    readyReplicas: 5,
    availableReplicas: 5,
    observedGeneration: 1,
  })
  const pods = await world.list(Pod)
  expect(new Set(pods.map((pod) => podStatusOf(pod).podIP)).size).toBe(5)
  expect(pods.every((pod) => /^10\.244\.[12]\.\d+$/.test(podStatusOf(pod).podIP ?? ''))).toBe(true)
  expect(await world.told('SuccessfulCreate')).toHaveLength(5)
  expect((await world.told('Scheduled')).every((text) => text.startsWith('Successfully assigned default/web-'))).toBe(
    true,
  )
  await world.change(ReplicaSet, 'web', { spec: { replicas: 2 } })
  await world.until(async () => (await world.list(Pod)).length === 2)
  await world.until(async () => at(await world.get(ReplicaSet, 'web'), 'status', 'replicas') === 2)
})

test('an orphan that matches is taken over, one that matches no longer is let go and replaced', async () => {
  world = await workloadWorld()
  await world.create(Pod, {
    metadata: { name: 'lonely', labels: { app: 'web' } },
    spec: { containers: [{ name: 'main', image: 'web:1' }] },
  })
  await world.create(ReplicaSet, set(2))
  await world.until(async () => at(await world.get(ReplicaSet, 'web'), 'status', 'readyReplicas') === 2)
  expect((await world.list(Pod)).map(({ metadata }) => metadata.ownerReferences?.[0]?.name)).toEqual(['web', 'web'])
  await world.change(Pod, 'lonely', { metadata: { labels: { app: 'other' } } })
  await world.until(async () => (await world.list(Pod)).length === 3)
  expect((await world.get(Pod, 'lonely'))?.metadata.ownerReferences ?? []).toEqual([])
})

test('minReadySeconds keeps Pods from counting as available', async () => {
  world = await workloadWorld()
  await world.create(ReplicaSet, set(1, { minReadySeconds: 20 }))
  await world.until(async () => (await world.list(Pod)).some(isReady))
  await world.clock.advance(10_000)
  expect(at(await world.get(ReplicaSet, 'web'), 'status', 'availableReplicas')).toBeUndefined()
  await world.clock.advance(12_000)
  expect(at(await world.get(ReplicaSet, 'web'), 'status', 'availableReplicas')).toBe(1)
})
