/** Times written and read by Go's reference time: Mon Jan 2 15:04:05 MST 2006. */
import { bytesOf } from './go-string.ts'
import { civilOf, type CivilTime, type GoTime, instantOf, utcSeconds } from './go-time.ts'
import { fixedZone, utc, type Zone } from './go-zone.ts'

export const MONTHS: readonly string[] = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
export const WEEKDAYS: readonly string[] = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
]

const CHUNK =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm|[-Z](?:070000|07:00:00|0700|07:00|07)|[.,](?:0+|9+)(?!\d)/g

const two = (value: number): string => String(value).padStart(2, '0')

function offsetText(seconds: number, style: string): string {
  if (style.startsWith('Z') && seconds === 0) return 'Z'
  const size = Math.abs(seconds)
  const colon = style.includes(':') ? ':' : ''
  const parts = [two(Math.floor(size / 3600))]
  if (/0700|07:00/.test(style)) parts.push(two(Math.floor(size / 60) % 60))
  if (/070000|07:00:00/.test(style)) parts.push(two(size % 60))
  return (seconds < 0 ? '-' : '+') + parts.join(colon)
}

function fractionText(nanos: number, style: string): string {
  const digits = String(nanos)
    .padStart(9, '0')
    .slice(0, style.length - 1)
  if (style[1] === '0') return (style[0] ?? '') + digits.padEnd(style.length - 1, '0')
  const trimmed = digits.replace(/0+$/, '')
  return trimmed === '' ? '' : (style[0] ?? '') + trimmed
}

type Writer = (civil: CivilTime) => string

const hour12 = (hour: number): number => hour % 12 || 12
const yearText = (year: number): string => (year < 0 ? '-' : '') + String(Math.abs(year)).padStart(4, '0')

const WRITERS: Readonly<Record<string, Writer>> = {
  January: ({ month }) => MONTHS[month - 1] ?? '',
  Jan: ({ month }) => (MONTHS[month - 1] ?? '').slice(0, 3),
  '1': ({ month }) => String(month),
  '01': ({ month }) => two(month),
  Monday: ({ weekday }) => WEEKDAYS[weekday] ?? '',
  Mon: ({ weekday }) => (WEEKDAYS[weekday] ?? '').slice(0, 3),
  '2': ({ day }) => String(day),
  _2: ({ day }) => String(day).padStart(2),
  '02': ({ day }) => two(day),
  __2: ({ yearDay }) => String(yearDay).padStart(3),
  '002': ({ yearDay }) => String(yearDay).padStart(3, '0'),
  '15': ({ hour }) => two(hour),
  '3': ({ hour }) => String(hour12(hour)),
  '03': ({ hour }) => two(hour12(hour)),
  '4': ({ minute }) => String(minute),
  '04': ({ minute }) => two(minute),
  '5': ({ second }) => String(second),
  '05': ({ second }) => two(second),
  '2006': ({ year }) => yearText(year),
  '06': ({ year }) => two(Math.abs(year) % 100),
  PM: ({ hour }) => (hour >= 12 ? 'PM' : 'AM'),
  pm: ({ hour }) => (hour >= 12 ? 'pm' : 'am'),
}

/** Writes a time in a layout. */
export function formatTime(time: GoTime, layout: string): string {
  const civil = civilOf(time)
  return layout.replaceAll(CHUNK, (chunk) => {
    const write = Object.hasOwn(WRITERS, chunk) ? WRITERS[chunk] : undefined
    if (write) return write(civil)
    const offset = time.zone.at(time.seconds)
    if (chunk === 'MST') return offset.abbreviation === '' ? offsetText(offset.seconds, '-0700') : offset.abbreviation
    return chunk.startsWith('.') || chunk.startsWith(',')
      ? fractionText(time.nanos, chunk)
      : offsetText(offset.seconds, chunk)
  })
}

/** A time as Go prints it. */
export const timeText = (time: GoTime): string => formatTime(time, '2006-01-02 15:04:05.999999999 -0700 MST')

