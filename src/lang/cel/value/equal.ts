import { CelObject } from './boxed.ts'
import { Double } from './double.ts'
import { Duration } from './duration.ts'
import { kindOf } from './kind.ts'
import { type ListValue, listItems, listSize, ListView } from './list.ts'
import { type MapValue, mapGet, mapKeys, mapSize } from './map.ts'
import { Optional } from './optional.ts'
import { Timestamp } from './timestamp.ts'
import { TypeValue } from './type-value.ts'
import { Uint } from './uint.ts'

/** Below zero, zero or above, as two numbers are ordered. A double next to a 64-bit integer takes that integer rounded to a double. */
export function compareNumbers(left: number | bigint, right: number | bigint, isRounded: boolean): number {
  if (isRounded) {
    left = Number(left)
    right = Number(right)
  }
  return left < right ? -1 : left > right ? 1 : 0
}

/** The number a numeric value stands for, or undefined. */
export function numberOf(value: unknown): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  if (value instanceof Double || value instanceof Uint) return value.value
  return undefined
}

/** CEL equality: numbers by value whatever their type, containers by content, values of different types are unequal. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' && typeof b !== 'object') return a === b
  if (a === null || b === null) return a === b
  const number = numberOf(a)
  if (number !== undefined) {
    const other = numberOf(b)
    if (other === undefined || Number.isNaN(number) || Number.isNaN(other)) return false
    return compareNumbers(number, other, a instanceof Double || b instanceof Double) === 0
  }
  return isEqualObject(a, b)
}

function isEqualObject(a: unknown, b: unknown): boolean {
  const kind = kindOf(a)
  if (kind !== kindOf(b)) return false
  switch (kind) {
    case 'list':
      // The kind was just looked at; likewise below.
      return isEqualList(a as ListValue, b as ListValue)
    case 'map':
      return isEqualMap(a as MapValue, b as MapValue)
    case 'bytes':
      return compareBytes(a as Uint8Array, b as Uint8Array) === 0
    case 'object':
      return a instanceof CelObject && a.equals(b)
    case 'optional':
      return a instanceof Optional && b instanceof Optional && isEqualOptional(a, b)
    case 'type':
      return a instanceof TypeValue && b instanceof TypeValue && a.type.name === b.type.name
    case 'duration':
      return a instanceof Duration && b instanceof Duration && a.nanos === b.nanos
    case 'timestamp':
      return a instanceof Timestamp && b instanceof Timestamp && a.nanos === b.nanos
    default:
      return a === b
  }
}

const isEqualOptional = (a: Optional, b: Optional): boolean =>
  a.present === b.present && (!a.present || isEqual(a.value, b.value))

function isEqualList(a: ListValue, b: ListValue): boolean {
  if (a instanceof ListView && a.equalTo) return a.equalTo(b)
  if (listSize(a) !== listSize(b)) return false
  const [left, right] = [listItems(a), listItems(b)]
  for (let index = 0; index < left.length; index++) {
    if (!isEqual(left[index], right[index])) return false
  }
  return true
}

function isEqualMap(a: MapValue, b: MapValue): boolean {
  if (mapSize(a) !== mapSize(b)) return false
  for (const key of mapKeys(a)) {
    const other = mapGet(b, key)
    if (other === undefined || !isEqual(mapGet(a, key), other)) return false
  }
  return true
}

/** Byte by byte; a prefix comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** By code points, which differs from JavaScript's order for characters beyond U+FFFF. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)]
    if (left === right) continue
    const [leftSurrogate, rightSurrogate] = [(left & 0xf800) === 0xd800, (right & 0xf800) === 0xd800]
    if (leftSurrogate !== rightSurrogate) return leftSurrogate ? 1 : -1
    return left - right
  }
  return a.length - b.length
}
