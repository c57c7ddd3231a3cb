import type { Ids } from '../../../lib/ids.ts'
import { byteLength, byteSlice, quoteString } from '../../../lib/go-string.ts'
import { fn, type FunctionTable } from '../function.ts'
import { valueText } from '../print.ts'
import { Failure, failWith, GoMap, type GoType, STRING, stringList } from '../value.ts'
import { toText } from './cast.ts'
import { randomText } from './random.ts'
import {
  abbreviate,
  connectWords,
  deleteSpace,
  initials,
  pascalCase,
  swapCase,
  titleCase,
  toLower,
  toUpper,
  trimSet,
  trimSpace,
  untitle,
  wrapText,
} from './words.ts'

/** The longest text that one function makes. */
const LONGEST_TEXT = 64 * 1024 * 1024

function tooLong(length: number): Failure | undefined {
  return length > LONGEST_TEXT ? failWith(`a text of ${length} characters is longer than ${LONGEST_TEXT}`) : undefined
}

function repeat(count: number, text: string): unknown {
  if (count < 0) return failWith('strings: negative Repeat count')
  return tooLong(text.length * count) ?? text.repeat(count)
}

function indent(spaces: number, text: string): string | Failure {
  if (spaces < 0) return failWith('strings: negative Repeat count')
  const pad = ' '.repeat(Math.min(spaces, LONGEST_TEXT))
  const parts = text.split('\n')
  return tooLong(text.length + spaces * parts.length) ?? pad + parts.join(`\n${pad}`)
}

function trunc(count: number, text: string): string {
  const length = byteLength(text)
  if (count < 0) return length + count > 0 ? byteSlice(text, length + count, length) : text
  return length > count ? byteSlice(text, 0, count) : text
}

/** A Go slice expression on a string; with start undefined it is `s[:end]`, with end undefined `s[start:]`. */
function goSlice(text: string, start: number | undefined, end: number | undefined): string | Failure {
  const length = byteLength(text)
  const from = start ?? 0
  const to = end ?? length
  if (to < 0) return failWith(`runtime error: slice bounds out of range [:${to}]`)
  if (to > length) return failWith(`runtime error: slice bounds out of range [:${to}] with length ${length}`)
  if (from < 0) return failWith(`runtime error: slice bounds out of range [${from}:]`)
  if (from > to) return failWith(`runtime error: slice bounds out of range [${from}:${to}]`)
  return byteSlice(text, from, to)
}

function substr(start: number, end: number, text: string): string | Failure {
  if (start < 0) return goSlice(text, undefined, end)
  if (end < 0 || end > byteLength(text)) return goSlice(text, start, undefined)
  return goSlice(text, start, end)
}

/** strings.Split: an empty separator cuts between characters. */
const split = (text: string, separator: string): readonly string[] =>
  separator === '' ? Array.from(text) : text.split(separator)

function splitCount(text: string, separator: string, count: number): readonly string[] {
  if (count === 0) return []
  const parts = split(text, separator)
  if (count < 0 || parts.length <= count) return parts
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)]
}

const STRING_MAP: GoType = { name: 'map[string]string', kind: 'map', key: STRING, elem: STRING }

const numbered = (parts: readonly string[]): GoMap =>
  new GoMap(STRING_MAP, new Map(parts.map((part, index) => [`_${index}`, part])))

function replace(old: string, fresh: string, text: string): string | Failure {
  if (old === '') return fresh + Array.from(text, (character) => character + fresh).join('')
  const parts = text.split(old)
  return tooLong(text.length + parts.length * fresh.length) ?? parts.join(fresh)
}

const isThere = (value: unknown): boolean => value !== null && value !== undefined

/** `"%v %v ..."` of what is not nil. */
const cat = (values: readonly unknown[]): string =>
  values
    .filter(isThere)
    .map((value) => valueText(value))
    .join(' ')

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const DIGITS = '0123456789'
const ASCII = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('')

/** The longest random text. */
const LONGEST_RANDOM = 1024 * 1024

function shuffle(ids: Ids, text: string): string {
  const characters = Array.from(text)
  for (let at = characters.length - 1; at > 0; at--) {
    const [a = 0, b = 0, c = 0, d = 0] = ids.bytes(4)
    const other = (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) % (at + 1)
    const kept = characters[at] ?? ''
    characters[at] = characters[other] ?? ''
    characters[other] = kept
  }
  return characters.join('')
}

