import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type ClientHttp2Session, connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCluster } from '../../src/apiserver/cluster.ts'
import { runApiServer } from '../../src/apiserver/run.ts'
import { openState } from '../../src/apiserver/state.ts'
import type { UserInfo } from '../../src/kube/admission.ts'
import type { Client } from '../../src/kube/client.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { Figure } from '../figure.ts'
import { h2Load } from './h2-load.ts'
import { memoryOf } from '../process-use.ts'

type Report = (figure: Figure) => void

declare const IDP_ROOT: string

const admin: UserInfo = { username: 'bench', groups: ['system:masters'] }
const configMaps = { resource: { group: '', version: 'v1', plural: 'configmaps' }, namespace: 'default' }
const PAYLOAD = 'x'.repeat(1_500)

const configMap = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { app: 'bench' } },
  data: { payload: PAYLOAD },
})

/** The API server over its store on disk: in process, and over TLS with HTTP/2. */
export async function apiFigures(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'idp-bench-'))
  try {
    await startFigures(folder, report)
    const state = await openState(join(folder, 'state'))
    if (!state.ok) throw new Error(state.error.map(({ message }) => message).join('; '))
    const { store, tokenKeys } = state.value
    const { server, authenticate } = makeCluster({
      store,
      tokenKeys,
      clock: systemClock,
      ids: systemIds,
      log: silentLog,
    })
    const running = await runApiServer({
      server,
      authenticate,
      host: '127.0.0.1',
      port: 0,
      stateFolder: join(folder, 'state'),
      clock: systemClock,
    })
    const session = await openSession(running.url, join(folder, 'state', 'pki'))
    const client = server.client(admin)
    await createFigures(client, report)
    await httpFigures(running.url, join(folder, 'state', 'pki'), report)
    await listFigures(client, session, report)
    await watchFigures(client, session, report)
    await applyFigures(client, report)
    session.close()
    await fill(client, LARGE)
    await running.close()
    await store.close()
    await largeFigures(folder, report)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const LARGE = 100_000

async function fill(client: Client, count: number): Promise<void> {
  const place = { resource: { group: '', version: 'v1', plural: 'namespaces' } }
  await client.create(place, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'full' } })
  for (let start = 0; start < count; start += 500) {
    await Promise.all(
      Array.from({ length: 500 }, (_, at) =>
        client.create({ ...configMaps, namespace: 'full' }, configMap(`f-${start + at}`)),
      ),
    )
  }
}

interface Started {
  readonly url: string
  readonly ms: number
  residentMb(): number
  stop(): Promise<void>
}

