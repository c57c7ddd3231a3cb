import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import type { Revisions } from '../pods/revisions.ts'
import type { Observed } from './observe.ts'
import { claimOwnerOf, planStatefulSet } from './plan.ts'

/** `new ready`, `old`, `old going`, `new failed`; absent for a number without a Pod. */
type Told = string | undefined

const revisions: Revisions = {
  hash: 'h',
  name: 'db-new',
  kept: [],
  templateOf: (name) => (name === 'db-old' ? {} : undefined),
}
function seen(spec: object, told: readonly Told[], status: object = { currentRevision: 'db-old' }): Observed {
  const pods = new Map<number, KubeObject>()
  for (const [at, words] of told.entries()) {
    if (words === undefined) continue
    pods.set(at, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `db-${at}`,
        labels: { 'controller-revision-hash': words.startsWith('new') ? 'db-new' : 'db-old' },
        ...(words.includes('going') ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
      },
      status: {
        phase: words.includes('failed') ? 'Failed' : 'Running',
        conditions: [{ type: 'Ready', status: words.includes('ready') ? 'True' : 'False' }],
      },
    })
  }
  const set = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db' },
    spec: { replicas: 3, ...spec },
    status,
  }
  return { set, pods, claims: { own: [...pods.values()], adopt: [], release: [] }, revisions, nowMs: 0 }
}
const plan = (...args: Parameters<typeof seen>): string => {
  const { create, remove } = planStatefulSet(seen(...args))
  const made = create.map(({ ordinal, revision }) => `+${ordinal}${revision === 'db-old' ? ' old' : ''}`)
  return [...made, ...remove.map(({ metadata }) => `-${metadata.name?.slice(3)}`)].join(' ')
}
const parallel = { podManagementPolicy: 'Parallel' }
const rolling = (rollingUpdate: object): object => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } })

describe('planStatefulSet', () => {
  test.each([
    { name: 'makes the first', got: plan({}, []), want: '+0' },
    { name: 'waits for it', got: plan({}, ['new']), want: '' },
    { name: 'makes the next when it serves', got: plan({}, ['new ready']), want: '+1' },
    { name: 'makes all at once where they are parallel', got: plan(parallel, []), want: '+0 +1 +2' },
    { name: 'begins where it is told', got: plan({ ordinals: { start: 2 }, replicas: 1 }, []), want: '+2' },
    { name: 'removes one that has ended', got: plan({}, ['new failed']), want: '-0' },
    {
      name: 'takes the highest away first',
      got: plan({ replicas: 1 }, ['new ready', 'new ready', 'new ready']),
      want: '-2',
    },
    {
      name: 'one after the other',
      got: plan({ replicas: 1 }, ['new ready', 'new ready', 'new ready going']),
      want: '',
    },
    {
      name: 'all at once where they are parallel',
      got: plan({ replicas: 1, ...parallel }, ['new ready', 'new ready', 'new ready']),
      want: '-2 -1',
    },
    { name: 'replaces the highest first', got: plan({}, ['old ready', 'old ready', 'old ready']), want: '-2' },
    { name: 'waits until it serves', got: plan(parallel, ['old ready', 'old ready', 'new']), want: '' },
    { name: 'goes on downwards', got: plan({}, ['old ready', 'old ready', 'new ready']), want: '-1' },
    {
      name: 'stops at the partition',
      got: plan(rolling({ partition: 2 }), ['old ready', 'old ready', 'new ready']),
      want: '',
    },
    {
      name: 'makes what is lost below the partition as it was',
      got: plan(rolling({ partition: 2 }), [undefined, 'old ready', 'new ready']),
      want: '+0 old',
    },
    {
      name: 'replaces as many as may be unavailable',
      got: plan(rolling({ maxUnavailable: 2 }), ['old ready', 'old ready', 'old ready']),
      want: '-2 -1',
    },
    {
      name: 'counts those that are',
      got: plan({ ...rolling({ maxUnavailable: 2 }), ...parallel }, ['old ready', 'old ready', 'new']),
      want: '-1',
    },
    {
      name: 'rounds a percentage up',
      got: plan(rolling({ maxUnavailable: '34%' }), ['old ready', 'old ready', 'old ready']),
      want: '-2 -1',
    },
    {
      name: 'leaves old Pods alone when told',
      got: plan({ updateStrategy: { type: 'OnDelete' } }, ['old ready', 'old ready', 'old ready']),
      want: '',
    },
    {
      name: 'a broken Pod of the old template is replaced first where they are parallel',
      got: plan(parallel, ['old ready', 'old ready', 'old']),
      want: '-2',
    },
  ])('$name', ({ got, want }) => expect(got).toBe(want))
})

test.each([
  { policy: {}, ordinal: 5, want: 'nobody' },
  { policy: { whenScaled: 'Delete' }, ordinal: 5, want: 'pod' },
  { policy: { whenScaled: 'Delete' }, ordinal: 1, want: 'nobody' },
  { policy: { whenDeleted: 'Delete' }, ordinal: 5, want: 'set' },
  { policy: { whenDeleted: 'Delete', whenScaled: 'Delete' }, ordinal: 5, want: 'pod' },
])('with $policy the claims of number $ordinal go with $want', ({ policy, ordinal, want }) =>
  expect(claimOwnerOf(seen({ persistentVolumeClaimRetentionPolicy: policy }, []), ordinal)).toBe(want),
)

test('a wish beyond all measure is begun with', () => {
  expect(planStatefulSet(seen({ replicas: 2_000_000_000, ...parallel }, [])).create).toHaveLength(500)
})
