import { JmesPathError } from './error.ts'
import type { Token, TokenKind } from './token.ts'

/** Longer expressions are refused before they are read. */
const LONGEST = 1_000_000
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
/** Only in expressions that know variables. */
const VARIABLE = /\$[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /-?[0-9]+|-/y
const SPACE = /[ \t\r\n]+/y
const SYMBOLS: readonly TokenKind[] = [
  ...(['[?', '[]', '||', '&&', '!=', '<=', '>=', '=='] as const),
  ...(['.', '*', ',', ':', '{', '}', ']', '(', ')', '@', '[', '|', '&', '!', '<', '>', '='] as const),
]
const pairs: ReadonlySet<string> = new Set(SYMBOLS.filter((symbol) => symbol.length === 2))
const singles: ReadonlyMap<string, TokenKind> = new Map(
  SYMBOLS.filter((symbol) => symbol.length === 1).map((symbol) => [symbol, symbol]),
)

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0]
}

/** The place after the delimiter that closes what opened before `from`; a backslash guards the next character. */
function closingOf(source: string, from: number, delimiter: string): number {
  for (let at = from; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === delimiter) return at
  }
  throw new JmesPathError('jmespath-syntax', `the opening ${delimiter} is not closed`, from - 1)
}

/** In a raw string only `\'` is an escape. */
function closingOfString(source: string, from: number): number {
  for (let at = from; at < source.length; at++) {
    if (source[at] === '\\' && source[at + 1] === "'") at++
    else if (source[at] === "'") return at
  }
  throw new JmesPathError('jmespath-syntax', "the opening ' is not closed", from - 1)
}

function quotedName(body: string, offset: number): string {
  try {
    return JSON.parse(`"${body}"`) as string // a JSON string parses to a string
  } catch {
    throw new JmesPathError('jmespath-syntax', 'a quoted name must be a JSON string', offset)
  }
}

interface Read {
  readonly token: Token
  readonly next: number
}

function readDelimited(source: string, offset: number): Read | undefined {
  const delimiter = source[offset]
  const from = offset + 1
  if (delimiter === '"') {
    const end = closingOf(source, from, '"')
    return { token: { kind: 'quoted name', text: quotedName(source.slice(from, end), offset), offset }, next: end + 1 }
  }
  if (delimiter === '`') {
    const end = closingOf(source, from, '`')
    return { token: { kind: 'literal', text: source.slice(from, end).replaceAll('\\`', '`'), offset }, next: end + 1 }
  }
  if (delimiter === "'") {
    const end = closingOfString(source, from)
    return { token: { kind: 'string', text: source.slice(from, end).replaceAll("\\'", "'"), offset }, next: end + 1 }
  }
  return undefined
}

function readToken(source: string, offset: number, hasVariables: boolean): Read {
  const delimited = readDelimited(source, offset)
  if (delimited) return delimited
  const name = match(NAME, source, offset)
  if (name !== undefined) return { token: { kind: 'name', text: name, offset }, next: offset + name.length }
  const variable = hasVariables ? match(VARIABLE, source, offset) : undefined
  if (variable !== undefined) {
    return { token: { kind: 'variable', text: variable.slice(1), offset }, next: offset + variable.length }
  }
  const number = match(NUMBER, source, offset)
  if (number !== undefined) return { token: { kind: 'number', text: number, offset }, next: offset + number.length }
  const two = source.slice(offset, offset + 2)
  if (pairs.has(two)) return { token: { kind: two as TokenKind, text: two, offset }, next: offset + 2 } // pairs are kinds
  const one = source.charAt(offset)
  const kind = singles.get(one)
  if (kind) return { token: { kind, text: one, offset }, next: offset + 1 }
  const shown = JSON.stringify(String.fromCodePoint(source.codePointAt(offset) ?? 0))
  throw new JmesPathError('jmespath-syntax', `the character ${shown} means nothing here`, offset)
}

/** Splits an expression into tokens; the last one is the end. */
export function tokenize(source: string, hasVariables: boolean = false): readonly Token[] {
  if (source.length > LONGEST) {
    throw new JmesPathError('jmespath-budget-exceeded', `the expression has more than ${LONGEST} characters`)
  }
  const tokens: Token[] = []
  for (let at = 0; at < source.length;) {
    const space = match(SPACE, source, at)
    if (space !== undefined) {
      at += space.length
      continue
    }
    const { token, next } = readToken(source, at, hasVariables)
    tokens.push(token)
    at = next
  }
  tokens.push({ kind: 'end of expression', text: '', offset: source.length })
  return tokens
}
