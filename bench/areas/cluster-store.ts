import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jsonCodec } from '../../src/store/codec.ts'
import { type LmdbStore, openLmdbStore } from '../../src/store/lmdb-store.ts'
import { memoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { type Figure, perSecond, percentile } from '../figure.ts'

type Value = Readonly<Record<string, unknown>>
type Report = (figure: Figure) => void

/** An object of about 1 KB, as a Deployment of one container is. */
function objectNamed(name: string, revision: number): Value {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace: 'team-a',
      uid: `00000000-0000-4000-a000-${String(revision).padStart(12, '0')}`,
      resourceVersion: String(revision),
      labels: { app: name, team: 'a', 'app.kubernetes.io/managed-by': 'idp' },
    },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            { name: 'app', image: `registry.local/${name}:1.0`, env: [{ name: 'FILL', value: 'x'.repeat(400) }] },
          ],
        },
      },
    },
    status: { replicas: 3, readyReplicas: 3, updatedReplicas: 3, observedGeneration: 1 },
  }
}

const keyOf = (at: number): string => `apps/deployments/team-${at % 100}/web-${String(at).padStart(7, '0')}`

async function opened(folder: string, cacheBytes?: number): Promise<LmdbStore<Value>> {
  const codec = jsonCodec<Value>()
  const outcome = await openLmdbStore({ folder, codec, ...(cacheBytes === undefined ? {} : { cacheBytes }) })
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error))
  return outcome.value
}

function create(store: Store<Value>, at: number): Promise<unknown> {
  const key = keyOf(at)
  return store.put(key, (revision) => objectNamed(key, revision), 'absent')
}

/** What the store itself holds; the pages of the mapped file are the kernel's to take back. */
function heapMb(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 2 ** 20
}

async function creates(
  store: Store<Value>,
  clients: number,
  from: number,
): Promise<{ perSecond: number; p99: number; next: number }> {
  let next = from
  const took: number[] = []
  const began = performance.now()
  const client = async (): Promise<void> => {
    while (performance.now() - began < 2_000) {
      const asked = performance.now()
      await create(store, next++)
      took.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return { perSecond: (took.length * 1_000) / (performance.now() - began), p99: percentile(took, 0.99), next }
}

async function createFigures(report: Report, store: Store<Value>): Promise<void> {
  const one = await creates(store, 1, 1_000_000)
  report({ name: 'store: durable creates, 1 client', value: one.perSecond, unit: '/s' })
  const many = await creates(store, 32, one.next)
  report({ name: 'store: durable creates, 32 clients', value: many.perSecond, unit: '/s', budget: '5,000/s' })
  report({ name: 'store: durable create p99, 32 clients', value: many.p99, unit: 'ms' })
}

function readFigures(report: Report, store: Store<Value>, cold: Store<Value>, count: number): void {
  let at = 0
  const next = (): string => keyOf((at = (at + 7_919) % count))
  report({ name: 'store: gets of hot objects', value: perSecond(() => store.get(keyOf(at++ % 1_000))), unit: '/s' })
  report({ name: 'store: gets from disk', value: perSecond(() => cold.get(next())), unit: '/s' })
  for (const [name, one] of [
    ['kept decoded', store],
    ['from disk', cold],
  ] as const) {
    const times = Array.from({ length: 7 }, () => {
      const began = performance.now()
      const page = one.range('apps/deployments/', { limit: 10_000 })
      if (!page.ok || page.entries.length !== 10_000) throw new Error('the range is short')
      return performance.now() - began
    })
    report({ name: `store: range of 10,000, ${name}`, value: percentile(times, 0.5), unit: 'ms', budget: '300 ms' })
  }
}

/** One key prefix, many listeners: how many events a second arrive. */
async function fanOut(report: Report, name: string, store: Store<Value>, from: number): Promise<void> {
  let heard = 0
  const listeners = 1_000
  for (let at = 0; at < listeners; at++) {
    store.watch('apps/deployments/', store.revision, (changes) => (heard += changes.length))
  }
  await new Promise((resolve) => setImmediate(resolve))
  const began = performance.now()
  let written = 0
  for (; performance.now() - began < 2_000; written += 32) {
    await Promise.all(Array.from({ length: 32 }, (_, at) => create(store, from + written + at)))
  }
  if (heard !== written * listeners) throw new Error(`heard ${heard} of ${written * listeners} events`)
  const value = (heard * 1_000) / (performance.now() - began)
  report({ name: `store: watch fan-out to 1,000 listeners, ${name}`, value, unit: 'events/s', budget: '20,000/s' })
}

/** What the store alone can do; the API server's figures stand beside these. */
export async function storeFigures(report: Report): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'idp-bench-'))
  try {
    const empty = heapMb()
    const first = await opened(join(root, 'a'))
    report({ name: 'store: heap, empty', value: heapMb() - empty, unit: 'MB' })
    const count = 100_000
    for (let at = 0; at < count; at += 1_000) {
      await Promise.all(Array.from({ length: 1_000 }, (_, more) => create(first, at + more)))
    }
    await first.close()

    const before = heapMb()
    const began = performance.now()
    const store = await opened(join(root, 'a'))
    report({ name: 'store: opening 100,000 objects', value: performance.now() - began, unit: 'ms' })
    report({ name: 'store: heap, 100,000 objects opened', value: heapMb() - before, unit: 'MB' })
    store.range('')
    report({ name: 'store: heap, all of them read once', value: heapMb() - before, unit: 'MB' })
    await store.backup(join(root, 'b'))
    const cold = await opened(join(root, 'b'), 0)
    store.range('apps/deployments/', { limit: 10_000 })
    readFigures(report, store, cold, count)
    await cold.close()
    await createFigures(report, store)
    await fanOut(report, 'on disk', store, 5_000_000)
    const compacting = performance.now()
    const records = store.revision - store.oldest
    await store.compact(store.revision)
    report({
      name: 'store: compaction',
      value: (records * 1_000) / (performance.now() - compacting),
      unit: 'records/s',
    })
    await store.close()

    const memory = memoryStore<Value>()
    for (let at = 0; at < count; at++) void create(memory, at)
    await create(memory, count)
    report({ name: 'store: forks of 100,000 objects in memory', value: perSecond(() => memory.fork()), unit: '/s' })
    await fanOut(report, 'in memory', memory, 5_000_000)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
