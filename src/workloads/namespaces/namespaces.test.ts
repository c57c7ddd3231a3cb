import { afterEach, describe, expect, test } from 'vitest'
import type { Condition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { configMaps, definitions, namespaces, secrets, serviceAccounts } from '../collections.ts'
import { type World, world } from '../workloads.testkit.ts'
import { type Observed, planNamespace } from './plan.ts'

const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }
const seen = (more: Partial<Observed>): Observed => ({
  namespace,
  nowMs: Date.UTC(2026, 0, 1),
  contentFailures: [],
  remaining: [],
  ...more,
})

describe('a deleted namespace', () => {
  test.each([
    { name: 'goes when nothing is left', more: {}, want: { do: 'finalize' }, said: {} },
    {
      name: 'waits for what is left, and names it',
      more: { remaining: [{ name: 'pods.', count: 2, finalizers: new Map(), graceSeconds: 0 }] },
      want: { do: 'wait', afterMs: 250 },
      said: { NamespaceContentRemaining: 'Some resources are remaining: pods. has 2 resource instances' },
    },
    {
      name: 'waits longer where Pods take their time',
      more: { remaining: [{ name: 'pods.', count: 1, finalizers: new Map(), graceSeconds: 10 }] },
      want: { do: 'wait', afterMs: 6_000 },
      said: {},
    },
    {
      name: 'adds the finalizers of all collections up',
      more: {
        remaining: [
          { name: 'a.x', count: 1, finalizers: new Map([['my.org/hold', 1]]), graceSeconds: 0 },
          { name: 'b.x', count: 2, finalizers: new Map([['my.org/hold', 2]]), graceSeconds: 0 },
        ],
      },
      want: { do: 'wait' },
      said: {
        NamespaceFinalizersRemaining:
          'Some content in the namespace has finalizers remaining: my.org/hold in 3 resource instances',
      },
    },
    {
      name: 'does not go while content cannot be deleted',
      more: { contentFailures: ['things.my.org: no'] },
      want: { do: 'wait' },
      said: { NamespaceDeletionContentFailure: 'Failed to delete all resource types, 1 remaining: things.my.org: no' },
    },
    {
      name: 'does not go while it is unknown what is served',
      more: { discoveryFailure: 'away' },
      want: { do: 'wait' },
      said: { NamespaceDeletionDiscoveryFailure: 'Discovery failed for some groups: away' },
    },
  ])('$name', ({ more, want, said }) => {
    const plan = planNamespace(seen(more))
    expect(plan).toMatchObject(want)
    const told = plan.conditions.flatMap(({ type, status, message }) => (status === 'True' ? [[type, message]] : []))
    expect(Object.fromEntries(told)).toMatchObject(said)
    expect(plan.conditions).toHaveLength(5)
  })
})

let open: World | undefined
afterEach(() => open?.stop())

const things = { group: 'my.org', version: 'v1', plural: 'things' }

test('everything in a deleted namespace goes, custom resources too, and what waits for a finalizer is told', async () => {
  const here = (open = await world({ controllers: 'namespace' }))
  await here.create(namespaces, { metadata: { name: 'team' } })
  await here.create(definitions, {
    metadata: { name: 'things.my.org' },
    spec: {
      group: 'my.org',
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  })
  const inTeam = { namespace: 'team' }
  await here.create(configMaps, { metadata: { name: 'a', ...inTeam } })
  await here.create(secrets, { metadata: { name: 'b', ...inTeam } })
  await here.create(configMaps, { metadata: { name: 'kept', namespace: 'default' } })
  await here.create(things, { metadata: { name: 'c', ...inTeam, finalizers: ['my.org/hold'] } })
  await here.client.delete({ resource: namespaces, name: 'team' })
  await here.clock.advance(1_000)
  expect([await here.names(configMaps, 'team'), await here.names(secrets, 'team')]).toEqual([[], []])
  const waiting = await here.get(namespaces, 'team')
  expect(waiting).toMatchObject({ status: { phase: 'Terminating' } })
  const conditions = ((waiting?.['status'] ?? {}) as { conditions?: readonly Condition[] }).conditions ?? []
  expect(conditions.filter(({ status }) => status === 'True').map(({ message }) => message)).toEqual([
    'Some resources are remaining: things.my.org has 1 resource instances',
    'Some content in the namespace has finalizers remaining: my.org/hold in 1 resource instances',
  ])
  await here.client.patch(
    { resource: things, ...inTeam, name: 'c' },
    { type: 'merge', body: { metadata: { finalizers: null } } },
  )
  await here.clock.advance(1_000)
  expect(await here.get(namespaces, 'team')).toBeUndefined()
  expect(await here.names(configMaps, 'default')).toEqual(['kept'])
})

test('a namespace that is emptied gets no new account, and a half-done deletion goes on after a restart', async () => {
  const here = (open = await world({ controllers: 'service-account', ports: { rootCa: 'PEM' } }))
  await here.create(namespaces, { metadata: { name: 'team' } })
  await here.clock.advance(100)
  expect(await here.names(serviceAccounts, 'team')).toEqual(['default'])
  await here.client.delete({ resource: namespaces, name: 'team' })
  await here.client.delete({ resource: serviceAccounts, namespace: 'team', name: 'default' })
  await here.clock.advance(1_000)
  expect(await here.names(serviceAccounts, 'team')).toEqual([])
  expect(await here.get(namespaces, 'team')).toMatchObject({ status: { phase: 'Terminating' } })
})
