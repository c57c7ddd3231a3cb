import { own, setOwn } from '../../lib/json.ts'
import { JmesPathError } from './error.ts'
import { callFunction, type JmesPathFunctions } from './function.ts'
import type { Comparator, Node } from './node.ts'
import type { Run } from './run.ts'
import { sliceOf } from './slice.ts'
import { type Closure, isData, isFalsy, isSame, Missing, Reference, settled } from './value.ts'

const identity: Closure = (value) => value

function field(name: string, offset: number): Closure {
  const missing = new Missing(name, offset)
  if (name === '__proto__') return (value) => (isData(value) ? (own(value, name) ?? nothing(value, missing)) : null)
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !isData(value)) return null
    const found = value[name]
    if (found === undefined || found === null) return nothing(value, missing)
    // What objects inherit are functions, or the constructor's: never data.
    return typeof found !== 'function' || Object.hasOwn(value, name) ? found : missing
  }
}

const nothing = (value: Readonly<Record<string, unknown>>, missing: Missing): unknown =>
  Object.hasOwn(value, missing.key) ? null : missing

function index(at: number): Closure {
  return (value) => (Array.isArray(value) ? (value.at(at) ?? null) : null)
}

/** What a part that may fail is worth where upstream forgives every failure but an exhausted budget. */
function forgiving(part: Closure): Closure {
  return (value, run) => {
    try {
      return settled(part(value, run))
    } catch (error) {
      if (error instanceof JmesPathError && error.code === 'jmespath-evaluation-failed') return null
      throw error
    }
  }
}

function comparison(by: Comparator, left: Closure, right: Closure): Closure {
  if (by === '==') return (value, run) => isSame(settled(left(value, run)), settled(right(value, run)), run)
  if (by === '!=') return (value, run) => !isSame(settled(left(value, run)), settled(right(value, run)), run)
  const holds = orders[by]
  return (value, run) => {
    const a = left(value, run)
    const b = right(value, run)
    return typeof a === 'number' && typeof b === 'number' ? holds(a, b) : null
  }
}

const orders: Readonly<Record<Exclude<Comparator, '==' | '!='>, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

function flatten(left: Closure): Closure {
  const inner = forgiving(left)
  return (value, run) => {
    const list = inner(value, run)
    if (!Array.isArray(list)) return null
    const flat: unknown[] = []
    for (const item of list) {
      if (!Array.isArray(item)) {
        flat.push(item)
        continue
      }
      run.charge(item.length)
      for (const below of item) flat.push(below)
    }
    run.charge(list.length)
    return flat
  }
}

function project(list: readonly unknown[], right: Closure, run: Run): readonly unknown[] {
  run.charge(list.length)
  const collected: unknown[] = []
  for (const item of list) {
    const found = right(item, run)
    if (found !== null && found !== undefined && !(found instanceof Missing)) collected.push(found)
  }
  return collected
}

function listProjection(left: Closure, right: Closure): Closure {
  return (value, run) => {
    const list = left(value, run)
    return Array.isArray(list) ? project(list, right, run) : null
  }
}

/**
 * Upstream also applies the right side to one null for each value (kyverno/go-jmespath 95e59c1, interpreter.go), so that
 * `*.type(@)` gives a "null" for each value before the types of the values.
 */
function objectProjection(left: Closure, right: Closure, isNullBlind: boolean): Closure {
  const inner = forgiving(left)
  return (value, run) => {
    const object = inner(value, run)
    if (!isData(object)) return null
    const values = Object.values(object)
    return project(isNullBlind ? values : [...values.map(() => null), ...values], right, run)
  }
}

/** Tells whether a right side makes nothing of null, so that the extra nulls of an object projection cannot be seen. */
function isNullBlind(node: Node): boolean {
  switch (node.kind) {
    case 'current':
    case 'field':
    case 'index':
    case 'list':
    case 'hash':
    case 'slice':
      return true
    case 'sub':
      return isNullBlind(node.left) && isNullBlind(node.right)
    case 'list-projection':
    case 'object-projection':
    case 'filter':
    case 'flatten':
      return isNullBlind(node.left)
    default:
      return false
  }
}

function filter(left: Closure, condition: Closure, right: Closure): Closure {
  const inner = forgiving(left)
  return (value, run) => {
    const list = inner(value, run)
    if (!Array.isArray(list)) return null
    run.charge(list.length)
    const collected: unknown[] = []
    for (const item of list) {
      if (isFalsy(condition(item, run))) continue
      const found = right(item, run)
      if (found !== null && found !== undefined && !(found instanceof Missing)) collected.push(found)
    }
    return collected
  }
}

