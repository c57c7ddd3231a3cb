import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { request } from 'node:https'
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  createServer as createHttp2,
  type IncomingHttpHeaders,
} from 'node:http2'
import { createServer as createTcp } from 'node:net'
import { createServer as createTls, connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { noFilters } from '../table/route.ts'
import { compilePort, type ListenerSpec } from '../table/table.ts'
import { listener, rule, TestGateway, testAuthority } from './proxy.testkit.ts'

const authority = testAuthority()
let gateway: TestGateway
const sessions: ClientHttp2Session[] = []
beforeEach(() => {
  gateway = new TestGateway()
})
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  await gateway.close()
})

const https = (
  host: string | undefined,
  rules: ListenerSpec['routes'][number]['rules'],
  ...names: string[]
): ListenerSpec =>
  listener(rules, {
    name: `team/gateway/${host ?? 'any'}`,
    host,
    mode: 'https',
    port: 443,
    certificates: [authority.pair(...names)],
  })

async function ask(
  port: number,
  host: string,
  more: object = {},
): Promise<{ status: number; body: string; names: string | undefined }> {
  const call = request({
    port,
    host: '127.0.0.1',
    servername: host,
    ca: authority.cert,
    agent: false,
    headers: { host },
    ...more,
  })
  call.end()
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  const names = (response.socket as TLSSocket).getPeerCertificate().subjectaltname
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), names }
}

interface H2Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly trailers: IncomingHttpHeaders
}

async function ask2(session: ClientHttp2Session, headers: Record<string, string>, body?: string): Promise<H2Answer> {
  const stream = session.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  let trailers: IncomingHttpHeaders = {}
  stream.on('trailers', (some: IncomingHttpHeaders) => (trailers = some))
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders]
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return { status: Number(head[':status']), headers: head, body: Buffer.concat(chunks).toString(), trailers }
}

async function session(url: string, options: object = {}): Promise<ClientHttp2Session> {
  const made = connectHttp2(url, { ca: authority.cert, ...options })
  made.on('error', () => {})
  sessions.push(made)
  await once(made, 'connect')
  return made
}

async function handshake(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority.cert, ...options })
  try {
    await once(socket, 'secureConnect')
    return `${socket.getProtocol()} ${String(socket.alpnProtocol)}`
  } catch (error) {
    return String(error)
  } finally {
    socket.destroy()
  }
}

