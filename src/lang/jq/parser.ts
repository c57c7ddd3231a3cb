import { JqSyntaxError } from './error.ts'
import { Lexer } from './lexer.ts'
import type { BinaryOperator, Definition, Node, Pattern, PatternField, UpdateOperator } from './node.ts'
import { readText } from './text.ts'

const DEEPEST = 250
const updates: readonly string[] = ['=', '|=', '+=', '-=', '*=', '/=', '%=', '//=']
const comparisons: readonly string[] = ['==', '!=', '<', '<=', '>', '>=']
const reserved: ReadonlySet<string> = new Set(
  'and or not def as if then elif else end reduce foreach try catch label import include __loc__'
    .split(' ')
    .filter((word) => word !== 'not'),
)
const identity: Node = { is: 'identity' }

/** Reads a program; what is wrong is thrown as a `JqSyntaxError`. */
export function parse(source: string): Node {
  const parser = new Parser(source)
  return parser.program()
}

class Parser {
  readonly #lexer: Lexer
  #depth = 0

  constructor(source: string) {
    this.#lexer = new Lexer(source)
  }

  program(): Node {
    const definitions: Definition[] = []
    while (this.#lexer.is('def')) definitions.push(this.#definition())
    const body = this.#lexer.peek().kind === 'end' ? identity : this.#pipe()
    const last = this.#lexer.peek()
    if (last.kind !== 'end') throw this.#lexer.unexpected(last, 'the end')
    return definitions.reduceRight<Node>((inner, definition) => ({ is: 'define', definition, body: inner }), body)
  }

  /** Bounds how deep the parser may call itself. */
  #nested<T>(read: () => T): T {
    if (++this.#depth > DEEPEST)
      throw new JqSyntaxError(`it nests deeper than ${DEEPEST} levels`, this.#lexer.peek().at)
    const made = read()
    this.#depth--
    return made
  }

  #pipe(): Node {
    return this.#nested(() => {
      if (this.#lexer.is('def')) {
        const definition = this.#definition()
        return { is: 'define', definition, body: this.#pipe() }
      }
      const left = this.#comma()
      return this.#lexer.take('|') ? { is: 'pipe', left, right: this.#pipe() } : left
    })
  }

  #comma(): Node {
    let left = this.#alternative()
    while (this.#lexer.take(',')) left = { is: 'comma', left, right: this.#alternative() }
    return left
  }