const wrapLine = (width: number, separator: string, text: string, breaksWords: boolean): string | Failure =>
  tooLong(text.length + (text.length / Math.max(width, 1)) * separator.length) ??
  wrapText(text, width, separator, breaksWords)

/** Text. The subject comes last, so that it can be piped in. */
export function strings(ids: Ids): FunctionTable {
  const random = (alphabet: string): FunctionTable[string] =>
    fn(['int'], 'any', (count) =>
      count > LONGEST_RANDOM
        ? failWith(`a random text of ${count} characters is longer than ${LONGEST_RANDOM}`)
        : randomText(ids, count, alphabet),
    )
  const trimAll = fn(['string', 'string'], 'any', (cutset, text) => trimSet(text, cutset))
  return {
    hello: fn([], 'any', () => 'Hello!'),
    abbrev: fn(['int', 'string'], 'any', (width, text) => (width < 4 ? text : abbreviate(text, 0, width))),
    abbrevboth: fn(['int', 'int', 'string'], 'any', (left, right, text) =>
      right < 4 || (left > 0 && right < 7) ? text : abbreviate(text, left, right),
    ),
    trunc: fn(['int', 'string'], 'any', trunc),
    trim: fn(['string'], 'any', trimSpace),
    upper: fn(['string'], 'any', toUpper),
    lower: fn(['string'], 'any', toLower),
    title: fn(['string'], 'any', titleCase),
    untitle: fn(['string'], 'any', untitle),
    substr: fn(['int', 'int', 'string'], 'any', substr),
    repeat: fn(['int', 'string'], 'any', repeat),
    trimall: trimAll,
    trimAll,
    trimSuffix: fn(['string', 'string'], 'any', (suffix, text) =>
      suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text,
    ),
    trimPrefix: fn(['string', 'string'], 'any', (prefix, text) =>
      text.startsWith(prefix) ? text.slice(prefix.length) : text,
    ),
    nospace: fn(['string'], 'any', deleteSpace),
    initials: fn(['string'], 'any', initials),
    randAlphaNum: random(LETTERS + DIGITS),
    randAlpha: random(LETTERS),
    randAscii: random(ASCII),
    randNumeric: random(DIGITS),
    swapcase: fn(['string'], 'any', swapCase),
    shuffle: fn(['string'], 'any', (text) => shuffle(ids, text)),
    snakecase: fn(['string'], 'any', (text) => connectWords(text, '_')),
    camelcase: fn(['string'], 'any', pascalCase),
    kebabcase: fn(['string'], 'any', (text) => connectWords(text, '-')),
    wrap: fn(['int', 'string'], 'any', (width, text) => wrapLine(width, '', text, false)),
    wrapWith: fn(['int', 'string', 'string'], 'any', (width, separator, text) =>
      wrapLine(width, separator, text, true),
    ),
    contains: fn(['string', 'string'], 'any', (part, text) => text.includes(part)),
    hasPrefix: fn(['string', 'string'], 'any', (prefix, text) => text.startsWith(prefix)),
    hasSuffix: fn(['string', 'string'], 'any', (suffix, text) => text.endsWith(suffix)),
    quote: fn(['...any'], 'any', (...values) =>
      values
        .filter(isThere)
        .map((value) => quoteString(toText(value)))
        .join(' '),
    ),
    squote: fn(['...any'], 'any', (...values) =>
      values
        .filter(isThere)
        .map((value) => `'${valueText(value)}'`)
        .join(' '),
    ),
    cat: fn(['...any'], 'any', (...values) => cat(values)),
    indent: fn(['int', 'string'], 'any', indent),
    nindent: fn(['int', 'string'], 'any', (spaces, text) => {
      const indented = indent(spaces, text)
      return indented instanceof Failure ? indented : `\n${indented}`
    }),
    replace: fn(['string', 'string', 'string'], 'any', replace),
    plural: fn(['string', 'string', 'int'], 'any', (one, many, count) => (count === 1 ? one : many)),
    toString: fn(['any'], 'any', toText),
    split: fn(['string', 'string'], 'any', (separator, text) => numbered(split(text, separator))),
    splitList: fn(['string', 'string'], 'any', (separator, text) => stringList(split(text, separator))),
    splitn: fn(['string', 'int', 'string'], 'any', (separator, count, text) =>
      numbered(splitCount(text, separator, count)),
    ),
  }
}
