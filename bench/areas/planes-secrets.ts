import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/lib/clock.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import { answerHttp } from '../../src/secrets/http/answer-http.ts'
import { openSecretStore, type SecretStore } from '../../src/secrets/store/secret-store.ts'
import { openLmdbStore } from '../../src/store/lmdb-store.ts'
import { type Figure, percentile } from '../figure.ts'
import { httpLoad } from './http-load.ts'

const CLIENTS = 32
const MS = 3_000
const SECRETS = 1_000
const data = { username: 'app', password: 'a'.repeat(32), host: 'db.example.com', port: '5432' }
const body = JSON.stringify({ data })

/** The secret store on disk: key-value reads and writes in process and over HTTP, with and without an audit log. */
export async function planesSecrets(report: (figure: Figure) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'idp-bench-secrets-'))
  const opened = await openLmdbStore<Uint8Array>({
    folder: join(folder, 'store'),
    codec: { encode: (value) => value, decode: (value) => value },
  })
  if (!opened.ok) throw new Error(opened.error[0]?.message)
  const store = await openSecretStore({
    store: opened.value,
    keyFile: join(folder, 'key'),
    auditFolder: folder,
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
  })
  const made = await store.init({ shares: 1, threshold: 1 })
  if (!made.ok) throw new Error(made.error[0]?.message)
  const token = made.value.rootToken
  const ask = asker(store, token)
  await ask('POST', 'sys/mounts/kv', JSON.stringify({ type: 'kv-v2' }))
  const writes = await measure(SECRETS * 4, (at) => ask('POST', `kv/data/app/${at % SECRETS}`, body))
  report({ name: `KV writes in process, ${CLIENTS} clients, durable`, value: writes.perSecond, unit: 'writes/s' })
  report({ name: 'the same, p99', value: writes.p99Ms, unit: 'ms' })
  const policy = 'path "kv/data/app/*" { capabilities = ["read"] }'
  await ask('PUT', 'sys/policies/acl/reader', JSON.stringify({ policy }))
  const reader = (await ask('POST', 'auth/token/create', '{"policies":["reader"]}')) as {
    readonly auth: { readonly client_token: string }
  }
  const read = asker(store, reader.auth.client_token)
  const reads = await measure(SECRETS * 40, (at) => read('GET', `kv/data/app/${at % SECRETS}`))
  report({ name: 'KV reads in process, by a policy', value: reads.perSecond, unit: 'reads/s', budget: '10,000' })

  const server = createServer(
    answerHttp(
      (request) => store.handle(request),
      () => {},
    ),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const load = {
    port: (server.address() as AddressInfo).port,
    host: 'vault',
    clients: CLIENTS,
    ms: MS,
    path: '/v1/kv/data/app/7',
    headers: { 'x-vault-token': reader.auth.client_token },
  }
  const overHttp = await httpLoad(load)
  report({
    name: `KV reads over HTTP, ${CLIENTS} clients`,
    value: overHttp.perSecond,
    unit: 'reads/s',
    peers: { 'node:http alone': await plainServer(load) },
    budget: '10,000',
  })
  report({ name: 'the same, p99', value: overHttp.p99Ms, unit: 'ms' })
  const written = await httpLoad({ ...load, method: 'POST', headers: { 'x-vault-token': token }, body })
  report({ name: 'KV writes over HTTP of one secret, durable', value: written.perSecond, unit: 'writes/s' })
  await ask('PUT', 'sys/audit/file', '{"type":"file","options":{"file_path":"audit.log"}}')
  const audited = await httpLoad(load)
  report({ name: 'KV reads over HTTP with an audit log', value: audited.perSecond, unit: 'reads/s' })
  server.close()
  server.closeAllConnections()
  await store.close()
  await opened.value.close()
  rmSync(folder, { recursive: true, force: true })
}

type Ask = (method: string, path: string, body?: string) => Promise<unknown>

const asker =
  (store: SecretStore, token: string): Ask =>
  async (method, path, sent = '') => {
    const answer = await store.handle({
      method,
      url: `/v1/${path}`,
      headers: { 'x-vault-token': token },
      body: Buffer.from(sent),
      remoteAddress: '127.0.0.1',
    })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status}`)
    return answer.body
  }

/** Does something so often, by several at once. */
async function measure(
  count: number,
  work: (at: number) => Promise<unknown>,
): Promise<{ readonly perSecond: number; readonly p99Ms: number }> {
  const took: number[] = []
  let next = 0
  const began = performance.now()
  const client = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      const from = performance.now()
      await work(at)
      took.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return { perSecond: (count * 1_000) / (performance.now() - began), p99Ms: percentile(took, 0.99) }
}

/** A server that only answers as many bytes: what the transport costs. */
async function plainServer(load: Parameters<typeof httpLoad>[0]): Promise<number> {
  const text = JSON.stringify({ data: { data, metadata: {} }, padding: 'x'.repeat(350) })
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length }).end(text)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { perSecond } = await httpLoad({ ...load, port: (server.address() as AddressInfo).port })
  server.close()
  server.closeAllConnections()
  return perSecond
}
