import { expect, test } from 'vitest'
import { parseCron } from './cron.ts'

const after = (schedule: string, from: string, zone?: string, count: number = 1): string => {
  const read = parseCron(schedule, zone)
  if (!read.ok) return read.error[0]?.message ?? ''
  let at: number | undefined = Date.parse(from)
  for (let turn = 0; turn < count && at !== undefined; turn++) at = read.value.next(at)
  return at === undefined ? 'never' : new Date(at).toISOString().slice(0, 16)
}

test.each([
  ['every minute', '* * * * *', '2026-01-01T00:00:30Z', '2026-01-01T00:01'],
  ['not the same moment again', '0 0 * * *', '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
  ['steps', '*/15 * * * *', '2026-01-01T00:16:00Z', '2026-01-01T00:30'],
  ['a step from a value to the end', '50/5 * * * *', '2026-01-01T00:51:00Z', '2026-01-01T00:55'],
  ['names and ranges', '0 9 * jun-aug mon-fri', '2026-01-01T00:00:00Z', '2026-06-01T09:00'],
  ['one of two kinds of day is enough', '0 0 13 * fri', '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
  ['a leap day', '0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00'],
  ['a day that does not exist', '0 0 31 2 *', '2026-01-01T00:00:00Z', 'never'],
  ['a word', '@weekly', '2026-01-01T00:00:00Z', '2026-01-04T00:00'],
  ['a period', '@every 90m', '2026-01-01T00:00:00Z', '2026-01-01T01:30'],
  ['a zone in front', 'CRON_TZ=Asia/Tokyo 0 6 * * *', '2026-01-01T00:00:00Z', '2026-01-01T21:00'],
])('%s', (_name, schedule, from, want) => expect(after(schedule, from)).toBe(want))

test('a zone is followed through its changes of offset', () => {
  expect(after('30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-30T00:30')
  expect(after('0 0 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin', 2)).toBe('2026-03-29T22:00')
})

test.each(['* * * *', '60 * * * *', '5-1 * * * *', '*/0 * * * *', '@every soon', 'TZ=Moon/Base * * * * *', ''])(
  '%j is refused',
  (schedule) => expect(parseCron(schedule).ok).toBe(false),
)
