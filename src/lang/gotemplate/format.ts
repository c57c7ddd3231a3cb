import { formatFloat } from '../../lib/go-float.ts'
import { bytesOf, isPrintable, quoteString, stringOf } from '../../lib/go-string.ts'
import { complexText, ownText, valueText } from './print.ts'
import { Trail } from './trail.ts'
import { entryOf, keyValue, sortedKeys } from './truth.ts'
import {
  GoComplex,
  GoFunction,
  GoInt,
  GoNamed,
  type GoType,
  HostObject,
  INTERFACE,
  isList,
  isNilValue,
  itemsOf,
  typeName,
  typeOf,
} from './value.ts'

/** The flags, width and precision of one verb. */
interface Spec {
  readonly verb: string
  readonly plus: boolean
  /** `%+v`: field names. */
  readonly plusV: boolean
  readonly minus: boolean
  readonly sharp: boolean
  readonly space: boolean
  readonly zero: boolean
  readonly width: number | undefined
  readonly precision: number | undefined
  readonly trail: Trail
}

/** The largest width or precision that Go accepts. */
const WIDEST = 1_000_000

const charactersIn = (text: string): number => Array.from(text).length

function pad(text: string, spec: Spec, zero = false): string {
  const missing = (spec.width ?? 0) - charactersIn(text)
  if (missing <= 0) return text
  if (spec.minus) return text + ' '.repeat(missing)
  if (!zero || !spec.zero) return ' '.repeat(missing) + text
  const sign = /^[+\- ]/.test(text) ? (text[0] ?? '') : ''
  return sign + '0'.repeat(missing) + text.slice(sign.length)
}

function bad(value: unknown, spec: Spec): string {
  if (value === null || value === undefined) return `%!${spec.verb}(<nil>)`
  // The flags and the width still hold for the value itself.
  return `%!${spec.verb}(${typeName(value)}=${formatValue(value, { ...spec, verb: 'v', sharp: false }, 0)})`
}

const BASES: Readonly<Record<string, number>> = { d: 10, v: 10, b: 2, o: 8, O: 8, x: 16, X: 16 }

function integerDigits(value: bigint, base: number, spec: Spec): string {
  let digits = (value < 0n ? -value : value).toString(base)
  if (spec.verb === 'X') digits = digits.toUpperCase()
  if (spec.precision !== undefined) {
    return value === 0n && spec.precision === 0 ? '' : digits.padStart(spec.precision, '0')
  }
  return digits
}

function basePrefix(digits: string, spec: Spec): string {
  if (spec.verb === 'O') return '0o'
  if (!spec.sharp) return ''
  if (spec.verb === 'o') return digits.startsWith('0') ? '' : '0'
  return { b: '0b', x: '0x', X: '0X' }[spec.verb] ?? ''
}

function unicodeText(value: bigint, spec: Spec): string {
  const codePoint = Number(value)
  const digits = value
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(spec.precision ?? 4, 4), '0')
  const shown = spec.sharp && codePoint <= 0x10ffff && isPrintable(codePoint)
  return `U+${digits}${shown ? ` '${String.fromCodePoint(codePoint)}'` : ''}`
}

const runeOf = (value: bigint): string =>
  value < 0n || value > 0x10ffffn || (value >= 0xd800n && value < 0xe000n)
    ? '\ufffd'
    : String.fromCodePoint(Number(value))

function formatInteger(value: GoInt, spec: Spec): string {
  if (spec.verb === 'c') return pad(runeOf(value.value), spec)
  if (spec.verb === 'q') return pad(quoteString(runeOf(value.value), "'", spec.plus), spec)
  if (spec.verb === 'U') return pad(unicodeText(value.value, spec), spec)
  if (spec.verb === 'v' && spec.sharp && value.type.kind.startsWith('u'))
    return pad(`0x${value.value.toString(16)}`, spec)
  const base = BASES[spec.verb]
  if (base === undefined) return bad(value, spec)
  const digits = integerDigits(value.value, base, spec)
  const sign = value.value < 0n ? '-' : spec.plus ? '+' : spec.space ? ' ' : ''
  const prefix = basePrefix(digits, spec)
  if (spec.zero && !spec.minus && spec.precision === undefined && spec.width !== undefined) {
    return sign + prefix + digits.padStart(spec.width - sign.length - (spec.sharp ? 0 : 0), '0')
  }
  return pad(sign + prefix + digits, spec)
}

