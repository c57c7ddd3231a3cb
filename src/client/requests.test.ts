import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import type { Collection, WatchEvent } from '../kube/client.ts'
import { type Clock, movableClock } from '../lib/clock.ts'
import { describeError } from '../lib/log.ts'
import { proxyFromEnvironment } from './connection.ts'
import { type Answer, type HttpBench, httpBench, type HttpBenchOptions, json } from './http-server.testkit.ts'
import { linesOf } from './line-splitter.ts'

const maps: Collection = { resource: { group: '', version: 'v1', plural: 'configmaps' }, namespace: 'default' }
const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', resourceVersion: '5' } }
const root = mkdtempSync(join(tmpdir(), 'idp-requests-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const open: HttpBench[] = []
afterEach(async () => {
  for (const bench of open.splice(0)) await bench.close()
})

/** Time that passes at once when somebody waits for it, and says how long that was. */
function eagerClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = []
  const clock = movableClock()
  return {
    now: () => clock.now(),
    after: () => () => {},
    async sleep(ms, options) {
      options?.signal?.throwIfAborted()
      slept.push(ms)
      await clock.advance(ms)
    },
    slept,
  }
}

async function start(
  answer: Answer,
  options: Partial<HttpBenchOptions> = {},
): Promise<HttpBench & { slept: number[] }> {
  const clock = eagerClock()
  const bench = await httpBench(answer, { clock, ...options })
  open.push(bench)
  return Object.assign(bench, { slept: clock.slept })
}

const refusing = (code: number, times: number, headers: Record<string, string> = {}): Answer => {
  return (response, turn) => (turn <= times ? json(response, code, {}, headers) : json(response, 200, object))
}

test('a request names its place, its query and who asks', async () => {
  const { client, asked, headers, bodies } = await start((response) => json(response, 200, object))
  await client.patch(
    { ...maps, name: 'a:b', subresource: 'status' },
    { type: 'apply', body: object },
    { force: true, fieldManager: 'me', dryRun: true },
  )
  await client.delete(
    { ...maps, name: 'a' },
    { propagationPolicy: 'Orphan', preconditions: { uid: 'x' }, dryRun: true },
  )
  await client.list(
    { resource: { group: 'apps', version: 'v1', plural: 'deployments' } },
    { labelSelector: 'a in (b)', limit: 5 },
  )
  expect(asked).toEqual([
    'PATCH /api/v1/namespaces/default/configmaps/a:b/status?fieldManager=me&force=true&dryRun=All',
    'DELETE /api/v1/namespaces/default/configmaps/a',
    'GET /apis/apps/v1/deployments?labelSelector=a+in+%28b%29&limit=5',
  ])
  expect(headers[0]).toMatchObject({
    authorization: 'Bearer secret-token',
    'content-type': 'application/apply-patch+yaml',
    'user-agent': 'idp/test',
  })
  expect(JSON.parse(bodies[1] ?? '')).toEqual({
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    propagationPolicy: 'Orphan',
    preconditions: { uid: 'x' },
    dryRun: ['All'],
  })
})

test.each<[string, 'get' | 'create', number, Record<string, string>, number]>([
  ['a read is repeated after a server error', 'get', 500, {}, 3],
  ['a read is repeated after a gateway error', 'get', 502, {}, 3],
  ['a write is repeated when the server asks for it', 'create', 503, { 'retry-after': '1' }, 3],
  ['a write is repeated when there were too many', 'create', 429, {}, 3],
  ['a write is not repeated after a server error, which may have come after it was done', 'create', 500, {}, 1],
  ['a refusal is not repeated', 'get', 403, {}, 1],
])('%s', async (_name, verb, code, headers, want) => {
  const { client, asked } = await start(refusing(code, 2, headers))
  const outcome = await (verb === 'get' ? client.get({ ...maps, name: 'a' }) : client.create(maps, object))
  expect(asked).toHaveLength(want)
  expect(outcome.ok).toBe(want > 1)
})

test('waits at least as long as the server asks, and longer every time', async () => {
  const patient = await start(refusing(429, 2, { 'retry-after': '7' }))
  await patient.client.get({ ...maps, name: 'a' })
  for (const ms of patient.slept) expect(ms).toBeGreaterThanOrEqual(7_000)
  const { client, slept, asked } = await start(refusing(503, 100))
  const outcome = await client.get({ ...maps, name: 'a' })
  expect(outcome).toMatchObject({ ok: false, error: { code: 503, reason: 'ServiceUnavailable' } })
  expect(asked).toHaveLength(6)
  for (const [at, ms] of slept.entries()) {
    expect(ms).toBeGreaterThanOrEqual(100 * 2 ** at)
    expect(ms).toBeLessThanOrEqual(200 * 2 ** at)
  }
})

test('a connection that breaks: reads are repeated, writes are thrown, and no error knows the token', async () => {
  const { client, asked, url } = await start((response) => response.destroy())
  const reading = await client.get({ ...maps, name: 'a' }).catch((error: unknown) => error)
  expect(asked).toHaveLength(6)
  const writing = await client.create(maps, object).catch((error: unknown) => error)
  expect(asked).toHaveLength(7)
  for (const error of [reading, writing]) {
    expect(describeError(error)).toContain(`cannot reach ${url}`)
    expect(describeError(error) + JSON.stringify(error)).not.toContain('secret-token')
  }
})

test('a call that is given up while it waits ends with the reason', async () => {
  const stopping = new AbortController()
  const { client } = await start(() => stopping.abort(new Error('enough')))
  await expect(client.get({ ...maps, name: 'a' }, { signal: stopping.signal })).rejects.toThrow('enough')
})

test.each<[string, Answer, object]>([
  [
    'a Status',
    (response) =>
      json(response, 404, { kind: 'Status', status: 'Failure', reason: 'NotFound', message: 'no', code: 404 }),
    { reason: 'NotFound', message: 'no' },
  ],
  [
    'text of a gateway',
    (response) => response.writeHead(403).end('<b>denied</b>'),
    { reason: 'Forbidden', code: 403, message: expect.stringContaining('denied') as string },
  ],
  ['nothing', (response) => response.writeHead(409).end(), { reason: 'Conflict', code: 409 }],
  ['an unknown code', (response) => response.writeHead(418).end(), { reason: 'BadRequest', code: 418 }],
  [
    'seconds to wait',
    (response) =>
      json(response, 422, { kind: 'Status', reason: 'Invalid', message: 'no', code: 422 }, { 'retry-after': '3' }),
    { details: { retryAfterSeconds: 3 } },
  ],
])('a refusal that is %s becomes a Status', async (_what, answer, want) => {
  const { client } = await start(answer)
  expect(await client.create(maps, object)).toMatchObject({ ok: false, error: want })
})

test('an answer that is no object is thrown', async () => {
  const { client } = await start((response) => response.end('<html>'))
  await expect(client.get({ ...maps, name: 'a' })).rejects.toThrow(/it is not JSON/)
})

test('items of a list say what they are', async () => {
  const { client } = await start((response) =>
    json(response, 200, {
      apiVersion: 'v1',
      kind: 'ConfigMapList',
      metadata: {},
      items: [{ metadata: { name: 'a' } }],
    }),
  )
  expect(await client.list(maps)).toMatchObject({ value: { items: [{ apiVersion: 'v1', kind: 'ConfigMap' }] } })
})

test('warnings of the server are told', async () => {
  const { client, warnings } = await start((response) => {
    response.setHeader('warning', ['299 - "v1beta1 is \\"old\\""', '299 - "two, of them"'])
    json(response, 200, object)
  })
  await client.get({ ...maps, name: 'a' })
  expect(warnings).toEqual(['v1beta1 is "old"', 'two, of them'])
})

async function eventsOf(bench: HttpBench): Promise<readonly (WatchEvent | string)[]> {
  const events: (WatchEvent | string)[] = []
  try {
    for await (const event of bench.client.watch(maps, { resourceVersion: '5' })) events.push(event)
  } catch (error) {
    events.push(describeError(error))
  }
  return events
}

test('events arrive one by one, however the stream is cut', async () => {
  const lines = ['ADDED', 'MODIFIED', 'BOOKMARK'].map((type) =>
    JSON.stringify({ type, object: { ...object, data: { a: 'ü😀' } } }),
  )
  const bytes = Buffer.from(`${lines.join('\n')}\n`)
  const bench = await start((response) => {
    for (let at = 0; at < bytes.length; at += 3) response.write(bytes.subarray(at, at + 3))
    response.end()
  })
  expect(await eventsOf(bench)).toMatchObject([
    { type: 'ADDED', object: { data: { a: 'ü😀' } } },
    { type: 'MODIFIED' },
    { type: 'BOOKMARK' },
  ])
  expect(bench.asked).toEqual(['GET /api/v1/namespaces/default/configmaps?watch=true&resourceVersion=5'])
})

test('an error event is the last; a refused watch is one too; a broken one is thrown', async () => {
  const status = { kind: 'Status', reason: 'Expired', code: 410, message: 'too old' }
  const failed = await start((response) =>
    response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n{"type":"ADDED"`),
  )
  expect(await eventsOf(failed)).toMatchObject([
    { type: 'ERROR', object: { reason: 'Expired', code: 410, status: 'Failure' } },
  ])
  const refused = await start((response) => json(response, 503, {}, { 'retry-after': '9' }))
  expect(await eventsOf(refused)).toMatchObject([
    { type: 'ERROR', object: { code: 503, details: { retryAfterSeconds: 9 } } },
  ])
  expect(refused.asked).toHaveLength(1)
  const broken = await start((response) => {
    response.write(`${JSON.stringify({ type: 'ADDED', object })}\n{"type":"MOD`)
    setImmediate(() => response.destroy())
  })
  const [first, last, ...more] = await eventsOf(broken)
  expect(first).toMatchObject({ type: 'ADDED' })
  expect(last).toContain('the watch of configmaps was cut off')
  expect(more).toEqual([])
})

test('lines are cut at newlines only, empty ones are left out, and the last needs none', async () => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const text of ['a', 'b\nc\n\n', '', 'd\u2028', 'e']) yield Buffer.from(text)
  }
  const lines: string[] = []
  for await (const line of linesOf(chunks())) lines.push(line)
  expect(lines).toEqual(['ab', 'c', 'd\u2028e'])
})