  /** `//` binds to the right, below updates. */
  #alternative(): Node {
    return this.#nested(() => {
      const left = this.#update()
      if (!this.#lexer.take('//')) return left
      return { is: 'binary', operator: '//', left, right: this.#alternative() }
    })
  }

  #update(): Node {
    const left = this.#or()
    const { text, kind } = this.#lexer.peek()
    if (kind !== 'symbol' || !updates.includes(text)) return left
    this.#lexer.next()
    // The right side may itself be an alternative: `.a = .b // 1`.
    return { is: 'update', operator: text as UpdateOperator, left, right: this.#alternative() }
  }

  #or(): Node {
    let left = this.#and()
    while (this.#lexer.take('or')) left = { is: 'binary', operator: 'or', left, right: this.#and() }
    return left
  }

  #and(): Node {
    let left = this.#comparison()
    while (this.#lexer.take('and')) left = { is: 'binary', operator: 'and', left, right: this.#comparison() }
    return left
  }

  #comparison(): Node {
    const left = this.#sum()
    const { text, kind } = this.#lexer.peek()
    if (kind !== 'symbol' || !comparisons.includes(text)) return left
    this.#lexer.next()
    return { is: 'binary', operator: text as BinaryOperator, left, right: this.#sum() }
  }

  #sum(): Node {
    let left = this.#product()
    while (this.#lexer.is('+', '-')) {
      const operator = this.#lexer.next().text as BinaryOperator
      left = { is: 'binary', operator, left, right: this.#product() }
    }
    return left
  }

  #product(): Node {
    let left = this.#unary()
    while (this.#lexer.is('*', '/', '%')) {
      const operator = this.#lexer.next().text as BinaryOperator
      left = { is: 'binary', operator, left, right: this.#unary() }
    }
    return left
  }

  #unary(): Node {
    if (!this.#lexer.take('-')) return this.#postfix()
    return this.#nested(() => ({ is: 'negative', of: this.#unary() }))
  }

  /** A term with what follows it; `as` behind it binds, for all that comes. */
  #postfix(): Node {
    const node = this.#suffixed()
    return this.#lexer.take('as') ? this.#binding(node) : node
  }

  /** A term with its fields, brackets and question marks. */
  #suffixed(): Node {
    let node = this.#term()
    for (;;) {
      const token = this.#lexer.peek()
      if (token.kind === 'field') {
        this.#lexer.next()
        node = { is: 'index', of: node, key: { is: 'literal', value: token.text.slice(1) } }
      } else if (this.#lexer.take('?')) node = { is: 'try', body: node, caught: undefined }
      else if (this.#lexer.is('[')) node = this.#brackets(node)
      else if (this.#lexer.is('.') && '["'.includes(this.#after(token.end))) {
        this.#lexer.next()
        node = this.#lexer.is('[') ? this.#brackets(node) : { is: 'index', of: node, key: this.#text(undefined) }
      } else return node
    }
  }

  #after(at: number): string {
    return this.#lexer.source.slice(at).trimStart().charAt(0) || ' '
  }

  #binding(of: Node): Node {
    const patterns = this.#patterns()
    this.#lexer.expect('|')
    return { is: 'bind', of, patterns, body: this.#pipe() }
  }

  #brackets(of: Node): Node {
    this.#lexer.expect('[')
    if (this.#lexer.take(']')) return { is: 'each', of }
    if (this.#lexer.take(':')) {
      const to = this.#pipe()
      this.#lexer.expect(']')
      return { is: 'slice', of, from: undefined, to }
    }
    const key = this.#pipe()
    if (!this.#lexer.take(':')) {
      this.#lexer.expect(']')
      return { is: 'index', of, key }
    }
    const to = this.#lexer.is(']') ? undefined : this.#pipe()
    this.#lexer.expect(']')
    return { is: 'slice', of, from: key, to }
  }

  #term(): Node {
    const token = this.#lexer.peek()
    switch (token.kind) {
      case 'number':
        this.#lexer.next()
        return { is: 'literal', value: Number(token.text) }
      case 'quote':
        return this.#text(undefined)
      case 'format':
        this.#lexer.next()
        if (this.#lexer.peek().kind === 'quote') return this.#text(token.text)
        return { is: 'format', name: token.text }
      case 'variable':
        this.#lexer.next()
        return { is: 'variable', name: token.text.slice(1), at: token.at }
      case 'field':
        this.#lexer.next()
        return { is: 'index', of: identity, key: { is: 'literal', value: token.text.slice(1) } }
      case 'name':
        return this.#word()
      case 'symbol':
        return this.#symbol()
      case 'end':
        throw this.#lexer.unexpected(token, 'a value')
    }
  }

  #symbol(): Node {
    const token = this.#lexer.next()
    switch (token.text) {
      case '.':
        if (this.#lexer.peek().kind === 'quote') return { is: 'index', of: identity, key: this.#text(undefined) }
        return this.#lexer.is('[') ? this.#brackets(identity) : identity
      case '..':
        return { is: 'descend' }
      case '(': {
        const inner = this.#pipe()
        this.#lexer.expect(')')
        return inner
      }
      case '[': {
        if (this.#lexer.take(']')) return { is: 'array', of: undefined }
        const of = this.#pipe()
        this.#lexer.expect(']')
        return { is: 'array', of }
      }
      case '{':
        return this.#object()
      default:
        throw this.#lexer.unexpected(token, 'a value')
    }
  }

  #word(): Node {
    const token = this.#lexer.next()
    switch (token.text) {
      case 'null':
        return { is: 'literal', value: null }
      case 'true':
      case 'false':
        return { is: 'literal', value: token.text === 'true' }
      case 'if':
        return this.#condition()
      case 'try': {
        const body = this.#nested(() => this.#tried())
        return { is: 'try', body, caught: this.#lexer.take('catch') ? this.#tried() : undefined }
      }
      case 'reduce':
      case 'foreach':
        return this.#fold(token.text)
      case 'label': {
        const name = this.#variableName()
        this.#lexer.expect('|')
        return { is: 'label', name, body: this.#pipe() }
      }
      case 'def': {
        this.#lexer.jump(token.at)
        const definition = this.#definition()
        return { is: 'define', definition, body: this.#pipe() }
      }
      case 'break':
        return { is: 'break', name: this.#variableName(), at: token.at }
      case 'import':
      case 'include':
        throw new JqSyntaxError('modules cannot be imported here', token.at)
      default:
        if (reserved.has(token.text)) throw this.#lexer.unexpected(token, 'a value')
        return { is: 'call', name: token.text, args: this.#arguments(), at: token.at }
    }
  }

  /** What `try` and `catch` take: a term with what follows it, but no binding and no operator. */
  #tried(): Node {
    return this.#lexer.take('-') ? { is: 'negative', of: this.#postfix() } : this.#postfix()
  }

  #arguments(): readonly Node[] {
    if (!this.#lexer.take('(')) return []
    const args = [this.#pipe()]
    while (this.#lexer.take(';')) args.push(this.#pipe())
    this.#lexer.expect(')')
    return args
  }

  #condition(): Node {
    const test = this.#pipe()
    this.#lexer.expect('then')
    const body = this.#pipe()
    if (this.#lexer.take('elif')) return { is: 'if', test, body, otherwise: this.#nested(() => this.#condition()) }
    const otherwise = this.#lexer.take('else') ? this.#pipe() : undefined
    this.#lexer.expect('end')
    return { is: 'if', test, body, otherwise }
  }

  #fold(kind: 'reduce' | 'foreach'): Node {
    const over = this.#suffixed()
    this.#lexer.expect('as')
    const patterns = this.#patterns()
    this.#lexer.expect('(')
    const start = this.#pipe()
    this.#lexer.expect(';')
    const update = this.#pipe()
    const extract = kind === 'foreach' && this.#lexer.take(';') ? this.#pipe() : undefined
    this.#lexer.expect(')')
    return kind === 'reduce'
      ? { is: kind, over, patterns, start, update }
      : { is: kind, over, patterns, start, update, extract }
  }

  #variableName(): string {
    const token = this.#lexer.next()
    if (token.kind !== 'variable') throw this.#lexer.unexpected(token, 'a $name')
    return token.text.slice(1)
  }

  #definition(): Definition {
    this.#lexer.expect('def')
    const token = this.#lexer.next()
    if (token.kind !== 'name') throw this.#lexer.unexpected(token, 'the name of a function')
    const parameters: string[] = []
    if (this.#lexer.take('(')) {
      do {
        const parameter = this.#lexer.next()
        if (parameter.kind !== 'name' && parameter.kind !== 'variable')
          throw this.#lexer.unexpected(parameter, 'the name of a parameter')
        parameters.push(parameter.text)
      } while (this.#lexer.take(';'))
      this.#lexer.expect(')')
    }
    this.#lexer.expect(':')
    const body = this.#pipe()
    this.#lexer.expect(';')
    return { name: token.text, parameters, body }
  }

  #patterns(): readonly Pattern[] {
    const patterns = [this.#pattern()]
    while (this.#lexer.take('?//')) patterns.push(this.#pattern())
    return patterns
  }

  #pattern(): Pattern {
    return this.#nested(() => {
      if (this.#lexer.take('[')) {
        const items = [this.#pattern()]
        while (this.#lexer.take(',')) items.push(this.#pattern())
        this.#lexer.expect(']')
        return { is: 'items', items }
      }
      if (!this.#lexer.take('{')) return { is: 'name', name: this.#variableName() }
      const fields = [this.#patternField()]
      while (this.#lexer.take(',')) fields.push(this.#patternField())
      this.#lexer.expect('}')
      return { is: 'fields', fields }
    })
  }

  #patternField(): PatternField {
    if (this.#lexer.peek().kind === 'variable') {
      const name = this.#variableName()
      const key: Node = { is: 'literal', value: name }
      return this.#lexer.take(':') ? { key, name, pattern: this.#pattern() } : { key, name }
    }
    const key = this.#objectKey()
    this.#lexer.expect(':')
    return { key, pattern: this.#pattern() }
  }

  #objectKey(): Node {
    const token = this.#lexer.peek()
    if (token.kind === 'quote') return this.#text(undefined)
    if (token.kind === 'format') {
      this.#lexer.next()
      return this.#text(token.text)
    }
    if (this.#lexer.take('(')) {
      const key = this.#pipe()
      this.#lexer.expect(')')
      return key
    }
    if (token.kind !== 'name') throw this.#lexer.unexpected(token, 'a key')
    this.#lexer.next()
    return { is: 'literal', value: token.text }
  }

  #object(): Node {
    const entries: { readonly key: Node; readonly value: Node }[] = []
    while (!this.#lexer.take('}')) {
      entries.push(this.#entry())
      if (!this.#lexer.is('}')) this.#lexer.expect(',')
    }
    return { is: 'object', entries }
  }

  #entry(): { readonly key: Node; readonly value: Node } {
    const token = this.#lexer.peek()
    if (token.kind === 'variable') {
      this.#lexer.next()
      const name = token.text.slice(1)
      return { key: { is: 'literal', value: name }, value: { is: 'variable', name, at: token.at } }
    }
    if (token.kind === 'number') throw this.#lexer.unexpected(token, 'a key')
    const key = this.#objectKey()
    if (!this.#lexer.take(':')) return { key, value: { is: 'index', of: identity, key } }
    let value = this.#alternative()
    if (this.#lexer.take('|')) value = { is: 'pipe', left: value, right: this.#objectPipe() }
    return { key, value }
  }

  /** A value in an object may have pipes, but its commas belong to the object. */
  #objectPipe(): Node {
    const left = this.#alternative()
    return this.#lexer.take('|') ? { is: 'pipe', left, right: this.#objectPipe() } : left
  }

  #text(format: string | undefined): Node {
    const quote = this.#lexer.peek()
    if (quote.kind !== 'quote') throw this.#lexer.unexpected(quote, 'a text')
    const parts: (string | Node)[] = []
    const end = readText(this.#lexer.source, quote.end, {
      text: (part) => parts.push(part),
      program: (at) => {
        this.#lexer.jump(at)
        parts.push(this.#pipe())
        return this.#lexer.expect(')').end
      },
    })
    this.#lexer.jump(end)
    const [only] = parts
    if (parts.length === 0) return { is: 'literal', value: '' }
    if (parts.length === 1 && typeof only === 'string') return { is: 'literal', value: only }
    return { is: 'text', format, parts }
  }
}
