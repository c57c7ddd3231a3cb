import { millisecondsOf, parseDuration } from './duration.ts'
import { findZone, utc, type Zone } from './go-zone.ts'
import { fail, type Result, succeed } from './result.ts'

/** Times that come again and again. */
export interface Schedule {
  /** The first time after another, in milliseconds; undefined when there is none within five years. */
  next(afterMs: number): number | undefined
}

interface Field {
  readonly least: number
  readonly most: number
  readonly names: readonly string[]
}

const fields: readonly Field[] = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { least: 0, most: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
]

const words: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
])

const malformed = (text: string, because: string): Result<Schedule> =>
  fail({ code: 'cron-invalid', message: `cannot read the schedule ${JSON.stringify(text.slice(0, 200))}: ${because}` })

/** Reads a standard five-field schedule, `@daily` and its kin, or `@every 1h`, in a time zone (robfig/cron v3). */
export function parseCron(text: string, zoneName?: string): Result<Schedule> {
  const prefixed = /^(?:CRON_TZ|TZ)=(\S+)\s+(.*)$/.exec(text.trim())
  const zone = zoneOf(zoneName ?? prefixed?.[1])
  if (!zone) return malformed(text, `there is no time zone ${JSON.stringify(zoneName ?? prefixed?.[1])}`)
  const bare = (prefixed?.[2] ?? text).trim()
  if (bare.startsWith('@every ')) return every(text, bare.slice('@every '.length))
  const parts = (words.get(bare) ?? bare).split(/\s+/)
  if (parts.length !== fields.length) return malformed(text, `${fields.length} fields are expected`)
  const sets = parts.map((part, at) => fieldSet(part, fields[at]))
  const [minutes, hours, days, months, weekdays] = sets
  if (!minutes || !hours || !days || !months || !weekdays) return malformed(text, 'a field is out of its range')
  // With both kinds of day restricted one of them is enough.
  const isEither = !/^[*?]/.test(parts[2] ?? '') && !/^[*?]/.test(parts[4] ?? '')
  const isDay = (wall: Date): boolean => {
    const [byDate, byWeekday] = [days.has(wall.getUTCDate()), weekdays.has(wall.getUTCDay())]
    return isEither ? byDate || byWeekday : byDate && byWeekday
  }
  return succeed({ next: (afterMs) => nextTime(afterMs, { minutes, hours, months, isDay }, zone) })
}

const zoneOf = (name: string | undefined): Zone | undefined =>
  name === undefined || name === 'UTC' ? utc : findZone(name)

function every(text: string, period: string): Result<Schedule> {
  const read = parseDuration(period)
  if (!read.ok) return malformed(text, 'the period is not a duration')
  const periodMs = Math.max(1_000, Math.floor(millisecondsOf(read.value) / 1_000) * 1_000)
  return succeed({ next: (afterMs) => Math.floor(afterMs / 1_000) * 1_000 + periodMs })
}

/** The values of `1,5-10/2,mon`; undefined where something is not in range. */
function fieldSet(text: string, field: Field | undefined): ReadonlySet<number> | undefined {
  if (!field) return undefined
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const found = /^(?:([*?])|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part)
    if (!found) return undefined
    const first = found[1] ? field.least : valueOf(found[2] ?? '', field)
    const hasEnd = found[1] !== undefined || (found[4] !== undefined && found[3] === undefined)
    const last = hasEnd ? field.most : found[3] === undefined ? first : valueOf(found[3], field)
    const step = Number(found[4] ?? 1)
    if (first === undefined || last === undefined || first > last || step < 1) return undefined
    for (let value = first; value <= last; value += step) values.add(value)
  }
  return values
}

function valueOf(text: string, { least, most, names }: Field): number | undefined {
  const named = names.indexOf(text.toLowerCase())
  const value = named >= 0 ? named + least : /^\d+$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : undefined
}

interface Calendar {
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  readonly isDay: (wall: Date) => boolean
}

const MINUTE = 60
const FIVE_YEARS = 5 * 366 * 24 * 60 * MINUTE

/** Walks by the largest step that cannot pass a match: a month, a day, an hour, a minute. */
function nextTime(afterMs: number, { minutes, hours, months, isDay }: Calendar, zone: Zone): number | undefined {
  const began = Math.floor(afterMs / 1_000)
  let at = (Math.floor(began / MINUTE) + 1) * MINUTE
  while (at - began < FIVE_YEARS) {
    const wall = new Date((at + zone.at(at).seconds) * 1_000)
    const [year, month, day] = [wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()]
    if (!months.has(month + 1)) at = later(at, wall, Date.UTC(year, month + 1, 1), zone)
    else if (!isDay(wall)) at = later(at, wall, Date.UTC(year, month, day + 1), zone)
    else if (!hours.has(wall.getUTCHours())) at += (60 - wall.getUTCMinutes()) * MINUTE
    else if (!minutes.has(wall.getUTCMinutes())) at += MINUTE
    else return at * 1_000
  }
  return undefined
}

/** The moment at which the wall shows a later time, whatever the zone's offset does on the way. */
function later(at: number, wall: Date, wantedMs: number, zone: Zone): number {
  const naive = at + (wantedMs - wall.getTime()) / 1_000
  const corrected = naive - (zone.at(naive).seconds - zone.at(at).seconds)
  return corrected > at ? corrected : naive
}