/** What `#` does to floats: a point always, and trailing zeros kept. */
function keepZeros(text: string, verb: string, precision: number | undefined): string {
  const [mantissa = '', exponent] = text.split(/(?=e[+-])/i)
  const isGeneral = verb === 'g' || verb === 'G' || verb === 'v'
  const wanted = isGeneral ? (precision ?? 6) : 0
  const digits = mantissa.replace(/^[+-]?0?\.?0*/, '').replace('.', '').length
  const pointed = mantissa.includes('.') ? mantissa : `${mantissa}.`
  return pointed + (isGeneral ? '0'.repeat(Math.max(wanted - Math.max(digits, 1), 0)) : '') + (exponent ?? '')
}

const FLOAT_PRECISIONS: Readonly<Record<string, number>> = { e: 6, E: 6, f: 6, F: 6, g: -1, G: -1, v: -1 }

function floatDigits(value: number, spec: Spec): string | undefined {
  const usual = FLOAT_PRECISIONS[spec.verb]
  if (usual === undefined) return undefined
  const verb = spec.verb === 'v' ? 'g' : spec.verb
  let text = formatFloat(value, verb, spec.precision ?? usual)
  if (spec.sharp && spec.verb !== 'v' && Number.isFinite(value)) text = keepZeros(text, verb, spec.precision)
  return text
}

function formatNumber(value: number, spec: Spec): string {
  const digits = spec.verb === 'x' || spec.verb === 'X' ? hexFloat(value, spec) : floatDigits(value, spec)
  if (digits === undefined) return bad(value, spec)
  const unsigned = digits.replace(/^\+/, '')
  const isNegative = unsigned.startsWith('-')
  const sign = isNegative ? '' : spec.plus ? '+' : spec.space ? ' ' : digits.startsWith('+') ? '+' : ''
  if (!Number.isFinite(value)) {
    const shown = Number.isNaN(value) && !spec.plus ? (spec.space ? ' NaN' : 'NaN') : sign + unsigned
    return pad(shown, spec)
  }
  return pad(sign + unsigned, spec, true)
}

/** `%x` of a float: a hexadecimal mantissa and a binary exponent. */
function hexFloat(value: number, spec: Spec): string {
  if (!Number.isFinite(value)) return formatFloat(value, 'g', -1)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  let exponent = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value)))
  let mantissa = value === 0 ? 0 : Math.abs(value) / 2 ** exponent
  if (mantissa >= 2) {
    mantissa /= 2
    exponent += 1
  }
  const fraction = mantissa.toString(16).split('.')[1] ?? ''
  const digits = spec.precision === undefined ? fraction : fraction.padEnd(spec.precision, '0').slice(0, spec.precision)
  const power = `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  const text = `${sign}0x${value === 0 ? 0 : 1}${digits === '' ? '' : `.${digits}`}p${power}`
  return spec.verb === 'X' ? text.toUpperCase() : text
}

function hexBytes(bytes: Uint8Array, spec: Spec): string {
  const cut = spec.precision === undefined ? bytes : bytes.subarray(0, spec.precision)
  const pairs = Array.from(cut, (byte) => byte.toString(16).padStart(2, '0'))
  const prefix = spec.sharp ? '0x' : ''
  const joined = spec.space
    ? pairs.map((pair) => prefix + pair).join(' ')
    : pairs.length > 0
      ? prefix + pairs.join('')
      : ''
  return pad(spec.verb === 'X' ? joined.toUpperCase() : joined, spec)
}

const cutTo = (text: string, spec: Spec): string =>
  spec.precision === undefined ? text : Array.from(text).slice(0, spec.precision).join('')

function formatText(text: string, spec: Spec, value: unknown): string {
  switch (spec.verb) {
    case 'v':
      return spec.sharp ? pad(quoteString(text), spec) : pad(cutTo(text, spec), spec, true)
    case 's':
      return pad(cutTo(text, spec), spec, true)
    case 'q': {
      const cut = cutTo(text, spec)
      const raw = spec.sharp && !cut.includes('`') && !/[^\t\x20-\x7e\x80-\uffff]/.test(cut)
      return pad(raw ? `\`${cut}\`` : quoteString(cut, '"', spec.plus), spec)
    }
    case 'x':
    case 'X':
      return hexBytes(bytesOf(text), spec)
    default:
      return bad(value, spec)
  }
}

/** Go's zero padding applies to text too. */
function formatBytes(value: Uint8Array, spec: Spec): string {
  if (spec.verb === 's' || spec.verb === 'q') return formatText(stringOf(value), spec, value)
  if (spec.verb === 'x' || spec.verb === 'X') return hexBytes(value, spec)
  if (spec.verb === 'v' && spec.sharp)
    return `[]byte{${Array.from(value, (byte) => `0x${byte.toString(16)}`).join(', ')}}`
  return `[${itemsOf(value)
    .map((item) => formatValue(item, spec, 1))
    .join(' ')}]`
}

