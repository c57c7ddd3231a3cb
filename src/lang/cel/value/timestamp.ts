import { EvaluationError } from '../error.ts'
import { Boxed } from './boxed.ts'
import { SECOND } from './duration.ts'
import { remembered } from '../../../lib/remembered.ts'

/** A CEL timestamp, as nanoseconds since the Unix epoch, within the years 1 to 9999. */
export class Timestamp extends Boxed {
  readonly kind = 'timestamp' as const
  readonly nanos: bigint

  constructor(nanos: bigint) {
    super()
    this.nanos = nanos
  }
}

const EARLIEST = -62_135_596_800n * SECOND
const LATEST = 253_402_300_800n * SECOND

/** Nanoseconds as a timestamp; throws where they leave the range. */
export function toTimestamp(nanos: bigint): Timestamp {
  if (nanos < EARLIEST || nanos >= LATEST) throw new EvaluationError('timestamp overflow: out of range')
  return new Timestamp(nanos)
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))$/

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
}

/** Reads RFC 3339 text; undefined when it is none. */
export function parseTimestamp(text: string): bigint | undefined {
  const found = text.length > 100 ? null : RFC3339.exec(text)
  if (!found) return undefined
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number)
  if (year === undefined || !month || !day || hour === undefined || minute === undefined || second === undefined) {
    return undefined
  }
  if (month > 12 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) return undefined
  const [zoneHour, zoneMinute] = [Number(found[10] ?? 0), Number(found[11] ?? 0)]
  if (zoneHour > 23 || zoneMinute > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const offset = (zoneHour * 60 + zoneMinute) * 60 * (found[9] === '-' ? -1 : 1)
  const seconds = date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset
  const fraction = BigInt((found[7] ?? '').slice(0, 9).padEnd(9, '0'))
  return BigInt(seconds) * SECOND + fraction
}

const floorSeconds = (nanos: bigint): bigint => (nanos - (((nanos % SECOND) + SECOND) % SECOND)) / SECOND

/** RFC 3339 text in UTC with as many fraction digits as needed. */
export function timestampText(nanos: bigint): string {
  const seconds = floorSeconds(nanos)
  const fraction = nanos - seconds * SECOND
  const base = new Date(Number(seconds) * 1000).toISOString().replace(/\.\d+Z$/, '')
  const tail = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`
  return `${base.replace(/^\+0*/, '')}${tail}Z`
}

/** Whole seconds since the epoch, rounded down. */
export const unixSeconds = (time: Timestamp): bigint => floorSeconds(time.nanos)

/** The parts of a moment in a zone. */
export interface CivilTime {
  readonly year: number
  /** From 0. */
  readonly month: number
  /** From 1. */
  readonly day: number
  /** From 0, the first of January. */
  readonly dayOfYear: number
  /** From 0, Sunday. */
  readonly weekday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
}

/** Splits a moment into its parts, in UTC or in a named or numeric zone. */
export function civilTime(time: Timestamp, zone?: string): CivilTime {
  const seconds = Number(unixSeconds(time))
  const shifted = new Date((seconds + (zone === undefined ? 0 : offsetSeconds(zone, seconds))) * 1000)
  const year = shifted.getUTCFullYear()
  const newYear = new Date(0)
  newYear.setUTCFullYear(year, 0, 1)
  return {
    year,
    month: shifted.getUTCMonth(),
    day: shifted.getUTCDate(),
    dayOfYear: Math.floor((shifted.getTime() - newYear.getTime()) / 86_400_000),
    weekday: shifted.getUTCDay(),
    hour: shifted.getUTCHours(),
    minute: shifted.getUTCMinutes(),
    second: shifted.getUTCSeconds(),
    millisecond: Number((time.nanos - unixSeconds(time) * SECOND) / 1_000_000n),
  }
}

const MOST_FORMATS = 1_000

const formatFor = remembered(MOST_FORMATS, (zone: string): Intl.DateTimeFormat => {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    // The only reason to be refused is an unknown zone.
    throw new EvaluationError(`unknown time zone ${zone}`)
  }
})

function offsetSeconds(zone: string, seconds: number): number {
  if (zone === '' || zone === 'UTC') return 0
  const numeric = /^([+-]?)(\d+):(\d+)$/.exec(zone)
  if (numeric) {
    const [hours, minutes] = [Number(numeric[2]), Number(numeric[3])]
    if (minutes > 59 || hours > 24) throw new EvaluationError(`timezone offset out of range: ${zone}`)
    return (hours * 60 + minutes) * 60 * (numeric[1] === '-' ? -1 : 1)
  }
  if (zone.length > 100 || !/^[A-Za-z]/.test(zone)) throw new EvaluationError(`unknown time zone ${zone}`)
  const parts = new Map(
    formatFor(zone)
      .formatToParts(new Date(seconds * 1000))
      .map(({ type, value }) => [type, value]),
  )
  const part = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name) ?? 0)
  const local = new Date(0)
  const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year')
  local.setUTCFullYear(year, part('month') - 1, part('day'))
  local.setUTCHours(part('hour'), part('minute'), part('second'))
  return local.getTime() / 1000 - seconds
}
