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

function ordering(name: string, holds: (order: number) => boolean, left: Node, right: Node): Node {
  return (run) => {
    const a = left(run)
    const b = right(run)
    if (typeof a === 'number' && typeof b === 'number') {
      run.cost++
      return holds(a - b)
    }
    run.cost += typeof a === 'string' || a instanceof Uint8Array ? equalityCost(a, b) : 1
    return holds(compare(a, b, name))
  }
}

const orderings: readonly (readonly [string, (order: number) => boolean])[] = [
  ['_<_', (order) => order < 0],
  ['_<=_', (order) => order <= 0],
  ['_>_', (order) => order > 0],
  ['_>=_', (order) => order >= 0],
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

/** `&&` and `||`: the deciding value wins on either side, even over an error. */
function logic(name: string, deciding: boolean, left: Node, right: Node): Node {
  const absorb = (run: Run, error: unknown): unknown => {
    // Only errors of the evaluation can be absorbed: a used-up budget ends it.
    if (!(error instanceof EvaluationError) && !(error instanceof RangeError)) throw error
    if (right(run) === deciding) return deciding
    throw error
  }
  return (run) => {
    let first: unknown
    try {
      first = left(run)
    } catch (error) {
      return absorb(run, error)
    }
    if (first === deciding) return deciding
    if (typeof first !== 'boolean') return absorb(run, noSuchOverload(name))
    const second = right(run)
    if (typeof second !== 'boolean') throw noSuchOverload(name)
    return second
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
  ...orderings.map(([name, holds]) => [name, binary((left, right) => ordering(name, holds, left, right))] as const),
  ['_==_', binary((left, right) => equality(left, right, true))],
  ['_!=_', binary((left, right) => equality(left, right, false))],
  ['_&&_', binary((left, right) => logic('_&&_', false, left, right))],
  ['_||_', binary((left, right) => logic('_||_', true, left, right))],
  ['@in', binary(contains)],
  ['-_', unary(negate)],
  ['!_', unary(not)],
  ['_?_:_', ([condition, yes, no]) => condition && yes && no && conditional(condition, yes, no)],
])
