import { LuaSyntaxError } from './error.ts'
import { Lexer } from './lexer.ts'
import type { Assignable, Binary, Call, Expression, FunctionBody, Statement, TableItem } from './node.ts'

const DEEPEST = 180
/** How strongly each operator binds on its left and on its right. */
const priorities: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['or', [1, 1]],
  ['and', [2, 2]],
  ['<', [3, 3]],
  ['>', [3, 3]],
  ['<=', [3, 3]],
  ['>=', [3, 3]],
  ['~=', [3, 3]],
  ['==', [3, 3]],
  ['..', [5, 4]],
  ['+', [6, 6]],
  ['-', [6, 6]],
  ['*', [7, 7]],
  ['/', [7, 7]],
  ['%', [7, 7]],
  ['^', [10, 9]],
])
const UNARY = 8

/** Reads a whole source; what is wrong is thrown as a `LuaSyntaxError`. */
export function parse(source: string): FunctionBody {
  const parser = new Parser(source)
  return { name: 'main chunk', parameters: [], hasVarargs: true, body: parser.chunk(), line: 0 }
}

class Parser {
  readonly #lexer: Lexer
  #depth = 0
  /** Whether `...` means something here, innermost function last. */
  readonly #varargs: boolean[] = [true]
  #loops = 0

  constructor(source: string) {
    this.#lexer = new Lexer(source)
  }

  chunk(): readonly Statement[] {
    const body = this.#block()
    if (this.#lexer.peek().kind !== 'end') throw this.#lexer.unexpected("'<eof>' expected")
    return body
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > DEEPEST)
      throw new LuaSyntaxError(`it nests deeper than ${DEEPEST} levels`, this.#lexer.peek().line)
    const made = read()
    this.#depth--
    return made
  }

  #block(): readonly Statement[] {
    return this.#nested(() => {
      const statements: Statement[] = []
      while (!this.#isBlockEnd()) {
        if (this.#lexer.take(';')) continue
        const isLast = this.#lexer.is('return') || this.#lexer.is('break')
        statements.push(this.#statement())
        this.#lexer.take(';')
        if (isLast) break
      }
      return statements
    })
  }

  #isBlockEnd(): boolean {
    const { kind } = this.#lexer.peek()
    return kind === 'end' || ['end', 'else', 'elseif', 'until'].some((word) => this.#lexer.is(word))
  }

