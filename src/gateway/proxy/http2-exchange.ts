import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Exchange } from './exchange.ts'
import { RequestBody } from './request-body.ts'

/** A request that came by HTTP/2. */
export class Http2Exchange implements Exchange {
  readonly method: string
  readonly url: string
  readonly authority: string | undefined
  readonly headers: Exchange['headers']
  readonly rawHeaders: readonly string[]
  readonly hasBody: boolean
  readonly isTls: boolean
  readonly serverName: string | undefined
  readonly clientAddress: string
  readonly isHttp2: boolean = true
  readonly #stream: ServerHttp2Stream
  #trailers: readonly string[] = []

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]) {
    this.#stream = stream
    this.method = String(headers[':method'] ?? '')
    this.url = String(headers[':path'] ?? '')
    const authority = headers[':authority']
    const host = headers.host
    this.authority =
      authority === undefined || host === undefined || authority === host ? (authority ?? host) : undefined
    this.headers = headers
    this.rawHeaders = withoutOwn(raw)
    this.hasBody = !stream.endAfterHeaders
    const { session } = stream
    this.isTls = session?.encrypted === true
    const tls = this.isTls ? (session?.socket as TLSSocket | undefined) : undefined // what is encrypted is one
    const name = tls?.servername as string | false | undefined
    this.serverName = typeof name === 'string' ? name : undefined
    this.clientAddress = session?.socket.remoteAddress ?? ''
    stream.on('error', () => {})
  }

  body(): RequestBody {
    return new RequestBody(this.#stream)
  }

  get isHeadSent(): boolean {
    return this.#stream.headersSent
  }

  head(status: number, headers: readonly string[], isLast: boolean): void {
    if (this.#stream.destroyed || this.#stream.closed) return
    this.#stream.respond({ ':status': status, ...objectOf(headers) }, { endStream: isLast, waitForTrailers: !isLast })
    if (isLast) {
      this.#readPast()
      return
    }
    // Where there are none, this ends the stream all the same.
    this.#stream.once('wantTrailers', () => this.#endWithTrailers())
  }

  #endWithTrailers(): void {
    try {
      this.#stream.sendTrailers(objectOf(this.#trailers))
    } catch {
      // A backend may end with what cannot be said in HTTP/2.
      this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    }
  }

  write(chunk: Uint8Array): boolean {
    return this.#stream.destroyed || this.#stream.write(chunk)
  }

  end(trailers: readonly string[]): void {
    this.#trailers = trailers
    if (this.#stream.destroyed) return
    this.#stream.end()
    this.#readPast()
  }

  #readPast(): void {
    if (this.hasBody && !this.#stream.readableEnded) this.#stream.resume()
  }

  destroy(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  onDrain(call: () => void): void {
    this.#stream.on('drain', call)
  }

  onGone(call: () => void): void {
    this.#stream.once('close', () => {
      if (!this.#stream.writableFinished || this.#stream.rstCode !== constants.NGHTTP2_NO_ERROR) call()
    })
  }
}

/** What HTTP/1 knows too; crumbs of cookies are one header again. */
function withoutOwn(raw: readonly string[]): readonly string[] {
  const kept: string[] = []
  let cookieAt = -1
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    if (name.startsWith(':') || name === 'host') continue
    if (name === 'cookie' && cookieAt >= 0) kept[cookieAt] = `${kept[cookieAt] ?? ''}; ${value}`
    else {
      if (name === 'cookie') cookieAt = kept.length + 1
      kept.push(name, value)
    }
  }
  return kept
}

/** Headers as HTTP/2 takes them: in lower case, several of one name as a list. */
export function objectOf(list: readonly string[]): Record<string, string | string[]> {
  const object = Object.create(null) as Record<string, string | string[]> // any name is a key
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = (list[at] ?? '').toLowerCase()
    const value = list[at + 1] ?? ''
    const known = object[name]
    if (known === undefined) object[name] = value
    else if (Array.isArray(known)) known.push(value)
    else object[name] = [known, value]
  }
  return object
}