/** A type's name as `%#v` writes it. */
const literalName = (type: GoType | undefined): string => type?.name ?? 'interface {}'

function formatComposite(value: object, spec: Spec, depth: number): string {
  spec.trail.step()
  const type = typeOf(value)
  const isLiteral = spec.verb === 'v' && spec.sharp
  const each = (item: unknown): string =>
    isLiteral && (item === null || item === undefined)
      ? `${(type?.elem ?? INTERFACE).name}(nil)`
      : formatValue(item, spec, depth + 1)
  if (isLiteral && isNilValue(value)) return `${literalName(type)}(nil)`
  if (isList(value)) {
    const items = itemsOf(value).map(each)
    return isLiteral ? `${literalName(type)}{${items.join(', ')}}` : `[${items.join(' ')}]`
  }
  if (value instanceof HostObject && type?.kind !== 'map') return formatStruct(value, spec, depth)
  const entries = (sortedKeys(value) ?? []).map(
    (key) => `${formatValue(keyValue(value, key), spec, depth + 1)}:${each(entryOf(value, key))}`,
  )
  return isLiteral ? `${literalName(type)}{${entries.join(', ')}}` : `map[${entries.join(' ')}]`
}

function formatStruct(value: HostObject, spec: Spec, depth: number): string {
  const isPointer = value.type.kind === 'ptr'
  if (isPointer && depth > 0) return '0xc000012345'
  const isLiteral = spec.verb === 'v' && spec.sharp
  const isNamed = spec.verb === 'v' && (spec.sharp || spec.plusV)
  const fields = [...value.fields].map(
    ([name, field]) => (isNamed ? `${name}:` : '') + formatValue(field, spec, depth + 1),
  )
  const name = isLiteral ? value.type.name.replace(/^\*/, '') : ''
  return `${isPointer ? '&' : ''}${name}{${fields.join(isLiteral ? ', ' : ' ')}}`
}

const TEXT_VERBS = 'vsxXq'

function formatComplex(value: GoComplex, spec: Spec): string {
  if (!'vbgGxXfFeE'.includes(spec.verb)) return bad(value, spec)
  if (spec.verb === 'v' && spec.precision === undefined && !spec.plus) return pad(complexText(value), spec)
  const real = formatNumber(value.real, { ...spec, width: undefined })
  return `(${real}${formatNumber(value.imaginary, { ...spec, width: undefined, plus: true })}i)`
}

function formatBool(value: boolean, spec: Spec): string {
  return spec.verb === 't' || spec.verb === 'v' ? pad(String(value), spec, true) : bad(value, spec)
}

function formatNamed(value: GoNamed, spec: Spec): string {
  const text = formatValue(value.value, spec, 1)
  return text.startsWith(`%!${spec.verb}(`) ? bad(value, spec) : text
}

function formatObject(value: object, spec: Spec, depth: number): string {
  const own = TEXT_VERBS.includes(spec.verb) && !(spec.verb === 'v' && spec.sharp) ? ownText(value) : undefined
  if (own !== undefined) return formatText(own, spec, value)
  if (value instanceof GoInt) return formatInteger(value, spec)
  if (value instanceof GoNamed) return formatNamed(value, spec)
  if (value instanceof GoComplex) return formatComplex(value, spec)
  if (value instanceof Uint8Array) return formatBytes(value, spec)
  if (value instanceof GoFunction)
    return spec.verb === 'v' || spec.verb === 'p' ? pad('0x47b2c0', spec) : bad(value, spec)
  if (spec.verb === 'p') return '0xc000012345'
  return formatComposite(value, spec, depth)
}

function formatValue(value: unknown, spec: Spec, depth: number): string {
  switch (typeof value) {
    case 'string':
      return formatText(value, spec, value)
    case 'number':
      return formatNumber(value, spec)
    case 'boolean':
      return formatBool(value, spec)
    case 'object':
      if (value !== null) return formatObject(value, spec, depth)
      break
    default:
  }
  if (spec.verb === 'v') return pad('<nil>', spec)
  if (depth > 0) return '<nil>'
  return `%!${spec.verb}(<nil>)`
}

function formatVerb(value: unknown, spec: Spec): string {
  if (spec.verb === 'T') return pad(value === null || value === undefined ? '<nil>' : typeName(value), spec)
  return formatValue(value, spec, 0)
}

interface Scan {
  readonly format: string
  readonly values: readonly unknown[]
  at: number
  next: number
  reordered: boolean
  goodIndex: boolean
}

