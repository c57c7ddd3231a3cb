import { afterEach, expect, test } from 'vitest'
import { clusterRoles } from '../collections.ts'
import { type World, world } from '../workloads.testkit.ts'

let open: World | undefined
afterEach(() => open?.stop())

const part = (name: string, resource: string) => ({
  metadata: { name, labels: { 'to-all': 'yes' } },
  rules: [{ apiGroups: ['my.org'], resources: [resource], verbs: ['get'] }],
})

test('an aggregating role allows what the roles that it selects allow, also after they change', async () => {
  const here = (open = await world({ controllers: 'clusterrole-aggregation' }))
  await here.create(clusterRoles, part('one', 'apples'))
  await here.create(clusterRoles, {
    metadata: { name: 'all' },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { 'to-all': 'yes' } }] },
    rules: [],
  })
  await here.clock.advance(100)
  const resources = async (): Promise<unknown> => {
    const { rules = [] } = ((await here.get(clusterRoles, 'all')) ?? {}) as { rules?: { resources: string[] }[] }
    return rules.flatMap((rule) => rule.resources)
  }
  expect(await resources()).toEqual(['apples'])
  await here.create(clusterRoles, part('two', 'pears'))
  await here.clock.advance(100)
  expect(await resources()).toEqual(['apples', 'pears'])
  await here.client.delete({ resource: clusterRoles, name: 'one' })
  await here.clock.advance(100)
  expect(await resources()).toEqual(['pears'])
})
