import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { configMap, inDefault, testServer, valueOf } from '../apiserver.testkit.ts'
import { authenticate } from '../auth/authenticate.ts'
import { runApiServer, type RunningServer } from '../run.ts'
import type { Client } from '../../kube/client.ts'

let running: RunningServer
let client: Client
let agent: Agent
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'idp-http-'))
  const { server, client: local } = await testServer({ clock: systemClock })
  client = local
  const ports = {
    staticTokens: new Map(),
    tokenKeys: { keys: [] },
    reader: { get: () => undefined, list: () => [] },
    nowMs: () => 0,
  }
  running = await runApiServer({
    server,
    host: '127.0.0.1',
    port: 0,
    stateFolder: folder,
    clock: systemClock,
    authenticate: (credentials) => authenticate(credentials, ports),
  })
  const pem = (name: string): string => readFileSync(join(folder, 'pki', name), 'utf8')
  agent = new Agent({ connect: { ca: pem('ca.crt'), cert: pem('admin.crt'), key: pem('admin.key') } })
  valueOf(await client.create(inDefault, configMap('a', { x: '1' }, { labels: { app: 'a' } })))
})
afterAll(async () => {
  await agent?.destroy()
  await running?.close()
  rmSync(folder, { recursive: true, force: true })
})

const MAPS = '/api/v1/namespaces/default/configmaps'

async function ask(
  path: string,
  options: {
    method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
    body?: unknown
    headers?: Record<string, string>
  } = {},
) {
  const { statusCode, headers, body } = await request(running.url + path, {
    dispatcher: agent,
    method: options.method ?? 'GET',
    headers: { 'content-type': 'application/json', ...options.headers },
    ...(options.body === undefined
      ? {}
      : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
  })
  return { status: statusCode, headers, bytes: Buffer.from(await body.arrayBuffer()) }
}

async function json(path: string, options?: Parameters<typeof ask>[1]): Promise<Record<string, unknown>> {
  return JSON.parse((await ask(path, options)).bytes.toString()) as Record<string, unknown>
}

const accept = (value: string) => ({ headers: { accept: value } })

test('a table has the columns that kubectl prints, and rows that know their objects', async () => {
  const table = await json(
    `${MAPS}?fieldSelector=metadata.name%3Da`,
    accept('application/json;as=Table;v=v1;g=meta.k8s.io'),
  )
  expect(table).toMatchObject({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    columnDefinitions: [{ name: 'Name', format: 'name' }, { name: 'Data' }, { name: 'Age' }],
    rows: [{ cells: ['a', 1, expect.anything()], object: { kind: 'PartialObjectMetadata', metadata: { name: 'a' } } }],
  })
  const bare = await json(`${MAPS}/a?includeObject=None`, accept('application/json;as=Table;v=v1;g=meta.k8s.io'))
  expect(bare).toMatchObject({ rows: [{ object: null }] })
})

test('metadata alone is answered to those who want no more', async () => {
  const one = await json(`${MAPS}/a`, accept('application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'))
  expect(one).toEqual({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: expect.anything() })
  const list = await json(MAPS, accept('application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'))
  expect(list).toMatchObject({ kind: 'PartialObjectMetadataList', items: [{ kind: 'PartialObjectMetadata' }] })
})

test.each([
  ['application/vnd.kubernetes.protobuf', 406],
  ['application/vnd.kubernetes.protobuf,application/json', 200],
  ['application/json;as=Nonsense;v=v1;g=meta.k8s.io', 406],
  ['application/yaml', 200],
  ['*/*', 200],
])('Accept: %s is answered with %i', async (header, status) => {
  expect((await ask(`${MAPS}/a`, accept(header))).status).toBe(status)
})

test('YAML goes both ways', async () => {
  const made = await ask(MAPS, {
    method: 'POST',
    headers: { 'content-type': 'application/yaml', accept: 'application/yaml' },
    body: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-yaml}\ndata: {a: "1"}\n',
  })
  expect(made.status).toBe(201)
  expect(made.bytes.toString()).toContain('name: from-yaml')
})

test('what a writer should know is said in warnings', async () => {
  const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"odd"},"data":{"a":"1","a":"2"},"dat":{}}'
  const made = await ask(`${MAPS}?fieldValidation=Warn&dryRun=All`, { method: 'POST', body })
  expect(made.status).toBe(201)
  expect(made.headers['warning']).toEqual(['299 - "duplicate field \\"data.a\\""', '299 - "unknown field \\"dat\\""'])
  const strict = await json(`${MAPS}?fieldValidation=Strict`, { method: 'POST', body })
  expect(strict['message']).toBe('strict decoding error: duplicate field "data.a", unknown field "dat"')
})

