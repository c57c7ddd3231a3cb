import type { Checked } from '../check/checker.ts'
import type { Call, Comprehension, Expr } from '../syntax/ast.ts'
import type { CelType } from '../type.ts'
import type { Declaration } from '../schema/declare.ts'
import { callEstimate } from './call-estimate.ts'
import { type Estimated, type Known, sizeEstimate } from './known.ts'
import { add, atLeast, exactly, multiply, type Range, union } from './range.ts'
import { LIST_COST, MAP_COST, sizeOf, STRUCT_COST } from './size.ts'

interface Scope {
  readonly name: string
  readonly value: Known
  readonly outer: Scope | undefined
}

/**
 * The least and the most that an expression can cost, given how large the values of its variables can be. Kubernetes refuses
 * rules by this estimate, so it follows the upstream one (cel-go checker/cost.go, apiserver library/cost.go).
 */
export function estimate(checked: Checked, variables: ReadonlyMap<string, Declaration>): Range {
  return new Estimator(checked, variables).of(checked.ast.expr, undefined).cost
}

class Estimator {
  readonly #checked: Checked
  readonly #variables: ReadonlyMap<string, Declaration>

  constructor(checked: Checked, variables: ReadonlyMap<string, Declaration>) {
    this.#checked = checked
    this.#variables = variables
  }

  of(expr: Expr, scope: Scope | undefined): Estimated {
    const type = this.#checked.types.get(expr.id)
    switch (expr.kind) {
      case 'literal':
        return { cost: exactly(0), type, size: exactly(sizeOf(expr.value)) }
      case 'ident':
        return this.#named(expr.name, type, scope)
      case 'select': {
        const name = this.#checked.references.get(expr.id)?.name
        if (name !== undefined) return this.#named(name, type, scope)
        const operand = this.of(expr.operand, scope)
        if (expr.testOnly) return { cost: operand.cost, type, size: exactly(1) }
        const declaration = memberOf(operand, expr.field)
        return { cost: add(operand.cost, exactly(1)), type, ...(declaration ? { declaration } : {}) }
      }
      case 'call':
        return this.#call(expr, type, scope)
      case 'list': {
        const items = expr.items.map((item) => this.of(item, scope))
        const cost = items.reduce((sum, item) => add(sum, item.cost), exactly(LIST_COST))
        const size = exactly(items.length)
        const known = items.length > 0 ? { items: widest(items) } : {}
        return { cost, type, size, ...known }
      }
      case 'map': {
        const parts = expr.entries.flatMap((entry) => [this.of(entry.key, scope), this.of(entry.value, scope)])
        const cost = parts.reduce((sum, part) => add(sum, part.cost), exactly(MAP_COST))
        return { cost, type, size: exactly(expr.entries.length) }
      }
      case 'struct': {
        const parts = expr.fields.map((field) => this.of(field.value, scope))
        return { cost: parts.reduce((sum, part) => add(sum, part.cost), exactly(STRUCT_COST)), type }
      }
      case 'comprehension':
        return this.#comprehension(expr, type, scope)
    }
  }

