import { Boxed } from './boxed.ts'
import { fromJsonNumber } from './json.ts'

/** A JSON array whose items are read through a schema. */
export abstract class ListView extends Boxed {
  readonly kind = 'list' as const
  abstract readonly size: number
  abstract at(index: number): unknown
  /** Every item adapted once; what lies below stays lazy. */
  abstract items(): readonly unknown[]
  /** Equality of a list that is a set or a map; others compare item by item. */
  equalTo?(other: ListValue): boolean
  /** `+` of a list that is a set or a map; others are joined. */
  plus?(other: ListValue): readonly unknown[]
}

export type ListValue = readonly unknown[] | ListView

export const isList = (value: unknown): value is ListValue => Array.isArray(value) || value instanceof ListView

export const listSize = (list: ListValue): number => (list instanceof ListView ? list.size : list.length)

/** An item, or undefined outside the bounds. */
export function listAt(list: ListValue, index: number): unknown {
  if (list instanceof ListView) return list.at(index)
  const item = list[index]
  return typeof item === 'number' ? fromJsonNumber(item) : item
}

/** The items as they are held; adaptItem makes each a CEL value. */
export const rawItems = (list: ListValue): readonly unknown[] => (list instanceof ListView ? list.items() : list)

export const adaptItem = (item: unknown): unknown => (typeof item === 'number' ? fromJsonNumber(item) : item)

/** The items as CEL values. */
export function listItems(list: ListValue): readonly unknown[] {
  if (list instanceof ListView) return list.items()
  for (let index = 0; index < list.length; index++) {
    const item = list[index]
    if (typeof item === 'number' && !Number.isSafeInteger(item)) {
      return list.map((each) => (typeof each === 'number' ? fromJsonNumber(each) : each))
    }
  }
  return list
}
