import { afterEach, beforeEach, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../pods/kinds.ts'
import { at, workloadWorld, type WorkloadWorld } from '../workload-world.testkit.ts'

let world: WorkloadWorld
beforeEach(async () => void (world = await workloadWorld()))
afterEach(() => world.stop())

const claim = (name: string, spec: object = {}): object => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
})
const volume = (name: string, spec: object = {}): object => ({
  metadata: { name },
  spec: {
    capacity: { storage: '5Gi' },
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'manual',
    hostPath: { path: `/data/${name}` },
    ...spec,
  },
})
const pod = (name: string, claimName: string, spec: object = {}): object => ({
  metadata: { name },
  spec: {
    containers: [{ name: 'main', image: 'web:1' }],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    ...spec,
  },
})
const storageClass = (name: string, more: object): object => ({
  metadata: { name },
  provisioner: 'idp.dev/host-path',
  ...more,
})
const phase = async (kind: typeof Pod, name: string): Promise<unknown> =>
  at(await world.get(kind, name), 'status', 'phase')
const isBound = (name: string) => async (): Promise<boolean> => (await phase(PersistentVolumeClaim, name)) === 'Bound'
const isRunning = (name: string) => async (): Promise<boolean> => (await phase(Pod, name)) === 'Running'
const boundTo = async (name: string): Promise<unknown> =>
  at(await world.get(PersistentVolumeClaim, name), 'spec', 'volumeName')
const volumeOf = async (name: string): Promise<KubeObject | undefined> =>
  world.get(PersistentVolume, String(await boundTo(name)))

test('a claim of the default class waits for its first Pod, and then has a volume of its own', async () => {
  await world.create(PersistentVolumeClaim, claim('data'))
  await world.clock.advance(2_000)
  expect(await phase(PersistentVolumeClaim, 'data')).toBe('Pending')
  expect(await world.told('WaitForFirstConsumer')).toEqual(['waiting for first consumer to be created before binding'])
  await world.create(Pod, pod('web', 'data'))
  await world.until(isRunning('web'))
  const found = await world.get(PersistentVolumeClaim, 'data')
  expect(at(found, 'status')).toMatchObject({ phase: 'Bound', capacity: { storage: '1Gi' } })
  const node = at(await world.get(Pod, 'web'), 'spec', 'nodeName')
  expect(found?.metadata.annotations).toMatchObject({
    'pv.kubernetes.io/bind-completed': 'yes',
    'pv.kubernetes.io/bound-by-controller': 'yes',
    'volume.kubernetes.io/selected-node': node,
    'volume.kubernetes.io/storage-provisioner': 'idp.dev/host-path',
  })
  const made = await volumeOf('data')
  expect(made?.metadata.name).toBe(`pvc-${found?.metadata.uid}`)
  expect(at(made, 'status', 'phase')).toBe('Bound')
  expect(at(made, 'spec')).toMatchObject({ persistentVolumeReclaimPolicy: 'Delete', storageClassName: 'standard' })
})

test('what was made for a claim goes with it, but not before its Pod', async () => {
  await world.create(PersistentVolumeClaim, claim('data'))
  await world.create(Pod, pod('web', 'data'))
  await world.until(isRunning('web'))
  await world.remove(Pod, 'web')
  await world.until(async () => (await world.get(Pod, 'web')) === undefined)
  // Nobody runs the protection here: its finalizers are taken off by hand.
  await world.change(PersistentVolumeClaim, 'data', { metadata: { finalizers: [] } })
  const made = (await volumeOf('data'))?.metadata.name ?? ''
  await world.remove(PersistentVolumeClaim, 'data')
  await world.until(
    async () => at(await world.get(PersistentVolume, made), 'metadata', 'deletionTimestamp') !== undefined,
  )
  expect(await phase(PersistentVolume, made)).toBe('Released')
})

