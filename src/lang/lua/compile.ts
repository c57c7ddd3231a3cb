import { LuaSyntaxError } from './error.ts'
import type { Machine } from './machine.ts'
import type { Assignable, Expression, FunctionBody, Statement, TableItem } from './node.ts'
import { FunctionScope, type Place } from './scope.ts'
import { isTrue, LuaFunction, LuaTable, type LuaValue, numberOf } from './value.ts'

/** A variable: closures that capture it share it. */
interface Cell {
  value: LuaValue
}

/** One call of a function. */
interface Frame {
  readonly machine: Machine
  readonly cells: Cell[]
  readonly captured: readonly Cell[]
  readonly varargs: readonly LuaValue[]
}

type Evaluate = (frame: Frame) => LuaValue
type EvaluateAll = (frame: Frame) => readonly LuaValue[]

const broken = Symbol('break')

/** A way to a label: each block that does not hold it passes it on. */
class Jump {
  readonly label: string
  constructor(label: string) {
    this.label = label
  }
}

/** What a statement ends with: nothing, a break out of the loop, a jump, or the values that the function returns. */
type Outcome = undefined | typeof broken | Jump | readonly LuaValue[]
type Execute = (frame: Frame) => Outcome

const none: readonly LuaValue[] = []

/** Compiles a chunk; the function is made anew for every machine. */
export function compile(chunk: FunctionBody): () => LuaFunction {
  const make = compileFunction(chunk, new FunctionScope(undefined))
  return () => make([])
}

/** Compiles a body in a scope of its own; what is made of it takes the variables that it captures. */
function compileFunction(body: FunctionBody, scope: FunctionScope): (captured: readonly Cell[]) => LuaFunction {
  const parameters = body.parameters.map((name) => scope.declare(name))
  const run = compileBlock(body.body, scope)
  return (captured) =>
    new LuaFunction(body.name, (args, machine) => {
      const cells: Cell[] = []
      for (const slot of parameters) cells[slot] = { value: args[slot] }
      const varargs = body.hasVarargs ? args.slice(parameters.length) : none
      const outcome = run({ machine, cells, captured, varargs })
      return outcome === undefined || outcome === broken || outcome instanceof Jump ? none : outcome
    })
}

function compileClosure(body: FunctionBody, around: FunctionScope): Evaluate {
  const scope = new FunctionScope(around)
  const make = compileFunction(body, scope)
  const places = scope.captured.map(({ from }) => from)
  return (frame) => make(places.map((place) => cellAt(frame, place)))
}

function cellAt(frame: Frame, place: Place): Cell {
  const cell =
    place.is === 'local' ? frame.cells[place.slot] : place.is === 'captured' ? frame.captured[place.index] : undefined
  return cell ?? { value: undefined }
}

/** Where the labels of a block stand among its statements. */
function labelsOf(body: readonly Statement[]): ReadonlyMap<string, number> {
  return new Map(body.flatMap((statement, at) => (statement.is === 'label' ? [[statement.name, at] as const] : [])))
}

function compileBlock(body: readonly Statement[], scope: FunctionScope): Execute {
  const labels = labelsOf(body)
  scope.open(new Set(labels.keys()))
  const statements = body.map((statement) => compileStatement(statement, scope))
  scope.close()
  return (frame) => run(statements, labels, frame)
}

function run(statements: readonly Execute[], labels: ReadonlyMap<string, number>, frame: Frame): Outcome {
  for (let at = 0; at < statements.length; at++) {
    frame.machine.step()
    const outcome = statements[at]?.(frame)
    if (outcome === undefined) continue
    const target = outcome instanceof Jump ? labels.get(outcome.label) : undefined
    if (target === undefined) return outcome
    at = target
  }
  return undefined
}

function compileStatement(statement: Statement, scope: FunctionScope): Execute {
  switch (statement.is) {
    case 'local': {
      const values = compileList(statement.values, scope)
      const slots = statement.names.map((name) => scope.declare(name))
      return (frame) => {
        const made = values(frame)
        for (const [at, slot] of slots.entries()) frame.cells[slot] = { value: made[at] }
        return undefined
      }
    }
    case 'local-function': {
      const slot = scope.declare(statement.name)
      const make = compileClosure(statement.body, scope)
      return (frame) => {
        const cell: Cell = { value: undefined }
        frame.cells[slot] = cell
        cell.value = make(frame)
        return undefined
      }
    }
    case 'assign':
      return compileAssignment(statement.targets, statement.values, scope)
    case 'do-call': {
      const call = compileMany(statement.call, scope)
      return (frame) => {
        call(frame)
        return undefined
      }
    }
    case 'block':
      return compileBlock(statement.body, scope)
    case 'while': {
      const test = compileOne(statement.test, scope)
      const body = compileBlock(statement.body, scope)
      return (frame) => {
        while (isTrue(test(frame))) {
          frame.machine.step()
          const outcome = body(frame)
          if (outcome === broken) return undefined
          if (outcome !== undefined) return outcome
        }
        return undefined
      }
    }
    case 'repeat':
      return compileRepeat(statement, scope)
    case 'if': {
      const branches = statement.branches.map(({ test, body }) => ({
        test: compileOne(test, scope),
        body: compileBlock(body, scope),
      }))
      const otherwise = statement.otherwise && compileBlock(statement.otherwise, scope)
      return (frame) => {
        for (const { test, body } of branches) if (isTrue(test(frame))) return body(frame)
        return otherwise?.(frame)
      }
    }
    case 'count':
      return compileCount(statement, scope)
    case 'each':
      return compileEach(statement, scope)
    case 'return':
      return compileList(statement.values, scope)
    case 'break':
      return () => broken
    case 'goto': {
      if (!scope.hasLabel(statement.label))
        throw new LuaSyntaxError(`no visible label '${statement.label}' for goto`, statement.line)
      const jump = new Jump(statement.label)
      return () => jump
    }
    case 'label':
      return () => undefined
  }
}

