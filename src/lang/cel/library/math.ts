import { EvaluationError, noSuchOverload } from '../error.ts'
import type { Expr } from '../syntax/ast.ts'
import { SyntaxFailure } from '../syntax/lexer.ts'
import { isNamespace, type Macro } from '../syntax/macro.ts'
import { orderOf } from '../value/compare.ts'
import { Double } from '../value/double.ts'
import { fromBigInt, type Int } from '../value/integer.ts'
import { type ListValue, listItems } from '../value/list.ts'
import { toUint, Uint } from '../value/uint.ts'
import { type Library, overload, type Overload } from './library.ts'

/** Literals that can never be numbers are refused while parsing. */
function canBeNumber(expr: Expr): boolean {
  if (expr.kind === 'literal') return expr.type === 'int' || expr.type === 'uint' || expr.type === 'double'
  return expr.kind !== 'list' && expr.kind !== 'map' && expr.kind !== 'struct'
}

const isNumberList = (expr: Expr): boolean =>
  expr.kind === 'list' && expr.items.length > 0 && expr.items.every(canBeNumber)

function extremeMacro(name: string, target: string): Macro {
  return {
    name,
    receiver: true,
    arity: 'any',
    expand(nodes, call) {
      if (!isNamespace(call.target, 'math')) return undefined
      const [first] = call.args
      if (!first) throw new SyntaxFailure(call.at, `math.${name}() requires at least one argument`)
      if (call.args.length === 1 && !canBeNumber(first) && !isNumberList(first)) {
        throw new SyntaxFailure(first.at, `math.${name}() invalid single argument value`)
      }
      const bad = call.args.length > 1 ? call.args.find((arg) => !canBeNumber(arg)) : undefined
      if (bad) throw new SyntaxFailure(bad.at, `math.${name}() simple literal arguments must be numeric`)
      const args = call.args.length > 2 ? [nodes.list(call.at, call.args)] : call.args
      return nodes.call(call.at, target, args)
    },
  }
}

const extreme =
  (wanted: -1 | 1, name: string) =>
  (values: readonly unknown[]): unknown => {
    if (values.length === 0) throw new EvaluationError(`${name}() argument must not be empty`)
    return values.reduce((best, value) => {
      const order = orderOf(value, best)
      if (order === undefined) throw noSuchOverload(name)
      return Math.sign(order) === wanted ? value : best
    })
  }

const NUMBERS = ['int', 'double', 'uint'] as const

function extremes(name: string, wanted: -1 | 1): readonly Overload[] {
  const pick = extreme(wanted, name)
  const id = name.replace('.@', '_@')
  return [
    ...NUMBERS.map((type) => overload(`${id}_${type}`, `${name}(${type}): ${type}`, (value: unknown) => value)),
    ...NUMBERS.flatMap((left) =>
      NUMBERS.map((right) =>
        overload(
          `${id}_${left}_${right}`,
          `${name}(${left}, ${right}): ${left === right ? left : 'dyn'}`,
          (a: unknown, b: unknown) => pick([a, b]),
        ),
      ),
    ),
    ...NUMBERS.map((type) =>
      overload(
        `${id}_list_${type}`,
        `${name}(list<${type}>): ${type}`,
        (list: ListValue) => pick(listItems(list)),
        (list) => listItems(list as ListValue).length,
      ),
    ),
  ]
}

const real =
  (work: (value: number) => number) =>
  ({ value }: Double): Double =>
    new Double(work(value))

/** Halves go away from zero. */
const roundAway = (value: number): number =>
  Number.isFinite(value) ? Math.sign(value) * Math.round(Math.abs(value)) : value

function absInt(value: Int): Int {
  return typeof value === 'number' ? Math.abs(value) : fromBigInt(value < 0n ? -value : value)
}

const signOfInt = (value: Int): Int => (value > 0 ? 1 : value < 0 ? -1 : 0)

function shiftCount(count: Int): bigint {
  if (count < 0) throw new EvaluationError('math.bitShift() negative offset')
  return BigInt(count)
}

