import { JmesPathError } from './error.ts'
import { tokenize } from './lexer.ts'
import { childrenOf, type Comparator, type HashEntry, type Node } from './node.ts'
import type { Token, TokenKind } from './token.ts'

/** Binding powers as upstream (kyverno/go-jmespath 95e59c1, parser.go); what is not listed binds nothing. */
const powers: Readonly<Partial<Record<TokenKind, number>>> = {
  '|': 1,
  '||': 2,
  '&&': 3,
  '==': 5,
  '<': 5,
  '<=': 5,
  '>': 5,
  '>=': 5,
  '!=': 5,
  '[]': 9,
  '*': 20,
  '[?': 21,
  '.': 40,
  '!': 45,
  '{': 50,
  '[': 55,
  '(': 60,
}
const powerOf = (kind: TokenKind): number => powers[kind] ?? 0
/** A token that binds less ends a projection. */
const PROJECTION_STOP = 10
const DOT = 40
const STAR = 20
const FLATTEN = 9
const FILTER = 21
const NOT = 45

/** How deep an expression may nest, counting what chains on the left too. */
const DEEPEST = 500
const LARGEST_INDEX = 2 ** 63
const CURRENT: Node = { kind: 'current' }

class Parser {
  private readonly tokens: readonly Token[]
  private at = 0
  private level = 0

  constructor(source: string, hasVariables: boolean) {
    this.tokens = tokenize(source, hasVariables)
  }

  parse(): Node {
    const node = this.expression(0)
    if (this.kind !== 'end of expression') throw this.unexpected('the expression should end')
    return node
  }

  private get token(): Token {
    return this.tokens[Math.min(this.at, this.tokens.length - 1)] ?? { kind: 'end of expression', text: '', offset: 0 }
  }

  private get kind(): TokenKind {
    return this.token.kind
  }

  private kindAfter(): TokenKind {
    return this.tokens[this.at + 1]?.kind ?? 'end of expression'
  }

  private unexpected(because: string, token: Token = this.token): JmesPathError {
    const shown = token.kind === 'end of expression' ? 'its end' : JSON.stringify(token.text.slice(0, 50))
    return new JmesPathError('jmespath-syntax', `${because}, but found ${shown}`, token.offset)
  }

  private take(kind: TokenKind): Token {
    const { token } = this
    if (token.kind !== kind) throw this.unexpected(`expected ${kind}`)
    this.at++
    return token
  }

  /** Recursion of the parser and the chain at hand both count. */
  private expression(power: number): Node {
    const outer = this.level
    this.enter()
    const token = this.token
    this.at++
    let node = this.prefix(token)
    for (let next = this.token; power < powerOf(next.kind); next = this.token) {
      this.enter()
      this.at++
      node = this.infix(next, node)
    }
    this.level = outer
    return node
  }

  private enter(): void {
    this.level++
    if (this.level > DEEPEST) throw tooDeep(this.token.offset)
  }

  private prefix(token: Token): Node {
    switch (token.kind) {
      case 'literal':
        return { kind: 'literal', value: literalOf(token), isString: false }
      case 'string':
        return { kind: 'literal', value: token.text, isString: true }
      case 'name':
        return { kind: 'field', name: token.text, offset: token.offset }
      case 'variable':
        return { kind: 'variable', name: token.text, offset: token.offset }
      case 'quoted name':
        if (this.kind === '(') throw this.unexpected('a function name must stand without quotes', token)
        return { kind: 'field', name: token.text, offset: token.offset }
      case '*':
        return {
          kind: 'object-projection',
          left: CURRENT,
          right: this.kind === ']' ? CURRENT : this.projected(STAR),
        }
      case '[?':
        return this.filter(CURRENT)
      case '{':
        return this.hash()
      case '[]':
        return { kind: 'list-projection', left: { kind: 'flatten', left: CURRENT }, right: this.projected(FLATTEN) }
      case '[':
        return this.bracket(CURRENT, true)
      case '@':
        return CURRENT
      case '&':
        return { kind: 'reference', body: this.expression(0) }
      case '!':
        return { kind: 'not', operand: this.expression(NOT) }
      case '(': {
        const node = this.expression(0)
        this.take(')')
        return node
      }
      default:
        throw this.unexpected('expected an expression', token)
    }
  }

  private infix(token: Token, left: Node): Node {
    switch (token.kind) {
      case '.':
        if (this.kind !== '*') return { kind: 'sub', left, right: this.afterDot(DOT) }
        this.at++
        return { kind: 'object-projection', left, right: this.projected(DOT) }
      case '|':
        return { kind: 'pipe', left, right: this.expression(powerOf('|')) }
      case '||':
        return { kind: 'or', left, right: this.expression(powerOf('||')) }
      case '&&':
        return { kind: 'and', left, right: this.expression(powerOf('&&')) }
      case '(':
        return this.call(left, token)
      case '[?':
        return this.filter(left)
      case '[]':
        return { kind: 'list-projection', left: { kind: 'flatten', left }, right: this.projected(FLATTEN) }
      case '[':
        return this.bracket(left, false)
      case '==':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=':
        return { kind: 'compare', by: token.kind satisfies Comparator, left, right: this.expression(5) }
      default:
        throw this.unexpected('expected an operator', token)
    }
  }

