import { fail, type Result, succeed } from '../../../lib/result.ts'
import { syntaxProblem } from '../position.ts'
import type { Ast, Call, Entry, Expr, FieldInit, LiteralType } from './ast.ts'
import { type Token, type TokenKind, SyntaxFailure, tokenize } from './lexer.ts'
import { bytesLiteral, doubleLiteral, intLiteral, stringLiteral, uintLiteral } from './literal.ts'
import { expandMacro, type Macro, type MacroTable, macroTable, NodeFactory } from './macro.ts'

/** What the parser accepts; the defaults are those of Kubernetes. */
export interface ParseOptions {
  readonly macros?: readonly Macro[]
  /** `a.?b`, `a[?b]`, `[?x]`, `{?k: v}`. */
  readonly optionalSyntax?: boolean
  /** Fields in backticks. */
  readonly quotedFields?: boolean
  /** How deep expressions may nest; operator and selection chains count too. */
  readonly maxDepth?: number
  /** The longest source, in characters. */
  readonly maxLength?: number
}

const NO_MACROS: readonly Macro[] = []
const MAX_DEPTH = 250
const MAX_LENGTH = 100_000

const RESERVED = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(
    ' ',
  ),
)
const RELATIONS = new Set<TokenKind>(['<', '<=', '>=', '>', '==', '!=', 'in'])
const SUMS = new Set<TokenKind>(['+', '-'])
const PRODUCTS = new Set<TokenKind>(['*', '/', '%'])
const OPERATOR_NAMES: Partial<Record<TokenKind, string>> = { in: '@in' }

/** Parses an expression and expands its macros. */
export function parse(source: string, options: ParseOptions = {}): Result<Ast> {
  const limit = options.maxLength ?? MAX_LENGTH
  if (source.length > limit) {
    const message = `expression code point size exceeds limit: size: ${source.length}, limit ${limit}`
    return fail({ code: 'cel-syntax', message })
  }
  try {
    const parser = new Parser(source, options)
    return succeed(parser.parse())
  } catch (failure) {
    if (failure instanceof SyntaxFailure) return fail(syntaxProblem(source, failure.offset, failure.message))
    throw failure
  }
}

class Parser {
  readonly #source: string
  readonly #tokens: readonly Token[]
  readonly #options: ParseOptions
  readonly #macros: MacroTable
  readonly #nodes = new NodeFactory()
  readonly #macroCalls = new Map<number, Call>()
  readonly #maxDepth: number
  #next = 0
  #depth = 0

  constructor(source: string, options: ParseOptions) {
    this.#source = source
    this.#options = options
    this.#tokens = tokenize(source)
    this.#macros = macroTable(options.macros ?? NO_MACROS)
    this.#maxDepth = options.maxDepth ?? MAX_DEPTH
  }

  parse(): Ast {
    const expr = this.#expr()
    if (this.#peek().kind !== 'end') throw this.#unexpected('<EOF>')
    return { source: this.#source, expr, macroCalls: this.#macroCalls, ids: this.#nodes.count }
  }

  // Tokens

  #peek(ahead = 0): Token {
    return this.#tokens[this.#next + ahead] ?? { kind: 'end', start: this.#source.length, end: this.#source.length }
  }

  #take(): Token {
    const token = this.#peek()
    this.#next++
    return token
  }

