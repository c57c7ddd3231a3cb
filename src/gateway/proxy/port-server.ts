import { once } from 'node:events'
import { createServer as createHttp, type Server as HttpServer } from 'node:http'
import {
  constants,
  createServer as createHttp2,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { type AddressInfo, createServer as createTcp, type Server as TcpServer, type Socket } from 'node:net'
import { createServer as createTls, type Server as TlsServer, type TLSSocket } from 'node:tls'
import type { ClientValidation, Listener, PortTable } from '../table/table.ts'
import { readGreeting } from './client-hello.ts'
import { Http1Exchange } from './http1-exchange.ts'
import { Http2Exchange } from './http2-exchange.ts'
import { serve } from './serve.ts'
import { serveStream } from './stream-server.ts'
import { TlsContexts } from './tls-contexts.ts'
import { serveUpgrade } from './tunnel.ts'
import type { ProxyWorld } from './world.ts'

/** What a port takes from clients before it stops listening to them. */
export interface PortLimits {
  readonly connections: number
  readonly headBytes: number
  /** A client says within this time what it wants to speak. */
  readonly greetingMs: number
  /** The head of a request arrives within this time. */
  readonly headMs: number
  /** A connection on which nothing happens in the middle of something. */
  readonly idleMs: number
  /** A connection between two requests. */
  readonly keepMs: number
  readonly streams: number
  /** A client that takes back so many requests on one connection wants something else than answers. */
  readonly takenBack: number
}

/** The limits that docs/gateway.md names. */
export const usualLimits: PortLimits = {
  connections: 20_000,
  headBytes: 64 * 1024,
  greetingMs: 10_000,
  headMs: 20_000,
  idleMs: 300_000,
  keepMs: 75_000,
  streams: 128,
  takenBack: 500,
}

const PREFACE = Buffer.from('PRI * HTTP/2.0')
/** The longest greeting that is waited for. */
const LONGEST_GREETING = 48 * 1024

const isSameValidation = (a: ClientValidation | undefined, b: ClientValidation | undefined): boolean =>
  a?.id === b?.id && a?.isOptional === b?.isOptional

/** One bound port: it stays while what it serves is changed under it, and requests under way keep the table they began with. */
export class PortServer {
  readonly #world: ProxyWorld
  readonly #limits: PortLimits
  readonly #tcp: TcpServer
  readonly #http1: HttpServer
  readonly #http2: Http2Server
  readonly #contexts = new TlsContexts()
  #tls: TlsServer | undefined
  readonly #sockets = new Set<Socket>()
  readonly #sessions = new Set<ServerHttp2Session>()
  #table: PortTable

  constructor(table: PortTable, world: ProxyWorld, limits: PortLimits = usualLimits) {
    this.#table = table
    this.#limits = limits
    this.#world = world
    this.#tcp = createTcp({ allowHalfOpen: true, noDelay: true }, (socket) => this.#connected(socket))
    this.#tcp.maxConnections = this.#limits.connections
    this.#http1 = this.#makeHttp1()
    this.#http2 = this.#makeHttp2()
    this.#remakeTls()
  }

  /** Binds the port; rejects when it is taken. Answers which one it is. */
  async listen(): Promise<number> {
    this.#tcp.listen({ host: this.#table.address, port: this.#table.port, backlog: 1_024 })
    await once(this.#tcp, 'listening')
    // Without it, the server of HTTP/1 would not look after clients that never finish their heads.
    this.#http1.emit('listening')
    return (this.#tcp.address() as AddressInfo).port
  }

  /** Serves another table from the next request on. */
  update(table: PortTable): void {
    const before = this.#table
    this.#table = table
    if (before.isTls && (!isSameValidation(before.clients, table.clients) || !table.isTls)) this.#remakeTls()
    else if (!before.isTls && table.isTls) this.#remakeTls()
    else this.#setDefaultContext()
  }

  /** Takes no more connections, lets what is under way end, and breaks what has not ended after the time. */
  async close(drainMs: number): Promise<void> {
    const closed = once(this.#tcp, 'close')
    this.#tcp.close()
    this.#http1.closeIdleConnections()
    for (const session of this.#sessions) session.close()
    const cancel = this.#world.clock.after(drainMs, () => {
      for (const socket of this.#sockets) socket.destroy()
    })
    if (drainMs <= 0) for (const socket of this.#sockets) socket.destroy()
    await closed
    cancel()
    this.#http1.close()
    this.#http2.close()
  }

  #makeHttp1(): HttpServer {
    const server = createHttp({
      maxHeaderSize: this.#limits.headBytes,
      headersTimeout: this.#limits.headMs,
      requestTimeout: 0,
      keepAliveTimeout: this.#limits.keepMs,
      connectionsCheckingInterval: Math.min(this.#limits.headMs / 4, 5_000),
    })
    server.timeout = this.#limits.idleMs
    server.on('request', (request, response) => {
      if (!this.#tcp.listening) response.shouldKeepAlive = false
      this.#guarded(request.socket, () => serve(new Http1Exchange(request, response), this.#table, this.#world))
    })
    server.on('upgrade', (request, socket, head) =>
      this.#guarded(socket, () => serveUpgrade({ request, socket: socket as Socket, head }, this.#table, this.#world)),
    )
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (socket.writable && error.code !== 'ECONNRESET') {
        const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
        socket.write(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      }
      socket.destroy()
    })
    return server
  }

  #makeHttp2(): Http2Server {
    const server = createHttp2({
      settings: {
        maxConcurrentStreams: this.#limits.streams,
        maxHeaderListSize: this.#limits.headBytes,
        initialWindowSize: 1024 * 1024,
      },
      maxHeaderListPairs: 256,
      maxSessionMemory: 20,
      maxOutstandingPings: 10,
      maxSettings: 32,
      unknownProtocolTimeout: this.#limits.greetingMs,
    })
    server.on('session', (session) => this.#watchSession(session))
    const serveStreamOf = (
      ...[stream, headers, , raw]: [ServerHttp2Stream, IncomingHttpHeaders, number, string[]]
    ): void => this.#guarded(stream, () => serve(new Http2Exchange(stream, headers, raw), this.#table, this.#world))
    server.on('stream', serveStreamOf)
    server.on('sessionError', () => {})
    return server
  }

  /** A mistake of ours in one request must not end the others. */
  #guarded(connection: { destroy(): unknown }, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#world.log.error('a request failed', error)
      connection.destroy()
    }
  }

  #watchSession(session: ServerHttp2Session): void {
    let takenBack = 0
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
    session.on('error', () => {})
    const { socket } = session
    socket.setTimeout(this.#limits.idleMs, () => session.close())
    session.on('stream', (stream) => {
      stream.once('close', () => {
        if (stream.rstCode !== constants.NGHTTP2_CANCEL) return
        takenBack += 1
        if (takenBack > this.#limits.takenBack) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
      })
    })
  }

  #remakeTls(): void {
    this.#tls?.removeAllListeners('connection')
    this.#tls = this.#table.isTls ? this.#makeTls() : undefined
    this.#setDefaultContext()
  }

  #makeTls(): TlsServer {
    const { clients } = this.#table
    const server = createTls({
      minVersion: 'TLSv1.2',
      handshakeTimeout: this.#limits.greetingMs,
      ALPNCallback: ({ servername, protocols }) => this.#protocol(servername, protocols),
      requestCert: clients !== undefined,
      rejectUnauthorized: clients !== undefined && !clients.isOptional,
      SNICallback: (name, done) => {
        const serverName = name.toLowerCase()
        const listener = this.#table.listeners.find(serverName)
        const context = listener && this.#contexts.of(listener, serverName, this.#table.clients)
        if (context) done(null, context)
        else done(new Error('no listener is for this name'))
      },
    })
    server.on('secureConnection', (socket: TLSSocket) => this.#secured(socket))
    server.on('tlsClientError', (_error, socket) => void socket.destroy())
    return server
  }

  #protocol(serverName: string, protocols: readonly string[]): string | undefined {
    const listener = this.#listenerOf(serverName === '' ? undefined : serverName)
    // What is inside is not ours to speak; whoever takes it gets what the client would like best.
    if (listener?.mode === 'terminate') return protocols.includes('http/1.1') ? 'http/1.1' : protocols[0]
    return ['h2', 'http/1.1'].find((one) => protocols.includes(one))
  }

  #listenerOf(serverName: string | undefined): Listener | undefined {
    const { listeners } = this.#table
    return serverName === undefined ? listeners.get(undefined) : listeners.find(serverName.toLowerCase())
  }

  /** Clients that name nobody get the certificate of the listener for every name, if there is one. */
  #setDefaultContext(): void {
    if (!this.#tls) return
    const [pair] = this.#table.listeners.get(undefined)?.certificates ?? []
    const { clients } = this.#table
    this.#tls.setSecureContext({
      minVersion: 'TLSv1.2',
      ...(pair ? { cert: pair.cert, key: pair.key } : {}),
      ...(clients ? { ca: clients.authorities } : {}),
    })
  }

  #connected(socket: Socket): void {
    const { port, isTls, hasStreams } = this.#table
    this.#sockets.add(socket)
    this.#world.figures.connected(port)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#world.figures.disconnected(port)
    })
    socket.on('error', () => {})
    if (isTls && !hasStreams) this.#tls?.emit('connection', socket)
    else
      this.#peek(socket, isTls ? (bytes) => this.#startTls(socket, bytes) : (bytes) => this.#startPlain(socket, bytes))
  }

  /** Shows the first bytes to a function until it knows what they are, then puts them back. */
  #peek(socket: Socket, start: (bytes: Buffer) => (() => void) | undefined): void {
    let seen: Buffer = Buffer.alloc(0)
    const cancel = this.#world.clock.after(this.#limits.greetingMs, () => socket.destroy())
    const stop = (): void => {
      cancel()
      socket.off('readable', read)
      socket.off('end', ended)
      socket.off('close', stop)
    }
    const ended = (): void => void socket.destroy()
    const read = (): void => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
      const go = start(seen)
      if (!go && seen.length < LONGEST_GREETING) return
      stop()
      if (!go) {
        socket.destroy()
        return
      }
      socket.unshift(seen)
      go()
    }
    socket.on('readable', read)
    socket.once('end', ended)
    socket.once('close', stop)
  }

  #startPlain(socket: Socket, bytes: Buffer): (() => void) | undefined {
    const length = Math.min(bytes.length, PREFACE.length)
    if (bytes.compare(PREFACE, 0, length, 0, length) !== 0) return () => this.#http1.emit('connection', socket)
    return length < PREFACE.length ? undefined : () => this.#http2.emit('connection', socket)
  }

  #startTls(socket: Socket, bytes: Buffer): (() => void) | undefined {
    const greeting = readGreeting(bytes)
    if (greeting.is === 'partial') return undefined
    if (greeting.is === 'other') return () => socket.destroy()
    const listener = this.#listenerOf(greeting.serverName)
    if (listener?.mode !== 'passthrough') return () => this.#tls?.emit('connection', socket)
    return () => serveStream(socket, listener, greeting.serverName, this.#world)
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', () => {})
    const name = socket.servername as string | false | undefined
    const serverName = name === false ? undefined : name?.toLowerCase()
    const listener = this.#listenerOf(serverName)
    if (listener?.mode === 'terminate') serveStream(socket, listener, serverName, this.#world)
    else if (socket.alpnProtocol === 'h2') this.#http2.emit('connection', socket)
    else this.#http1.emit('connection', socket)
  }
}
