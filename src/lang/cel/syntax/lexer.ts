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
const TWO_CHARACTERS: readonly TokenKind[] = ['==', '!=', '<=', '>=', '&&', '||']
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

function skipSpace(source: string, at: number): number {
  SPACE.lastIndex = at
  return SPACE.test(source) ? SPACE.lastIndex : at
}

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(source)
}

function tokenAt(source: string, start: number): Token {
  const string = matchAt(STRING_START, source, start)
  if (string) return stringAt(source, start, string)
  const word = matchAt(WORD, source, start)
  if (word) {
    const kind = Object.hasOwn(WORDS, word[0]) ? WORDS[word[0]] : undefined
    return { kind: kind ?? 'ident', start, end: start + word[0].length }
  }
  const number = matchAt(NUMBER, source, start)
  if (number) {
    const kind = number[1] !== undefined ? 'uint' : number[2] !== undefined ? 'float' : 'int'
    return { kind, start, end: start + number[0].length }
  }
  const two = TWO_CHARACTERS.find((operator) => source.startsWith(operator, start))
  if (two) return { kind: two, start, end: start + 2 }
  const one = source[start] ?? ''
  // The set holds exactly the one-character kinds.
  if (ONE_CHARACTER.has(one)) return { kind: one as TokenKind, start, end: start + 1 }
  const quoted = matchAt(QUOTED, source, start)
  if (quoted) return { kind: 'quoted-ident', start, end: start + quoted[0].length }
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
