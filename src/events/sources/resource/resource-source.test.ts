import { afterEach, describe, expect, test } from 'vitest'
import { valueOf } from '../../../apiserver/apiserver.testkit.ts'
import type { Problem } from '../../../lib/result.ts'
import { memoryStore } from '../../../store/memory-store.ts'
import { EventSourceKind } from '../../eventsource/event-source.ts'
import { dataOf, type EventSourceWorld, eventSourceWorld, NAMESPACE } from '../../eventsource/event-source.testkit.ts'
import type { ResourceRecord } from './resource-memory.ts'
import { type MissingRights, resourceSource } from './resource-source.ts'

const worlds: EventSourceWorld[] = []
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.stop()))
})

const configMaps = { group: '', version: 'v1', plural: 'configmaps' }
const all = ['ADD', 'UPDATE', 'DELETE']
const watch = { group: '', version: 'v1', resource: 'configmaps', namespace: NAMESPACE, eventTypes: all }

async function worldWithBus(missingRights: MissingRights = () => Promise.resolve([])): Promise<EventSourceWorld> {
  const store = memoryStore<ResourceRecord>()
  const world = await eventSourceWorld((ports) => ({
    makers: { resource: resourceSource({ ...ports, store, missingRights }) },
  }))
  worlds.push(world)
  await world.bus()
  return world
}

const make = (world: EventSourceWorld, name: string, data: object = {}, labels: object = {}) =>
  world.put(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data })
async function change(world: EventSourceWorld, name: string, data: Readonly<Record<string, string>>): Promise<void> {
  const target = { resource: configMaps, namespace: NAMESPACE, name }
  valueOf(await world.client.patch(target, { type: 'merge', body: { data } }))
  await world.settle()
}
/** What was told, as `TYPE name new<old`. */
const told = (world: EventSourceWorld): string[] =>
  world.kept.map((kept) => {
    const data = dataOf(kept) as {
      type: string
      body: { metadata: { name: string }; data?: { a?: string } }
      oldBody: { data?: { a?: string } } | null
    }
    return `${data.type} ${data.body.metadata.name} ${data.body.data?.a ?? '-'}<${data.oldBody?.data?.a ?? '-'}`
  })

describe('a watch of objects', () => {
  test('tells what is there, what comes, what becomes different and what goes', async () => {
    const world = await worldWithBus()
    await make(world, 'one')
    await world.source('watch', { resource: { changes: { ...watch, metadata: { team: 'x' } } } })
    await make(world, 'two', { a: '1' })
    await change(world, 'two', { a: '2' })
    await world.remove(configMaps, 'two')
    expect(told(world)).toEqual(['ADD one -<-', 'ADD two 1<-', 'UPDATE two 2<1', 'DELETE two 2<-'])
    const [first] = world.kept
    expect(first && dataOf(first)).toMatchObject({
      group: '',
      version: 'v1',
      resource: 'configmaps',
      oldBody: null,
      metadata: { team: 'x' },
      body: { apiVersion: 'v1', kind: 'ConfigMap' },
    })
    expect(first?.event.context).toMatchObject({ type: 'resource', source: 'watch', subject: 'changes' })
    await expect.poll(() => world.condition('watch', 'Deployed')).toBe('True : ')
  })

  test('tells only what it is asked for', async () => {
    const world = await worldWithBus()
    const filter = {
      prefix: 'web',
      labels: [{ key: 'app', operation: 'in', value: 'a,b' }],
      fields: [{ key: 'data.a', operation: '==', value: '^2$' }],
    }
    await world.source('watch', { resource: { changes: { ...watch, eventTypes: ['UPDATE'], filter } } })
    await make(world, 'web-1', { a: '1' }, { app: 'a' })
    await make(world, 'web-2', { a: '1' }, { app: 'c' })
    await make(world, 'db-1', { a: '1' }, { app: 'a' })
    for (const name of ['web-1', 'web-2', 'db-1']) for (const a of ['2', '3']) await change(world, name, { a })
    expect(told(world)).toEqual(['UPDATE web-1 2<1'])
  })

  test('says what keeps it from watching', async () => {
    const world = await worldWithBus()
    await world.source('watch', { resource: { changes: { ...watch, group: 'nobody.example', resource: 'things' } } })
    await world.settle(5_000)
    await expect
      .poll(() => world.condition('watch', 'Deployed'))
      .toMatch(/^False SourceFailed: resource\/changes: NotFound: /)
  })
})