async function startServer(folder: string): Promise<Started> {
  const began = performance.now()
  const args = ['apiserver', '--listen', '127.0.0.1:0', '--state', join(folder, 'state'), '-o', 'json']
  const child = spawn(process.execPath, [join(IDP_ROOT, 'dist', 'idp.js'), ...args])
  const line = await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve))
  const ms = performance.now() - began
  return {
    url: (JSON.parse(line.toString()) as { url: string }).url,
    ms,
    residentMb: () => memoryOf(child.pid ?? 0).resident,
    stop: () => {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** A process over a large state: how fast it is there, and how large, before and after everything was listed. */
async function largeFigures(folder: string, report: Report): Promise<void> {
  const started = await startServer(folder)
  report({ name: 'api: start over 100,000 objects', value: started.ms, unit: 'ms' })
  report({ name: 'api: memory over 100,000 objects', value: started.residentMb(), unit: 'MB' })
  const session = await openSession(started.url, join(folder, 'state', 'pki'))
  const began = performance.now()
  await get(session, '/api/v1/namespaces/full/configmaps')
  report({ name: 'api: list of 100,000 (190 MB), cold', value: performance.now() - began, unit: 'ms' })
  report({ name: 'api: memory after that list', value: started.residentMb(), unit: 'MB' })
  session.destroy()
  await started.stop()
}

/** From the start of the process to the line that says it is ready, and its memory then. */
async function startFigures(folder: string, report: Report): Promise<void> {
  for (const name of ['cold start', 'warm start']) {
    const started = await startServer(folder)
    const isWarm = name === 'warm start'
    report({ name: `api: ${name}`, value: started.ms, unit: 'ms', ...(isWarm ? { budget: '500 ms' } : {}) })
    if (isWarm) report({ name: 'api: memory, empty', value: started.residentMb(), unit: 'MB', budget: '120 MB' })
    await started.stop()
  }
}

async function openSession(url: string, pki: string): Promise<ClientHttp2Session> {
  const pem = (name: string): string => readFileSync(join(pki, name), 'utf8')
  const session = connect(url, {
    ca: pem('ca.crt'),
    cert: pem('admin.crt'),
    key: pem('admin.key'),
    settings: { initialWindowSize: 8 * 1024 * 1024 },
  })
  await new Promise((resolve, reject) => {
    session.once('connect', resolve)
    session.once('error', reject)
  })
  session.setLocalWindowSize(64 * 1024 * 1024)
  return session
}

interface Answer {
  readonly bytes: number
  readonly firstByteMs: number
}

function get(session: ClientHttp2Session, path: string): Promise<Answer> {
  const began = performance.now()
  const stream = session.request({ ':path': path })
  return new Promise((resolve, reject) => {
    let bytes = 0
    let firstByteMs = 0
    stream.on('data', (chunk: Buffer) => {
      if (bytes === 0) firstByteMs = performance.now() - began
      bytes += chunk.length
    })
    stream.on('end', () => resolve({ bytes, firstByteMs }))
    stream.on('error', reject)
  })
}

/** Runs work from several clients for about the given time; answers calls per second. */
async function rate(clients: number, ms: number, work: (at: number) => Promise<unknown>): Promise<number> {
  const began = performance.now()
  let calls = 0
  const one = async (): Promise<void> => {
    while (performance.now() - began < ms) await work(calls++)
  }
  await Promise.all(Array.from({ length: clients }, one))
  return (calls * 1_000) / (performance.now() - began)
}

async function createFigures(client: Client, report: Report): Promise<void> {
  const create = async (name: string): Promise<void> => {
    const made = await client.create(configMaps, configMap(name))
    if (!made.ok) throw new Error(made.error.message)
  }
  await rate(32, 500, (at) => create(`warm-${at}`))
  report({
    name: 'api: durable creates, 1 client, in process',
    value: await rate(1, 1_000, (at) => create(`one-${at}`)),
    unit: '/s',
  })
  report({
    name: 'api: durable creates, 32 clients, in process',
    value: await rate(32, 2_000, (at) => create(`many-${at}`)),
    unit: '/s',
    budget: '5,000/s',
  })
  report({
    name: 'api: get, in process',
    value: await rate(8, 1_000, () => client.get({ ...configMaps, name: 'one-1' })),
    unit: '/s',
    budget: '15,000/s',
  })
}

async function httpFigures(url: string, pki: string, report: Report): Promise<void> {
  const path = '/api/v1/namespaces/default/configmaps'
  const load = { url, pki, clients: 32, ms: 2_000 }
  const gets = await h2Load({ ...load, method: 'GET', path: `${path}/one-1` })
  report({ name: 'api: get, 32 clients, h2', value: gets, unit: '/s', budget: '15,000/s' })
  const creates = await h2Load({ ...load, method: 'POST', path, body: JSON.stringify(configMap('h2-#')) })
  report({ name: 'api: durable creates, 32 clients, h2', value: creates, unit: '/s', budget: '5,000/s' })
}

async function listFigures(client: Client, session: ClientHttp2Session, report: Report): Promise<void> {
  const place = { resource: { group: '', version: 'v1', plural: 'namespaces' } }
  await client.create(place, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'large' } })
  const large = { ...configMaps, namespace: 'large' }
  for (let start = 0; start < 10_000; start += 200) {
    await Promise.all(Array.from({ length: 200 }, (_, at) => client.create(large, configMap(`c-${start + at}`))))
  }
  const began = performance.now()
  const answer = await get(session, '/api/v1/namespaces/large/configmaps')
  report({ name: 'api: list of 10,000, h2', value: performance.now() - began, unit: 'ms', budget: '300 ms' })
  report({ name: 'api: list of 10,000, first byte', value: answer.firstByteMs, unit: 'ms' })
  const again = performance.now()
  await client.list(large)
  report({ name: 'api: list of 10,000, in process', value: performance.now() - again, unit: 'ms' })
}

async function watchFigures(client: Client, session: ClientHttp2Session, report: Report): Promise<void> {
  const WATCHERS = 500
  const EVENTS = 200
  const { metadata } = await client
    .list(configMaps)
    .then((list) => (list.ok ? list.value : { metadata: { resourceVersion: '0' } }))
  let lines = 0
  let done = (): void => {}
  const all = new Promise<void>((resolve) => (done = resolve))
  const streams = Array.from({ length: WATCHERS }, () => {
    const stream = session.request({
      ':path': `/api/v1/configmaps?watch=1&resourceVersion=${metadata.resourceVersion}&labelSelector=fan%3Dout`,
    })
    stream.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 10) lines++
      if (lines >= WATCHERS * EVENTS) done()
    })
    return new Promise((resolve) => stream.once('response', () => resolve(stream)))
  })
  const opened = (await Promise.all(streams)) as { close(): void }[]
  const began = performance.now()
  for (let at = 0; at < EVENTS; at += 20) {
    await Promise.all(
      Array.from({ length: 20 }, (_, more) =>
        client.create(configMaps, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: `fan-${at + more}`, labels: { fan: 'out' } },
          data: { a: 'b' },
        }),
      ),
    )
  }
  await all
  report({
    name: `api: watch fan-out to ${WATCHERS}, h2, client in the same process`,
    value: (WATCHERS * EVENTS * 1_000) / (performance.now() - began),
    unit: 'events/s',
    budget: '20,000/s',
  })
  for (const stream of opened) stream.close()
}

async function applyFigures(client: Client, report: Report): Promise<void> {
  const apply = async (at: number): Promise<void> => {
    const name = `applied-${at % 200}`
    const body = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default', labels: { turn: String(at) } },
      data: { a: String(at) },
    }
    const done = await client.patch(
      { ...configMaps, name },
      { type: 'apply', body },
      { fieldManager: 'bench', force: true },
    )
    if (!done.ok) throw new Error(done.error.message)
  }
  report({ name: 'api: server-side applies, 32 clients, in process', value: await rate(32, 2_000, apply), unit: '/s' })
}
