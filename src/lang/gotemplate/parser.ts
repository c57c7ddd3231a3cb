import { byteLength, quoteString, unquoteString } from '../../lib/go-string.ts'
import { lex, type Token, type TokenType } from './lexer.ts'
import {
  type ChainNode,
  type CommandNode,
  type EndNode,
  type ListNode,
  type Node,
  nodeText,
  type NumberNode,
  type Operand,
  type PipeNode,
  type Tree,
  type VariableNode,
} from './node.ts'
import { charConstant, complexConstant, numberConstant } from './number.ts'

/** How deep actions and parentheses may nest. */
const DEEPEST = 500

export interface ParseOptions {
  readonly left?: string
  readonly right?: string
  /** Tells which functions exist; a template that names another does not parse. */
  readonly hasFunction: (name: string) => boolean
}

/** A parse error in Go's words: `template: NAME:LINE: ...`. */
export class ParseError extends Error {}

/** Parses a file into its own tree, first, and those it defines. Throws ParseError. */
export function parseTrees(name: string, text: string, options: ParseOptions): readonly Tree[] {
  return new Parser(name, text, options).run()
}

interface Scope {
  readonly names: string[]
  rangeDepth: number
}

const describeToken = (token: Token): string => {
  if (token.type === 'eof') return 'EOF'
  if (token.type === 'error') return token.text
  if (isKeyword(token.type)) return `<${token.text}>`
  if (byteLength(token.text) <= 10) return quoteString(token.text)
  return `${quoteString(Array.from(token.text).slice(0, 10).join(''))}...`
}

const KEYWORD_TYPES: ReadonlySet<TokenType> = new Set<TokenType>([
  'block',
  'break',
  'continue',
  'define',
  'dot',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
])
const isKeyword = (type: TokenType): boolean => KEYWORD_TYPES.has(type)

const isEnd = (node: Node | EndNode): node is EndNode => node.type === 'end' || node.type === 'else'

const isBlank = (node: Node): boolean => node.type === 'text' && /^\s*$/.test(node.text)

/** Tells a tree that holds nothing but space, which never replaces another definition. */
export const isEmptyTree = (list: ListNode): boolean => list.nodes.every(isBlank)

const CONSTANT_OPERANDS: ReadonlySet<string> = new Set(['bool', 'dot', 'nil', 'number', 'string'])
const UNCHAINABLE: ReadonlySet<string> = new Set(['bool', 'string', 'number', 'nil', 'dot'])
const OPERAND_STARTS: ReadonlySet<TokenType> = new Set<TokenType>([
  'bool',
  'char',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'raw-string',
  'string',
  'variable',
  'left-paren',
])

class Parser {
  private readonly name: string
  private readonly text: string
  private readonly options: ParseOptions
  private readonly tokens: readonly Token[]
  private readonly trees = new Map<string, Tree>()
  private at = 0
  /** The line of the token read last from the lexer, which is what errors name. */
  private line = 1
  private read = 0
  private actionLine = 0
  private depth = 0
  private scope: Scope = { names: ['$'], rangeDepth: 0 }

  constructor(name: string, text: string, options: ParseOptions) {
    this.name = name
    this.text = text
    this.options = options
    this.tokens = lex(text, {
      left: options.left === undefined || options.left === '' ? '{{' : options.left,
      right: options.right === undefined || options.right === '' ? '}}' : options.right,
      isKeyword: (word) => (word !== 'break' && word !== 'continue') || !options.hasFunction(word),
    })
  }

  run(): readonly Tree[] {
    const nodes: Node[] = []
    const pos = this.peek().pos
    while (this.peek().type !== 'eof') {
      const node = this.topNode()
      if (node) nodes.push(node)
    }
    const root = { type: 'list', pos, nodes } as const
    this.add({ name: this.name, parseName: this.name, text: this.text, root })
    return [...this.trees.values()]
  }