describe('a listener of HTTPS', () => {
  test('is chosen by the name in the greeting, with its certificate and its routes', async () => {
    const to = await gateway.backend('team/web:80', (request_, response) =>
      response.end(request_.headers['x-forwarded-proto']),
    )
    const gone = { do: 'refuse' as const, status: 500, because: 'another' }
    const { port } = await gateway.port([
      https('a.example', [rule(to)], 'a.example'),
      https('*.b.example', [rule(gone)], '*.b.example'),
    ])
    expect(await ask(port, 'a.example')).toEqual({ status: 200, body: 'https', names: 'DNS:a.example' })
    expect(await ask(port, 'c.b.example')).toMatchObject({ status: 500, names: 'DNS:*.b.example' })
    await expect(ask(port, 'c.other')).rejects.toThrow(/ECONNRESET|hang up|disconnected/)
    // A connection for one host asks for another: it has to be opened for that one.
    expect((await ask(port, 'a.example', { headers: { host: 'c.b.example' } })).status).toBe(421)
    expect((await ask(port, 'a.example', { headers: { host: 'c.other' } })).status).toBe(404)
  })

  test('speaks TLS 1.2 and 1.3 only, and agrees on HTTP/2', async () => {
    const { port } = await gateway.port([https('a.example', [], 'a.example')])
    const servername = 'a.example'
    expect(await handshake(port, { servername, ALPNProtocols: ['h2', 'http/1.1'] })).toBe('TLSv1.3 h2')
    expect(await handshake(port, { servername, maxVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] })).toBe(
      'TLSv1.2 http/1.1',
    )
    expect(await handshake(port, { servername })).toBe('TLSv1.3 false')
    const old = { servername, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const
    expect(await handshake(port, old)).toMatch(/Error/)
    expect(await handshake(port, {})).toMatch(/Error/)
  })

  test('shows a renewed certificate to the next client, while connections go on', async () => {
    const to = await gateway.backend('team/web:80', (_request, response) => response.end('ok'))
    const { port, server } = await gateway.port([https('a.example', [rule(to)], 'a.example')])
    const first = await session(`https://127.0.0.1:${port}`, { servername: 'a.example' })
    const heads = { ':path': '/', ':authority': 'a.example' }
    expect((await ask2(first, heads)).body).toBe('ok')
    const listeners = [https('a.example', [rule(to)], 'a.example', 'renewed.example')]
    server.update(compilePort({ address: '127.0.0.1', port, listeners }))
    expect((await ask(port, 'a.example')).names).toBe('DNS:a.example, DNS:renewed.example')
    expect((await ask2(first, heads)).body).toBe('ok')
  })

  test('without a hostname also serves clients that name nobody', async () => {
    const to = await gateway.backend('team/web:80', (_request, response) => response.end('any'))
    const { port } = await gateway.port([https(undefined, [rule(to)], 'a.example')])
    const unnamed = { servername: '', checkServerIdentity: () => undefined }
    expect(await ask(port, 'a.example', unnamed)).toMatchObject({ status: 200, body: 'any' })
  })

  test('asks clients for a certificate where that is wanted', async () => {
    const to = await gateway.backend('team/web:80', (_request, response) => response.end('in'))
    const listeners = [https('a.example', [rule(to)], 'a.example')]
    const clients = { id: 'ca', authorities: authority.cert, isOptional: false }
    const { port, server } = await gateway.port(listeners, { clients })
    const { cert, key } = authority.pair('client')
    expect((await ask(port, 'a.example', { cert, key })).body).toBe('in')
    await expect(ask(port, 'a.example')).rejects.toThrow(/certificate required|hang up|ECONNRESET/)
    const stranger = testAuthority().pair('client')
    await expect(ask(port, 'a.example', { cert: stranger.cert, key: stranger.key })).rejects.toThrow(
      /unknown ca|SSL|hang up|ECONNRESET/,
    )
    server.update(compilePort({ address: '127.0.0.1', port, listeners, clients: { ...clients, isOptional: true } }))
    expect((await ask(port, 'a.example')).body).toBe('in')
  })
})

test('a WebSocket goes through TLS', async () => {
  const server = createServer()
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, { headers }) => socket.send(String(headers['x-forwarded-proto'])))
  const to = gateway.endpoints('team/ws:80', [await gateway.listen(server)])
  const { port } = await gateway.port([https('a.example', [rule(to)], 'a.example')])
  const options = { ca: authority.cert, servername: 'a.example', headers: { host: 'a.example' } }
  const client = new WebSocket(`wss://127.0.0.1:${port}/`, options)
  const [data] = await once(client, 'message')
  expect(String(data)).toBe('https')
  client.close()
  await once(client, 'close')
  sockets.close()
})

