import { quoteString } from '../../lib/go-string.ts'

/** A token of a template. Lines count from 1; positions are offsets into the text. */
export interface Token {
  readonly type: TokenType
  readonly pos: number
  readonly text: string
  readonly line: number
}

export type TokenType =
  | 'error'
  | 'eof'
  | 'text'
  | 'left-delim'
  | 'right-delim'
  | 'space'
  | 'assign'
  | 'declare'
  | 'pipe'
  | 'string'
  | 'raw-string'
  | 'char'
  | 'number'
  | 'complex'
  | 'variable'
  | 'field'
  | 'dot'
  | 'identifier'
  | 'bool'
  | 'nil'
  | 'left-paren'
  | 'right-paren'
  | 'punctuation'
  | Keyword

export type Keyword = 'block' | 'break' | 'continue' | 'define' | 'else' | 'end' | 'if' | 'range' | 'template' | 'with'

const KEYWORDS: ReadonlyMap<string, TokenType> = new Map<string, TokenType>([
  ['block', 'block'],
  ['break', 'break'],
  ['continue', 'continue'],
  ['define', 'define'],
  ['else', 'else'],
  ['end', 'end'],
  ['if', 'if'],
  ['range', 'range'],
  ['nil', 'nil'],
  ['template', 'template'],
  ['with', 'with'],
  ['true', 'bool'],
  ['false', 'bool'],
])

/** What stands around actions, and whether break and continue are keywords. */
export interface LexOptions {
  readonly left: string
  readonly right: string
  readonly isKeyword: (word: string) => boolean
}

const isSpace = (character: string | undefined): boolean =>
  character === ' ' || character === '\n' || character === '\t' || character === '\r'
const ALPHANUMERIC = /[_\p{L}\p{Nd}]/u
/** The ASCII characters of words. */
const ASCII_WORD = Uint8Array.from({ length: 128 }, (_, code) => (/\w/.test(String.fromCharCode(code)) ? 1 : 0))
const isWord = (character: string): boolean =>
  character !== '' && (character < '\x80' ? /\w/.test(character) : ALPHANUMERIC.test(character))

/** Character and code point as Go's %#U shows them. */
function unicodeName(character: string): string {
  const codePoint = character.codePointAt(0)
  if (codePoint === undefined) return 'U+FFFFFFFFFFFFFFFF'
  const hex = `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`
  return /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character) ? `${hex} '${character}'` : hex
}

/** Cuts a template into tokens; the last one is `eof` or `error`. */
export function lex(input: string, options: LexOptions): readonly Token[] {
  return new Lexer(input, options).run()
}

class Lexer {
  private readonly tokens: Token[] = []
  private readonly input: string
  private readonly options: LexOptions
  private pos = 0
  private start = 0
  private line = 1
  /** Where the next line ends. */
  private newline: number
  private parens = 0

  constructor(input: string, options: LexOptions) {
    this.input = input
    this.options = options
    this.newline = this.newlineFrom(0)
  }

  run(): readonly Token[] {
    let isGoing = true
    while (isGoing) isGoing = this.text()
    return this.tokens
  }

  private emit(type: TokenType): true {
    this.tokens.push({ type, pos: this.start, text: this.input.slice(this.start, this.pos), line: this.line })
    this.ignore()
    return true
  }

  private newlineFrom(at: number): number {
    const found = this.input.indexOf('\n', at)
    return found < 0 ? Number.POSITIVE_INFINITY : found
  }

  private ignore(): void {
    while (this.newline < this.pos) {
      this.line += 1
      this.newline = this.newlineFrom(this.newline + 1)
    }
    this.start = this.pos
  }

  private fail(message: string): false {
    this.tokens.push({ type: 'error', pos: this.start, text: message, line: this.line })
    return false
  }

  private peek(): string {
    const code = this.input.charCodeAt(this.pos)
    // NaN past the end.
    if (code < 0xd800 || Number.isNaN(code)) return this.input[this.pos] ?? ''
    return String.fromCodePoint(this.input.codePointAt(this.pos) ?? code)
  }

