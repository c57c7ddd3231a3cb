import { EvaluationError } from '../error.ts'
import { Boxed } from './boxed.ts'
import { INT_MAX, INT_MIN } from './integer.ts'

/** A CEL duration, as nanoseconds within 64 bits. */
export class Duration extends Boxed {
  readonly kind = 'duration' as const
  readonly nanos: bigint

  constructor(nanos: bigint) {
    super()
    this.nanos = nanos
  }
}

export const SECOND: bigint = 1_000_000_000n

/** Nanoseconds as a duration; throws where they leave the range. */
export function toDuration(nanos: bigint): Duration {
  if (nanos > INT_MAX || nanos < INT_MIN) throw new EvaluationError('duration overflow: out of range')
  return new Duration(nanos)
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3_600n * SECOND,
}

const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y

/** Reads `1h30m`, `-1.5s`, `0`; undefined when the text is no duration. */
export function parseDuration(text: string): bigint | undefined {
  let at = 0
  const negative = text.startsWith('-')
  if (negative || text.startsWith('+')) at++
  if (text.slice(at) === '0') return 0n
  if (at === text.length || text.length > 200) return undefined
  let total = 0n
  while (at < text.length) {
    PART.lastIndex = at
    const part = PART.exec(text)
    const [whole, fraction] = [part?.[1] ?? '', part?.[2] ?? '']
    if (!part || (whole === '' && fraction === '')) return undefined
    const unit = UNITS[part[3] ?? ''] ?? 0n
    total += BigInt(whole || '0') * unit
    if (fraction !== '') total += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length)
    at = PART.lastIndex
  }
  return negative ? -total : total
}

/** `1.5s`: seconds with as many digits as needed. */
export function durationText(nanos: bigint): string {
  const sign = nanos < 0n ? '-' : ''
  const size = nanos < 0n ? -nanos : nanos
  const fraction = size % SECOND
  const tail = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`
  return `${sign}${size / SECOND}${tail}s`
}