test('a token file is read again after a minute, and at once when the token is refused', async () => {
  const path = join(root, 'token')
  writeFileSync(path, 'one\n')
  const clock = movableClock()
  let refused = ''
  const bench = await start(
    (response, turn) => json(response, bench.headers[turn - 1]?.authorization === refused ? 401 : 200, object),
    { credentials: { by: 'token-file', path }, clock },
  )
  const get = () => bench.client.get({ ...maps, name: 'a' })
  await get()
  writeFileSync(path, 'two\n')
  await get()
  await clock.advance(60_000)
  await get()
  writeFileSync(path, 'three\n')
  refused = 'Bearer two'
  expect((await get()).ok).toBe(true)
  expect(bench.headers.map(({ authorization }) => authorization)).toEqual(
    ['one', 'one', 'two', 'two', 'three'].map((token) => `Bearer ${token}`),
  )
})

/** A plugin that counts its calls and prints what it is told to. */
function pluginThat(prints: string, then = 'exit 0'): { readonly path: string; readonly calls: () => string[] } {
  const path = join(root, `plugin-${Math.abs(prints.length * 31 + then.length)}`)
  const log = `${path}.log`
  writeFileSync(path, `#!/bin/sh\necho "$MINE $KUBERNETES_EXEC_INFO" >> ${log}\ncat <<'END'\n${prints}\nEND\n${then}\n`)
  chmodSync(path, 0o755)
  return { path, calls: () => readFileSync(log, 'utf8').trim().split('\n') }
}

