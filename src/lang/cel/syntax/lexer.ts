export type TokenKind =
  | 'end'
  | 'ident'
  | 'quoted-ident'
  | 'int'
  | 'uint'
  | 'float'
  | 'string'
  | 'bytes'
  | 'true'
  | 'false'
  | 'null'
  | 'in'
  | '=='
  | '!='
  | '<='
  | '>='
  | '<'
  | '>'
  | '&&'
  | '||'
  | '['
  | ']'
  | '{'
  | '}'
  | '('
  | ')'
  | '.'
  | ','
  | '-'
  | '!'
  | '?'
  | ':'
  | '+'
  | '*'
  | '/'
  | '%'

export interface Token {
  readonly kind: TokenKind
  readonly start: number
  readonly end: number
}

/** Thrown inside the parser; parse turns it into a problem. */
export class SyntaxFailure extends Error {
  readonly offset: number

  constructor(offset: number, message: string) {
    super(message)
    this.offset = offset
  }
}

const WORDS: Readonly<Record<string, TokenKind>> = { true: 'true', false: 'false', null: 'null', in: 'in' }
const TWO_CHARACTERS = new Set<string>(['==', '!=', '<=', '>=', '&&', '||'])
const ONE_CHARACTER = new Set<string>([
  '<',
  '>',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '.',
  ',',
  '-',
  '!',
  '?',
  ':',
  '+',
  '*',
  '/',
  '%',
])

const SPACE = /(?:[\t \r\n\f]+|\/\/[^\n]*)+/y
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER =
  /(0x[0-9a-fA-F]+|[0-9]+)[uU]|([0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)|(0x[0-9a-fA-F]+|[0-9]+)/y
const QUOTED = /`[A-Za-z0-9_.\-/ ]+`/y
const STRING_START = /([bB]?)([rR]?)("""|'''|"|')/y
const ESCAPE = /\\(?:[abfnrtv"'\\?`]|[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/y

/** Splits a source text into tokens; the last one is `end`. Throws SyntaxFailure where no token begins. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = []
  let at = skipSpace(source, 0)
  while (at < source.length) {
    const token = tokenAt(source, at)
    tokens.push(token)
    at = skipSpace(source, token.end)
  }
  tokens.push({ kind: 'end', start: source.length, end: source.length })
  return tokens
}

const SLASH = 47

function skipSpace(source: string, at: number): number {
  const code = source.charCodeAt(at)
  if (code > 32 && code !== SLASH) return at
  SPACE.lastIndex = at
  return SPACE.test(source) ? SPACE.lastIndex : at
}

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(source)
}

function endAt(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(source) ? pattern.lastIndex : -1
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57
const isLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95

function wordAt(source: string, start: number): Token {
  const end = endAt(WORD, source, start)
  const length = end - start
  const word = length === 2 || length === 4 || length === 5 ? source.slice(start, end) : ''
  const kind = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined
  return { kind: kind ?? 'ident', start, end }
}

function numberAt(source: string, start: number): Token | undefined {
  const number = matchAt(NUMBER, source, start)
  if (!number) return undefined
  const kind = number[1] !== undefined ? 'uint' : number[2] !== undefined ? 'float' : 'int'
  return { kind, start, end: start + number[0].length }
}

/** A letter may begin a prefix such as `r"` or `b'`. */
function stringStart(source: string, start: number): RegExpExecArray | null {
  const [first, second, third] = [source[start], source[start + 1], source[start + 2]]
  const isQuote = (character: string | undefined): boolean => character === '"' || character === "'"
  return isQuote(first) || isQuote(second) || isQuote(third) ? matchAt(STRING_START, source, start) : null
}

function tokenAt(source: string, start: number): Token {
  const code = source.charCodeAt(start)
  const string = stringStart(source, start)
  if (string) return stringAt(source, start, string)
  if (isLetter(code)) return wordAt(source, start)
  if (isDigit(code) || (code === 46 && isDigit(source.charCodeAt(start + 1)))) {
    const number = numberAt(source, start)
    if (number) return number
  }
  const one = source[start] ?? ''
  const two = one + (source[start + 1] ?? '')
  // The sets hold exactly the kinds of one and of two characters.
  if (TWO_CHARACTERS.has(two)) return { kind: two as TokenKind, start, end: start + 2 }
  if (ONE_CHARACTER.has(one)) return { kind: one as TokenKind, start, end: start + 1 }
  const quoted = endAt(QUOTED, source, start)
  if (quoted > 0) return { kind: 'quoted-ident', start, end: quoted }
  const character = String.fromCodePoint(source.codePointAt(start) ?? 0)
  throw new SyntaxFailure(start, `Syntax error: token recognition error at: '${character}'`)
}

function stringAt(source: string, start: number, opening: RegExpExecArray): Token {
  const kind = opening[1] === '' ? 'string' : 'bytes'
  const raw = opening[2] !== ''
  const quote = opening[3] ?? '"'
  let at = start + opening[0].length
  for (;;) {
    if (at >= source.length) break
    if (source.startsWith(quote, at)) return { kind, start, end: at + quote.length }
    const character = source[at]
    if (quote.length === 1 && (character === '\n' || character === '\r')) break
    if (character === '\\' && !raw) {
      const escape = matchAt(ESCAPE, source, at)
      if (!escape) throw new SyntaxFailure(at, `Syntax error: invalid escape sequence: '${source.slice(at, at + 2)}'`)
      at += escape[0].length
    } else {
      at++
    }
  }
  throw new SyntaxFailure(start, `Syntax error: token recognition error at: '${source.slice(start, start + 20)}'`)
}
