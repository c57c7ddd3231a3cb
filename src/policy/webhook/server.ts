import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AdmissionRequest, Mutation, Verdict } from '../../kube/admission.ts'
import type { CertificatePair } from '../../lib/certificates.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { explain } from '../../lib/result.ts'
import { answerTo, readReview } from './review.ts'

/** Judges one request; given up when the signal is aborted. */
export type Judge = (request: AdmissionRequest, signal: AbortSignal) => Promise<Mutation | Verdict>

/** What the server of webhooks is started with. */
export interface WebhookServerOptions {
  readonly host: string
  readonly port: number
  readonly certificate: CertificatePair
  /** Who judges, by path. */
  readonly judges: ReadonlyMap<string, Judge>
  readonly clock: Clock
  readonly log: Log
}

/** Webhooks that are reached. */
export interface WebhookServer {
  readonly port: number
  /** Resolves when what was under way has been answered. */
  close(): Promise<void>
}

/** As much as an API server sends at most, with both states of an object. */
const LONGEST_BODY = 2 * 3 * 1024 * 1024
const USUAL_SECONDS = 10
const LONGEST_SECONDS = 30
const DRAIN_MS = 5_000

/** Serves webhooks over TLS until it is closed. */
export async function serveWebhooks(options: WebhookServerOptions): Promise<WebhookServer> {
  const { cert, key } = options.certificate
  const server = createServer(
    {
      cert,
      key,
      minVersion: 'TLSv1.2',
      requestTimeout: LONGEST_SECONDS * 1_000,
      headersTimeout: USUAL_SECONDS * 1_000,
      keepAliveTimeout: 60_000,
    },
    (request, response) => {
      handle(request, response, options).catch((error: unknown) => {
        // Whoever has hung up waits for no answer.
        if (request.socket.destroyed) return
        options.log.error('a webhook has failed', error)
        say(response, 500, 'the webhook has failed')
      })
    },
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => resolve())
  })
  return { port: (server.address() as AddressInfo).port, close: () => drain(server, options.clock) } // it listens on TCP
}

async function drain(server: Server, clock: Clock): Promise<void> {
  const cancel = clock.after(DRAIN_MS, () => server.closeAllConnections())
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
  cancel()
}

function say(response: ServerResponse, code: number, body: string | object): void {
  if (response.headersSent || response.destroyed) return
  const text = typeof body === 'string' ? `${body}\n` : JSON.stringify(body)
  response.writeHead(code, {
    'content-type': typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json',
    'content-length': Buffer.byteLength(text),
    ...(code === 413 ? { connection: 'close' } : {}),
  })
  response.end(text)
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { judges, clock }: WebhookServerOptions,
): Promise<void> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  if (path === '/health') return say(response, 200, 'ok')
  const judge = judges.get(path)
  if (!judge) return say(response, 404, 'there is no such webhook')
  if (request.method !== 'POST') return say(response, 405, 'a webhook is asked with POST')
  const body = await readBody(request)
  if (body === undefined) return say(response, 413, `the body is longer than ${LONGEST_BODY} bytes`)
  const review = readReview(body)
  if (!review.ok) return say(response, 400, review.error.map(explain).join('; '))
  const limit = new AbortController()
  const stop = (): void => limit.abort(new Error('the API server waits no longer'))
  const cancel = clock.after(millisecondsOf(query), stop)
  response.once('close', stop)
  try {
    const verdict = await Promise.race([judge(review.value, limit.signal), rejection(limit.signal)])
    const answer = answerTo(review.value, verdict)
    if (answer.ok) say(response, 200, answer.value)
    else say(response, 500, answer.error.map(explain).join('; '))
  } catch (error) {
    if (!limit.signal.aborted) throw error
    say(response, 504, 'the policies took too long')
  } finally {
    cancel()
    response.removeListener('close', stop)
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

/** How long the API server waits, as it says in the query (`timeout=10s`). */
function millisecondsOf(query: string): number {
  const [, text = ''] = /^(\d{1,3})s$/.exec(new URLSearchParams(query).get('timeout') ?? '') ?? []
  const seconds = text === '' ? USUAL_SECONDS : Number(text)
  return Math.min(Math.max(seconds, 1), LONGEST_SECONDS) * 1_000
}

/** The whole body; undefined as soon as it is too long, while it can still be answered. */
function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > LONGEST_BODY) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= LONGEST_BODY) chunks.push(chunk)
      else resolve(undefined)
    })
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    request.once('error', reject)
    request.once('close', () => reject(new Error('the request was cut off')))
  })
}
