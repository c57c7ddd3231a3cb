import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import { tlsConnectOptions } from './backend-tls.ts'
import { objectOf } from './http2-exchange.ts'
import type { Endpoint, UpstreamCall, UpstreamKind, UpstreamListener, UpstreamRequest } from './upstream.ts'

/** Streams that one connection carries before another one is opened. */
const STREAMS = 100

interface Session {
  readonly session: ClientHttp2Session
  streams: number
  isConnected: boolean
}

/** Connections of HTTP/2 to one place: by prior knowledge in the clear, or agreed on in the greeting of TLS. */
export class Http2Upstream {
  readonly #url: string
  readonly #tls: UpstreamKind['tls']
  readonly #sessions = new Set<Session>()
  #isClosing = false

  constructor({ address, port }: Endpoint, { tls }: UpstreamKind) {
    this.#url = `${tls ? 'https' : 'http'}://${address.includes(':') ? `[${address}]` : address}:${port}`
    this.#tls = tls
  }

  send({ method, path, scheme, headers, body }: UpstreamRequest, listener: UpstreamListener): UpstreamCall {
    const own = this.#session()
    const { host, ...others } = objectOf(headers)
    const heads = { ':method': method, ':path': path, ':scheme': scheme, ':authority': String(host ?? ''), ...others }
    const stream = own.session.request(heads, { endStream: body === undefined })
    own.streams += 1
    stream.once('close', () => {
      own.streams -= 1
      if (this.#isClosing && own.streams === 0) own.session.close()
    })
    if (body instanceof Uint8Array) stream.end(body)
    else {
      body?.on('error', () => stream.close(constants.NGHTTP2_CANCEL))
      body?.pipe(stream)
    }
    return listen(stream, own, listener)
  }

  #session(): Session {
    for (const known of this.#sessions) {
      const most = Math.min(known.session.remoteSettings.maxConcurrentStreams ?? STREAMS, STREAMS)
      if (known.streams < most && !known.session.closed && !known.session.destroyed) return known
    }
    const session = connect(this.#url, this.#tls ? { ...tlsConnectOptions(this.#tls), ALPNProtocols: ['h2'] } : {})
    const made: Session = { session, streams: 0, isConnected: false }
    session.once('connect', () => (made.isConnected = true))
    this.#sessions.add(made)
    session.on('error', () => {})
    const forget = (): void => {
      this.#sessions.delete(made)
    }
    session.once('close', forget)
    session.once('goaway', forget)
    return made
  }

  /** Ends connections as they have nothing under way. */
  close(): Promise<void> {
    this.#isClosing = true
    for (const { session, streams } of this.#sessions) if (streams === 0) session.close()
    return Promise.resolve()
  }

  destroy(): Promise<void> {
    for (const { session } of this.#sessions) session.destroy()
    return Promise.resolve()
  }
}

function listen(stream: ClientHttp2Stream, session: Session, listener: UpstreamListener): UpstreamCall {
  let isOver = false
  let trailers: readonly string[] = []
  const fail = (error: Error): void => {
    if (isOver) return
    isOver = true
    listener.onError(error, !session.isConnected)
  }
  stream.on('response', (headers: IncomingHttpHeaders) => listener.onHead(Number(headers[':status']), listOf(headers)))
  stream.on('trailers', (headers: IncomingHttpHeaders) => (trailers = listOf(headers)))
  stream.on('data', (chunk: Buffer) => {
    if (!listener.onData(chunk)) stream.pause()
  })
  stream.on('end', () => {
    if (isOver || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return
    isOver = true
    listener.onEnd(trailers)
  })
  stream.on('error', fail)
  stream.on('close', () => fail(new Error(`the backend ended the stream (${stream.rstCode})`)))
  return {
    resume: () => void stream.resume(),
    abort: () => stream.close(constants.NGHTTP2_CANCEL),
  }
}

function listOf(headers: IncomingHttpHeaders): string[] {
  const list: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) list.push(name, one)
  }
  return list
}
