import { JqSyntaxError } from './error.ts'

export type TokenKind = 'name' | 'field' | 'variable' | 'format' | 'number' | 'quote' | 'symbol' | 'end'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly at: number
  readonly end: number
}

const blank = /(?:[ \t\r\n]+|#[^\n]*)*/y
const shapes: readonly (readonly [TokenKind, RegExp])[] = [
  ['field', /\.[A-Za-z_]\w*/y],
  ['number', /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['name', /[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*/y],
  ['variable', /\$[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*/y],
  ['format', /@\w+/y],
  ['quote', /"/y],
  ['symbol', /\?\/\/=?|\|=|\/\/=|[+\-*/%]=|==|!=|<=|>=|\/\/|\.\.|[.[\](){}|,:;=<>+\-*/%?$]/y],
]

/** Reads one token after another from a program; texts are read by the parser, since they hold programs. */
export class Lexer {
  readonly source: string
  #ahead: Token | undefined
  #at = 0

  constructor(source: string) {
    this.source = source
  }

  peek(): Token {
    return (this.#ahead ??= this.#read())
  }

  next(): Token {
    const token = this.peek()
    this.#ahead = undefined
    this.#at = token.end
    return token
  }

  /** Continues at a position, when the parser has read something itself. */
  jump(at: number): void {
    this.#ahead = undefined
    this.#at = at
  }

  is(...texts: readonly string[]): boolean {
    const { kind, text } = this.peek()
    return (kind === 'symbol' || kind === 'name') && texts.includes(text)
  }

  /** Takes the next token if it is this one. */
  take(text: string): boolean {
    if (!this.is(text)) return false
    this.next()
    return true
  }

  expect(text: string): Token {
    const token = this.peek()
    if (!this.is(text)) throw this.unexpected(token, JSON.stringify(text))
    return this.next()
  }

  unexpected(token: Token, wanted: string): JqSyntaxError {
    const found = token.kind === 'end' ? 'the end' : JSON.stringify(token.text)
    return new JqSyntaxError(`expected ${wanted}, found ${found}`, token.at)
  }

  #read(): Token {
    blank.lastIndex = this.#at
    blank.exec(this.source)
    const at = blank.lastIndex
    if (at >= this.source.length) return { kind: 'end', text: '', at, end: at }
    for (const [kind, shape] of shapes) {
      shape.lastIndex = at
      const found = shape.exec(this.source)
      if (found) return { kind, text: found[0], at, end: shape.lastIndex }
    }
    throw new JqSyntaxError(`unexpected character ${JSON.stringify(this.source.charAt(at))}`, at)
  }
}
