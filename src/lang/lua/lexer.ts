import { LuaSyntaxError } from './error.ts'

export type Token =
  | { readonly kind: 'name' | 'keyword' | 'symbol' | 'end'; readonly text: string; readonly line: number }
  | { readonly kind: 'text'; readonly text: string; readonly line: number }
  | { readonly kind: 'number'; readonly text: string; readonly value: number; readonly line: number }

const keywords: ReadonlySet<string> = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
)
const name = /[A-Za-z_]\w*/y
const number = /0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y
const symbol = /::|\.\.\.|\.\.|==|~=|<=|>=|[-+*/%^#<>=(){}[\];:,.]/y
const simple: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
  '\n': '\n',
}

/** Reads a Lua source, given as bytes, one token after another. */
export class Lexer {
  readonly #source: string
  #at = 0
  #line = 1
  #ahead: Token | undefined

  constructor(source: string) {
    this.#source = source
    if (source.startsWith('#')) this.#at = Math.max(0, source.indexOf('\n'))
  }

  peek(): Token {
    return (this.#ahead ??= this.#read())
  }

  next(): Token {
    const token = this.peek()
    this.#ahead = undefined
    return token
  }

  is(text: string): boolean {
    const token = this.peek()
    return (token.kind === 'keyword' || token.kind === 'symbol') && token.text === text
  }

  take(text: string): boolean {
    if (!this.is(text)) return false
    this.next()
    return true
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.unexpected(`'${text}' expected`)
  }

  name(): string {
    const token = this.peek()
    if (token.kind !== 'name') throw this.unexpected('a name expected')
    return this.next().text
  }

  unexpected(wanted: string): LuaSyntaxError {
    const token = this.peek()
    return new LuaSyntaxError(`${wanted} near ${token.kind === 'end' ? 'the end' : `'${token.text}'`}`, token.line)
  }

  #read(): Token {
    this.#skipBlank()
    const line = this.#line
    const first = this.#source.charAt(this.#at)
    if (first === '') return { kind: 'end', text: '', line }
    if (first === '"' || first === "'") return { kind: 'text', text: this.#quoted(first), line }
    if (first === '[') {
      const long = this.#long()
      if (long !== undefined) return { kind: 'text', text: long, line }
    }
    const word = this.#match(name)
    if (word !== undefined) return { kind: keywords.has(word) ? 'keyword' : 'name', text: word, line }
    const digits = this.#match(number)
    if (digits !== undefined) return { kind: 'number', text: digits, value: Number(digits), line }
    const sign = this.#match(symbol)
    if (sign !== undefined) return { kind: 'symbol', text: sign, line }
    throw new LuaSyntaxError(`unexpected character '${first}'`, line)
  }

  #match(shape: RegExp): string | undefined {
    shape.lastIndex = this.#at
    const found = shape.exec(this.#source)
    if (!found) return undefined
    this.#at = shape.lastIndex
    return found[0]
  }

  #skipBlank(): void {
    for (;;) {
      const character = this.#source.charAt(this.#at)
      if (character === '\n') {
        this.#line++
        this.#at++
      } else if (character !== '' && ' \t\r\f\v'.includes(character)) this.#at++
      else if (this.#source.startsWith('--', this.#at)) {
        this.#at += 2
        if (this.#source.charAt(this.#at) === '[' && this.#long() !== undefined) continue
        const end = this.#source.indexOf('\n', this.#at)
        this.#at = end < 0 ? this.#source.length : end
      } else return
    }
  }

  /** A text in long brackets, or nothing if there are none here. */
  #long(): string | undefined {
    const open = /\[(=*)\[/y
    open.lastIndex = this.#at
    const found = open.exec(this.#source)
    if (!found) return undefined
    const close = `]${found[1] ?? ''}]`
    const start = open.lastIndex
    const end = this.#source.indexOf(close, start)
    if (end < 0) throw new LuaSyntaxError('unfinished long string', this.#line)
    const text = this.#source.slice(start, end)
    this.#at = end + close.length
    this.#line += text.split('\n').length - 1
    return text.replace(/^\r?\n/, '')
  }

  #quoted(quote: string): string {
    let text = ''
    for (this.#at++; ;) {
      const character = this.#source.charAt(this.#at)
      if (character === '' || character === '\n') throw new LuaSyntaxError('unfinished string', this.#line)
      this.#at++
      if (character === quote) return text
      if (character !== '\\') {
        text += character
        continue
      }
      const decimal = /\d{1,3}/y
      const code = this.#match(decimal)
      if (code !== undefined) {
        if (Number(code) > 255) throw new LuaSyntaxError('escape sequence too large', this.#line)
        text += String.fromCharCode(Number(code))
        continue
      }
      const escaped = this.#source.charAt(this.#at++)
      if (escaped === '\n') this.#line++
      // As Lua 5.1 does: an unknown escape is the character itself.
      text += Object.hasOwn(simple, escaped) ? (simple[escaped] ?? '') : escaped
    }
  }
}