  #named(name: string, type: CelType | undefined, scope: Scope | undefined): Estimated {
    for (let local = scope; local; local = local.outer) {
      if (local.name === name) return { ...local.value, cost: exactly(1), type }
    }
    const declaration = this.#variables.get(name.replace(/^\./, ''))
    return { cost: exactly(1), type, ...(declaration ? { declaration } : {}) }
  }

  #call(expr: Call, type: CelType | undefined, scope: Scope | undefined): Estimated {
    const isNamespaced = this.#checked.references.get(expr.id)?.name !== undefined
    const target = expr.target && !isNamespaced ? this.of(expr.target, scope) : undefined
    const args = expr.args.map((arg) => this.of(arg, scope))
    const below = [...(target ? [target] : []), ...args].reduce((sum, part) => add(sum, part.cost), exactly(0))
    const built = branching(expr.name, args) ?? indexing(expr, args, below)
    if (built) return { type, ...built }
    const name = this.#checked.references.get(expr.id)?.name ?? expr.name
    const { cost, size, items } = callEstimate(name, target, args)
    return { cost: add(below, cost), type, ...(size ? { size } : {}), ...(items ? { items } : {}) }
  }

  #comprehension(expr: Comprehension, type: CelType | undefined, scope: Scope | undefined): Estimated {
    const { form } = expr
    if (form.name === 'bind') {
      const value = this.of(form.value, scope)
      const body = this.of(form.body, { name: expr.accumulator, value, outer: scope })
      return { ...body, cost: add(value.cost, body.cost), type }
    }
    const range = this.of(expr.range, scope)
    const init = this.of(expr.init, scope)
    const folding: Scope = { name: expr.accumulator, value: this.#accumulator(expr, range), outer: scope }
    const looping = this.#variablesOf(expr, range, folding)
    const condition = this.of(expr.condition, looping)
    const step = this.of(expr.step, looping)
    const count = sizeEstimate(range)
    const loops = multiply(count, add(condition.cost, step.cost))
    const result = this.of(expr.result, folding)
    const cost = [range.cost, init.cost, loops, result.cost].reduce(add)
    return { cost, type, ...this.#result(expr, range, looping) }
  }

  #accumulator(expr: Comprehension, range: Estimated): Known {
    const type = this.#checked.types.get(expr.init.id)
    return type?.kind === 'list' || type?.kind === 'map'
      ? { type, size: atLeast(0, sizeEstimate(range).max) }
      : { type }
  }

  #variablesOf(expr: Comprehension, range: Estimated, outer: Scope): Scope {
    const isMap = this.#checked.types.get(expr.range.id)?.kind === 'map'
    const [key, value] = range.type?.params ?? []
    const items: Known = range.items ?? {
      type: isMap ? value : key,
      ...(range.declaration?.items ? { declaration: range.declaration.items } : {}),
    }
    const keys: Known = { type: key, ...(range.declaration?.keys ? { declaration: range.declaration.keys } : {}) }
    const isTwo = expr.variable2 !== undefined
    const position: Known = { type: undefined, size: exactly(1) }
    const first = isMap ? keys : isTwo ? position : items
    const scope: Scope = { name: expr.variable, value: first, outer }
    return expr.variable2 === undefined ? scope : { name: expr.variable2, value: items, outer: scope }
  }

  /** What a loop makes: how many items at most, and what they can be. */
  #result(expr: Comprehension, range: Estimated, looping: Scope): Partial<Estimated> {
    const { form } = expr
    const size = atLeast(0, sizeEstimate(range).max)
    switch (form.name) {
      case 'filter':
        return {
          size,
          ...(range.declaration?.items ? { items: looping.value } : range.items ? { items: range.items } : {}),
        }
      case 'map':
      case 'transformList': {
        const { cost: _, ...items } = this.of(form.transform, looping)
        return { size, items }
      }
      case 'transformMap':
      case 'transformMapEntry':
        return { size }
      default:
        return { size: exactly(1) }
    }
  }
}

/** Logic runs its right side only when it must, a condition only one of its branches. */
function branching(name: string, [first, second, third]: readonly Estimated[]): Omit<Estimated, 'type'> | undefined {
  if (!first || !second) return undefined
  if (name === '_&&_' || name === '_||_') {
    return { cost: { min: first.cost.min, max: first.cost.max + second.cost.max }, size: exactly(1) }
  }
  if (name !== '_?_:_' || !third) return undefined
  const size = union(sizeEstimate(second), sizeEstimate(third))
  return { cost: add(first.cost, union(second.cost, third.cost)), size }
}

/** An item of a list, an entry of a map, or an optional field. */
function indexing(expr: Call, [first]: readonly Estimated[], below: Range): Omit<Estimated, 'type'> | undefined {
  if (!first || !['_[_]', '_[?_]', '_?._'].includes(expr.name)) return undefined
  const key = expr.name === '_?._' && expr.args[1]?.kind === 'literal' ? expr.args[1].value : undefined
  const declaration = typeof key === 'string' ? memberOf(first, key) : first.declaration?.items
  const { type: _, ...items } = first.items ?? { type: undefined }
  return { cost: add(below, exactly(1)), ...items, ...(declaration ? { declaration } : {}) }
}

function memberOf({ declaration }: Known, field: string): Declaration | undefined {
  return declaration?.fields?.get(field) ?? declaration?.items
}

/** What is known of all items of a list literal. */
function widest(items: readonly Estimated[]): Known {
  const size = items.map(sizeEstimate).reduce(union)
  return { type: items[0]?.type, size }
}
