import { Double } from '../value/double.ts'
import { keyText } from '../value/map.ts'
import { Uint } from '../value/uint.ts'
import type { Ast, Call, Expr, Literal, MacroCalls } from './ast.ts'

/** How tightly an operator binds; a looser part inside a tighter one is put in parentheses. */
const PRECEDENCE: Readonly<Record<string, number>> = {
  '_?_:_': 1,
  '_||_': 2,
  '_&&_': 3,
  '_==_': 4,
  '_!=_': 4,
  '_<_': 4,
  '_<=_': 4,
  '_>_': 4,
  '_>=_': 4,
  '@in': 4,
  '_+_': 5,
  '_-_': 5,
  '_*_': 6,
  '_/_': 6,
  '_%_': 6,
  '!_': 7,
  '-_': 7,
}
const TIGHTEST = 8

/** The text of a parsed expression; macros are printed as they were written. */
export function printExpr({ expr, macroCalls }: Pick<Ast, 'expr' | 'macroCalls'>): string {
  return new Printer(macroCalls).print(expr)
}

class Printer {
  readonly #macroCalls: MacroCalls

  constructor(macroCalls: MacroCalls) {
    this.#macroCalls = macroCalls
  }

  /** The text, in parentheses when it binds more loosely than asked. */
  print(expr: Expr, atLeast = 0): string {
    const macro = this.#macroCalls.get(expr.id)
    const shown = macro ?? expr
    const text = macro ? this.#call(macro) : this.#plain(expr)
    const own = precedenceOf(shown)
    return own < atLeast ? `(${text})` : text
  }

  #plain(expr: Expr): string {
    switch (expr.kind) {
      case 'literal':
        return literalText(expr)
      case 'ident':
        return expr.name
      case 'select': {
        const text = `${this.print(expr.operand, TIGHTEST)}.${fieldText(expr.field)}`
        return expr.testOnly ? `has(${text})` : text
      }
      case 'call':
        return this.#call(expr)
      case 'list': {
        const items = expr.items.map((item, index) => `${expr.optionals.includes(index) ? '?' : ''}${this.print(item)}`)
        return `[${items.join(', ')}]`
      }
      case 'map': {
        const entries = expr.entries.map(
          ({ key, value, optional }) => `${optional ? '?' : ''}${this.print(key)}: ${this.print(value)}`,
        )
        return `{${entries.join(', ')}}`
      }
      case 'struct': {
        const fields = expr.fields.map(
          ({ name, value, optional }) => `${optional ? '?' : ''}${fieldText(name)}: ${this.print(value)}`,
        )
        return `${expr.type}{${fields.join(', ')}}`
      }
      case 'comprehension':
        throw new Error(`the comprehension ${expr.id} has no macro that it was written as`)
    }
  }

  #call(call: Call): string {
    const [first, second, third] = call.args
    const own = PRECEDENCE[call.name]
    if (first && second && third && call.name === '_?_:_') {
      return `${this.print(first, 2)} ? ${this.print(second, 2)} : ${this.print(third, 1)}`
    }
    if (first && second && own !== undefined) return this.#binary(call.name, own, first, second)
    if (first && own !== undefined) return `${call.name.slice(0, 1)}${this.#operand(first)}`
    const access = first && second && this.#access(call.name, first, second)
    if (access) return access
    const args = call.args.map((arg) => this.print(arg)).join(', ')
    const receiver = call.target ? `${this.print(call.target, TIGHTEST)}.` : ''
    return `${receiver}${call.name}(${args})`
  }

  #access(name: string, operand: Expr, key: Expr): string | undefined {
    const text = this.print(operand, TIGHTEST)
    if (name === '_[_]') return `${text}[${this.print(key)}]`
    if (name === '_[?_]') return `${text}[?${this.print(key)}]`
    if (name !== '_?._') return undefined
    return `${text}.?${fieldText(key.kind === 'literal' ? String(key.value) : '')}`
  }

  #binary(name: string, own: number, left: Expr, right: Expr): string {
    const symbol = name === '@in' ? 'in' : name.slice(1, -1)
    return `${this.print(left, isBalanced(name) ? own + 1 : own)} ${symbol} ${this.print(right, own + 1)}`
  }

  /** `-` before a number would be read as part of it, and two signs would cancel out. */
  #operand(expr: Expr): string {
    const text = this.print(expr, TIGHTEST)
    return /^[-!\d.]/.test(text) ? `(${text})` : text
  }
}

/** Chains of these are rebalanced when they are parsed, so their nesting is printed. */
const isBalanced = (name: string): boolean => name === '_&&_' || name === '_||_'

function precedenceOf(expr: Expr): number {
  if (expr.kind === 'call') return expr.target ? TIGHTEST : (PRECEDENCE[expr.name] ?? TIGHTEST)
  if (expr.kind === 'literal' && literalText(expr).startsWith('-')) return 7
  return TIGHTEST
}

const fieldText = (name: string): string =>
  /^[A-Za-z_]\w*$/.test(name) && !['true', 'false', 'null', 'in'].includes(name) ? name : `\`${name}\``

function literalText({ value }: Literal): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint) return `${value.value}u`
  if (value instanceof Double) return doubleLiteral(value.value)
  if (value instanceof Uint8Array) {
    return `b"${Array.from(value, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`
  }
  return keyText(value)
}

function doubleLiteral(value: number): string {
  const text = String(value)
  return /[.e]/.test(text) ? text.replace(/e\+/, 'e') : `${Object.is(value, -0) ? '-0' : text}.0`
}
