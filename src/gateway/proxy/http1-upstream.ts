import { Pool } from 'undici'
import { namedByConnection, travels } from '../table/headers.ts'
import { tlsConnectOptions } from './backend-tls.ts'
import type { Endpoint, UpstreamCall, UpstreamKind, UpstreamListener, UpstreamRequest } from './upstream.ts'

const MOST_CONNECTIONS = 1_024
const CONNECT_MS = 5_000
const KEEP_MS = 30_000
/** A backend that has not begun to answer by then is taken for stuck, where the route says nothing. */
const LONGEST_SILENCE_MS = 300_000

/** Connections of HTTP/1.1 to one place, kept for the next request. */
export class Http1Upstream {
  readonly #pool: Pool

  constructor({ address, port }: Endpoint, { tls }: UpstreamKind) {
    this.#pool = new Pool(`${tls ? 'https' : 'http'}://${address.includes(':') ? `[${address}]` : address}:${port}`, {
      connections: MOST_CONNECTIONS,
      pipelining: 1,
      keepAliveTimeout: KEEP_MS,
      headersTimeout: LONGEST_SILENCE_MS,
      bodyTimeout: 0,
      maxHeaderSize: 64 * 1024,
      connect: { timeout: CONNECT_MS, ...(tls ? tlsConnectOptions(tls) : {}) },
    })
  }

  send(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall {
    const call = new Http1Call(listener)
    const { method, path, headers, body } = request
    this.#pool.dispatch({ method, path, headers: headers as string[], body: body ?? null }, call)
    return call
  }

  /** Ends once what is under way has ended. */
  async close(): Promise<void> {
    await this.#pool.close()
  }

  async destroy(): Promise<void> {
    await this.#pool.destroy()
  }
}

/** The handler that undici calls as it reads; its names are undici's. */
class Http1Call implements UpstreamCall {
  readonly #listener: UpstreamListener
  #abort: ((error?: Error) => void) | undefined
  #resume: (() => void) | undefined
  #isAborted = false
  #isOver = false

  constructor(listener: UpstreamListener) {
    this.#listener = listener
  }

  resume(): void {
    this.#resume?.()
  }

  abort(): void {
    this.#isAborted = true
    this.#abort?.(new Error('the request was given up'))
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort
    if (this.#isAborted) abort(new Error('the request was given up'))
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    this.#resume = resume
    // What comes before the answer is between the backend and us.
    if (status >= 200) this.#listener.onHead(status, headersOf(raw))
    return true
  }

  onData(chunk: Buffer): boolean {
    return this.#listener.onData(chunk)
  }

  onComplete(trailers: readonly (Buffer | string)[] | null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#listener.onEnd(trailers === null || trailers.length === 0 ? [] : headersOf(trailers))
  }

  onError(error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#listener.onError(error, this.#abort === undefined)
  }
}

const textOf = (raw: Buffer | string | undefined): string =>
  typeof raw === 'string' ? raw : (raw?.toString('latin1') ?? '')

/** What a backend's headers say beyond its connection to us. */
function headersOf(raw: readonly (Buffer | string)[]): string[] {
  const headers: string[] = []
  let connection: string | undefined
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = textOf(raw[at])
    const value = textOf(raw[at + 1])
    if (name.length === 10 && name.toLowerCase() === 'connection') connection = value.toLowerCase()
    headers.push(name, value)
  }
  const named = namedByConnection(connection)
  const kept: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? ''
    if (travels(name.toLowerCase(), named)) kept.push(name, headers[at + 1] ?? '')
  }
  return kept
}
