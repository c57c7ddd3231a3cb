import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Exchange } from './exchange.ts'
import { RequestBody } from './request-body.ts'

const SMALL = 16 * 1024

/** A request that came by HTTP/1. */
export class Http1Exchange implements Exchange {
  readonly method: string
  readonly url: string
  readonly authority: string | undefined
  readonly rawHeaders: readonly string[]
  readonly hasBody: boolean
  readonly isTls: boolean
  readonly serverName: string | undefined
  readonly clientAddress: string
  readonly isHttp2: boolean = false
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  #hasWritten = false

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
    this.method = request.method ?? 'GET'
    this.url = request.url ?? '/'
    const { socket, rawHeaders } = request
    const { kept, host, hosts, hasBody } = withoutHost(rawHeaders)
    this.rawHeaders = kept
    this.authority = hosts === 1 ? host : undefined
    this.hasBody = hasBody
    const tls = 'encrypted' in socket ? (socket as TLSSocket) : undefined // only those have it
    this.isTls = tls !== undefined
    const name = tls?.servername as string | false | undefined
    this.serverName = name === false ? undefined : name
    this.clientAddress = socket.remoteAddress ?? ''
  }

  get headers(): Exchange['headers'] {
    return this.#request.headers
  }

  body(): RequestBody {
    return new RequestBody(this.#request)
  }

  get isHeadSent(): boolean {
    return this.#response.headersSent
  }

  head(status: number, headers: readonly string[], isLast: boolean): void {
    // What is not read of a request cannot be told from the next one.
    if (this.hasBody && isLast && !this.#request.complete) this.#response.shouldKeepAlive = false
    this.#response.writeHead(status, headers as string[]) // it is only read
    if (isLast) this.#finish()
    // A backend that is silent after its head still has the client know that it answers.
    else queueMicrotask(() => this.#hasWritten || this.#response.flushHeaders())
  }

  write(chunk: Uint8Array): boolean {
    const isFirst = !this.#hasWritten
    this.#hasWritten = true
    if (!isFirst || chunk.length > SMALL) return this.#response.write(chunk)
    // As a text, a small part goes out together with the head.
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1')
    return this.#response.write(text, 'latin1')
  }

  end(trailers: readonly string[]): void {
    if (trailers.length > 0) this.#response.addTrailers(pairsOf(trailers))
    this.#finish()
  }

  #finish(): void {
    this.#hasWritten = true
    this.#response.end()
    // The rest of a body that nobody wants is read past, or the connection ends with it.
    if (this.hasBody && !this.#request.complete) this.#request.resume()
  }

  destroy(): void {
    this.#request.socket.destroy()
  }

  onDrain(call: () => void): void {
    this.#response.on('drain', call)
  }

  onGone(call: () => void): void {
    this.#response.once('close', () => {
      if (!this.#response.writableFinished) call()
    })
  }
}

function withoutHost(raw: readonly string[]): {
  readonly kept: string[]
  readonly host: string | undefined
  readonly hosts: number
  readonly hasBody: boolean
} {
  const kept: string[] = []
  let host: string | undefined
  let hosts = 0
  let hasBody = false
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    const { length } = name
    if (length === 4 && name.toLowerCase() === 'host') {
      host = value
      hosts += 1
      continue
    }
    if (length === 14 && name.toLowerCase() === 'content-length') hasBody ||= value !== '0'
    else if (length === 17 && name.toLowerCase() === 'transfer-encoding') hasBody = true
    kept.push(name, value)
  }
  return { kept, host, hosts, hasBody }
}

function pairsOf(list: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let at = 0; at + 1 < list.length; at += 2) pairs.push([list[at] ?? '', list[at + 1] ?? ''])
  return pairs
}
