import { MONTHS, WEEKDAYS } from '../../../lib/go-layout.ts'
import type { Json } from '../../../lib/json.ts'
import { compilePattern, type Pattern } from '../../../lib/re2.ts'
import { JqError } from '../error.ts'
import { isArray, shownValue, typeOf } from '../value.ts'
import type { ValueFunction } from './functions.ts'

const DAY = 86_400

/** Seconds since 1970 as jq's broken down time: year, month from 0, day, hours, minutes, seconds, weekday, day of the year. */
function brokenDown(seconds: number): readonly number[] {
  const date = new Date(Math.floor(seconds) * 1000)
  if (Number.isNaN(date.getTime())) throw new JqError('the time is out of range')
  const year = date.getUTCFullYear()
  const dayOfYear = Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / 1000 / DAY)
  const second = date.getUTCSeconds() + (seconds - Math.floor(seconds))
  const day = [year, date.getUTCMonth(), date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()]
  return [...day, second, date.getUTCDay(), dayOfYear]
}

function partsOf(value: Json, what: string): readonly number[] {
  if (typeof value === 'number') return brokenDown(value)
  if (!isArray(value) || value.length < 6) throw new JqError(`${what} requires parsed datetime inputs`)
  return value.map((part) => {
    if (typeof part !== 'number') throw new JqError(`${what} requires parsed datetime inputs`)
    return part
  })
}

function secondsOf(value: Json, what: string): number {
  const [year = 1970, month = 0, day = 1, hour = 0, minute = 0, second = 0] = partsOf(value, what)
  return Math.floor(Date.UTC(year, month, day, hour, minute, Math.floor(second)) / 1000)
}

const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')

/** Week of the year by ISO 8601, with the year that it belongs to. */
function isoWeek(seconds: number): readonly [number, number] {
  const date = new Date(seconds * 1000)
  const weekday = (date.getUTCDay() + 6) % 7
  const thursday = new Date((seconds - (weekday - 3) * DAY) * 1000)
  const year = thursday.getUTCFullYear()
  return [year, Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / 1000 / DAY / 7) + 1]
}

type Write = (parts: { readonly seconds: number; readonly at: readonly number[] }) => string

const part = (parts: readonly number[], at: number): number => parts[at] ?? 0
const name = (names: readonly string[], at: number): string => names[at] ?? ''

const directives: Readonly<Record<string, Write>> = {
  Y: ({ at }) => String(part(at, 0)),
  C: ({ at }) => two(part(at, 0) / 100),
  y: ({ at }) => two(part(at, 0) % 100),
  m: ({ at }) => two(part(at, 1) + 1),
  d: ({ at }) => two(part(at, 2)),
  e: ({ at }) => String(part(at, 2)).padStart(2, ' '),
  H: ({ at }) => two(part(at, 3)),
  I: ({ at }) => two(part(at, 3) % 12 || 12),
  k: ({ at }) => String(part(at, 3)).padStart(2, ' '),
  l: ({ at }) => String(part(at, 3) % 12 || 12).padStart(2, ' '),
  M: ({ at }) => two(part(at, 4)),
  S: ({ at }) => two(part(at, 5)),
  p: ({ at }) => (part(at, 3) < 12 ? 'AM' : 'PM'),
  P: ({ at }) => (part(at, 3) < 12 ? 'am' : 'pm'),
  j: ({ at }) => String(part(at, 7) + 1).padStart(3, '0'),
  u: ({ at }) => String(part(at, 6) || 7),
  w: ({ at }) => String(part(at, 6)),
  a: ({ at }) => name(WEEKDAYS, part(at, 6)).slice(0, 3),
  A: ({ at }) => name(WEEKDAYS, part(at, 6)),
  b: ({ at }) => name(MONTHS, part(at, 1)).slice(0, 3),
  h: ({ at }) => name(MONTHS, part(at, 1)).slice(0, 3),
  B: ({ at }) => name(MONTHS, part(at, 1)),
  s: ({ seconds }) => String(seconds),
  Z: () => 'UTC',
  z: () => '+0000',
  n: () => '\n',
  t: () => '\t',
  '%': () => '%',
  G: ({ seconds }) => String(isoWeek(seconds)[0]),
  V: ({ seconds }) => two(isoWeek(seconds)[1]),
  U: ({ at }) => two((part(at, 7) + 7 - part(at, 6)) / 7),
  W: ({ at }) => two((part(at, 7) + 7 - ((part(at, 6) + 6) % 7)) / 7),
}