  #loop(): readonly Statement[] {
    this.#loops++
    const body = this.#block()
    this.#loops--
    return body
  }

  #statement(): Statement {
    const { text, kind, line } = this.#lexer.peek()
    switch (kind === 'keyword' ? text : '') {
      case 'if':
        return this.#if()
      case 'while': {
        this.#lexer.next()
        const test = this.#expression()
        this.#lexer.expect('do')
        const body = this.#loop()
        this.#lexer.expect('end')
        return { is: 'while', test, body }
      }
      case 'do': {
        this.#lexer.next()
        const body = this.#block()
        this.#lexer.expect('end')
        return { is: 'block', body }
      }
      case 'for':
        return this.#for()
      case 'repeat': {
        this.#lexer.next()
        const body = this.#loop()
        this.#lexer.expect('until')
        return { is: 'repeat', body, test: this.#expression() }
      }
      case 'function':
        return this.#function()
      case 'local':
        return this.#local()
      case 'return': {
        this.#lexer.next()
        return { is: 'return', values: this.#isBlockEnd() || this.#lexer.is(';') ? [] : this.#expressions() }
      }
      case 'break':
        if (this.#loops === 0) throw this.#lexer.unexpected('no loop to break')
        this.#lexer.next()
        return { is: 'break', line }
      case 'goto':
        this.#lexer.next()
        return { is: 'goto', label: this.#lexer.name(), line }
      default:
        return this.#assignmentOrCall()
    }
  }

  #if(): Statement {
    const branches: { readonly test: Expression; readonly body: readonly Statement[] }[] = []
    do {
      this.#lexer.next()
      const test = this.#expression()
      this.#lexer.expect('then')
      branches.push({ test, body: this.#block() })
    } while (this.#lexer.is('elseif'))
    const otherwise = this.#lexer.take('else') ? this.#block() : undefined
    this.#lexer.expect('end')
    return { is: 'if', branches, otherwise }
  }

  #for(): Statement {
    const { line } = this.#lexer.next()
    const name = this.#lexer.name()
    if (this.#lexer.take('=')) {
      const from = this.#expression()
      this.#lexer.expect(',')
      const to = this.#expression()
      const by = this.#lexer.take(',') ? this.#expression() : undefined
      return { is: 'count', name, from, to, by, body: this.#forBody(), line }
    }
    const names = [name]
    while (this.#lexer.take(',')) names.push(this.#lexer.name())
    this.#lexer.expect('in')
    const values = this.#expressions()
    return { is: 'each', names, values, body: this.#forBody(), line }
  }

  #forBody(): readonly Statement[] {
    this.#lexer.expect('do')
    const body = this.#loop()
    this.#lexer.expect('end')
    return body
  }

  #function(): Statement {
    const { line } = this.#lexer.next()
    const name = this.#lexer.name()
    let target: Assignable = { is: 'name', name, line }
    let full = name
    let isMethod = false
    while (!isMethod && (this.#lexer.is('.') || this.#lexer.is(':'))) {
      const separator = this.#lexer.next().text
      isMethod = separator === ':'
      const key = this.#lexer.name()
      full += separator + key
      target = { is: 'index', of: target, key: { is: 'constant', value: key }, line }
    }
    const value: Expression = { is: 'function', body: this.#body(full, isMethod, line) }
    return { is: 'assign', targets: [target], values: [value] }
  }

  #local(): Statement {
    const { line } = this.#lexer.next()
    if (this.#lexer.take('function')) {
      const name = this.#lexer.name()
      return { is: 'local-function', name, body: this.#body(name, false, line) }
    }
    const names = [this.#lexer.name()]
    while (this.#lexer.take(',')) names.push(this.#lexer.name())
    return { is: 'local', names, values: this.#lexer.take('=') ? this.#expressions() : [] }
  }

  #assignmentOrCall(): Statement {
    const { line } = this.#lexer.peek()
    if (this.#lexer.take('::')) {
      const name = this.#lexer.name()
      this.#lexer.expect('::')
      return { is: 'label', name, line }
    }
    const first = this.#suffixed()
    if (!this.#lexer.is('=') && !this.#lexer.is(',')) {
      if (first.is !== 'call' && first.is !== 'method') throw this.#lexer.unexpected('syntax error')
      return { is: 'do-call', call: first satisfies Call }
    }
    const targets = [this.#assignable(first)]
    while (this.#lexer.take(',')) targets.push(this.#assignable(this.#suffixed()))
    this.#lexer.expect('=')
    return { is: 'assign', targets, values: this.#expressions() }
  }

  #assignable(expression: Expression): Assignable {
    if (expression.is === 'name' || expression.is === 'index') return expression
    throw this.#lexer.unexpected('syntax error')
  }

  #expressions(): readonly Expression[] {
    const all = [this.#expression()]
    while (this.#lexer.take(',')) all.push(this.#expression())
    return all
  }

  #expression(limit = 0): Expression {
    return this.#nested(() => {
      let left = this.#operand()
      for (;;) {
        const { kind, text, line } = this.#lexer.peek()
        const priority = kind === 'symbol' || kind === 'keyword' ? priorities.get(text) : undefined
        if (!priority || priority[0] <= limit) return left
        this.#lexer.next()
        // The table of priorities holds binary operators only.
        left = { is: 'binary', operator: text as Binary, left, right: this.#expression(priority[1]), line }
      }
    })
  }

  #operand(): Expression {
    const { line } = this.#lexer.peek()
    for (const operator of ['not', '-', '#'] as const) {
      if (this.#lexer.take(operator)) return { is: 'unary', operator, of: this.#expression(UNARY), line }
    }
    return this.#simple()
  }

  #simple(): Expression {
    const token = this.#lexer.peek()
    switch (token.kind) {
      case 'number':
        this.#lexer.next()
        return { is: 'constant', value: token.value }
      case 'text':
        this.#lexer.next()
        return { is: 'constant', value: token.text }
      default:
    }
    if (this.#lexer.take('nil')) return { is: 'constant', value: undefined }
    if (this.#lexer.take('true')) return { is: 'constant', value: true }
    if (this.#lexer.take('false')) return { is: 'constant', value: false }
    if (this.#lexer.is('{')) return this.#table()
    if (this.#lexer.take('function')) return { is: 'function', body: this.#body('anonymous', false, token.line) }
    if (!this.#lexer.is('...')) return this.#suffixed()
    if (!this.#varargs.at(-1)) throw this.#lexer.unexpected("cannot use '...' outside a vararg function")
    this.#lexer.next()
    return { is: 'varargs' }
  }

  #primary(): Expression {
    const { line } = this.#lexer.peek()
    if (!this.#lexer.take('(')) return { is: 'name', name: this.#lexer.name(), line }
    const of = this.#expression()
    this.#lexer.expect(')')
    return { is: 'single', of }
  }

  #suffixed(): Expression {
    let expression = this.#primary()
    for (;;) {
      const token = this.#lexer.peek()
      const { line } = token
      if (this.#lexer.take('.')) {
        const key: Expression = { is: 'constant', value: this.#lexer.name() }
        expression = { is: 'index', of: expression, key, line }
      } else if (this.#lexer.take('[')) {
        const key = this.#expression()
        this.#lexer.expect(']')
        expression = { is: 'index', of: expression, key, line }
      } else if (this.#lexer.take(':')) {
        const name = this.#lexer.name()
        expression = { is: 'method', of: expression, name, args: this.#arguments(), line }
      } else if (token.kind === 'text' || this.#lexer.is('(') || this.#lexer.is('{'))
        expression = { is: 'call', of: expression, args: this.#arguments(), line }
      else return expression
    }
  }

  #arguments(): readonly Expression[] {
    const token = this.#lexer.peek()
    if (token.kind === 'text') {
      this.#lexer.next()
      return [{ is: 'constant', value: token.text }]
    }
    if (this.#lexer.is('{')) return [this.#table()]
    this.#lexer.expect('(')
    const args = this.#lexer.is(')') ? [] : this.#expressions()
    this.#lexer.expect(')')
    return args
  }

  #table(): Expression {
    const { line } = this.#lexer.peek()
    this.#lexer.expect('{')
    const items: TableItem[] = []
    while (!this.#lexer.is('}')) {
      items.push(this.#item())
      if (!this.#lexer.take(',') && !this.#lexer.take(';')) break
    }
    this.#lexer.expect('}')
    return { is: 'table', items, line }
  }

  #item(): TableItem {
    if (this.#lexer.take('[')) {
      const key = this.#expression()
      this.#lexer.expect(']')
      this.#lexer.expect('=')
      return { key, value: this.#expression() }
    }
    const value = this.#expression()
    if (value.is !== 'name' || !this.#lexer.take('=')) return { value }
    return { key: { is: 'constant', value: value.name }, value: this.#expression() }
  }

  #body(name: string, isMethod: boolean, line: number): FunctionBody {
    const parameters = isMethod ? ['self'] : []
    let hasVarargs = false
    this.#lexer.expect('(')
    while (!this.#lexer.is(')')) {
      hasVarargs = this.#lexer.take('...')
      if (hasVarargs) break
      parameters.push(this.#lexer.name())
      if (!this.#lexer.take(',')) break
    }
    this.#lexer.expect(')')
    this.#varargs.push(hasVarargs)
    const outerLoops = this.#loops
    this.#loops = 0
    const body = this.#block()
    this.#loops = outerLoops
    this.#varargs.pop()
    this.#lexer.expect('end')
    return { name, parameters, hasVarargs, body, line }
  }
}
