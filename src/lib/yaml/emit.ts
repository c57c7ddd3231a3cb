import { goFloat, goNumber, needsQuotes } from './scalar.ts'
import { sortKeys } from './key-order.ts'

/** The deepest value that is written; deeper ones, and cycles, are refused. */
export const DEEPEST_EMIT = 1_000
/** Longer keys are written as `? key` on a line of their own. */
const LONGEST_SIMPLE_KEY = 128

/** Certainly plain, on one line, and nothing but text. Words that mean something else are looked at separately. */
const SAFE = /^[A-Za-z_/][A-Za-z0-9_/.-]*$/
const MAYBE_WORD = /^(?:[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF|[tT]rue|TRUE|[fF]alse|FALSE|[nN]ull|NULL)$/

const isSafe = (text: string): boolean => SAFE.test(text) && (text.length > 5 || !MAYBE_WORD.test(text))

const isBreak = (code: number): boolean =>
  code === 0x0a || code === 0x0d || code === 0x85 || code === 0x2028 || code === 0x2029

/** What may stand in a text unescaped. Characters beyond the basic plane may not, as in libyaml's Go port. */
const isPrintable = (code: number): boolean =>
  (code >= 0x20 && code <= 0x7e) ||
  code === 0x0a ||
  (code >= 0xa0 && code < 0xd800) ||
  (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff)

/** Line breaks as YAML 1.1 counts them. */
const HARD_BREAK = /[\n\r\u0085\u2028\u2029]/
/** Breaks other than the line feed, which a literal carries through. */
const ODD_BREAK = /[\r\u0085\u2028\u2029]/
/** What would begin or end something else when the text stood there without quotes. */
const INDICATORS = /^(?:---|\.\.\.)|^[#,[\]{}&*!|>'"%@`]|^[?:-](?:[ \t]|$)|:(?:[ \t]|$)|[ \t\n\r\u0085\u2028\u2029]#/
const UNPRINTABLE = /[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/
const EDGES = /^[ \n\r\u0085\u2028\u2029]|[ \n\r\u0085\u2028\u2029]$/
const SPACE_BREAK = / [\n\r\u0085\u2028\u2029]/
const BREAK_SPACE = /[\n\r\u0085\u2028\u2029] /

interface Shape {
  readonly multiline: boolean
  readonly plain: boolean
  readonly single: boolean
  readonly block: boolean
}

/** Which styles can hold a text, in a block context. */
function shapeOf(text: string, keepsTabs: boolean): Shape {
  if (text === '') return { multiline: false, plain: true, single: true, block: false }
  const multiline = HARD_BREAK.test(text)
  const unblocked = keepsTabs && text.includes('\t') ? text.replaceAll('\t', '') : text
  const spaceBreak = multiline && SPACE_BREAK.test(text)
  const escaped = spaceBreak || UNPRINTABLE.test(text)
  return {
    multiline,
    plain: !(multiline || escaped || EDGES.test(text) || INDICATORS.test(text)),
    single: !(escaped || (multiline && BREAK_SPACE.test(text))),
    block: !(spaceBreak || text.endsWith(' ') || UNPRINTABLE.test(unblocked)),
  }
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x00, '0'],
  [0x07, 'a'],
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0b, 'v'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [0x1b, 'e'],
  [0x22, '"'],
  [0x5c, '\\'],
  [0x85, 'N'],
  [0xa0, '_'],
  [0x2028, 'L'],
  [0x2029, 'P'],
])

function escapeOf(code: number): string {
  const short = ESCAPES.get(code)
  if (short !== undefined) return `\\${short}`
  const hex = code.toString(16).toUpperCase()
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

const keysOf = (object: Readonly<Record<string, unknown>>): readonly string[] =>
  sortKeys(Object.keys(object).filter((key) => object[key] !== undefined))

/** How a document is laid out. */
interface Layout {
  readonly width: number
  /** Lists in maps stand two columns further in. */
  readonly indentsLists: boolean
  /** Tabs may stand in block texts. */
  readonly keepsTabs: boolean
  readonly number: (value: number) => string
}

const usual: Layout = { width: 80, indentsLists: false, keepsTabs: false, number: goNumber }
const pretty: Layout = { width: Number.POSITIVE_INFINITY, indentsLists: true, keepsTabs: true, number: goFloat }

/** One document being written: libyaml's emitter with its column, indent and "may the line go on" flags. */
class Emitter {
  private readonly layout: Layout
  out = ''
  private column = 0
  private indent = -1
  private afterWhite = true
  private inIndention = true
  private depth = 0

  constructor(layout: Layout) {
    this.layout = layout
  }

  document(value: unknown): string {
    this.node(value, false, false)
    this.startLine()
    return this.out
  }

  private put(text: string): void {
    this.out += text
    this.column += text.length
  }

  private breakLine(char = '\n'): void {
    this.out += char
    this.column = 0
  }

  private startLine(): void {
    const indent = Math.max(this.indent, 0)
    if (!this.inIndention || this.column > indent || (this.column === indent && !this.afterWhite)) this.breakLine()
    if (this.column < indent) this.put(' '.repeat(indent - this.column))
    this.afterWhite = true
    this.inIndention = true
  }

  private indicator(text: string, needsWhite: boolean, isIndention: boolean): void {
    this.put(needsWhite && !this.afterWhite ? ` ${text}` : text)
    this.afterWhite = false
    this.inIndention = this.inIndention && isIndention
  }

  private node(value: unknown, inMapping: boolean, isKey: boolean): void {
    if (typeof value === 'string') {
      this.text(value, isKey)
      return
    }
    if (typeof value !== 'object' || value === null) {
      this.plain(value === null || value === undefined ? 'null' : scalarText(value, this.layout), false)
      return
    }
    if (++this.depth > DEEPEST_EMIT) throw new Error(`cannot write YAML nested deeper than ${DEEPEST_EMIT} levels`)
    if (Array.isArray(value)) this.sequence(value, inMapping)
    else this.mapping(value as Readonly<Record<string, unknown>>)
    this.depth--
  }

  private sequence(items: readonly unknown[], inMapping: boolean): void {
    if (items.length === 0) {
      this.indicator('[]', true, false)
      return
    }
    const outer = this.indent
    const indentless = inMapping && !this.inIndention && !this.layout.indentsLists
    this.indent = outer < 0 ? 0 : indentless ? outer : outer + 2
    for (const item of items) {
      this.startLine()
      this.indicator('-', true, true)
      this.node(item, false, false)
    }
    this.indent = outer
  }

  private mapping(object: Readonly<Record<string, unknown>>): void {
    const keys = keysOf(object)
    if (keys.length === 0) {
      this.indicator('{}', true, false)
      return
    }
    const outer = this.indent
    this.indent = outer < 0 ? 0 : outer + 2
    for (const key of keys) {
      this.startLine()
      if (isSimpleKey(key)) {
        this.text(key, true)
        this.put(':')
        this.afterWhite = false
        this.inIndention = false
      } else {
        this.indicator('?', true, true)
        this.text(key, false)
        this.startLine()
        this.indicator(':', true, true)
      }
      this.node(object[key], true, false)
    }
    this.indent = outer
  }

  private text(text: string, isKey: boolean): void {
    if (isSafe(text)) {
      this.put(this.afterWhite ? text : ` ${text}`)
      this.afterWhite = false
      this.inIndention = false
      return
    }
    const outer = this.indent
    this.indent = outer < 0 ? 2 : outer + 2
    this.styled(text, isKey)
    this.indent = outer
  }

  private styled(text: string, isKey: boolean): void {
    const shape = shapeOf(text, this.layout.keepsTabs)
    if (shape.multiline && isKey) this.double(text, false)
    else if (text.includes('\n')) {
      if (shape.block && !isKey) this.literal(text)
      else this.double(text, !isKey)
    } else if (needsQuotes(text)) this.double(text, !isKey)
    else if (shape.plain) this.plain(text, !isKey)
    else if (shape.single) this.single(text, !isKey)
    else this.double(text, !isKey)
  }

  private plain(text: string, mayBreak: boolean): void {
    if (!this.afterWhite) this.put(' ')
    this.folded(text, mayBreak, 0)
    this.afterWhite = false
    this.inIndention = false
  }

  private single(text: string, mayBreak: boolean): void {
    this.indicator("'", true, false)
    this.folded(text, mayBreak, 1)
    this.indicator("'", false, false)
  }

  /** Plain and single-quoted text: one space of a line that is too long may become a line break. `edge` keeps the ends whole. */
  private folded(text: string, mayBreak: boolean, edge: 0 | 1): void {
    const quoted = edge === 1
    if ((!mayBreak || this.column + text.length <= this.layout.width) && !HARD_BREAK.test(text)) {
      this.put(quoted ? text.replaceAll("'", "''") : text)
      if (text.length > 0) this.inIndention = false
      return
    }
    let afterSpace = false
    let afterBreak = false
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === 0x20) {
        const foldable = at >= edge && at < text.length - edge && text.charCodeAt(at + 1) !== 0x20
        if (mayBreak && !afterSpace && this.column > this.layout.width && foldable) this.startLine()
        else this.put(' ')
        afterSpace = true
      } else if (isBreak(code)) {
        if (!afterBreak && code === 0x0a) this.breakLine()
        this.breakLine(text.charAt(at))
        this.inIndention = true
        afterBreak = true
      } else {
        if (afterBreak) this.startLine()
        this.put(quoted && code === 0x27 ? "''" : text.charAt(at))
        this.inIndention = false
        afterSpace = false
        afterBreak = false
      }
    }
  }

  private double(text: string, mayBreak: boolean): void {
    this.indicator('"', true, false)
    let afterSpace = false
    for (let at = 0; at < text.length; at++) {
      const code = text.codePointAt(at) ?? 0
      if (code > 0xffff) at++
      if (code === 0x20) {
        if (mayBreak && !afterSpace && this.column > this.layout.width && at > 0 && at < text.length - 1) {
          this.startLine()
          if (text.charCodeAt(at + 1) === 0x20) this.put('\\')
        } else {
          this.put(' ')
        }
        afterSpace = true
        continue
      }
      const escaped = !isPrintable(code) || isBreak(code) || code === 0x22 || code === 0x5c
      if (escaped) this.put(escapeOf(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code))
      else this.put(text.charAt(at))
      afterSpace = false
    }
    this.indicator('"', false, false)
  }

  private literal(text: string): void {
    this.indicator(`|${blockHints(text)}`, true, false)
    this.breakLine()
    this.inIndention = true
    this.afterWhite = true
    const pad = ' '.repeat(Math.max(this.indent, 0))
    if (!ODD_BREAK.test(text)) {
      const lines = text.split('\n')
      const ends = lines.at(-1) === ''
      if (ends) lines.pop()
      this.out += lines.map((line) => (line === '' ? '' : pad + line)).join('\n')
      if (ends) this.breakLine()
      else this.column = pad.length + 1
      this.inIndention = ends
      this.afterWhite = true
      return
    }
    let afterBreak = true
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (isBreak(code)) {
        this.breakLine(text.charAt(at))
        this.inIndention = true
        afterBreak = true
      } else {
        if (afterBreak) this.startLine()
        this.put(text.charAt(at))
        this.inIndention = false
        afterBreak = false
      }
    }
  }
}

