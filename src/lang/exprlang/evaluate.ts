import { own, setOwn } from '../../lib/json.ts'
import { functions } from './functions/functions.ts'
import type { Node } from './node.ts'
import { binaries, unary } from './operators.ts'
import { callWithPredicate, predicateArity, type Scope } from './predicates.ts'
import type { Run } from './run.ts'
import { ExprError, ExprFunction, ExprObject, isList, isMap, isNil, textOf, typeName, type Value } from './value.ts'

/** What an expression sees by name. */
export type Environment = Readonly<Record<string, Value>>

interface Frame {
  readonly environment: Environment
  readonly variables: ReadonlyMap<string, Value>
  readonly scope: Scope | undefined
  readonly run: Run
}

/** Marks that a part of a chain was absent. */
const ABSENT: unique symbol = Symbol('absent')

/** Evaluates a parsed expression. Throws an `ExprError` with the place, or an `ExprBudgetError`. */
export function evaluateNode(node: Node, environment: Environment, run: Run): Value {
  return visit(node, { environment, variables: new Map(), scope: undefined, run })
}

function visit(node: Node, frame: Frame): Value {
  frame.run.step()
  try {
    return evaluate(node, frame)
  } catch (error) {
    if (error instanceof ExprError) error.position ??= node.at
    throw error
  }
}

function evaluate(node: Node, frame: Frame): Value {
  switch (node.is) {
    case 'literal':
      return node.value
    case 'name':
      return named(node.name, frame)
    case 'pointer':
      return pointed(node.name, frame)
    case 'unary':
      return unary(node.operator, visit(node.operand, frame))
    case 'binary':
      return binary(node, frame)
    case 'member':
      return member(node, frame)
    case 'slice':
      return slice(node, frame)
    case 'chain': {
      const value = visit(node.inner, frame)
      return value === ABSENT ? null : value
    }
    case 'call':
      return call(node, frame)
    case 'builtin':
      return builtin(node, frame)
    case 'conditional':
      return conditional(node, frame)
    case 'list':
      frame.run.make(node.items.length)
      return node.items.map((item) => visit(item, frame))
    case 'map':
      return made(node, frame)
    case 'let': {
      const variables = new Map([...frame.variables, [node.name, visit(node.value, frame)] as const])
      return visit(node.body, { ...frame, variables })
    }
    case 'sequence':
      return node.steps.map((step) => visit(step, frame)).at(-1)
  }
}

function named(name: string, { variables, environment }: Frame): Value {
  if (variables.has(name)) return variables.get(name)
  if (name === '$env') return environment
  return own(environment, name) ?? null
}

function pointed(name: string, { scope }: Frame): Value {
  if (!scope) throw new ExprError('# is only known within a predicate')
  if (name === '') return scope.item
  if (name === 'index') return scope.index
  if (name === 'acc') return scope.acc ?? null
  throw new ExprError(`unknown pointer #${name}`)
}

type NodeOf<K extends Node['is']> = Extract<Node, { readonly is: K }>

function truth(value: Value, operator: string): boolean {
  if (typeof value !== 'boolean') throw new ExprError(`invalid operation: ${operator} (got ${typeName(value)})`)
  return value
}

function binary({ operator, left, right }: NodeOf<'binary'>, frame: Frame): Value {
  switch (operator) {
    case 'and':
    case '&&':
      return truth(visit(left, frame), operator) && truth(visit(right, frame), operator)
    case 'or':
    case '||':
      return truth(visit(left, frame), operator) || truth(visit(right, frame), operator)
    case '??': {
      const value = visit(left, frame)
      return isNil(value) || value === ABSENT ? visit(right, frame) : value
    }
    default: {
      const act = binaries[operator]
      if (!act) throw new ExprError(`unknown operator ${operator}`)
      return act(visit(left, frame), visit(right, frame), frame.run)
    }
  }
}

function conditional({ test, yes, no }: NodeOf<'conditional'>, frame: Frame): Value {
  const value = visit(test, frame)
  return truth(value, '?:') ? (yes === test ? value : visit(yes, frame)) : visit(no, frame)
}

function made({ entries }: NodeOf<'map'>, frame: Frame): Value {
  frame.run.make(entries.length)
  const map: Record<string, Value> = {}
  for (const [key, value] of entries) setOwn(map, textOf(visit(key, frame)), visit(value, frame))
  return map
}

function member(node: NodeOf<'member'>, frame: Frame): Value {
  const object = visit(node.object, frame)
  if (object === ABSENT) return ABSENT
  if (isNil(object) && node.isOptional) return ABSENT
  return fetch(object, visit(node.key, frame))
}

function fetch(object: Value, key: Value): Value {
  if (isMap(object)) return typeof key === 'string' ? (own(object, key) ?? null) : (own(object, textOf(key)) ?? null)
  if (isList(object) || typeof object === 'string') {
    if (typeof key !== 'number') throw new ExprError(`cannot fetch ${textOf(key)} from ${typeName(object)}`)
    const items = typeof object === 'string' ? Array.from(object) : object
    const index = key < 0 ? items.length + key : key
    if (!Number.isInteger(index) || index < 0 || index >= items.length) {
      throw new ExprError(`index out of range: ${key} (array length is ${items.length})`)
    }
    return items[index]
  }
  const method = object instanceof ExprObject ? object.methods.get(textOf(key)) : undefined
  if (method) return new ExprFunction(method)
  throw new ExprError(`cannot fetch ${textOf(key)} from ${isNil(object) ? '<nil>' : typeName(object)}`)
}

function slice({ object, from, to }: NodeOf<'slice'>, frame: Frame): Value {
  const value = visit(object, frame)
  if (!isList(value) && typeof value !== 'string') throw new ExprError(`cannot slice ${typeName(value)}`)
  const bound = (node: Node | undefined): number | undefined => {
    if (!node) return undefined
    const place = visit(node, frame)
    if (typeof place !== 'number') throw new ExprError(`cannot slice by ${typeName(place)}`)
    return place
  }
  const [start, end] = [bound(from), bound(to)]
  return typeof value === 'string' ? Array.from(value).slice(start, end).join('') : value.slice(start, end)
}

function call({ callee, args }: NodeOf<'call'>, frame: Frame): Value {
  const called = visit(callee, frame)
  if (called === ABSENT) return ABSENT
  if (!(called instanceof ExprFunction)) throw new ExprError(`${typeName(called)} is not callable`)
  return called.call(...args.map((arg) => visit(arg, frame)))
}

function builtin({ name, args }: NodeOf<'builtin'>, frame: Frame): Value {
  const { run } = frame
  if (predicateArity(name) === undefined) {
    const found = functions.get(name)
    if (!found) throw new ExprError(`unknown function ${name}`)
    const values = args.map((arg) => visit(arg, frame))
    run.step(sizeOf(values))
    return found(values, run)
  }
  const [list, body, ...rest] = args
  if (!list) throw new ExprError(`not enough arguments to call ${name}`)
  return callWithPredicate({
    name,
    over: visit(list, frame),
    predicate: body && ((scope) => visit(body, { ...frame, scope })),
    rest: rest.map((arg) => visit(arg, frame)),
    run,
  })
}

/** Roughly how much a function has to look at. */
function sizeOf(values: readonly Value[]): number {
  let size = 0
  for (const value of values) {
    if (typeof value === 'string') size += value.length / 16
    else if (isList(value)) size += value.length
  }
  return Math.ceil(size)
}