/** Reads `[n]` before a width, precision or verb. */
function readIndex(scan: Scan): boolean {
  if (scan.format[scan.at] !== '[') return false
  scan.reordered = true
  const close = scan.format.indexOf(']', scan.at)
  const written = close < 0 ? '' : scan.format.slice(scan.at + 1, close)
  scan.at = close < 0 ? scan.at + 1 : close + 1
  const index = /^\d+$/.test(written) ? Number(written) - 1 : -1
  if (index < 0 || index >= scan.values.length) scan.goodIndex = false
  else scan.next = index
  return true
}

/** Reads a number, or takes it from the arguments for `*`. */
function readSize(scan: Scan): number | 'bad' | undefined {
  if (scan.format[scan.at] === '*') {
    scan.at += 1
    const given = scan.values[scan.next]
    scan.next += 1
    const size = given instanceof GoInt ? Number(given.value) : Number.NaN
    return Math.abs(size) <= WIDEST ? size : 'bad'
  }
  const digits = /^\d+/.exec(scan.format.slice(scan.at, scan.at + 8))?.[0]
  if (digits === undefined) return undefined
  scan.at += digits.length
  return Number(digits) > WIDEST ? 'bad' : Number(digits)
}

function readFlags(scan: Scan): string {
  const start = scan.at
  while (scan.at < scan.format.length && '+-# 0'.includes(scan.format[scan.at] ?? '')) scan.at += 1
  return scan.format.slice(start, scan.at)
}

interface Sizes {
  readonly before: string
  readonly minus: boolean
  readonly width: number | undefined
  readonly precision: number | undefined
}

function readSizes(scan: Scan): Sizes {
  let before = ''
  let minus = false
  let afterIndex = readIndex(scan)
  const isStar = scan.format[scan.at] === '*'
  let width = readSize(scan)
  if (width === 'bad') {
    before += '%!(BADWIDTH)'
    width = undefined
  }
  if (!isStar && width !== undefined && afterIndex) scan.goodIndex = false
  if (isStar && width !== undefined && width < 0) {
    width = -width
    minus = true
  }
  if (width !== undefined) afterIndex = false
  let precision: number | undefined
  if (scan.format[scan.at] === '.' && scan.at + 1 < scan.format.length) {
    scan.at += 1
    if (afterIndex) scan.goodIndex = false
    readIndex(scan)
    const read = readSize(scan)
    if (read === 'bad' || (typeof read === 'number' && read < 0)) before += '%!(BADPREC)'
    else precision = read ?? 0
  }
  return { before, minus, width, precision }
}

function formatOne(scan: Scan): string {
  scan.goodIndex = true
  const flags = readFlags(scan)
  const { before, minus, width, precision } = readSizes(scan)
  if (scan.format[scan.at] === '[') readIndex(scan)
  if (scan.at >= scan.format.length) return `${before}%!(NOVERB)`
  const verb = String.fromCodePoint(scan.format.codePointAt(scan.at) ?? 0)
  scan.at += verb.length
  if (verb === '%') return `${before}%`
  if (!scan.goodIndex) return `${before}%!${verb}(BADINDEX)`
  if (scan.next >= scan.values.length) return `${before}%!${verb}(MISSING)`
  const value = scan.values[scan.next]
  scan.next += 1
  const isMinus = minus || flags.includes('-')
  return (
    before +
    formatVerb(value, {
      verb: verb === 'w' ? 'v' : verb,
      plus: flags.includes('+') && verb !== 'v',
      plusV: flags.includes('+') && verb === 'v',
      minus: isMinus,
      sharp: flags.includes('#'),
      space: flags.includes(' '),
      zero: flags.includes('0') && !isMinus,
      width,
      precision,
      trail: new Trail(),
    })
  )
}

/** `fmt.Sprintf` over Go values. */
export function sprintf(format: string, values: readonly unknown[]): string {
  const scan: Scan = { format, values, at: 0, next: 0, reordered: false, goodIndex: true }
  let text = ''
  while (scan.at < format.length) {
    const percent = format.indexOf('%', scan.at)
    if (percent < 0) {
      text += format.slice(scan.at)
      break
    }
    text += format.slice(scan.at, percent)
    scan.at = percent + 1
    text += formatOne(scan)
  }
  if (scan.reordered || scan.next >= values.length) return text
  const extra = values
    .slice(scan.next)
    .map((value) => (value === null || value === undefined ? '<nil>' : `${typeName(value)}=${valueText(value)}`))
  return `${text}%!(EXTRA ${extra.join(', ')})`
}