  private call(left: Node, token: Token): Node {
    if (left.kind !== 'field') throw this.unexpected('only a name can be called', token)
    const args: Node[] = []
    // Commas between arguments may be left out, as upstream.
    while (this.kind !== ')') {
      args.push(this.expression(0))
      if (this.kind === ',') this.at++
    }
    this.at++
    return { kind: 'call', name: left.name, args, offset: left.offset }
  }

  private bracket(left: Node, isPrefix: boolean): Node {
    if (this.kind === 'number' || this.kind === ':') {
      return this.kind === ':' || this.kindAfter() === ':' ? this.slice(left) : this.index(left)
    }
    if (isPrefix && !(this.kind === '*' && this.kindAfter() === ']')) return this.list()
    this.take('*')
    this.take(']')
    return { kind: 'list-projection', left, right: this.projected(STAR) }
  }

  private index(left: Node): Node {
    const index = this.integer()
    this.take(']')
    return { kind: 'sub', left, right: { kind: 'index', index } }
  }

  private integer(): number {
    const token = this.take('number')
    const value = Number(token.text)
    if (token.text === '-' || Math.abs(value) >= LARGEST_INDEX) {
      throw new JmesPathError('jmespath-syntax', `cannot read ${token.text.slice(0, 50)} as an index`, token.offset)
    }
    return value
  }

  private slice(left: Node): Node {
    const { offset } = this.token
    const parts: [number | undefined, number | undefined, number | undefined] = [undefined, undefined, undefined]
    for (let part = 0; this.kind !== ']' && part < 3;) {
      if (this.kind === ':') {
        part++
        this.at++
      } else if (this.kind === 'number') {
        parts[part] = this.integer()
      } else {
        throw this.unexpected('a slice holds numbers and colons')
      }
    }
    this.take(']')
    const sliced: Node = { kind: 'sub', left, right: { kind: 'slice', parts, offset } }
    return { kind: 'list-projection', left: sliced, right: this.projected(STAR) }
  }

  private filter(left: Node): Node {
    const condition = this.expression(0)
    this.take(']')
    const right = this.kind === '[]' ? CURRENT : this.projected(FILTER)
    return { kind: 'filter', left, condition, right }
  }

  private list(): Node {
    const items: Node[] = [this.expression(0)]
    while (this.kind !== ']') {
      this.take(',')
      items.push(this.expression(0))
    }
    this.at++
    return { kind: 'list', items }
  }

  private hash(): Node {
    const entries: HashEntry[] = []
    for (;;) {
      const { token } = this
      if (token.kind !== 'name' && token.kind !== 'quoted name') throw this.unexpected('expected a key')
      this.at++
      this.take(':')
      entries.push({ key: token.text, value: this.expression(0) })
      // Commas between entries may be left out, as upstream.
      if (this.kind === ',') this.at++
      else if (this.kind === '}') break
    }
    this.at++
    return { kind: 'hash', entries }
  }

  private afterDot(power: number): Node {
    switch (this.kind) {
      case 'name':
      case 'quoted name':
      case '*':
        return this.expression(power)
      case '[':
        this.at++
        return this.list()
      case '{':
        this.at++
        return this.hash()
      default:
        throw this.unexpected('expected a name, [ or { after the dot')
    }
  }

  private projected(power: number): Node {
    if (powerOf(this.kind) < PROJECTION_STOP) return CURRENT
    if (this.kind === '[' || this.kind === '[?') return this.expression(power)
    if (this.kind !== '.') throw this.unexpected('expected ., [ or the end of the projection')
    this.at++
    return this.afterDot(power)
  }
}

function literalOf({ text, offset }: Token): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new JmesPathError('jmespath-syntax', 'what stands between backticks must be JSON', offset)
  }
  return value
}

const tooDeep = (offset?: number): JmesPathError =>
  new JmesPathError('jmespath-budget-exceeded', `the expression nests deeper than ${DEEPEST} levels`, offset)

/** Chains within parentheses within chains can make a tree that is deeper than the parser ever was. */
function checkDepth(root: Node): void {
  let row: readonly Node[] = [root]
  for (let depth = 0; row.length > 0; depth++) {
    if (depth > 2 * DEEPEST) throw tooDeep()
    row = row.flatMap((node) => childrenOf(node))
  }
}

/** Reads an expression; throws JmesPathError. */
export function parse(source: string, hasVariables: boolean = false): Node {
  const node = new Parser(source, hasVariables).parse()
  checkDepth(node)
  return node
}