  private topNode(): Node | undefined {
    if (this.peek().type === 'left-delim') {
      const before = this.at
      this.next()
      if (this.nextNonSpace().type === 'define') {
        this.definition()
        return undefined
      }
      this.at = before
    }
    const node = this.textOrAction()
    return isEnd(node) ? this.fail(`unexpected ${nodeText(node)}`) : node
  }

  private token(index: number): Token {
    const last = this.tokens.length - 1
    const token = this.tokens[Math.min(index, last)]
    if (!token) throw new Error('the lexer gave no tokens')
    return token
  }

  private next(): Token {
    const token = this.peek()
    this.at += 1
    return token
  }

  private peek(): Token {
    const token = this.token(this.at)
    if (this.at >= this.read) {
      this.read = this.at + 1
      this.line = token.line
    }
    return token
  }

  private nextNonSpace(): Token {
    let token = this.next()
    while (token.type === 'space') token = this.next()
    return token
  }

  private peekNonSpace(): Token {
    while (this.peek().type === 'space') this.at += 1
    return this.peek()
  }

  private fail(message: string): never {
    throw new ParseError(`template: ${this.name}:${this.line}: ${message}`)
  }

  private unexpected(token: Token, context: string): never {
    if (token.type !== 'error') return this.fail(`unexpected ${describeToken(token)} in ${context}`)
    let extra = ''
    if (this.actionLine !== 0 && this.actionLine !== token.line) {
      extra = ` in action started at ${this.name}:${this.actionLine}`
      if (token.text.endsWith(' action')) extra = extra.slice(' in action'.length)
    }
    return this.fail(`${token.text}${extra}`)
  }

  private expect(type: TokenType, context: string): Token {
    const token = this.nextNonSpace()
    return token.type === type ? token : this.unexpected(token, context)
  }

  private add(tree: Tree): void {
    const known = this.trees.get(tree.name)
    if (!known || isEmptyTree(known.root)) this.trees.set(tree.name, tree)
    else if (!isEmptyTree(tree.root)) this.fail(`template: multiple definition of template "${tree.name}"`)
  }

  private nest<T>(parse: () => T): T {
    this.depth += 1
    if (this.depth > DEEPEST) return this.fail('max expression depth exceeded')
    const parsed = parse()
    this.depth -= 1
    return parsed
  }

  private inOwnScope<T>(parse: () => T): T {
    const outer = this.scope
    this.scope = { names: ['$'], rangeDepth: 0 }
    const parsed = parse()
    this.scope = outer
    return parsed
  }

  private definition(): void {
    const context = 'define clause'
    const token = this.nextNonSpace()
    if (token.type !== 'string' && token.type !== 'raw-string') this.unexpected(token, context)
    const name = this.unquote(token.text)
    this.expect('right-delim', context)
    this.named(name, context)
  }

  private named(name: string, context: string): void {
    const { list, end } = this.inOwnScope(() => this.itemList())
    if (end.type !== 'end') this.fail(`unexpected ${nodeText(end)} in ${context}`)
    this.add({ name, parseName: this.name, text: this.text, root: list })
  }

  private unquote(literal: string): string {
    return unquoteString(literal) ?? this.fail('invalid syntax')
  }

  private itemList(): { readonly list: ListNode; readonly end: EndNode } {
    const pos = this.peekNonSpace().pos
    const nodes: Node[] = []
    while (this.peekNonSpace().type !== 'eof') {
      const node = this.nest(() => this.textOrAction())
      if (isEnd(node)) return { list: { type: 'list', pos, nodes }, end: node }
      nodes.push(node)
    }
    return this.fail('unexpected EOF')
  }

  private textOrAction(): Node | EndNode {
    const token = this.nextNonSpace()
    if (token.type === 'text') return { type: 'text', pos: token.pos, text: token.text }
    if (token.type !== 'left-delim') return this.unexpected(token, 'input')
    this.actionLine = token.line
    const node = this.action()
    this.actionLine = 0
    return node
  }

