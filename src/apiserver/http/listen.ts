import { Buffer } from 'node:buffer'
import { type IncomingMessage, ServerResponse } from 'node:http'
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Clock } from '../../lib/clock.ts'
import type { CertificateSubject } from './exchange.ts'
import { type BodyOutcome, type ByteSink, type Exchange, LARGEST_BODY } from './exchange.ts'

/** Where and with which keys to listen. */
export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly key: string
  readonly cert: string
  /** The authority that signs client certificates. */
  readonly clientCa: string
  readonly clock: Clock
  readonly serve: (exchange: Exchange) => Promise<void>
}

/** A listening server. */
export interface Listening {
  readonly host: string
  readonly port: number
  /** Stops accepting, lets running requests finish for a while, then closes what is left. */
  close(graceMs: number): Promise<void>
}

const HANDSHAKE_MS = 10_000
const HEADERS_MS = 10_000
const REQUEST_MS = 60_000
const CHECK_MS = 5_000
const BODY_MS = 30_000
const IDLE_SESSION_MS = 15 * 60_000
const MOST_CONNECTIONS = 20_000
const LARGEST_HEADERS = 64 * 1024

const clientFaults: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
])

/** Listens for HTTP/2 and HTTP/1.1 over TLS on one port. */
export function listen(options: ListenOptions): Promise<Listening> {
  const { host, port, key, cert, clientCa, serve, clock } = options
  const server = createSecureServer({
    allowHTTP1: true,
    key,
    cert,
    ca: [clientCa],
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_MS,
    maxSessionMemory: 128,
    settings: { maxConcurrentStreams: 1_000, maxHeaderListSize: LARGEST_HEADERS, initialWindowSize: 1024 * 1024 },
  } as Parameters<typeof createSecureServer>[0])
  const sessions = new Map<ServerHttp2Session, SessionUse>()
  const sockets = new Set<TLSSocket>()
  // The HTTP/1.1 half reads these from the server itself.
  Object.assign(server, {
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: LARGEST_HEADERS,
    maxConnections: MOST_CONNECTIONS,
  })
  server.on('session', (session) => {
    sessions.set(session, { open: 0, isFresh: true })
    session.on('close', () => sessions.delete(session))
    session.on('error', () => session.destroy())
  })
  const stopSweeping = closeIdle(sessions, clock)
  server.on('secureConnection', (socket: TLSSocket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.setNoDelay(true)
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void serve(exchangeOfH1(request, response, clock))
  })
  server.on('upgrade', (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
    void serve(exchangeOfUpgrade(request, socket, head, clock))
  })
  // Listening for requests makes node wrap every h2 stream as one; the stream interface is twice as fast, so it replaces that.
  server.removeAllListeners('stream')
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    noteUse(sessions, stream)
    void serve(exchangeOfH2(stream, headers, clock))
  })
  server.on('tlsClientError', () => {})
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (socket.writable)
      socket.end(
        `HTTP/1.1 ${clientFaults.get(error.code ?? '') ?? '400 Bad Request'}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      )
    else socket.destroy()
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.removeListener('error', reject)
      const { address, port: bound } = server.address() as AddressInfo // A TCP server has one.
      resolve({
        host: address,
        port: bound,
        close(graceMs) {
          stopSweeping()
          return closeServer(server, sessions, sockets, { graceMs, clock })
        },
      })
    })
  })
}

interface SessionUse {
  open: number
  /** Whether anything was asked since the last sweep. */
  isFresh: boolean
}

function noteUse(sessions: ReadonlyMap<ServerHttp2Session, SessionUse>, stream: ServerHttp2Stream): void {
  const use = stream.session && sessions.get(stream.session as ServerHttp2Session)
  if (!use) return
  use.open++
  use.isFresh = true
  stream.once('close', () => use.open--)
}

/** Closes sessions on which nothing is open and nothing was asked for a while. */
function closeIdle(sessions: ReadonlyMap<ServerHttp2Session, SessionUse>, clock: Clock): () => void {
  let cancel = (): void => {}
  const sweep = (): void => {
    for (const [session, use] of sessions) {
      if (use.open === 0 && !use.isFresh) session.close()
      use.isFresh = false
    }
    cancel = clock.after(IDLE_SESSION_MS, sweep)
  }
  cancel = clock.after(IDLE_SESSION_MS, sweep)
  return () => cancel()
}

async function closeServer(
  server: Http2SecureServer,
  sessions: ReadonlyMap<ServerHttp2Session, SessionUse>,
  sockets: ReadonlySet<TLSSocket>,
  { graceMs, clock }: { readonly graceMs: number; readonly clock: Clock },
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  for (const session of sessions.keys()) session.close()
  const cancel = clock.after(graceMs, () => {
    for (const session of sessions.keys()) session.destroy()
    for (const socket of sockets) socket.destroy()
  })
  await closed
  cancel()
}

const subjects = new WeakMap<object, { readonly subject: CertificateSubject | undefined }>()

/** Who the connection's client certificate says the client is, if our authority signed it. */
function certificateOf(socket: unknown): CertificateSubject | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const known = subjects.get(socket)
  if (known) return known.subject
  const subject = socket.authorized ? readSubject(socket) : undefined
  subjects.set(socket, { subject })
  return subject
}

function readSubject(socket: TLSSocket): CertificateSubject | undefined {
  // Node's types have one string for each; a subject may hold several.
  const found = socket.getPeerCertificate()?.subject as
    | { readonly CN?: string | string[]; readonly O?: string | string[] }
    | undefined
  if (!found) return undefined
  const { CN = '', O = [] } = found
  return { commonName: Array.isArray(CN) ? (CN[0] ?? '') : CN, organizations: Array.isArray(O) ? O : [O] }
}

interface Readable {
  on(event: 'data', call: (chunk: Buffer) => void): unknown
  on(event: 'end' | 'aborted' | 'close', call: () => void): unknown
}

/** Collects a body up to the limit and for as long as is decent. */
function collect(stream: Readable, declared: string | undefined, clock: Clock): Promise<BodyOutcome> {
  if (declared !== undefined && Number(declared) > LARGEST_BODY)
    return Promise.resolve({ ok: false, because: 'too-large' })
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const finish = (outcome: BodyOutcome): void => {
      cancel()
      resolve(outcome)
    }
    const cancel = clock.after(BODY_MS, () => resolve({ ok: false, because: 'too-slow' }))
    stream.on('data', (chunk) => {
      size += chunk.length
      if (size > LARGEST_BODY) finish({ ok: false, because: 'too-large' })
      else chunks.push(chunk)
    })
    stream.on('end', () =>
      finish({ ok: true, body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) }),
    )
    stream.on('aborted', () => finish({ ok: false, because: 'aborted' }))
    stream.on('close', () => finish({ ok: false, because: 'aborted' }))
  })
}

interface Writable {
  write(bytes: Buffer): boolean
  end(bytes?: Buffer): unknown
  destroy(): unknown
  once(event: 'drain' | 'close', call: () => void): unknown
  removeListener(event: 'drain' | 'close', call: () => void): unknown
  readonly destroyed: boolean
  readonly writableEnded: boolean
  readonly writableLength: number
}

function sinkOf(stream: Writable): ByteSink {
  const isClosed = (): boolean => stream.destroyed || stream.writableEnded
  return {
    write: (bytes) => isClosed() || stream.write(bytes),
    drained: () =>
      new Promise((resolve) => {
        if (isClosed()) {
          resolve()
          return
        }
        const done = (): void => {
          stream.removeListener('drain', done)
          stream.removeListener('close', done)
          resolve()
        }
        stream.once('drain', done)
        stream.once('close', done)
      }),
    get waiting() {
      return stream.writableLength
    },
    end: (bytes) => void (isClosed() || stream.end(bytes)),
    destroy: () => void stream.destroy(),
    get isClosed() {
      return isClosed()
    },
  }
}

/** A signal that is only made when somebody asks for it. */
function closeSignal(stream: { once(event: 'close', call: () => void): unknown }): () => AbortSignal {
  let controller: AbortController | undefined
  let isClosed = false
  stream.once('close', () => {
    isClosed = true
    controller?.abort(new Error('the client went away'))
  })
  return () => {
    if (!controller) {
      controller = new AbortController()
      if (isClosed) controller.abort(new Error('the client went away'))
    }
    return controller.signal
  }
}

/** A request to upgrade: it may still be answered as any other. */
function exchangeOfUpgrade(request: IncomingMessage, socket: TLSSocket, head: Buffer, clock: Clock): Exchange {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.on('finish', () => socket.end())
  const release = (): void => response.detachSocket(socket)
  return Object.assign(exchangeOfH1(request, response, clock), { upgrade: { request, socket, head, release } })
}

/** HTTP/2 joins most repeated headers with a comma. */
function valuesOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String)
  return typeof value === 'string' ? value.split(',').map((part) => part.trim()) : []
}

function exchangeOfH2(stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>, clock: Clock): Exchange {
  const signal = closeSignal(stream)
  const socket = stream.session?.socket
  const header = (name: string): string | undefined => {
    const value = headers[name]
    return typeof value === 'string' ? value : Array.isArray(value) ? value.join(', ') : undefined
  }
  return {
    method: header(constants.HTTP2_HEADER_METHOD) ?? 'GET',
    target: header(constants.HTTP2_HEADER_PATH) ?? '/',
    header,
    headerValues: (name) => valuesOf(headers[name]),
    headerNames: () => Object.keys(headers),
    readBody: () => collect(stream, header('content-length'), clock),
    get certificate() {
      return certificateOf(socket)
    },
    get remoteAddress() {
      return socket?.remoteAddress ?? ''
    },
    get signal() {
      return signal()
    },
    respond(status, fields, body) {
      if (stream.destroyed || stream.headersSent) return
      stream.respond({ ':status': status, ...(body ? { 'content-length': body.length } : {}), ...fields })
      stream.end(body)
      // What the client still sends of a refused body is not wanted.
      if (status === 413 || status === 504) stream.close(constants.NGHTTP2_NO_ERROR)
    },
    stream(status, fields) {
      if (!stream.destroyed && !stream.headersSent) stream.respond({ ':status': status, ...fields })
      return sinkOf(stream)
    },
  }
}

function exchangeOfH1(request: IncomingMessage, response: ServerResponse, clock: Clock): Exchange {
  const signal = closeSignal(response)
  const header = (name: string): string | undefined => {
    const value = request.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }
  return {
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    header,
    headerValues: (name) => request.headersDistinct[name] ?? [],
    headerNames: () => Object.keys(request.headers),
    readBody: () => collect(request, header('content-length'), clock),
    get certificate() {
      return certificateOf(request.socket)
    },
    get remoteAddress() {
      return request.socket.remoteAddress ?? ''
    },
    get signal() {
      return signal()
    },
    respond(status, fields, body) {
      if (response.headersSent || response.destroyed) return
      const refusesBody = status === 413 || status === 504
      response.writeHead(status, {
        ...fields,
        ...(body ? { 'content-length': body.length } : {}),
        ...(refusesBody ? { connection: 'close' } : {}),
      })
      response.end(body)
    },
    stream(status, fields) {
      if (!response.headersSent && !response.destroyed) {
        response.writeHead(status, fields)
        response.flushHeaders()
      }
      return sinkOf(response)
    },
  }
}
