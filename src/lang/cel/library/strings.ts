import { traversal } from '../cost/size.ts'
import { EvaluationError } from '../error.ts'
import type { Int } from '../value/integer.ts'
import { type ListValue, listItems } from '../value/list.ts'
import { formatString } from './format.ts'
import { type CostRule, type Library, overload } from './library.ts'
import { charactersOf, indexArgument, refuseLong } from '../value/text.ts'

const once: CostRule = (text) => traversal(text)
const twice: CostRule = (text) => traversal(text, 2)
const joinCost: CostRule = (list, separator) => {
  let length = 0
  for (const item of listItems(list as ListValue)) if (typeof item === 'string') length += item.length
  const gaps =
    typeof separator === 'string' ? separator.length * Math.max(listItems(list as ListValue).length - 1, 0) : 0
  return Math.ceil((length + gaps) * 2 * 0.1)
}

function charAt(text: string, at: Int): string {
  const characters = charactersOf(text)
  const index = indexArgument(at)
  if (index < 0 || index > characters.length) throw new EvaluationError(`index out of range: ${index}`)
  return characters.at(index)
}

function indexOf(text: string, part: string, from: Int = 0): number {
  const characters = charactersOf(text)
  const offset = indexArgument(from)
  if (offset < 0) throw new EvaluationError(`index out of range: ${offset}`)
  if (part === '') return Math.min(offset, characters.length)
  if (offset >= characters.length) return -1
  const found = text.indexOf(part, characters.toUnits(offset))
  return found < 0 ? -1 : characters.fromUnits(found)
}

function lastIndexOf(text: string, part: string, from?: Int): number {
  const characters = charactersOf(text)
  if (from === undefined) {
    const found = text.lastIndexOf(part)
    return found < 0 ? -1 : characters.fromUnits(found)
  }
  const offset = indexArgument(from)
  if (offset < 0) throw new EvaluationError(`index out of range: ${offset}`)
  if (part === '') return Math.min(offset, characters.length)
  if (offset >= characters.length) return -1
  const found = text.lastIndexOf(part, characters.toUnits(offset))
  return found < 0 ? -1 : characters.fromUnits(found)
}

function replace(text: string, old: string, by: string, limit: Int = -1): string {
  if (limit === 0) return text
  if (old === '') return weave(text, by, limit)
  const parts = text.split(old)
  const count = typeof limit === 'number' && limit > 0 ? Math.min(limit, parts.length - 1) : parts.length - 1
  refuseLong(text.length + count * (by.length - old.length))
  return (
    parts.slice(0, count + 1).join(by) +
    parts
      .slice(count + 1)
      .map((part) => old + part)
      .join('')
  )
}

/** Replacing the empty string puts text before every character and at the end. */
function weave(text: string, by: string, limit: Int): string {
  const points = Array.from(text)
  const count = typeof limit === 'number' && limit > 0 ? Math.min(limit, points.length + 1) : points.length + 1
  refuseLong(text.length + count * by.length)
  const woven = points.slice(0, count).map((point) => by + point)
  return woven.join('') + points.slice(count).join('') + (count > points.length ? by : '')
}

function split(text: string, separator: string, limit: Int = -1): readonly string[] {
  if (limit === 0) return []
  const parts = separator === '' ? Array.from(text) : text.split(separator)
  if (typeof limit !== 'number' || limit < 0 || parts.length <= limit) return parts
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)]
}

function substring(text: string, from: Int, to?: Int): string {
  const characters = charactersOf(text)
  const start = indexArgument(from)
  const end = to === undefined ? characters.length : indexArgument(to)
  if (start < 0 || start > characters.length) throw new EvaluationError(`index out of range: ${start}`)
  if (end < 0 || end > characters.length) throw new EvaluationError(`index out of range: ${end}`)
  if (start > end) throw new EvaluationError(`invalid substring range. start: ${start}, end: ${end}`)
  return characters.slice(start, end)
}

function join(list: ListValue, separator = ''): string {
  const items = listItems(list)
  let length = 0
  for (const item of items) {
    if (typeof item !== 'string')
      throw new EvaluationError('no such overload: join of a list that holds other than strings')
    length += item.length + separator.length
  }
  refuseLong(length)
  return items.join(separator)
}

const lowerAscii = (text: string): string => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
const upperAscii = (text: string): string => text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase())

// Unicode's White_Space, which is not quite what \s means.
const EDGES =
  /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g

function trim(text: string): string {
  // The end is found by hand, because a pattern would look at every blank run of a long text.
  const trimmed = text.trim()
  return trimmed === text
    ? text.replaceAll(EDGES, '')
    : /[\u0085\ufeff]/.test(text)
      ? text.replaceAll(EDGES, '')
      : trimmed
}

const QUOTED: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

/** The text as a CEL literal. */
function quote(text: string): string {
  const safe = text.replaceAll(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
  // oxlint-disable-next-line no-control-regex -- these are the characters that have escapes of their own
  return `"${safe.replaceAll(/[\u0007\b\f\n\r\t\v\\"]/g, (character) => QUOTED[character] ?? character)}"`
}

const reverse = (text: string): string => Array.from(text).toReversed().join('')

/** Strings: searching, cutting, joining, formatting. */
export const stringsLibrary: Library = {
  name: 'strings',
  overloads: [
    overload('string_char_at_int', 'string -> charAt(int): string', charAt),
    overload('string_index_of_string', 'string -> indexOf(string): int', indexOf, once),
    overload('string_index_of_string_int', 'string -> indexOf(string, int): int', indexOf, once),
    overload('string_last_index_of_string', 'string -> lastIndexOf(string): int', lastIndexOf, once),
    overload('string_last_index_of_string_int', 'string -> lastIndexOf(string, int): int', lastIndexOf, once),
    overload('list_join', 'list<string> -> join(): string', join, joinCost),
    overload('list_join_string', 'list<string> -> join(string): string', join, joinCost),
    overload('string_lower_ascii', 'string -> lowerAscii(): string', lowerAscii, once),
    overload('string_upper_ascii', 'string -> upperAscii(): string', upperAscii, once),
    overload('string_replace_string_string', 'string -> replace(string, string): string', replace, twice),
    overload('string_replace_string_string_int', 'string -> replace(string, string, int): string', replace, twice),
    overload('string_split_string', 'string -> split(string): list<string>', split, twice),
    overload('string_split_string_int', 'string -> split(string, int): list<string>', split, twice),
    overload('string_substring_int', 'string -> substring(int): string', substring, once),
    overload('string_substring_int_int', 'string -> substring(int, int): string', substring, once),
    overload('string_trim', 'string -> trim(): string', trim, once),
    overload('string_reverse', 'string -> reverse(): string', reverse, once),
    overload('string_format', 'string -> format(list<dyn>): string', formatString, once),
    overload('strings_quote', 'strings.quote(string): string', quote, once),
  ],
}