function blockHints(text: string): string {
  const first = text.charCodeAt(0)
  const indent = first === 0x20 || isBreak(first) ? '2' : ''
  const last = text.length - 1
  if (!isBreak(text.charCodeAt(last))) return `${indent}-`
  return last === 0 || isBreak(text.charCodeAt(last - 1)) ? `${indent}+` : indent
}

const isSimpleKey = (key: string): boolean =>
  key.length <= LONGEST_SIMPLE_KEY &&
  !HARD_BREAK.test(key) &&
  (key.length <= LONGEST_SIMPLE_KEY / 3 || Buffer.byteLength(key) <= LONGEST_SIMPLE_KEY)

function scalarText(value: unknown, layout: Layout): string {
  if (typeof value === 'number') return layout.number(value)
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  throw new Error(`cannot write a ${typeof value} as YAML`)
}

/**
 * Writes a JSON value as sigs.k8s.io/yaml does (helm's toYaml, kubectl -o yaml): sorted keys, block styles, folding at 80.
 * Bigints are integers, undefined fields are left out. Ends with a line feed. Throws on cycles and on values JSON does not know.
 */
export function emitYaml(value: unknown): string {
  return new Emitter(usual).document(value)
}

/**
 * Writes a value as go-yaml 3 does (helm's toYamlPretty): lists indented, no folding, numbers as floats; bigints are integers.
 */
export function emitYamlPretty(value: unknown): string {
  return new Emitter(pretty).document(value)
}

/** Writes several documents with `---` between them. */
export function emitYamlDocuments(values: readonly unknown[]): string {
  return values.map(emitYaml).join('---\n')
}
