import { equalityCost, sizeOf, STRING_FACTOR } from '../cost/size.ts'
import { EvaluationError, noSuchOverload } from '../error.ts'
import { compare } from '../value/compare.ts'
import { Double } from '../value/double.ts'
import { Duration, toDuration } from '../value/duration.ts'
import { isEqual } from '../value/equal.ts'
import { addInt, divideInt, type Int, isInt, moduloInt, multiplyInt, negateInt, subtractInt } from '../value/integer.ts'
import { isList, listItems, type ListValue, ListView } from '../value/list.ts'
import { kindOf } from '../value/kind.ts'
import { type MapValue, mapHas } from '../value/map.ts'
import { Timestamp, toTimestamp } from '../value/timestamp.ts'
import { toUint, Uint } from '../value/uint.ts'
import type { Node, Run } from './run.ts'

const MAX_LENGTH = 64 * 1024 * 1024

/** How two numbers of one type combine. */
interface Arithmetic {
  readonly name: string
  readonly int: (a: Int, b: Int) => Int
  readonly uint: (a: bigint, b: bigint) => bigint
  readonly double?: (a: number, b: number) => number
  /** Other types that have the operator. */
  readonly other?: (a: unknown, b: unknown, run: Run) => unknown
}

function arithmetic({ name, int, uint, double, other }: Arithmetic, left: Node, right: Node): Node {
  return (run) => {
    const a = left(run)
    const b = right(run)
    if (isInt(a) && isInt(b)) {
      run.cost++
      return int(a, b)
    }
    if (double && a instanceof Double && b instanceof Double) {
      run.cost++
      return new Double(double(a.value, b.value))
    }
    if (a instanceof Uint && b instanceof Uint) {
      run.cost++
      return toUint(uint(a.value, b.value))
    }
    const result = other?.(a, b, run)
    if (result === undefined) throw noSuchOverload(name)
    return result
  }
}

/** A list joined from two, without copying what a long chain has joined before more often than needed. */
function joinLists(a: ListValue, b: ListValue): readonly unknown[] {
  const [left, right] = [listItems(a), listItems(b)]
  if (left.length === 0) return right
  return right.length === 0 ? left : left.concat(right)
}

function add(a: unknown, b: unknown, run: Run): unknown {
  if (typeof a === 'string' && typeof b === 'string') {
    run.charge(Math.ceil((a.length + b.length) * STRING_FACTOR))
    if (a.length + b.length > MAX_LENGTH) throw new EvaluationError('the string would be too long')
    return a + b
  }
  if (isList(a) && isList(b)) {
    run.charge(1)
    run.steps -= sizeOf(a) + sizeOf(b)
    run.turn()
    return a instanceof ListView && a.plus ? a.plus(b) : joinLists(a, b)
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    run.charge(Math.ceil((a.length + b.length) * STRING_FACTOR))
    if (a.length + b.length > MAX_LENGTH) throw new EvaluationError('the bytes would be too long')
    const joined = new Uint8Array(a.length + b.length)
    joined.set(a)
    joined.set(b, a.length)
    return joined
  }
  run.cost++
  if (a instanceof Duration) {
    if (b instanceof Duration) return toDuration(a.nanos + b.nanos)
    if (b instanceof Timestamp) return toTimestamp(a.nanos + b.nanos)
  }
  if (a instanceof Timestamp && b instanceof Duration) return toTimestamp(a.nanos + b.nanos)
  return undefined
}

function subtract(a: unknown, b: unknown, run: Run): unknown {
  run.cost++
  if (a instanceof Duration && b instanceof Duration) return toDuration(a.nanos - b.nanos)
  if (a instanceof Timestamp) {
    if (b instanceof Duration) return toTimestamp(a.nanos - b.nanos)
    if (b instanceof Timestamp) return toDuration(a.nanos - b.nanos)
  }
  return undefined
}

function divideUint(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new EvaluationError('division by zero')
  return a / b
}

function moduloUint(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new EvaluationError('modulus by zero')
  return a % b
}

const arithmetics: readonly Arithmetic[] = [
  { name: '_+_', int: addInt, uint: (a, b) => a + b, double: (a, b) => a + b, other: add },
  { name: '_-_', int: subtractInt, uint: (a, b) => a - b, double: (a, b) => a - b, other: subtract },
  { name: '_*_', int: multiplyInt, uint: (a, b) => a * b, double: (a, b) => a * b },
  { name: '_/_', int: divideInt, uint: divideUint, double: (a, b) => a / b },
  { name: '_%_', int: moduloInt, uint: moduloUint },
]

function equality(left: Node, right: Node, wanted: boolean): Node {
  return (run) => {
    const a = left(run)
    const b = right(run)
    if (typeof a !== 'object' && typeof b !== 'object') {
      run.cost +=
        typeof a === 'string' && typeof b === 'string' ? Math.ceil(Math.min(a.length, b.length) * STRING_FACTOR) : 1
      return (a === b) === wanted
    }
    run.charge(equalityCost(a, b))
    return isEqual(a, b) === wanted
  }
}

