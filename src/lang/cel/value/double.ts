import { Boxed } from './boxed.ts'

/** A CEL double. */
export class Double extends Boxed {
  readonly kind = 'double' as const
  readonly value: number

  constructor(value: number) {
    super()
    this.value = value
  }
}

/** A double as text, in the shortest form that reads back, with an exponent from 1e+06 on and below 1e-04. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [digits = '0', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= 6)
    return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  return plainDecimal(value)
}

/** A double without an exponent. */
export function plainDecimal(value: number): string {
  const text = String(value)
  if (!text.includes('e')) return text
  const [digits = '', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  const sign = digits.startsWith('-') ? '-' : ''
  const bare = digits.replace('-', '').replace('.', '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${bare}`
  return `${sign}${bare.padEnd(exponent + 1, '0')}`
}
