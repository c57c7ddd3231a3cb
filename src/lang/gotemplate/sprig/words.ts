import { Buffer } from 'node:buffer'
import { bytesOf, isAscii, stringOf } from '../../../lib/go-string.ts'

const SPACE = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/
const SPACE_BYTE = /[\t\n\v\f\r \u0085\u00a0]/
const isSpace = (character: string): boolean => SPACE.test(character)

/** Runs a function on a string in which every character is one byte. */
function onBytes(text: string, call: (bytes: string) => string): string {
  if (isAscii(text)) return call(text)
  return stringOf(Buffer.from(call(Buffer.from(bytesOf(text)).toString('latin1')), 'latin1'))
}

/** Lower case as Go maps single characters. */
const lowerCharacter = (character: string): string => {
  const mapped = character.toLowerCase()
  return mapped.length === character.length ? mapped : (mapped[0] ?? '')
}

/** Upper case as Go maps single characters: those that would become two stay. */
const upperCharacter = (character: string): string => {
  const mapped = character.toUpperCase()
  return mapped.length === character.length ? mapped : character
}

/** strings.ToUpper. */
export const toUpper = (text: string): string =>
  isAscii(text) ? text.toUpperCase() : Array.from(text, upperCharacter).join('')

/** strings.ToLower. */
export const toLower = (text: string): string =>
  isAscii(text) ? text.toLowerCase() : Array.from(text, lowerCharacter).join('')

/** strings.TrimSpace. */
export function trimSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text[start] ?? '')) start += 1
  while (end > start && isSpace(text[end - 1] ?? '')) end -= 1
  return text.slice(start, end)
}

/** strings.Trim. */
export function trimSet(text: string, cutset: string): string {
  const cut = new Set(cutset)
  const characters = Array.from(text)
  let start = 0
  let end = characters.length
  while (start < end && cut.has(characters[start] ?? '')) start += 1
  while (end > start && cut.has(characters[end - 1] ?? '')) end -= 1
  return characters.slice(start, end).join('')
}

const TITLE_LETTERS: Readonly<Record<string, string>> = {
  ǆ: 'ǅ',
  Ǆ: 'ǅ',
  ǉ: 'ǈ',
  Ǉ: 'ǈ',
  ǌ: 'ǋ',
  Ǌ: 'ǋ',
  ǳ: 'ǲ',
  Ǳ: 'ǲ',
}

const titleCharacter = (character: string): string => TITLE_LETTERS[character] ?? upperCharacter(character)

/** strings.Title: a letter that follows none starts a word. */
export function titleCase(text: string): string {
  let isStart = true
  let made = ''
  for (const character of text) {
    made += isStart ? titleCharacter(character) : character
    isStart = character < '\x80' ? !/[\w]/.test(character) : !/[\p{L}\p{Nd}]/u.test(character) && isSpace(character)
  }
  return made
}

/** The first letter of every word is made small. */
export function untitle(text: string): string {
  let isStart = true
  let made = ''
  for (const character of text) {
    const isGap = isSpace(character)
    made += isStart && !isGap ? lowerCharacter(character) : character
    isStart = isGap
  }
  return made
}

/** Swaps the case of every letter. */
export function swapCase(text: string): string {
  let made = ''
  for (const character of text) {
    if (/[\p{Lu}\p{Lt}]/u.test(character)) made += lowerCharacter(character)
    else made += /\p{Ll}/u.test(character) ? upperCharacter(character) : character
  }
  return made
}

/** Removes white space; when there is some, bytes beyond ASCII become characters of their own, as upstream. */
export function deleteSpace(text: string): string {
  const bytes = isAscii(text) ? text : Buffer.from(bytesOf(text)).toString('latin1')
  return SPACE_BYTE.test(bytes) ? bytes.replaceAll(new RegExp(SPACE_BYTE, 'g'), '') : text
}

/** The first byte of every word. */
export function initials(text: string): string {
  const bytes = isAscii(text) ? text : Buffer.from(bytesOf(text)).toString('latin1')
  let made = ''
  let isStart = true
  for (const byte of bytes) {
    const isGap = SPACE_BYTE.test(byte)
    if (isStart && !isGap) made += byte
    isStart = isGap
  }
  return made
}

/** Shortens to a width with an ellipsis at the end, or at both ends from an offset on. */
export function abbreviate(text: string, left: number, width: number): string {
  return onBytes(text, (bytes) => abbreviateBytes(bytes, left, width))
}

function abbreviateBytes(text: string, left: number, width: number): string {
  if (text.length <= width) return text
  const kept = width - 3
  let offset = Math.min(left, text.length)
  if (text.length - offset < kept) offset = text.length - kept
  if (offset <= 4) return `${text.slice(0, kept)}...`
  if (width < 7) return ''
  if (offset + kept < text.length) return `...${abbreviateBytes(text.slice(offset), 0, kept)}`
  return `...${text.slice(text.length - kept)}`
}

/** Breaks a line at spaces so that no part is longer than the width; long words only when that is asked for. */
export function wrapText(text: string, width: number, separator: string, breaksWords: boolean): string {
  const newline = separator === '' ? '\n' : separator
  if (isAscii(text) && isAscii(newline)) return wrapBytes(text, Math.max(width, 1), newline, breaksWords)
  const wrapped = wrapBytes(latin1Of(text), Math.max(width, 1), latin1Of(newline), breaksWords)
  return stringOf(Buffer.from(wrapped, 'latin1'))
}