test('a class that binds at once makes a volume before anybody needs it; Retain keeps it', async () => {
  await world.create(StorageClass, storageClass('fast', { reclaimPolicy: 'Retain' }))
  await world.create(PersistentVolumeClaim, claim('data', { storageClassName: 'fast' }))
  await world.until(isBound('data'))
  const made = String(await boundTo('data'))
  await world.change(PersistentVolumeClaim, 'data', { metadata: { finalizers: [] } })
  await world.remove(PersistentVolumeClaim, 'data')
  await world.until(async () => (await phase(PersistentVolume, made)) === 'Released')
  await world.clock.advance(60_000)
  expect(at(await world.get(PersistentVolume, made), 'metadata', 'deletionTimestamp')).toBeUndefined()
})

test('a claim takes the smallest volume that is enough, and one that was meant for it before any other', async () => {
  await world.create(PersistentVolume, volume('large'))
  await world.create(PersistentVolume, volume('small', { capacity: { storage: '2Gi' } }))
  await world.create(PersistentVolume, volume('tiny', { capacity: { storage: '500Mi' } }))
  await world.create(
    PersistentVolume,
    volume('meant', { capacity: { storage: '50Gi' }, claimRef: { namespace: 'default', name: 'second' } }),
  )
  await world.until(async () => (await phase(PersistentVolume, 'meant')) === 'Available')
  await world.create(PersistentVolumeClaim, claim('first', { storageClassName: 'manual' }))
  await world.until(isBound('first'))
  await world.create(PersistentVolumeClaim, claim('second', { storageClassName: 'manual' }))
  await world.until(isBound('second'))
  expect([await boundTo('first'), await boundTo('second')]).toEqual(['small', 'meant'])
  expect(at(await world.get(PersistentVolumeClaim, 'first'), 'status', 'capacity')).toEqual({ storage: '2Gi' })
})

test('a claim without a class waits for a volume; a volume that comes later is taken', async () => {
  await world.create(PersistentVolumeClaim, claim('data', { storageClassName: '' }))
  await world.clock.advance(1_000)
  expect(await world.told('FailedBinding')).toEqual([
    'no persistent volumes available for this claim and no storage class is set',
  ])
  await world.create(PersistentVolume, volume('late', { storageClassName: '' }))
  await world.until(isBound('data'))
})

test('a claim whose volume is deleted is lost', async () => {
  await world.create(PersistentVolume, volume('only'))
  await world.create(PersistentVolumeClaim, claim('data', { storageClassName: 'manual' }))
  await world.until(isBound('data'))
  await world.change(PersistentVolume, 'only', { metadata: { finalizers: [] } })
  await world.remove(PersistentVolume, 'only')
  await world.until(async () => (await phase(PersistentVolumeClaim, 'data')) === 'Lost')
  expect(await world.told('ClaimLost')).toEqual([
    'Bound claim has lost its PersistentVolume. Data on the volume is lost!',
  ])
})

test('a class that nobody knows is said, and helps once it is there', async () => {
  await world.create(PersistentVolumeClaim, claim('data', { storageClassName: 'later' }))
  await world.clock.advance(1_000)
  expect(await world.told('ProvisioningFailed')).toEqual(['storageclass.storage.k8s.io "later" not found'])
  await world.create(StorageClass, storageClass('later', {}))
  await world.until(isBound('data'))
})

test('a class of another provisioner is left to it', async () => {
  await world.create(StorageClass, storageClass('cloud', { provisioner: 'example.com/disk' }))
  await world.create(PersistentVolumeClaim, claim('data', { storageClassName: 'cloud' }))
  await world.clock.advance(2_000)
  const found = await world.get(PersistentVolumeClaim, 'data')
  expect(found?.metadata.annotations?.['volume.kubernetes.io/storage-provisioner']).toBe('example.com/disk')
  expect((await world.told('ExternalProvisioning'))[0]).toContain("external provisioner 'example.com/disk'")
})

