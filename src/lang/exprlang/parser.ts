import { functions } from './functions/functions.ts'
import { predicateArity } from './predicates.ts'
import { type Token, tokensOf } from './lexer.ts'
import type { Node } from './node.ts'
import { ExprError } from './value.ts'

interface Operator {
  readonly precedence: number
  readonly isRight?: boolean
}

/** expr-lang 1.17, parser/operator. */
const BINARY: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['|', { precedence: 0 }],
  ...['or', '||'].map((name) => [name, { precedence: 10 }] as const),
  ...['and', '&&'].map((name) => [name, { precedence: 15 }] as const),
  ...['==', '!=', '<', '>', '>=', '<=', 'in', 'matches', 'contains', 'startsWith', 'endsWith'].map(
    (name) => [name, { precedence: 20 }] as const,
  ),
  ['..', { precedence: 25 }],
  ...['+', '-'].map((name) => [name, { precedence: 30 }] as const),
  ...['*', '/', '%'].map((name) => [name, { precedence: 60 }] as const),
  ...['**', '^'].map((name) => [name, { precedence: 100, isRight: true }] as const),
  ['??', { precedence: 500 }],
])
const UNARY: ReadonlyMap<string, number> = new Map([
  ['not', 50],
  ['!', 50],
  ['-', 90],
  ['+', 90],
])
/** After `not` these are negated as a whole. */
const NEGATABLE = new Set(['in', 'matches', 'contains', 'startsWith', 'endsWith'])

const DEEPEST = 250
const LONGEST = 100_000

/** Parses an expression; throws an `ExprError` with the place. */
export function parseExpression(source: string): Node {
  if (source.length > LONGEST) throw new ExprError(`the expression is longer than ${LONGEST} characters`, 0)
  return new Parser(tokensOf(source)).program()
}

class Parser {
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0
  /** How many predicates surround this place. */
  #predicates = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  program(): Node {
    const node = this.#sequence()
    if (this.#token.kind !== 'end') throw this.#unexpected()
    return node
  }

