import { expect, test } from 'vitest'
import { configMap, inDefault, testServer, valueOf } from '../apiserver/apiserver.testkit.ts'
import type { Client } from '../kube/client.ts'
import type { KubeObject } from '../kube/object.ts'
import { deepFreeze } from '../lib/json.ts'
import type { MovableClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { type FlakyClient, flakyClient } from './flaky-client.testkit.ts'
import { Informer, type InformerOptions } from './informer.ts'
import { keyOf, partsOf } from './object-cache.ts'

interface Bench {
  readonly client: Client
  readonly flaky: FlakyClient
  readonly clock: MovableClock
  readonly informer: Informer
  /** `added a 1`: every difference that was told, with the value of `n`. */
  readonly heard: string[]
  readonly stop: () => Promise<void>
}

const dataOf = (object: KubeObject): Readonly<Record<string, string>> => object['data'] as Record<string, string>

async function start(names: readonly string[], options: Partial<InformerOptions<KubeObject>> = {}): Promise<Bench> {
  const { client, clock } = await testServer()
  for (const name of names) valueOf(await client.create(inDefault, configMap(name, { n: '1' })))
  const flaky = flakyClient(client)
  const labelled = { collection: inDefault, fieldSelector: 'metadata.name!=kube-root-ca.crt' }
  const informer = new Informer({ client: flaky.client, clock, log: silentLog, ...labelled, ...options })
  const heard: string[] = []
  informer.listen(({ type, object }) => {
    deepFreeze(object)
    heard.push(`${type} ${object.metadata.name} ${dataOf(object)['n']}`)
  })
  const stopping = new AbortController()
  const running = informer.run(stopping.signal)
  await clock.advance(0)
  return {
    client,
    flaky,
    clock,
    informer,
    heard,
    async stop() {
      stopping.abort()
      await clock.advance(0)
      await running
    },
  }
}

const setN = async (client: Client, name: string, n: string): Promise<void> => {
  valueOf(await client.update({ ...inDefault, name }, configMap(name, { n })))
}

const watches = ({ flaky }: Bench): number => flaky.asked.filter((line) => line.startsWith('watch')).length
const lists = ({ flaky }: Bench): number => flaky.asked.filter((line) => line === 'list').length

test('lists, then follows: additions, changes and removals are told once, and the cache has them', async () => {
  const bench = await start(['b', 'a'])
  const { client, clock, informer, heard, stop } = bench
  await informer.synced(AbortSignal.timeout(10_000))
  expect(heard).toEqual(['added a 1', 'added b 1'])
  valueOf(await client.create(inDefault, configMap('c', { n: '1' })))
  await setN(client, 'a', '2')
  valueOf(await client.delete({ ...inDefault, name: 'b' }))
  await clock.advance(0)
  expect(heard.slice(2)).toEqual(['added c 1', 'changed a 2', 'removed b 1'])
  expect(informer.cache.list().map(keyOf)).toEqual(['default/a', 'default/c'])
  expect(informer.cache.list('default')).toHaveLength(2)
  expect(informer.cache.list('other')).toEqual([])
  expect(dataOf(informer.cache.get('default/a')!)).toEqual({ n: '2' })
  expect([lists(bench), watches(bench)]).toEqual([1, 1])
  await stop()
})

test('a long collection is listed in pages', async () => {
  const { client, clock } = await testServer()
  for (let at = 0; at < 1_203; at++) valueOf(await client.create(inDefault, configMap(`m-${at}`, { n: '1' })))
  const flaky = flakyClient(client)
  const informer = new Informer({ client: flaky.client, clock, log: silentLog, collection: inDefault })
  const stopping = new AbortController()
  const running = informer.run(stopping.signal)
  await informer.synced(AbortSignal.timeout(10_000))
  expect(informer.cache.size).toBeGreaterThanOrEqual(1_203)
  expect(flaky.asked.filter((line) => line === 'list')).toHaveLength(3)
  stopping.abort()
  await running
})

test('a dropped watch goes on where it was, without listing again and without telling anything twice', async () => {
  const bench = await start(['a'])
  const { client, clock, flaky, heard, stop } = bench
  await setN(client, 'a', '2')
  await clock.advance(0)
  flaky.dropWatches()
  await setN(client, 'a', '3')
  await setN(client, 'a', '4')
  await clock.advance(1_000)
  await setN(client, 'a', '5')
  await clock.advance(0)
  expect(heard).toEqual(['added a 1', 'changed a 2', 'changed a 3', 'changed a 4', 'changed a 5'])
  expect(lists(bench)).toBe(1)
  await stop()
})

test('when the position has expired, the list tells only what is different', async () => {
  const bench = await start(['a', 'b', 'c'])
  const { client, clock, flaky, informer, heard, stop } = bench
  flaky.failWatches('Expired')
  await setN(client, 'a', '2')
  valueOf(await client.delete({ ...inDefault, name: 'b' }))
  valueOf(await client.create(inDefault, configMap('d', { n: '1' })))
  await clock.advance(1_000)
  expect(heard.slice(3).toSorted()).toEqual(['added d 1', 'changed a 2', 'removed b 1'])
  expect(lists(bench)).toBe(2)
  await setN(client, 'c', '9')
  await clock.advance(0)
  expect(heard.at(-1)).toBe('changed c 9')
  expect(informer.trouble).toBeUndefined()
  await stop()
})

test('a server that is away is asked less and less often, and says why the cache may be behind', async () => {
  const { flaky, clock, client, informer, heard, stop } = await start(['a'])
  flaky.failNext('watch', 12)
  flaky.failNext('list', 5)
  flaky.dropWatches()
  await clock.advance(3_000)
  expect(informer.trouble).toContain('connection refused')
  const before = flaky.asked.length
  await clock.advance(60_000)
  expect(flaky.asked.length - before).toBeLessThan(12)
  await setN(client, 'a', '2')
  await clock.advance(600_000)
  expect(heard.at(-1)).toBe('changed a 2')
  expect(informer.trouble).toBeUndefined()
  await stop()
})

test('a server that was away long does not cost a list, one that refuses again and again does', async () => {
  const bench = await start(['a'])
  const { flaky, clock, client, heard, stop } = bench
  flaky.failNext('watch', 10)
  flaky.dropWatches()
  await clock.advance(300_000)
  expect(lists(bench)).toBe(1)
  flaky.failNext('watch', 10, 'ServiceUnavailable')
  flaky.dropWatches()
  await clock.advance(300_000)
  expect(lists(bench)).toBe(1)
  flaky.failNext('watch', 5, 'InternalError')
  flaky.dropWatches()
  await setN(client, 'a', '2')
  await clock.advance(300_000)
  expect(lists(bench)).toBe(2)
  expect(heard).toEqual(['added a 1', 'changed a 2'])
  await stop()
})

test('a collection that cannot be listed yet is waited for', async () => {
  const { clock, informer, client, stop } = await start([], {
    collection: { resource: { group: 'example.com', version: 'v1', plural: 'widgets' }, namespace: 'default' },
  })
  await clock.advance(5_000)
  expect(informer.isSynced).toBe(false)
  expect(informer.trouble).toMatch(/NotFound/)
  await expect(informer.synced(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  expect(client).toBeDefined()
  await stop()
})

test('a watch that has gone silent is given up after the time the server should have ended it', async () => {
  const bench = await start(['a'])
  const { flaky, clock, client, heard, stop } = bench
  flaky.freeze()
  await setN(client, 'a', '2')
  await clock.advance(300_000)
  expect(heard).toEqual(['added a 1'])
  await clock.advance(60_000)
  expect(heard).toEqual(['added a 1', 'changed a 2'])
  expect(lists(bench)).toBe(1)
  await stop()
})

test('a quiet watch follows its bookmarks, so that a jump of the clock and a compaction do not force a new list', async () => {
  const bench = await start(['a'])
  const { flaky, clock, client, heard, stop } = bench
  const others = { ...inDefault, namespace: 'kube-system' }
  for (let at = 0; at < 20; at++) {
    valueOf(await client.create(others, configMap(`x-${at}`, {}, { namespace: 'kube-system' })))
  }
  await clock.advance(3_600_000)
  const last = flaky.asked.at(-1) ?? ''
  expect(last).toMatch(/^watch \d+$/)
  expect(Number(last.slice(6))).toBeGreaterThan(20)
  await setN(client, 'a', '2')
  await clock.advance(0)
  expect(heard).toEqual(['added a 1', 'changed a 2'])
  expect(lists(bench)).toBe(1)
  await stop()
})

test('indexes follow the objects', async () => {
  const { client, clock, informer, stop } = await start(['a', 'b'], {
    indexes: { n: (object) => [dataOf(object)['n'] ?? ''], all: () => ['x'] },
  })
  const named = (index: string, value: string) => informer.cache.by(index, value).map(({ metadata }) => metadata.name)
  expect(named('n', '1')).toEqual(['a', 'b'])
  await setN(client, 'b', '2')
  await clock.advance(0)
  expect([named('n', '1'), named('n', '2'), named('all', 'x')]).toEqual([['a'], ['b'], ['a', 'b']])
  valueOf(await client.delete({ ...inDefault, name: 'b' }))
  await clock.advance(0)
  expect([named('n', '2'), named('all', 'x'), named('n', '__proto__')]).toEqual([[], ['a'], []])
  expect(() => informer.cache.by('other', 'x')).toThrow(/no index "other"/)
  await stop()
})

test('an object that cannot be read is left out until it can', async () => {
  const { client, clock, informer, heard, stop } = await start(['a', 'b'], {
    parse(object) {
      if (dataOf(object)['n'] === 'bad') throw new Error('n is bad')
      return object
    },
  })
  await setN(client, 'a', 'bad')
  await clock.advance(0)
  expect(informer.cache.list().map(keyOf)).toEqual(['default/b'])
  await setN(client, 'a', '3')
  await clock.advance(0)
  expect(heard).toEqual(['added a 1', 'added b 1', 'removed a 1', 'added a 3'])
  await stop()
})

test('a listener that comes late is told what is there', async () => {
  const { informer, stop } = await start(['a', 'b'])
  const late: string[] = []
  const leave = informer.listen(({ type, key }) => late.push(`${type} ${key}`))
  leave()
  expect(late).toEqual(['added default/a', 'added default/b'])
  await stop()
})

test.each([
  ['default/a', { namespace: 'default', name: 'a' }],
  ['/a', { namespace: undefined, name: 'a' }],
])('the key %j names %j', (key, parts) => expect(partsOf(key)).toEqual(parts))