  private startsWith(text: string, at: number = this.pos): boolean {
    return this.input.startsWith(text, at)
  }

  /** A right delimiter ahead, and whether a trim marker stands before it. */
  private rightDelim(): 'plain' | 'trim' | undefined {
    const { input, pos } = this
    if (isSpace(input[pos]) && input[pos + 1] === '-' && this.startsWith(this.options.right, pos + 2)) return 'trim'
    return this.startsWith(this.options.right) ? 'plain' : undefined
  }

  private hasLeftTrim(at: number): boolean {
    return this.input[at] === '-' && isSpace(this.input[at + 1])
  }

  private skipSpaces(): void {
    while (isSpace(this.input[this.pos])) this.pos += 1
  }

  private text(): boolean {
    const { left } = this.options
    const found = this.input.indexOf(left, this.pos)
    if (found < 0) {
      this.pos = this.input.length
      if (this.pos > this.start) this.emit('text')
      this.tokens.push({ type: 'eof', pos: this.pos, text: 'EOF', line: this.line })
      return false
    }
    this.pos = found
    if (this.hasLeftTrim(found + left.length)) {
      while (this.pos > this.start && isSpace(this.input[this.pos - 1])) this.pos -= 1
    }
    if (this.pos > this.start) this.emit('text')
    this.pos = found
    this.ignore()
    return this.leftDelim()
  }

  private leftDelim(): boolean {
    this.pos += this.options.left.length
    const trim = this.hasLeftTrim(this.pos) ? 2 : 0
    if (this.startsWith('/*', this.pos + trim)) {
      this.pos += trim
      this.ignore()
      return this.comment()
    }
    this.emit('left-delim')
    this.pos += trim
    this.ignore()
    this.parens = 0
    let next: 'more' | 'closed' | 'failed' = 'more'
    while (next === 'more') next = this.inside()
    return next === 'closed'
  }

  private comment(): boolean {
    const end = this.input.indexOf('*/', this.pos + 2)
    if (end < 0) return this.fail('unclosed comment')
    this.pos = end + 2
    const delim = this.rightDelim()
    if (!delim) return this.fail('comment ends before closing delimiter')
    this.pos += (delim === 'trim' ? 2 : 0) + this.options.right.length
    if (delim === 'trim') this.skipSpaces()
    this.ignore()
    return true
  }

  private closeAction(delim: 'plain' | 'trim'): 'closed' {
    if (delim === 'trim') {
      this.pos += 2
      this.ignore()
    }
    this.pos += this.options.right.length
    this.emit('right-delim')
    if (delim === 'trim') {
      this.skipSpaces()
      this.ignore()
    }
    return 'closed'
  }

  private inside(): 'more' | 'closed' | 'failed' {
    const delim = this.rightDelim()
    if (delim && this.parens === 0) return this.closeAction(delim)
    if (delim) return this.fail('unclosed left paren') || 'failed'
    return this.token() ? 'more' : 'failed'
  }

  private token(): boolean {
    const character = this.peek()
    if (isSpace(character)) return this.space()
    switch (character) {
      case '':
        return this.fail('unclosed action')
      case '=':
        return this.single('assign')
      case '|':
        return this.single('pipe')
      case ':':
        this.pos += 1
        if (!this.startsWith('=')) return this.fail('expected :=')
        return this.single('declare')
      case '"':
        return this.quoted('"', 'string', 'unterminated quoted string')
      case "'":
        return this.quoted("'", 'char', 'unterminated character constant')
      case '`':
        return this.rawString()
      case '$':
        this.pos += 1
        return this.name('variable', 'variable')
      case '(':
        this.parens += 1
        return this.single('left-paren')
      case ')':
        this.parens -= 1
        return this.parens < 0 ? this.fail('unexpected right paren') : this.single('right-paren')
      default:
        return this.wordOrNumber(character)
    }
  }

