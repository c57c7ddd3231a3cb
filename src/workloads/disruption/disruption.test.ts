import { afterEach, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { disruptionBudgets, pods } from '../collections.ts'
import { ownedBy, type World, world } from '../workloads.testkit.ts'
import { type Observed, planBudget } from './plan.ts'

const now = Date.parse('2026-01-01T00:10:00Z')
const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
const pod = (name: string, isReady: boolean = true): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  status: isReady ? ready : { phase: 'Running' },
})
const three = [pod('a'), pod('b'), pod('c')]
const budget = (spec: object, status: object = {}): KubeObject => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'b', generation: 2 },
  spec,
  status,
})
const wanting = (count: number): Observed['wanted'] => ({ ok: true, count })

describe('a budget', () => {
  test.each([
    { name: 'with a number that must be available', spec: { minAvailable: 2 }, pods: three, want: [3, 2, 3, 1] },
    {
      name: 'with a share that must be available',
      spec: { minAvailable: '50%' },
      pods: three,
      wanted: wanting(4),
      want: [4, 2, 3, 1],
    },
    {
      name: 'with a number that may be missing',
      spec: { maxUnavailable: 1 },
      pods: three,
      wanted: wanting(3),
      want: [3, 2, 3, 1],
    },
    {
      name: 'with a share that may be missing',
      spec: { maxUnavailable: '30%' },
      pods: three,
      wanted: wanting(3),
      want: [3, 2, 3, 1],
    },
    {
      name: 'with Pods that are not ready',
      spec: { minAvailable: 1 },
      pods: [pod('a'), pod('b', false)],
      want: [2, 1, 1, 0],
    },
    { name: 'without Pods', spec: { minAvailable: 0 }, pods: [], want: [0, 0, 0, 0] },
    {
      name: 'with too few Pods',
      spec: { maxUnavailable: 1 },
      pods: [pod('a')],
      wanted: wanting(5),
      want: [5, 4, 1, 0],
    },
  ])('$name', ({ spec, pods: seen, wanted, want }) => {
    const { status } = planBudget({ budget: budget(spec), pods: seen, wanted, nowMs: now })
    const { expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed } = status
    expect([expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed]).toEqual(want)
    expect(status['observedGeneration']).toBe(2)
  })

  test('counts an evicted Pod as gone until it shows, and as there again when it never does', () => {
    const disruptedPods = { a: '2026-01-01T00:09:00Z', b: '2026-01-01T00:00:00Z', gone: '2026-01-01T00:09:59Z' }
    const seen = { budget: budget({ minAvailable: 1 }, { disruptedPods }), pods: three, wanted: undefined, nowMs: now }
    expect(planBudget(seen)).toMatchObject({
      status: { currentHealthy: 2, disruptedPods: { a: '2026-01-01T00:09:00Z' } },
      againAfterMs: 60_000,
    })
  })

  test('lets nothing go while it is unknown how many Pods are wanted, and changes nothing the second time', () => {
    const wanted = { ok: false, because: 'nobody owns them' } as const
    const first = planBudget({ budget: budget({ maxUnavailable: 1 }), pods: three, wanted, nowMs: now })
    expect(first.status).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ reason: 'SyncFailed', status: 'False' }],
    })
    const again = budget({ maxUnavailable: 1 }, first.status)
    expect(planBudget({ budget: again, pods: three, wanted, nowMs: now + 5 }).isChanged).toBe(false)
  })
})

let open: World | undefined
afterEach(() => open?.stop())

test('a budget follows its Pods, and asks their owner how many there should be', async () => {
  const here = (open = await world({ controllers: 'service-account,disruption' }))
  const labels = { app: 'web' }
  const containers = [{ name: 'c', image: 'i' }]
  const set = await here.create(
    { group: 'apps', version: 'v1', plural: 'replicasets' },
    {
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: 3,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers } },
      },
    },
  )
  await here.create(disruptionBudgets, {
    metadata: { name: 'web', namespace: 'default' },
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  })
  for (const name of ['a', 'b', 'c']) {
    const ownerReferences = [ownedBy(set, { controller: true })] as never
    const made = await here.create(pods, {
      metadata: { name, namespace: 'default', labels, ownerReferences },
      spec: { containers },
    })
    await here.client.update(
      { resource: pods, namespace: 'default', name, subresource: 'status' },
      { ...made, status: ready },
    )
  }
  await here.clock.advance(1_000)
  expect(await here.get(disruptionBudgets, 'web', 'default')).toMatchObject({
    status: { expectedPods: 3, desiredHealthy: 2, currentHealthy: 3, disruptionsAllowed: 1 },
  })
  const evicted = await here.client.create(
    { resource: pods, namespace: 'default', name: 'a', subresource: 'eviction' },
    { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a', namespace: 'default' } },
  )
  expect(evicted).toMatchObject({ ok: true })
  await here.clock.advance(1_000)
  expect(await here.get(disruptionBudgets, 'web', 'default')).toMatchObject({ status: { disruptionsAllowed: 0 } })
})
