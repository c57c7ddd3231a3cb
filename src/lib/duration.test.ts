import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatAge, formatDuration, parseDuration } from './duration.ts'

test.each([
  ['0', '0s'],
  ['1h30m', '1h30m0s'],
  ['90m', '1h30m0s'],
  ['1.5s', '1.5s'],
  ['100ms', '100ms'],
  ['1h0.5s', '1h0m0.5s'],
  ['-1m', '-1m0s'],
  ['+5s', '5s'],
  ['1500us', '1.5ms'],
  ['.5s', '500ms'],
  ['1.s', '1s'],
  ['999ns', '999ns'],
])('%s reads as %s', (text, printed) => {
  const read = parseDuration(text)
  expect(read.ok && formatDuration(read.value)).toBe(printed)
})

test.each(['', '5', '1d', '1h 30m', 'h', '-', '.s', '1x', '3000000h', '1'.repeat(300)])('%j is refused', (text) => {
  expect(parseDuration(text)).toMatchObject({ ok: false, error: [{ code: 'duration-invalid' }] })
})

test('printing and reading again gives the same duration', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (duration) => {
      const read = parseDuration(formatDuration(duration))
      return read.ok && read.value === duration
    }),
  )
})

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
test.each([
  [-5_000, '<invalid>'],
  [-500, '0s'],
  [119_000, '119s'],
  [120_000, '2m'],
  [200_000, '3m20s'],
  [10 * MINUTE, '10m'],
  [179 * MINUTE, '179m'],
  [3 * HOUR, '3h'],
  [5 * HOUR + 12 * MINUTE, '5h12m'],
  [47 * HOUR, '47h'],
  [3 * DAY + 4 * HOUR, '3d4h'],
  [8 * DAY, '8d'],
  [800 * DAY, '2y70d'],
  [4000 * DAY, '10y'],
])('%d ms of age are shown as %s', (ms, shown) => {
  expect(formatAge(ms)).toBe(shown)
})
