import { utc, type Zone } from './go-zone.ts'

/** An instant with nanoseconds, seen in a zone, as Go's time.Time. */
export interface GoTime {
  /** Since the Unix epoch. */
  readonly seconds: number
  readonly nanos: number
  readonly zone: Zone
}

/** A date and time on the wall. */
export interface CivilTime {
  readonly year: number
  /** From 1. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** From 0, Sunday. */
  readonly weekday: number
  /** From 1. */
  readonly yearDay: number
}

const DAY_SECONDS = 86_400
/** Go's zero time: the first instant of the year 1. */
export const zeroTime: GoTime = { seconds: -62_135_596_800, nanos: 0, zone: utc }

/** The Unix second of a date and time in UTC; months and days beyond their range carry over. */
export function utcSeconds(year: number, month: number, day: number, secondOfDay = 0): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return Math.round(date.getTime() / 1000) + secondOfDay
}

/** What the wall shows at an instant. */
export function civilOf({ seconds, zone }: GoTime): CivilTime {
  const local = seconds + zone.at(seconds).seconds
  const days = Math.floor(local / DAY_SECONDS)
  const date = new Date(days * DAY_SECONDS * 1000)
  const rest = local - days * DAY_SECONDS
  const year = date.getUTCFullYear()
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    weekday: date.getUTCDay(),
    yearDay: days - utcSeconds(year, 1, 1) / DAY_SECONDS + 1,
  }
}

/** The instant at which the wall of a zone shows a time. */
export function instantOf(wallSeconds: number, nanos: number, zone: Zone): GoTime {
  const guess = wallSeconds - zone.at(wallSeconds).seconds
  const seconds = wallSeconds - zone.at(guess).seconds
  return { seconds, nanos, zone }
}

/** Moves an instant by nanoseconds. */
export function addNanos(time: GoTime, nanoseconds: bigint): GoTime {
  const total = BigInt(time.nanos) + nanoseconds
  const nanos = ((total % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  return { ...time, seconds: time.seconds + Number((total - nanos) / 1_000_000_000n), nanos: Number(nanos) }
}

const LONGEST = 2n ** 63n - 1n

/** The nanoseconds from one instant to another, or the longest duration where they are too many. */
export function nanosBetween(from: GoTime, to: GoTime): bigint {
  const nanos = BigInt(to.seconds - from.seconds) * 1_000_000_000n + BigInt(to.nanos - from.nanos)
  return nanos > LONGEST ? LONGEST : nanos < -LONGEST ? -LONGEST - 1n : nanos
}

/** An instant from milliseconds since the epoch. */
export function timeFromMs(ms: number, zone: Zone = utc): GoTime {
  const seconds = Math.floor(ms / 1000)
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6), zone }
}
