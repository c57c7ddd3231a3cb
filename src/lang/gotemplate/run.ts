import { byteLength, quoteString, settleBytes } from '../../lib/go-string.ts'
import type { CommandNode, ListNode, Node, Operand, Tree } from './node.ts'
import { nodeText } from './node.ts'
import { type Failure, failWith, type GoFunction } from './value.ts'

/** What a running statement answers: go on, or leave the loop or the turn. */
export type Signal = 0 | 1 | 2
export const BREAK = 1
export const CONTINUE = 2

export type Exec = (run: Run) => Signal
export type Eval = (run: Run) => unknown

/** A template ready to run: its tree for messages, how many variables it has, and what it does. */
export interface Template {
  readonly tree: Tree
  readonly slots: number
  readonly exec: Exec
}

/** Templates by name, and the functions that they may call. A set may be laid over another. */
export interface Templates {
  readonly own: ReadonlyMap<string, Template>
  readonly below: Templates | undefined
  readonly functions: ReadonlyMap<string, GoFunction>
}

/** What a lookup of a key that a map does not have gives. */
export type MissingKey = 'default' | 'invalid' | 'zero' | 'error'

/** Bounds on what one execution may take. */
export interface Budget {
  readonly steps: number
  /** Characters of output, and of any string on the way. */
  readonly characters: number
  /** Items of any list on the way. */
  readonly items: number
  /** Templates within templates. */
  readonly depth: number
}

export const usualBudget: Budget = { steps: 5_000_000, characters: 64 * 1024 * 1024, items: 4_000_000, depth: 400 }

/** An execution error in Go's words. */
export class ExecError extends Error {
  readonly at: string
  constructor(message: string, at: string) {
    super(message)
    this.at = at
  }
}

/** The budget is used up; no template may catch this. */
export class BudgetError extends ExecError {}

/** Finds a template of a set. */
export function lookUp(set: Templates, name: string): Template | undefined {
  for (let layer: Templates | undefined = set; layer; layer = layer.below) {
    const found = layer.own.get(name)
    if (found) return found
  }
  return undefined
}

/** Compiles template text that was made while running (Helm's tpl) over the set that is running. */
export type CompileText = (name: string, text: string, below: Templates) => Templates | string

interface Place {
  readonly template: Template
  readonly dot: unknown
  readonly isBoxed: boolean
  readonly vars: unknown[]
  readonly set: Templates
  readonly out: string
}

/** One execution: where it stands, what it has written, and what it has left to spend. */
export class Run {
  out = ''
  dot: unknown
  /** Dot is an item of a container of interface{}, which is what messages then call its type. */
  isBoxed = false
  vars: unknown[] = []
  node: Node | Operand | CommandNode | ListNode
  template: Template
  set: Templates
  depth = 0
  readonly missingKey: MissingKey
  readonly budget: Budget
  /** What the host handed in for its own functions. */
  readonly context: unknown
  private readonly compileText: CompileText
  private steps = 0

  constructor(set: Templates, template: Template, options: RunOptions) {
    this.set = set
    this.template = template
    this.node = template.tree.root
    this.missingKey = options.missingKey
    this.budget = options.budget
    this.context = options.context
    this.compileText = options.compileText
  }

  /** Where the current node stands, as FILE:LINE:COLUMN. */
  private place(): string {
    const { text, parseName } = this.template.tree
    const before = text.slice(0, this.node.pos)
    const lineStart = before.lastIndexOf('\n') + 1
    let line = 1
    for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line += 1
    return `${parseName}:${line}:${byteLength(before.slice(lineStart))}`
  }

  /** Ends the execution with an error at the current node. */
  fail(message: string): never {
    const place = this.place()
    const { name } = this.template.tree
    throw new ExecError(
      `template: ${place}: executing ${quoteString(name)} at <${nodeText(this.node)}>: ${message}`,
      place,
    )
  }

  private overBudget(message: string): never {
    const place = this.place()
    throw new BudgetError(`template: ${place}: ${message}`, place)
  }

  /** Counts work; ends the execution when the budget is used up. */
  spend(steps: number): void {
    this.steps += steps
    if (this.steps > this.budget.steps) this.overBudget(`the template takes more than ${this.budget.steps} steps`)
  }

  write(text: string): void {
    this.out += text
    if (this.out.length > this.budget.characters) {
      this.overBudget(`the output is longer than ${this.budget.characters} characters`)
    }
  }

  /** Refuses values that outgrow the budget, and counts the work that made them. */
  checkSize(value: unknown): void {
    if (typeof value === 'string') {
      if (value.length > this.budget.characters) {
        this.overBudget(`a string is longer than ${this.budget.characters} characters`)
      }
      if (value.length > 1024) this.spend(value.length >> 10)
    } else if (Array.isArray(value) && value.length > 16) {
      if (value.length > this.budget.items) this.overBudget(`a list has more than ${this.budget.items} items`)
      this.spend(value.length >> 4)
    }
  }

  private enter(template: Template, dot: unknown): Place {
    const place = {
      template: this.template,
      dot: this.dot,
      isBoxed: this.isBoxed,
      vars: this.vars,
      set: this.set,
      out: this.out,
    }
    this.template = template
    this.dot = dot
    this.isBoxed = false
    this.vars = [dot]
    return place
  }

  private leave(place: Place): void {
    this.template = place.template
    this.dot = place.dot
    this.isBoxed = place.isBoxed
    this.vars = place.vars
    this.set = place.set
  }

  /** Runs another template in place: the template action. */
  invoke(template: Template, dot: unknown): void {
    this.spend(1)
    const place = this.enter(template, dot)
    const { node } = this
    this.depth += 1
    template.exec(this)
    this.depth -= 1
    this.leave(place)
    this.node = node
  }

  /** Ends the execution when templates are nested too deeply. */
  checkDepth(): void {
    if (this.depth >= this.budget.depth) this.fail(`exceeded maximum template depth (${this.budget.depth})`)
  }

  /** Executes a template of the set by name into a string, as Helm's include does. */
  include(name: string, data: unknown): string | Failure {
    const template = lookUp(this.set, name)
    if (!template) {
      return failWith(`template: no template ${quoteString(name)} associated with template "gotpl"`)
    }
    return this.capture(template, data)
  }

  /** Compiles text over the current set and executes it into a string, as Helm's tpl does. */
  renderText(name: string, text: string, data: unknown): string | Failure {
    const compiled = this.compileText(name, text, this.set)
    if (typeof compiled === 'string') return failWith(compiled)
    const template = lookUp(compiled, name)
    if (!template) return ''
    const before = this.set
    this.set = compiled
    try {
      return this.capture(template, data)
    } finally {
      this.set = before
    }
  }

  private capture(template: Template, data: unknown): string | Failure {
    this.checkDepth()
    this.spend(1)
    const place = this.enter(template, data ?? undefined)
    const { node } = this
    this.out = ''
    this.depth += 1
    try {
      template.exec(this)
      return settleBytes(this.out)
    } catch (error) {
      if (error instanceof ExecError && !(error instanceof BudgetError)) return failWith(error.message)
      throw error
    } finally {
      this.depth -= 1
      this.leave(place)
      this.out = place.out
      this.node = node
    }
  }
}

export interface RunOptions {
  readonly missingKey: MissingKey
  readonly budget: Budget
  readonly context: unknown
  readonly compileText: CompileText
}
