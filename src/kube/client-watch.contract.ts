import { describe, expect, test } from 'vitest'
import {
  type ClientUnderTest,
  clustersOf,
  configMap,
  configMaps,
  follow,
  good,
  here,
  maps,
  named,
} from './client-contract.testkit.ts'

/** What every client promises of its watches. */
export function clientWatchContract(name: string, make: () => Promise<ClientUnderTest>): void {
  const { start, withMaps } = clustersOf(make)

  describe(`${name}: watches`, () => {
    test('a watch without a version tells what is there, then what happens', async () => {
      const { client } = await withMaps('a')
      const watch = follow(client, here)
      await watch.until(1)
      good(await client.create(maps, configMap('b', {}, { labels: { made: 'here' } })))
      good(await client.update(named('b'), configMap('b', { n: '2' }, { labels: { made: 'here' } })))
      good(await client.delete(named('b')))
      await watch.until(4)
      await watch.stop()
      expect(watch.lines()).toEqual(['ADDED a', 'ADDED b', 'MODIFIED b', 'DELETED b'])
      expect(watch.events[3]).toMatchObject({ object: { kind: 'ConfigMap', apiVersion: 'v1', data: { n: '2' } } })
    })

    test('a watch from a version goes on where a list ended, and where another watch ended', async () => {
      const { client } = await withMaps('a')
      const resourceVersion = good(await client.list(maps, here)).metadata.resourceVersion ?? ''
      good(await client.update(named('a'), configMap('a', { n: '2' }, { labels: { made: 'here' } })))
      const first = follow(client, { ...here, resourceVersion })
      await first.until(1)
      await first.stop()
      const [event] = first.events
      const seen = event?.type === 'ERROR' ? '' : (event?.object.metadata.resourceVersion ?? '')
      good(await client.create(maps, configMap('b', {}, { labels: { made: 'here' } })))
      const second = follow(client, { ...here, resourceVersion: seen })
      await second.until(1)
      await second.stop()
      expect([first.lines(), second.lines()]).toEqual([['MODIFIED a'], ['ADDED b']])
    })

    test('what leaves the selection is told as deleted, what enters it as added', async () => {
      const { client } = await withMaps('a', 'b')
      const { resourceVersion = '' } = good(await client.list(maps)).metadata
      const watch = follow(client, { labelSelector: 'name=a', resourceVersion })
      good(await client.update(named('a'), configMap('a', {}, { labels: { name: 'x' } })))
      good(await client.update(named('b'), configMap('b', {}, { labels: { name: 'a' } })))
      await watch.until(2)
      await watch.stop()
      expect(watch.lines()).toEqual(['DELETED a', 'ADDED b'])
    })

    test('a version that is forgotten is told by an error event, which is the last', async () => {
      const { client, forgetHistory } = await withMaps('a')
      const { resourceVersion = '' } = good(await client.list(maps)).metadata
      for (const n of ['2', '3']) good(await client.update(named('a'), configMap('a', { n })))
      await forgetHistory()
      const watch = follow(client, { resourceVersion })
      await watch.ended
      expect(watch.events).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', reason: 'Expired', code: 410 } }])
    })

    test('a watch of what is not there is told by an error event too', async () => {
      const { client } = await start()
      const watch = follow(client, {}, { resource: { ...configMaps, plural: 'nonsense' }, namespace: 'default' })
      await watch.ended
      expect(watch.events).toMatchObject([{ type: 'ERROR', object: { reason: 'NotFound', code: 404 } }])
    })

    test('initial events end with a bookmark when they are asked for', async () => {
      const { client } = await withMaps('a', 'b')
      const watch = follow(client, {
        ...here,
        sendInitialEvents: true,
        allowWatchBookmarks: true,
        resourceVersionMatch: 'NotOlderThan',
      })
      await watch.until(3)
      await watch.stop()
      expect(watch.lines()).toEqual(['ADDED a', 'ADDED b', 'BOOKMARK'])
      expect(watch.events[2]).toMatchObject({
        object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
      })
    })

    test('a quiet watch is told by bookmarks how far it is', async () => {
      const { client, pass } = await withMaps('a')
      const { resourceVersion = '' } = good(await client.list(maps)).metadata
      const watch = follow(client, { labelSelector: 'made=nowhere', allowWatchBookmarks: true, resourceVersion })
      const last = good(await client.create(maps, configMap('b'))).metadata.resourceVersion ?? ''
      for (let minute = 0; minute < 5 && watch.events.length === 0; minute++) await pass(60_000)
      await watch.until(1)
      await watch.stop()
      const [bookmark] = watch.events
      expect(bookmark?.type).toBe('BOOKMARK')
      const at = bookmark?.type === 'ERROR' ? undefined : bookmark?.object.metadata.resourceVersion
      expect(Number(at)).toBeGreaterThanOrEqual(Number(last))
    })

    test('a watch ends when the server has held it as long as it was asked to', async () => {
      const { client, pass } = await start()
      const watch = follow(client, { ...here, timeoutSeconds: 30 })
      let hasEnded = false
      void watch.ended.then(() => (hasEnded = true))
      for (let second = 0; second < 60 && !hasEnded; second += 5) await pass(5_000)
      await watch.ended
      expect(watch.events.filter(({ type }) => type === 'ERROR')).toEqual([])
    })

    test('whoever leaves the loop ends the watch', async () => {
      const { client } = await withMaps('a')
      const seen: string[] = []
      for await (const event of client.watch(maps, here)) {
        seen.push(event.type)
        break
      }
      expect(seen).toEqual(['ADDED'])
    })
  })
}