  private action(): Node | EndNode {
    const token = this.peekNonSpace()
    switch (token.type) {
      case 'block':
        this.next()
        return this.block()
      case 'break':
      case 'continue':
        this.next()
        return this.jump(token, token.type)
      case 'else':
        this.next()
        return this.otherwise()
      case 'end':
        this.next()
        return { type: 'end', pos: this.expect('right-delim', 'end').pos }
      case 'if':
      case 'range':
      case 'with':
        this.next()
        return this.branch(token.type)
      case 'template':
        this.next()
        return this.template()
      default:
        return { type: 'action', pos: token.pos, pipe: this.pipeline('command', 'right-delim') }
    }
  }

  private jump(token: Token, type: 'break' | 'continue'): Node {
    const close = this.nextNonSpace()
    if (close.type !== 'right-delim') this.unexpected(close, `{{${type}}}`)
    if (this.scope.rangeDepth === 0) this.fail(`{{${type}}} outside {{range}}`)
    return { type, pos: token.pos }
  }

  private otherwise(): EndNode {
    const ahead = this.peekNonSpace()
    if (ahead.type === 'if' || ahead.type === 'with') return { type: 'else', pos: ahead.pos }
    return { type: 'else', pos: this.expect('right-delim', 'else').pos }
  }

  private branch(type: 'if' | 'range' | 'with'): Node {
    const { names } = this.scope
    const before = names.length
    const pipe = this.pipeline(type, 'right-delim')
    if (type === 'range') this.scope.rangeDepth += 1
    const { list, end } = this.itemList()
    if (type === 'range') this.scope.rangeDepth -= 1
    const elseList = end.type === 'else' ? this.elseList(type, end) : undefined
    names.length = before
    return { type, pos: pipe.pos, pipe, list, elseList }
  }

  private elseList(type: 'if' | 'range' | 'with', opened: EndNode): ListNode {
    if (type !== 'range' && this.peek().type === type) {
      this.next()
      return { type: 'list', pos: opened.pos, nodes: [this.nest(() => this.branch(type))] }
    }
    const { list, end } = this.itemList()
    if (end.type !== 'end') this.fail(`expected end; found ${nodeText(end)}`)
    return list
  }

  private templateName(context: string): { readonly token: Token; readonly name: string } {
    const token = this.nextNonSpace()
    if (token.type !== 'string' && token.type !== 'raw-string') this.unexpected(token, context)
    return { token, name: this.unquote(token.text) }
  }

  private block(): Node {
    const context = 'block clause'
    const { token, name } = this.templateName(context)
    const pipe = this.pipeline(context, 'right-delim')
    this.named(name, context)
    return { type: 'template', pos: token.pos, name, pipe }
  }

  private template(): Node {
    const context = 'template clause'
    const { token, name } = this.templateName(context)
    if (this.peekNonSpace().type === 'right-delim') {
      this.next()
      return { type: 'template', pos: token.pos, name, pipe: undefined }
    }
    return { type: 'template', pos: token.pos, name, pipe: this.pipeline(context, 'right-delim') }
  }

  private pipeline(context: string, end: TokenType): PipeNode {
    const { pos } = this.peekNonSpace()
    const { declares, isAssign } = this.declarations(context)
    const commands: CommandNode[] = []
    for (;;) {
      const token = this.peekNonSpace()
      if (token.type === end) {
        this.next()
        this.checkPipeline(commands, context)
        return { type: 'pipe', pos, isAssign, declares, commands }
      }
      if (!OPERAND_STARTS.has(token.type)) {
        this.next()
        this.unexpected(token, context)
      }
      commands.push(this.command())
    }
  }

