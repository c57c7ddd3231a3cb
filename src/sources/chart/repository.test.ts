import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { type ChartCache, digestOf, diskChartCache, memoryChartCache } from './chart-cache.ts'
import { fetchChart } from './fetch-chart.ts'
import type { Http } from './http.ts'
import { newestMatching } from './newest.ts'
import { fetchFromRepository } from './repository.ts'

const archive = gzipSync('chart')
const digest = digestOf(archive)
const index = (more = ''): string => `apiVersion: v1
entries:
  app:
  - {version: 1.0.0, urls: [app-1.0.0.tgz]}
  - {version: 1.2.0, digest: "${digest.slice(7)}", urls: ["charts/app-1.2.0.tgz"]}
  - {version: 2.0.0-rc.1, urls: [app-2.tgz]}
  - {version: 3.0.0}
  - nonsense
${more}`

/** A server as a table of answers, and what it was asked. */
function served(pages: Readonly<Record<string, string | Buffer>>): { readonly http: Http; readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    http: ({ url, headers }) => {
      asked.push(`${url} ${headers?.['authorization'] ?? '-'}`)
      const body = pages[url]
      return Promise.resolve({
        status: body === undefined ? 404 : 200,
        headers: new Map(),
        body: Buffer.from(body ?? ''),
      })
    },
  }
}

const pages = { 'https://r/a/index.yaml': index(), 'https://r/a/charts/app-1.2.0.tgz': archive }

test('the newest version that fits is fetched by the links of the index, and checked', async () => {
  const { http, asked } = served(pages)
  const fetched = await fetchFromRepository('https://r/a/', 'app', '^1', {
    http,
    credentials: { username: 'u', password: 'p' },
  })
  expect(fetched).toMatchObject({ ok: true, value: { version: '1.2.0', digest } })
  const auth = `Basic ${Buffer.from('u:p').toString('base64')}`
  expect(asked).toEqual([`https://r/a/index.yaml ${auth}`, `https://r/a/charts/app-1.2.0.tgz ${auth}`])
})

test('credentials are not sent to another host', async () => {
  const { http, asked } = served({
    'https://r/index.yaml': index('  b:\n  - {version: 1.0.0, urls: ["https://cdn/b.tgz"]}\n'),
    'https://cdn/b.tgz': archive,
  })
  await fetchFromRepository('https://r', 'b', '*', { http, credentials: { username: 'u', password: 'p' } })
  expect(asked[1]).toBe('https://cdn/b.tgz -')
})

test.each<readonly [string, Readonly<Record<string, string | Buffer>>, string, string]>([
  ['no index', {}, '*', 'chart-source-unreachable'],
  ['an index that is none', { 'https://r/a/index.yaml': 'a: 1' }, '*', 'chart-index-invalid'],
  ['no such version', pages, '^9', 'chart-not-found'],
  ['another archive', { ...pages, 'https://r/a/charts/app-1.2.0.tgz': 'changed' }, '1.2.0', 'chart-digest-mismatch'],
  ['no archive', { 'https://r/a/index.yaml': index() }, '1.0.0', 'chart-source-unreachable'],
])('%s is a problem', async (_name, given, constraint, code) => {
  const fetched = await fetchFromRepository('https://r/a', 'app', constraint, { http: served(given).http })
  expect(fetched.ok ? '' : fetched.error[0]?.code).toBe(code)
})

test('a chart with a known digest comes from the cache, and nothing else is accepted for it', async () => {
  const cache = memoryChartCache()
  const request = { repository: 'https://r/a', name: 'app', version: '1.2.0', digest }
  const offline: Http = () => Promise.reject(new Error('no network'))
  expect((await fetchChart(request, { http: offline }, cache)).ok).toBe(false)
  await fetchChart(request, { http: served(pages).http }, cache)
  expect(await fetchChart(request, { http: offline }, cache)).toMatchObject({ ok: true, value: { digest } })
  const other = { ...request, digest: digestOf(Buffer.from('other')) }
  const refused = await fetchChart(other, { http: served(pages).http }, cache)
  expect(refused.ok ? '' : refused.error[0]?.code).toBe('chart-digest-mismatch')
})

test.each([
  [['1.0.0', '1.10.0', '1.9.0'], '^1', '1.10.0'],
  [['1.0.0', '2.0.0-rc.1'], '*', '1.0.0'],
  [['v1.0.0', 'latest'], '>=1', 'v1.0.0'],
  [['1.0.0'], '', '1.0.0'],
  [['1.0.0'], '>2', undefined],
])('of %j, %s chooses %s', (versions, constraint, want) => {
  expect(newestMatching(versions, constraint)).toBe(want)
})

const folder = mkdtempSync(join(tmpdir(), 'idp-chart-cache-'))
afterAll(() => rmSync(folder, { recursive: true }))
const caches: readonly (readonly [string, () => ChartCache])[] = [
  ['memory', memoryChartCache],
  ['disk', () => diskChartCache(folder)],
]
describe.each(caches)('a chart cache in %s', (_name, make) => {
  test('answers what was put, and nothing else', () => {
    const cache = make()
    expect(cache.get(digest)).toBeUndefined()
    expect(cache.put(archive)).toBe(digest)
    expect(Buffer.from(cache.get(digest) ?? []).equals(archive)).toBe(true)
    expect(cache.get('sha256:../../etc/passwd')).toBeUndefined()
  })
})

test('a damaged file of the cache is dropped', () => {
  const cache = diskChartCache(folder)
  cache.put(archive)
  writeFileSync(join(folder, readdirSync(folder)[0]!), 'damaged')
  expect(cache.get(digest)).toBeUndefined()
  expect(readdirSync(folder)).toEqual([])
})
