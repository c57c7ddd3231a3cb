import { expect, test } from 'vitest'
import { readBackoff } from './backoff.ts'

test.each<readonly [string, object, number, readonly number[]]>([
  ['what is left out is as upstream', {}, 5, [1_000, 1_000, 1_000]],
  ['it grows by its factor', { duration: '100ms', factor: '2', jitter: 0, steps: 4 }, 4, [100, 200, 400]],
  ['a bare number counts nanoseconds', { duration: 1_000_000, steps: 2 }, 2, [1]],
  ['a factor of 0 leaves it', { duration: '1s', factor: 0, steps: 3 }, 3, [1_000, 1_000]],
  ['no more than a day', { duration: '10h', factor: 10, steps: 3 }, 3, [36_000_000, 86_400_000]],
])('%s', (_, backoff, steps, delays) => {
  const read = readBackoff(backoff, 'at')
  expect(read).toMatchObject({ ok: true, value: { steps } })
  expect(read.ok && delays.map((_delay, at) => read.value.delayMs(at + 1, 0))).toEqual(delays)
})

test('jitter adds up to its share', () => {
  const read = readBackoff({ duration: '1s', jitter: '0.5' }, 'at')
  expect(read.ok && [0, 0.5, 1].map((chance) => read.value.delayMs(1, chance))).toEqual([1_000, 1_250, 1_500])
})

test.each([
  [{ duration: '-1s' }, 'cannot be negative'],
  [{ duration: '1 second' }, 'as a duration'],
  [{ factor: '' }, 'is not a factor'],
  [{ jitter: -1 }, 'is not a jitter'],
  [{ steps: 1.5 }, 'is not a number of attempts'],
  [{ steps: 1e9 }, 'is not a number of attempts'],
])('%j is refused', (backoff, message) => {
  const read = readBackoff(backoff, 'at')
  expect(!read.ok && read.error[0]?.message).toContain(message)
})
