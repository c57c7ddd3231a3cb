import type { Json } from '../../../lib/json.ts'
import { JqError } from '../error.ts'
import { plainText } from '../format.ts'
import type { Run } from '../run.ts'
import { isArray, shownValue, textOf, typeOf } from '../value.ts'
import type { ValueFunction } from './functions.ts'

const wrong = (value: Json, what: string): JqError => new JqError(`${typeOf(value)} (${shownValue(value)}) ${what}`)

function textIn(value: Json, what: string): string {
  if (typeof value !== 'string') throw wrong(value, what)
  return value
}

/** A number as JSON writes it, with what jq also reads: a point without digits, and nan. */
function toNumber(value: Json): Json {
  if (typeof value === 'number') return value
  const text = textIn(value, 'cannot be parsed as a number')
  if (text === 'nan') return Number.NaN
  if (!/^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) throw wrong(value, 'cannot be parsed as a number')
  return Number(text)
}

function fromJson(value: Json): Json {
  const text = textIn(value, 'only strings can be parsed')
  if (text.trim() === 'nan') return null
  try {
    return JSON.parse(text) as Json // what JSON.parse makes is JSON
  } catch (cause) {
    throw new JqError(`${cause instanceof Error ? cause.message : String(cause)} (while parsing '${shownValue(text)}')`)
  }
}

function join(value: Json, separator: Json, run: Run): Json {
  if (!isArray(value)) throw wrong(value, 'cannot be joined')
  if (value.length === 0) return ''
  const between = textIn(separator, 'cannot separate strings')
  const texts = value.map((item) => {
    if (item === null) return ''
    if (typeof item === 'object')
      throw new JqError(`string ("") and ${typeOf(item)} (${shownValue(item)}) cannot be added`)
    return plainText(item)
  })
  run.make(texts.reduce((sum, text) => sum + text.length + between.length, 0))
  return texts.join(between)
}

function implode(value: Json): Json {
  if (!isArray(value)) throw wrong(value, 'cannot be imploded')
  let text = ''
  for (const point of value) {
    if (typeof point !== 'number') throw new JqError('Unicode codepoint must be numeric')
    const isValid = point >= 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff)
    text += String.fromCodePoint(isValid ? Math.floor(point) : 0xfffd)
  }
  return text
}

const trimmed =
  (name: string, pattern: RegExp): ValueFunction =>
  (input) =>
    textIn(input, `cannot be trimmed by ${name}`).replaceAll(pattern, '')

const blank = String.raw`[ \t\n\v\f\r]`

const lower = (text: string): string => text.replace(/[A-Z]+/g, (part) => part.toLowerCase())
const upper = (text: string): string => text.replace(/[a-z]+/g, (part) => part.toUpperCase())

function withoutPrefix(input: Json, prefix: Json): Json {
  const isThere = typeof input === 'string' && typeof prefix === 'string' && input.startsWith(prefix)
  return isThere ? input.slice(prefix.length) : input
}

function withoutSuffix(input: Json, suffix: Json): Json {
  const isThere = typeof input === 'string' && typeof suffix === 'string' && suffix !== '' && input.endsWith(suffix)
  return isThere ? input.slice(0, -suffix.length) : input
}

const both = (name: string, input: Json, part: Json): readonly [string, string] => {
  if (typeof input !== 'string' || typeof part !== 'string') throw new JqError(`${name}() requires string inputs`)
  return [input, part]
}

/** Functions over texts. */
export const textFunctions: readonly (readonly [string, ValueFunction])[] = [
  ['tostring/0', (input) => plainText(input)],
  ['tojson/0', (input) => textOf(input)],
  ['fromjson/0', fromJson],
  ['tonumber/0', toNumber],
  ['toboolean/0', toBoolean],
  ['ascii_downcase/0', (input) => lower(textIn(input, 'cannot be changed in case'))],
  ['ascii_upcase/0', (input) => upper(textIn(input, 'cannot be changed in case'))],
  ['explode/0', (input) => Array.from(textIn(input, 'cannot be exploded'), (point) => point.codePointAt(0) ?? 0)],
  ['implode/0', implode],
  ['utf8bytelength/0', (input) => Buffer.byteLength(textIn(input, 'only strings have UTF-8 byte length'))],
  [
    'startswith/1',
    (input, [part = null]) => both('startswith', input, part)[0].startsWith(both('startswith', input, part)[1]),
  ],
  ['endswith/1', (input, [part = null]) => both('endswith', input, part)[0].endsWith(both('endswith', input, part)[1])],
  ['ltrimstr/1', (input, [part = null]) => withoutPrefix(input, part)],
  ['rtrimstr/1', (input, [part = null]) => withoutSuffix(input, part)],
  ['trimstr/1', (input, [part = null]) => withoutSuffix(withoutPrefix(input, part), part)],
  ['trim/0', trimmed('trim', new RegExp(`^${blank}+|${blank}+$`, 'g'))],
  ['ltrim/0', trimmed('ltrim', new RegExp(`^${blank}+`, 'g'))],
  ['rtrim/0', trimmed('rtrim', new RegExp(`${blank}+$`, 'g'))],
  ['join/1', (input, [separator = null], run) => join(input, separator, run)],
  [
    'split/1',
    (input, [separator = null], run) => {
      if (typeof input !== 'string' || typeof separator !== 'string')
        throw new JqError('split input and separator must be strings')
      run.make(input.length)
      if (input === '') return []
      return separator === '' ? Array.from(input) : input.split(separator)
    },
  ],
]

function toBoolean(value: Json): Json {
  if (typeof value === 'boolean') return value
  if (value === 'true') return true
  if (value === 'false') return false
  throw wrong(value, 'cannot be parsed as a boolean')
}
