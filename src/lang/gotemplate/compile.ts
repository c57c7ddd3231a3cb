import { quoteString } from '../../lib/go-string.ts'
import { Failure, GoFunction, GoInt, int, isList, itemOf, typeName, typeOf } from './value.ts'
import { type Argument, CallSite, idealNumber, NONE } from './call.ts'
import { readChain } from './field.ts'
import type {
  BranchNode,
  ChainNode,
  CommandNode,
  FieldNode,
  IdentifierNode,
  ListNode,
  Node,
  Operand,
  PipeNode,
  TemplateNode,
  Tree,
  VariableNode,
} from './node.ts'
import { nodeText } from './node.ts'
import { actionText, valueText } from './print.ts'
import { BREAK, CONTINUE, type Eval, type Exec, lookUp, type Run, type Template } from './run.ts'
import { entryOf, isTrue, keyValue, sortedKeys } from './truth.ts'

/** Turns a parsed template into closures. */
export function compileTemplate(tree: Tree): Template {
  const compiler = new Compiler()
  const exec = compiler.list(tree.root)
  return { tree, exec, slots: compiler.slots }
}

/** A command: gets what was piped into it, or NONE. */
type Staged = (run: Run, final: unknown) => unknown

interface Variable {
  readonly name: string
  readonly slot: number
  /** Set by a range, so it is an item of a container of interface{}. */
  readonly isItem: boolean
}

class Compiler {
  slots = 1
  private readonly scope: Variable[] = [{ name: '$', slot: 0, isItem: false }]

  list(node: ListNode): Exec {
    const steps = node.nodes.map((each) => this.statement(each))
    const [first, second] = steps
    if (!first) return () => 0
    if (!second) return first
    return (run) => {
      for (const step of steps) {
        const signal = step(run)
        if (signal !== 0) return signal
      }
      return 0
    }
  }

  private statement(node: Node): Exec {
    switch (node.type) {
      case 'text': {
        const { text } = node
        return (run) => {
          run.write(text)
          return 0
        }
      }
      case 'action':
        return this.action(node)
      case 'if':
      case 'with':
        return this.inScope(() => this.condition(node))
      case 'range':
        return this.inScope(() => this.range(node))
      case 'template':
        return this.template(node)
      default: {
        const signal = node.type === 'break' ? BREAK : CONTINUE
        return () => signal
      }
    }
  }

  private inScope<T>(compile: () => T): T {
    const before = this.scope.length
    const compiled = compile()
    this.scope.length = before
    return compiled
  }

  private action(node: Node & { readonly type: 'action' }): Exec {
    const pipe = this.pipe(node.pipe)
    const isSilent = node.pipe.declares.length > 0
    return (run) => {
      run.node = node
      run.spend(1)
      const value = pipe(run)
      if (isSilent) return 0
      run.node = node
      if (value instanceof GoFunction) run.fail(`can't print ${nodeText(node)} of type ${typeName(value)}`)
      run.write(actionText(value))
      return 0
    }
  }

  private condition(node: BranchNode): Exec {
    const pipe = this.pipe(node.pipe)
    const then = this.inScope(() => this.list(node.list))
    const otherwise = node.elseList ? this.inScope(() => this.list(node.elseList ?? node.list)) : undefined
    const isWith = node.type === 'with'
    return (run) => {
      run.node = node
      run.spend(1)
      const value = pipe(run)
      if (!isTrue(value)) return otherwise ? otherwise(run) : 0
      if (!isWith) return then(run)
      const { dot, isBoxed } = run
      run.dot = value
      run.isBoxed = false
      const signal = then(run)
      run.dot = dot
      run.isBoxed = isBoxed
      return signal
    }
  }

  private template(node: TemplateNode): Exec {
    const pipe = node.pipe ? this.pipe(node.pipe) : undefined
    const { name } = node
    return (run) => {
      run.node = node
      const template = lookUp(run.set, name) ?? run.fail(`template ${quoteString(name)} not defined`)
      run.checkDepth()
      run.invoke(template, pipe ? pipe(run) : undefined)
      return 0
    }
  }

