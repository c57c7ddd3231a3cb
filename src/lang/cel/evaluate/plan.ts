import { LIST_COST, MAP_COST, STRUCT_COST } from '../cost/size.ts'
import type { Environment } from '../environment.ts'
import { EvaluationError, noSuchOverload } from '../error.ts'
import {
  type Ast,
  type Call,
  type Comprehension,
  type Expr,
  type ListExpr,
  type Literal,
  type MapExpr,
  qualifiedName,
  type Select,
  type StructExpr,
} from '../syntax/ast.ts'
import { CelMap, keyText } from '../value/map.ts'
import { Optional } from '../value/optional.ts'
import { TypeValue } from '../value/type-value.ts'
import { hasNode, indexNode, optionalIndexNode, pathNode, type Step } from './access.ts'
import { callNode } from './call.ts'
import {
  bindNode,
  boundNode,
  existsOneNode,
  filterNode,
  type LoopSlots,
  mapNode,
  quantifierNode,
  transformMapEntryNode,
  transformMapNode,
} from './comprehension.ts'
import { constantOf } from './constant.ts'
import { Lazy } from './lazy.ts'
import { equalsConstant, inConstant, operators } from './operator.ts'
import type { Node } from './run.ts'

/** A compiled expression and the input variables it reads. */
export interface Plan {
  readonly node: Node
  /** The slot of each variable. */
  readonly variables: ReadonlyMap<string, number>
  readonly slots: number
}

/** A variable of the expression itself. */
interface Local {
  readonly name: string
  readonly node: Node
  readonly outer: Scope
}

type Scope = Local | undefined

function find(scope: Scope, name: string): Local | undefined {
  for (let local = scope; local; local = local.outer) {
    if (local.name === name) return local
  }
  return undefined
}

/** Compiles an expression into closures. Names that nothing declares fail when they are read, so that logic may absorb it. */
export function plan(ast: Ast, environment: Environment): Plan {
  const planner = new Planner(environment)
  const node = planner.node(ast.expr, undefined)
  return { node, variables: planner.variables, slots: planner.slots }
}

const constant = (value: unknown): Node => {
  return () => value
}

class Planner {
  readonly variables = new Map<string, number>()
  slots = 0
  readonly #environment: Environment

  constructor(environment: Environment) {
    this.#environment = environment
  }

  node(expr: Expr, scope: Scope): Node {
    const folded = constantOf(expr)
    if (folded) return constant(folded.value)
    switch (expr.kind) {
      case 'literal':
        return constant(expr.value)
      case 'ident':
        return this.#named(expr.name, scope) ?? this.#unknown(expr.name, expr.at)
      case 'select':
        return this.#select(expr, scope)
      case 'call':
        return this.#call(expr, scope)
      case 'list':
        return this.#list(expr, scope)
      case 'map':
        return this.#map(expr, scope)
      case 'struct':
        return this.#struct(expr, scope)
      case 'comprehension':
        return this.#comprehension(expr, scope)
    }
  }