interface Reading {
  rest: string
  year: number
  month: number
  day: number
  yearDay: number
  hour: number
  minute: number
  second: number
  nanos: number
  isAfternoon: boolean | undefined
  zone: Zone | undefined
  offset: number | undefined
  zoneName: string
  outOfRange: string
}

function take(reading: Reading, pattern: RegExp): string | undefined {
  const found = pattern.exec(reading.rest)?.[0]
  if (found !== undefined) reading.rest = reading.rest.slice(found.length)
  return found
}

function takeNumber(reading: Reading, pattern: RegExp): number | undefined {
  const text = take(reading, pattern)
  return text === undefined ? undefined : Number(text)
}

function takeName(reading: Reading, names: readonly string[], length?: number): number | undefined {
  const low = reading.rest.toLowerCase()
  const index = names.findIndex((name) => low.startsWith(name.slice(0, length).toLowerCase()))
  if (index < 0) return undefined
  reading.rest = reading.rest.slice(names[index]?.slice(0, length).length)
  return index
}

type Reader = (reading: Reading, chunk: string) => boolean

const number =
  (pattern: RegExp, set: (reading: Reading, value: number) => void): Reader =>
  (reading) => {
    const value = takeNumber(reading, pattern)
    if (value === undefined) return false
    set(reading, value)
    return true
  }

const name =
  (names: readonly string[], length: number | undefined, set: (reading: Reading, index: number) => void): Reader =>
  (reading) => {
    const index = takeName(reading, names, length)
    if (index === undefined) return false
    set(reading, index)
    return true
  }

const within =
  (field: 'hour' | 'minute' | 'second' | 'month', low: number, high: number, shown: string = field) =>
  (reading: Reading, value: number): void => {
    reading[field] = value
    if (value < low || value > high) reading.outOfRange = shown
  }

const setDay = (reading: Reading, value: number): void => {
  reading.day = value
}
const setYearDay = (reading: Reading, value: number): void => {
  reading.yearDay = value
}
const setMonth = (reading: Reading, index: number): void => {
  reading.month = index + 1
}

function seconds(pattern: RegExp): Reader {
  const read = number(pattern, within('second', 0, 59))
  return (reading) => {
    if (!read(reading, '')) return false
    // A fraction may follow the seconds even where the layout has none.
    const fraction = /^[.,]\d+/.exec(reading.rest)?.[0]
    if (fraction) {
      reading.rest = reading.rest.slice(fraction.length)
      reading.nanos = Number(fraction.slice(1, 10).padEnd(9, '0'))
    }
    return true
  }
}

const half =
  (before: string, after: string): Reader =>
  (reading) => {
    const found = [before, after].find((word) => reading.rest.startsWith(word))
    if (found === undefined) return false
    reading.rest = reading.rest.slice(2)
    reading.isAfternoon = found === after
    return true
  }

const READERS: Readonly<Record<string, Reader>> = {
  January: name(MONTHS, undefined, setMonth),
  Jan: name(MONTHS, 3, setMonth),
  '1': number(/^\d\d?/, within('month', 1, 12)),
  '01': number(/^\d\d/, within('month', 1, 12)),
  Monday: name(WEEKDAYS, undefined, () => {}),
  Mon: name(WEEKDAYS, 3, () => {}),
  '2': number(/^ ?\d\d?/, setDay),
  _2: number(/^ ?\d\d?/, setDay),
  '02': number(/^\d\d/, setDay),
  __2: number(/^(?: {0,2}\d|\d{3}| \d\d)/, setYearDay),
  '002': number(/^\d{3}/, setYearDay),
  '15': number(/^\d\d?/, within('hour', 0, 23)),
  '3': number(/^\d\d?/, within('hour', 0, 12)),
  '03': number(/^\d\d/, within('hour', 0, 12)),
  '4': number(/^\d\d?/, within('minute', 0, 59)),
  '04': number(/^\d\d/, within('minute', 0, 59)),
  '5': seconds(/^\d\d?/),
  '05': seconds(/^\d\d/),
  '2006': number(/^\d{4}/, (reading, value) => {
    reading.year = value
  }),
  '06': number(/^\d\d/, (reading, value) => {
    reading.year = value >= 69 ? 1900 + value : 2000 + value
  }),
  PM: half('AM', 'PM'),
  pm: half('am', 'pm'),
  MST: readZoneName,
}