  private range(node: BranchNode): Exec {
    const { declares } = node.pipe
    const pipe = this.pipe(node.pipe, true)
    const targets = declares.map((each) => this.find(each.names[0] ?? ''))
    const body = this.inScope(() => this.list(node.list))
    const otherwise = node.elseList ? this.inScope(() => this.list(node.elseList ?? node.list)) : undefined
    const [first, second] = targets
    const indexSlot = second ? first?.slot : undefined
    const itemSlot = (second ?? first)?.slot
    const turn = (run: Run, index: unknown, item: unknown): boolean => {
      run.spend(1)
      if (itemSlot !== undefined) run.vars[itemSlot] = item
      if (indexSlot !== undefined) run.vars[indexSlot] = index
      run.dot = item
      return body(run) === BREAK
    }
    return (run) => {
      run.node = node
      const value = pipe(run)
      const { dot, isBoxed } = run
      const hasRun = iterate(run, value, declares.length, turn)
      run.dot = dot
      run.isBoxed = isBoxed
      if (!hasRun && otherwise) return otherwise(run)
      return 0
    }
  }

  private find(name: string): Variable | undefined {
    return this.scope.findLast((variable) => variable.name === name)
  }

  private declare(name: string, isItem: boolean): Variable {
    const variable = { name, slot: this.slots++, isItem }
    this.scope.push(variable)
    return variable
  }

  private pipe(node: PipeNode, isRange = false): Eval {
    const evaluate = this.commands(node)
    if (node.declares.length === 0) return evaluate
    const names = node.declares.map((each) => each.names[0] ?? '')
    const targets = names.map((name) => (node.isAssign ? this.find(name) : this.declare(name, isRange)))
    const lost = names.find((_, index) => !targets[index])
    const slots = targets.flatMap((target) => target?.slot ?? [])
    return (run) => {
      const value = evaluate(run)
      if (lost !== undefined) run.fail(`undefined variable: ${lost}`)
      for (const slot of slots) run.vars[slot] = value
      return value
    }
  }

  private commands(node: PipeNode): Eval {
    const stages = node.commands.map((command) => this.command(command))
    const [only, ...more] = stages
    if (!only) throw new Error('the parser let an empty pipeline through')
    if (more.length === 0) {
      return (run) => {
        run.node = node
        return only(run, NONE) ?? undefined
      }
    }
    return (run) => {
      run.node = node
      let value = only(run, NONE) ?? undefined
      for (const stage of more) value = stage(run, value) ?? undefined
      return value
    }
  }

  private command(node: CommandNode): Staged {
    const [first, ...rest] = node.args
    if (!first) throw new Error('the parser let an empty command through')
    switch (first.type) {
      case 'field':
        return this.field(first, rest)
      case 'chain':
        return this.chain(first, rest)
      case 'identifier':
        return this.function(first, rest, node)
      case 'variable':
        return this.variable(first, rest)
      case 'pipe': {
        const pipe = this.pipe(first)
        return (run, final) => {
          this.refuseArguments(run, first, rest, final)
          return pipe(run)
        }
      }
      default:
        return this.constant(first, rest)
    }
  }

  private refuseArguments(run: Run, first: Operand, rest: readonly Operand[], final: unknown): void {
    if (rest.length > 0 || final !== NONE) run.fail(`can't give argument to non-function ${nodeText(first)}`)
  }

  private constant(first: Operand, rest: readonly Operand[]): Staged {
    const value = constantValue(first)
    return (run, final) => {
      run.node = first
      this.refuseArguments(run, first, rest, final)
      if (first.type === 'dot') return run.dot
      if (first.type === 'nil') return run.fail('nil is not a command')
      return value instanceof Failure ? run.fail(value.message) : value
    }
  }

  private site(name: string, rest: readonly Operand[], shown: CommandNode | Operand): CallSite {
    return new CallSite(
      name,
      rest.map((each) => this.argument(each)),
      shown,
    )
  }

  private field(node: FieldNode, rest: readonly Operand[]): Staged {
    const { names } = node
    const site = this.site(names.at(-1) ?? '', rest, node)
    return (run, final) => {
      run.node = node
      if (final === NONE && rest.length === 0) return readChain(run, run.dot, names, run.isBoxed)
      return readChain(run, run.dot, names, run.isBoxed, { site, final })
    }
  }

