import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RemoteClient } from '../../src/client/remote-client.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { objectsOf } from '../../src/lib/fields.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type Area, type Figure, percentile } from '../figure.ts'
import { cpuSecondsOf, memoryOf, type ProcessMemory } from '../process-use.ts'
import { clientOf } from '../../test/stories/client-of.ts'

const SENSORS = 10
const CONNECTIONS = 64
const RATE = Number(process.env['BENCH_EVENTS_RATE'] ?? 2_000)
const SECONDS = Number(process.env['BENCH_EVENTS_SECONDS'] ?? 15)
const LIMIT_MS = 60_000
const NAMESPACE = 'bench'
const root = join(import.meta.dirname, '..', '..')

type Report = (figure: Figure) => void

/** Webhooks over HTTP into a platform with ten Sensors, every event accepted on disk and fired by one of them. */
export const events: Area = {
  name: 'events',
  async run(report) {
    const folder = mkdtempSync(join(tmpdir(), 'idp-bench-events-'))
    const kubeconfig = join(folder, 'kubeconfig')
    const args = ['apiserver', '--listen', '127.0.0.1:0', '--state', join(folder, 'state'), '--no-audit']
    const child = spawn(
      process.execPath,
      [join(root, 'dist', 'idp.js'), ...args, '--kubeconfig-out', kubeconfig, '--controllers', 'events'],
      { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] },
    )
    try {
      await new Promise<void>((resolve, reject) => {
        child.stdout.once('data', () => resolve())
        child.once('exit', (code) => reject(new Error(`the server has ended with ${code}`)))
      })
      child.stdout.resume()
      const client = clientOf(kubeconfig)
      const port = await prepare(client)
      await measure({ client, port, pid: child.pid ?? 0 }, report)
    } finally {
      child.kill('SIGTERM')
      await new Promise<void>((resolve) => child.once('exit', () => resolve()))
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

interface World {
  readonly client: RemoteClient
  readonly port: number
  readonly pid: number
}

const argo = (kind: string, name: string, spec: object): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind,
  metadata: { name, namespace: NAMESPACE },
  spec,
})

/** A bus, a webhook and the Sensors; answers the port on which the webhook is. */
async function prepare(client: RemoteClient): Promise<number> {
  const namespaces = { resource: { group: '', version: 'v1', plural: 'namespaces' } }
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  const create = async (plural: string, object: KubeObject): Promise<void> => {
    const resource = { group: 'argoproj.io', version: 'v1alpha1', plural }
    const made = await client.create({ resource, namespace: NAMESPACE }, object)
    if (!made.ok) throw new Error(made.error.message)
  }
  await create('eventbus', argo('EventBus', 'default', { jetstream: { version: 'latest' } }))
  const webhook = { hook: { port: '12000', endpoint: '/hook', method: 'POST' } }
  await create('eventsources', argo('EventSource', 'web', { service: { ports: [{ port: 12_000 }] }, webhook }))
  for (let at = 0; at < SENSORS; at++) {
    const filters = { data: [{ path: 'body.shard', type: 'number', value: [String(at)] }] }
    const dependencies = [{ name: 'hook', eventSourceName: 'web', eventName: 'hook', filters }]
    const parameters = [{ src: { dependencyName: 'hook', dataKey: 'body.shard', useRawData: true }, dest: 'log.shard' }]
    const triggers = [{ template: { name: 'tell', log: { intervalSeconds: 3_600 } }, parameters }]
    await create('sensors', argo('Sensor', `sensor-${at}`, { dependencies, triggers }))
  }
  const slices = {
    resource: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' },
    namespace: NAMESPACE,
  }
  for (const began = performance.now(); performance.now() - began < LIMIT_MS; await systemClock.sleep(100)) {
    const found = await client.list(slices)
    const port = found.ok && objectsOf(found.value.items[0], 'ports')?.[0]?.['port']
    const ready = await areReady(client)
    if (typeof port === 'number' && ready) return port
  }
  throw new Error('the webhook is not there')
}

