import { isObject, own } from '../../../lib/json.ts'
import { badValue } from './bad-value.ts'
import { keyElement, valueElement } from './path-element.ts'
import type { ListShape } from './type.ts'

/** The path element of an item of a list that merges item by item: by its keys, or by its value. */
export function elementOf(list: ListShape, item: unknown, path: readonly string[]): string {
  if (list.relation !== 'associative') return badValue(path, 'the type does not say how its items are told apart')
  if (list.keys.length === 0) {
    if (item === null || typeof item === 'object') return badValue(path, `an item of a set must be a scalar`)
    return valueElement(item)
  }
  if (!isObject(item)) return badValue(path, 'an item of a list with keys must be an object')
  const element = keyElement(list.keys, (key) => {
    const value = own(item, key)
    return value === undefined ? (list.defaultOf(key) ?? undefined) : value
  })
  if (element === 'k:{}') return badValue(path, `an item omits all of the keys ${list.keys.join(', ')}`)
  return element
}

/** The elements of all items, in their order. */
export function elementsOf(list: ListShape, items: readonly unknown[], path: readonly string[]): readonly string[] {
  return items.map((item) => elementOf(list, item, path))
}
