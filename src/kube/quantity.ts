import { fail, type Result, succeed } from '../lib/result.ts'

/** How a quantity was written, and is printed again. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

/** An exact amount with the precision of Kubernetes: nothing finer than a billionth exists. */
export interface Quantity {
  /** The amount times 10^9. */
  readonly nano: bigint
  readonly format: QuantityFormat
}

const NANO = 1_000_000_000n
/** Larger amounts are cut to the largest 64-bit integer, as upstream does. */
const LARGEST = (2n ** 63n - 1n) * NANO

const decimalExponents: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
])
const decimalSuffixes: ReadonlyMap<number, string> = new Map(
  [...decimalExponents].map(([suffix, power]) => [power, suffix]),
)
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const

const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?([a-zA-Z]*|[eE][+-]?\d+)$/
/** Longer digit strings are refused before any arithmetic. */
const LONGEST = 200
/** Past this power of ten the amount is zero or cut, whatever its digits say. */
const EXTREME_POWER = 400

/** Reads `500m`, `1.5Gi`, `2e3`. */
export function parseQuantity(text: string): Result<Quantity> {
  const found = text.length <= LONGEST ? SHAPE.exec(text) : null
  const [, sign = '', whole = '', fraction = '', suffix = ''] = found ?? []
  if (!found || (whole === '' && fraction === '')) return malformed(text)
  const scale = scaleOf(suffix)
  if (!scale) return malformed(text)
  const digits = BigInt(whole + fraction)
  const amount =
    scale.base === 2
      ? binaryNano(digits, fraction.length, scale.power)
      : decimalNano(digits, scale.power - fraction.length)
  const cut = amount > LARGEST ? LARGEST : amount
  return succeed({ nano: sign === '-' ? -cut : cut, format: scale.format })
}

const malformed = (text: string): Result<Quantity> =>
  fail({
    code: 'quantity-invalid',
    message: `cannot read ${JSON.stringify(text.slice(0, LONGEST))} as a quantity`,
    cure: 'write a number with an optional suffix such as m, k, M, G, Ki, Mi, Gi or an exponent such as e3',
  })

interface Scale {
  readonly base: 2 | 10
  readonly power: number
  readonly format: QuantityFormat
}

function scaleOf(suffix: string): Scale | undefined {
  const decimal = decimalExponents.get(suffix)
  if (decimal !== undefined) return { base: 10, power: decimal, format: 'DecimalSI' }
  const binary = binarySuffixes.indexOf(suffix as (typeof binarySuffixes)[number])
  if (binary > 0) return { base: 2, power: binary * 10, format: 'BinarySI' }
  if (!/^[eE][+-]?\d+$/.test(suffix)) return undefined
  const power = Math.max(-EXTREME_POWER, Math.min(EXTREME_POWER, Number(suffix.slice(1))))
  return { base: 10, power, format: 'DecimalExponent' }
}

/** Divides and rounds away from zero: a trace of something is never nothing. */
const divideUp = (amount: bigint, by: bigint): bigint => (amount + by - 1n) / by

function decimalNano(digits: bigint, power: number): bigint {
  const shift = power + 9
  return shift >= 0 ? digits * 10n ** BigInt(shift) : divideUp(digits, 10n ** BigInt(-shift))
}

function binaryNano(digits: bigint, decimals: number, power: number): bigint {
  return divideUp(digits * 2n ** BigInt(power) * NANO, 10n ** BigInt(decimals))
}

/** The canonical text: no fraction, the largest suffix that keeps the amount exact. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0'
  const size = nano < 0n ? -nano : nano
  const sign = nano < 0n ? '-' : ''
  if (format === 'BinarySI' && size >= 1024n * NANO && size % NANO === 0n) return sign + formatBinary(size / NANO)
  let mantissa = size
  let power = -9
  while (mantissa % 1000n === 0n && (format === 'DecimalExponent' || power < 18)) {
    mantissa /= 1000n
    power += 3
  }
  const exponent = power === 0 ? '' : `e${power}`
  return `${sign}${mantissa}${format === 'DecimalExponent' ? exponent : (decimalSuffixes.get(power) ?? exponent)}`
}

function formatBinary(amount: bigint): string {
  let mantissa = amount
  let step = 0
  while (mantissa % 1024n === 0n && step < binarySuffixes.length - 1) {
    mantissa /= 1024n
    step++
  }
  return `${mantissa}${binarySuffixes[step] ?? ''}`
}

/** Negative, zero or positive, as sort functions want it. */
export function compareQuantity(a: Quantity, b: Quantity): number {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0
}

/** The sum, written as the first is unless that is zero. */
export function addQuantity(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format }
}

/** The difference, written as the first is unless that is zero. */
export function subtractQuantity(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format }
}

/** Whole units, rounded up: bytes, counts. */
export function unitsOf({ nano }: Quantity): number {
  return Number(nano >= 0n ? divideUp(nano, NANO) : nano / NANO)
}

/** Thousandths, rounded up: millicores. */
export function milliOf({ nano }: Quantity): number {
  const step = NANO / 1000n
  return Number(nano >= 0n ? divideUp(nano, step) : nano / step)
}

/** A quantity of whole units. */
export function quantityOf(units: number, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nano: BigInt(Math.round(units)) * NANO, format }
}
