import type { Buffer } from 'node:buffer'
import type { Credentials } from '../auth/authenticate.ts'
import type { Upgrade } from './upgrade/upgrade.ts'

/** Who a client certificate that our authority signed says the client is. */
export type CertificateSubject = NonNullable<Credentials['certificate']>

/** One HTTP request and the way to answer it, whichever version of HTTP carries it. */
export interface Exchange {
  readonly method: string
  /** Path and query as they came. */
  readonly target: string
  header(name: string): string | undefined
  /** Every value of a header that may come more than once. */
  headerValues(name: string): readonly string[]
  headerNames(): readonly string[]
  /** The whole body, or undefined when it is longer than the limit or slower than is decent. */
  readBody(): Promise<BodyOutcome>
  readonly certificate: CertificateSubject | undefined
  readonly remoteAddress: string
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal
  respond(status: number, headers: Headers, body?: Buffer): void
  /** There when the client wants to speak something else over this connection. */
  readonly upgrade?: Upgrade
  /** Starts an answer whose end is not known yet. */
  stream(status: number, headers: Headers): ByteSink
}

export type BodyOutcome =
  | { readonly ok: true; readonly body: Buffer }
  | { readonly ok: false; readonly because: 'too-large' | 'too-slow' | 'aborted' }

/** What goes in front of a body; made anew for each answer. */
export type Headers = Record<string, string | number | string[]>

/** A body that is written piece by piece. */
export interface ByteSink {
  /** Answers false when the reader does not keep up; `drained` then says when it has caught up. */
  write(bytes: Buffer): boolean
  drained(): Promise<void>
  /** How many bytes wait for the reader. */
  readonly waiting: number
  end(bytes?: Buffer): void
  /** Gives up on the reader at once. */
  destroy(): void
  readonly isClosed: boolean
}

/** The longest request body, as upstream has it. */
export const LARGEST_BODY: number = 3 * 1024 * 1024
