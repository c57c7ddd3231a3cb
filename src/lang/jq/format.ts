import { wellFormed } from '../../lib/go-string.ts'
import type { Json } from '../../lib/json.ts'
import { JqError } from './error.ts'
import { isArray, shownValue, textOf, typeOf } from './value.ts'

/** A value as a text: texts stay, everything else becomes JSON. */
export const plainText = (value: Json): string => (typeof value === 'string' ? value : textOf(value))

const html: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', "'": '&#39;', '"': '&quot;' }

const escapedUri = (text: string): string =>
  encodeURIComponent(wellFormed(text)).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

function row(value: Json, name: string, separator: string, quote: (text: string) => string): string {
  if (!isArray(value))
    throw new JqError(`${typeOf(value)} (${shownValue(value)}) cannot be ${name}-formatted, only an array can be`)
  return value
    .map((item) => {
      if (typeof item === 'string') return quote(item)
      if (item === null) return ''
      if (typeof item === 'object')
        throw new JqError(`${typeOf(item)} (${shownValue(item)}) is not valid in a ${name} row`)
      return textOf(item)
    })
    .join(separator)
}

const tabs: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' }

function shell(value: Json): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", String.raw`'\''`)}'`
  if (isArray(value))
    return value
      .map((item) => {
        if (typeof item === 'object' && item !== null)
          throw new JqError(`${typeOf(item)} (${shownValue(item)}) can not be escaped for shell`)
        return shell(item)
      })
      .join(' ')
  if (typeof value === 'object' && value !== null)
    throw new JqError(`${typeOf(value)} (${shownValue(value)}) can not be escaped for shell`)
  return textOf(value)
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function base32(text: string): string {
  let bits = ''
  for (const byte of Buffer.from(text, 'utf8')) bits += byte.toString(2).padStart(8, '0')
  let made = ''
  for (let at = 0; at < bits.length; at += 5)
    made += alphabet.charAt(Number.parseInt(bits.slice(at, at + 5).padEnd(5, '0'), 2))
  return made.padEnd(Math.ceil(made.length / 8) * 8, '=')
}

function fromBase32(text: string): string {
  let bits = ''
  for (const character of text.replace(/=+$/, '')) {
    const at = alphabet.indexOf(character)
    if (at < 0) throw new JqError(`string (${shownValue(text)}) is not valid base32 data`)
    bits += at.toString(2).padStart(5, '0')
  }
  const bytes: number[] = []
  for (let at = 0; at + 8 <= bits.length; at += 8) bytes.push(Number.parseInt(bits.slice(at, at + 8), 2))
  return Buffer.from(bytes).toString('utf8')
}

function fromBase64(text: string): string {
  const bare = text.replace(/=+$/, '')
  if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length % 4 === 1)
    throw new JqError(`string (${shownValue(text)}) is not valid base64 data`)
  return Buffer.from(bare, 'base64').toString('utf8')
}

function fromUri(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new JqError(`string (${shownValue(text)}) is not a valid URI encoding${cause instanceof URIError ? '' : '!'}`)
  }
}

const formats: ReadonlyMap<string, (value: Json) => string> = new Map<string, (value: Json) => string>([
  ['@text', plainText],
  ['@json', textOf],
  ['@html', (value) => plainText(value).replace(/[<>&'"]/g, (character) => html[character] ?? character)],
  ['@uri', (value) => escapedUri(plainText(value))],
  ['@urid', (value) => fromUri(plainText(value))],
  ['@csv', (value) => row(value, 'csv', ',', (text) => `"${text.replaceAll('"', '""')}"`)],
  ['@tsv', (value) => row(value, 'tsv', '\t', (text) => text.replace(/[\t\n\r\\]/g, (c) => tabs[c] ?? c))],
  ['@sh', shell],
  ['@base64', (value) => Buffer.from(plainText(value), 'utf8').toString('base64')],
  ['@base64d', (value) => fromBase64(plainText(value))],
  ['@base32', (value) => base32(plainText(value))],
  ['@base32d', (value) => fromBase32(plainText(value))],
])

/** The format of a name such as `@base64`, if there is one. */
export const formatNamed = (name: string): ((value: Json) => string) | undefined => formats.get(name)
