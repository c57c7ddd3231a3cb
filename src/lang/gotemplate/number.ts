import { quoteString, unquoteString } from '../../lib/go-string.ts'
import { GoComplex } from './value.ts'

/** A numeric constant under every type that can hold it, as Go's ideal constants. */
export interface GoNumber {
  readonly text: string
  readonly int?: bigint
  readonly uint?: bigint
  readonly float?: number
  readonly complex?: GoComplex
}

const INT_MIN = -(2n ** 63n)
const INT_END = 2n ** 63n
const UINT_END = 2n ** 64n
/** Longer than any that fits, with its signs and separators. */
const LONGEST_INTEGER = 1_000
const INTEGER = /^([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|0|[1-9](?:_?[0-9])*)$/
const DECIMAL_FLOAT = /^[+-]?(?:\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?$/
const HEX_FLOAT = /^([+-]?)0[xX]_?([0-9a-fA-F_]*)(?:\.([0-9a-fA-F_]*))?[pP]([+-]?\d+)$/

/** Reads a whole number in any base that Go's literals have; `010` is octal. */
export function parseInteger(text: string): bigint | undefined {
  if (text.length > LONGEST_INTEGER) return undefined
  const found = INTEGER.exec(text)
  if (!found) return undefined
  let digits = (found[2] ?? '').replaceAll('_', '')
  if (/^0[0-7]+$/.test(digits)) digits = `0o${digits.slice(1)}`
  const value = BigInt(digits)
  return found[1] === '-' ? -value : value
}

/** Reads a float as Go's ParseFloat does: decimal, or hexadecimal with a `p` exponent. */
export function parseFloatText(text: string): number | undefined {
  const hex = HEX_FLOAT.exec(text)
  if (hex) {
    const digits = `${hex[2] ?? ''}${hex[3] ?? ''}`.replaceAll('_', '')
    if (digits === '') return undefined
    const fraction = (hex[3] ?? '').replaceAll('_', '').length
    const value = Number(BigInt(`0x${digits}`)) * 2 ** (Number(hex[4]) - 4 * fraction)
    return hex[1] === '-' ? -value : value
  }
  if (!DECIMAL_FLOAT.test(text)) return undefined
  const value = Number(text.replaceAll('_', ''))
  return Number.isFinite(value) ? value : undefined
}

function wholeParts(value: number): { readonly int?: bigint; readonly uint?: bigint } {
  if (!Number.isInteger(value)) return {}
  const whole = BigInt(value)
  return {
    ...(whole >= INT_MIN && whole < INT_END ? { int: whole } : {}),
    ...(whole >= 0n && whole < UINT_END ? { uint: whole } : {}),
  }
}

function complexNumber(text: string, real: number, imaginary: number): GoNumber {
  const complex = new GoComplex(real, imaginary)
  return imaginary === 0 ? { text, complex, float: real, ...wholeParts(real) } : { text, complex }
}

/** Reads a character constant; what is wrong with it otherwise. */
export function charConstant(text: string): GoNumber | string {
  const character = unquoteString(text)
  if (character === undefined) {
    return /^'(?:[^'\\]|\\.){2,}'$/u.test(text) ? `malformed character constant: ${text}` : 'invalid syntax'
  }
  const codePoint = character.codePointAt(0)
  if (codePoint === undefined) return 'invalid syntax'
  if (String.fromCodePoint(codePoint) !== character) return `malformed character constant: ${text}`
  const value = codePoint >= 0xdc80 && codePoint <= 0xdcff ? codePoint - 0xdc00 : codePoint
  return { text, int: BigInt(value), uint: BigInt(value), float: value }
}

/** Reads `1+2i`; what is wrong with it otherwise. */
export function complexConstant(text: string): GoNumber | string {
  const split = Math.max(text.lastIndexOf('+'), text.lastIndexOf('-'))
  const at = /[eEpP]/.test(text[split - 1] ?? '') ? text.slice(0, split).search(/[+-](?=[^+-]*$)/) : split
  const real = parseFloatText(text.slice(0, at))
  const imaginary = parseFloatText(text.slice(at, -1))
  if (real === undefined || imaginary === undefined) return 'syntax error scanning complex number'
  return complexNumber(text, real, imaginary)
}

/** Reads a number; what is wrong with it otherwise. */
export function numberConstant(text: string): GoNumber | string {
  if (text.endsWith('i')) {
    const imaginary = parseFloatText(text.slice(0, -1))
    if (imaginary !== undefined) return complexNumber(text, 0, imaginary)
  }
  const whole = parseInteger(text)
  if (whole !== undefined) {
    const isInt = whole >= INT_MIN && whole < INT_END
    const isUint = (whole >= 0n && whole < UINT_END && !/^[+-]/.test(text)) || whole === 0n
    if (isInt || isUint) {
      return { text, float: Number(whole), ...(isInt ? { int: whole } : {}), ...(isUint ? { uint: whole } : {}) }
    }
  }
  const value = parseFloatText(text)
  if (value === undefined) return `illegal number syntax: ${quoteString(text)}`
  if (!/[.eEpP]/.test(text)) return `integer overflow: ${quoteString(text)}`
  return { text, float: value, ...wholeParts(value) }
}
