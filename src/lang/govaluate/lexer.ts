import { GovaluateError } from './error.ts'

export type Token =
  | { readonly kind: 'number'; readonly value: number; readonly text: string }
  | { readonly kind: 'text'; readonly value: string; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly text: string }
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'operator'; readonly text: string }
  | { readonly kind: 'end'; readonly text: '' }

const operators = '=~ !~ == != <= >= << >> && || ** ?? < > + - * / % & | ^ ~ ! ? : ( ) ,'.split(' ')
const name = /[\p{L}_][\p{L}\p{N}_.]*/uy
const number = /0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+/y

/** Reads a text to its closing quote. */
function readText(source: string, start: number): { readonly value: string; readonly end: number } {
  const quote = source.charAt(start)
  let value = ''
  for (let at = start + 1; at < source.length; at++) {
    const character = source.charAt(at)
    if (character === quote) return { value, end: at + 1 }
    if (character === '\\') value += source.charAt(++at)
    else value += character
  }
  throw new GovaluateError('Unclosed string literal')
}

/** Splits an expression into tokens; names may be in brackets, or hold what a backslash escapes. */
export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  const match = (shape: RegExp): string | undefined => {
    shape.lastIndex = at
    return shape.exec(source)?.[0]
  }
  while (at < source.length) {
    const character = source.charAt(at)
    if (/\s/.test(character)) {
      at++
      continue
    }
    const digits = match(number)
    if (digits !== undefined) {
      tokens.push({ kind: 'number', value: Number(digits), text: digits })
      at += digits.length
    } else if (character === "'" || character === '"') {
      const { value, end } = readText(source, at)
      tokens.push({ kind: 'text', value, text: source.slice(at, end) })
      at = end
    } else if (character === '[') {
      const end = source.indexOf(']', at)
      if (end < 0) throw new GovaluateError('Unclosed parameter bracket')
      tokens.push({ kind: 'name', text: source.slice(at + 1, end) })
      at = end + 1
    } else if (character === '\\' || match(name) !== undefined) {
      const word = readName(source, at)
      at += word.length
      tokens.push(wordToken(word.text))
    } else {
      const operator = operators.find((one) => source.startsWith(one, at))
      if (operator === undefined) throw new GovaluateError(`Invalid token: '${character}'`)
      tokens.push({ kind: 'operator', text: operator })
      at += operator.length
    }
  }
  return [...tokens, { kind: 'end', text: '' }]
}

function readName(source: string, start: number): { readonly text: string; readonly length: number } {
  let text = ''
  let at = start
  for (; at < source.length; at++) {
    const character = source.charAt(at)
    if (character === '\\') text += source.charAt(++at)
    else if (/[\p{L}\p{N}_.]/u.test(character)) text += character
    else break
  }
  return { text, length: at - start }
}

function wordToken(text: string): Token {
  if (text === 'true' || text === 'false') return { kind: 'boolean', value: text === 'true', text }
  return text.toLowerCase() === 'in' ? { kind: 'operator', text: 'in' } : { kind: 'name', text }
}
