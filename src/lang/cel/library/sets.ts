import { isEqual } from '../value/equal.ts'
import { type ListValue, listItems } from '../value/list.ts'
import { type CostRule, type Library, overload } from './library.ts'

const isSimple = (value: unknown): boolean => typeof value === 'string' || typeof value === 'boolean'

/** Answers whether a list holds a value; strings are looked up. */
function membership(list: ListValue): (value: unknown) => boolean {
  const items = listItems(list)
  const simple = new Set(items.filter(isSimple))
  const others = items.filter((item) => !isSimple(item))
  return (value) => (isSimple(value) ? simple.has(value) : others.some((other) => isEqual(other, value)))
}

function contains(list: ListValue, part: ListValue): boolean {
  const has = membership(list)
  return listItems(part).every(has)
}

const intersects = (a: ListValue, b: ListValue): boolean => listItems(a).some(membership(b))
const equivalent = (a: ListValue, b: ListValue): boolean => contains(a, b) && contains(b, a)

const product: CostRule = (a, b) => listItems(a as ListValue).length * listItems(b as ListValue).length + 1
const twice: CostRule = (a, b, c) => 2 * product(a, b, c) - 1

/** Lists as sets. */
export const setsLibrary: Library = {
  name: 'sets',
  overloads: [
    overload('list_sets_contains_list', 'sets.contains(list<T>, list<T>): bool', contains, product),
    overload('list_sets_equivalent_list', 'sets.equivalent(list<T>, list<T>): bool', equivalent, twice),
    overload('list_sets_intersects_list', 'sets.intersects(list<T>, list<T>): bool', intersects, product),
  ],
}
