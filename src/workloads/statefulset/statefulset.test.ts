import { afterEach, beforeEach, expect, test } from 'vitest'
import { PersistentVolumeClaim, Pod, StatefulSet } from '../pods/kinds.ts'
import { at, template, workloadWorld, type WorkloadWorld } from '../workload-world.testkit.ts'

let world: WorkloadWorld
beforeEach(async () => void (world = await workloadWorld()))
afterEach(() => world.stop())

const db = (spec: object = {}): object => ({
  metadata: { name: 'db' },
  spec: {
    replicas: 3,
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template: template('db'),
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ],
    ...spec,
  },
})
const status = async (name: string): Promise<unknown> => at(await world.get(StatefulSet, 'db'), 'status', name)
const names = async (): Promise<readonly unknown[]> => (await world.list(Pod)).map(({ metadata }) => metadata.name)
const images = async (): Promise<readonly unknown[]> =>
  (await world.list(Pod)).map((pod) => (at(pod, 'spec', 'containers') as readonly { image: string }[])[0]?.image)
const generation = async (wanted: number): Promise<boolean> => (await status('observedGeneration')) === wanted

test('Pods come one after the other, with names, claims and labels of their own, and leave from the top', async () => {
  await world.create(
    StatefulSet,
    db({ template: template('db', { annotations: { 'simulate.idp.dev/main': 'ready=2s' } }) }),
  )
  await world.clock.advance(1_000)
  expect(await names()).toEqual(['db-0'])
  await world.until(async () => (await status('availableReplicas')) === 3)
  expect(await names()).toEqual(['db-0', 'db-1', 'db-2'])
  expect((await world.list(PersistentVolumeClaim)).map(({ metadata }) => metadata.name)).toEqual([
    'data-db-0',
    'data-db-1',
    'data-db-2',
  ])
  const pod = await world.get(Pod, 'db-1')
  expect(pod?.metadata.labels).toMatchObject({
    'apps.kubernetes.io/pod-index': '1',
    'statefulset.kubernetes.io/pod-name': 'db-1',
  })
  expect(at(pod, 'spec', 'subdomain')).toBe('db')
  await world.change(StatefulSet, 'db', { spec: { replicas: 1 } })
  await world.until(async () => (await names()).length === 1)
  expect(await names()).toEqual(['db-0'])
  expect(await world.list(PersistentVolumeClaim)).toHaveLength(3)
})

test('an update goes from the highest number down to the partition', async () => {
  await world.create(StatefulSet, db())
  await world.until(async () => (await status('availableReplicas')) === 3)
  await world.change(StatefulSet, 'db', {
    spec: { updateStrategy: { rollingUpdate: { partition: 2 } }, template: template('db', { image: 'db:2' }) },
  })
  await world.until(async () => (await generation(2)) && (await status('updatedReplicas')) === 1)
  await world.until(async () => (await status('availableReplicas')) === 3)
  expect(await images()).toEqual(['web:1', 'web:1', 'db:2'])
  // One that is lost below the partition comes back as it was.
  await world.remove(Pod, 'db-0')
  await world.until(async () => (await status('availableReplicas')) === 3 && (await names()).length === 3)
  expect((await images())[0]).toBe('web:1')
  await world.change(StatefulSet, 'db', { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } })
  await world.until(
    async () => (await status('currentRevision')) === (await status('updateRevision')) && (await generation(3)),
  )
  expect(await images()).toEqual(['db:2', 'db:2', 'db:2'])
})

test('in parallel nobody waits for anybody', async () => {
  await world.create(
    StatefulSet,
    db({ podManagementPolicy: 'Parallel', template: template('db', { image: 'db:missing' }) }),
  )
  await world.until(async () => (await names()).length === 3)
  expect(await status('readyReplicas')).toBeUndefined()
})

test('by its retention policy a claim belongs to the set, and to its Pod once that is to go', async () => {
  const policy = { whenDeleted: 'Delete', whenScaled: 'Delete' }
  await world.create(StatefulSet, db({ replicas: 2, persistentVolumeClaimRetentionPolicy: policy }))
  await world.until(async () => (await status('availableReplicas')) === 2)
  const ownersOf = async (name: string): Promise<readonly unknown[]> =>
    ((await world.get(PersistentVolumeClaim, name))?.metadata.ownerReferences ?? []).map(
      ({ kind, name: of }) => `${kind} ${of}`,
    )
  expect([await ownersOf('data-db-0'), await ownersOf('data-db-1')]).toEqual([['StatefulSet db'], ['StatefulSet db']])
  await world.change(StatefulSet, 'db', { spec: { replicas: 1 } })
  await world.until(async () => (await names()).length === 1)
  expect(await ownersOf('data-db-1')).toEqual(['Pod db-1'])
  await world.change(StatefulSet, 'db', {
    spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' } },
  })
  await world.until(async () => (await ownersOf('data-db-0')).length === 0)
})

test('a claim that was deleted is made again for the Pod that waits for it', async () => {
  await world.create(
    StatefulSet,
    db({ replicas: 1, template: template('db', { spec: { nodeSelector: { none: 'here' } } }) }),
  )
  await world.until(async () => (await world.list(PersistentVolumeClaim)).length === 1)
  await world.change(PersistentVolumeClaim, 'data-db-0', { metadata: { finalizers: [] } })
  await world.remove(PersistentVolumeClaim, 'data-db-0')
  await world.change(StatefulSet, 'db', { metadata: { labels: { looked: 'at' } } })
  await world.until(async () => (await world.list(PersistentVolumeClaim)).length === 1)
  expect((await world.list(PersistentVolumeClaim))[0]?.metadata.name).toBe('data-db-0')
})
