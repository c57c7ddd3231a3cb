import { expect, test } from 'vitest'
import type { DeleteOptions } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { configMap, inDefault, refusalOf, testServer, valueOf } from '../apiserver.testkit.ts'

test.each<[DeleteOptions, readonly string[]]>([
  [{ propagationPolicy: 'Orphan' }, ['orphan']],
  [{ propagationPolicy: 'Foreground' }, ['foregroundDeletion']],
])('%j leaves the object to the garbage collector', async (options, finalizers) => {
  const { client } = await testServer()
  valueOf(await client.create(inDefault, configMap('a')))
  const going = valueOf(await client.delete({ ...inDefault, name: 'a' }, options))
  expect(going).toMatchObject({ metadata: { finalizers, deletionGracePeriodSeconds: 0 } })
})

test('preconditions that do not hold keep the object', async () => {
  const { client } = await testServer()
  const made = valueOf(await client.create(inDefault, configMap('a')))
  const other = refusalOf(await client.delete({ ...inDefault, name: 'a' }, { preconditions: { uid: 'other' } }))
  expect(other).toMatchObject({ code: 409, reason: 'Conflict' })
  expect(other.message).toContain('the UID in the precondition (other) does not match the UID in record')
  const stale = await client.delete({ ...inDefault, name: 'a' }, { preconditions: { resourceVersion: '1' } })
  expect(refusalOf(stale).code).toBe(409)
  valueOf(await client.delete({ ...inDefault, name: 'a' }, { preconditions: { uid: made.metadata.uid ?? '' } }))
})

const pods = { resource: { group: '', version: 'v1', plural: 'pods' }, namespace: 'default' }

const pod = (name: string, spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'nginx' }], ...spec },
})

test('a Pod without a node goes at once, one on a node gets its time, which can only be shortened', async () => {
  const { client } = await testServer()
  valueOf(await client.create(pods, pod('free')))
  valueOf(await client.delete({ ...pods, name: 'free' }))
  expect(refusalOf(await client.get({ ...pods, name: 'free' })).code).toBe(404)

  const placed = { ...pods, name: 'placed' }
  valueOf(await client.create(pods, pod('placed', { nodeName: 'n1', terminationGracePeriodSeconds: 40 })))
  expect(valueOf(await client.delete(placed))).toMatchObject({
    metadata: { deletionTimestamp: '2026-01-01T00:00:40Z', deletionGracePeriodSeconds: 40, generation: 2 },
  })
  expect(valueOf(await client.delete(placed, { gracePeriodSeconds: 60 }))).toMatchObject({
    metadata: { deletionGracePeriodSeconds: 40 },
  })
  expect(valueOf(await client.delete(placed, { gracePeriodSeconds: 10 }))).toMatchObject({
    metadata: { deletionTimestamp: '2026-01-01T00:00:10Z', deletionGracePeriodSeconds: 10 },
  })
  valueOf(await client.delete(placed, { gracePeriodSeconds: 0 }))
  expect(refusalOf(await client.get(placed)).code).toBe(404)
})

test('a Namespace is held until its finalizers are taken away through /finalize', async () => {
  const { client } = await testServer()
  const namespaces = { resource: { group: '', version: 'v1', plural: 'namespaces' } }
  const made = valueOf(
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }),
  )
  expect(made).toMatchObject({
    metadata: { labels: { 'kubernetes.io/metadata.name': 'team' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  })
  const going = valueOf(await client.delete({ ...namespaces, name: 'team' })) as KubeObject
  expect(going).toMatchObject({ status: { phase: 'Terminating' } })
  valueOf(await client.update({ ...namespaces, name: 'team', subresource: 'finalize' }, { ...going, spec: {} }))
  expect(refusalOf(await client.get({ ...namespaces, name: 'team' })).code).toBe(404)
})

test('a collection is deleted as far as it is selected', async () => {
  const { client } = await testServer()
  for (const [name, keep] of [
    ['a', 'no'],
    ['b', 'yes'],
    ['c', 'no'],
  ] as const) {
    valueOf(await client.create(inDefault, configMap(name, {}, { labels: { keep } })))
  }
  valueOf(await client.deleteCollection(inDefault, { labelSelector: 'keep=no' }))
  expect(valueOf(await client.list(inDefault)).items.map(({ metadata }) => metadata.name)).toEqual(['b'])
})

test('an eviction takes room from the disruption budget, and is refused when there is none', async () => {
  const { client } = await testServer()
  const budgets = { resource: { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets' }, namespace: 'default' }
  const budget = valueOf(
    await client.create(budgets, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    }),
  )
  const status = { observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 }
  valueOf(await client.update({ ...budgets, name: 'web', subresource: 'status' }, { ...budget, status }))
  for (const name of ['a', 'b', 'broken', 'broken-too']) {
    const made = valueOf(
      await client.create(pods, {
        ...pod(name, { nodeName: 'n1' }),
        metadata: { name, labels: { app: 'web' }, finalizers: ['test.dev/held'] },
      }),
    )
    const conditions = [{ type: 'Ready', status: name.startsWith('broken') ? 'False' : 'True' }]
    const running = { ...made, status: { phase: 'Running', conditions } }
    valueOf(await client.update({ ...pods, name, subresource: 'status' }, running))
  }
  const evict = (name: string) =>
    client.create(
      { ...pods, name, subresource: 'eviction' },
      { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } },
    )
  expect(valueOf(await evict('a'))).toMatchObject({ kind: 'Status', status: 'Success' })
  expect(valueOf(await client.get({ ...pods, name: 'a' })).metadata.deletionTimestamp).toBeDefined()
  expect(refusalOf(await evict('b'))).toMatchObject({ code: 429, reason: 'TooManyRequests' })
  // It does not serve anyway, and enough others do.
  expect(valueOf(await evict('broken'))).toMatchObject({ status: 'Success' })
  expect(valueOf(await client.get({ ...pods, name: 'broken' }))['status']).toMatchObject({
    conditions: expect.arrayContaining([
      expect.objectContaining({ type: 'DisruptionTarget', reason: 'EvictionByEvictionAPI' }),
    ]) as unknown,
  })
  const few = valueOf(await client.get({ ...budgets, name: 'web' }))
  const low = { ...few, status: { ...status, currentHealthy: 0, disruptionsAllowed: 0 } }
  valueOf(await client.update({ ...budgets, name: 'web', subresource: 'status' }, low))
  expect(refusalOf(await evict('broken-too'))).toMatchObject({ code: 429 })
  const policy = { spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' } }
  valueOf(await client.patch({ ...budgets, name: 'web' }, { type: 'merge', body: policy }))
  // Whether a Pod serves is asked first: that needs no counting.
  expect(valueOf(await evict('broken-too'))).toMatchObject({ status: 'Success' })
  expect(refusalOf(await evict('b')).details?.causes?.[0]?.message).toContain('still being processed')
})
