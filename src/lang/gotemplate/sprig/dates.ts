import { formatTime, parseTime, quoteTime } from '../../../lib/go-layout.ts'
import { addNanos, type GoTime, nanosBetween, timeFromMs, zeroTime } from '../../../lib/go-time.ts'
import { findZone, utc, type Zone } from '../../../lib/go-zone.ts'
import { formatDuration } from '../../../lib/duration.ts'
import { fn, type FunctionTable } from '../function.ts'
import { durationNanos, goTime, isTime, timeOf } from '../time-values.ts'
import { failWith, GoInt } from '../value.ts'

/** What dates need from outside: the time, and the zone that `Local` means. */
export interface DatePort {
  readonly now: () => number
  readonly zone: string
}

const SECOND = 1_000_000_000n
const HTML = '2006-01-02'

const isKind = (value: unknown, ...names: readonly string[]): value is GoInt =>
  value instanceof GoInt && names.includes(value.type.name)

/** A time, or whole seconds since the epoch; everything else is now. */
function instant(value: unknown, now: () => GoTime, ...kinds: readonly string[]): GoTime {
  if (isTime(value)) return timeOf(value)
  return isKind(value, ...kinds) ? { seconds: Number(value.value), nanos: 0, zone: utc } : now()
}

const roundTo = (value: bigint, unit: bigint): bigint => {
  const rest = value % unit
  const size = rest < 0n ? -rest : rest
  const down = value - rest
  return size * 2n < unit ? down : down + (value < 0n ? -unit : unit)
}

function parsedSeconds(value: unknown): bigint {
  if (isKind(value, 'int64')) return value.value
  if (typeof value !== 'string' || !/^[+-]?\d+$/.test(value)) return 0n
  const seconds = BigInt(value.replace(/^\+/, ''))
  const limit = 2n ** 63n
  return seconds >= limit ? limit - 1n : seconds < -limit ? -limit : seconds
}

const UNITS: readonly (readonly [bigint, string])[] = [
  [365n * 24n * 3600n * SECOND, 'y'],
  [30n * 24n * 3600n * SECOND, 'mo'],
  [24n * 3600n * SECOND, 'd'],
  [3600n * SECOND, 'h'],
  [60n * SECOND, 'm'],
  [SECOND, 's'],
]

function roundedText(nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos
  const unit = UNITS.find(([length]) => size > length)
  return unit ? `${size / unit[0]}${unit[1]}` : '0s'
}

/** Dates in Go's layouts. */
export function dates(port: DatePort): FunctionTable {
  const local: Zone = findZone(port.zone) ?? utc
  const now = (): GoTime => timeFromMs(port.now(), local)
  const zoneOf = (name: string): Zone => (name === 'Local' ? local : (findZone(name) ?? utc))
  const inZone = (layout: string, value: unknown, zone: string): string =>
    formatTime({ ...instant(value, now, 'int64', 'int', 'int32'), zone: zoneOf(zone) }, layout)
  const dateInZone = fn(['string', 'any', 'string'], 'any', inZone)
  const dateModify = fn(['string', 'type time.Time'], 'any', (by, value) => {
    const nanos = durationNanos(by)
    return nanos === undefined ? value : goTime(addNanos(timeOf(value), nanos))
  })
  const mustDateModify = fn(['string', 'type time.Time'], 'any', (by, value) => {
    const nanos = durationNanos(by)
    return nanos === undefined ? failWith(durationProblem(by)) : goTime(addNanos(timeOf(value), nanos))
  })
  const nanosOf = (value: unknown): bigint => {
    if (typeof value === 'string') return durationNanos(value) ?? 0n
    if (isKind(value, 'int64')) return value.value
    return isTime(value) ? nanosBetween(timeOf(value), now()) : 0n
  }
  return {
    now: fn([], 'any', () => goTime(now())),
    ago: fn(['any'], 'any', (value) =>
      formatDuration(roundTo(nanosBetween(instant(value, now, 'int64', 'int'), now()), SECOND)),
    ),
    date: fn(['string', 'any'], 'any', (layout, value) => inZone(layout, value, 'Local')),
    date_in_zone: dateInZone,
    dateInZone,
    date_modify: dateModify,
    dateModify,
    must_date_modify: mustDateModify,
    mustDateModify,
    duration: fn(['any'], 'any', (value) => formatDuration(BigInt.asIntN(64, parsedSeconds(value) * SECOND))),
    durationRound: fn(['any'], 'any', (value) => roundedText(nanosOf(value))),
    htmlDate: fn(['any'], 'any', (value) => inZone(HTML, value, 'Local')),
    htmlDateInZone: fn(['any', 'string'], 'any', (value, zone) => inZone(HTML, value, zone)),
    toDate: fn(['string', 'string'], 'any', (layout, text) => {
      const time = parseTime(layout, text, local)
      return goTime(typeof time === 'string' ? zeroTime : time)
    }),
    mustToDate: fn(['string', 'string'], 'any', (layout, text) => {
      const time = parseTime(layout, text, local)
      return typeof time === 'string' ? failWith(time) : goTime(time)
    }),
    unixEpoch: fn(['type time.Time'], 'any', (value) => String(timeOf(value).seconds)),
  }
}

/** What Go says about a text that is no duration. */
function durationProblem(text: string): string {
  const quoted = quoteTime(text)
  const unsigned = text.replace(/^[+-]/, '')
  if (unsigned === '' || !/^(?:\d|\.\d)/.test(unsigned)) return `time: invalid duration ${quoted}`
  const rest = unsigned.replace(/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*/, '')
  const unit = /^(?:\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest)
  if (!unit) return `time: invalid duration ${quoted}`
  return unit[1] === ''
    ? `time: missing unit in duration ${quoted}`
    : `time: unknown unit ${quoteTime(unit[1] ?? '')} in duration ${quoted}`
}
