import { quoteString } from '../../lib/go-string.ts'
import type { GoNumber } from './number.ts'

/** Where a node stands: an offset into the text of its tree. */
interface At {
  readonly pos: number
}

export interface ListNode extends At {
  readonly type: 'list'
  readonly nodes: readonly Node[]
}
export interface TextNode extends At {
  readonly type: 'text'
  readonly text: string
}
export interface ActionNode extends At {
  readonly type: 'action'
  readonly pipe: PipeNode
}
export interface PipeNode extends At {
  readonly type: 'pipe'
  readonly isAssign: boolean
  readonly declares: readonly VariableNode[]
  readonly commands: readonly CommandNode[]
}
export interface CommandNode extends At {
  readonly type: 'command'
  readonly args: readonly Operand[]
}
export interface IdentifierNode extends At {
  readonly type: 'identifier'
  readonly name: string
}
export interface VariableNode extends At {
  readonly type: 'variable'
  readonly names: readonly string[]
}
export interface FieldNode extends At {
  readonly type: 'field'
  readonly names: readonly string[]
}
export interface ChainNode extends At {
  readonly type: 'chain'
  readonly node: Operand
  readonly fields: readonly string[]
}
export interface DotNode extends At {
  readonly type: 'dot'
}
export interface NilNode extends At {
  readonly type: 'nil'
}
export interface BoolNode extends At {
  readonly type: 'bool'
  readonly value: boolean
}
export interface NumberNode extends At {
  readonly type: 'number'
  readonly text: string
  readonly number: GoNumber
}
export interface StringNode extends At {
  readonly type: 'string'
  readonly quoted: string
  readonly text: string
}
export interface BranchNode extends At {
  readonly type: 'if' | 'range' | 'with'
  readonly pipe: PipeNode
  readonly list: ListNode
  readonly elseList: ListNode | undefined
}
export interface TemplateNode extends At {
  readonly type: 'template'
  readonly name: string
  readonly pipe: PipeNode | undefined
}
export interface JumpNode extends At {
  readonly type: 'break' | 'continue'
}
/** Ends of lists: they never become part of a tree. */
export interface EndNode extends At {
  readonly type: 'end' | 'else'
}

export type Operand =
  | PipeNode
  | IdentifierNode
  | VariableNode
  | FieldNode
  | ChainNode
  | DotNode
  | NilNode
  | BoolNode
  | NumberNode
  | StringNode

export type Node = TextNode | ActionNode | BranchNode | TemplateNode | JumpNode

/** One parsed template: its own text is what positions point into; `parseName` is the file it came from. */
export interface Tree {
  readonly name: string
  readonly parseName: string
  readonly text: string
  readonly root: ListNode
}

function pipeText(pipe: PipeNode): string {
  const commands = pipe.commands.map(nodeText).join(' | ')
  if (pipe.declares.length === 0) return commands
  return `${pipe.declares.map(nodeText).join(', ')} ${pipe.isAssign ? '=' : ':='} ${commands}`
}

const operandText = (node: Operand): string => (node.type === 'pipe' ? `(${pipeText(node)})` : nodeText(node))

function branchText(node: BranchNode): string {
  const otherwise = node.elseList ? `{{else}}${nodeText(node.elseList)}` : ''
  return `{{${node.type} ${pipeText(node.pipe)}}}${nodeText(node.list)}${otherwise}{{end}}`
}

/** A node as Go prints it, which is what error messages show. */
export function nodeText(node: Node | Operand | CommandNode | ListNode | EndNode): string {
  switch (node.type) {
    case 'list':
      return node.nodes.map(nodeText).join('')
    case 'text':
      return node.text
    case 'action':
      return `{{${pipeText(node.pipe)}}}`
    case 'pipe':
      return pipeText(node)
    case 'command':
      return node.args.map(operandText).join(' ')
    case 'identifier':
      return node.name
    case 'variable':
      return node.names.join('.')
    case 'field':
      return node.names.map((name) => `.${name}`).join('')
    case 'chain':
      return operandText(node.node) + node.fields.map((name) => `.${name}`).join('')
    case 'dot':
      return '.'
    case 'nil':
      return 'nil'
    case 'bool':
      return String(node.value)
    case 'number':
      return node.text
    case 'string':
      return node.quoted
    case 'if':
    case 'range':
    case 'with':
      return branchText(node)
    case 'template':
      return `{{template ${quoteString(node.name)}${node.pipe ? ` ${pipeText(node.pipe)}` : ''}}}`
    default:
      return `{{${node.type}}}`
  }
}
