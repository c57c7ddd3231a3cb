import { compareStrings } from '../../lib/go-string.ts'
import { sprintf } from './format.ts'
import { valueText } from './print.ts'
import {
  Failure,
  failWith,
  GoComplex,
  GoFunction,
  GoInt,
  GoMap,
  HostObject,
  isList,
  isMap,
  isNilValue,
  GoNamed,
  typeName,
} from './value.ts'

type BasicKind = 'bool' | 'complex' | 'int' | 'uint' | 'float' | 'string' | undefined

function basicKind(value: unknown): BasicKind {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'number':
      return 'float'
    case 'boolean':
      return 'bool'
    default:
      if (value instanceof GoInt) return value.type.kind.startsWith('u') ? 'uint' : 'int'
      if (value instanceof GoNamed) return basicKind(value.value)
      return value instanceof GoComplex ? 'complex' : undefined
  }
}

const plain = (value: unknown): unknown => (value instanceof GoInt || value instanceof GoNamed ? value.value : value)

const isWhole = (kind: BasicKind): boolean => kind === 'int' || kind === 'uint'
const incompatible = (a: unknown, b: unknown): Failure =>
  failWith(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`)

/** The broad kind that Go compares before it compares values which are not basic. */
function shape(value: unknown): string {
  if (isNilValue(value) && (value === null || value === undefined)) return 'nil'
  if (isList(value)) return 'slice'
  if (value instanceof GoMap || isMap(value)) return 'map'
  if (value instanceof GoFunction) return 'func'
  return value instanceof HostObject ? value.type.kind : 'other'
}

function compareOthers(a: unknown, b: unknown): boolean | Failure {
  const left = shape(a)
  const right = shape(b)
  if (left !== right && left !== 'nil' && right !== 'nil') {
    return failWith(`non-comparable types ${sprintf('%s', [a])}: ${typeName(a)}, ${typeName(b)}: ${valueText(b)}`)
  }
  if (isNilValue(a) || isNilValue(b)) return isNilValue(a) === isNilValue(b)
  if (right === 'slice' || right === 'map' || right === 'func') {
    return failWith(`non-comparable type ${sprintf('%s', [b])}: ${typeName(b)}`)
  }
  if (right === 'struct' && a instanceof HostObject && b instanceof HostObject) {
    return a.type === b.type && valueText(a) === valueText(b)
  }
  return a === b
}

function equalPair(a: unknown, b: unknown): boolean | Failure {
  const left = basicKind(a)
  const right = basicKind(b)
  if (left !== right) {
    if (isWhole(left) && isWhole(right)) return plain(a) === plain(b)
    const isNil = a === null || a === undefined || b === null || b === undefined
    return isNil ? false : incompatible(a, b)
  }
  if (left === undefined) return compareOthers(a, b)
  if (a instanceof GoComplex && b instanceof GoComplex) return a.real === b.real && a.imaginary === b.imaginary
  return plain(a) === plain(b)
}

/** `eq`: whether the first argument equals any of the others. */
export function equalAny(a: unknown, others: readonly unknown[]): boolean | Failure {
  if (others.length === 0) return failWith('missing argument for comparison')
  for (const other of others) {
    const equal = equalPair(a, other)
    if (equal !== false) return equal
  }
  return false
}

/** `lt`. */
export function lessThan(a: unknown, b: unknown): boolean | Failure {
  const left = basicKind(a)
  const right = basicKind(b)
  if (!left || !right) return failWith('invalid type for comparison')
  if (left !== right && !(isWhole(left) && isWhole(right))) return incompatible(a, b)
  if (left === 'bool' || left === 'complex') return failWith('invalid type for comparison')
  const x = plain(a)
  const y = plain(b)
  if (typeof x === 'string' && typeof y === 'string') return compareStrings(x, y) < 0
  return (x as number | bigint) < (y as number | bigint) // the kinds above leave only numbers
}

/** `le`. */
export function lessOrEqual(a: unknown, b: unknown): boolean | Failure {
  const less = lessThan(a, b)
  return less === false ? equalAny(a, [b]) : less
}

const negate = (answer: boolean | Failure): boolean | Failure => (answer instanceof Failure ? answer : !answer)

/** `ne`. */
export const notEqual = (a: unknown, b: unknown): boolean | Failure => negate(equalAny(a, [b]))

/** `gt`. */
export const greaterThan = (a: unknown, b: unknown): boolean | Failure => negate(lessOrEqual(a, b))

/** `ge`. */
export const greaterOrEqual = (a: unknown, b: unknown): boolean | Failure => negate(lessThan(a, b))