function variable(name: string, offset: number): Closure {
  return (_value, { variables }) => {
    if (variables?.has(name)) return variables.get(name) ?? null
    throw new JmesPathError('jmespath-evaluation-failed', `no variable is called $${name}`, offset)
  }
}

function multiList(items: readonly Closure[]): Closure {
  return (value, run) => {
    if (value === null || value === undefined) return null
    run.charge(items.length)
    return items.map((item) => settled(item(value, run)) ?? null)
  }
}

function multiHash(entries: readonly (readonly [string, Closure])[]): Closure {
  return (value, run) => {
    if (value === null || value === undefined) return null
    run.charge(entries.length)
    const made: Record<string, unknown> = {}
    for (const [key, part] of entries) setOwn(made, key, settled(part(value, run)) ?? null)
    return made
  }
}

function call(name: string, args: readonly Closure[], functions: JmesPathFunctions, offset: number): Closure {
  const fn = functions.get(name)
  return (value, run) => {
    run.charge(1)
    const given = args.map((arg) => settled(arg(value, run)) ?? null)
    if (!fn) throw new JmesPathError('jmespath-evaluation-failed', `no function is called ${name}()`, offset)
    try {
      return callFunction(name, fn, given, run)
    } catch (error) {
      if (!(error instanceof JmesPathError) || error.offset !== undefined) throw error
      throw new JmesPathError(error.code, error.message, offset)
    }
  }
}

function both(node: { readonly left: Node; readonly right: Node }, functions: JmesPathFunctions): [Closure, Closure] {
  return [compile(node.left, functions), compile(node.right, functions)]
}

function compileChain(
  node: Extract<Node, { kind: 'sub' | 'pipe' | 'or' | 'and' }>,
  functions: JmesPathFunctions,
): Closure {
  const [left, right] = both(node, functions)
  switch (node.kind) {
    case 'sub':
      return (value, run) => {
        const found = left(value, run)
        return found instanceof Missing ? found : right(found, run)
      }
    case 'pipe':
      return (value, run) => settled(right(settled(left(value, run)), run))
    case 'or':
      return (value, run) => {
        const found = settled(left(value, run))
        return isFalsy(found) ? settled(right(value, run)) : found
      }
    case 'and':
      return (value, run) => {
        const found = settled(left(value, run))
        return isFalsy(found) ? found : right(value, run)
      }
  }
}

type Leaf = Extract<Node, { kind: 'current' | 'field' | 'index' | 'variable' | 'slice' | 'literal' }>

/** What has nothing below it; undefined for every other node. */
function compileLeaf(node: Node): Closure | undefined {
  switch (node.kind) {
    case 'current':
      return identity
    case 'field':
      return field(node.name, node.offset)
    case 'index':
      return index(node.index)
    case 'variable':
      return variable(node.name, node.offset)
    case 'slice': {
      const { parts } = node
      return (value, run) => {
        if (!Array.isArray(value)) return null
        run.charge(value.length)
        return sliceOf(value, parts)
      }
    }
    case 'literal': {
      const { value } = node
      return () => value
    }
    default:
      return undefined
  }
}

function compileProjection(
  node: Extract<Node, { kind: 'flatten' | 'list-projection' | 'object-projection' | 'filter' }>,
  functions: JmesPathFunctions,
): Closure {
  switch (node.kind) {
    case 'flatten':
      return flatten(compile(node.left, functions))
    case 'list-projection':
      return listProjection(...both(node, functions))
    case 'object-projection':
      return objectProjection(...both(node, functions), isNullBlind(node.right))
    case 'filter':
      return filter(compile(node.left, functions), compile(node.condition, functions), compile(node.right, functions))
  }
}

/** Turns a tree into closures. */
export function compile(node: Node, functions: JmesPathFunctions): Closure {
  const leaf = compileLeaf(node)
  if (leaf) return leaf
  const inner = node as Exclude<Node, Leaf> // leaves have returned
  switch (inner.kind) {
    case 'sub':
    case 'pipe':
    case 'or':
    case 'and':
      return compileChain(inner, functions)
    case 'not': {
      const operand = compile(inner.operand, functions)
      return (value, run) => isFalsy(operand(value, run))
    }
    case 'compare':
      return comparison(inner.by, ...both(inner, functions))
    case 'flatten':
    case 'list-projection':
    case 'object-projection':
    case 'filter':
      return compileProjection(inner, functions)
    case 'list':
      return multiList(inner.items.map((item) => compile(item, functions)))
    case 'hash':
      return multiHash(inner.entries.map(({ key, value }) => [key, compile(value, functions)] as const))
    case 'reference': {
      const reference = new Reference(compile(inner.body, functions))
      return () => reference
    }
    case 'call':
      return call(
        inner.name,
        inner.args.map((arg) => compile(arg, functions)),
        functions,
        inner.offset,
      )
  }
}
