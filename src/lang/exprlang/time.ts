import { formatDuration, millisecondsOf, parseDuration } from '../../lib/duration.ts'
import { formatTime, parseTime, timeText } from '../../lib/go-layout.ts'
import { civilOf, type GoTime, timeFromMs } from '../../lib/go-time.ts'
import { utc, type Zone } from '../../lib/go-zone.ts'
import { ExprError, ExprObject, type Value } from './value.ts'

/** The nanoseconds of a Duration. */
export function durationOf(value: Value): bigint | undefined {
  return value instanceof ExprObject && value.type === 'time.Duration' ? (value.inner as bigint) : undefined // made below
}

/** The milliseconds of a Time since the epoch. */
export function timeOf(value: Value): number | undefined {
  return value instanceof ExprObject && value.type === 'time.Time' ? (value.inner as number) : undefined // made below
}

/** A Go duration as a value. */
export function duration(nanoseconds: bigint): ExprObject {
  const ms = millisecondsOf(nanoseconds)
  const text = formatDuration(nanoseconds)
  return new ExprObject(
    'time.Duration',
    nanoseconds,
    text,
    new Map<string, () => Value>([
      ['Hours', () => ms / 3_600_000],
      ['Minutes', () => ms / 60_000],
      ['Seconds', () => ms / 1_000],
      ['Milliseconds', () => Math.trunc(ms)],
      ['Microseconds', () => Number(nanoseconds / 1_000n)],
      ['Nanoseconds', () => Number(nanoseconds)],
      ['String', () => text],
      ['Abs', () => duration(nanoseconds < 0n ? -nanoseconds : nanoseconds)],
    ]),
  )
}

const MS = 1_000_000n
const needTime = (value: Value, method: string): number => {
  const ms = timeOf(value)
  if (ms === undefined) throw new ExprError(`${method} takes a time`)
  return ms
}
const needDuration = (value: Value, method: string): bigint => {
  const ns = durationOf(value) ?? (typeof value === 'number' ? BigInt(Math.trunc(value)) : undefined)
  if (ns === undefined) throw new ExprError(`${method} takes a duration`)
  return ns
}

/** The time between two, as a duration. */
export const between = (fromMs: number, toMs: number): ExprObject => duration(BigInt(Math.round((toMs - fromMs) * 1e6)))

/** A Go time as a value. */
export function time(ms: number, zone: Zone = utc): ExprObject {
  const go: GoTime = timeFromMs(ms, zone)
  const civil = civilOf(go)
  const methods = new Map<string, (...args: readonly Value[]) => Value>([
    ['Add', (by) => time(ms + Number(needDuration(by, 'Add')) / 1e6, zone)],
    ['Sub', (other) => between(needTime(other, 'Sub'), ms)],
    ['After', (other) => ms > needTime(other, 'After')],
    ['Before', (other) => ms < needTime(other, 'Before')],
    ['Equal', (other) => ms === needTime(other, 'Equal')],
    ['Unix', () => Math.floor(ms / 1_000)],
    ['UnixMilli', () => Math.floor(ms)],
    ['UnixNano', () => Number(BigInt(Math.floor(ms)) * MS)],
    ['Year', () => civil.year],
    ['Month', () => civil.month],
    ['Day', () => civil.day],
    ['Hour', () => civil.hour],
    ['Minute', () => civil.minute],
    ['Second', () => civil.second],
    ['Weekday', () => civil.weekday],
    ['YearDay', () => civil.yearDay],
    ['IsZero', () => false],
    ['UTC', () => time(ms)],
    ['Format', (layout) => formatTime(go, String(layout))],
    ['String', () => `${timeText(go)}`],
  ])
  return new ExprObject('time.Time', ms, timeText(go), methods)
}

const LAYOUTS = [
  '2006-01-02',
  '15:04:05',
  '2006-01-02 15:04:05',
  '2006-01-02T15:04:05.999999999Z07:00',
  '02 Jan 06 15:04 MST',
  'Monday, 02-Jan-06 15:04:05 MST',
  'Mon, 02 Jan 2006 15:04:05 MST',
]

/** Reads a time: by a layout, or by the first of the usual ones that fits. */
export function timeFrom(text: string, layout?: string, zone: Zone = utc): ExprObject {
  for (const each of layout === undefined ? LAYOUTS : [layout]) {
    const read = parseTime(each, text, zone)
    if (typeof read !== 'string') return time(read.seconds * 1_000 + read.nanos / 1e6, read.zone)
  }
  throw new ExprError(`invalid date ${text}`)
}

/** Reads a duration such as `1h30m`. */
export function durationFrom(text: string): ExprObject {
  const read = parseDuration(text)
  if (!read.ok) throw new ExprError(`time: invalid duration ${JSON.stringify(text)}`)
  return duration(read.value)
}