const apiVersion = 'client.authentication.k8s.io/v1'
const byPlugin = (command: string, more: object = {}) =>
  ({ by: 'exec', plugin: { apiVersion, command, args: [], environment: { MINE: 'yes' }, ...more } }) as const

test('a plugin is asked once, told about the cluster when it wants, and asked again before its credential expires', async () => {
  const status = { token: 'from-plugin', expirationTimestamp: '2026-01-01T00:10:00Z' }
  const { path, calls } = pluginThat(JSON.stringify({ apiVersion, kind: 'ExecCredential', status }))
  const clock = movableClock(Date.UTC(2026, 0, 1))
  const credentials = byPlugin(path, { cluster: { server: 'https://c' } })
  const { client, headers } = await start((response) => json(response, 200, object), { credentials, clock })
  await Promise.all([client.get({ ...maps, name: 'a' }), client.get({ ...maps, name: 'b' })])
  expect(headers.map(({ authorization }) => authorization)).toEqual(['Bearer from-plugin', 'Bearer from-plugin'])
  const [call = '', ...more] = calls()
  expect(more).toEqual([])
  expect(call).toMatch(/^yes /)
  expect(JSON.parse(call.slice(4))).toEqual({
    apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, cluster: { server: 'https://c' } },
  })
  await clock.advance(9 * 60_000)
  await client.get({ ...maps, name: 'a' })
  expect(calls()).toHaveLength(1)
  await clock.advance(55_000)
  await client.get({ ...maps, name: 'a' })
  expect(calls()).toHaveLength(2)
})