const groups: Readonly<Record<string, string>> = {
  F: '%Y-%m-%d',
  T: '%H:%M:%S',
  R: '%H:%M',
  D: '%m/%d/%y',
  c: '%a %b %e %H:%M:%S %Y',
  r: '%I:%M:%S %p',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
  v: '%e-%b-%Y',
}

const spelledOut = (format: string): string =>
  format.replace(/%(%|[A-Za-z])/g, (whole, letter: string) =>
    Object.hasOwn(groups, letter) ? (groups[letter] ?? '') : whole,
  )

function strftime(value: Json, format: Json): string {
  if (typeof value !== 'number' && !isArray(value)) throw new JqError('strftime/1 requires parsed datetime inputs')
  if (typeof format !== 'string') throw new JqError('strftime/1 requires a string format')
  const seconds = secondsOf(value, 'strftime/1')
  const at = brokenDown(seconds)
  return spelledOut(format).replace(/%(.)/g, (whole, letter: string) =>
    Object.hasOwn(directives, letter) ? (directives[letter]?.({ seconds, at }) ?? '') : whole,
  )
}

const names = (all: readonly string[]): string => all.flatMap((one) => [one, one.slice(0, 3)]).join('|')

const readers: Readonly<Record<string, string>> = {
  Y: String.raw`(?P<Y>-?\d{1,4})`,
  y: String.raw`(?P<y>\d{2})`,
  m: String.raw`(?P<m>\d{1,2})`,
  d: String.raw`(?P<d>\d{1,2})`,
  e: String.raw`\s*(?P<d>\d{1,2})`,
  H: String.raw`(?P<H>\d{1,2})`,
  I: String.raw`(?P<I>\d{1,2})`,
  M: String.raw`(?P<M>\d{1,2})`,
  S: String.raw`(?P<S>\d{1,2})`,
  j: String.raw`(?P<j>\d{1,3})`,
  p: '(?P<p>[AaPp][Mm])',
  s: String.raw`(?P<s>\d{1,12})`,
  Z: '(?P<Z>[A-Za-z]+)',
  z: String.raw`(?P<z>Z|[+-]\d{2}:?\d{2})`,
  a: `(?:${names(WEEKDAYS)})`,
  A: `(?:${names(WEEKDAYS)})`,
  b: `(?P<b>${names(MONTHS)})`,
  h: `(?P<b>${names(MONTHS)})`,
  B: `(?P<b>${names(MONTHS)})`,
  n: String.raw`\s*`,
  t: String.raw`\s*`,
  '%': '%',
}

/** The pattern of a format, in RE2, so that no format can run away. */
function readerOf(format: string): Pattern {
  const source = spelledOut(format).replace(
    /%(.)|([\s\S])/g,
    (_, letter: string | undefined, plain: string | undefined) => {
      if (plain !== undefined)
        return /\s/.test(plain) ? String.raw`\s*` : plain.replace(/[.*+?^${}()|[\]\\/]/, String.raw`\$&`)
      const reader = Object.hasOwn(readers, letter ?? '') ? readers[letter ?? ''] : undefined
      if (reader === undefined) throw new JqError(`strptime/1 does not know the directive %${letter ?? ''}`)
      return reader
    },
  )
  const made = compilePattern(`(?i)^${source}$`)
  if (!made.ok) throw new JqError(`strptime/1 cannot use the format ${JSON.stringify(format)}`)
  return made.value
}