  #takeIf(kind: TokenKind): Token | undefined {
    return this.#peek().kind === kind ? this.#take() : undefined
  }

  #expect(kind: TokenKind): Token {
    return this.#takeIf(kind) ?? this.#fail(`'${kind}'`)
  }

  #text(token: Token): string {
    return this.#source.slice(token.start, token.end)
  }

  #unexpected(wanted: string): SyntaxFailure {
    const token = this.#peek()
    const found = token.kind === 'end' ? '<EOF>' : this.#text(token)
    return new SyntaxFailure(token.start, `Syntax error: mismatched input '${found}' expecting ${wanted}`)
  }

  #fail(wanted: string): never {
    throw this.#unexpected(wanted)
  }

  /** Goes one level deeper; whoever does comes back up when it succeeds. */
  #enter(): void {
    if (++this.#depth > this.#maxDepth) {
      throw new SyntaxFailure(this.#peek().start, `expression recursion limit exceeded: ${this.#maxDepth}`)
    }
  }

  /** Chains such as `a.b.c` and `1 + 2 + 3` make trees as deep as they are long. */
  #checkChain(links: number): void {
    if (links + this.#depth > this.#maxDepth) {
      throw new SyntaxFailure(this.#peek().start, `max recursion depth exceeded: ${this.#maxDepth}`)
    }
  }

  // Operators

  #expr(): Expr {
    this.#enter()
    const condition = this.#or()
    const mark = this.#takeIf('?')
    if (!mark) {
      this.#depth--
      return condition
    }
    const yes = this.#or()
    this.#expect(':')
    const no = this.#expr()
    this.#depth--
    return this.#nodes.call(mark.start, '_?_:_', [condition, yes, no])
  }

  #or(): Expr {
    const first = this.#and()
    return this.#peek().kind === '||' ? this.#chain('||', first) : first
  }

  #and(): Expr {
    const first = this.#relation()
    return this.#peek().kind === '&&' ? this.#chain('&&', first) : first
  }

  /** `&&` and `||` are associative, so a chain becomes a balanced tree. */
  #chain(operator: '&&' | '||', first: Expr): Expr {
    const terms = [first]
    const places: number[] = []
    for (let token = this.#takeIf(operator); token; token = this.#takeIf(operator)) {
      places.push(token.start)
      terms.push(operator === '&&' ? this.#relation() : this.#and())
    }
    return this.#balanced(`_${operator}_`, terms, places, 0, places.length - 1)
  }

  #balanced(name: string, terms: readonly Expr[], places: readonly number[], low: number, high: number): Expr {
    const middle = Math.floor((low + high + 1) / 2)
    const left = middle === low ? terms[middle] : this.#balanced(name, terms, places, low, middle - 1)
    const right = middle === high ? terms[middle + 1] : this.#balanced(name, terms, places, middle + 1, high)
    if (!left || !right) throw new Error('a balanced chain lost a term')
    return this.#nodes.call(places[middle] ?? 0, name, [left, right])
  }

  #relation(): Expr {
    let left = this.#sum()
    for (let links = 1; RELATIONS.has(this.#peek().kind); links++) {
      const token = this.#operator(links)
      left = this.#nodes.call(token.start, OPERATOR_NAMES[token.kind] ?? `_${token.kind}_`, [left, this.#sum()])
    }
    return left
  }

  #sum(): Expr {
    let left = this.#product()
    for (let links = 1; SUMS.has(this.#peek().kind); links++) {
      const token = this.#operator(links)
      left = this.#nodes.call(token.start, `_${token.kind}_`, [left, this.#product()])
    }
    return left
  }

  #product(): Expr {
    let left = this.#unary()
    for (let links = 1; PRODUCTS.has(this.#peek().kind); links++) {
      const token = this.#operator(links)
      left = this.#nodes.call(token.start, `_${token.kind}_`, [left, this.#unary()])
    }
    return left
  }

  #operator(links: number): Token {
    this.#checkChain(links)
    return this.#take()
  }

  #unary(): Expr {
    const first = this.#peek()
    if (first.kind !== '!' && first.kind !== '-') return this.#member()
    const after = this.#peek(1).kind
    if (first.kind === '-' && (after === 'int' || after === 'float')) return this.#member()
    let count = 0
    while (this.#takeIf(first.kind)) count++
    const operand = this.#member()
    return count % 2 === 0 ? operand : this.#nodes.call(first.start, `${first.kind}_`, [operand])
  }

  // Selections, calls and indices

  #member(): Expr {
    let expr = this.#primary()
    for (let links = 1; ; links++) {
      const token = this.#takeIf('.') ?? this.#takeIf('[')
      if (!token) return expr
      this.#checkChain(links)
      expr = token.kind === '.' ? this.#selection(expr, token) : this.#index(expr, token)
    }
  }

  #selection(operand: Expr, dot: Token): Expr {
    if (this.#peek().kind === '?') {
      if (this.#options.optionalSyntax === false) throw new SyntaxFailure(dot.start, "unsupported syntax '.?'")
      this.#take()
      const place = this.#peek().start
      const name = this.#fieldName()
      return this.#nodes.call(dot.start, '_?._', [operand, this.#nodes.literal(place, 'string', name)])
    }
    if (this.#peek().kind === 'ident' && this.#peek(1).kind === '(') {
      const name = this.#text(this.#take())
      const paren = this.#take()
      return this.#call(paren.start, name, this.#args(), operand)
    }
    return this.#nodes.select(dot.start, operand, this.#fieldName())
  }

  #fieldName(): string {
    const quoted = this.#peek()
    if (quoted.kind === 'quoted-ident') {
      if (this.#options.quotedFields === false) throw new SyntaxFailure(quoted.start, "unsupported syntax: '`'")
      return this.#text(this.#take()).slice(1, -1)
    }
    return this.#text(this.#takeIf('ident') ?? this.#fail('IDENTIFIER'))
  }

  #index(operand: Expr, bracket: Token): Expr {
    const optional = this.#optionalMark('[?', bracket.start)
    const index = this.#expr()
    this.#expect(']')
    return this.#nodes.call(bracket.start, optional ? '_[?_]' : '_[_]', [operand, index])
  }

  #optionalMark(syntax: string, place: number): boolean {
    if (!this.#takeIf('?')) return false
    if (this.#options.optionalSyntax === false) throw new SyntaxFailure(place, `unsupported syntax '${syntax}'`)
    return true
  }

  /** Arguments up to and with the closing parenthesis. */
  #args(): readonly Expr[] {
    const args: Expr[] = []
    if (this.#takeIf(')')) return args
    do args.push(this.#expr())
    while (this.#takeIf(','))
    this.#expect(')')
    return args
  }

  #call(at: number, name: string, args: readonly Expr[], target?: Expr): Expr {
    const expanded = expandMacro(this.#macros, this.#nodes, { at, name, target, args })
    if (!expanded) return this.#nodes.call(at, name, args, target)
    this.#macroCalls.set(expanded.id, { kind: 'call', id: 0, at, name, args, ...(target ? { target } : {}) })
    return expanded
  }

  // Primaries

  #primary(): Expr {
    const token = this.#peek()
    switch (token.kind) {
      case '(': {
        this.#take()
        const expr = this.#expr()
        this.#expect(')')
        return expr
      }
      case '[':
        return this.#list()
      case '{':
        return this.#map()
      case '.':
      case 'ident':
        return this.#named()
      default:
        return this.#literal()
    }
  }

  #named(): Expr {
    const dot = this.#takeIf('.')
    const length = this.#messageNameLength()
    if (length > 0) return this.#message(dot, length)
    const token = this.#takeIf('ident') ?? this.#fail('IDENTIFIER')
    const word = this.#text(token)
    if (RESERVED.has(word)) throw new SyntaxFailure(token.start, `reserved identifier: ${word}`)
    const name = dot ? `.${word}` : word
    const paren = this.#takeIf('(')
    if (paren) return this.#call(paren.start, name, this.#args())
    return this.#nodes.ident(token.start, name)
  }

  /** How many tokens `a.b.c` has when a `{` follows, else 0. */
  #messageNameLength(): number {
    let ahead = 0
    while (this.#peek(ahead).kind === 'ident') {
      const after = this.#peek(ahead + 1).kind
      if (after === '{') return ahead + 1
      if (after !== '.') return 0
      ahead += 2
    }
    return 0
  }

  #message(dot: Token | undefined, length: number): Expr {
    const name = Array.from({ length }, (_, ahead) => this.#text(this.#peek(ahead))).join('')
    this.#next += length
    const brace = this.#expect('{')
    const fields: FieldInit[] = []
    this.#items('}', () => {
      const optional = this.#optionalMark('?', this.#peek().start)
      const field = this.#fieldName()
      const colon = this.#expect(':')
      const id = this.#nodes.newId()
      fields.push({ id, at: colon.start, name: field, value: this.#expr(), optional })
    })
    return this.#nodes.struct(brace.start, `${dot ? '.' : ''}${name}`, fields)
  }

  /** Items separated by commas, the last of which may stand before the closing token. */
  #items(close: TokenKind, item: () => void): void {
    if (this.#takeIf(',')) {
      this.#expect(close)
      return
    }
    while (!this.#takeIf(close)) {
      item()
      if (!this.#takeIf(',')) {
        this.#expect(close)
        return
      }
    }
  }

  #list(): Expr {
    const bracket = this.#take()
    const items: Expr[] = []
    const optionals: number[] = []
    this.#items(']', () => {
      if (this.#optionalMark('?', this.#peek().start)) optionals.push(items.length)
      items.push(this.#expr())
    })
    return this.#nodes.list(bracket.start, items, optionals)
  }

  #map(): Expr {
    const brace = this.#take()
    const entries: Entry[] = []
    this.#items('}', () => {
      const optional = this.#optionalMark('?', this.#peek().start)
      const key = this.#expr()
      const colon = this.#expect(':')
      const value = this.#expr()
      entries.push({ id: this.#nodes.newId(), at: colon.start, key, value, optional })
    })
    return this.#nodes.map(brace.start, entries)
  }

  #literal(): Expr {
    const sign = this.#takeIf('-')
    const token = this.#peek()
    const text = this.#text(token)
    const at = (sign ?? token).start
    const make = (type: LiteralType, value: unknown): Expr => {
      this.#take()
      return this.#nodes.literal(at, type, value)
    }
    switch (token.kind) {
      case 'int':
        return make('int', intLiteral(text, sign !== undefined, at))
      case 'float':
        return make('double', doubleLiteral(text, sign !== undefined, at))
      case 'uint':
        return make('uint', uintLiteral(text, at))
      case 'string':
        return make('string', stringLiteral(text, at))
      case 'bytes':
        return make('bytes', bytesLiteral(text, at))
      case 'true':
      case 'false':
        return make('bool', token.kind === 'true')
      case 'null':
        return make('null', null)
      default:
        return this.#fail("{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUMBER, STRING, BYTES, IDENTIFIER}")
    }
  }
}
