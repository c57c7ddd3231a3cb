import { isObject } from '../../../lib/json.ts'
import { elementsOf } from './list-element.ts'
import { fieldElement } from './path-element.ts'
import { PathSet } from './path-set.ts'
import { settle, shapeOf, type Type } from './type.ts'

/** The paths that a valid value mentions: its leaves, the items of its lists, and keys that its type does not declare. */
export function fieldSetOf(type: Type, value: unknown): PathSet {
  const top = new PathSet()
  collect(type, value, top, '')
  return top.children.get('') ?? new PathSet()
}

/** Adds what a value mentions: itself as a member of its parent when it is a leaf, else what is below it. */
function collect(type: Type | undefined, value: unknown, parent: PathSet, element: string): void {
  const shape = type && settle(type, shapeOf(type, value))
  if (shape === 'scalar') {
    parent.addMember(element)
  } else if (shape === 'map' && type?.map) {
    if (type.map.isAtomic) parent.addMember(element)
    else if (isObject(value)) collectMap(type, value, parent, element)
  } else if (shape === 'list' && type?.list) {
    if (type.list.relation === 'atomic') parent.addMember(element)
    else if (Array.isArray(value)) collectList(type, value, parent, element)
  }
}

function collectMap(type: Type, value: Readonly<Record<string, unknown>>, parent: PathSet, element: string): void {
  const { map } = type
  if (!map) return
  const here = new PathSet()
  for (const name of Object.keys(value)) {
    const below = value[name]
    const member = fieldElement(name)
    collect(map.typeOf(name), below, here, member)
    if (below === null || !map.declares(name) || isEmptyMap(below)) here.addMember(member)
  }
  if (!here.isEmpty) parent.setChild(element, here)
}

function isEmptyMap(value: unknown): boolean {
  if (!isObject(value)) return false
  for (const _ in value) return false
  return true
}

function collectList({ list }: Type, items: readonly unknown[], parent: PathSet, element: string): void {
  if (!list) return
  const elements = elementsOf(list, items, [])
  const repeated = repeatsIn(elements)
  const here = new PathSet()
  for (const [index, member] of elements.entries()) {
    here.addMember(member)
    if (!repeated.has(member)) collect(list.element, items[index], here, member)
  }
  if (!here.isEmpty) parent.setChild(element, here)
}

/** The elements that more than one item has. Such items are owned whole, not field by field. */
export function repeatsIn(elements: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const element of elements) {
    if (seen.has(element)) repeated.add(element)
    else seen.add(element)
  }
  return repeated
}
