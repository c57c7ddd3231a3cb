import { formatDuration, parseDuration } from '../../lib/duration.ts'
import { formatTime, MONTHS, timeText, WEEKDAYS } from '../../lib/go-layout.ts'
import {
  addNanos,
  civilOf,
  type CivilTime,
  type GoTime,
  nanosBetween,
  utcSeconds,
  instantOf,
  zeroTime,
} from '../../lib/go-time.ts'
import { utc } from '../../lib/go-zone.ts'
import { fn } from './function.ts'
import { type GoFunction, GoInt, type GoType, HostObject, INTS, type Returns } from './value.ts'

type Methods = ReadonlyMap<string, (self: unknown) => GoFunction>

const asInt = (self: unknown): bigint => (self instanceof GoInt ? self.value : 0n)

const named = (name: string, texts: readonly string[], from: number): GoType => {
  const text = (self: unknown): string => texts[Number(asInt(self)) - from] ?? `%!${name.slice(5)}(${asInt(self)})`
  return { ...INTS.int, name, text, methods: new Map([['String', (self: unknown) => fn([], 'any', () => text(self))]]) }
}

const MONTH: GoType = named('time.Month', MONTHS, 1)
const WEEKDAY: GoType = named('time.Weekday', WEEKDAYS, 0)

const NANOS = { Hours: 3.6e12, Minutes: 6e10, Seconds: 1e9 } as const

const round = (value: bigint, unit: bigint): bigint => {
  if (unit <= 0n) return value
  const rest = value % unit
  const size = rest < 0n ? -rest : rest
  const down = value - rest
  return size * 2n < unit ? down : down + (value < 0n ? -unit : unit)
}

const durationMethods: Methods = new Map<string, (self: unknown) => GoFunction>([
  ['String', (self) => fn([], 'any', () => formatDuration(asInt(self)))],
  ['Nanoseconds', (self) => fn([], 'int64', () => asInt(self))],
  ['Microseconds', (self) => fn([], 'int64', () => asInt(self) / 1_000n)],
  ['Milliseconds', (self) => fn([], 'int64', () => asInt(self) / 1_000_000n)],
  ['Seconds', (self) => fn([], 'any', () => Number(asInt(self)) / NANOS.Seconds)],
  ['Minutes', (self) => fn([], 'any', () => Number(asInt(self)) / NANOS.Minutes)],
  ['Hours', (self) => fn([], 'any', () => Number(asInt(self)) / NANOS.Hours)],
  ['Abs', (self) => fn([], 'any', () => goDuration(asInt(self) < 0n ? -asInt(self) : asInt(self)))],
  ['Round', (self) => fn(['type time.Duration'], 'any', (unit) => goDuration(round(asInt(self), asInt(unit))))],
  [
    'Truncate',
    (self) =>
      fn(['type time.Duration'], 'any', (unit) =>
        goDuration(asInt(unit) > 0n ? asInt(self) - (asInt(self) % asInt(unit)) : asInt(self)),
      ),
  ],
])

const DURATION: GoType = {
  ...INTS.int64,
  name: 'time.Duration',
  text: (self) => formatDuration(asInt(self)),
  methods: durationMethods,
}

/** A time.Duration of nanoseconds. */
export const goDuration = (nanoseconds: bigint): GoInt => new GoInt(DURATION, nanoseconds)

/** The nanoseconds of a text such as `1h30m`; undefined where it is no duration. */
export function durationNanos(text: string): bigint | undefined {
  const parsed = parseDuration(text)
  return parsed.ok ? parsed.value : undefined
}

/** The time behind a time.Time. */
export function timeOf(self: unknown): GoTime {
  if (self instanceof HostObject && self.type === TIME) return self.inner as GoTime // only goTime makes them
  return zeroTime
}

/** Tells a time.Time. */
export const isTime = (value: unknown): boolean => value instanceof HostObject && value.type === TIME

/** A time.Time. */
export const goTime = (time: GoTime): HostObject => new HostObject(TIME, undefined, time)

const plain =
  (get: (time: GoTime) => unknown, returns: Returns = 'any') =>
  (self: unknown): GoFunction =>
    fn([], returns, () => get(timeOf(self)))
const civil = (get: (civil: CivilTime) => number): ((self: unknown) => GoFunction) =>
  plain((time) => get(civilOf(time)), 'int')
const versus =
  (judge: (nanos: bigint) => boolean) =>
  (self: unknown): GoFunction =>
    fn(['type time.Time'], 'any', (other) => judge(nanosBetween(timeOf(other), timeOf(self))))
const unix = (time: GoTime, unit: bigint): bigint => (BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanos)) / unit

function addDate(self: unknown, years: number, months: number, days: number): HostObject {
  const time = timeOf(self)
  const at = civilOf(time)
  const wall = utcSeconds(
    at.year + years,
    at.month + months,
    at.day + days,
    at.hour * 3600 + at.minute * 60 + at.second,
  )
  return goTime(instantOf(wall, time.nanos, time.zone))
}

const timeMethods: Methods = new Map<string, (self: unknown) => GoFunction>([
  ['String', plain(timeText)],
  ['Format', (self) => fn(['string'], 'any', (layout) => formatTime(timeOf(self), layout))],
  ['Unix', plain((time) => time.seconds, 'int64')],
  ['UnixMilli', plain((time) => unix(time, 1_000_000n), 'int64')],
  ['UnixMicro', plain((time) => unix(time, 1_000n), 'int64')],
  ['UnixNano', plain((time) => unix(time, 1n), 'int64')],
  ['Year', civil(({ year }) => year)],
  ['Month', plain((time) => new GoInt(MONTH, BigInt(civilOf(time).month)))],
  ['Day', civil(({ day }) => day)],
  ['Hour', civil(({ hour }) => hour)],
  ['Minute', civil(({ minute }) => minute)],
  ['Second', civil(({ second }) => second)],
  ['Nanosecond', plain(({ nanos }) => nanos, 'int')],
  ['Weekday', plain((time) => new GoInt(WEEKDAY, BigInt(civilOf(time).weekday)))],
  ['YearDay', civil(({ yearDay }) => yearDay)],
  ['IsZero', plain((time) => time.seconds === zeroTime.seconds && time.nanos === 0)],
  ['UTC', plain((time) => goTime({ ...time, zone: utc }))],
  ['Before', versus((nanos) => nanos < 0n)],
  ['After', versus((nanos) => nanos > 0n)],
  ['Equal', versus((nanos) => nanos === 0n)],
  ['Sub', (self) => fn(['type time.Time'], 'any', (other) => goDuration(nanosBetween(timeOf(other), timeOf(self))))],
  ['Add', (self) => fn(['type time.Duration'], 'any', (by) => goTime(addNanos(timeOf(self), asInt(by))))],
  ['AddDate', (self) => fn(['int', 'int', 'int'], 'any', (years, months, days) => addDate(self, years, months, days))],
])

const TIME: GoType = {
  name: 'time.Time',
  kind: 'struct',
  text: (self) => timeText(timeOf(self)),
  json: (self) => `"${formatTime(timeOf(self), '2006-01-02T15:04:05.999999999Z07:00')}"`,
  methods: timeMethods,
}
