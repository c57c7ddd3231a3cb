import { millisecondsOf, parseDuration } from '../../lib/duration.ts'
import { failure } from '../../kube/status.ts'
import type { Clock } from '../../lib/clock.ts'
import { type ApiRequest, type ApiResponse, refused } from '../request.ts'

/** How long a write may take unless it asks for less. */
const LONGEST_MS = 60_000

/** The time that `?timeout=10s` gives a request; undefined when it is no duration. */
export function timeoutOf(query: ReadonlyMap<string, readonly string[]>): number | undefined {
  const text = query.get('timeout')?.[0]
  if (text === undefined || text === '') return LONGEST_MS
  const parsed = parseDuration(text)
  return parsed.ok ? Math.min(Math.max(millisecondsOf(parsed.value), 1), LONGEST_MS) : undefined
}

/** Answers for a write that takes too long. Reads answer at once, and streams have a time of their own. */
export async function withinTime(
  request: ApiRequest,
  ms: number,
  clock: Clock,
  handle: (request: ApiRequest) => Promise<ApiResponse>,
): Promise<ApiResponse> {
  const { verb, signal } = request
  if (verb === 'get' || verb === 'list' || verb === 'watch' || verb === 'connect') return handle(request)
  const late = new AbortController()
  const because = new Error('the time of the request is over')
  let cancel = (): void => {}
  const over = new Promise<ApiResponse>((resolve) => {
    cancel = clock.after(ms, () => {
      late.abort(because)
      resolve(refused(failure('Timeout', 'Timeout: request did not complete within the allowed duration')))
    })
  })
  const limited = signal ? AbortSignal.any([signal, late.signal]) : late.signal
  try {
    return await Promise.race([handle({ ...request, signal: limited }), over])
  } finally {
    cancel()
  }
}