test.each<[string, string, string, RegExp]>([
  [
    'fails',
    '{"token":"secret-answer"}',
    'echo "please log in" >&2; exit 3',
    /it failed with exit code 3: please log in$/,
  ],
  ['prints no JSON', 'secret-answer', 'exit 0', /they are not JSON$/],
  ['answers something else', '{"kind":"Pod"}', 'exit 0', /no ExecCredential$/],
  [
    'answers nothing',
    JSON.stringify({ apiVersion, kind: 'ExecCredential', status: {} }),
    'exit 0',
    /neither a token nor/,
  ],
])('a plugin that %s is told about, without what it printed', async (_what, prints, then, message) => {
  const { path } = pluginThat(prints, then)
  const { client } = await start((response) => json(response, 200, object), { credentials: byPlugin(path) })
  const error = await client.get({ ...maps, name: 'a' }).catch((thrown: unknown) => thrown)
  expect(describeError(error)).toMatch(message)
  expect(describeError(error)).not.toContain('secret-answer')
})

test('a plugin that is not installed is told with its hint', async () => {
  const credentials = byPlugin('idp-no-such-plugin', { installHint: 'install it with care' })
  const { client } = await start((response) => json(response, 200, object), {
    credentials,
    environment: { PATH: '/bin' },
  })
  await expect(client.get({ ...maps, name: 'a' })).rejects.toThrow(/it is not installed \(install it with care\)/)
})

test('requests go through the proxy that the kubeconfig names, and it does not see what they carry', async () => {
  const seen: string[] = []
  const proxy = createServer()
  proxy.on('connect', (request, socket: Socket) => {
    seen.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`)
    const [host, port] = (request.url ?? '').split(':')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const { client, url } = await start((response) => json(response, 200, object), { proxyUrl })
  expect(await client.get({ ...maps, name: 'a' })).toMatchObject({ ok: true })
  expect(seen).toEqual([expect.stringContaining(`CONNECT ${new URL(url).host}`)])
  expect(seen[0]).not.toContain('secret-token')
  await client.close()
  proxy.closeAllConnections()
  await new Promise((resolve) => proxy.close(resolve))
})

test.each([
  ['https://example.com', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
  ['https://example.com', { https_proxy: 'p:1' }, 'http://p:1'],
  ['https://example.com', { HTTP_PROXY: 'http://p:1' }, undefined],
  ['https://127.0.0.1:6443', { HTTPS_PROXY: 'http://p:1' }, undefined],
  ['https://a.example.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'x, .example.com' }, undefined],
  ['https://a.example.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'ample.com' }, 'http://p:1'],
  ['https://a.example.com:1', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'a.example.com:2' }, 'http://p:1'],
  ['https://a.example.com', { HTTPS_PROXY: 'http://p:1', no_proxy: '*' }, undefined],
])('%s with %j goes through %j', (server, environment, want) => {
  expect(proxyFromEnvironment(new URL(server), environment)).toBe(want)
})
