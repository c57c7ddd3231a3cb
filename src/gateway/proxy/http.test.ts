import { once } from 'node:events'
import { createServer, request, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { compilePort } from '../table/table.ts'
import { type Heard, listener, raw, rule, TestGateway } from './proxy.testkit.ts'

let gateway: TestGateway
beforeEach(() => {
  gateway = new TestGateway()
})
afterEach(() => gateway.close())

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: string } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options
  const call = request({
    port,
    host: '127.0.0.1',
    path,
    method,
    headers: { host: 'a.example', ...headers },
    agent: false,
  })
  call.end(body)
  const [response] = await once(call, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }
}

const heardOf = (answer: Answer): Heard => JSON.parse(answer.body) as Heard

describe('a request of HTTP/1.1', () => {
  test('reaches its backend with what a backend needs to know, and its answer the client', async () => {
    const { port } = await gateway.port([listener([rule(await gateway.backend('team/web:80'))])])
    const answer = await ask(port, '/path?query=1', {
      method: 'POST',
      body: 'hello',
      headers: {
        'x-forwarded-for': '1.2.3.4',
        'x-forwarded-proto': 'gopher',
        connection: 'x-private',
        'x-private': 'p',
      },
    })
    expect([answer.status, answer.headers['x-backend']]).toEqual([200, 'yes'])
    const { headers, ...heard } = heardOf(answer)
    expect(heard).toEqual({ method: 'POST', url: '/path?query=1', body: 'hello' })
    expect(headers).toMatchObject({
      host: 'a.example',
      'x-forwarded-for': '1.2.3.4, 127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.example',
      'x-forwarded-port': '80',
    })
    expect(headers).not.toHaveProperty('x-private')
    expect(gateway.metrics.text()).toContain('idp_gateway_requests_total{route="HTTPRoute/team/web",status="200"} 1')
  })

  test.each([
    { name: 'no route', path: '/other', want: 404 },
    { name: 'no listener for the host', path: '/', headers: { host: 'b.other' }, want: 404 },
    { name: 'a backend that is none', path: '/none', want: 500 },
    { name: 'a Service without endpoints', path: '/empty', want: 503 },
    { name: 'a backend that does not listen', path: '/dead', want: 502 },
    { name: 'a backend that does not listen, with a body', path: '/dead', body: 'x', want: 502 },
    { name: 'a path that is none', path: '/a%00', want: 400 },
  ])('is refused: $name', async ({ path, want, ...options }) => {
    const dead = createServer()
    const endpoint = await gateway.listen(dead)
    dead.close()
    const none = { do: 'refuse' as const, status: 500, because: 'the Service does not exist' }
    const empty = gateway.endpoints('team/empty:80', [], 'the Pod is simulated')
    const rules = [
      rule(none, {}, '/none'),
      rule(empty, {}, '/empty'),
      rule(gateway.endpoints('team/dead:80', [endpoint]), {}, '/dead'),
    ]
    const { port } = await gateway.port([listener(rules, { host: '*.example' })])
    const answer = await ask(port, path, { ...options, method: 'body' in options ? 'POST' : 'GET' })
    expect(answer.status).toBe(want)
    expect(answer.body).not.toBe('')
  })

  test('is answered by filters: redirects, and changes of headers and paths', async () => {
    const to = await gateway.backend('team/web:80')
    const rules = [
      rule(to, { filters: { mirrors: [], redirect: { status: 301, scheme: 'https' } } }, '/away'),
      rule(
        to,
        {
          filters: {
            mirrors: [],
            rewrite: { hostname: 'b.example', path: { replace: 'prefix', value: '/new' } },
            requestHeaders: { set: [['X-Set', 'set']], add: [['X-Add', 'more']], remove: ['x-gone'] },
            responseHeaders: { set: [['x-backend', 'no']], add: [['x-more', '1']], remove: ['content-type'] },
          },
        },
        '/old',
      ),
    ]
    const { port } = await gateway.port([listener(rules)])
    const away = await ask(port, '/away?x')
    expect([away.status, away.headers.location]).toEqual([301, 'https://a.example/away?x'])
    const answer = await ask(port, '/old/page?q', { headers: { 'x-add': 'one', 'X-Gone': 'x' } })
    expect(answer.headers).toMatchObject({ 'x-backend': 'no', 'x-more': '1' })
    expect(answer.headers).not.toHaveProperty('content-type')
    const { url, headers } = heardOf(answer)
    expect(url).toBe('/new/page?q')
    expect(headers).toMatchObject({ host: 'b.example', 'x-set': 'set', 'x-add': 'one, more' })
    expect(headers).not.toHaveProperty('x-gone')
  })

  test('is copied to a mirror whose answer nobody waits for', async () => {
    const to = await gateway.backend('team/web:80')
    let copied: (body: string) => void
    const copy = new Promise<string>((resolve) => (copied = resolve))
    const mirror = await gateway.backend('team/mirror:80', (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        copied(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`)
        response.writeHead(500).end('ignored')
      })
    })
    const filters = { mirrors: [{ to: mirror, share: 1 }] }
    const { port } = await gateway.port([listener([rule(to, { filters })])])
    const answer = await ask(port, '/x', { method: 'PUT', body: 'twice' })
    expect([answer.status, heardOf(answer).body, await copy]).toEqual([200, 'twice', 'PUT /x twice'])
  })

  test('is shared out by weight', async () => {
    const answers = { do: 'refuse' as const, because: 'x' }
    const backends = [
      { weight: 3, target: { ...answers, status: 500 }, filters: { mirrors: [] } },
      { weight: 1, target: { ...answers, status: 503 }, filters: { mirrors: [] } },
    ]
    const { port } = await gateway.port([listener([rule(answers as never, { backends })])])
    const counts = new Map<number, number>()
    for (let at = 0; at < 40; at++) {
      const { status } = await ask(port, '/')
      counts.set(status, (counts.get(status) ?? 0) + 1)
    }
    expect(Math.abs((counts.get(500) ?? 0) - 30)).toBeLessThanOrEqual(1)
    expect((counts.get(500) ?? 0) + (counts.get(503) ?? 0)).toBe(40)
  })

  test('that takes too long is answered 504, and a client that has begun to read is cut off', async () => {
    const slow = await gateway.backend('team/slow:80', (request, response) => {
      if (request.url === '/begun') response.writeHead(200).write('beginning')
    })
    const rules = [
      rule(slow, { requestTimeoutMs: 50 }, '/request'),
      rule(slow, { backendTimeoutMs: 50 }, '/backend'),
      rule(slow, { requestTimeoutMs: 50 }, '/begun'),
    ]
    const { port } = await gateway.port([listener(rules)])
    expect([(await ask(port, '/request')).status, (await ask(port, '/backend')).status]).toEqual([504, 504])
    await expect(ask(port, '/begun')).rejects.toThrow(/aborted|hang up/)
  })

  test('is tried again where a route says so, with its body', async () => {
    let count = 0
    const bodies: string[] = []
    const flaky = await gateway.backend('team/flaky:80', (request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => bodies.push(text))
      request.on('end', () => response.writeHead(++count < 3 ? 503 : 200).end(String(count)))
    })
    const retry = { codes: new Set([503]), attempts: 2, backoffMs: 1 }
    const { port } = await gateway.port([listener([rule(flaky, { retry })])])
    const answer = await ask(port, '/', { method: 'POST', body: 'again' })
    expect([answer.status, answer.body, bodies]).toEqual([200, '3', ['again', 'again', 'again']])
    count = -10
    expect((await ask(port, '/')).status).toBe(503)
    expect(count).toBe(-7)
  })

  test('passes over an endpoint that refuses connections', async () => {
    const dead = createServer()
    const nobody = await gateway.listen(dead)
    dead.close()
    const somebody = await gateway.listen(createServer((_request, response) => response.end('here')))
    const to = gateway.endpoints('team/web:80', [nobody, somebody])
    const { port } = await gateway.port([listener([rule(to)])])
    for (let at = 0; at < 8; at++) expect((await ask(port, '/', { method: 'POST', body: 'x' })).body).toBe('here')
    // After three failures it is not asked any more.
    expect(gateway.metrics.text()).toContain('idp_gateway_upstream_errors_total{route="HTTPRoute/team/web"} 3')
  })

  test('keeps the pace of a slow reader, and loses nothing', async () => {
    const size = 8 * 1024 * 1024
    let written = 0
    const big = await gateway.backend('team/big:80', (_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'x')
      const write = (): void => {
        while (written < size) {
          written += chunk.length
          if (!response.write(chunk)) {
            response.once('drain', write)
            return
          }
        }
        response.end()
      }
      write()
    })
    const { port } = await gateway.port([listener([rule(big)])])
    const call = request({ port, host: '127.0.0.1', path: '/', headers: { host: 'a.example' }, agent: false })
    call.end()
    const [response] = await once(call, 'response')
    // What fits into the sockets' buffers is sent; the rest waits for the reader.
    await once(response, 'readable')
    let read = 0
    for await (const chunk of response) read += chunk.length
    expect([read, written]).toEqual([size, size])
  })

  test('is told that its backend answers, before there is anything to read', async () => {
    let say: (text: string) => void
    const to = await gateway.backend('team/sse:80', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      say = (text) => void response.end(text)
    })
    const { port } = await gateway.port([listener([rule(to)])])
    const call = request({ port, host: '127.0.0.1', path: '/', headers: { host: 'a.example' }, agent: false })
    call.end()
    const [response] = await once(call, 'response')
    say!('data: 1')
    const [chunk] = await once(response, 'data')
    expect([response.headers['content-type'], String(chunk)]).toEqual(['text/event-stream', 'data: 1'])
  })

  test.each([
    { name: 'of a known length', headers: { 'content-length': String(8 * 1024 * 1024) } },
    { name: 'in chunks', headers: { 'transfer-encoding': 'chunked' } },
  ])('has its body $name taken through at the pace of the backend', async ({ headers }) => {
    const to = await gateway.backend('team/upload:80', (upload, response) => {
      let length = 0
      upload.on('data', (chunk: Buffer) => {
        length += chunk.length
        upload.pause()
        setImmediate(() => upload.resume())
      })
      upload.on('end', () => response.end(`${length} ${upload.headers['content-length']}`))
    })
    const { port } = await gateway.port([listener([rule(to)])])
    const call = request({ port, host: '127.0.0.1', method: 'PUT', headers: { host: 'a', ...headers }, agent: false })
    for (let at = 0; at < 8; at++) if (!call.write(Buffer.alloc(1024 * 1024, at))) await once(call, 'drain')
    call.end()
    const [response] = await once(call, 'response')
    const [chunk] = await once(response, 'data')
    expect(String(chunk)).toBe(`${8 * 1024 * 1024} ${headers['content-length']}`)
  })

  test('whose client goes away is given up at the backend', async () => {
    let gone: () => void
    const isGone = new Promise<void>((resolve) => (gone = resolve))
    let begun: () => void
    const hasBegun = new Promise<void>((resolve) => (begun = resolve))
    const to = await gateway.backend('team/web:80', (request) => {
      request.socket.once('close', () => gone())
      begun()
    })
    const { port } = await gateway.port([listener([rule(to)])])
    const call = request({ port, host: '127.0.0.1', headers: { host: 'a.example' }, agent: false })
    call.on('error', () => {})
    call.end()
    await hasBegun
    call.destroy()
    await isGone
    expect(gateway.metrics.text()).toContain('status="499"')
  })

  test('whose client breaks off in its body is no failure of the backend', async () => {
    let begun: () => void
    const hasBegun = new Promise<void>((resolve) => (begun = resolve))
    const to = await gateway.backend('team/web:80', (upload) => {
      upload.on('error', () => {})
      upload.once('data', () => begun())
    })
    const { port } = await gateway.port([listener([rule(to)])])
    const call = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      headers: { host: 'a', 'content-length': '9' },
      agent: false,
    })
    call.on('error', () => {})
    call.write('half')
    await hasBegun
    call.destroy()
    while (!gateway.metrics.text().includes('status="499"')) await new Promise((resolve) => setImmediate(resolve))
    expect(gateway.metrics.text()).not.toContain('idp_gateway_upstream_errors_total{')
  })

  test('under way ends by the table that it began with', async () => {
    let go: () => void
    const held = await gateway.backend('team/web:80', (_request, response) => {
      go = () => response.end('old')
      begun()
    })
    let begun: () => void
    const hasBegun = new Promise<void>((resolve) => (begun = resolve))
    const { port, server } = await gateway.port([listener([rule(held)])])
    const first = ask(port, '/')
    await hasBegun
    server.update(compilePort({ address: '127.0.0.1', port, listeners: [listener([])] }))
    expect((await ask(port, '/')).status).toBe(404)
    const closing = server.close(10_000)
    go!()
    expect((await first).body).toBe('old')
    await closing
  })

  test('of a page of another origin is asked for first', async () => {
    const to = await gateway.backend('team/web:80', (_request, response) => {
      response.writeHead(200, { 'access-control-allow-origin': 'http://wrong' }).end('data')
    })
    const cors = {
      origins: ['https://page.example'],
      methods: ['PUT'],
      headers: [],
      expose: ['x-info'],
      hasCredentials: false,
      maxAgeSeconds: 5,
    }
    const { port } = await gateway.port([listener([rule(to, { filters: { mirrors: [], cors } })])])
    const origin = 'https://page.example'
    const asked = await ask(port, '/', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT' },
    })
    expect([asked.status, asked.headers['access-control-allow-methods']]).toEqual([204, 'PUT'])
    const answer = await ask(port, '/', { headers: { origin } })
    expect([answer.body, answer.headers['access-control-allow-origin']]).toEqual(['data', origin])
    const other = await ask(port, '/', { headers: { origin: 'https://other' } })
    expect(other.headers).not.toHaveProperty('access-control-allow-origin')
  })
})

describe('a WebSocket', () => {
  test('goes through, both ways', async () => {
    const server = createServer()
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket, { url }) => {
      socket.send(`hello ${url}`)
      socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`))
    })
    const to = gateway.endpoints('team/ws:80', [await gateway.listen(server)])
    const { port } = await gateway.port([listener([rule(to)])])
    const client = new WebSocket(`ws://127.0.0.1:${port}/chat`, { headers: { host: 'a.example' } })
    const heard: string[] = []
    client.on('message', (data: Buffer) => {
      heard.push(data.toString())
      if (heard.length === 1) client.send('x'.repeat(70_000))
      else client.close()
    })
    await once(client, 'close')
    expect(heard).toEqual(['hello /chat', `echo ${'x'.repeat(70_000)}`])
    sockets.close()
  })

  test('that a backend does not want gets its answer, and nothing after it reaches the backend', async () => {
    const paths: (string | undefined)[] = []
    const to = await gateway.backend('team/web:80', ({ url }, response) => {
      paths.push(url)
      response.writeHead(401).end('no')
    })
    const { port } = await gateway.port([listener([rule(to, {}, '/public')])])
    const upgrade = 'connection: upgrade\r\nupgrade: websocket\r\n'
    const answer = await raw(
      port,
      `GET /public HTTP/1.1\r\nhost: a\r\n${upgrade}\r\nGET /private HTTP/1.1\r\nhost: a\r\n\r\n`,
    )
    expect([answer.startsWith('HTTP/1.1 401'), answer.match(/HTTP/g)?.length, paths]).toEqual([true, 1, ['/public']])
  })

  test('is what only WebSockets become: other wishes are passed over', async () => {
    const { port } = await gateway.port([listener([rule(await gateway.backend('team/web:80'))])])
    const answer = await raw(
      port,
      'GET /x HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1.1 200 OK/)
    expect(gateway.heard[0]?.headers).not.toHaveProperty('upgrade')
  })
})