/** The test of `until` sees the locals of the body. */
function compileRepeat({ body, test }: Extract<Statement, { readonly is: 'repeat' }>, scope: FunctionScope): Execute {
  const labels = labelsOf(body)
  scope.open(new Set(labels.keys()))
  const statements = body.map((statement) => compileStatement(statement, scope))
  const isDone = compileOne(test, scope)
  scope.close()
  return (frame) => {
    do {
      const outcome = run(statements, labels, frame)
      if (outcome === broken) return undefined
      if (outcome !== undefined) return outcome
      frame.machine.step()
    } while (!isTrue(isDone(frame)))
    return undefined
  }
}

function compileCount(
  { name, from, to, by, body, line }: Extract<Statement, { readonly is: 'count' }>,
  scope: FunctionScope,
): Execute {
  const bounds = [from, to, by ?? ({ is: 'constant', value: 1 } as const)].map((bound) => compileOne(bound, scope))
  scope.open()
  const slot = scope.declare(name)
  const run = compileBlock(body, scope)
  scope.close()
  return (frame) => {
    const { machine } = frame
    const [start, end, step] = bounds.map((bound, at) => {
      const value = numberOf(bound(frame))
      machine.line = line
      if (value === undefined) throw machine.error(`'for' ${['initial value', 'limit', 'step'][at]} must be a number`)
      return value
    }) as [number, number, number] // three bounds make three numbers
    if (step === 0) throw machine.error("'for' step is zero")
    for (let at = start; step > 0 ? at <= end : at >= end; at += step) {
      machine.step()
      frame.cells[slot] = { value: at }
      const outcome = run(frame)
      if (outcome === broken) return undefined
      if (outcome !== undefined) return outcome
    }
    return undefined
  }
}

function compileEach(
  { names, values, body, line }: Extract<Statement, { readonly is: 'each' }>,
  scope: FunctionScope,
): Execute {
  const list = compileList(values, scope)
  scope.open()
  const slots = names.map((name) => scope.declare(name))
  const run = compileBlock(body, scope)
  scope.close()
  return (frame) => {
    const { machine } = frame
    const [next, state, first] = list(frame)
    let control = first
    for (;;) {
      machine.step()
      machine.line = line
      const made = machine.call(next, [state, control])
      control = made[0]
      if (control === undefined) return undefined
      for (const [at, slot] of slots.entries()) frame.cells[slot] = { value: made[at] }
      const outcome = run(frame)
      if (outcome === broken) return undefined
      if (outcome !== undefined) return outcome
    }
  }
}

function compileAssignment(
  targets: readonly Assignable[],
  values: readonly Expression[],
  scope: FunctionScope,
): Execute {
  const [onlyTarget] = targets
  const [onlyValue] = values
  if (targets.length === 1 && values.length === 1 && onlyTarget && onlyValue) {
    const store = compileStore(onlyTarget, scope)
    const value = compileOne(onlyValue, scope)
    return (frame) => {
      store(frame)(value(frame))
      return undefined
    }
  }
  const stores = targets.map((target) => compileStore(target, scope))
  const list = compileList(values, scope)
  return (frame) => {
    // Every place is worked out before anything is assigned.
    const places = stores.map((store) => store(frame))
    const made = list(frame)
    for (const [at, place] of places.entries()) place(made[at])
    return undefined
  }
}

function compileStore(target: Assignable, scope: FunctionScope): (frame: Frame) => (value: LuaValue) => void {
  if (target.is === 'index') {
    const of = compileOne(target.of, scope)
    const key = compileOne(target.key, scope)
    return (frame) => {
      const { machine } = frame
      const table = of(frame)
      const at = key(frame)
      return (value) => {
        machine.line = target.line
        machine.setIndex(table, at, value)
      }
    }
  }
  const place = scope.find(target.name)
  if (place.is === 'global') {
    return ({ machine }) =>
      (value) =>
        machine.put(machine.globals, target.name, value)
  }
  return (frame) => {
    const cell = cellAt(frame, place)
    return (value) => {
      cell.value = value
    }
  }
}

