import { fieldName, kindOfElement } from './path-element.ts'
import { PathSet, recursiveDifference, union } from './path-set.ts'
import { settle, type Type } from './type.ts'

const settled = new WeakMap<PathSet, Type>()

/**
 * Adapts a set that was written under an older schema: what was granular and is atomic now is owned as a whole. What was
 * atomic and is granular now stays as it is. The same set is looked at once per type.
 */
export function reconcileWithType(set: PathSet, type: Type): PathSet {
  if (settled.get(set) === type) return set
  const atomic = new PathSet()
  visit(set, type, [], { isAtomic: false, atomic })
  const result = atomic.isEmpty ? set : union(recursiveDifference(set, atomic), atomic)
  settled.set(result, type)
  return result
}

interface Visit {
  /** Whether the path itself is owned, and nothing below it. */
  readonly isAtomic: boolean
  readonly atomic: PathSet
}

function visit(set: PathSet | undefined, type: Type, path: readonly string[], { isAtomic, atomic }: Visit): void {
  const { map, list } = type
  const shape = settle(type, 'any')
  if (shape === 'list' && list) {
    if (list.relation === 'atomic' && !isAtomic) atomic.insert(path)
    else if (set) eachBelow(set, (element, below, isMember) => step(list.element, element, below, isMember))
  } else if (shape === 'map' && map && !map.isDeduced) {
    if (map.isAtomic && !isAtomic) {
      if (set && !set.isEmpty) atomic.insert(path)
    } else if (set) {
      eachBelow(set, (element, below, isMember) => {
        const next = kindOfElement(element) === 'f' ? map.typeOf(fieldName(element)) : undefined
        step(next, element, below, isMember)
      })
    }
  }

  function step(next: Type | undefined, element: string, below: PathSet | undefined, isMember: boolean): void {
    if (next) visit(below, next, [...path, element], { isAtomic: isMember && !below, atomic })
  }
}

function eachBelow(set: PathSet, step: (element: string, below: PathSet | undefined, isMember: boolean) => void): void {
  for (const [element, below] of set.children) if (!set.members.has(element)) step(element, below, false)
  for (const element of set.members) step(element, set.children.get(element), true)
}