describe('a hostile client', () => {
  const cases = [
    {
      name: 'both lengths',
      send: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    },
    { name: 'two lengths', send: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcde' },
    { name: 'a length that is none', send: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +4\r\n\r\nabcd' },
    { name: 'an odd encoding', send: 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n' },
    {
      name: 'an encoding after chunked',
      send: 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
    },
    { name: 'a space before the colon', send: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length : 4\r\n\r\nabcd' },
    { name: 'a folded header', send: 'GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n z\r\n\r\n' },
    { name: 'a bad name', send: 'GET / HTTP/1.1\r\nhost: a\r\nx(y: z\r\n\r\n' },
    { name: 'two hosts', send: 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n' },
    { name: 'no host', send: 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n' },
    { name: 'a host that is none', send: 'GET / HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n' },
    { name: 'a zero byte', send: 'GET / HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n' },
    { name: 'a bare carriage return', send: 'GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n' },
    {
      name: 'a large head',
      send: `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`,
      want: /^HTTP\/1.1 431/,
    },
    { name: 'no HTTP', send: 'SSH-2.0-OpenSSH_9.2\r\n\r\n' },
    {
      name: 'a bad chunk',
      send: 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      want: /^(HTTP\/1.1 400|$)/,
    },
  ]
  test.each(cases)('is told so: $name', async ({ send, want = /^HTTP\/1.1 400/ }) => {
    const { port } = await gateway.port([listener([rule(await gateway.backend('team/web:80'))])])
    expect(await raw(port, send)).toMatch(want)
    expect(gateway.heard).toEqual([])
  })

  test('cannot reach a path by hiding it', async () => {
    const { port } = await gateway.port([listener([rule(await gateway.backend('team/web:80'), {}, '/public')])])
    const answer = await raw(port, 'GET /public/%2e%2e/private HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 404/)
  })

  test('is not passed on as what it says of itself', async () => {
    const { port } = await gateway.port([listener([rule(await gateway.backend('team/web:80'))])])
    const answer = await raw(
      port,
      'GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-host: evil\r\nx-forwarded-port: 1\r\nte: trailers\r\nconnection: close\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1.1 200/)
    expect(gateway.heard[0]?.headers).toMatchObject({ 'x-forwarded-host': 'a', 'x-forwarded-port': '80' })
    expect(gateway.heard[0]?.headers).not.toHaveProperty('te')
  })

  test('gets an answer while it waits for leave to send, and its bytes arrive', async () => {
    const { port } = await gateway.port([listener([rule(await gateway.backend('team/web:80'))])])
    const socket = connect(port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\nconnection: close\r\n\r\n')
    const [first] = await once(socket, 'data')
    expect(String(first)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write('hello')
    const [second] = await once(socket, 'data')
    expect(String(second)).toMatch(/^HTTP\/1.1 200/)
    expect(gateway.heard[0]).toMatchObject({ body: 'hello' })
    socket.destroy()
  })
})
