import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile, parseIn } from './cel.ts'
import { printExpr } from './syntax/print.ts'
import type { Expr } from './syntax/ast.ts'
import { everything } from './testkit.ts'
import { orderOf } from './value/compare.ts'
import { Double } from './value/double.ts'
import { isEqual } from './value/equal.ts'
import {
  addInt,
  divideInt,
  fromBigInt,
  INT_MAX,
  INT_MIN,
  type Int,
  moduloInt,
  multiplyInt,
  negateInt,
  subtractInt,
} from './value/integer.ts'
import { Uint } from './value/uint.ts'

const int64 = fc.oneof(
  fc.bigInt({ min: INT_MIN, max: INT_MAX }),
  fc.bigInt({ min: -100n, max: 100n }),
  fc.constantFrom(INT_MIN, INT_MAX, 2n ** 53n, 2n ** 53n - 1n, -(2n ** 53n), 0n, 1n, -1n),
)
const inRange = (value: bigint): boolean => value >= INT_MIN && value <= INT_MAX

describe('ints are 64-bit integers', () => {
  const laws: readonly (readonly [string, (a: Int, b: Int) => Int, (a: bigint, b: bigint) => bigint | undefined])[] = [
    ['addition', addInt, (a, b) => a + b],
    ['subtraction', subtractInt, (a, b) => a - b],
    ['multiplication', multiplyInt, (a, b) => a * b],
    ['division', divideInt, (a, b) => (b === 0n ? undefined : a / b)],
    ['remainder', moduloInt, (a, b) => (b === 0n || (a === INT_MIN && b === -1n) ? undefined : a % b)],
  ]
  test.each(laws)('%s agrees with unbounded integers, and refuses what leaves the range', (_name, own, wanted) => {
    fc.assert(
      fc.property(int64, int64, (a, b) => {
        const want = wanted(a, b)
        const run = (): Int => own(fromBigInt(a), fromBigInt(b))
        if (want === undefined || !inRange(want)) return throws(run)
        return Object.is(run(), fromBigInt(want))
      }),
    )
  })

  test('negation', () => {
    fc.assert(
      fc.property(int64, (a) =>
        a === INT_MIN ? throws(() => negateInt(fromBigInt(a))) : Object.is(negateInt(fromBigInt(a)), fromBigInt(-a)),
      ),
    )
  })
})

function throws(run: () => unknown): boolean {
  try {
    run()
    return false
  } catch {
    return true
  }
}

const numbers = fc.oneof(
  int64.map(fromBigInt),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => new Uint(value)),
  fc.double({ noNaN: true }).map((value) => new Double(value)),
  fc.integer({ min: -3, max: 3 }).map((value) => new Double(value)),
)
const texts = fc.string({ unit: fc.constantFrom('a', 'b', '\uffff', '\u{1f600}', '\u{10000}', '\ue000') })

describe('values of one sort are ordered', () => {
  test('equality and order agree, and order turns around', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const order = orderOf(a, b) ?? Number.NaN
        expect(order === 0).toBe(isEqual(a, b))
        expect(Math.sign(orderOf(b, a) ?? Number.NaN) + Math.sign(order)).toBe(0)
      }),
    )
  })

  test('ints and uints are ordered as numbers are', () => {
    const whole = fc.bigInt({ min: 0n, max: INT_MAX })
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        expect(Math.sign(orderOf(fromBigInt(a), new Uint(b)) ?? Number.NaN)).toBe(a < b ? -1 : a > b ? 1 : 0)
      }),
    )
  })

  test('texts are ordered by their code points, as their bytes are', () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const bytes = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(Math.sign(orderOf(a, b) ?? Number.NaN)).toBe(bytes)
      }),
    )
  })
})

/** Expressions that parse, over a handful of names. */
const expression: fc.Arbitrary<string> = fc.letrec<{ expr: string }>((tie) => {
  const expr = tie('expr')
  return {
    expr: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom('1', '-1', '2u', '1.5', "'a'", "b'\\xff'", 'true', 'null', 'x', 'y.z', '[]', '{}'),
      fc
        .tuple(expr, fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '>=', '&&', '||', 'in'), expr)
        .map(([a, op, b]) => `(${a}) ${op} (${b})`),
      fc.tuple(expr, expr, expr).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
      fc.tuple(fc.constantFrom('!', '-'), expr).map(([op, a]) => `${op}(${a})`),
      fc
        .tuple(fc.constantFrom('all', 'exists', 'map', 'filter', 'exists_one'), expr, expr)
        .map(([name, a, b]) => `[1, 2, 3, x].${name}(v, (${a}) == (${b}))`),
      fc.tuple(expr, expr).map(([a, b]) => `[${a}, ${b}].map(x, [x, ${a}])`),
      fc.tuple(expr, expr).map(([a, b]) => `{'k': ${a}, 'l': ${b}}.k`),
      fc.tuple(expr, expr).map(([a, b]) => `cel.bind(x, ${a}, [x, x, ${b}])`),
      expr.map((a) => `lists.range(20).map(i, (${a}))`),
      expr.map((a) => `has({'a': ${a}}.a) && size([${a}]) > 0`),
      fc.tuple(expr, expr).map(([a, b]) => `[${a}][?0].orValue(${b})`),
      fc.tuple(expr, expr).map(([a, b]) => `optional.of(${a}).optMap(o, ${b})`),
      expr.map((a) => `string(${a}).replace('a', 'aaaa').split('a').join('bb')`),
    ),
  }
}).expr

const environment = everything(['x', 'y'])

test('every expression ends, with a value or with a problem, and within its budget', () => {
  fc.assert(
    fc.property(expression, (source) => {
      const program = compile(environment, source, { unchecked: true })
      if (!program.ok) return program.error[0]?.code === 'cel-syntax'
      const outcome = program.value.evaluate({ x: 3, y: { z: 'a' } }, { cost: 20_000, steps: 20_000 })
      return outcome.ok ? outcome.value.cost <= 20_000 : outcome.error[0]?.code.startsWith('cel-') === true
    }),
    { numRuns: 300 },
  )
})

/** What an expression says, without where it stands. */
function shape(expr: Expr): unknown {
  return JSON.parse(
    JSON.stringify(expr, (key, value: unknown) => {
      if (key === 'id' || key === 'at') return undefined
      if (typeof value === 'bigint') return `${value}n`
      return value instanceof Uint8Array ? [...value] : value
    }),
  ) as unknown
}

test('what is printed parses to the same expression', () => {
  fc.assert(
    fc.property(expression, (source) => {
      const ast = parseIn(environment, source)
      if (!ast.ok) return
      const printed = printExpr(ast.value)
      const again = parseIn(environment, printed)
      expect(again.ok && shape(again.value.expr), printed).toEqual(shape(ast.value.expr))
    }),
    { numRuns: 300 },
  )
})
