import { isEqual, isObject, own, setOwn } from '../../../lib/json.ts'
import { elementsOf } from './list-element.ts'
import { fieldElement } from './path-element.ts'
import { type ListShape, type MapShape, settle, shapeOf, type Type } from './type.ts'
import { badValue, scalarProblem } from './bad-value.ts'

/**
 * Merges a configuration into a live value: leaves are the configuration's, nothing is removed, and lists keep the live
 * order where the configuration does not say otherwise. Parts that do not change keep their identity.
 */
export function merge(type: Type, live: unknown, config: unknown): unknown {
  return mergeValue(type, live, config, [])
}

function mergeValue(type: Type | undefined, live: unknown, config: unknown, path: string[]): unknown {
  if (config === undefined || live === config) return live
  if (live === undefined) return config
  if (!type) return badValue(path, 'the schema has no type for this value')
  switch (settle(type, shapeOf(type, config))) {
    case 'map':
      return type.map && mergeMap(type.map, live, config, path)
    case 'list':
      return type.list && mergeList(type.list, live, config, path)
    case 'scalar': {
      const problem = scalarProblem(type, config)
      if (problem !== undefined && scalarProblem(type, live) !== undefined) return badValue(path, problem)
      return leaf(live, config)
    }
    case undefined:
      return badValue(path, 'the schema has no type for this value')
  }
}

const leaf = (live: unknown, config: unknown): unknown => (isEqual(live, config) ? live : config)

function mergeMap(map: MapShape, live: unknown, config: unknown, path: string[]): unknown {
  const left = isObject(live) ? live : {}
  const right = isObject(config) ? config : {}
  const names = Object.keys(right)
  if (map.isAtomic || (names.length === 0 && Object.keys(left).length === 0)) return leaf(live, config)
  let merged: Record<string, unknown> | undefined
  for (const name of names) {
    const seen = own(left, name)
    path.push(fieldElement(name))
    const value = mergeValue(map.typeOf(name), seen, right[name], path)
    path.pop()
    if (value === seen) continue
    merged ??= { ...left }
    setOwn(merged, name, value)
  }
  return merged ?? (isObject(live) ? live : left)
}

function mergeList(list: ListShape, live: unknown, config: unknown, path: string[]): unknown {
  const left: readonly unknown[] = Array.isArray(live) ? live : []
  const right: readonly unknown[] = Array.isArray(config) ? config : []
  if (list.relation === 'atomic' || (left.length === 0 && right.length === 0)) return leaf(live, config)
  const elements = { left: elementsOf(list, left, path), right: elementsOf(list, right, path) }
  const merged = isEqual(elements.left, elements.right)
    ? mergePairs(list, { left, right, elements: elements.left }, path)
    : new ListMerge(list, { left, right, elements }, path).run()
  return merged.length === left.length && merged.every((item, index) => item === left[index]) ? left : merged
}

/** Lists with the same items in the same order need no search. Repeated items are not merged, only replaced. */
function mergePairs(
  list: ListShape,
  { left, right, elements }: { left: readonly unknown[]; right: readonly unknown[]; elements: readonly string[] },
  path: string[],
): readonly unknown[] {
  if (new Set(elements).size < elements.length) badValue(path, 'duplicate entries for key')
  return elements.map((element, index) => {
    path.push(element)
    const item = mergeValue(list.element, left[index], right[index], path)
    path.pop()
    return item
  })
}

interface ListSides {
  readonly left: readonly unknown[]
  readonly right: readonly unknown[]
  readonly elements: { readonly left: readonly string[]; readonly right: readonly string[] }
}

/** Interleaves two lists: items of the configuration in its order, live items in theirs, shared items where both agree. */
class ListMerge {
  readonly #list: ListShape
  readonly #left: readonly unknown[]
  readonly #path: string[]
  readonly #leftElements: readonly string[]
  readonly #rightElements: readonly string[]
  /** The live item of an element; null when several live items have it, as they are not merged with. */
  readonly #leftItems = new Map<string, unknown>()
  readonly #rightItems = new Map<string, unknown>()
  readonly #merged = new Set<string>()
  readonly #out: unknown[] = []
  /** Elements of both sides in the configuration's order, and which of them comes next. */
  readonly #shared: readonly string[]
  #next = 0

  constructor(list: ListShape, { left, right, elements }: ListSides, path: string[]) {
    this.#list = list
    this.#left = left
    this.#path = path
    this.#leftElements = elements.left
    this.#rightElements = elements.right
    for (const [index, element] of this.#rightElements.entries()) {
      if (this.#rightItems.has(element)) badValue([...path, element], 'duplicate entries for key')
      this.#rightItems.set(element, right[index])
    }
    for (const [index, element] of this.#leftElements.entries()) {
      this.#leftItems.set(element, this.#leftItems.has(element) ? null : left[index])
    }
    this.#shared = this.#rightElements.filter((element) => this.#leftItems.has(element))
  }

  run(): readonly unknown[] {
    for (let left = 0, right = 0; left < this.#leftElements.length || right < this.#rightElements.length;) {
      const ours = this.#leftElements[left]
      const theirs = this.#rightElements[right]
      if (ours !== undefined && ours === theirs) {
        this.#take(theirs)
        left++
        right++
        this.#next++
        continue
      }
      const isShared = ours !== undefined && this.#rightItems.has(ours)
      if (isShared && theirs !== undefined && this.#next < this.#shared.length && this.#shared[this.#next] !== ours) {
        // A shared item whose turn has not come: the configuration places it.
        left++
        continue
      }
      if (ours !== undefined && !isShared) {
        this.#out.push(this.#left[left++])
        continue
      }
      if (ours !== undefined && this.#merged.has(ours)) left++
      if (theirs === undefined) continue
      this.#take(theirs)
      right++
      if (this.#shared[this.#next] === theirs) this.#next++
    }
    return this.#out
  }

  #take(element: string): void {
    this.#merged.add(element)
    this.#path.push(element)
    this.#out.push(
      mergeValue(this.#list.element, this.#leftItems.get(element), this.#rightItems.get(element), this.#path),
    )
    this.#path.pop()
  }
}