test('large answers are compressed for those who can read them', async () => {
  valueOf(await client.create(inDefault, configMap('large', { text: 'x'.repeat(300_000) })))
  const packed = await ask(`${MAPS}/large`, { headers: { 'accept-encoding': 'gzip' } })
  expect(packed.headers['content-encoding']).toBe('gzip')
  expect(packed.bytes.length).toBeLessThan(10_000)
  expect(JSON.parse(gunzipSync(packed.bytes).toString())).toMatchObject({ metadata: { name: 'large' } })
})

test('a long list arrives whole', async () => {
  const many = { resource: inDefault.resource, namespace: 'many' }
  await Promise.all(
    Array.from({ length: 1_200 }, (_, at) =>
      client.create(many, { ...configMap(`m-${at}`), metadata: { name: `m-${at}` } }),
    ),
  )
  const list = await json('/api/v1/namespaces/many/configmaps')
  expect((list['items'] as object[]).length).toBe(1_200)
  expect(new Set((list['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)).size).toBe(
    1_200,
  )
  const some = await json('/api/v1/namespaces/many/configmaps?fieldSelector=metadata.name!%3Dm-7')
  expect((some['items'] as object[]).length).toBe(1_199)
})

test('discovery names every group once, and is not sent again to those who have it', async () => {
  const all = await ask('/apis', accept('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'))
  const document = JSON.parse(all.bytes.toString()) as { items: { metadata: { name: string } }[] }
  const names = document.items.map(({ metadata }) => metadata.name)
  expect(names).toContain('apps')
  expect(new Set(names).size).toBe(names.length)
  const again = await ask('/apis', {
    headers: {
      accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
      'if-none-match': String(all.headers['etag']),
    },
  })
  expect(again.status).toBe(304)
  const old = await json('/apis/apps/v1')
  expect(old).toMatchObject({ kind: 'APIResourceList', groupVersion: 'apps/v1' })
  const core = await json('/api')
  expect(core).toMatchObject({ kind: 'APIVersions', versions: ['v1'] })
})

test('the index of OpenAPI leads to documents that are their hash', async () => {
  const index = (await json('/openapi/v3')) as { paths: Record<string, { serverRelativeURL: string }> }
  const url = index.paths['apis/apps/v1']?.serverRelativeURL ?? ''
  const document = await ask(url)
  expect(String(document.headers['etag'])).toContain(new URL(url, running.url).searchParams.get('hash'))
  expect(JSON.parse(document.bytes.toString())).toMatchObject({ openapi: '3.0.0' })
  expect((await ask(url, { headers: { 'if-none-match': String(document.headers['etag']) } })).status).toBe(304)
})

test('a watch is a line for each change, in the form that was asked for', async () => {
  const { body } = await request(`${running.url}${MAPS}?watch=1&fieldSelector=metadata.name%3Da`, {
    dispatcher: agent,
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  })
  let text = ''
  for await (const chunk of body) {
    text += String(chunk)
    if (text.includes('MODIFIED')) break
    if (text.includes('\n'))
      await client.patch({ ...inDefault, name: 'a' }, { type: 'merge', body: { data: { y: '2' } } })
  }
  const [first, second] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; object: Record<string, unknown> })
  expect(first).toMatchObject({
    type: 'ADDED',
    object: { kind: 'Table', rows: [{ cells: ['a', 1, expect.anything()] }] },
  })
  expect(second).toMatchObject({ type: 'MODIFIED', object: { columnDefinitions: null } })
})

test.each([
  ['GET', '/api/v1/nothing', 404, 'the server could not find the requested resource'],
  ['GET', '/apis/none.test/v1/things', 404, 'the server could not find the requested resource'],
  ['GET', '/nothing', 404, 'the server could not find the requested resource'],
  ['POST', '/api/v1/nodes/x', 405, 'the server does not allow this method on the requested resource'],
  ['PUT', MAPS, 405, 'the server does not allow this method on the requested resource'],
  ['DELETE', '/api/v1/configmaps', 405, 'the server does not allow this method on the requested resource'],
  ['GET', '/api/v1/namespaces/default/nodes', 404, 'the server could not find the requested resource'],
] as const)('%s %s is answered with %i', async (method, path, status, message) => {
  const answer = await ask(path, { method, ...(method === 'POST' || method === 'PUT' ? { body: {} } : {}) })
  expect(JSON.parse(answer.bytes.toString())).toMatchObject({ kind: 'Status', code: status, message })
  expect(answer.status).toBe(status)
})

test('health tells each check to those who ask', async () => {
  expect((await ask('/livez')).bytes.toString()).toBe('ok')
  expect((await ask('/readyz?verbose')).bytes.toString()).toBe(
    '[+]ping ok\n[+]store ok\n[+]shutdown ok\nreadyz check passed\n',
  )
  expect((await ask('/readyz/ping')).status).toBe(200)
  expect((await ask('/readyz/nothing')).status).toBe(404)
})

test('requests are counted', async () => {
  const text = (await ask('/metrics')).bytes.toString()
  expect(text).toMatch(
    /apiserver_request_total\{verb="GET",group="",version="v1",resource="configmaps",code="200"\} \d+/,
  )
})
