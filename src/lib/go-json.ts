import { isObject, own } from './json.ts'
import { goNumber } from './yaml/scalar.ts'

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
  '\b': '\\b',
  '\f': '\\f',
  '\u007f': '\u007f',
}

const goText = (text: string): string =>
  // A lone surrogate would be the replacement character in Go; texts come from UTF-8 and have none.
  JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => escapes[char] ?? char)

const byBytes = (a: string, b: string): number =>
  isAscii(a) && isAscii(b) ? plainOrder(a, b) : Buffer.compare(Buffer.from(a), Buffer.from(b))

// eslint-disable-next-line no-control-regex -- the range is the point
const isAscii = (text: string): boolean => /^[\u0000-\u007f]*$/.test(text)

const plainOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** A value as Go's encoding/json writes it: sorted keys, and HTML's characters escaped. */
export function goJson(value: unknown): string {
  if (typeof value === 'string') return goText(value)
  if (typeof value === 'number') return goNumber(value)
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`
  if (isObject(value)) {
    const keys = Object.keys(value).sort(byBytes)
    return `{${keys.map((key) => `${goText(key)}:${goJson(own(value, key))}`).join(',')}}`
  }
  return typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : 'null'
}
