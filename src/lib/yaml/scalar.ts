/**
 * How plain scalars become values. `go` is what sigs.k8s.io/yaml does (helm, kubectl): YAML 1.1 booleans, dates stay text.
 * `kyaml` is what kustomize's reader does: only true and false are booleans, and a bare date becomes a timestamp.
 */
export type YamlDialect = 'go' | 'kyaml'

/** What a plain scalar stands for. Integers that a double cannot hold are bigints. */
export type Scalar = null | boolean | number | bigint | string

const words = (value: Scalar, ...spellings: readonly string[]): readonly (readonly [string, Scalar])[] =>
  spellings.map((spelling) => [spelling, value])

const coreWords = [
  ...words(true, 'true', 'True', 'TRUE'),
  ...words(false, 'false', 'False', 'FALSE'),
  ...words(null, '', '~', 'null', 'Null', 'NULL'),
  ...words(Number.NaN, '.nan', '.NaN', '.NAN'),
  ...words(Number.POSITIVE_INFINITY, '.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'),
  ...words(Number.NEGATIVE_INFINITY, '-.inf', '-.Inf', '-.INF'),
]
const oldBooleans = [
  ...words(true, 'y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'),
  ...words(false, 'n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'),
]
const wordsOf: Readonly<Record<YamlDialect, ReadonlyMap<string, Scalar>>> = {
  go: new Map([...coreWords, ...oldBooleans]),
  kyaml: new Map(coreWords),
}

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const POINT_FLOAT = /^\.[0-9]+(?:[eE][-+]?[0-9]+)?$/
const DECIMAL = /^[-+]?(?:0|[1-9][0-9]*)$/
const BASED = /^([-+]?)0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[oO]?([0-7]+))$/
const LARGEST = 0xffff_ffff_ffff_ffffn
const SMALLEST = -0x8000_0000_0000_0000n

function intOf(plain: string): number | bigint | undefined {
  if (DECIMAL.test(plain)) return sized(plain, () => BigInt(plain.startsWith('+') ? plain.slice(1) : plain))
  const based = BASED.exec(plain)
  if (!based) return undefined
  const [, sign, hex, binary, octal] = based
  const digits = hex === undefined ? (binary === undefined ? `0o${octal}` : `0b${binary}`) : `0x${hex}`
  return sized(plain, () => (sign === '-' ? -BigInt(digits) : BigInt(digits)))
}

/** Short numbers take the quick way; the others keep 64 bits, and what has more is no integer. */
function sized(plain: string, exact: () => bigint): number | bigint | undefined {
  if (plain.length <= 15 && DECIMAL.test(plain)) return Number(plain) + 0
  const value = exact()
  if (value > LARGEST || value < SMALLEST) return undefined
  const near = Number(value)
  return Number.isSafeInteger(near) ? near : value
}

function floatOf(plain: string): number | undefined {
  if (!FLOAT.test(plain)) return undefined
  const value = Number(plain)
  return Number.isFinite(value) ? value : undefined
}

const TIMESTAMP =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?(Z|[-+]\d\d:\d\d))|(?: +(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?))?$/

const pad = (part: string | undefined): string => (part ?? '0').padStart(2, '0')

const isDate = (year: number, month: number, day: number): boolean =>
  month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()

/** The RFC 3339 form of a date or time as YAML 1.1 spells them, or undefined where the text is neither. */
export function timestampOf(text: string): string | undefined {
  const parts = text.charCodeAt(4) === 0x2d ? TIMESTAMP.exec(text) : undefined
  if (!parts) return undefined
  const [, year, month, day, ...times] = parts
  const [hour, minute, second, fraction, zone] = times[0] === undefined ? times.slice(5) : times
  if (!isDate(Number(year), Number(month), Number(day))) return undefined
  if (Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59 || Number(second ?? 0) > 59) return undefined
  const part = (fraction ?? '').slice(0, 10).replace(/\.?0+$/, '')
  const offset = zone === undefined || zone.endsWith('00:00') ? 'Z' : zone
  return `${year}-${pad(month)}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(second)}${part}${offset}`
}

/** Resolves a plain scalar the way the dialect does. */
export function resolvePlain(text: string, dialect: YamlDialect): Scalar {
  if (text === '') return null
  const first = text.charCodeAt(0)
  // Digits and signs may begin numbers and dates, a point a float; a few letters and the tilde begin words.
  if ((first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d) {
    const word = first < 0x30 ? wordsOf[dialect].get(text) : undefined
    if (word !== undefined) return word
    const timestamp = timestampOf(text)
    if (timestamp !== undefined) return dialect === 'kyaml' ? timestamp : text
    const plain = text.includes('_') ? text.replaceAll('_', '') : text
    return intOf(plain) ?? floatOf(plain) ?? text
  }
  if (first === 0x2e) {
    const word = wordsOf[dialect].get(text)
    if (word !== undefined) return word
    return (POINT_FLOAT.test(text) ? floatOf(text) : undefined) ?? text
  }
  if (text.length > 5) return text
  const word = wordsOf[dialect].get(text)
  return word === undefined ? text : word
}

const BASE60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/

/** Tells whether a text would be read back as something else when it is written plain, so that it needs quotes. */
export function needsQuotes(text: string): boolean {
  return resolvePlain(text, 'go') !== text || timestampOf(text) !== undefined || BASE60.test(text)
}

/** A float as Go's strconv prints it with the fewest digits: 1e+06, 1.5, 1e-05. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', power = '0'] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 6) {
    const size = Math.abs(exponent)
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${size < 10 ? '0' : ''}${size}`
  }
  return String(value)
}

/** A number as a Go program prints it that took it through JSON: integers in full while 64 bits hold them. */
export function goNumber(value: number): string {
  if (Number.isInteger(value)) {
    if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return String(value + 0)
    if (value < 2 ** 64 && value >= -(2 ** 63)) return String(value)
  }
  return goFloat(value)
}
