import { expect, test } from 'vitest'
import { mayRetry, retryDelayMs } from './retry.ts'

test.each([
  { name: 'five seconds at first, when nobody says', retry: undefined, count: 0, want: 5_000 },
  { name: 'twice as long every time', retry: {}, count: 3, want: 40_000 },
  { name: 'never longer than three minutes', retry: {}, count: 10, want: 180_000 },
  { name: 'as it says', retry: { backoff: { duration: '2s', factor: 3, maxDuration: '1m' } }, count: 2, want: 18_000 },
  { name: 'a number is seconds', retry: { backoff: { duration: '7' } }, count: 0, want: 7_000 },
])('$name', ({ retry, count, want }) => {
  expect(retryDelayMs(retry, count)).toEqual({ ok: true, value: want })
})

test('a duration that is none is told with its field', () => {
  expect(retryDelayMs({ backoff: { duration: 'soon' } }, 0)).toMatchObject({
    ok: false,
    error: [{ code: 'duration-invalid', at: 'retry.backoff.duration' }],
  })
})

test.each([
  { limit: undefined, count: 0, want: false },
  { limit: 2, count: 1, want: true },
  { limit: 2, count: 2, want: false },
  { limit: -1, count: 1_000, want: true },
])('a limit of $limit after $count attempts more: $want', ({ limit, count, want }) => {
  expect(mayRetry(limit === undefined ? {} : { limit }, count)).toBe(want)
})