  private chain(node: ChainNode, rest: readonly Operand[]): Staged {
    const { evaluate } = this.argument(node.node)
    const site = this.site(node.fields.at(-1) ?? '', rest, node)
    return (run, final) => {
      run.node = node
      const start = evaluate ? evaluate(run) : undefined
      if (final === NONE && rest.length === 0) return readChain(run, start, node.fields, false)
      return readChain(run, start, node.fields, false, { site, final })
    }
  }

  private variable(node: VariableNode, rest: readonly Operand[]): Staged {
    const [name = '', ...names] = node.names
    const variable = this.find(name)
    if (!variable) {
      return (run) => {
        run.node = node
        return run.fail(`undefined variable: ${name}`)
      }
    }
    const { slot, isItem } = variable
    const site = this.site(names.at(-1) ?? '', rest, node)
    return (run, final) => {
      run.node = node
      const value = run.vars[slot]
      if (names.length === 0) {
        this.refuseArguments(run, node, rest, final)
        return value
      }
      if (final === NONE && rest.length === 0) return readChain(run, value, names, isItem)
      return readChain(run, value, names, isItem, { site, final })
    }
  }

  private function(node: IdentifierNode, rest: readonly Operand[], shown: CommandNode | Operand): Staged {
    const { name } = node
    const site = this.site(name, rest, shown)
    return (run, final) => {
      run.node = node
      const fn = run.set.functions.get(name) ?? run.fail(`"${name}" is not a defined function`)
      if (fn.special === 'decide') return site.decide(run, fn, final)
      if (fn.special === 'call') return site.callValue(run, fn, final)
      return site.call(run, fn, final)
    }
  }

  private argument(node: Operand): Argument {
    switch (node.type) {
      case 'dot':
        return { node, evaluate: (run) => run.dot }
      case 'field':
        return { node, evaluate: bare(this.field(node, [])) }
      case 'variable':
        return { node, evaluate: bare(this.variable(node, [])) }
      case 'chain':
        return { node, evaluate: bare(this.chain(node, [])) }
      case 'identifier':
        return { node, evaluate: bare(this.function(node, [], node)) }
      case 'pipe':
        return { node, evaluate: this.pipe(node) }
      default:
        return { node, evaluate: undefined }
    }
  }
}

const bare =
  (stage: Staged): Eval =>
  (run) =>
    stage(run, NONE)

function constantValue(node: Operand): unknown {
  if (node.type === 'number') return idealNumber(node)
  if (node.type === 'bool') return node.value
  return node.type === 'string' ? node.text : undefined
}

type Turn = (run: Run, index: unknown, item: unknown) => boolean

/** Runs the body for every item; tells whether there was one. */
function iterate(run: Run, value: unknown, variables: number, turn: Turn): boolean {
  if (value === undefined) return false
  if (value instanceof GoInt) return iterateCount(run, value, variables, turn)
  if (isList(value)) {
    run.isBoxed = holdsInterfaces(value)
    for (let index = 0; index < value.length; index++) {
      if (turn(run, int(index), itemOf(value, index))) return true
    }
    return value.length > 0
  }
  const keys = sortedKeys(value)
  if (!keys) return run.fail(`range can't iterate over ${valueText(value)}`)
  run.isBoxed = holdsInterfaces(value)
  for (const key of keys) {
    if (turn(run, keyValue(value, key), entryOf(value, key) ?? null)) return true
  }
  return keys.length > 0
}

const holdsInterfaces = (container: unknown): boolean => typeOf(container)?.elem === undefined

function iterateCount(run: Run, count: GoInt, variables: number, turn: Turn): boolean {
  if (variables > 1) run.fail(`can't use ${count.value} to iterate over more than one variable`)
  run.isBoxed = false
  for (let at = 0n; at < count.value; at++) {
    if (turn(run, undefined, count.type.name === 'int' ? int(Number(at)) : new GoInt(count.type, at))) return true
  }
  return count.value > 0n
}
