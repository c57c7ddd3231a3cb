import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigMap, Pod, Secret } from '../pods/kinds.ts'
import { at, workloadWorld, type WorkloadWorld } from '../workload-world.testkit.ts'

let world: WorkloadWorld
beforeEach(async () => void (world = await workloadWorld()))
afterEach(() => world.stop())

const waiting = async (): Promise<unknown> =>
  at(await world.get(Pod, 'web'), 'status', 'containerStatuses', '0', 'state', 'waiting')
const isRunning = async (): Promise<boolean> => at(await world.get(Pod, 'web'), 'status', 'phase') === 'Running'
const web = (container: object, spec: object = {}): object => ({
  metadata: { name: 'web' },
  spec: { containers: [{ name: 'main', image: 'web:1', ...container }], ...spec },
})
const settings = (data: object): object => ({ metadata: { name: 'settings' }, data })

test('a container whose ConfigMap is missing is not made, says so, and starts once it is there', async () => {
  await world.create(Pod, web({ envFrom: [{ configMapRef: { name: 'settings' } }] }))
  await world.clock.advance(3_000)
  expect(await waiting()).toEqual({ reason: 'CreateContainerConfigError', message: 'configmap "settings" not found' })
  expect(await world.told('Failed')).toEqual(['Error: configmap "settings" not found'])
  await world.create(ConfigMap, settings({ a: '1' }))
  await world.until(isRunning)
})

test('a key that is missing from a Secret is named', async () => {
  await world.create(Secret, { metadata: { name: 'settings' }, stringData: { user: 'a' } })
  const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'settings', key: 'password' } } }]
  await world.create(Pod, web({ env }))
  await world.clock.advance(3_000)
  expect(await waiting()).toMatchObject({ message: "couldn't find key password in Secret default/settings" })
  await world.change(Secret, 'settings', { stringData: { password: 'b' } })
  await world.until(isRunning)
})

test('what is optional is not waited for', async () => {
  const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a', optional: true } } }]
  const volumes = [{ name: 'files', secret: { secretName: 'files', optional: true } }]
  await world.create(Pod, web({ env }, { volumes }))
  await world.clock.advance(3_000)
  expect(await isRunning()).toBe(true)
})

test('a volume that cannot be filled keeps the whole Pod from starting', async () => {
  const volumes = [
    { name: 'files', projected: { sources: [{ configMap: { name: 'settings', items: [{ key: 'b', path: 'b' }] } }] } },
  ]
  await world.create(ConfigMap, settings({ a: '1' }))
  await world.create(Pod, web({}, { volumes, initContainers: [{ name: 'first', image: 'web:1' }] }))
  await world.clock.advance(3_000)
  expect(await waiting()).toEqual({ reason: 'PodInitializing' })
  expect(await world.told('FailedMount')).toEqual([
    'MountVolume.SetUp failed for volume "files" : configmap references non-existent config key: b',
  ])
  await world.change(ConfigMap, 'settings', { data: { b: '2' } })
  await world.until(isRunning)
})

test('a Pod that runs goes on when what it was made from is deleted', async () => {
  await world.create(ConfigMap, settings({ a: '1' }))
  await world.create(Pod, web({}, { volumes: [{ name: 'files', configMap: { name: 'settings' } }] }))
  await world.until(isRunning)
  await world.remove(ConfigMap, 'settings')
  await world.clock.advance(60_000)
  expect(await isRunning()).toBe(true)
  expect(await world.told('FailedMount')).toEqual([])
})

test('a Pod that asks for a runtime that nobody has says so', async () => {
  await world.create(Pod, web({}, { nodeName: 'workload', runtimeClassName: 'gvisor' }))
  await world.clock.advance(3_000)
  expect(await waiting()).toEqual({ reason: 'ContainerCreating' })
  expect(await world.told('FailedCreatePodSandBox')).toEqual([
    'Failed to create pod sandbox: no runtime for "gvisor" is configured',
  ])
})
