import { parseDuration } from '../../lib/duration.ts'
import { type Result, succeed } from '../../lib/result.ts'
import type { Retry } from '../application/application.ts'

const FIRST_MS = 5_000
const LONGEST_MS = 180_000
const FACTOR = 2

/** How often an operation is tried again when nobody says: an automated one five times, another never. */
export const AUTOMATED_RETRIES = 5

/** Tells whether an operation that has been tried again so often may be tried once more; below zero means for ever. */
export function mayRetry(retry: Retry | undefined, count: number): boolean {
  const limit = retry?.limit ?? 0
  return limit < 0 || count < limit
}

/** How long to wait before the next attempt: longer every time, up to a limit. */
export function retryDelayMs(retry: Retry | undefined, count: number): Result<number> {
  const { duration, factor, maxDuration } = retry?.backoff ?? {}
  const first = durationMs(duration, FIRST_MS, 'duration')
  const longest = durationMs(maxDuration, LONGEST_MS, 'maxDuration')
  if (!first.ok) return first
  if (!longest.ok) return longest
  const wanted = first.value * Math.max(factor ?? FACTOR, 0) ** count
  return succeed(longest.value > 0 ? Math.min(longest.value, wanted) : wanted)
}

/** `30` or `30s`: a number alone is in seconds. */
function durationMs(text: string | undefined, otherwise: number, field: string): Result<number> {
  if (text === undefined || text === '') return succeed(otherwise)
  if (/^\d{1,12}$/.test(text)) return succeed(Number(text) * 1_000)
  const parsed = parseDuration(text)
  if (parsed.ok) return succeed(Number(parsed.value / 1_000_000n))
  return { ok: false, error: parsed.error.map((problem) => ({ ...problem, at: `retry.backoff.${field}` })) }
}
