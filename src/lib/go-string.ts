/**
 * Go strings are bytes, JavaScript's are UTF-16. A byte that is not part of valid UTF-8 is carried as the lone surrogate
 * U+DC00 + byte, so that cutting, joining and encoding again lose nothing.
 */
const ESCAPE_BASE = 0xdc00
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const ESCAPED = /[\udc80-\udcff]/
const NOT_ASCII = /[^\0-\x7f]/

const isEscape = (unit: number): boolean => unit >= ESCAPE_BASE + 0x80 && unit <= ESCAPE_BASE + 0xff
const isLead = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff

/** Tells whether a string is ASCII alone, so that bytes and characters are the same. */
export const isAscii = (text: string): boolean => !NOT_ASCII.test(text)

/** The bytes that Go would hold for a string. */
export function bytesOf(text: string): Uint8Array {
  if (!ESCAPED.test(text)) return encoder.encode(text)
  const parts: Uint8Array[] = []
  let from = 0
  for (let at = 0; at < text.length; at++) {
    if (!isEscape(text.charCodeAt(at)) || (at > 0 && isLead(text.charCodeAt(at - 1)))) continue
    parts.push(encoder.encode(text.slice(from, at)), Uint8Array.of(text.charCodeAt(at) - ESCAPE_BASE))
    from = at + 1
  }
  parts.push(encoder.encode(text.slice(from)))
  return Buffer.concat(parts)
}

/** How long a sequence is by its first byte, and between what its second byte must lie. */
function shapeOf(lead: number): readonly [length: number, low: number, high: number] | undefined {
  if (lead < 0x80) return [1, 0, 0xff]
  if (lead < 0xc2 || lead > 0xf4) return undefined
  if (lead < 0xe0) return [2, 0x80, 0xbf]
  if (lead < 0xf0) return [3, lead === 0xe0 ? 0xa0 : 0x80, lead === 0xed ? 0x9f : 0xbf]
  return [4, lead === 0xf0 ? 0x90 : 0x80, lead === 0xf4 ? 0x8f : 0xbf]
}

/** The length of the valid UTF-8 sequence at a place, or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const shape = shapeOf(bytes[at] ?? 0)
  if (!shape) return 0
  const [length, low, high] = shape
  for (let offset = 1; offset < length; offset++) {
    const byte = bytes[at + offset] ?? 0
    if (offset === 1 ? byte < low || byte > high : (byte & 0xc0) !== 0x80) return 0
  }
  return length
}

/** The string that carries these bytes. */
export function stringOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    // Not UTF-8: below, each stray byte is carried by itself.
  }
  let text = ''
  let from = 0
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at)
    if (length > 0) {
      at += length
      continue
    }
    text += decoder.decode(bytes.subarray(from, at)) + String.fromCharCode(ESCAPE_BASE + (bytes[at] ?? 0))
    at += 1
    from = at
  }
  return text + decoder.decode(bytes.subarray(from))
}

/** Joins stray bytes that became valid UTF-8 by concatenation. */
export function settleBytes(text: string): string {
  return ESCAPED.test(text) ? stringOf(bytesOf(text)) : text
}

/** Replaces what is no character by U+FFFD, as text must have it that leaves the program. */
export const wellFormed = (text: string): string => text.replaceAll(/\p{Cs}/gu, '\ufffd')

/** The number of bytes of a string. */
export function byteLength(text: string): number {
  return isAscii(text) ? text.length : bytesOf(text).length
}

/** The part of a string between two byte offsets. */
export function byteSlice(text: string, start: number, end: number): string {
  return isAscii(text) ? text.slice(start, end) : stringOf(bytesOf(text).subarray(start, end))
}

/** Compares two strings as Go does, byte by byte. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left === right) continue
    if (left < 0xd800 && right < 0xd800) return left < right ? -1 : 1
    return Buffer.compare(bytesOf(a), bytesOf(b))
  }
  return a.length < b.length ? -1 : 1
}

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u
const SIMPLE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** Tells whether a character would be shown as itself in a Go literal. */
export function isPrintable(codePoint: number): boolean {
  if (codePoint < 0x80) return codePoint >= 0x20 && codePoint < 0x7f
  return PRINTABLE.test(String.fromCodePoint(codePoint))
}

const SHORT_ESCAPES: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  92: '\\\\',
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')

function escapeCharacter(codePoint: number, quote: string, asciiOnly: boolean): string {
  if (codePoint === quote.charCodeAt(0)) return `\\${quote}`
  const short = SHORT_ESCAPES[codePoint]
  if (short) return short
  if (codePoint < 0x80 ? isPrintable(codePoint) : !asciiOnly && isPrintable(codePoint)) {
    return String.fromCodePoint(codePoint)
  }
  if (isEscape(codePoint)) return `\\x${hex(codePoint - ESCAPE_BASE, 2)}`
  if (codePoint < 0x20 || codePoint === 0x7f) return `\\x${hex(codePoint, 2)}`
  return codePoint < 0x10000 ? `\\u${hex(codePoint, 4)}` : `\\U${hex(codePoint, 8)}`
}

/** A string as a Go literal in the given quotes. */
export function quoteString(text: string, quote: '"' | "'" = '"', asciiOnly = false): string {
  if (quote === '"' && SIMPLE.test(text)) return `"${text}"`
  let quoted = quote
  for (const character of text) quoted += escapeCharacter(character.codePointAt(0) ?? 0, quote, asciiOnly)
  return quoted + quote
}

interface Unquoted {
  readonly text: string
  /** Bytes written by \x or octal escapes make the literal bytes rather than characters. */
  readonly next: number
}

const SIMPLE_UNESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}

const HEX_ESCAPE_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

function unescapeAt(body: string, at: number, quote: string): Unquoted | undefined {
  const letter = body[at] ?? ''
  const simple = SIMPLE_UNESCAPES[letter]
  if (simple !== undefined) return { text: simple, next: at + 1 }
  if (letter === quote) return { text: letter, next: at + 1 }
  const digits = HEX_ESCAPE_DIGITS[letter]
  if (digits !== undefined) {
    const written = body.slice(at + 1, at + 1 + digits)
    if (written.length !== digits || !/^[0-9a-fA-F]+$/.test(written)) return undefined
    const value = Number.parseInt(written, 16)
    if (letter === 'x') return { text: byteAsText(value), next: at + 3 }
    if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return undefined
    return { text: String.fromCodePoint(value), next: at + 1 + digits }
  }
  const octal = /^[0-7]{3}/.exec(body.slice(at, at + 3))
  if (!octal || Number.parseInt(octal[0], 8) > 255) return undefined
  return { text: byteAsText(Number.parseInt(octal[0], 8)), next: at + 3 }
}

const byteAsText = (byte: number): string => String.fromCharCode(byte < 0x80 ? byte : ESCAPE_BASE + byte)

/** The text of a Go string or character literal, or undefined where the syntax is wrong. */
export function unquoteString(literal: string): string | undefined {
  const quote = literal[0] ?? ''
  if (literal.length < 2 || !literal.endsWith(quote)) return undefined
  const body = literal.slice(1, -1)
  if (quote === '`') return body.includes('`') ? undefined : body.replaceAll('\r', '')
  if (quote !== '"' && quote !== "'") return undefined
  let text = ''
  for (let at = 0; at < body.length;) {
    const character = body[at] ?? ''
    if (character === quote || character === '\n') return undefined
    if (character !== '\\') {
      text += character
      at += 1
      continue
    }
    const found = unescapeAt(body, at + 1, quote)
    if (!found) return undefined
    text += found.text
    at = found.next
  }
  return quote === '"' ? settleBytes(text) : text
}
