import type { CrossOrigin } from '../table/cors.ts'
import type { RequestBody } from './request-body.ts'

/** One request with the way to answer it, whichever version of HTTP it came by. */
export interface Exchange {
  readonly method: string
  /** The target as it was sent. */
  readonly url: string
  /** What the Host header or `:authority` says; undefined where there is none, or more than one. */
  readonly authority: string | undefined
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Names and values in turn, without those of HTTP/2's own and without the host. */
  readonly rawHeaders: readonly string[]
  readonly hasBody: boolean
  readonly isTls: boolean
  /** The name that was asked for in the greeting. */
  readonly serverName: string | undefined
  readonly clientAddress: string
  readonly isHttp2: boolean
  /** The body, to be read once. Destroying what this answers leaves the connection alone. */
  body(): RequestBody
  /** Sends the head; once. */
  head(status: number, headers: readonly string[], isLast: boolean): void
  /** Sends a part; false when the client is slow, then `onDrain` is told when it has caught up. */
  write(chunk: Uint8Array): boolean
  /** Ends the answer. */
  end(trailers: readonly string[]): void
  /** Ends the connection or stream in the middle of an answer, so that the client notices. */
  destroy(): void
  readonly isHeadSent: boolean
  onDrain(call: () => void): void
  /** Told once when the client is gone before the answer has ended. */
  onGone(call: () => void): void
}

/** What of a request matters to the rules of origins. */
export function crossOrigin({ method, headers }: Exchange): CrossOrigin {
  const one = (name: string): string | undefined => {
    const value = headers[name]
    return typeof value === 'string' ? value : undefined
  }
  return {
    method,
    origin: one('origin'),
    wantedMethod: one('access-control-request-method'),
    wantedHeaders: one('access-control-request-headers'),
  }
}

/** Answers in one piece. */
export function answer(exchange: Exchange, status: number, headers: readonly string[], text: string): void {
  if (exchange.isHeadSent) {
    exchange.destroy()
    return
  }
  const bytes = Buffer.from(text)
  const isBare = exchange.method === 'HEAD' || bytes.length === 0
  const all = [...headers]
  if (status >= 200 && status !== 204 && status !== 304) all.push('content-length', String(bytes.length))
  if (bytes.length > 0) all.push('content-type', 'text/plain; charset=utf-8')
  exchange.head(status, all, isBare)
  if (isBare) return
  exchange.write(bytes)
  exchange.end([])
}

/** The status of gRPC that stands for a status of HTTP, as proxies map them. */
const GRPC: ReadonlyMap<number, number> = new Map([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, 14],
  [502, 14],
  [503, 14],
  [504, 4],
])

/** Refuses a request in the client's terms: a client of gRPC reads a status of its own. */
export function refuse(exchange: Exchange, status: number, because: string, headers: readonly string[] = []): void {
  const type = exchange.headers['content-type']
  if (typeof type === 'string' && type.startsWith('application/grpc') && !exchange.isHeadSent) {
    const grpc = ['grpc-status', String(GRPC.get(status) ?? 2), 'grpc-message', encodeURI(because)]
    exchange.head(200, [...headers, 'content-type', 'application/grpc', ...grpc], true)
    return
  }
  answer(exchange, status, headers, `${because}\n`)
}