describe('a request of HTTP/2', () => {
  test('goes to a backend of HTTP/1.1, with its cookies in one', async () => {
    const { port } = await gateway.port([https('a.example', [rule(await gateway.backend('team/web:80'))], 'a.example')])
    const client = await session(`https://127.0.0.1:${port}`, { servername: 'a.example' })
    const stream = client.request({
      ':method': 'POST',
      ':path': '/x?y',
      ':authority': 'a.example',
      cookie: ['a=1', 'b=2'],
    })
    stream.end('body')
    const [head] = await once(stream, 'response')
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    const heard = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
    expect([head[':status'], head.connection]).toEqual([200, undefined])
    expect(heard).toMatchObject({ method: 'POST', url: '/x?y', body: 'body' })
    expect(heard['headers']).toMatchObject({ host: 'a.example', cookie: 'a=1; b=2', 'x-forwarded-proto': 'https' })
  })

  test('comes in the clear too, and many at once', async () => {
    const to = await gateway.backend('team/web:80', ({ url }, response) => response.end(url))
    const { port } = await gateway.port([listener([rule(to)])])
    const client = await session(`http://127.0.0.1:${port}`)
    const asked = Array.from({ length: 50 }, (_, at) => ask2(client, { ':path': `/${at}`, ':authority': 'a' }))
    expect((await Promise.all(asked)).map(({ body }) => body)).toEqual(Array.from({ length: 50 }, (_, at) => `/${at}`))
    expect((await ask2(client, { ':path': '/', ':authority': 'a', host: 'b' })).status).toBe(400)
  })

  test('carries large bodies at the pace of who reads them, both ways', async () => {
    const size = 4 * 1024 * 1024
    const to = await gateway.backend('team/echo:80', (upload, response) => {
      response.writeHead(200)
      upload.pipe(response)
    })
    const { port } = await gateway.port([https('a.example', [rule(to)], 'a.example')])
    const client = await session(`https://127.0.0.1:${port}`, { servername: 'a.example' })
    const stream = client.request({ ':method': 'POST', ':path': '/', ':authority': 'a.example' })
    let written = 0
    const write = (): void => {
      while (written < size) {
        written += 65_536
        if (!stream.write(Buffer.alloc(65_536, written / 65_536))) {
          stream.once('drain', write)
          return
        }
      }
      stream.end()
    }
    write()
    let read = 0
    let sum = 0
    for await (const chunk of stream) {
      read += (chunk as Buffer).length
      for (let at = 0; at < (chunk as Buffer).length; at += 4_096) sum = (sum + (chunk as Buffer)[at]!) % 65_521
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(read).toBe(size)
    expect(sum).toBeGreaterThan(0)
  })

  test.each([
    {
      name: 'heads',
      answer: 'HTTP/1.1 200 OK\r\ncontent-type: a\r\ncontent-type: b\r\ncontent-length: 0\r\n\r\n',
      want: 502,
    },
    {
      name: 'trailers',
      answer: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-type: a\r\ncontent-type: b\r\n\r\n',
      want: 200,
    },
  ])('survives a backend whose $name cannot be said in HTTP/2', async ({ answer, want }) => {
    const backend = createTcp((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.write(answer))
    })
    const to = gateway.endpoints('team/odd:80', [await gateway.listen(backend as never)])
    const { port } = await gateway.port([listener([rule(to)])])
    const client = await session(`http://127.0.0.1:${port}`)
    const stream = client.request({ ':path': '/', ':authority': 'a' })
    stream.on('error', () => {})
    const closed = once(stream, 'close').catch(() => {})
    const [head] = await once(stream, 'response')
    stream.resume()
    await closed
    expect(head[':status']).toBe(want)
    expect((await ask2(client, { ':path': '/', ':authority': 'a', host: 'b' })).status).toBe(400)
  })

  test('that is taken back again and again ends the connection', async () => {
    const to = await gateway.backend('team/web:80', () => {})
    const { port } = await gateway.port([listener([rule(to)])])
    const client = await session(`http://127.0.0.1:${port}`)
    const closed = once(client, 'close')
    const more = (): void => {
      for (let at = 0; at < 50 && !client.destroyed; at++) {
        const stream = client.request({ ':path': '/', ':authority': 'a' })
        stream.on('error', () => {})
        stream.close(constants.NGHTTP2_CANCEL)
      }
      if (!client.destroyed) setImmediate(more)
    }
    more()
    await closed
    const next = await session(`http://127.0.0.1:${port}`)
    expect((await ask2(next, { ':path': '/', ':authority': 'a', host: 'b' })).status).toBe(400)
  })
})

describe('a call of gRPC', () => {
  const grpc = { 'content-type': 'application/grpc', te: 'trailers', ':method': 'POST', ':authority': 'a' }

  test('goes through HTTP/2 all the way, with its trailers', async () => {
    const server = createHttp2()
    server.on('stream', (stream, headers) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-te': String(headers['te']) }))
      stream.on('data', (chunk) => stream.write(chunk))
      stream.on('end', () => stream.end())
    })
    const to = gateway.endpoints('team/grpc:9000', [await gateway.listen(server as never)])
    const { port } = await gateway.port([listener([rule({ ...to, protocol: 'h2c' }, { isGrpc: true })])])
    const client = await session(`http://127.0.0.1:${port}`)
    const answers = await Promise.all(
      Array.from({ length: 120 }, (_, at) =>
        ask2(client, { ...grpc, ':path': '/pkg.Service/Method' }, `message ${at}`),
      ),
    )
    expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 120 }, (_, at) => `message ${at}`))
    expect(answers[0]?.trailers).toMatchObject({ 'grpc-status': '0', 'x-te': 'trailers' })
  })

  test.each([
    { name: 'no route', path: '/other', want: '12' },
    { name: 'no endpoints', path: '/empty', want: '14' },
  ])('is refused in its own terms: $name', async ({ path, want }) => {
    const { port } = await gateway.port([listener([rule(gateway.endpoints('team/empty:80', []), {}, '/empty')])])
    const client = await session(`http://127.0.0.1:${port}`)
    const { status, headers } = await ask2(client, { ...grpc, ':path': path }, '')
    expect([status, headers['grpc-status']]).toEqual([200, want])
  })
})

