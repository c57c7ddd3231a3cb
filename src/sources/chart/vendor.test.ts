import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { digestOf, memoryChartCache } from './chart-cache.ts'
import { lockDigest } from './chart-lock.ts'
import type { Http } from './http.ts'
import { type VendorInput, vendorChart } from './vendor.ts'

const archives = { '1.0.0': gzipSync('one'), '1.1.0': gzipSync('two') }
const server =
  (versions: Readonly<Record<string, Buffer>>): Http =>
  ({ url }) => {
    const entries = Object.entries(versions).map(([version]) => `  - {version: ${version}, urls: [app-${version}.tgz]}`)
    const version = /app-(.*)\.tgz$/.exec(url)?.[1]
    const body = version === undefined ? Buffer.from(`entries:\n  app:\n${entries.join('\n')}\n`) : versions[version]
    return Promise.resolve({ status: body ? 200 : 404, headers: new Map(), body: body ?? Buffer.alloc(0) })
  }

const wanted = [{ name: 'app', version: '^1.0.0', repository: 'https://r' }]
const input = (more: Partial<VendorInput> = {}): VendorInput => ({
  wanted,
  lock: undefined,
  vendored: undefined,
  packLocal: () => ({ ok: true, value: { version: '0.1.0', archive: gzipSync('local') } }),
  now: () => 0,
  ...more,
})

// Seen with helm 3.17.2: what `helm dependency update` wrote for this dependency.
test("the digest of a lock is helm's own", () => {
  const locked = { name: 'sub', version: '0.1.5', repository: 'file://../sub' }
  const asked = {
    ...locked,
    version: '0.1.x',
    tags: ['a'],
    condition: 'sub.enabled',
    alias: 'z',
    importValues: ['data', { child: 'a<b', parent: 'c' }],
  }
  expect(lockDigest([asked], [locked])).toBe('sha256:5dc8eea630aafe876ef847a0ba2e56f4e78f54a87a8dce7f9f01e19a4210c281')
})

test('without a lock the newest that fits is fetched, and both locks are written', async () => {
  const vendored = await vendorChart(input(), { http: server(archives) }, memoryChartCache())
  if (!vendored.ok) throw new Error(vendored.error[0]?.message)
  const digest = digestOf(archives['1.1.0'])
  expect(vendored.value.archives).toEqual([{ file: 'app-1.1.0.tgz', archive: archives['1.1.0'], digest }])
  expect(vendored.value.chartLock).toBe(
    `dependencies:\n- name: app\n  repository: https://r\n  version: 1.1.0\ndigest: ${lockDigest(wanted, [{ name: 'app', version: '1.1.0', repository: 'https://r' }])}\ngenerated: "1970-01-01T00:00:00.000Z"\n`,
  )
  expect(vendored.value.vendorLock).toBe(`charts:\n- digest: ${digest}\n  file: app-1.1.0.tgz\n`)
})

const locked = [{ name: 'app', version: '1.0.0', repository: 'https://r' }]
const lock = { digest: lockDigest(wanted, locked), dependencies: locked }

test('with a lock the same version comes again, unless an update is asked for', async () => {
  const files = async (more: Partial<VendorInput>): Promise<unknown> => {
    const vendored = await vendorChart(input({ lock, ...more }), { http: server(archives) }, memoryChartCache())
    return vendored.ok ? vendored.value.archives.map(({ file }) => file) : vendored.error[0]?.code
  }
  expect(await files({})).toEqual(['app-1.0.0.tgz'])
  expect(await files({ update: true })).toEqual(['app-1.1.0.tgz'])
  expect(await files({ lock: { ...lock, digest: 'sha256:other' } })).toBe('chart-lock-stale')
})

test('with digests the bytes must be the same, and the cache is enough', async () => {
  const vendored = `charts:\n- digest: ${digestOf(archives['1.0.0'])}\n  file: app-1.0.0.tgz\n`
  const cache = memoryChartCache()
  const changed = await vendorChart(
    input({ lock, vendored }),
    { http: server({ '1.0.0': gzipSync('changed') }) },
    cache,
  )
  expect(changed.ok ? '' : changed.error[0]?.code).toBe('chart-digest-mismatch')
  cache.put(archives['1.0.0'])
  const offline = await vendorChart(
    input({ lock, vendored }),
    { http: () => Promise.reject(new Error('offline')) },
    cache,
  )
  expect(offline.ok).toBe(true)
})

test('local charts are packed, unknown names of repositories are refused', async () => {
  const local = await vendorChart(
    input({ wanted: [{ name: 'l', version: '*', repository: 'file://../l' }] }),
    { http: server({}) },
    memoryChartCache(),
  )
  expect(local.ok && local.value.archives[0]?.file).toBe('l-0.1.0.tgz')
  const unknown = await vendorChart(
    input({ wanted: [{ name: 'l', version: '*', repository: '@stable' }] }),
    { http: server({}) },
    memoryChartCache(),
  )
  expect(unknown.ok ? '' : unknown.error[0]?.code).toBe('chart-repository-unknown')
})
