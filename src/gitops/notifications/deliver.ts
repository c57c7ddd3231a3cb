import type { Clock } from '../../lib/clock.ts'
import { describeError } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { ServiceHttp } from '../../runtime/service-http.ts'
import type { WebhookRequest } from './plan.ts'

const TIMEOUT_MS = 10_000
const SHOWN = 300

/** Sends a request, again when there is no answer or one that passes, waiting twice as long each time. */
export async function deliver(
  request: WebhookRequest,
  { http, clock }: { readonly http: ServiceHttp; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Result<void>> {
  let because = ''
  for (let attempt = 0; attempt < request.tries; attempt++) {
    if (attempt > 0) {
      const waitMs = Math.min(request.waitMs * 2 ** (attempt - 1), request.longestWaitMs)
      await clock.sleep(waitMs, { signal })
    }
    const { url, method, headers, body, skipVerify } = request
    try {
      const answer = await http({ url, method, headers, body, skipVerify, timeoutMs: TIMEOUT_MS, signal })
      if (answer.status >= 200 && answer.status < 300) return succeed(undefined)
      because = `${hostOf(url)} answers with status ${answer.status}: ${answer.body.slice(0, SHOWN)}`
      // What is asked for wrongly is not asked for again.
      if (answer.status !== 429 && answer.status < 500) break
    } catch (error) {
      if (signal.aborted) throw error
      because = `${hostOf(url)}: ${describeError(error)}`
    }
  }
  return fail({ code: 'notification-failed', message: `cannot deliver a notification: ${because}` })
}

/** A URL for messages: paths and queries may hold secrets. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'a URL that is none'
}
