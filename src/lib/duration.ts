import { fail, type Result, succeed } from './result.ts'

/** Nanoseconds, exact, as a Go duration is. */
export type Nanoseconds = bigint

const units: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
])
const LARGEST = 2n ** 63n - 1n
const LONGEST_TEXT = 200
const PART = /(\d*)(?:\.(\d*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y

/** Reads `1h30m`, `-1.5s`, `0`, as Go's time.ParseDuration does. */
export function parseDuration(text: string): Result<Nanoseconds> {
  const negative = text.startsWith('-')
  const rest = negative || text.startsWith('+') ? text.slice(1) : text
  if (rest === '0') return succeed(0n)
  if (rest === '' || text.length > LONGEST_TEXT) return malformed(text)
  let total = 0n
  PART.lastIndex = 0
  while (PART.lastIndex < rest.length) {
    const found = PART.exec(rest)
    const [, whole = '', fraction = '', unit = ''] = found ?? []
    if (!found || (whole === '' && fraction === '')) return malformed(text)
    const size = units.get(unit) ?? 0n
    total += BigInt(whole || '0') * size + (BigInt(fraction || '0') * size) / 10n ** BigInt(fraction.length)
  }
  if (total > (negative ? LARGEST + 1n : LARGEST)) return malformed(text)
  return succeed(negative ? -total : total)
}

const malformed = (text: string): Result<Nanoseconds> =>
  fail({
    code: 'duration-invalid',
    message: `cannot read ${JSON.stringify(text.slice(0, LONGEST_TEXT))} as a duration`,
    cure: 'write numbers with units ns, us, ms, s, m or h, such as 1h30m',
  })

/** Prints a duration as Go does: `1h30m0s`, `1.5s`, `100ms`, `0s`. */
export function formatDuration(duration: Nanoseconds): string {
  if (duration === 0n) return '0s'
  const sign = duration < 0n ? '-' : ''
  const size = duration < 0n ? -duration : duration
  if (size < 1_000n) return `${sign}${size}ns`
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}\u00b5s`
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 6)}ms`
  const minutes = size / 60_000_000_000n
  const seconds = `${decimal(size % 60_000_000_000n, 9)}s`
  if (minutes === 0n) return sign + seconds
  return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
}

/** A number with so many decimals, without trailing zeros. */
function decimal(amount: bigint, decimals: number): string {
  const size = 10n ** BigInt(decimals)
  const fraction = (amount % size).toString().padStart(decimals, '0').replace(/0+$/, '')
  return fraction === '' ? `${amount / size}` : `${amount / size}.${fraction}`
}

/** Milliseconds of a duration, for timers. */
export function millisecondsOf(duration: Nanoseconds): number {
  return Number(duration) / 1e6
}

/** An age at a glance, as in the AGE column: `45s`, `3m20s`, `5h12m`, `3d4h`, `2y30d`. */
export function formatAge(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 120) return `${Math.max(seconds, 0)}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (days < 8) return pair(days, 'd', hours % 24, 'h')
  if (days < 730) return `${days}d`
  const years = Math.floor(days / 365)
  return days < 2_920 ? pair(years, 'y', days % 365, 'd') : `${years}y`
}

const pair = (large: number, unit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large}${unit}` : `${large}${unit}${small}${smallUnit}`
