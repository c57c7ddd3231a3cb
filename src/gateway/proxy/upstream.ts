import type { Readable } from 'node:stream'
import type { BackendTls } from '../table/route.ts'

/** A place where a backend answers. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** How a place is talked to. */
export interface UpstreamKind {
  readonly protocol: 'http1' | 'h2c'
  readonly tls?: BackendTls | undefined
}

/** What is sent to a backend. The host is one of the headers. */
export interface UpstreamRequest {
  readonly method: string
  readonly path: string
  readonly scheme: 'http' | 'https'
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly body: Readable | Uint8Array | undefined
}

/** Who hears what a backend answers. */
export interface UpstreamListener {
  /** The head, names and values in turn. */
  onHead(status: number, headers: readonly string[]): void
  /** A part of the body; answers false when no more is wanted until the call is resumed. */
  onData(chunk: Uint8Array): boolean
  onEnd(trailers: readonly string[]): void
  /** The one end of a call that went wrong. `isUnsent`: the backend cannot have seen the request. */
  onError(error: Error, isUnsent: boolean): void
}

/** A call under way. */
export interface UpstreamCall {
  resume(): void
  /** Ends it; the listener hears an error, unless it has heard the end. */
  abort(): void
}

/** The name under which connections of one kind to one place are kept. */
export const originOf = ({ address, port }: Endpoint, { protocol, tls }: UpstreamKind): string =>
  `${protocol} ${address}:${port}${tls ? ` ${tls.id}` : ''}`
