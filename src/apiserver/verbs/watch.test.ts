import { expect, test } from 'vitest'
import type { WatchEvent, WatchOptions } from '../../kube/client.ts'
import {
  configMap,
  configMaps,
  inDefault,
  refusalOf,
  type TestServer,
  testServer,
  valueOf,
} from '../apiserver.testkit.ts'

/** The first events of a watch, each as `TYPE name`, with what it says besides. */
async function firstEvents(
  { client }: TestServer,
  count: number,
  options: WatchOptions = {},
): Promise<readonly WatchEvent[]> {
  const stop = new AbortController()
  const seen: WatchEvent[] = []
  for await (const event of client.watch(inDefault, { ...options, signal: stop.signal })) {
    seen.push(event)
    if (seen.length === count) stop.abort()
  }
  return seen
}

const text = (event: WatchEvent): string =>
  event.type === 'ERROR' ? `ERROR ${event.object.code}` : `${event.type} ${event.object.metadata.name ?? ''}`

async function withTwo(): Promise<TestServer> {
  const server = await testServer()
  valueOf(await server.client.create(inDefault, configMap('a')))
  valueOf(await server.client.create(inDefault, configMap('b')))
  return server
}

test('a watch without a revision begins with what is there', async () => {
  expect((await firstEvents(await withTwo(), 2)).map(text)).toEqual(['ADDED a', 'ADDED b'])
})

test('a watch from a revision sees every later change once, in order', async () => {
  const server = await withTwo()
  const [, b] = valueOf(await server.client.list(inDefault)).items
  valueOf(await server.client.patch({ ...inDefault, name: 'a' }, { type: 'merge', body: { data: { x: '1' } } }))
  valueOf(await server.client.delete({ ...inDefault, name: 'b' }))
  const events = await firstEvents(server, 2, { resourceVersion: b?.metadata.resourceVersion ?? '' })
  expect(events.map(text)).toEqual(['MODIFIED a', 'DELETED b'])
  const revisions = events.map((event) => (event.type === 'ERROR' ? 0 : Number(event.object.metadata.resourceVersion)))
  expect(revisions[1]).toBe((revisions[0] ?? 0) + 1)
})

test('a watch from a revision that is forgotten says that it is too old', async () => {
  const server = await withTwo()
  const { store } = server.server.kernel
  await store.compact(store.revision)
  const [event] = await firstEvents(server, 1, { resourceVersion: '1' })
  expect(event).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
})

test('streamed lists end with a bookmark that says so', async () => {
  const events = await firstEvents(await withTwo(), 3, {
    sendInitialEvents: true,
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: true,
  })
  expect(events.map(text)).toEqual(['ADDED a', 'ADDED b', 'BOOKMARK '])
  expect(events[2]).toMatchObject({ object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } })
})

test('a quiet watch is told how far it is, about once a minute', async () => {
  const server = await withTwo()
  const revision = String(server.server.kernel.store.revision)
  const watching = firstEvents(server, 1, { resourceVersion: revision, allowWatchBookmarks: true })
  valueOf(
    await server.client.create(
      { ...inDefault, resource: { ...configMaps, plural: 'secrets' } },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } },
    ),
  )
  await server.clock.advance(61_000)
  expect(await watching).toMatchObject([{ type: 'BOOKMARK', object: { kind: 'ConfigMap' } }])
})

test('a watch ends after the time it asked for', async () => {
  const server = await withTwo()
  const watching = firstEvents(server, 99, { resourceVersion: '1', timeoutSeconds: 5 })
  await server.clock.advance(5_000)
  expect((await watching).length).toBeGreaterThan(0)
})

test.each<[string, WatchOptions, RegExp]>([
  [
    'a match without initial events',
    { resourceVersionMatch: 'NotOlderThan', resourceVersion: '1' },
    /resourceVersionMatch is forbidden for watch/,
  ],
  [
    'initial events without a match',
    { sendInitialEvents: true },
    /sendInitialEvents requires setting resourceVersionMatch/,
  ],
  ['a revision that is no number', { resourceVersion: 'x' }, /resourceVersion/],
  ['a field that nobody can select by', { fieldSelector: 'data.x=1' }, /field label not supported/],
])('%s is refused', async (_name, options, message) => {
  const [event] = await firstEvents(await testServer(), 1, options)
  expect(event).toMatchObject({ type: 'ERROR', object: { message: expect.stringMatching(message) as string } })
})

test.each([
  [{ resourceVersion: '999999' }, 504, /Too large resource version/],
  [{ resourceVersionMatch: 'Exact' as const }, 422, /forbidden unless resourceVersion is provided/],
  [{ resourceVersionMatch: 'Exact' as const, resourceVersion: '0' }, 422, /forbidden for resourceVersion "0"/],
  [{ continue: 'nonsense' }, 400, /continue key is not valid/],
])('a list with %j is refused', async (options, code, message) => {
  const { client } = await withTwo()
  const refusal = refusalOf(await client.list(inDefault, options))
  expect(refusal.code).toBe(code)
  expect(refusal.message).toMatch(message)
})

test('a list at an exact revision is what was there then, until that is forgotten', async () => {
  const { client, server } = await withTwo()
  const then = valueOf(await client.list(inDefault)).metadata.resourceVersion ?? ''
  valueOf(await client.delete({ ...inDefault, name: 'a' }))
  const exact = { resourceVersion: then, resourceVersionMatch: 'Exact' as const }
  expect(valueOf(await client.list(inDefault, exact)).items).toHaveLength(2)
  expect(valueOf(await client.list(inDefault, { resourceVersion: then })).items).toHaveLength(1)
  const page = valueOf(await client.list(inDefault, { ...exact, limit: 1 }))
  await server.kernel.store.compact(server.kernel.store.revision)
  expect(refusalOf(await client.list(inDefault, exact)).code).toBe(410)
  const late = refusalOf(await client.list(inDefault, { limit: 1, continue: page.metadata.continue ?? '' }))
  expect(late).toMatchObject({ code: 410, reason: 'Expired' })
  const rest = valueOf(await client.list(inDefault, { continue: String(late.metadata['continue']) }))
  expect(rest.items.map(({ metadata }) => metadata.name)).toEqual(['b'])
})
