/** The decimal digits of a number and where its point stands: 0.d1d2d3... x 10^point. */
interface Decimal {
  readonly digits: string
  readonly point: number
}

/** Every digit of a double, exactly. */
function exactDecimal(value: number): Decimal {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, value)
  const word = bits.getBigUint64(0)
  const exponent = Number((word >> 52n) & 0x7ffn)
  const fraction = word & 0xfffffffffffffn
  const mantissa = exponent === 0 ? fraction : fraction | (1n << 52n)
  const power = (exponent === 0 ? 1 : exponent) - 1075
  if (mantissa === 0n) return { digits: '', point: 0 }
  const digits = (power >= 0 ? mantissa << BigInt(power) : mantissa * 5n ** BigInt(-power)).toString()
  return { digits: digits.replace(/0+$/, ''), point: digits.length + Math.min(power, 0) }
}

/** The shortest digits that read back as the same double. */
function shortestDecimal(value: number): Decimal {
  if (value === 0) return { digits: '', point: 0 }
  const [mantissa = '', exponent = '0'] = Math.abs(value).toExponential().split('e')
  return { digits: mantissa.replace('.', ''), point: Number(exponent) + 1 }
}

/** Rounds to a count of digits, halves to even. */
function roundDecimal({ digits, point }: Decimal, count: number): Decimal {
  if (count >= digits.length) return { digits, point }
  if (count < 0) return { digits: '', point: 0 }
  const kept = digits.slice(0, count)
  const rest = digits.slice(count)
  const half = rest[0] === '5' && /^50*$/.test(rest)
  const isOdd = count > 0 && Number(digits[count - 1]) % 2 === 1
  const up = half ? isOdd : (rest[0] ?? '0') >= '5'
  if (!up) return { digits: kept.replace(/0+$/, ''), point: kept.replace(/0+$/, '') === '' ? 0 : point }
  const raised = (BigInt(kept === '' ? '0' : kept) + 1n).toString()
  return { digits: raised.replace(/0+$/, ''), point: point + (raised.length - count) }
}

function exponential({ digits, point }: Decimal, precision: number, letter: string): string {
  const first = digits[0] ?? '0'
  const more = precision > 0 ? `.${digits.slice(1, 1 + precision).padEnd(precision, '0')}` : ''
  const exponent = digits === '' ? 0 : point - 1
  return `${first}${more}${letter}${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

function fixed({ digits, point }: Decimal, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  if (precision <= 0) return whole
  let fraction = ''
  for (let place = 0; place < precision; place++) fraction += (point + place >= 0 && digits[point + place]) || '0'
  return `${whole}.${fraction}`
}

function general(decimal: Decimal, precision: number, isShortest: boolean, letter: string): string {
  const { digits, point } = decimal
  let limit = precision
  if (limit > digits.length && digits.length >= point) limit = digits.length
  if (isShortest) limit = 6
  const exponent = digits === '' ? 0 : point - 1
  if (exponent < -4 || exponent >= limit) {
    return exponential(decimal, Math.min(precision, digits.length) - 1, letter)
  }
  return fixed(decimal, Math.max(digits.length - point, 0))
}

/** Formats a float as Go's strconv does. The verb is one of e E f F g G; a precision of -1 means the shortest exact form. */
export function formatFloat(value: number, verb: string, precision: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const isShortest = precision < 0
  const exact = isShortest ? shortestDecimal(value) : exactDecimal(value)
  switch (verb) {
    case 'e':
    case 'E': {
      const digits = isShortest ? Math.max(exact.digits.length - 1, 0) : precision
      return sign + exponential(isShortest ? exact : roundDecimal(exact, precision + 1), digits, verb)
    }
    case 'f':
    case 'F': {
      const places = isShortest ? Math.max(exact.digits.length - exact.point, 0) : precision
      return sign + fixed(isShortest ? exact : roundDecimal(exact, exact.point + precision), places)
    }
    default: {
      const digits = isShortest ? Math.max(exact.digits.length, 1) : precision === 0 ? 1 : precision
      const rounded = isShortest ? exact : roundDecimal(exact, digits)
      return sign + general(rounded, digits, isShortest, verb === 'G' ? 'E' : 'e')
    }
  }
}

const WHOLE_LIMIT = 1e6

/** A float as `%v` prints it. */
export function floatText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < WHOLE_LIMIT && !Object.is(value, -0)) return String(value)
  return formatFloat(value, 'g', -1)
}