  #unknown(name: string, at: number): Node {
    return () => {
      throw new EvaluationError(`undeclared reference to '${name}' (no such attribute)`, at)
    }
  }

  /** A variable, type or enum constant by its possibly qualified name. */
  #named(name: string, scope: Scope): Node | undefined {
    const local = name.startsWith('.') ? undefined : find(scope, name)
    return local ? local.node : this.#global(name)
  }

  #global(name: string): Node | undefined {
    const found = this.#environment.resolve(name)
    if (!found) return undefined
    if (found.is === 'type') return constant(new TypeValue(found.type))
    if (found.is === 'enum') return constant(found.value)
    const slot = this.variables.get(found.name) ?? this.slots++
    this.variables.set(found.name, slot)
    return (run) => {
      run.cost++
      const value = run.slots[slot]
      if (value === undefined) throw new EvaluationError(`no such attribute: ${found.name}`)
      if (!(value instanceof Lazy)) return value
      const computed = value.force(run)
      run.slots[slot] = computed
      return computed
    }
  }

  /** What a chain of selections stands for as one dotted name, if anything. */
  #qualified(expr: Select, scope: Scope): Node | undefined {
    const name = expr.testOnly ? undefined : qualifiedName(expr)
    const root = name?.split('.').find((part) => part !== '')
    if (name === undefined || (!name.startsWith('.') && root !== undefined && find(scope, root))) return undefined
    return this.#global(name)
  }

  #select(expr: Select, scope: Scope): Node {
    const global = this.#qualified(expr, scope)
    if (global) return global
    if (expr.testOnly) return hasNode(this.node(expr.operand, scope), expr.field)
    return this.#path(expr, scope)
  }

  /** A chain of selections down to what a name stands for, or to something else. */
  #path(expr: Select, scope: Scope): Node {
    const steps: Step[] = [{ field: expr.field, at: expr.at }]
    let operand = expr.operand
    while (operand.kind === 'select' && !operand.testOnly && !this.#qualified(operand, scope)) {
      steps.push({ field: operand.field, at: operand.at })
      operand = operand.operand
    }
    return pathNode(this.node(operand, scope), steps.toReversed())
  }

  #call(expr: Call, scope: Scope): Node {
    const { name, args, target } = expr
    if (!target) return this.#globalCall(expr, scope)
    const prefix = qualifiedName(target)
    const namespaced = prefix === undefined ? undefined : this.#environment.resolveFunction(`${prefix}.${name}`)
    if (namespaced) {
      const overloads = namespaced.overloads.filter((overload) => !overload.member)
      return callNode(
        namespaced.name,
        overloads,
        args.map((arg) => this.node(arg, scope)),
        expr.at,
      )
    }
    const nodes = [target, ...args].map((arg) => this.node(arg, scope))
    const found = this.#environment.resolveFunction(name)
    if (!found) return this.#unknown(name, expr.at)
    return callNode(
      name,
      found.overloads.filter((overload) => overload.member),
      nodes,
      expr.at,
    )
  }

  #globalCall(expr: Call, scope: Scope): Node {
    const nodes = this.#terms(expr).map((arg) => this.node(arg, scope))
    const shortcut = this.#comparedConstant(expr, nodes) ?? this.#memberOfConstant(expr, nodes)
    if (shortcut) return shortcut
    const built = operators.get(expr.name)?.(nodes) ?? this.#accessor(expr, nodes)
    if (built) return built
    const found = this.#environment.resolveFunction(expr.name)
    if (!found) return this.#unknown(expr.name, expr.at)
    return callNode(
      found.name,
      found.overloads.filter((overload) => !overload.member),
      nodes,
      expr.at,
    )
  }

  /** The terms of a chain of `&&` or `||`, however the parser nested it. */
  #terms(expr: Call): readonly Expr[] {
    if (expr.name !== '_&&_' && expr.name !== '_||_') return expr.args
    return expr.args.flatMap((arg) =>
      arg.kind === 'call' && arg.name === expr.name && !arg.target ? this.#terms(arg) : [arg],
    )
  }

  #memberOfConstant(expr: Call, [item]: readonly Node[]): Node | undefined {
    const list = expr.name === '@in' && expr.args[1] ? constantOf(expr.args[1]) : undefined
    return item && list && Array.isArray(list.value) ? inConstant(item, list.value) : undefined
  }

  #comparedConstant(expr: Call, [left, right]: readonly Node[]): Node | undefined {
    if (expr.name !== '_==_' && expr.name !== '_!=_') return undefined
    const [first, second] = expr.args
    const isSimple = (arg: Expr | undefined): arg is Literal => arg?.kind === 'literal' && typeof arg.value !== 'object'
    if (left && isSimple(second)) return equalsConstant(left, second.value, expr.name === '_==_')
    if (right && isSimple(first)) return equalsConstant(right, first.value, expr.name === '_==_')
    return undefined
  }

  #accessor(expr: Call, [left, right]: readonly Node[]): Node | undefined {
    if (!left || !right) return undefined
    if (expr.name === '_[_]') return indexNode(left, right, expr.at)
    return expr.name === '_[?_]' || expr.name === '_?._' ? optionalIndexNode(left, right) : undefined
  }

  #list(expr: ListExpr, scope: Scope): Node {
    const items = expr.items.map((item) => this.node(item, scope))
    if (expr.optionals.length === 0) {
      return (run) => {
        run.cost += LIST_COST
        return items.map((item) => item(run))
      }
    }
    const optionals = new Set(expr.optionals)
    return (run) => {
      run.cost += LIST_COST
      const made: unknown[] = []
      for (const [index, item] of items.entries()) {
        const value = item(run)
        if (!optionals.has(index)) made.push(value)
        else if (!(value instanceof Optional)) throw noSuchOverload('optional list item')
        else if (value.present) made.push(value.value)
      }
      return made
    }
  }

  #map(expr: MapExpr, scope: Scope): Node {
    const entries = expr.entries.map((entry) => ({
      key: this.node(entry.key, scope),
      value: this.node(entry.value, scope),
      optional: entry.optional,
      at: entry.at,
    }))
    return (run) => {
      run.cost += MAP_COST
      const map = new CelMap()
      for (const entry of entries) {
        const key = entry.key(run)
        let value = entry.value(run)
        if (entry.optional) {
          if (!(value instanceof Optional)) throw noSuchOverload('optional map entry')
          if (!value.present) continue
          value = value.value
        }
        if (!map.add(key, value)) throw new EvaluationError(`Failed with repeated key: ${keyText(key)}`, entry.at)
      }
      return map
    }
  }

  #struct(expr: StructExpr, scope: Scope): Node {
    const messages = this.#environment.messages
    const found = this.#environment.resolveMessage(expr.type)
    if (!found || !messages?.create) return this.#unknown(expr.type, expr.at)
    const create = messages.create.bind(messages)
    const fields = expr.fields.map((field) => ({ ...field, node: this.node(field.value, scope) }))
    return (run) => {
      run.cost += STRUCT_COST
      const values = new Map<string, unknown>()
      for (const field of fields) {
        let value = field.node(run)
        if (field.optional) {
          if (!(value instanceof Optional)) throw noSuchOverload('optional field')
          if (!value.present) continue
          value = value.value
        }
        values.set(field.name, value)
      }
      return create(found.name, values)
    }
  }

  #comprehension(expr: Comprehension, scope: Scope): Node {
    const { form } = expr
    if (form.name === 'bind') return this.#bind(expr, form.value, form.body, scope)
    const range = this.node(expr.range, scope)
    const first = this.slots++
    let inner: Scope = { name: expr.variable, node: localNode(first), outer: scope }
    let second: number | undefined
    if (expr.variable2 !== undefined) {
      second = this.slots++
      inner = { name: expr.variable2, node: localNode(second), outer: inner }
    }
    const slots: LoopSlots = { first, second }
    switch (form.name) {
      case 'all':
      case 'exists':
        return quantifierNode(range, slots, this.node(form.predicate, inner), form.name === 'exists')
      case 'existsOne':
        return existsOneNode(range, slots, this.node(form.predicate, inner))
      case 'filter':
        return filterNode(range, slots, this.node(form.predicate, inner))
      default: {
        const transform = this.node(form.transform, inner)
        const filter = form.filter && this.node(form.filter, inner)
        if (form.name === 'transformMap') return transformMapNode(range, slots, transform, filter)
        if (form.name === 'transformMapEntry') return transformMapEntryNode(range, slots, transform, filter)
        return mapNode(range, slots, transform, filter)
      }
    }
  }

  #bind(expr: Comprehension, value: Expr, body: Expr, scope: Scope): Node {
    const slot = this.slots++
    const node = boundNode(slot, this.node(value, scope))
    return bindNode(slot, this.node(body, { name: expr.accumulator, node, outer: scope }))
  }
}

function localNode(slot: number): Node {
  return (run) => {
    run.cost++
    return run.slots[slot]
  }
}
