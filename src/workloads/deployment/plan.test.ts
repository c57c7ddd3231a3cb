import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { boundsOf } from './deployment.ts'
import { planDeployment } from './plan.ts'
import { proportionally } from './proportion.ts'

test.each([
  { name: 'a quarter, surge rounded up, unavailable down', spec: { replicas: 3 }, want: { surge: 1, unavailable: 0 } },
  {
    name: 'nothing at all would never move',
    spec: { replicas: 3, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '10%' } } },
    want: { surge: 0, unavailable: 1 },
  },
  {
    name: 'no more than there are can be unavailable',
    spec: { replicas: 2, strategy: { rollingUpdate: { maxSurge: '100%', maxUnavailable: 5 } } },
    want: { surge: 2, unavailable: 2 },
  },
  {
    name: 'Recreate has no surge',
    spec: { replicas: 2, strategy: { type: 'Recreate' } },
    want: { surge: 0, unavailable: 2 },
  },
])('bounds: $name', ({ spec, want }) => expect(boundsOf(spec)).toEqual(want))

const template = (image: string): object => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ image }] },
})
const set = (revision: number, image: string, replicas: number, available: number = replicas): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    name: `web-${revision}`,
    uid: String(revision),
    creationTimestamp: `2026-01-01T00:00:0${revision}Z`,
    annotations: {
      'deployment.kubernetes.io/revision': String(revision),
      'deployment.kubernetes.io/desired-replicas': '10',
      'deployment.kubernetes.io/max-replicas': '13',
    },
  },
  spec: { replicas, template: template(image) },
  status: { replicas, availableReplicas: available, readyReplicas: available },
})
const deployment = (more: object = {}, metadata: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', annotations: { 'deployment.kubernetes.io/revision': '2' }, ...metadata },
  spec: {
    replicas: 10,
    template: template('new'),
    strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
    ...more,
  },
})
const told = (one: KubeObject, ...sets: KubeObject[]): readonly string[] =>
  planDeployment({
    deployment: one,
    sets,
    claims: { own: sets, adopt: [], release: [] },
    podsOf: new Map(),
    nowMs: 0,
  }).steps.map((step) => {
    if (step.do === 'scale-set') return `${step.set.metadata.name} to ${step.replicas}`
    if (step.do === 'create-set') return `create with ${String((step.set['spec'] as { replicas: number }).replicas)}`
    return step.do
  })

describe('planDeployment', () => {
  test.each([
    { name: 'makes the first set whole', steps: told(deployment()), want: ['create with 10'] },
    {
      name: 'makes the next set as large as the surge allows',
      steps: told(deployment(), set(1, 'old', 10)),
      want: ['create with 3'],
    },
    {
      name: 'takes as much from the old as may be unavailable',
      steps: told(deployment(), set(1, 'old', 10), set(2, 'new', 3, 0)),
      want: ['web-1 to 8'],
    },
    {
      name: 'fills the room that was made',
      steps: told(deployment(), set(1, 'old', 8), set(2, 'new', 3, 0)),
      want: ['web-2 to 5'],
    },
    {
      name: 'takes old Pods that do not work first',
      steps: told(deployment(), set(1, 'old', 9, 7), set(2, 'new', 4, 2)),
      want: ['web-1 to 6'],
    },
    {
      name: 'waits while nothing new is available',
      steps: told(deployment(), set(1, 'old', 8), set(2, 'new', 5, 0)),
      want: [],
    },
    { name: 'does nothing while it is deleted', steps: told(deployment({}, { deletionTimestamp: 'x' })), want: [] },
    { name: 'makes nothing while it is paused', steps: told(deployment({ paused: true })), want: [] },
  ])('$name', ({ steps, want }) => expect(steps).toEqual(want))
})

test('shares of a change add up to what is allowed', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 5 }),
      fc.integer({ min: 0, max: 200 }),
      (sizes, allowed) => {
        const madeFor = sizes.reduce((sum, size) => sum + size, 0)
        const shares = proportionally(
          sizes.map((size, at) => ({ set: set(at, 'x', size), size, madeFor })),
          allowed,
        )
        expect(shares.reduce((sum, { size }) => sum + size, 0)).toBe(allowed)
        expect(shares.every(({ size }) => size >= 0)).toBe(true)
      },
    ),
  )
})