function readZoneName(reading: Reading): boolean {
  const { rest } = reading
  if (rest.startsWith('UTC')) {
    reading.zone = utc
    reading.rest = rest.slice(3)
    return true
  }
  const found =
    /^(?:ChST|MeST|GMT(?:[+-]\d{1,2})?|[A-Z]{3}(?![A-Z])|[A-Z]{3}T(?![A-Z])|WITA(?![A-Z])|[A-Z]{4}T(?![A-Z])|[+-]\d\d(?:\d\d)?)/.exec(
      rest,
    )
  if (!found) return false
  reading.zoneName = found[0]
  reading.rest = rest.slice(found[0].length)
  return true
}

function readOffset(reading: Reading, chunk: string): boolean {
  if (chunk.startsWith('Z') && reading.rest.startsWith('Z')) {
    reading.rest = reading.rest.slice(1)
    reading.zone = utc
    return true
  }
  const shape = chunk.slice(1).replace(/^07/, '(\\d\\d)').replaceAll('00', '(\\d\\d)')
  const found = new RegExp(`^([+-])${shape}`).exec(reading.rest)
  if (!found) return false
  const [whole, sign, hours = '0', minutes = '0', rest = '0'] = found
  if (Number(hours) > 24) reading.outOfRange = 'time zone offset hour'
  if (Number(minutes) > 60) reading.outOfRange = 'time zone offset minute'
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest)
  reading.offset = sign === '-' ? -size : size
  reading.rest = reading.rest.slice(whole.length)
  return true
}

function readFraction(reading: Reading, chunk: string): boolean {
  const isFixed = chunk[1] === '0'
  const found = (isFixed ? new RegExp(`^[.,]\\d{${chunk.length - 1}}`) : /^[.,]\d+/).exec(reading.rest)
  if (!found) return !isFixed
  reading.nanos = Number(found[0].slice(1, 10).padEnd(9, '0'))
  reading.rest = reading.rest.slice(found[0].length)
  return true
}

function readChunk(reading: Reading, chunk: string): boolean {
  const read = Object.hasOwn(READERS, chunk) ? READERS[chunk] : undefined
  if (read) return read(reading, chunk)
  return chunk.startsWith('.') || chunk.startsWith(',') ? readFraction(reading, chunk) : readOffset(reading, chunk)
}

/** Layout text between chunks must be there; spaces of either may be several. */
function skipPrefix(reading: Reading, prefix: string): boolean {
  let at = 0
  while (at < prefix.length) {
    if (prefix[at] === ' ') {
      if (reading.rest !== '' && !reading.rest.startsWith(' ')) return false
      while (prefix[at] === ' ') at += 1
      reading.rest = reading.rest.replace(/^ +/, '')
      continue
    }
    if (reading.rest[0] !== prefix[at]) return false
    reading.rest = reading.rest.slice(1)
    at += 1
  }
  return true
}

