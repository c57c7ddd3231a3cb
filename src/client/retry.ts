import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { retryAfterOf } from './answer.ts'
import { ConnectionError, type HttpRequest, type HttpResponse, discard } from './connection.ts'

export interface RetryPorts {
  readonly clock: Clock
  /** For the jitter, so that many clients do not come back together. */
  readonly ids: Ids
}

const ATTEMPTS = 6
const FIRST_MS = 200
const LONGEST_MS = 10_000

/**
 * Sends until there is an answer worth telling. A server that asks to be tried again later has not done anything; a read
 * may be repeated whatever went wrong; a write only when the server has certainly not seen it.
 */
export async function sendPatiently(
  send: (request: HttpRequest) => Promise<HttpResponse>,
  request: HttpRequest,
  { clock, ids }: RetryPorts,
): Promise<HttpResponse> {
  for (let attempt = 1; ; attempt++) {
    let waitMs = 0
    try {
      const response = await send(request)
      const wait = attempt < ATTEMPTS ? waitFor(request, response) : undefined
      if (wait === undefined) return response
      waitMs = wait
      await discard(response)
    } catch (error) {
      const mayRepeat = error instanceof ConnectionError && (error.wasNotSent || request.method === 'GET')
      if (!mayRepeat || attempt >= ATTEMPTS) throw error
    }
    const backoff = Math.min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS)
    const jitter = (ids.bytes(1)[0] ?? 0) / 255
    const delay = Math.max(waitMs, backoff / 2) + (backoff / 2) * jitter
    await clock.sleep(delay, request.signal ? { signal: request.signal } : {})
  }
}

/** How long to wait at least before asking again; undefined when the answer is final. */
function waitFor(request: HttpRequest, response: HttpResponse): number | undefined {
  const asked = retryAfterOf(response)
  if (response.status === 429) return (asked ?? 1) * 1_000
  if (response.status < 500) return undefined
  if (asked !== undefined) return asked * 1_000
  return request.method === 'GET' ? 0 : undefined
}
