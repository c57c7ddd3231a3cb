import { afterEach, describe, expect, test } from 'vitest'
import { configMaps, resourceQuotas, services } from '../collections.ts'
import { type World, world } from '../workloads.testkit.ts'
import { countedBy, planQuotaStatus } from './plan.ts'

test.each([
  ['pods', 'pods'],
  ['requests.cpu', 'pods'],
  ['limits.example.com/gpu', 'pods'],
  ['memory', 'pods'],
  ['hugepages-2Mi', 'pods'],
  ['services.nodeports', 'services'],
  ['requests.storage', 'persistentvolumeclaims'],
  ['fast.storageclass.storage.k8s.io/requests.storage', 'persistentvolumeclaims'],
  ['count/widgets.my.org', 'widgets.my.org'],
  ['bananas', undefined],
])('the limit %s counts %s', (limit, want) => expect(countedBy(limit)).toBe(want))

describe('the status of a quota', () => {
  const quota = (status?: object) => ({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'team' },
    spec: { hard: { configmaps: '3' } },
    ...(status ? { status } : {}),
  })
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'team' } }
  const counted = [{ group: '', plural: 'configmaps', object: map }]
  test.each([
    {
      name: 'is written when there is none',
      status: undefined,
      want: { do: 'write', status: { used: { configmaps: '1' } } },
    },
    {
      name: 'stays when it is right',
      status: { hard: { configmaps: '3' }, used: { configmaps: '1' } },
      want: { do: 'nothing' },
    },
    {
      name: 'is written when the limits change',
      status: { hard: { configmaps: '9' }, used: { configmaps: '1' } },
      want: { do: 'write', because: 'the limits have changed' },
    },
    {
      name: 'is written when something went',
      status: { hard: { configmaps: '3' }, used: { configmaps: '2' } },
      want: { do: 'write', because: 'something else is used' },
    },
  ])('$name', ({ status, want }) =>
    expect(planQuotaStatus({ quota: quota(status), counted, nowMs: 0 })).toMatchObject(want),
  )
})

let open: World | undefined
afterEach(() => open?.stop())

test('usage follows what is made and deleted, and what the quota limits', async () => {
  const here = (open = await world({ controllers: 'resourcequota' }))
  const inDefault = { namespace: 'default' }
  await here.create(configMaps, { metadata: { name: 'before', ...inDefault } })
  const hard = { configmaps: '3', 'services.nodeports': '2' }
  await here.create(resourceQuotas, { metadata: { name: 'q', ...inDefault }, spec: { hard } })
  await here.clock.advance(100)
  const used = async (): Promise<unknown> =>
    ((await here.get(resourceQuotas, 'q', 'default'))?.['status'] as { used?: unknown } | undefined)?.used
  expect(await used()).toEqual({ configmaps: '1', 'services.nodeports': '0' })
  await here.create(configMaps, { metadata: { name: 'more', ...inDefault } })
  await here.create(services, {
    metadata: { name: 's', ...inDefault },
    spec: { type: 'NodePort', ports: [{ port: 80 }] },
  })
  await here.clock.advance(1_000)
  expect(await used()).toEqual({ configmaps: '2', 'services.nodeports': '1' })
  await here.client.delete({ resource: configMaps, ...inDefault, name: 'more' })
  await here.clock.advance(1_000)
  expect(await used()).toEqual({ configmaps: '1', 'services.nodeports': '1' })
  await here.client.patch(
    { resource: resourceQuotas, ...inDefault, name: 'q' },
    { type: 'merge', body: { spec: { hard: { 'services.nodeports': null, 'count/deployments.apps': '5' } } } },
  )
  await here.clock.advance(1_000)
  expect(await here.get(resourceQuotas, 'q', 'default')).toMatchObject({
    status: { hard: { configmaps: '3', 'count/deployments.apps': '5' }, used: { 'count/deployments.apps': '0' } },
  })
})