  get #token(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', at: 0 }
  }

  #is(text: string): boolean {
    const { kind } = this.#token
    return this.#token.text === text && (kind === 'operator' || kind === 'bracket' || kind === 'name')
  }

  #take(): Token {
    const token = this.#token
    this.#next++
    return token
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false
    this.#next++
    return true
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw this.#unexpected()
  }

  #unexpected(): ExprError {
    const { kind, text, at } = this.#token
    return new ExprError(
      kind === 'end' ? 'unexpected end of the expression' : `unexpected token ${JSON.stringify(text)}`,
      at,
    )
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > DEEPEST)
      throw new ExprError(`the expression nests deeper than ${DEEPEST} levels`, this.#token.at)
    const parsed = parse()
    this.#depth--
    return parsed
  }

  #sequence(): Node {
    const { at } = this.#token
    if (this.#is('let') && this.#tokens[this.#next + 1]?.kind === 'name') return this.#nested(() => this.#let())
    const first = this.#expression(0)
    if (!this.#is(';')) return first
    const steps = [first]
    while (this.#accept(';')) {
      if (this.#token.kind === 'end' || this.#is(')') || this.#is('}')) break
      steps.push(this.#sequence())
    }
    return { is: 'sequence', steps, at }
  }

  #let(): Node {
    const { at } = this.#take()
    const name = this.#take().text
    this.#expect('=')
    const value = this.#expression(0)
    this.#expect(';')
    return { is: 'let', name, value, body: this.#sequence(), at }
  }

  #expression(least: number): Node {
    return this.#nested(() => {
      if (this.#is('if') && least === 0) return this.#if()
      let left = this.#primary()
      for (;;) {
        const next = this.#infix(left, least)
        if (!next) break
        left = next
      }
      return least === 0 ? this.#conditional(left) : left
    })
  }

  #infix(left: Node, least: number): Node | undefined {
    const isNegated = this.#is('not') && NEGATABLE.has(this.#tokens[this.#next + 1]?.text ?? '')
    const token = isNegated ? (this.#tokens[this.#next + 1] ?? this.#token) : this.#token
    if (token.kind !== 'operator') return undefined
    const operator = BINARY.get(token.text)
    if (!operator || operator.precedence < least) return undefined
    this.#next += isNegated ? 2 : 1
    if (token.text === '|') return this.#pipe(left)
    const right = this.#expression(operator.isRight ? operator.precedence : operator.precedence + 1)
    const node: Node = { is: 'binary', operator: token.text, left, right, at: token.at }
    return isNegated ? { is: 'unary', operator: 'not', operand: node, at: token.at } : node
  }

  /** `x | f(y)` is `f(x, y)`. */
  #pipe(left: Node): Node {
    const token = this.#take()
    if (token.kind !== 'name') throw new ExprError(`unexpected token ${JSON.stringify(token.text)}`, token.at)
    return this.#postfix(this.#call(token, [left], true))
  }

  #if(): Node {
    const { at } = this.#take()
    const test = this.#expression(0)
    this.#expect('{')
    const yes = this.#sequence()
    this.#expect('}')
    this.#expect('else')
    if (this.#is('if')) return { is: 'conditional', test, yes, no: this.#nested(() => this.#if()), at }
    this.#expect('{')
    const no = this.#sequence()
    this.#expect('}')
    return { is: 'conditional', test, yes, no, at }
  }

  #conditional(test: Node): Node {
    const { at } = this.#token
    if (this.#accept('?:')) return { is: 'conditional', test, yes: test, no: this.#expression(0), at }
    if (!this.#accept('?')) return test
    if (this.#accept(':')) return { is: 'conditional', test, yes: test, no: this.#expression(0), at }
    const yes = this.#expression(0)
    this.#expect(':')
    return { is: 'conditional', test, yes, no: this.#expression(0), at }
  }

  #primary(): Node {
    const token = this.#token
    const unary = token.kind === 'operator' ? UNARY.get(token.text) : undefined
    if (unary !== undefined) {
      this.#next++
      const operand = this.#expression(unary)
      return this.#postfix({ is: 'unary', operator: token.text, operand, at: token.at })
    }
    if (this.#accept('(')) {
      const inner = this.#sequence()
      this.#expect(')')
      return this.#postfix(inner)
    }
    if (this.#predicates > 0 && (this.#is('#') || this.#is('.'))) return this.#postfix(this.#pointer())
    return this.#postfix(this.#atom())
  }

  #pointer(): Node {
    const { at } = this.#token
    if (this.#is('.')) return { is: 'pointer', name: '', at }
    this.#next++
    const isNamed = this.#token.kind === 'name' && this.#token.at === at + 1
    return { is: 'pointer', name: isNamed ? this.#take().text : '', at }
  }

  #atom(): Node {
    const token = this.#take()
    const { at } = token
    if (token.kind === 'number' || token.kind === 'string') return { is: 'literal', value: token.value ?? '', at }
    if (token.text === '[') return { is: 'list', items: this.#items(']'), at }
    if (token.text === '{') return this.#map(at)
    if (token.kind !== 'name') {
      this.#next--
      throw this.#unexpected()
    }
    switch (token.text) {
      case 'true':
      case 'false':
        return { is: 'literal', value: token.text === 'true', at }
      case 'nil':
        return { is: 'literal', value: null, at }
      default:
        return this.#is('(') ? this.#call(token, [], false) : { is: 'name', name: token.text, at }
    }
  }

  /** `name(...)`: a built-in function, or one of the environment. */
  #call(name: Token, before: readonly Node[], isPiped: boolean): Node {
    const { at } = name
    const predicate = predicateArity(name.text)
    const isBuiltin = predicate !== undefined || functions.has(name.text)
    if (isPiped && !this.#is('(')) {
      const args = [...before]
      return isBuiltin
        ? { is: 'builtin', name: name.text, args, at }
        : { is: 'call', callee: { is: 'name', name: name.text, at }, args, at }
    }
    this.#expect('(')
    if (!isBuiltin) {
      return { is: 'call', callee: { is: 'name', name: name.text, at }, args: [...before, ...this.#items(')')], at }
    }
    const args = [...before]
    while (!this.#accept(')')) {
      if (args.length > before.length) this.#expect(',')
      if (this.#accept(')')) break
      args.push(predicate !== undefined && args.length === predicate ? this.#predicate() : this.#expression(0))
    }
    return { is: 'builtin', name: name.text, args, at }
  }

  #predicate(): Node {
    this.#predicates++
    const isBraced = this.#accept('{')
    const body = isBraced ? this.#sequence() : this.#expression(0)
    if (isBraced) this.#expect('}')
    this.#predicates--
    return body
  }

  #items(close: string): readonly Node[] {
    const items: Node[] = []
    while (!this.#accept(close)) {
      if (items.length > 0) this.#expect(',')
      if (this.#accept(close)) break
      items.push(this.#expression(0))
    }
    return items
  }

  #map(at: number): Node {
    const entries: (readonly [Node, Node])[] = []
    while (!this.#accept('}')) {
      if (entries.length > 0) this.#expect(',')
      if (this.#accept('}')) break
      const key = this.#mapKey()
      this.#expect(':')
      entries.push([key, this.#expression(0)])
    }
    return { is: 'map', entries, at }
  }

  #mapKey(): Node {
    const token = this.#token
    if (this.#accept('(')) {
      const key = this.#expression(0)
      this.#expect(')')
      return key
    }
    if (token.kind !== 'number' && token.kind !== 'string' && token.kind !== 'name') {
      throw new ExprError(
        `a map key must be a quoted string, a number, an identifier, or an expression enclosed in parentheses (unexpected token ${JSON.stringify(token.text)})`,
        token.at,
      )
    }
    this.#next++
    return { is: 'literal', value: token.kind === 'name' ? token.text : String(token.value), at: token.at }
  }

  #postfix(start: Node): Node {
    let node = start
    let isChain = false
    for (;;) {
      const { at } = this.#token
      // `.field` within a predicate begins with what the dot belongs to.
      if (this.#is('.') || this.#is('?.')) {
        const isOptional = this.#take().text === '?.'
        isChain ||= isOptional
        node = isOptional && this.#is('[') ? this.#bracket(node, true) : this.#member(node, isOptional)
      } else if (this.#is('[')) node = this.#bracket(node, false)
      else if (this.#is('(') && node.is === 'member') {
        this.#next++
        node = { is: 'call', callee: node, args: this.#items(')'), at }
      } else break
    }
    return isChain ? { is: 'chain', inner: node, at: start.at } : node
  }

  #member(object: Node, isOptional: boolean): Node {
    const token = this.#take()
    if (token.kind !== 'name' && !/^[a-zA-Z]/.test(token.text)) {
      throw new ExprError(`unexpected token ${JSON.stringify(token.text)}`, token.at)
    }
    return { is: 'member', object, key: { is: 'literal', value: token.text, at: token.at }, isOptional, at: token.at }
  }

  #bracket(object: Node, isOptional: boolean): Node {
    const { at } = this.#take()
    if (this.#accept(':')) return this.#sliceFrom(object, undefined, at)
    const key = this.#expression(0)
    if (this.#accept(':')) return this.#sliceFrom(object, key, at)
    this.#expect(']')
    return { is: 'member', object, key, isOptional, at }
  }

  #sliceFrom(object: Node, from: Node | undefined, at: number): Node {
    const to = this.#is(']') ? undefined : this.#expression(0)
    this.#expect(']')
    return { is: 'slice', object, from, to, at }
  }
}
