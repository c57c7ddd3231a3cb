import { ExprError } from './value.ts'

export type TokenKind = 'number' | 'string' | 'name' | 'operator' | 'bracket' | 'end'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly value?: number | string
  readonly at: number
}

const OPERATORS = [
  '..',
  '**',
  '==',
  '!=',
  '<=',
  '>=',
  '&&',
  '||',
  '??',
  '?.',
  '?:',
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '<',
  '>',
  '!',
  '?',
  ':',
  '=',
  '|',
  '.',
  ',',
  ';',
  '#',
]
const WORDS = new Set(['and', 'or', 'not', 'in', 'matches', 'contains', 'startsWith', 'endsWith'])
const NUMBER =
  /0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.(?!\.)\d[\d_]*|\.\d[\d_]*|\d[\d_]*)(?:[eE][+-]?\d+)?/y
const NAME = /[\p{L}_$][\p{L}\p{N}_$]*/uy
const SPACE = /(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)+/y

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0]
}

/** The words of an expression. */
export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < source.length) {
    const space = match(SPACE, source, at)
    if (space !== undefined) {
      at += space.length
      continue
    }
    const token = tokenAt(source, at, tokens.at(-1))
    tokens.push(token)
    at += token.text.length
  }
  tokens.push({ kind: 'end', text: '', at: source.length })
  return tokens
}

function tokenAt(source: string, at: number, before: Token | undefined): Token {
  const char = source.charAt(at)
  if (char === '"' || char === "'" || char === '`') return stringAt(source, at, char)
  const number = match(NUMBER, source, at)
  const isMember =
    char === '.' && before !== undefined && (before.kind === 'name' || before.text === ')' || before.text === ']')
  if (number !== undefined && !isMember)
    return { kind: 'number', text: number, value: Number(number.replaceAll('_', '')), at }
  const name = match(NAME, source, at)
  if (name !== undefined) {
    const isWord = WORDS.has(name) && before?.text !== '.' && before?.text !== '?.'
    return { kind: isWord ? 'operator' : 'name', text: name, at }
  }
  if ('()[]{}'.includes(char)) return { kind: 'bracket', text: char, at }
  const operator = OPERATORS.find((each) => source.startsWith(each, at))
  if (operator !== undefined) return { kind: 'operator', text: operator, at }
  throw new ExprError(
    `unrecognized character: U+${(source.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
    at,
  )
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
}

function stringAt(source: string, at: number, quote: string): Token {
  let value = ''
  for (let place = at + 1; place < source.length; place++) {
    const char = source.charAt(place)
    if (char === quote) return { kind: 'string', text: source.slice(at, place + 1), value, at }
    if (char !== '\\' || quote === '`') {
      if (char === '\n' && quote !== '`') break
      value += char
      continue
    }
    const code = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y
    code.lastIndex = place
    const found = code.exec(source)
    if (found) {
      const point = Number.parseInt(found[1] ?? found[2] ?? found[3] ?? '', 16)
      if (point > 0x10ffff) throw new ExprError('invalid escape', place)
      value += String.fromCodePoint(point)
      place += found[0].length - 1
      continue
    }
    const escaped = ESCAPES[source.charAt(++place)]
    if (escaped === undefined) throw new ExprError('invalid escape', place)
    value += escaped
  }
  throw new ExprError('literal not terminated', at)
}