/** Every value of a list of expressions: the last may make many. */
function compileList(list: readonly Expression[], scope: FunctionScope): EvaluateAll {
  const last = list.at(-1)
  if (!last) return () => none
  const ones = list.slice(0, -1).map((expression) => compileOne(expression, scope))
  const isMany = last.is === 'call' || last.is === 'method' || last.is === 'varargs'
  if (!isMany) {
    ones.push(compileOne(last, scope))
    return (frame) => ones.map((evaluate) => evaluate(frame))
  }
  const many = compileMany(last, scope)
  if (ones.length === 0) return many
  return (frame) => {
    const values = ones.map((evaluate) => evaluate(frame))
    values.push(...many(frame))
    return values
  }
}

function compileMany(expression: Expression, scope: FunctionScope): EvaluateAll {
  switch (expression.is) {
    case 'varargs':
      return ({ varargs }) => varargs
    case 'call': {
      const of = compileOne(expression.of, scope)
      const args = compileList(expression.args, scope)
      const { line } = expression
      return (frame) => {
        const callee = of(frame)
        const given = args(frame)
        frame.machine.line = line
        return frame.machine.call(callee, given)
      }
    }
    case 'method': {
      const of = compileOne(expression.of, scope)
      const args = compileList(expression.args, scope)
      const { line, name } = expression
      return (frame) => {
        const self = of(frame)
        frame.machine.line = line
        const callee = frame.machine.index(self, name)
        const given = [self, ...args(frame)]
        frame.machine.line = line
        return frame.machine.call(callee, given)
      }
    }
    default: {
      const one = compileOne(expression, scope)
      return (frame) => [one(frame)]
    }
  }
}

function compileOne(expression: Expression, scope: FunctionScope): Evaluate {
  switch (expression.is) {
    case 'constant': {
      const { value } = expression
      return () => value
    }
    case 'varargs':
      return ({ varargs }) => varargs[0]
    case 'function':
      return compileClosure(expression.body, scope)
    case 'name':
      return compileName(expression.name, scope)
    case 'index': {
      const of = compileOne(expression.of, scope)
      const key = compileOne(expression.key, scope)
      const { line } = expression
      return (frame) => {
        const value = of(frame)
        const at = key(frame)
        frame.machine.line = line
        return frame.machine.index(value, at)
      }
    }
    case 'call':
    case 'method': {
      const many = compileMany(expression, scope)
      return (frame) => many(frame)[0]
    }
    case 'table':
      return compileTable(expression.items, scope)
    case 'single':
      return compileOne(expression.of, scope)
    case 'unary':
      return compileUnary(expression, scope)
    case 'binary':
      return compileBinary(expression, scope)
  }
}

function compileName(name: string, scope: FunctionScope): Evaluate {
  const place = scope.find(name)
  if (place.is === 'global') return ({ machine }) => machine.globals.get(name)
  if (place.is === 'captured') return ({ captured }) => captured[place.index]?.value
  return ({ cells }) => cells[place.slot]?.value
}

function compileTable(items: readonly TableItem[], scope: FunctionScope): Evaluate {
  const keyed = items.flatMap(({ key, value }) =>
    key ? [{ key: compileOne(key, scope), value: compileOne(value, scope) }] : [],
  )
  const counted = compileList(
    items.flatMap(({ key, value }) => (key ? [] : [value])),
    scope,
  )
  return (frame) => {
    const { machine } = frame
    const table = new LuaTable()
    for (const { key, value } of keyed) machine.put(table, key(frame), value(frame))
    const values = counted(frame)
    machine.make(values.length + 1)
    for (const [at, value] of values.entries()) table.set(at + 1, value)
    return table
  }
}

function compileUnary(
  { operator, of, line }: Extract<Expression, { readonly is: 'unary' }>,
  scope: FunctionScope,
): Evaluate {
  const evaluate = compileOne(of, scope)
  if (operator === 'not') return (frame) => !isTrue(evaluate(frame))
  return (frame) => {
    const value = evaluate(frame)
    frame.machine.line = line
    return operator === '-' ? frame.machine.negate(value) : frame.machine.lengthOf(value)
  }
}

function compileBinary(expression: Extract<Expression, { readonly is: 'binary' }>, scope: FunctionScope): Evaluate {
  const { operator, line } = expression
  const left = compileOne(expression.left, scope)
  const right = compileOne(expression.right, scope)
  if (operator === 'and')
    return (frame) => {
      const value = left(frame)
      return isTrue(value) ? right(frame) : value
    }
  if (operator === 'or')
    return (frame) => {
      const value = left(frame)
      return isTrue(value) ? value : right(frame)
    }
  return (frame) => {
    const a = left(frame)
    const b = right(frame)
    const { machine } = frame
    machine.line = line
    switch (operator) {
      case '==':
        return machine.equals(a, b)
      case '~=':
        return !machine.equals(a, b)
      case '<':
        return machine.isLess(a, b)
      case '>':
        return machine.isLess(b, a)
      case '<=':
        return machine.isAtMost(a, b)
      case '>=':
        return machine.isAtMost(b, a)
      case '..':
        return machine.concat(a, b)
      default:
        return machine.calculate(operator, a, b)
    }
  }
}
