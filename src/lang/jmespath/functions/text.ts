import { createHash } from 'node:crypto'
import { bytesOf, compareStrings, stringOf } from '../../../lib/go-string.ts'
import { slashPaths } from '../../../lib/go-path.ts'
import { wrongValue } from '../error.ts'
import type { JmesPathFunction } from '../function.ts'
import type { Run } from '../run.ts'
import { GoInt } from '../value.ts'
import { numberAt, scalarText, textAt } from './argument.ts'
import { fn } from './specification.ts'
import { matchesWildcard } from './wildcard.ts'

/** Letters that are one when case does not count, by Unicode's simple folding. */
function folded(text: string): string {
  let made = ''
  for (const character of text) {
    const upper = character.toUpperCase()
    const lower = (Array.from(upper).length === 1 ? upper : character).toLowerCase()
    made += Array.from(lower).length === 1 ? lower : character
  }
  return made
}

/** Go maps letter by letter: what would become several letters stays. */
const mapLetters = (text: string, map: (letter: string) => string): string =>
  /^[\0-\x7f]*$/.test(text)
    ? map(text)
    : Array.from(text, (letter) => (Array.from(map(letter)).length === 1 ? map(letter) : letter)).join('')

/** The one letter whose small form is two characters becomes the first of them. */
const lowerLetter = (letter: string): string => (letter === '\u0130' ? 'i' : letter.toLowerCase())

function occurrences(text: string, part: string): number {
  if (part === '') return Array.from(text).length + 1
  let count = 0
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++
  return count
}

interface Replacement {
  readonly old: string
  readonly by: string
  /** How many to replace; negative for all. */
  readonly count: number
}

function replace(text: string, { old, by, count }: Replacement, run: Run): string {
  run.charge(text.length / 16)
  const found = occurrences(text, old)
  const wanted = count < 0 ? found : Math.min(count, found)
  run.chargeText(text.length + wanted * (by.length - old.length))
  if (wanted === 0 || old === by) return text
  if (old !== '') {
    const parts = text.split(old)
    return [parts.slice(0, wanted + 1).join(by), ...parts.slice(wanted + 1)].join(old)
  }
  const letters = Array.from(text)
  run.charge(letters.length)
  return (
    letters.map((letter, at) => (at < wanted ? by + letter : letter)).join('') + (wanted > letters.length ? by : '')
  )
}

function trim(text: string, cutset: string): string {
  const cut = new Set(cutset)
  const letters = Array.from(text)
  let from = 0
  let to = letters.length
  while (from < to && cut.has(letters[from] ?? '')) from++
  while (to > from && cut.has(letters[to - 1] ?? '')) to--
  return letters.slice(from, to).join('')
}

function split(text: string, separator: string, run: Run): readonly string[] {
  run.charge(text.length)
  if (separator === '') return Array.from(text)
  return text.split(separator)
}

function truncate(text: string, length: number): string {
  const wanted = Math.trunc(length)
  if (wanted < 1) return ''
  if (wanted >= text.length) return text
  return Array.from(text).slice(0, wanted).join('')
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function base64Decode(text: string): string {
  const compact = text.replaceAll(/[\r\n]/g, '')
  if (!BASE64.test(compact)) throw wrongValue('base64_decode(): the text is not base64')
  return stringOf(Buffer.from(compact, 'base64'))
}

function toBoolean(text: string): boolean {
  const lower = text.toLowerCase()
  if (lower !== 'true' && lower !== 'false') throw wrongValue(`to_boolean(): the text must be true or false`)
  return lower === 'true'
}

/** Upstream cleans a path that is not empty. */
const canonical = (path: string): string => (path === '' ? '' : slashPaths.clean(path))

const hash =
  (algorithm: string) =>
  (args: readonly unknown[], run: Run): string => {
    run.charge(textAt(args, 0).length / 16)
    return createHash(algorithm)
      .update(bytesOf(textAt(args, 0)))
      .digest('hex')
  }

/** Kyverno's functions on texts. */
export const textFunctions: ReadonlyMap<string, JmesPathFunction> = new Map([
  [
    'compare',
    fn(['string', 'string'], (args) => new GoInt(Math.sign(compareStrings(textAt(args, 0), textAt(args, 1))))),
  ],
  ['equal_fold', fn(['string', 'string'], (args) => folded(textAt(args, 0)) === folded(textAt(args, 1)))],
  [
    'replace',
    fn(['string', 'string', 'string', 'number'], (args, run) =>
      replace(
        textAt(args, 0),
        { old: textAt(args, 1), by: textAt(args, 2), count: Math.trunc(numberAt(args, 3)) },
        run,
      ),
    ),
  ],
  [
    'replace_all',
    fn(['string', 'string', 'string'], (args, run) =>
      replace(textAt(args, 0), { old: textAt(args, 1), by: textAt(args, 2), count: -1 }, run),
    ),
  ],
  ['to_upper', fn(['string'], (args) => mapLetters(textAt(args, 0), (letter) => letter.toUpperCase()))],
  ['to_lower', fn(['string'], (args) => mapLetters(textAt(args, 0), lowerLetter))],
  ['trim', fn(['string', 'string'], (args) => trim(textAt(args, 0), textAt(args, 1)))],
  [
    'trim_prefix',
    fn(['string', 'string'], (args) => {
      const [text, prefix] = [textAt(args, 0), textAt(args, 1)]
      return text.startsWith(prefix) ? text.slice(prefix.length) : text
    }),
  ],
  ['split', fn(['string', 'string'], (args, run) => split(textAt(args, 0), textAt(args, 1), run))],
  [
    'pattern_match',
    fn(['string', ['string', 'number']], (args, run) =>
      matchesWildcard(textAt(args, 0), scalarText('pattern_match', args[1], 2), (steps) => run.charge(steps)),
    ),
  ],
  ['to_boolean', fn(['string'], (args) => toBoolean(textAt(args, 0)))],
  ['base64_decode', fn(['string'], (args) => base64Decode(textAt(args, 0)))],
  [
    'base64_encode',
    fn(['string'], (args, run) => {
      run.chargeText(textAt(args, 0).length * 2)
      return Buffer.from(bytesOf(textAt(args, 0))).toString('base64')
    }),
  ],
  ['path_canonicalize', fn(['string'], (args) => canonical(textAt(args, 0)))],
  ['truncate', fn(['string', 'number'], (args) => truncate(textAt(args, 0), numberAt(args, 1)))],
  ['sha256', fn(['string'], hash('sha256'))],
  ['sha1', fn(['string'], hash('sha1'))],
  ['md5', fn(['string'], hash('md5'))],
])
