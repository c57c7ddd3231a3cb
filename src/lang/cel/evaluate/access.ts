import { EvaluationError, noSuchOverload } from '../error.ts'
import { Fields } from '../value/boxed.ts'
import { Double } from '../value/double.ts'
import { type Int, isInt } from '../value/integer.ts'
import { kindOf } from '../value/kind.ts'
import { isList, listAt, listSize } from '../value/list.ts'
import { jsonField, keyText, type MapValue, mapGet } from '../value/map.ts'
import { none, Optional, some } from '../value/optional.ts'
import { Uint } from '../value/uint.ts'
import type { Node } from './run.ts'

type JsonMap = Readonly<Record<string, unknown>>

/** Plain objects are what JSON texts and literals make. */
function isPlain(value: unknown): value is JsonMap {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const noSuchKey = (key: unknown, at: number): EvaluationError => new EvaluationError(`no such key: ${keyText(key)}`, at)

/** A field's value, or undefined when a map has no such key. */
function fieldOf(value: unknown, field: string): unknown {
  if (value instanceof Fields) return value.get(field)
  if (value instanceof Optional) {
    if (!value.present) return none
    if (value.value instanceof Fields) return value.value.has(field) ? some(value.value.get(field)) : none
    const found = fieldOf(value.value, field)
    return found === undefined ? none : some(found)
  }
  // The kind was just looked at.
  if (kindOf(value) === 'map') return mapGet(value as MapValue, field)
  throw noSuchOverload('field selection', ` '${field}'`)
}

function select(value: unknown, field: string, at: number): unknown {
  const found = isPlain(value) ? jsonField(value, field) : fieldOf(value, field)
  if (found === undefined) throw noSuchKey(field, at)
  return found
}

/** One step of a path. */
export interface Step {
  readonly field: string
  readonly at: number
}

/** `base.field.field`: a chain of selections in one closure. */
export function pathNode(base: Node, steps: readonly Step[]): Node {
  const [first, second, third] = steps
  if (first && steps.length === 1) {
    const { field, at } = first
    return (run) => {
      run.cost++
      return select(base(run), field, at)
    }
  }
  if (first && second && !third) {
    return (run) => {
      run.cost += 2
      return select(select(base(run), first.field, first.at), second.field, second.at)
    }
  }
  return (run) => {
    let value = base(run)
    run.cost += steps.length
    for (const { field, at } of steps) value = select(value, field, at)
    return value
  }
}

function hasField(value: unknown, field: string): boolean {
  if (value instanceof Fields) return value.has(field)
  if (value instanceof Optional) return value.present && hasField(value.value, field)
  // The kind was just looked at.
  if (kindOf(value) === 'map') return mapGet(value as MapValue, field) !== undefined
  throw noSuchOverload('has()')
}

/** `has(operand.field)`. */
export function hasNode(operand: Node, field: string): Node {
  return (run) => {
    const value = operand(run)
    return isPlain(value) ? jsonField(value, field) !== undefined : hasField(value, field)
  }
}

/** A list index: an int, or a uint or double that is a whole number. */
function indexNumber(index: unknown): Int {
  if (isInt(index)) return index
  if (index instanceof Uint) return Number(index.value)
  if (index instanceof Double) {
    if (Number.isSafeInteger(index.value)) return index.value
    throw new EvaluationError(`unsupported index value in list: ${index.value}`)
  }
  throw noSuchOverload('_[_]')
}

/** An item or an entry, or undefined when there is none. */
function itemOf(container: unknown, key: unknown): unknown {
  if (isList(container)) {
    const index = indexNumber(key)
    return typeof index === 'number' && index >= 0 && index < listSize(container) ? listAt(container, index) : undefined
  }
  if (isPlain(container)) return typeof key === 'string' ? jsonField(container, key) : undefined
  // The kind was just looked at.
  if (kindOf(container) === 'map') return mapGet(container as MapValue, key)
  if (container instanceof Fields && typeof key === 'string') return container.get(key)
  throw noSuchOverload('_[_]')
}

/** `container[key]`. */
export function indexNode(container: Node, key: Node, at: number): Node {
  return (run) => {
    const value = container(run)
    const index = key(run)
    run.cost++
    const found = value instanceof Optional ? optionalItem(value, index) : itemOf(value, index)
    if (found !== undefined) return found
    throw isList(value) ? new EvaluationError(`index out of bounds: ${keyText(index)}`, at) : noSuchKey(index, at)
  }
}

function optionalItem(container: unknown, key: unknown): Optional {
  if (container instanceof Optional) return container.present ? optionalItem(container.value, key) : none
  if (container instanceof Fields && typeof key === 'string') {
    return container.has(key) ? some(container.get(key)) : none
  }
  const found = itemOf(container, key)
  return found === undefined ? none : some(found)
}

/** `container[?key]` and `operand.?field`: an optional instead of an error. */
export function optionalIndexNode(container: Node, key: Node): Node {
  return (run) => {
    const value = container(run)
    const index = key(run)
    run.cost++
    return optionalItem(value, index)
  }
}
