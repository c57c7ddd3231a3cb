import { millisecondsOf, parseDuration } from '../../lib/duration.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { Backoff } from './sensor.ts'

/** How often something is tried, and how long after each failure. */
export interface RetryPlan {
  readonly steps: number
  /** After so many attempts, the time until the next; `chance` lies between 0 and 1. */
  delayMs(attempts: number, chance: number): number
}

/** One attempt: what is done where no strategy is given. */
export const onlyOnce: RetryPlan = { steps: 1, delayMs: () => 0 }

const STEPS = 5
const LONGEST_MS = 24 * 3_600_000

const invalid = (at: string, message: string): Result<never> => fail({ code: 'sensor-backoff-invalid', at, message })

/** Reads a backoff: what is left out is 1s, factor 1, jitter 1, 5 steps, as upstream. A bare number counts nanoseconds. */
export function readBackoff(backoff: Backoff, at: string): Result<RetryPlan> {
  const { duration = '1s', steps = 0 } = backoff
  const read = typeof duration === 'number' ? succeed(BigInt(Math.trunc(duration))) : parseDuration(duration)
  if (!read.ok) return invalid(`${at}.duration`, read.error[0]?.message ?? '')
  const firstMs = millisecondsOf(read.value)
  if (firstMs < 0) return invalid(`${at}.duration`, 'a duration cannot be negative')
  const factor = amountOf(backoff.factor)
  if (factor === undefined || factor < 0)
    return invalid(`${at}.factor`, `${JSON.stringify(backoff.factor)} is not a factor: write a number such as 2`)
  const jitter = amountOf(backoff.jitter)
  if (jitter === undefined || jitter < 0)
    return invalid(`${at}.jitter`, `${JSON.stringify(backoff.jitter)} is not a jitter: write a number such as 0.1`)
  if (!Number.isInteger(steps) || steps > 10_000)
    return invalid(`${at}.steps`, `${steps} is not a number of attempts: write one up to 10000`)
  return succeed({
    steps: steps > 0 ? steps : STEPS,
    delayMs(attempts, chance) {
      // A factor of 0 leaves the duration as it is, as upstream.
      const grown = firstMs * (factor === 0 ? 1 : factor) ** (attempts - 1)
      return Math.min(grown * (1 + jitter * chance), LONGEST_MS)
    },
  })
}

function amountOf(value: string | number | undefined): number | undefined {
  if (value === undefined) return 1
  const amount = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
  return Number.isFinite(amount) ? amount : undefined
}
