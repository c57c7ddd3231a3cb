import { Buffer } from 'node:buffer'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Status } from '../../kube/status.ts'
import type { ByteCache } from './bytes.ts'
import type { Exchange, Headers } from './exchange.ts'
import type { Agreed } from './negotiate.ts'
import { printYaml } from './yaml.ts'

/** What is common to all answers to one request. */
export interface Reply {
  readonly exchange: Exchange
  readonly agreed: Agreed
  readonly warnings?: readonly string[] | undefined
  readonly auditId: string
}

const compress = promisify(gzip)

/** Compressing pays from here on; below, latency matters more. */
const WORTH_COMPRESSING = 128 * 1024

/** The headers of every answer. */
export function headersOf({ warnings, auditId }: Reply, contentType: string): Headers {
  return {
    'content-type': contentType,
    'cache-control': 'no-cache, private',
    'audit-id': auditId,
    ...(warnings && warnings.length > 0 ? { warning: warnings.map(warningHeader) } : {}),
  }
}

const LONGEST_WARNING = 4_096

/** RFC 7234: code, agent, and the text as a quoted string. */
function warningHeader(text: string): string {
  // oxlint-disable-next-line no-control-regex -- header values cannot carry control characters
  const clean = text.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, LONGEST_WARNING)
  const quoted = clean.replace(/[\\"]/g, '\\$&')
  // Headers are bytes: anything beyond ASCII travels as its UTF-8 bytes.
  return `299 - "${Buffer.from(quoted, 'utf8').toString('latin1')}"`
}

/** Sends a value in the agreed form. */
export async function send(reply: Reply, status: number, value: unknown, bytes?: Buffer): Promise<void> {
  const isYaml = reply.agreed.format === 'yaml'
  const body = isYaml ? Buffer.from(printYaml(value)) : (bytes ?? Buffer.from(JSON.stringify(value)))
  await sendBytes(reply, status, body, isYaml ? 'application/yaml' : 'application/json')
}

/** Sends an object whose JSON may already be at hand. */
export function sendObject(reply: Reply, status: number, object: object, cache: ByteCache): Promise<void> {
  return send(reply, status, object, reply.agreed.format === 'json' ? cache.of(object) : undefined)
}

/** Sends a refusal, or the note that something is done. */
export function sendStatus(reply: Reply, status: Status): Promise<void> {
  const retry = status.details?.retryAfterSeconds
  if (retry === undefined) return send(reply, status.code ?? 200, status)
  const headers: Headers = { ...headersOf(reply, 'application/json'), 'retry-after': String(retry) }
  reply.exchange.respond(status.code, headers, Buffer.from(JSON.stringify(status)))
  return Promise.resolve()
}

/** Sends bytes, compressed where that was asked for and pays. */
export async function sendBytes(
  reply: Reply,
  status: number,
  body: Buffer,
  contentType: string,
  more: Headers = {},
): Promise<void> {
  const headers: Headers = { ...headersOf(reply, contentType), ...more }
  const { exchange } = reply
  if (body.length >= WORTH_COMPRESSING && acceptsGzip(exchange.header('accept-encoding'))) {
    exchange.respond(
      status,
      { ...headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' },
      await compress(body, { level: 1 }),
    )
    return
  }
  exchange.respond(status, headers, body)
}

/** Whether the client can read gzip. */
export function acceptsGzip(header: string | undefined): boolean {
  return header !== undefined && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:[,\s]|$))/.test(header)
}