const latin1Of = (text: string): string => Buffer.from(bytesOf(text)).toString('latin1')

function wrapBytes(text: string, width: number, newline: string, breaksWords: boolean): string {
  const parts: string[] = []
  let offset = 0
  while (text.length - offset > width) {
    if (text[offset] === ' ') {
      offset += 1
      continue
    }
    const space = text.lastIndexOf(' ', offset + width)
    if (space >= offset) {
      parts.push(text.slice(offset, space))
      offset = space + 1
    } else if (breaksWords) {
      parts.push(text.slice(offset, offset + width))
      offset += width
    } else {
      const next = text.indexOf(' ', offset + width)
      if (next < 0) return [...parts, text.slice(offset)].join(newline)
      parts.push(text.slice(offset, next))
      offset = next + 1
    }
  }
  return [...parts, text.slice(offset)].join(newline)
}

const isConnector = (character: string): boolean => character === '-' || character === '_' || isSpace(character)

/** PascalCase: letters after `-`, `_` and space become capital, runs of capitals become one. */
export function pascalCase(text: string): string {
  const characters = Array.from(text)
  let at = 0
  let made = ''
  while (at < characters.length && isConnector(characters[at] ?? '')) made += characters[at++]
  // A text of connectors alone gets its last one twice, as upstream.
  if (at >= characters.length) return made + (characters.at(-1) ?? '')
  let isRun = /\p{Lu}/u.test(characters[at] ?? '')
  let current = upperCharacter(characters[at++] ?? '')
  for (; at < characters.length; at++) {
    const before = current
    current = characters[at] ?? ''
    if (isConnector(before)) {
      if (isConnector(current)) made += before
      else {
        isRun = /\p{Lu}/u.test(current)
        current = upperCharacter(current)
      }
      continue
    }
    if (isRun) {
      if (/\p{Lu}/u.test(current)) current = lowerCharacter(current)
      else isRun = false
    }
    made += before
  }
  return made + current
}

type WordKind = 'none' | 'number' | 'upper' | 'alphabet' | 'connector' | 'punctuation' | 'other'

interface Word {
  readonly kind: WordKind
  readonly text: string
}

const WORDS: readonly (readonly [WordKind, RegExp])[] = [
  ['connector', /[-_\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/uy],
  ['punctuation', /\p{P}+/uy],
  ['upper', /\p{Lu}+(?=\p{Lu}(?!\p{Lu})\p{L})|\p{Lu}{2,}|\p{Lu}(?:(?!\p{Lu})\p{L})*/uy],
  ['alphabet', /(?:(?!\p{Lu})\p{L})+/uy],
  ['number', /\p{N}+/uy],
  ['other', /[^\p{L}\p{N}\p{P}\s]+|[^]/uy],
]

function wordsOf(text: string): readonly Word[] {
  const words: Word[] = []
  for (let at = 0; at < text.length;) {
    const word = wordAt(text, at)
    words.push(word)
    at += word.text.length
  }
  return words
}

function wordAt(text: string, at: number): Word {
  for (const [kind, pattern] of WORDS) {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found) return { kind, text: found }
  }
  return { kind: 'other', text: text.slice(at, at + 1) }
}

const joins = (kind: WordKind): boolean => kind !== 'connector' && kind !== 'punctuation'
const isTail = (kind: WordKind): boolean => kind === 'alphabet' || kind === 'number'
const NO_WORD: Word = { kind: 'none', text: '' }

/** snake_case and kebab-case: words in small letters with a connector between them. */
export function connectWords(text: string, connector: string): string {
  return new Connector(wordsOf(text), connector).run()
}

class Connector {
  private readonly words: readonly Word[]
  private readonly connector: string
  private at = 0
  private made = ''

  constructor(words: readonly Word[], connector: string) {
    this.words = words
    this.connector = connector
  }

  run(): string {
    while (this.at < this.words.length - 1) {
      const before = this.word()
      this.write(before)
      this.at += 1
      if (before.kind === 'number') this.takeTail()
      else if (joins(before.kind)) this.afterLetters()
    }
    this.write(this.word())
    return this.made
  }

  private word(): Word {
    return this.words[this.at] ?? NO_WORD
  }

  private write({ kind, text }: Word): void {
    this.made += kind === 'connector' ? this.connector.repeat(Array.from(text).length) : toLower(text)
  }

  private join(kind: WordKind): void {
    if (joins(kind)) this.made += this.connector
  }

  private takeTail(): void {
    while (isTail(this.word().kind)) {
      this.write(this.word())
      this.at += 1
    }
    if (this.word().kind !== 'none') this.join(this.word().kind)
  }

  /** A number after letters belongs to what follows it when that is a word in small letters. */
  private afterLetters(): void {
    const next = this.word()
    if (next.kind !== 'number') {
      this.join(next.kind)
      return
    }
    const following = this.words[this.at + 1]
    if (!following) return
    this.at += 1
    if (following.kind !== 'alphabet') {
      this.write(next)
      this.join(following.kind)
      return
    }
    this.made += this.connector
    this.write(next)
    this.takeTail()
  }
}
