import { formatDuration, parseDuration } from '../../../lib/duration.ts'
import { formatTime, parseTime } from '../../../lib/go-layout.ts'
import { addNanos, civilOf, type GoTime, nanosBetween, timeFromMs, zeroTime } from '../../../lib/go-time.ts'
import { utc } from '../../../lib/go-zone.ts'
import { wrongValue } from '../error.ts'
import type { JmesPathFunction } from '../function.ts'
import { textAt } from './argument.ts'
import { fn } from './specification.ts'

const RFC3339 = '2006-01-02T15:04:05Z07:00'

const text = (time: GoTime): string => formatTime(time, RFC3339)
const inUtc = (time: GoTime): GoTime => ({ ...time, zone: utc })

function read(name: string, layout: string, written: string): GoTime {
  const time = parseTime(layout, written)
  if (typeof time === 'string') throw wrongValue(`${name}(): ${time}`)
  return time
}

function durationOf(name: string, written: string): bigint {
  const duration = parseDuration(written)
  if (!duration.ok) throw wrongValue(`${name}(): ${duration.error[0]?.message ?? 'the duration is wrong'}`)
  return duration.value
}

/** Negative, zero or positive. */
const order = (a: GoTime, b: GoTime): number => a.seconds - b.seconds || a.nanos - b.nanos

function parse(layout: string, written: string): string {
  // A layout that is a number means seconds since the epoch.
  if (!isInt64(layout)) return text(read('time_parse', layout, written))
  if (!isInt64(written)) throw wrongValue(`time_parse(): ${JSON.stringify(written)} is no number of seconds`)
  const seconds = Number(written)
  if (Math.abs(seconds) > LAST_SECOND) throw wrongValue('time_parse(): the time is out of range')
  return text({ seconds, nanos: 0, zone: utc })
}

/** What the calendar can show. */
const LAST_SECOND = 8_640_000_000_000

const isInt64 = (written: string): boolean =>
  /^[+-]?\d{1,30}$/.test(written) &&
  BigInt.asIntN(64, BigInt(written.replace('+', ''))) === BigInt(written.replace('+', ''))

function toCron(time: GoTime): string {
  const { minute, hour, day, month, weekday } = civilOf(time)
  return `${minute} ${hour} ${day} ${month} ${weekday}`
}

function truncate(time: GoTime, by: bigint): GoTime {
  if (by <= 0n) return time
  const since = BigInt(time.seconds - zeroTime.seconds) * 1_000_000_000n + BigInt(time.nanos)
  const rest = ((since % by) + by) % by
  return addNanos(time, -rest)
}

function since([layout, from, to]: readonly unknown[], nowMs: number): string {
  const form = layout === '' ? RFC3339 : String(layout)
  const start = read('time_since', form, String(from))
  const end = to === '' ? timeFromMs(nowMs) : read('time_since', form, String(to))
  return formatDuration(nanosBetween(start, end))
}

const timeAt = (name: string, args: readonly unknown[], at: number): GoTime => read(name, RFC3339, textAt(args, at))

/** Kyverno's functions on times: all are texts of RFC 3339 but where a layout is given. */
export const timeFunctions: ReadonlyMap<string, JmesPathFunction> = new Map([
  ['time_since', fn(['string', 'string', 'string'], (args, { ports }) => since(args, ports.now()))],
  ['time_now', { params: undefined, call: (_args, { ports }) => text(timeFromMs(ports.now(), ports.zone ?? utc)) }],
  ['time_now_utc', { params: undefined, call: (_args, { ports }) => text(timeFromMs(ports.now())) }],
  ['time_parse', fn(['string', 'string'], (args) => parse(textAt(args, 0), textAt(args, 1)))],
  ['time_to_cron', fn(['string'], (args) => toCron(timeAt('time_to_cron', args, 0)))],
  ['time_utc', fn(['string'], (args) => text(inUtc(timeAt('time_utc', args, 0))))],
  [
    'time_add',
    fn(['string', 'string'], (args) =>
      text(addNanos(timeAt('time_add', args, 0), durationOf('time_add', textAt(args, 1)))),
    ),
  ],
  [
    'time_diff',
    fn(['string', 'string'], (args) =>
      formatDuration(nanosBetween(timeAt('time_diff', args, 0), timeAt('time_diff', args, 1))),
    ),
  ],
  [
    'time_before',
    fn(['string', 'string'], (args) => order(timeAt('time_before', args, 0), timeAt('time_before', args, 1)) < 0),
  ],
  [
    'time_after',
    fn(['string', 'string'], (args) => order(timeAt('time_after', args, 0), timeAt('time_after', args, 1)) > 0),
  ],
  [
    'time_between',
    fn(['string', 'string', 'string'], (args) => {
      const [time, start, end] = [0, 1, 2].map((at) => timeAt('time_between', args, at))
      return (
        time !== undefined && start !== undefined && end !== undefined && order(time, start) > 0 && order(time, end) < 0
      )
    }),
  ],
  [
    'time_truncate',
    fn(['string', 'string'], (args) =>
      text(truncate(timeAt('time_truncate', args, 0), durationOf('time_truncate', textAt(args, 1)))),
    ),
  ],
])