/** Equality with a literal, which needs no look at its type again. */
export function equalsConstant(operand: Node, constant: unknown, isWanted: boolean): Node {
  const length = typeof constant === 'string' ? constant.length : 0
  return (run) => {
    const value = operand(run)
    if (typeof value === 'string') {
      run.cost += Math.ceil(Math.min(value.length, length) * STRING_FACTOR)
      return (value === constant) === isWanted
    }
    run.cost++
    return (typeof value === 'object' ? isEqual(value, constant) : value === constant) === isWanted
  }
}

/** What an ordering operator answers below, at and above zero. */
interface Ordering {
  readonly name: string
  readonly below: boolean
  readonly same: boolean
}

function ordering({ name, below, same }: Ordering, left: Node, right: Node): Node {
  return (run) => {
    const a = left(run)
    const b = right(run)
    if (typeof a === 'number' && typeof b === 'number') {
      run.cost++
      return a === b ? same : a < b === below
    }
    run.cost += typeof a === 'string' || a instanceof Uint8Array ? equalityCost(a, b) : 1
    const order = compare(a, b, name)
    return order === 0 ? same : order < 0 === below
  }
}

const orderings: readonly Ordering[] = [
  { name: '_<_', below: true, same: false },
  { name: '_<=_', below: true, same: true },
  { name: '_>_', below: false, same: false },
  { name: '_>=_', below: false, same: true },
]

function contains(left: Node, right: Node): Node {
  return (run) => {
    const item = left(run)
    const container = right(run)
    if (isList(container)) {
      const items = listItems(container)
      run.charge(items.length)
      if (typeof item !== 'object' && typeof item !== 'number') return items.includes(item)
      return items.some((candidate) => isEqual(item, candidate))
    }
    run.cost++
    if (kindOf(container) !== 'map') throw noSuchOverload('@in')
    // The kind was just looked at.
    return mapHas(container as MapValue, item)
  }
}

/** Membership in a list that is written out: scalars are looked up, which costs nothing. */
export function inConstant(item: Node, list: readonly unknown[]): Node {
  const scalars = new Set(list.filter((value) => typeof value !== 'object'))
  const others = list.filter((value) => typeof value === 'object')
  return (run) => {
    const value = item(run)
    if (typeof value !== 'object') return scalars.has(value) || others.some((other) => isEqual(value, other))
    return list.some((candidate) => isEqual(value, candidate))
  }
}

function negate(operand: Node): Node {
  return (run) => {
    const value = operand(run)
    run.cost++
    if (isInt(value)) return negateInt(value)
    if (value instanceof Double) return new Double(-value.value)
    throw noSuchOverload('-_')
  }
}

function not(operand: Node): Node {
  return (run) => {
    const value = operand(run)
    run.cost++
    if (typeof value === 'boolean') return !value
    throw noSuchOverload('!_')
  }
}

/** `a ? b : c`: only the branch that is chosen runs. */
function conditional(condition: Node, yes: Node, no: Node): Node {
  return (run) => {
    const chosen = condition(run)
    if (chosen === true) return yes(run)
    if (chosen === false) return no(run)
    throw noSuchOverload('_?_:_')
  }
}

/** Errors of the evaluation can be absorbed; a used-up budget ends it. */
const isAbsorbable = (error: unknown): boolean => error instanceof EvaluationError || error instanceof RangeError

/** The deciding value among the terms that are left, or the error that came first. */
function absorb(run: Run, error: unknown, deciding: boolean, rest: readonly Node[]): boolean {
  if (!isAbsorbable(error)) throw error
  for (const term of rest) {
    try {
      if (term(run) === deciding) return deciding
    } catch (later) {
      if (!isAbsorbable(later)) throw later
    }
  }
  throw error
}

/** A chain of `&&` or `||`: the deciding value wins wherever it stands, even over an error. */
export function logicNode(name: string, deciding: boolean, terms: readonly Node[]): Node {
  return (run) => {
    let index = 0
    for (const term of terms) {
      index++
      let value: unknown
      try {
        value = term(run)
      } catch (error) {
        return absorb(run, error, deciding, terms.slice(index))
      }
      if (value === deciding) return deciding
      if (typeof value !== 'boolean') return absorb(run, noSuchOverload(name), deciding, terms.slice(index))
    }
    return !deciding
  }
}

type Builder = (args: readonly Node[]) => Node | undefined

const binary =
  (build: (left: Node, right: Node) => Node): Builder =>
  ([left, right]) =>
    left && right && build(left, right)

const unary =
  (build: (operand: Node) => Node): Builder =>
  ([operand]) =>
    operand && build(operand)

/** The operators of the language that run without dispatch, by their function name. */
export const operators: ReadonlyMap<string, Builder> = new Map<string, Builder>([
  ...arithmetics.map((entry) => [entry.name, binary((left, right) => arithmetic(entry, left, right))] as const),
  ...orderings.map((entry) => [entry.name, binary((left, right) => ordering(entry, left, right))] as const),
  ['_==_', binary((left, right) => equality(left, right, true))],
  ['_!=_', binary((left, right) => equality(left, right, false))],
  ['_&&_', (terms) => logicNode('_&&_', false, terms)],
  ['_||_', (terms) => logicNode('_||_', true, terms)],
  ['@in', binary(contains)],
  ['-_', unary(negate)],
  ['!_', unary(not)],
  ['_?_:_', ([condition, yes, no]) => condition && yes && no && conditional(condition, yes, no)],
])