describe('a connection that is not ours to read', () => {
  const stream = (name: string, to: ReturnType<TestGateway['endpoints']>, hosts: readonly string[]) => ({
    route: `TLSRoute/team/${name}`,
    namespace: 'team',
    name,
    createdMs: 0,
    hosts,
    backends: [{ weight: 1, target: to, filters: noFilters }],
  })

  test('goes to the backend whose name it greets, beside listeners that are ours', async () => {
    const own = authority.pair('secret.example')
    const backend = createTls({ cert: own.cert, key: own.key }, (socket) => socket.end('from the backend'))
    const to = gateway.endpoints('team/secret:443', [await gateway.listen(backend as never)])
    const web = await gateway.backend('team/web:80', (_request, response) => response.end('web'))
    const { port } = await gateway.port([
      https('a.example', [rule(web)], 'a.example'),
      listener([], {
        host: 'secret.example',
        mode: 'passthrough',
        port: 443,
        streams: [stream('s', to, ['secret.example'])],
      }),
    ])
    const socket = connect({ port, host: '127.0.0.1', servername: 'secret.example', ca: authority.cert })
    const [data] = await once(socket, 'data')
    expect([String(data), socket.authorized, socket.getPeerCertificate().subjectaltname]).toEqual([
      'from the backend',
      true,
      'DNS:secret.example',
    ])
    socket.destroy()
    expect((await ask(port, 'a.example')).body).toBe('web')
    expect(await handshake(port, { servername: 'unknown.example' })).toMatch(/Error/)
  })

  test('is opened for a route that takes what is inside', async () => {
    const inside = createServer((_request, response) => response.end('inside'))
    const to = gateway.endpoints('team/inside:80', [await gateway.listen(inside)])
    const { port } = await gateway.port([
      listener([], {
        host: 'a.example',
        mode: 'terminate',
        port: 443,
        certificates: [authority.pair('a.example')],
        streams: [stream('t', to, ['a.example'])],
      }),
    ])
    expect(await ask(port, 'a.example')).toEqual({ status: 200, body: 'inside', names: 'DNS:a.example' })
    const offers = { servername: 'a.example', ALPNProtocols: ['h2', 'http/1.1'] }
    expect(await handshake(port, offers)).toBe('TLSv1.3 http/1.1')
  })
})

describe('a backend that speaks TLS', () => {
  test.each([
    { name: 'is verified', tls: {}, want: 200 },
    {
      name: 'has one of the names that are allowed',
      tls: { names: [{ type: 'Hostname' as const, value: 'b.internal' }] },
      want: 200,
    },
    { name: 'has another name', tls: { hostname: 'c.internal' }, want: 502 },
    { name: 'has none of the names', tls: { names: [{ type: 'Hostname' as const, value: 'c.internal' }] }, want: 502 },
    { name: 'has no such URI', tls: { names: [{ type: 'URI' as const, value: 'spiffe://x' }] }, want: 502 },
    { name: 'has another authority', tls: { authorities: testAuthority().cert }, want: 502 },
  ])('$name: $want', async ({ name, tls, want }) => {
    const own = authority.pair('b.internal')
    const { createServer: createHttps } = await import('node:https')
    const server = createHttps({ cert: own.cert, key: own.key }, (_request, response) => response.end('secured'))
    const to = gateway.endpoints('team/tls:443', [await gateway.listen(server)])
    const policy = { hostname: 'b.internal', authorities: authority.cert, names: [], id: name, ...tls }
    const { port } = await gateway.port([listener([rule({ ...to, tls: policy })])])
    const call = httpRequest({ port, host: '127.0.0.1', headers: { host: 'a' }, agent: false })
    call.end()
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    response.resume()
    expect(response.statusCode).toBe(want)
  })
})