const int64 = (value: bigint): Int => fromBigInt(BigInt.asIntN(64, value))
const uint64 = (value: bigint): Uint => toUint(BigInt.asUintN(64, value))

function bits(name: string, work: (a: bigint, b: bigint) => bigint): readonly Overload[] {
  return [
    overload(`math_${name}_int_int`, `math.${name}(int, int): int`, (a: Int, b: Int) =>
      int64(work(BigInt(a), BigInt(b))),
    ),
    overload(`math_${name}_uint_uint`, `math.${name}(uint, uint): uint`, (a: Uint, b: Uint) =>
      uint64(work(a.value, b.value)),
    ),
  ]
}

function shifts(name: string, work: (value: bigint, by: bigint) => bigint): readonly Overload[] {
  return [
    overload(`math_${name}_int_int`, `math.${name}(int, int): int`, (value: Int, by: Int) => {
      const count = shiftCount(by)
      // A right shift of an int does not keep its sign.
      return count > 63n
        ? 0
        : int64(work(name === 'bitShiftRight' ? BigInt.asUintN(64, BigInt(value)) : BigInt(value), count))
    }),
    overload(`math_${name}_uint_int`, `math.${name}(uint, int): uint`, (value: Uint, by: Int) => {
      const count = shiftCount(by)
      return count > 63n ? new Uint(0n) : uint64(work(value.value, count))
    }),
  ]
}

/** Numbers: extremes, rounding, signs, bits. */
export const mathLibrary: Library = {
  name: 'math',
  macros: [extremeMacro('least', 'math.@min'), extremeMacro('greatest', 'math.@max')],
  overloads: [
    ...extremes('math.@min', -1),
    ...extremes('math.@max', 1),
    overload('math_ceil_double', 'math.ceil(double): double', real(Math.ceil)),
    overload('math_floor_double', 'math.floor(double): double', real(Math.floor)),
    overload('math_round_double', 'math.round(double): double', real(roundAway)),
    overload('math_trunc_double', 'math.trunc(double): double', real(Math.trunc)),
    overload('math_isInf_double', 'math.isInf(double): bool', ({ value }: Double) => Math.abs(value) === Infinity),
    overload('math_isNaN_double', 'math.isNaN(double): bool', ({ value }: Double) => Number.isNaN(value)),
    overload('math_isFinite_double', 'math.isFinite(double): bool', ({ value }: Double) => Number.isFinite(value)),
    overload('math_abs_double', 'math.abs(double): double', real(Math.abs)),
    overload('math_abs_int', 'math.abs(int): int', absInt),
    overload('math_abs_uint', 'math.abs(uint): uint', (value: Uint) => value),
    overload('math_sign_double', 'math.sign(double): double', real(Math.sign)),
    overload('math_sign_int', 'math.sign(int): int', signOfInt),
    overload('math_sign_uint', 'math.sign(uint): uint', (value: Uint) => new Uint(value.value > 0n ? 1n : 0n)),
    overload('math_sqrt_double', 'math.sqrt(double): double', real(Math.sqrt)),
    overload('math_sqrt_int', 'math.sqrt(int): double', (value: Int) => new Double(Math.sqrt(Number(value)))),
    overload('math_sqrt_uint', 'math.sqrt(uint): double', (value: Uint) => new Double(Math.sqrt(Number(value.value)))),
    ...bits('bitAnd', (a, b) => a & b),
    ...bits('bitOr', (a, b) => a | b),
    ...bits('bitXor', (a, b) => a ^ b),
    overload('math_bitNot_int_int', 'math.bitNot(int): int', (value: Int) => int64(~BigInt(value))),
    overload('math_bitNot_uint_uint', 'math.bitNot(uint): uint', (value: Uint) => uint64(~value.value)),
    ...shifts('bitShiftLeft', (value, by) => value << by),
    ...shifts('bitShiftRight', (value, by) => value >> by),
  ],
}
