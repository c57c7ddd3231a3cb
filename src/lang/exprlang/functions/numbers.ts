import { ExprError, isList, type Value } from '../value.ts'
import { count, number, text, whole } from './arguments.ts'
import type { Builtin } from './functions.ts'

const rounded =
  (name: string, round: (value: number) => number): Builtin =>
  (args) => {
    count(name, args, 1)
    return round(number(name, args[0]))
  }

/** Numbers that are arguments, or items of lists among them. */
function spread(name: string, args: readonly Value[]): readonly number[] {
  return args.flatMap((arg) => (isList(arg) ? arg.map((item) => number(name, item)) : [number(name, arg)]))
}

const extreme =
  (name: string, choose: (a: number, b: number) => boolean): Builtin =>
  (args) => {
    const values = spread(name, args)
    if (values.length === 0) {
      if (args.length > 0) return null
      throw new ExprError(`not enough arguments to call ${name}`)
    }
    return values.reduce((best, value) => (choose(value, best) ? value : best))
  }

function parsed(name: string, value: Value, pattern: RegExp): number {
  if (typeof value === 'number') return value
  const source = text(name, value)
  if (!pattern.test(source)) throw new ExprError(`invalid operation: ${name}(${JSON.stringify(source)})`)
  return Number(source)
}

const bits =
  (name: string, act: (a: bigint, b: bigint) => bigint): Builtin =>
  (args) => {
    count(name, args, 2)
    const [a, b] = [whole(name, args[0]), whole(name, args[1])]
    if (name.includes('sh') && (b < 0 || b > 63)) throw new ExprError(`invalid operation: negative shift count ${b}`)
    return Number(BigInt.asIntN(64, act(BigInt(a), BigInt(b))))
  }

/** Half away from zero, as Go rounds. */
const roundHalfAway = (value: number): number => Math.sign(value) * Math.round(Math.abs(value))

/** Functions of numbers. */
export const numbers: readonly (readonly [string, Builtin])[] = [
  ['abs', rounded('abs', Math.abs)],
  ['ceil', rounded('ceil', Math.ceil)],
  ['floor', rounded('floor', Math.floor)],
  ['round', rounded('round', roundHalfAway)],
  ['max', extreme('max', (a, b) => a > b)],
  ['min', extreme('min', (a, b) => a < b)],
  [
    'mean',
    (args) => {
      const values = spread('mean', args)
      return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
    },
  ],
  [
    'median',
    (args) => {
      const values = spread('median', args).toSorted((a, b) => a - b)
      const middle = Math.floor(values.length / 2)
      const upper = values[middle] ?? 0
      return values.length % 2 === 1 ? upper : ((values[middle - 1] ?? 0) + upper) / 2
    },
  ],
  [
    'int',
    (args) => {
      count('int', args, 1)
      return Math.trunc(parsed('int', args[0], /^[+-]?\d+$/))
    },
  ],
  [
    'float',
    (args) => {
      count('float', args, 1)
      return parsed('float', args[0], /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/)
    },
  ],
  ['bitand', bits('bitand', (a, b) => a & b)],
  ['bitor', bits('bitor', (a, b) => a | b)],
  ['bitxor', bits('bitxor', (a, b) => a ^ b)],
  ['bitnand', bits('bitnand', (a, b) => a & ~b)],
  ['bitshl', bits('bitshl', (a, b) => a << b)],
  ['bitshr', bits('bitshr', (a, b) => a >> b)],
  ['bitushr', bits('bitushr', (a, b) => BigInt.asUintN(64, a) >> b)],
  [
    'bitnot',
    (args) => {
      count('bitnot', args, 1)
      return ~whole('bitnot', args[0])
    },
  ],
]
