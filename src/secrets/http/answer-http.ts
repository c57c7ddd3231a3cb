import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from '../store/answer.ts'
import { type HttpRequest, MOST_BODY_BYTES } from './read-request.ts'

/** Whatever answers requests. */
export type Answerer = (request: HttpRequest) => Promise<Answer>

/** Makes a handler of HTTP of what answers; `onError` hears of what nobody expected. */
export function answerHttp(
  answer: Answerer,
  onError: (error: unknown) => void,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    reply(answer, request, response).catch((error: unknown) => {
      onError(error)
      if (!response.headersSent) send(response, { status: 500, body: { errors: ['internal error'] } }, false)
      else response.destroy()
    })
  }
}

async function reply(answer: Answerer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const isHead = request.method === 'HEAD'
  const body = await readBody(request)
  if (!body) {
    // The rest of the body is not read; the connection cannot be used again.
    response.setHeader('connection', 'close')
    send(response, { status: 413, body: { errors: ['http: request body too large'] } }, isHead)
    return
  }
  const { method = 'GET', url = '/', headers, socket } = request
  const given = await answer({ method, url, headers, body, remoteAddress: socket.remoteAddress ?? '' })
  send(response, given, isHead)
}

const EMPTY = new Uint8Array(0)

/** The whole body; nothing when it is too large. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined)
    return EMPTY
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    if (length > MOST_BODY_BYTES) return undefined
    parts.push(part)
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts)
}

function send(response: ServerResponse, { status, body, json, headers }: Answer, isHead: boolean): void {
  const text = json ?? (body ? JSON.stringify(body) : '')
  const length = Buffer.byteLength(text)
  response.writeHead(status, {
    'cache-control': 'no-store',
    ...(length > 0 ? { 'content-type': 'application/json' } : {}),
    ...(status === 204 ? {} : { 'content-length': length }),
    ...headers,
  })
  response.end(isHead || length === 0 ? undefined : text)
}
