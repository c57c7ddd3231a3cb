import { remembered } from './remembered.ts'
/** A place on Earth or a fixed distance from UTC, as Go's time.Location. */
export interface Zone {
  /** What the location is called: `UTC`, `Local`, an IANA name, or the abbreviation of a fixed zone. */
  readonly name: string
  /** Seconds east of UTC and the abbreviation at a Unix second. */
  at(unixSeconds: number): ZoneOffset
}

export interface ZoneOffset {
  readonly seconds: number
  readonly abbreviation: string
}

const UTC_OFFSET: ZoneOffset = { seconds: 0, abbreviation: 'UTC' }

/** Coordinated universal time. */
export const utc: Zone = { name: 'UTC', at: () => UTC_OFFSET }

/** A zone that never changes. */
export function fixedZone(abbreviation: string, seconds: number): Zone {
  const offset = { seconds, abbreviation }
  return { name: abbreviation, at: () => offset }
}

/** Abbreviations of the zone database that the runtime's locale data does not know. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  'Asia/Tokyo': 'JST',
  'Asia/Seoul': 'KST',
  'Asia/Shanghai': 'CST',
  'Asia/Taipei': 'CST',
  'Asia/Hong_Kong': 'HKT',
  'Asia/Kolkata': 'IST',
  'Asia/Calcutta': 'IST',
  'Asia/Karachi': 'PKT',
  'Asia/Manila': 'PST',
  'Asia/Jakarta': 'WIB',
  'Europe/Moscow': 'MSK',
  'Africa/Lagos': 'WAT',
  'Africa/Nairobi': 'EAT',
  'Africa/Johannesburg': 'SAST',
}
/** Locales whose short names are those of the zone database for some part of the world. */
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-NZ', 'en-CA'] as const

interface Formats {
  readonly offset: Intl.DateTimeFormat
  readonly names: readonly Intl.DateTimeFormat[]
}

function formatsOf(timeZone: string): Formats {
  return {
    offset: new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }),
    names: LOCALES.map((locale) => new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'short' })),
  }
}

const zoneNameAt = (format: Intl.DateTimeFormat, ms: number): string =>
  format.formatToParts(ms).find((part) => part.type === 'timeZoneName')?.value ?? ''

function secondsOf(name: string): number {
  const found = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name)
  if (!found) return 0
  const size = Number(found[2]) * 3600 + Number(found[3]) * 60 + Number(found[4] ?? 0)
  return found[1] === '-' ? -size : size
}

function numericName(seconds: number): string {
  const minutes = Math.abs(Math.trunc(seconds / 60))
  const rest = minutes % 60 === 0 ? '' : String(minutes % 60).padStart(2, '0')
  return `${seconds < 0 ? '-' : '+'}${String(Math.trunc(minutes / 60)).padStart(2, '0')}${rest}`
}

function abbreviationAt(timeZone: string, formats: Formats, ms: number, seconds: number): string {
  const known = ABBREVIATIONS[timeZone]
  if (known) return known
  for (const format of formats.names) {
    const name = zoneNameAt(format, ms)
    if (/^[A-Z]{3,5}$/.test(name)) return name
  }
  return numericName(seconds)
}

const fixedZones: ReadonlyMap<string, Zone | undefined> = new Map([
  ['', utc],
  ['UTC', utc],
])
const KEPT_ZONES = 1000

function namedZone(name: string, timeZone: string): Zone | undefined {
  let formats: Formats
  try {
    formats = formatsOf(timeZone)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
  return {
    name,
    at(unixSeconds) {
      const ms = Math.min(Math.max(unixSeconds * 1000, -8.64e15), 8.64e15)
      const seconds = secondsOf(zoneNameAt(formats.offset, ms))
      return { seconds, abbreviation: abbreviationAt(timeZone, formats, ms, seconds) }
    },
  }
}

/** A zone of the IANA database by name; undefined where there is none. */
export const findZone: (name: string) => Zone | undefined = remembered(KEPT_ZONES, (name) => {
  if (fixedZones.has(name)) return fixedZones.get(name)
  return /^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name) ? namedZone(name, name) : undefined
})