test('a claim grows where its class allows it, and is refused where not', async () => {
  await world.create(StorageClass, storageClass('grows', { allowVolumeExpansion: true }))
  await world.create(PersistentVolumeClaim, claim('data', { storageClassName: 'grows' }))
  await world.until(isBound('data'))
  await world.change(PersistentVolumeClaim, 'data', { spec: { resources: { requests: { storage: '3Gi' } } } })
  await world.until(
    async () => at(await world.get(PersistentVolumeClaim, 'data'), 'status', 'capacity', 'storage') === '3Gi',
  )
  expect(at(await volumeOf('data'), 'spec', 'capacity')).toEqual({ storage: '3Gi' })
  await world.create(StorageClass, storageClass('fixed', {}))
  await world.create(PersistentVolumeClaim, claim('other', { storageClassName: 'fixed' }))
  await world.until(isBound('other'))
  await expect(
    world.change(PersistentVolumeClaim, 'other', { spec: { resources: { requests: { storage: '3Gi' } } } }),
  ).rejects.toThrow('must support resize')
})

test('a Pod without its claim has no node, and says why', async () => {
  await world.create(Pod, pod('web', 'data'))
  await world.clock.advance(2_000)
  expect(await world.told('FailedScheduling')).toEqual([
    '0/3 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
  ])
  await world.create(PersistentVolumeClaim, claim('data'))
  await world.until(isRunning('web'))
})

test('a volume that lies on a node keeps its Pods there', async () => {
  await world.create(PersistentVolumeClaim, claim('data', { storageClassName: 'local' }))
  await world.create(Pod, pod('first', 'data', { nodeSelector: { 'idp.dev/pool': 'infra' } }))
  await world.until(isRunning('first'))
  await world.create(Pod, pod('second', 'data', { nodeSelector: { 'idp.dev/pool': 'workload' } }))
  await world.clock.advance(2_000)
  expect((await world.told('FailedScheduling'))[0]).toContain("didn't match Pod's node affinity/selector")
  await world.create(Pod, pod('third', 'data'))
  await world.until(isRunning('third'))
  expect(at(await world.get(Pod, 'third'), 'spec', 'nodeName')).toBe('infra')
})

test('a volume that is there and bound late is taken on the node that can reach it', async () => {
  await world.create(
    StorageClass,
    storageClass('disks', { provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' }),
  )
  const affinity = {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'idp.dev/pool', operator: 'In', values: ['workload'] }] }],
    },
  }
  await world.create(PersistentVolumeClaim, claim('data', { storageClassName: 'disks' }))
  await world.create(Pod, pod('web', 'data'))
  await world.clock.advance(2_000)
  expect((await world.told('FailedScheduling'))[0]).toContain(
    "2 node(s) didn't find available persistent volumes to bind",
  )
  await world.create(PersistentVolume, volume('disk', { storageClassName: 'disks', nodeAffinity: affinity }))
  await world.until(isRunning('web'))
  expect(at(await world.get(Pod, 'web'), 'spec', 'nodeName')).toBe('workload')
  expect(await boundTo('data')).toBe('disk')
})

test('a claim for one Pod alone is not given to a second', async () => {
  await world.create(PersistentVolumeClaim, claim('data', { accessModes: ['ReadWriteOncePod'] }))
  await world.create(Pod, pod('first', 'data'))
  await world.until(isRunning('first'))
  await world.create(Pod, pod('second', 'data'))
  await world.clock.advance(2_000)
  expect((await world.told('FailedScheduling'))[0]).toContain('ReadWriteOncePod access mode')
  await world.remove(Pod, 'first')
  await world.until(isRunning('second'))
})

test('a volume that belongs to a Pod is made with it', async () => {
  const template = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
  const volumes = [{ name: 'scratch', ephemeral: { volumeClaimTemplate: template } }]
  await world.create(Pod, pod('web', '', { volumes }))
  await world.until(isRunning('web'))
  const made = await world.get(PersistentVolumeClaim, 'web-scratch')
  expect(made?.metadata.ownerReferences).toMatchObject([{ kind: 'Pod', name: 'web', controller: true }])
})
