import { Double } from '../value/double.ts'
import { fromBigInt, INT_MAX, INT_MIN } from '../value/integer.ts'
import { Uint, UINT_MAX } from '../value/uint.ts'
import { SyntaxFailure } from './lexer.ts'

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '"': 34,
  "'": 39,
  '\\': 92,
  '?': 63,
  '`': 96,
}

/** The value of an int literal with its sign. */
export function intLiteral(text: string, negative: boolean, at: number): number | bigint {
  const value = negative ? -BigInt(text) : BigInt(text)
  if (value < INT_MIN || value > INT_MAX) throw new SyntaxFailure(at, 'invalid int literal')
  return fromBigInt(value)
}

/** The value of a uint literal, which ends in `u`. */
export function uintLiteral(text: string, at: number): Uint {
  const value = BigInt(text.slice(0, -1))
  if (value > UINT_MAX) throw new SyntaxFailure(at, 'invalid uint literal')
  return new Uint(value)
}

/** The value of a double literal with its sign. */
export function doubleLiteral(text: string, negative: boolean, at: number): Double {
  const value = Number(text)
  if (!Number.isFinite(value)) throw new SyntaxFailure(at, 'invalid double literal')
  return new Double(negative ? -value : value)
}

interface Body {
  readonly text: string
  readonly raw: boolean
}

/** What stands between the quotes, with line ends made `\n`. */
function bodyOf(token: string): Body {
  const opening = /^[bB]?([rR]?)("""|'''|"|')/.exec(token)
  const quote = opening?.[2]?.length ?? 1
  const text = token.slice(opening?.[0].length ?? 1, -quote).replaceAll(/\r\n?/g, '\n')
  return { text, raw: opening?.[1] !== '' }
}

interface Escape {
  readonly code: number
  readonly length: number
  readonly unicode: boolean
}

function escapeAt(text: string, at: number): Escape {
  const letter = text[at + 1] ?? ''
  const simple = SIMPLE_ESCAPES[letter]
  if (simple !== undefined) return { code: simple, length: 2, unicode: false }
  if (letter === 'x' || letter === 'X') {
    return { code: Number.parseInt(text.slice(at + 2, at + 4), 16), length: 4, unicode: false }
  }
  if (letter === 'u') return { code: Number.parseInt(text.slice(at + 2, at + 6), 16), length: 6, unicode: true }
  if (letter === 'U') return { code: Number.parseInt(text.slice(at + 2, at + 10), 16), length: 10, unicode: true }
  return { code: Number.parseInt(text.slice(at + 1, at + 4), 8), length: 4, unicode: false }
}

/** The value of a string literal; `\x` and octal escapes name code points. */
export function stringLiteral(token: string, start: number): string {
  const { text, raw } = bodyOf(token)
  if (raw || !text.includes('\\')) return text
  let out = ''
  for (let at = 0; at < text.length;) {
    const next = text.indexOf('\\', at)
    if (next < 0) return out + text.slice(at)
    const escape = escapeAt(text, next)
    if (escape.code > 0x10ffff || (escape.code >= 0xd800 && escape.code <= 0xdfff)) {
      throw new SyntaxFailure(start, 'invalid unicode code point')
    }
    out += text.slice(at, next) + String.fromCodePoint(escape.code)
    at = next + escape.length
  }
  return out
}

/** The value of a bytes literal; `\x` and octal escapes name octets, Unicode escapes are not allowed. */
export function bytesLiteral(token: string, start: number): Uint8Array {
  const { text, raw } = bodyOf(token)
  const encoder = new TextEncoder()
  if (raw || !text.includes('\\')) return encoder.encode(text)
  const parts: Uint8Array[] = []
  for (let at = 0; at < text.length;) {
    const next = text.indexOf('\\', at)
    if (next < 0) {
      parts.push(encoder.encode(text.slice(at)))
      break
    }
    const escape = escapeAt(text, next)
    if (escape.unicode)
      throw new SyntaxFailure(start, 'unable to unescape string: \\u and \\U are not allowed in bytes')
    parts.push(encoder.encode(text.slice(at, next)), Uint8Array.of(escape.code))
    at = next + escape.length
  }
  return Uint8Array.from(Buffer.concat(parts))
}
