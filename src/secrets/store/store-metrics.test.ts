import { expect, test } from 'vitest'
import { metricsRegistry } from '../../lib/metrics.ts'
import { storeWorld } from './secret-store.testkit.ts'
import { storeMetrics } from './store-metrics.ts'

test('requests are counted by what they did, without paths, and whether the store is open is told', async () => {
  const registry = metricsRegistry()
  const world = await storeWorld({ metrics: storeMetrics(registry) })
  await world.ask('GET', 'sys/mounts')
  await world.ask('GET', 'some/secret/path')
  const value = (name: string, labels: object): number | undefined =>
    registry.samples().find((one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels))?.value
  expect(value('idp_secret_store_requests_total', { operation: 'read', status: '200' })).toBe(1)
  expect(value('idp_secret_store_requests_total', { operation: 'read', status: '404' })).toBe(1)
  expect(registry.text()).not.toContain('some/secret')
  expect(value('vault_core_unsealed', {})).toBe(1)
  await world.store.seal()
  expect(value('vault_core_unsealed', {})).toBe(0)
  await world.close()
})