async function areReady(client: RemoteClient): Promise<boolean> {
  const resource = { group: 'argoproj.io', version: 'v1alpha1', plural: 'sensors' }
  const found = await client.list({ resource, namespace: NAMESPACE })
  if (!found.ok) return false
  const isReady = ({ status }: KubeObject): boolean =>
    (objectsOf(status, 'conditions') ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True')
  return found.value.items.length === SENSORS && found.value.items.every(isReady)
}

async function measure({ client, port, pid }: World, report: Report): Promise<void> {
  const send = sender(port)
  await closedLoop(send, 2_000)
  const perSecond = await closedLoop(send, 5_000)
  report({
    name: `webhooks accepted on disk, ${CONNECTIONS} connections`,
    value: perSecond,
    unit: '/s',
    budget: '2,000/s',
  })
  await caughtUp(client, sent)
  const before = await latencies(client)
  const memory: ProcessMemory[] = []
  const [cpuBefore, sentBefore] = [cpuSecondsOf(pid), sent]
  const open = await openLoop(send, () => memory.push(memoryOf(pid)))
  report({
    name: `webhooks accepted at ${RATE}/s for ${SECONDS} s`,
    value: open.perSecond,
    unit: '/s',
    budget: '2,000/s',
  })
  report({ name: 'answer to a webhook, p50', value: percentile(open.tookMs, 0.5), unit: 'ms' })
  report({ name: 'answer to a webhook, p99', value: percentile(open.tookMs, 0.99), unit: 'ms' })
  await caughtUp(client, sent)
  const after = await latencies(client)
  report({ name: `accept to trigger with ${SENSORS} Sensors, p50`, value: quantile(before, after, 0.5), unit: 'ms' })
  report({
    name: `accept to trigger with ${SENSORS} Sensors, p99`,
    value: quantile(before, after, 0.99),
    unit: 'ms',
    budget: '50 ms',
  })
  const cpuMs = (1_000 * (cpuSecondsOf(pid) - cpuBefore)) / (sent - sentBefore)
  report({ name: `CPU of the platform for a webhook and ${SENSORS} Sensors that look at it`, value: cpuMs, unit: 'ms' })
  report({ name: 'events fired of those accepted', value: (100 * after.count) / sent, unit: '%' })
  const most = (of: (one: ProcessMemory) => number): number => Math.max(...memory.map(of))
  report({ name: 'RSS at most', value: most(({ resident }) => resident), unit: 'MB', budget: '200 MB' })
  report({ name: 'of it without pages of files', value: most(({ own }) => own), unit: 'MB' })
}

let sent = 0

/** Posts a payload such as a small alert has; resolves when it is answered. */
function sender(port: number): () => Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const padding = 'x'.repeat(600)
  return () =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({ shard: sent++ % SENSORS, alert: 'SLOBurn', padding })
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const asked = request({ agent, host: '127.0.0.1', port, path: '/hook', method: 'POST', headers }, (answer) => {
        answer.resume()
        answer.once('end', () =>
          answer.statusCode === 200 ? resolve() : reject(new Error(`the webhook answers ${answer.statusCode}`)),
        )
      })
      asked.once('error', reject)
      asked.end(body)
    })
}

async function closedLoop(send: () => Promise<void>, ms: number): Promise<number> {
  const began = performance.now()
  let count = 0
  const one = async (): Promise<void> => {
    while (performance.now() - began < ms) {
      await send()
      count += 1
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, one))
  return (count * 1_000) / (performance.now() - began)
}

async function openLoop(
  send: () => Promise<void>,
  everySecond: () => void,
): Promise<{ readonly perSecond: number; readonly tookMs: readonly number[] }> {
  const tookMs: number[] = []
  const all: Promise<void>[] = []
  const began = performance.now()
  const timed = async (): Promise<void> => {
    const from = performance.now()
    await send()
    tookMs.push(performance.now() - from)
  }
  let seconds = 0
  for (let started = 0; started < RATE * SECONDS; await systemClock.sleep(2)) {
    const elapsed = performance.now() - began
    const due = Math.min((elapsed * RATE) / 1_000, RATE * SECONDS)
    for (; started < due; started++) all.push(timed())
    if (elapsed / 1_000 > seconds) {
      everySecond()
      seconds += 1
    }
  }
  await Promise.all(all)
  everySecond()
  return { perSecond: (tookMs.length * 1_000) / (performance.now() - began), tookMs }
}

interface Latencies {
  readonly count: number
  /** How many lie at or below a bound in seconds. */
  readonly below: ReadonlyMap<number, number>
}

/** What all Sensors together have counted, from the server's metrics. */
async function latencies(client: RemoteClient): Promise<Latencies> {
  const { body: text } = await client.ask({ method: 'GET', path: '/metrics' })
  const below = new Map<number, number>()
  for (const [, labels = '', value] of text.matchAll(/^idp_events_latency_seconds_bucket\{([^}]*)\} (\S+)$/gm)) {
    const bound = /le="([^"]+)"/.exec(labels)?.[1] ?? ''
    const at = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound)
    below.set(at, (below.get(at) ?? 0) + Number(value))
  }
  return { count: below.get(Number.POSITIVE_INFINITY) ?? 0, below }
}

/** The latency in milliseconds under which a share of what was counted between two looks lies, as Prometheus works it out. */
function quantile(before: Latencies, after: Latencies, share: number): number {
  const wanted = (after.count - before.count) * share
  let [lowBound, lowCount] = [0, 0]
  for (const [bound, count] of [...after.below].toSorted(([a], [b]) => a - b)) {
    const here = count - (before.below.get(bound) ?? 0)
    if (here >= wanted && here > lowCount)
      return 1_000 * (lowBound + ((bound - lowBound) * (wanted - lowCount)) / (here - lowCount))
    ;[lowBound, lowCount] = [bound, here]
  }
  return Number.NaN
}

async function caughtUp(client: RemoteClient, total: number): Promise<void> {
  for (const began = performance.now(); performance.now() - began < LIMIT_MS; await systemClock.sleep(50)) {
    if ((await latencies(client)).count >= total) return
  }
  throw new Error(`${total} events were sent, and ${(await latencies(client)).count} have fired`)
}
