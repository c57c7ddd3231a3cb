import { afterEach, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { persistentVolumeClaims, persistentVolumes, pods } from '../collections.ts'
import { type World, world } from '../workloads.testkit.ts'
import { CLAIM_PROTECTION, planClaim, planVolume, VOLUME_PROTECTION } from './plan.ts'

const claim = (finalizers: readonly string[], deleted: boolean): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', finalizers, ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
})
const pod = (nodeName: string | undefined, volume: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { ...(nodeName ? { nodeName } : {}), volumes: [{ name: 'v', ...volume }] },
})
const named = { persistentVolumeClaim: { claimName: 'data' } }
const mine = [CLAIM_PROTECTION, 'other']

test.each([
  { name: 'an unprotected one is protected', seen: claim(['other'], false), pods: [], want: 'protect' },
  { name: 'a protected one that stays is left alone', seen: claim(mine, false), pods: [], want: 'nothing' },
  { name: 'a deleted one that nobody uses is released', seen: claim(mine, true), pods: [], want: 'release' },
  { name: 'a deleted one in use is kept', seen: claim(mine, true), pods: [pod('n', named)], want: 'nothing' },
  {
    name: 'a Pod without a node does not count',
    seen: claim(mine, true),
    pods: [pod(undefined, named)],
    want: 'release',
  },
  { name: 'a Pod with another claim does not count', seen: claim(mine, true), pods: [pod('n', {})], want: 'release' },
  { name: 'a released one is left alone', seen: claim(['other'], true), pods: [], want: 'nothing' },
])('of claims, $name', ({ seen, pods: using, want }) => expect(planClaim(seen, using).do).toBe(want))

test.each([
  ['Bound', 'nothing'],
  ['Released', 'release'],
  ['Available', 'release'],
])('a deleted volume that is %s: %s', (phase, want) => {
  const volume = { ...claim([VOLUME_PROTECTION], true), status: { phase } }
  expect(planVolume(volume).do).toBe(want)
})

let open: World | undefined
afterEach(() => open?.stop())

test('a deleted claim goes when the last Pod that uses it has gone', async () => {
  const here = (open = await world({ controllers: 'service-account,storage-protection' }))
  const inDefault = { namespace: 'default' }
  const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  await here.create(persistentVolumeClaims, { metadata: { name: 'data', ...inDefault }, spec: claimSpec })
  await here.create(persistentVolumes, {
    metadata: { name: 'disk' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
  })
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]
  const spec = { containers: [{ name: 'c', image: 'i' }], volumes, nodeName: 'n' }
  await here.create(pods, { metadata: { name: 'p', ...inDefault }, spec })
  await here.client.delete({ resource: persistentVolumeClaims, ...inDefault, name: 'data' })
  await here.client.delete({ resource: persistentVolumes, name: 'disk' })
  await here.clock.advance(1_000)
  expect(await here.names(persistentVolumeClaims, 'default')).toEqual(['data'])
  expect(await here.names(persistentVolumes)).toEqual([])
  await here.client.delete({ resource: pods, ...inDefault, name: 'p' }, { gracePeriodSeconds: 0 })
  await here.clock.advance(1_000)
  expect(await here.names(persistentVolumeClaims, 'default')).toEqual([])
})
