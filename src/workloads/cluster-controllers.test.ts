import { afterEach, expect, test } from 'vitest'
import { namespaces, resourceQuotas, services } from './collections.ts'
import { chooseControllers } from '../runtime/choose-controllers.ts'
import { clusterControllers } from './cluster-controllers.ts'
import { type World, world } from './workloads.testkit.ts'

const names = clusterControllers.map(({ name }) => name)

test.each([
  { choice: 'all', want: names },
  { choice: 'none', want: [] },
  { choice: 'namespace', want: ['namespace'] },
  { choice: ' namespace, garbage-collector ', want: ['garbage-collector', 'namespace'] },
  { choice: '*,-namespace', want: names.filter((name) => name !== 'namespace') },
  { choice: '-namespace', want: names.filter((name) => name !== 'namespace') },
  { choice: 'nobody', want: '"nobody" is not a controller' },
  { choice: 'all,-nobody,who', want: '"nobody", "who" are not controllers' },
  { choice: '', want: 'no controller is named' },
])('--controllers $choice', ({ choice, want }) => {
  const found = chooseControllers(choice, clusterControllers)
  const told = found.ok ? found.chosen.map(({ name }) => name) : found.because.replace(/; there are .*/, '')
  expect(told).toEqual(want)
})

test('every controller has a name of its own and says what it does', () => {
  expect(new Set(names).size).toBe(names.length)
  expect(clusterControllers.filter(({ does }) => does.length < 10)).toEqual([])
})

let open: World | undefined
afterEach(() => open?.stop())

test('a cluster that has come to rest stays at rest, also after a restart of its controllers', async () => {
  // Nodes tell over and over that they live.
  const here = (open = await world({ controllers: 'all,-node-agent', ports: { rootCa: 'PEM' } }))
  await here.create(namespaces, { metadata: { name: 'team' } })
  await here.create(resourceQuotas, { metadata: { name: 'q', namespace: 'team' }, spec: { hard: { pods: '3' } } })
  const spec = { selector: { app: 'web' }, ports: [{ port: 80 }] }
  await here.create(services, { metadata: { name: 'web', namespace: 'team' }, spec })
  await here.clock.advance(5_000)
  const rest = here.cluster.server.kernel.store.revision
  await here.clock.advance(600_000)
  await here.start()
  await here.clock.advance(5_000)
  expect(here.cluster.server.kernel.store.revision).toBe(rest)
  expect(here.logged.filter(({ level }) => level === 'error')).toEqual([])
})