describe('a restart', () => {
  test('tells nothing twice', async () => {
    const world = await worldWithBus()
    await world.source('watch', { resource: { changes: watch } })
    await make(world, 'one', { a: '1' })
    await change(world, 'one', { a: '2' })
    await world.restart()
    await world.settle(1_000)
    expect(told(world)).toEqual(['ADD one 1<-', 'UPDATE one 2<1'])
  })

  test('finds what has happened meanwhile', async () => {
    const world = await worldWithBus()
    await world.source('watch', { resource: { changes: { ...watch, filter: { afterStart: true } } } })
    for (const name of ['same', 'changed', 'gone']) await make(world, name, { a: '1' })
    const before = world.kept.length
    await world.restart(60_000, async () => {
      const at = (name: string) => ({ resource: configMaps, namespace: NAMESPACE, name })
      valueOf(await world.client.patch(at('changed'), { type: 'merge', body: { data: { a: '2' } } }))
      valueOf(await world.client.delete(at('gone')))
      valueOf(
        await world.client.create(
          { resource: configMaps, namespace: NAMESPACE },
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new' } },
        ),
      )
    })
    await world.settle(1_000)
    expect(told(world).slice(before).toSorted()).toEqual(['ADD new -<-', 'DELETE gone -<-', 'UPDATE changed 2<-'])
  })

  test('loses nothing that the bus did not take', async () => {
    const world = await worldWithBus()
    await world.source('watch', { resource: { changes: watch } })
    await world.settle()
    world.refuseWith({ code: 'event-bus-full', message: 'the bus is full' })
    await make(world, 'one', { a: '1' })
    await expect
      .poll(() => world.condition('watch', 'Deployed'))
      .toBe('False SourceFailed: resource/changes: the bus is full')
    await world.restart()
    world.refuseWith(undefined)
    await world.settle(60_000)
    expect(told(world)).toEqual(['ADD one 1<-'])
    await expect.poll(() => world.condition('watch', 'Deployed')).toBe('True : ')
  })

  test('another filter or more metadata is no reason to tell all again', async () => {
    const world = await worldWithBus()
    await make(world, 'one')
    await world.source('watch', { resource: { changes: watch } })
    await world.settle(1_000)
    // The bus forgets in time, and would not know it again.
    world.forget()
    await world.source('watch', {
      resource: { changes: { ...watch, metadata: { more: 'x' }, filter: { prefix: 'o' } } },
    })
    await world.settle(1_000)
    expect(told(world)).toEqual([])
    await make(world, 'other')
    expect(told(world)).toEqual(['ADD other -<-'])
  })

  test('another selection is looked at from the start, and who is gone is forgotten', async () => {
    const world = await worldWithBus()
    await make(world, 'one', {}, { app: 'a' })
    await make(world, 'two', {}, { app: 'b' })
    const labels = (value: string) => ({
      resource: { changes: { ...watch, filter: { labels: [{ key: 'app', value }] } } },
    })
    await world.source('watch', labels('a'))
    await world.source('watch', labels('b'))
    await world.settle(1_000)
    expect(told(world)).toEqual(['ADD one -<-', 'ADD two -<-'])
    await world.remove(EventSourceKind, 'watch')
    await world.source('watch', labels('b'))
    await world.settle(1_000)
    expect(told(world)).toHaveLength(2)
  })
})

test('a watch looks only for as long as its account may', async () => {
  let missing: readonly Problem[] = [
    {
      code: 'trigger-forbidden',
      message: 'ServiceAccount demo/watcher may not list configmaps',
      cure: 'give it a rule',
    },
  ]
  const asked: unknown[] = []
  const world = await worldWithBus((account, rights) => {
    asked.push([
      account.name,
      ...rights.map(({ verb, resource, namespace = '' }) => `${verb} ${resource} ${namespace}`),
    ])
    return Promise.resolve(missing)
  })
  await world.source('watch', { template: { serviceAccountName: 'watcher' }, resource: { changes: watch } })
  await expect
    .poll(() => world.condition('watch', 'Deployed'))
    .toBe(
      'False SourceFailed: resource/changes: ServiceAccount demo/watcher may not list configmaps (give it a rule) [trigger-forbidden]',
    )
  expect(asked[0]).toEqual(['watcher', 'list configmaps demo', 'watch configmaps demo'])
  missing = []
  await world.settle(10_000)
  await make(world, 'one')
  expect(told(world)).toEqual(['ADD one -<-'])
  missing = [{ code: 'trigger-forbidden', message: 'no more' }]
  await world.settle(60_000)
  await make(world, 'two')
  expect(told(world)).toHaveLength(1)
  await expect.poll(() => world.condition('watch', 'Deployed')).toMatch(/no more/)
})

test('more than can be held is found again in the cluster', async () => {
  const world = await worldWithBus()
  world.refuseWith({ code: 'event-bus-full', message: 'the bus is full' })
  await world.source('watch', { resource: { changes: { ...watch, eventTypes: ['ADD'] } } })
  const at = { resource: configMaps, namespace: NAMESPACE }
  for (let count = 0; count < 10_200; count += 100) {
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        world.client.create(at, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `c-${count + index}` } }),
      ),
    )
  }
  await world.settle()
  world.refuseWith(undefined)
  await expect
    .poll(
      async () => {
        await world.settle(10_000)
        return world.kept.length
      },
      { timeout: 30_000 },
    )
    .toBe(10_200)
  expect(new Set(told(world)).size).toBe(10_200)
}, 60_000)