  private declarations(context: string): { readonly declares: readonly VariableNode[]; readonly isAssign: boolean } {
    const declares: VariableNode[] = []
    for (;;) {
      const variable = this.peekNonSpace()
      if (variable.type !== 'variable') return { declares, isAssign: false }
      const before = this.at
      this.next()
      const sign = this.peekNonSpace()
      if (sign.type === 'assign' || sign.type === 'declare') {
        this.next()
        this.declare(declares, variable)
        return { declares, isAssign: sign.type === 'assign' }
      }
      if (sign.type !== 'punctuation' || sign.text !== ',') {
        this.at = before
        return { declares, isAssign: false }
      }
      this.next()
      this.declare(declares, variable)
      if (context !== 'range' || declares.length >= 2) this.fail(`too many declarations in ${context}`)
      const ahead = this.peekNonSpace().type
      if (ahead !== 'variable' && ahead !== 'right-delim' && ahead !== 'right-paren') {
        this.fail('range can only initialize variables')
      }
    }
  }

  private declare(declares: VariableNode[], token: Token): void {
    declares.push({ type: 'variable', pos: token.pos, names: token.text.split('.') })
    this.scope.names.push(token.text)
  }

  private checkPipeline(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) this.fail(`missing value for ${context}`)
    for (const [index, command] of commands.entries()) {
      if (index > 0 && CONSTANT_OPERANDS.has(command.args[0]?.type ?? '')) {
        this.fail(`non executable command in pipeline stage ${index + 1}`)
      }
    }
  }

  private command(): CommandNode {
    const { pos } = this.peekNonSpace()
    const args: Operand[] = []
    for (;;) {
      this.peekNonSpace()
      const operand = this.operand()
      if (operand) args.push(operand)
      const token = this.next()
      if (token.type === 'space') continue
      if (token.type === 'right-delim' || token.type === 'right-paren') this.at -= 1
      else if (token.type !== 'pipe') this.unexpected(token, 'operand')
      break
    }
    if (args.length === 0) this.fail('empty command')
    return { type: 'command', pos, args }
  }

  private operand(): Operand | undefined {
    const node = this.term()
    if (!node || this.peek().type !== 'field') return node
    const { pos } = this.peek()
    const fields: string[] = []
    while (this.peek().type === 'field') fields.push(this.next().text.slice(1))
    if (node.type === 'field') return { type: 'field', pos, names: [...node.names, ...fields] }
    if (node.type === 'variable') return { type: 'variable', pos, names: [...node.names, ...fields] }
    if (UNCHAINABLE.has(node.type)) this.fail(`unexpected . after term ${quoteString(nodeText(node))}`)
    const chain: ChainNode = { type: 'chain', pos, node, fields }
    return chain
  }

  private term(): Operand | undefined {
    const token = this.nextNonSpace()
    const { pos, text } = token
    switch (token.type) {
      case 'identifier':
        if (!this.options.hasFunction(text)) this.fail(`function "${text}" not defined`)
        return { type: 'identifier', pos, name: text }
      case 'dot':
      case 'nil':
        return { type: token.type, pos }
      case 'variable':
        if (!this.scope.names.includes(text)) this.fail(`undefined variable "${text}"`)
        return { type: 'variable', pos, names: [text] }
      case 'field':
        return { type: 'field', pos, names: [text.slice(1)] }
      case 'bool':
        return { type: 'bool', pos, value: text === 'true' }
      case 'char':
      case 'complex':
      case 'number':
        return this.number(token)
      case 'left-paren':
        return this.nest(() => this.pipeline('parenthesized pipeline', 'right-paren'))
      case 'string':
      case 'raw-string':
        return { type: 'string', pos, quoted: text, text: this.unquote(text) }
      default:
        this.at -= 1
        return undefined
    }
  }

  private number({ type, text, pos }: Token): NumberNode {
    const read = type === 'char' ? charConstant : type === 'complex' ? complexConstant : numberConstant
    const number = read(text)
    return typeof number === 'string' ? this.fail(number) : { type: 'number', pos, text, number }
  }
}