/** A text in quotes as Go's time package writes it into its errors. */
export function quoteTime(text: string): string {
  const escaped = text.replaceAll(/["\\\p{Cc}]|[\u0080-\u{10ffff}]/gu, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : Array.from(bytesOf(character), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
  )
  return `"${escaped}"`
}

function secondsFractionFollows(layout: string, at: number): boolean {
  return /^[.,](?:0+|9+)(?!\d)/.test(layout.slice(at))
}

function readAll(reading: Reading, layout: string, text: string): string | undefined {
  let at = 0
  const cannot = (what: string): string =>
    `parsing time ${quoteTime(text)} as ${quoteTime(layout)}: cannot parse ${quoteTime(reading.rest)} as ${quoteTime(what)}`
  for (const found of layout.matchAll(CHUNK)) {
    const prefix = layout.slice(at, found.index)
    if (!skipPrefix(reading, prefix)) return cannot(prefix)
    const chunk = found[0]
    at = found.index + chunk.length
    const before = reading.rest
    if ((chunk === '5' || chunk === '05') && secondsFractionFollows(layout, at)) {
      const plain = number(chunk === '5' ? /^\d\d?/ : /^\d\d/, within('second', 0, 59))
      if (!plain(reading, chunk)) return cannot(chunk)
    } else if (!readChunk(reading, chunk)) {
      reading.rest = before
      return cannot(chunk)
    }
    if (reading.outOfRange !== '') return `parsing time ${quoteTime(text)}: ${reading.outOfRange} out of range`
  }
  const prefix = layout.slice(at)
  if (!skipPrefix(reading, prefix)) return cannot(prefix)
  return reading.rest === '' ? undefined : `parsing time ${quoteTime(text)}: extra text: ${quoteTime(reading.rest)}`
}

const daysIn = (year: number, month: number): number =>
  (utcSeconds(year, month + 1, 1) - utcSeconds(year, month, 1)) / 86_400

/** Settles the day; what is wrong with it otherwise. */
function settleDay(reading: Reading): string | undefined {
  if (reading.yearDay >= 0) {
    const last = daysIn(reading.year, 2) + 337
    if (reading.yearDay < 1 || reading.yearDay > last) return 'day-of-year out of range'
    const date = new Date(utcSeconds(reading.year, 1, reading.yearDay) * 1000)
    reading.month = date.getUTCMonth() + 1
    reading.day = date.getUTCDate()
    return undefined
  }
  if (reading.month < 0) reading.month = 1
  if (reading.day < 0) reading.day = 1
  return reading.day < 1 || reading.day > daysIn(reading.year, reading.month) ? 'day out of range' : undefined
}

function settle(reading: Reading, local: Zone): GoTime {
  let { hour } = reading
  if (reading.isAfternoon === true && hour < 12) hour += 12
  else if (reading.isAfternoon === false && hour === 12) hour = 0
  const wall = utcSeconds(reading.year, reading.month, reading.day, hour * 3600 + reading.minute * 60 + reading.second)
  const { nanos } = reading
  if (reading.zone) return instantOf(wall, nanos, reading.zone)
  if (reading.offset !== undefined) {
    const instant = wall - reading.offset
    const there = local.at(instant)
    const isLocal =
      there.seconds === reading.offset && (reading.zoneName === '' || there.abbreviation === reading.zoneName)
    return { seconds: instant, nanos, zone: isLocal ? local : fixedZone(reading.zoneName, reading.offset) }
  }
  if (reading.zoneName === '') return instantOf(wall, nanos, local)
  const there = instantOf(wall, nanos, local)
  if (local.at(there.seconds).abbreviation === reading.zoneName) return there
  const hours = /^GMT([+-]\d+)$/.exec(reading.zoneName)?.[1]
  const seconds = hours === undefined ? 0 : Number(hours) * 3600
  // The wall is taken for UTC here, as upstream: the offset changes what is shown, not the instant.
  return { seconds: wall, nanos, zone: fixedZone(reading.zoneName, seconds) }
}

/** Reads a time in a layout, in a zone where it names none; a text that does not fit gives what Go says. */
export function parseTime(layout: string, text: string, local: Zone = utc): GoTime | string {
  const reading: Reading = {
    rest: text,
    year: 0,
    month: -1,
    day: -1,
    yearDay: -1,
    hour: 0,
    minute: 0,
    second: 0,
    nanos: 0,
    isAfternoon: undefined,
    zone: undefined,
    offset: undefined,
    zoneName: '',
    outOfRange: '',
  }
  const problem = readAll(reading, layout, text)
  if (problem !== undefined) return problem
  const wrong = settleDay(reading)
  return wrong === undefined ? settle(reading, local) : `parsing time ${quoteTime(text)}: ${wrong}`
}