/** What the directives of a format read from a text, by their letters. */
function readBy(format: string, text: string): ReadonlyMap<string, string> | undefined {
  const pattern = readerOf(format)
  const matcher = pattern.matcher(text)
  if (!matcher.find()) return undefined
  return new Map(
    Object.entries(pattern.namedGroups()).flatMap(([letter, at]) => {
      const read = matcher.group(at)
      return typeof read === 'string' ? [[letter, read] as const] : []
    }),
  )
}

function yearIn(read: ReadonlyMap<string, string>): number {
  const short = read.get('y')
  if (short === undefined) return Number(read.get('Y') ?? 1900)
  return Number(short) + (Number(short) < 69 ? 2000 : 1900)
}

/** Month from 0, and the day in it; a day of the year counts from January. */
function dayIn(read: ReadonlyMap<string, string>): readonly [number, number] {
  const ofYear = read.get('j')
  if (ofYear !== undefined) return [0, Number(ofYear)]
  const spelled = read.get('b')?.slice(0, 3).toLowerCase()
  const month = MONTHS.findIndex((one) => one.slice(0, 3).toLowerCase() === spelled)
  return [month >= 0 ? month : Number(read.get('m') ?? 1) - 1, Number(read.get('d') ?? 1)]
}

function hourIn(read: ReadonlyMap<string, string>): number {
  const half = read.get('I')
  if (half === undefined) return Number(read.get('H') ?? 0)
  return (Number(half) % 12) + (/p/i.test(read.get('p') ?? '') ? 12 : 0)
}

function offsetIn(read: ReadonlyMap<string, string>): number {
  const zone = /([+-])(\d{2}):?(\d{2})/.exec(read.get('z') ?? '')
  return zone ? (zone[1] === '-' ? -60 : 60) * (Number(zone[2]) * 60 + Number(zone[3])) : 0
}

function strptime(value: Json, format: Json): readonly number[] {
  if (typeof value !== 'string')
    throw new JqError(`strptime/1 requires string inputs and arguments, not ${typeOf(value)}`)
  if (typeof format !== 'string' || format.length > 200) throw new JqError('strptime/1 requires a short string format')
  const mismatch = new JqError(`date ${shownValue(value)} does not match format ${JSON.stringify(format)}`)
  const read = value.length > 500 ? undefined : readBy(format, value)
  if (!read) throw mismatch
  const since = read.get('s')
  if (since !== undefined) return brokenDown(Number(since))
  const [month, day] = dayIn(read)
  const hour = hourIn(read)
  const minute = Number(read.get('M') ?? 0)
  const second = Number(read.get('S') ?? 0)
  if (month > 11 || day < 1 || day > 366 || hour > 24 || minute > 59 || second > 60) throw mismatch
  return brokenDown(Date.UTC(yearIn(read), month, day, hour, minute, second) / 1000 - offsetIn(read))
}

/** Functions over times; the time zone is always UTC. */
export const timeFunctions: readonly (readonly [string, ValueFunction])[] = [
  ['now/0', (_, __, run) => run.nowMs / 1000],
  [
    'gmtime/0',
    (input) => {
      if (typeof input !== 'number') throw new JqError('gmtime() requires a number')
      return brokenDown(input)
    },
  ],
  [
    'localtime/0',
    (input) => {
      if (typeof input !== 'number') throw new JqError('localtime() requires a number')
      return brokenDown(input)
    },
  ],
  [
    'mktime/0',
    (input) => {
      if (!isArray(input)) throw new JqError('mktime requires array of 6 numbers')
      return secondsOf(input, 'mktime')
    },
  ],
  ['strftime/1', (input, [format = null]) => strftime(input, format)],
  ['strflocaltime/1', (input, [format = null]) => strftime(input, format)],
  ['strptime/1', (input, [format = null]) => strptime(input, format)],
]