  private wordOrNumber(character: string): boolean {
    const next = this.input[this.pos + 1] ?? ''
    if (character === '.' && this.pos + 1 < this.input.length && !/\d/.test(next)) {
      this.pos += 1
      return this.name('field', 'dot')
    }
    if (/[.+\-0-9]/.test(character)) return this.number()
    if (isWord(character)) return this.identifier()
    if (character >= ' ' && character < '\x7f') return this.single('punctuation')
    return this.fail(`unrecognized character in action: ${unicodeName(character)}`)
  }

  private single(type: TokenType): true {
    this.pos += 1
    return this.emit(type)
  }

  private space(): true {
    this.skipSpaces()
    // The last space may belong to a trim marker: ` -}}`.
    if (this.input[this.pos] === '-' && this.startsWith(this.options.right, this.pos + 1)) {
      this.pos -= 1
      if (this.pos === this.start) return true
    }
    return this.emit('space')
  }

  private atTerminator(): boolean {
    const character = this.peek()
    return character === '' || isSpace(character) || '.,|:)('.includes(character) || this.startsWith(this.options.right)
  }

  private skipWord(): void {
    for (;;) {
      const code = this.input.charCodeAt(this.pos)
      const character = code < 0x80 ? '' : this.peek()
      if (code < 0x80 ? ASCII_WORD[code] !== 1 : !isWord(character)) return
      this.pos += code < 0x80 ? 1 : character.length
    }
  }

  private name(type: TokenType, alone: TokenType): boolean {
    if (this.atTerminator()) return this.emit(alone)
    this.skipWord()
    if (!this.atTerminator()) return this.fail(`bad character ${unicodeName(this.peek())}`)
    return this.emit(type)
  }

  private identifier(): boolean {
    this.skipWord()
    if (!this.atTerminator()) return this.fail(`bad character ${unicodeName(this.peek())}`)
    const word = this.input.slice(this.start, this.pos)
    const keyword = KEYWORDS.get(word)
    return this.emit(keyword && this.options.isKeyword(word) ? keyword : 'identifier')
  }

  private quoted(quote: string, type: TokenType, problem: string): boolean {
    for (this.pos += 1; this.pos < this.input.length; this.pos += 1) {
      const character = this.input[this.pos]
      if (character === quote) return this.single(type)
      if (character === '\\') this.pos += 1
      if (this.input[this.pos] === '\n') return this.fail(problem)
    }
    return this.fail(problem)
  }

  private rawString(): boolean {
    const end = this.input.indexOf('`', this.pos + 1)
    if (end < 0) return this.fail('unterminated raw quoted string')
    this.pos = end + 1
    return this.emit('raw-string')
  }

  private number(): boolean {
    if (!this.scanNumber()) return this.badNumber()
    if (this.input[this.pos] === '+' || this.input[this.pos] === '-') {
      if (!this.scanNumber() || this.input[this.pos - 1] !== 'i') return this.badNumber()
      return this.emit('complex')
    }
    return this.emit('number')
  }

  private badNumber(): false {
    return this.fail(`bad number syntax: ${quoteString(this.input.slice(this.start, this.pos))}`)
  }

  private accept(pattern: RegExp): boolean {
    pattern.lastIndex = this.pos
    const found = pattern.exec(this.input)
    if (!found || found[0] === '') return false
    this.pos += found[0].length
    return true
  }

  private scanNumber(): boolean {
    this.accept(/[+-]/y)
    let digits = /[0-9_]+/y
    if (this.accept(/0/y)) {
      if (this.accept(/[xX]/y)) digits = /[0-9a-fA-F_]+/y
      else if (this.accept(/[oO]/y)) digits = /[0-7_]+/y
      else if (this.accept(/[bB]/y)) digits = /[01_]+/y
    }
    this.accept(digits)
    if (this.accept(/\./y)) this.accept(digits)
    if (digits.source === '[0-9_]+' && this.accept(/[eE]/y)) this.accept(/[+-]?[0-9_]*/y)
    if (digits.source === '[0-9a-fA-F_]+' && this.accept(/[pP]/y)) this.accept(/[+-]?[0-9_]*/y)
    this.accept(/i/y)
    const next = this.peek()
    if (!isWord(next)) return true
    this.pos += next.length
    return false
  }
}
