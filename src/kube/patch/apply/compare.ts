import { isEqual, isObject } from '../../../lib/json.ts'
import { elementsOf } from './list-element.ts'
import { fieldElement } from './path-element.ts'
import { PathSet } from './path-set.ts'
import { type MapShape, sameShape, settle, type Shape, shapeOf, type Type } from './type.ts'
import { badValue, scalarProblem } from './bad-value.ts'

/** What differs between two values of a type. No path is in two of the sets. */
export interface Comparison {
  readonly removed: PathSet
  readonly modified: PathSet
  readonly added: PathSet
}

/** Compares two values of a type. Parts that are the same reference are not looked at. */
export function compare(type: Type, before: unknown, after: unknown): Comparison {
  const comparer = new Comparer()
  comparer.compare(type, before, after)
  return comparer
}

class Comparer implements Comparison {
  readonly removed: PathSet = new PathSet()
  readonly modified: PathSet = new PathSet()
  readonly added: PathSet = new PathSet()
  readonly #path: string[] = []

  /** `undefined` is a side that does not have the value; null is a value. */
  compare(type: Type | undefined, before: unknown, after: unknown): void {
    if (before === after) return
    if (!type) return badValue(this.#path, 'the schema has no type for this value')
    const left = shapeOf(type, before)
    const right = shapeOf(type, after)
    let isLeaf: boolean
    if (after === undefined) {
      isLeaf = this.#as(left, type, before, after)
    } else {
      if (before !== undefined && !sameShape(type, left, right)) this.#as(left, type, before, after)
      isLeaf = this.#as(right, type, before, after)
    }
    if (isLeaf) return
    if (before === undefined) this.added.insert(this.#path)
    else if (after === undefined) this.removed.insert(this.#path)
  }

  /** Compares as one shape, and answers whether the value is a leaf. */
  #as(shape: Shape, type: Type, before: unknown, after: unknown): boolean {
    switch (settle(type, shape)) {
      case 'map':
        return this.#asMap(type, before, after)
      case 'list':
        return this.#asList(type, before, after)
      case 'scalar': {
        const problem = scalarProblem(type, after)
        if (problem !== undefined && scalarProblem(type, before) !== undefined) badValue(this.#path, problem)
        return this.#asLeaf(before, after)
      }
      case undefined:
        return badValue(this.#path, 'the schema has no type for this value')
    }
  }

  #asLeaf(before: unknown, after: unknown): true {
    if (before === undefined) this.added.insert(this.#path)
    else if (after === undefined) this.removed.insert(this.#path)
    else if (!isEqual(before, after)) this.modified.insert(this.#path)
    return true
  }

  #asMap({ map }: Type, before: unknown, after: unknown): boolean {
    const left = isObject(before) ? before : undefined
    const right = isObject(after) ? after : undefined
    const leftNames = left ? Object.keys(left) : []
    const rightNames = right ? Object.keys(right) : []
    // Two sides that are both empty or null are a leaf: this keeps the difference between empty and null.
    if (!map || map.isAtomic || (leftNames.length === 0 && rightNames.length === 0)) return this.#asLeaf(before, after)
    for (const name of leftNames) {
      const there = right && (Object.hasOwn(right, name) ? right[name] : absent(map, name))
      this.#below(fieldElement(name), map.typeOf(name), left?.[name], there)
    }
    for (const name of rightNames) {
      if (left && Object.hasOwn(left, name)) continue
      this.#below(fieldElement(name), map.typeOf(name), left && absent(map, name), right?.[name])
    }
    return false
  }

  #below(element: string, type: Type | undefined, before: unknown, after: unknown): void {
    if (before === after) return
    this.#path.push(element)
    this.compare(type, before, after)
    this.#path.pop()
  }

  #asList(type: Type, before: unknown, after: unknown): boolean {
    const left: readonly unknown[] = Array.isArray(before) ? before : []
    const right: readonly unknown[] = Array.isArray(after) ? after : []
    const { list } = type
    if (!list || list.relation === 'atomic' || (left.length === 0 && right.length === 0)) {
      return this.#asLeaf(before, after)
    }
    const leftItems = byElement(elementsOf(list, left, this.#path), left)
    const rightItems = byElement(elementsOf(list, right, this.#path), right)
    for (const [element, items] of leftItems) {
      this.#items(element, list.element, items, rightItems.get(element) ?? none)
    }
    for (const [element, items] of rightItems) {
      if (!leftItems.has(element)) this.#items(element, list.element, none, items)
    }
    return false
  }

  /** Items that repeat an element are compared as one value, and owned as one. */
  #items(element: string, type: Type | undefined, left: readonly unknown[], right: readonly unknown[]): void {
    if (left.length <= 1 && right.length <= 1) {
      this.#below(element, type, left[0], right[0])
    } else if (left.length >= 2 && right.length >= 2) {
      if (!isEqual(left, right)) this.modified.insert([...this.#path, element])
    } else if (left.length >= 2) {
      if (right.length === 1) this.#below(element, type, undefined, right[0])
      this.removed.insert([...this.#path, element])
    } else {
      if (left.length === 1) this.#below(element, type, left[0], undefined)
      this.added.insert([...this.#path, element])
    }
  }
}

const none: readonly unknown[] = []
const empty: Readonly<Record<string, unknown>> = {}

/** What stands for a field that an object does not have. */
function absent(map: MapShape, name: string): unknown {
  if (!map.isAlwaysThere(name)) return undefined
  return map.typeOf(name)?.list ? null : empty
}

function byElement(elements: readonly string[], items: readonly unknown[]): ReadonlyMap<string, readonly unknown[]> {
  const found = new Map<string, unknown[]>()
  for (const [index, element] of elements.entries()) {
    const known = found.get(element)
    if (known) known.push(items[index])
    else found.set(element, [items[index]])
  }
  return found
}
